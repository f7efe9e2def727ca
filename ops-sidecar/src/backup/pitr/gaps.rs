//! What is missing at a target, told by names alone.
//!
//! Every step names the point it starts from: a point that steps start from and nothing leads to is a hole. Whether it matters, and whether
//! it may still be filled, is told by what waits in the spool and by its age.

use std::collections::BTreeSet;

use serde::Serialize;
use shared::paths::Home;

use super::level::Level;
use super::name::{Line, Name};
use super::plan::{Lines, reach};
use super::retention::{Keep, doomed};
use super::spool::pending_for;

/// What waits longer than this, its interval added, is late.
const ON_TIME_MS: i64 = 60_000;
/// A step that nobody here knows of may be on its way from another machine; after so long it is not.
const GIVEN_UP_MS: i64 = 10 * 60_000;
/// How many holes are listed one by one.
const LISTED: usize = 20;

/// The state of a target, in numbers of increments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// There.
    pub found: u64,
    /// Should be there by now, and may still come.
    pub late: u64,
    /// Waits in the spool, and is on time.
    pub uploading: u64,
    /// Nothing has it and nothing will bring it.
    pub lost: u64,
    /// Of those: a coarser step leads over it, so that only moments within that step are gone. All others cut off what follows.
    pub covered: u64,
    /// The first of the lost ones.
    pub holes: Vec<Hole>,
}

/// One lost increment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// In which line.
    pub line: String,
    /// The newest point that can be reached before it; none when not even a base is left.
    pub after_ms: Option<i64>,
    /// The point that nothing leads to.
    pub point_ms: i64,
    /// Whether what follows can be reached all the same.
    pub is_covered: bool,
}

/// What is known besides the listing.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// What waits for the target in the spool of this machine; read before the target was asked.
    pub pending: Vec<(Line, Name)>,
    /// What may go is not missed.
    pub keep: Option<Keep>,
}

impl Context {
    /// What this machine knows of a target.
    #[must_use]
    pub fn of(home: &Home, settings: &super::Settings, target: &str) -> Context {
        Context {
            pending: pending_for(home, target),
            keep: Some(Keep::of(settings)),
        }
    }
}

/// Judges a listing.
#[must_use]
pub(super) fn judge(lines: &Lines, context: &Context, now_ms: i64) -> Gaps {
    let mut gaps = Gaps::default();
    let doomed: BTreeSet<(Line, Name)> = match &context.keep {
        Some(keep) => doomed(lines, keep, now_ms).into_iter().collect(),
        None => BTreeSet::new(),
    };
    for (line, name) in &context.pending {
        let is_there = lines
            .get(line)
            .is_some_and(|objects| objects.iter().any(|object| object.name == *name));
        if is_there {
            continue;
        }
        if now_ms.saturating_sub(name.to_ms) > ON_TIME_MS {
            gaps.late += 1;
        } else {
            gaps.uploading += 1;
        }
    }
    for (line, objects) in lines {
        gaps.found += objects.len() as u64;
        let waiting: BTreeSet<i64> = context
            .pending
            .iter()
            .filter(|(of, _)| of == line)
            .map(|(_, name)| name.to_ms)
            .collect();
        let there: BTreeSet<i64> = objects.iter().map(|object| object.name.to_ms).collect();
        let reach = reach(objects, &BTreeSet::new());
        let mut missing: BTreeSet<i64> = BTreeSet::new();
        for name in objects.iter().map(|object| object.name) {
            let Some(from_ms) = name.from_ms else {
                continue;
            };
            let is_known = there.contains(&from_ms) || waiting.contains(&from_ms);
            if !is_known && !doomed.contains(&(line.clone(), name)) && missing.insert(from_ms) {
                let is_covered = reach.contains(name.to_ms);
                gaps.miss(line, from_ms, is_covered, reach.newest(from_ms), now_ms);
            }
        }
    }
    gaps
}

impl Gaps {
    fn miss(
        &mut self,
        line: &Line,
        point_ms: i64,
        is_covered: bool,
        after_ms: Option<i64>,
        now_ms: i64,
    ) {
        if now_ms.saturating_sub(point_ms) <= GIVEN_UP_MS {
            self.late += 1;
            return;
        }
        self.lost += 1;
        self.covered += u64::from(is_covered);
        if self.holes.len() < LISTED {
            self.holes.push(Hole {
                line: line.to_string(),
                after_ms,
                point_ms,
                is_covered,
            });
        }
    }
}

/// Where the series of a running line stand. A target that cannot reach these cannot follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stand {
    /// The line.
    pub line: Line,
    /// The last point of the fine series of the target.
    pub fine_ms: i64,
    /// Of the minutes.
    pub minute_ms: i64,
    /// Of the hours.
    pub hour_ms: i64,
}

/// The series that has to be cut now so that a target can follow again, if any: the finest one whose own last point it can reach.
#[must_use]
pub(super) fn mend(lines: &Lines, pending: &[(Line, Name)], stand: &Stand) -> Option<Level> {
    let mut objects = lines.get(&stand.line).cloned().unwrap_or_default();
    let waiting = pending.iter().filter(|(line, _)| *line == stand.line);
    objects.extend(waiting.map(|(_, name)| super::plan::Object {
        name: *name,
        bytes: 0,
    }));
    let reach = reach(&objects, &BTreeSet::new());
    if reach.contains(stand.fine_ms) {
        None
    } else if reach.contains(stand.minute_ms) {
        Some(Level::Minute)
    } else if reach.contains(stand.hour_ms) {
        Some(Level::Hour)
    } else {
        Some(Level::Day)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Object;
    use super::super::plan::tests::object;
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn line() -> Line {
        Line::start(0, None)
    }

    /// Base at 0, seconds to 120 in steps of one, a minute's step at 60 and 120.
    fn chain() -> Vec<Object> {
        let mut objects = vec![object(Level::Day, 0, 0)];
        objects.extend((1..=120).map(|at| object(Level::Second, (at - 1) * 1000, at * 1000)));
        objects.extend([
            object(Level::Minute, 0, 60_000),
            object(Level::Minute, 60_000, 120_000),
        ]);
        objects
    }

    fn lines_without(line: &Line, gone: &[Object]) -> Lines {
        let objects = chain().into_iter().filter(|one| !gone.contains(one));
        Lines::from([(line.clone(), objects.collect())])
    }

    #[test]
    fn a_whole_chain_has_no_holes() {
        let gaps = judge(&lines_without(&line(), &[]), &Context::default(), HOUR);
        assert_eq!((gaps.found, gaps.lost, gaps.late), (123, 0, 0));
    }

    #[test]
    fn a_lost_second_is_covered_only_where_a_coarser_step_leads_over_it() {
        let line = line();
        let gone = [object(Level::Second, 29_000, 30_000)];
        let gaps = judge(&lines_without(&line, &gone), &Context::default(), HOUR);
        assert_eq!((gaps.lost, gaps.covered), (1, 0));
        let hole = &gaps.holes[0];
        assert_eq!((hole.after_ms, hole.point_ms), (Some(29_000), 30_000));

        let gone = [
            object(Level::Second, 58_000, 59_000),
            object(Level::Second, 59_000, 60_000),
        ];
        let gaps = judge(&lines_without(&line, &gone), &Context::default(), HOUR);
        assert_eq!((gaps.lost, gaps.covered), (0, 0), "nothing starts there");
    }

    #[test]
    fn a_hole_is_late_while_it_is_young_and_uploading_while_it_waits_here() {
        let line = line();
        let gone = [object(Level::Second, 29_000, 30_000)];
        let lines = lines_without(&line, &gone);
        let young = judge(&lines, &Context::default(), 130_000);
        assert_eq!((young.late, young.lost), (1, 0));

        let context = Context {
            pending: vec![(line, gone[0].name)],
            keep: None,
        };
        let here = judge(&lines, &context, 60_000);
        assert_eq!((here.uploading, here.late, here.lost), (1, 0, 0));
        let overdue = judge(&lines, &context, HOUR);
        assert_eq!((overdue.uploading, overdue.late, overdue.lost), (0, 1, 0));
    }

    #[test]
    fn what_may_go_anyway_is_not_missed() {
        let line = line();
        let gone = [object(Level::Second, 29_000, 30_000)];
        let keep = Keep {
            seconds_ms: 60_000,
            minutes_ms: 2 * HOUR,
            hours_ms: 3 * HOUR,
        };
        let context = Context {
            pending: Vec::new(),
            keep: Some(keep),
        };
        let gaps = judge(&lines_without(&line, &gone), &context, 130_000);
        assert_eq!((gaps.late, gaps.lost), (0, 0), "{gaps:?}");
    }

    #[test]
    fn the_series_to_cut_is_the_finest_that_still_connects() {
        let line = line();
        let stand = Stand {
            line: line.clone(),
            fine_ms: 120_000,
            minute_ms: 60_000,
            hour_ms: 0,
        };
        let with = |gone: &[Object]| mend(&lines_without(&line, gone), &[], &stand);
        let last = [
            object(Level::Second, 119_000, 120_000),
            object(Level::Minute, 60_000, 120_000),
        ];
        assert_eq!(with(&[]), None);
        assert_eq!(with(&last), Some(Level::Minute));
        let minutes = [
            object(Level::Minute, 0, 60_000),
            object(Level::Second, 40_000, 41_000),
        ];
        assert_eq!(with(&[last, minutes].concat()), Some(Level::Hour));
        assert_eq!(with(&[object(Level::Day, 0, 0)]), Some(Level::Day));
        let waiting: Vec<_> = last.iter().map(|one| (line.clone(), one.name)).collect();
        assert_eq!(mend(&lines_without(&line, &last), &waiting, &stand), None);
    }
}
