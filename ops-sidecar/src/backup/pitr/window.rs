//! What a target can give back, and what is missing there: questions answered by listings, without a key.

use std::collections::BTreeSet;

use serde::Serialize;

use super::error::PitrError;
use super::gaps::{self, Context, Gaps};
use super::name::FOLDER;
use super::plan::{Lines, Object, Reach, collect, reach};
use crate::backup::targets::Target;

/// One line at a target.
#[derive(Clone, Debug)]
pub struct LineView {
    /// Its id; ids sort by when lines started.
    pub line: String,
    /// The first point that can be reached.
    pub from_ms: i64,
    /// The last one.
    pub to_ms: i64,
    /// Whether a secret key is needed.
    pub encrypted: bool,
    /// How many points can be reached.
    pub points: usize,
    /// Size of all objects.
    pub bytes: u64,
    /// How dense the points are, from old to new.
    pub spans: Vec<Span>,
    reach: std::sync::Arc<Reach>,
}

/// A stretch of time and how far apart its points are allowed to be: what was asked for when they were made. Where nothing changed, there
/// are fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Its first point.
    pub from_ms: i64,
    /// Its last point.
    pub to_ms: i64,
    /// At most so far apart.
    pub every_seconds: u64,
}

impl LineView {
    /// The newest point that can be reached and is not younger than this.
    #[must_use]
    pub fn newest_at_or_before(&self, ms: i64) -> Option<i64> {
        self.reach.newest(ms)
    }
}

/// What can be restored from a target, line by line, the oldest first. Lines of which nothing can be reached are left out.
///
/// # Errors
/// The target does not answer.
pub fn window(target: &Target) -> Result<Vec<LineView>, PitrError> {
    let lines = listing(target)?;
    Ok(lines
        .iter()
        .filter_map(|(line, objects)| view(line.as_str(), objects))
        .collect())
}

/// What is there, late, on its way or lost at a target. `context` is what this machine knows besides; a machine that knows nothing passes
/// the default.
///
/// # Errors
/// The target does not answer.
pub fn survey(target: &Target, now_ms: i64, context: &Context) -> Result<Gaps, PitrError> {
    Ok(gaps::judge(&listing(target)?, context, now_ms))
}

pub(super) fn listing(target: &Target) -> Result<Lines, PitrError> {
    let mut lines = Lines::new();
    // There may be a hundred thousand: of each no more is kept than its name says.
    target.each(FOLDER, &mut |item| {
        collect(&mut lines, &item.key, item.bytes);
    })?;
    for objects in lines.values_mut() {
        objects.sort_unstable();
    }
    Ok(lines)
}

fn view(line: &str, objects: &[Object]) -> Option<LineView> {
    let reach = reach(objects, &BTreeSet::new());
    let from_ms = reach.points().next()?;
    let to_ms = reach.points().next_back()?;
    Some(LineView {
        line: line.to_owned(),
        from_ms,
        to_ms,
        encrypted: objects.iter().any(|object| object.name.is_sealed),
        points: reach.points().count(),
        bytes: objects.iter().map(|object| object.bytes).sum(),
        spans: spans(objects, &reach),
        reach: reach.into(),
    })
}

/// Coarse steps reach further back than fine ones; where a finer series begins, a new span does.
fn spans(objects: &[Object], reach: &Reach) -> Vec<Span> {
    let mut begins: Vec<(i64, u64)> = Vec::new();
    for (rank, every_seconds) in [(3, 86_400), (2, 3_600), (1, 60), (0, 1)] {
        let of_rank = objects
            .iter()
            .filter(|object| object.name.level.rank() == rank);
        let first = of_rank
            .filter(|object| reach.contains(object.name.to_ms))
            .map(|object| object.name.from_ms.unwrap_or(object.name.to_ms))
            .min();
        if let Some(first) = first {
            begins.push((first, every_seconds));
        }
    }
    // A finer series that begins earlier makes the coarser one moot.
    let mut spans: Vec<Span> = Vec::new();
    let Some(mut to_ms) = reach.points().next_back() else {
        return spans;
    };
    for (from_ms, every_seconds) in begins.into_iter().rev() {
        if from_ms < to_ms || spans.is_empty() {
            spans.push(Span {
                from_ms,
                to_ms,
                every_seconds,
            });
            to_ms = from_ms;
        }
    }
    spans.reverse();
    spans
}

#[cfg(test)]
mod tests {
    use super::super::level::Level;
    use super::super::plan::tests::object;
    use super::*;

    #[test]
    fn a_view_says_from_when_to_when_and_how_dense() {
        let objects = [
            object(Level::Day, 0, 0),
            object(Level::Hour, 0, 100),
            object(Level::Minute, 100, 110),
            object(Level::Minute, 110, 120),
            object(Level::Second, 120, 121),
            object(Level::Second, 500, 501),
        ];
        let view = view("line", &objects).unwrap();
        assert_eq!((view.from_ms, view.to_ms, view.points), (0, 121, 5));
        assert_eq!(view.newest_at_or_before(115), Some(110));
        assert_eq!(view.newest_at_or_before(-1), None);
        let spans: Vec<_> = view
            .spans
            .iter()
            .map(|span| (span.from_ms, span.to_ms, span.every_seconds))
            .collect();
        assert_eq!(spans, [(0, 100, 3_600), (100, 120, 60), (120, 121, 1)]);
    }

    #[test]
    fn a_line_of_one_base_is_one_point() {
        let view = view("line", &[object(Level::Day, 0, 7)]).unwrap();
        assert_eq!((view.from_ms, view.to_ms), (7, 7));
        assert_eq!(view.spans.len(), 1);
    }

    #[test]
    fn a_line_without_a_base_gives_nothing() {
        assert!(view("line", &[object(Level::Second, 0, 7)]).is_none());
    }
}
