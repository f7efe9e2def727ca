//! Which objects a target may lose: a pure decision over names.
//!
//! Promised are, at any time: every moment of the last `seconds`, every minute of the last `minutes`, every hour of the last `hours`, and
//! the newest state there is. An object stays while it is younger than its own span (a second way to a point is worth keeping), and
//! afterwards while a promised point needs it. Where a coarse step is missing, the finer ones that bridge it are such a need.

use std::collections::{BTreeMap, BTreeSet};

use super::name::{Line, Name};
use super::plan::{Lines, Reach, reach};

/// How long each kind of moment can be restored, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Every moment that was captured.
    pub seconds_ms: i64,
    /// Every minute.
    pub minutes_ms: i64,
    /// Every hour.
    pub hours_ms: i64,
}

impl Keep {
    /// As it is set.
    #[must_use]
    pub fn of(settings: &super::Settings) -> Keep {
        let ms = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Keep {
            seconds_ms: ms(settings.keep_seconds),
            minutes_ms: ms(settings.keep_minutes),
            hours_ms: ms(settings.keep_hours),
        }
    }

    /// Of a rank of [`Level::rank`].
    fn span(&self, rank: u8) -> i64 {
        match rank {
            0 => self.seconds_ms,
            1 => self.minutes_ms.max(self.seconds_ms),
            _ => self.hours_ms.max(self.minutes_ms).max(self.seconds_ms),
        }
    }
}

/// What may go, the finest first and bases last, so that a deletion that is interrupted takes away what matters least.
#[must_use]
pub(super) fn doomed(lines: &Lines, keep: &Keep, now_ms: i64) -> Vec<(Line, Name)> {
    let mut doomed = Vec::new();
    // From the newest line back: an older one answers for the beginning of the window only where no newer one does.
    let mut is_answered = false;
    for (line, objects) in lines.iter().rev() {
        let reach = reach(objects, &BTreeSet::new());
        let promised = promised(&reach, keep, now_ms, is_answered);
        let needed: BTreeSet<Name> = promised
            .iter()
            .flat_map(|point| reach.plan(*point))
            .map(|object| object.name)
            .collect();
        let old = objects.iter().map(|object| object.name).filter(|name| {
            name.to_ms < now_ms.saturating_sub(keep.span(name.level.rank()))
                && !needed.contains(name)
        });
        doomed.extend(old.map(|name| (line.clone(), name)));
        is_answered |= reach
            .newest(now_ms.saturating_sub(keep.span(u8::MAX)))
            .is_some();
    }
    doomed.sort_by_key(|(_, name)| (name.level.rank(), name.to_ms));
    doomed
}

/// The points of a line that must stay reachable. Of each kind also the newest one before its span begins: it is the state at the beginning.
fn promised(reach: &Reach, keep: &Keep, now_ms: i64, is_answered: bool) -> BTreeSet<i64> {
    let mut promised = BTreeSet::new();
    let newest = reach.points().next_back();
    let has_ended = newest.is_none_or(|newest| newest < now_ms.saturating_sub(keep.span(u8::MAX)));
    if has_ended && is_answered {
        return promised;
    }
    for rank in 0..=2 {
        let begin = now_ms.saturating_sub(keep.span(rank));
        let mut before = None;
        for (point, _) in reach.ranks().filter(|(_, of_point)| *of_point >= rank) {
            if point >= begin {
                promised.insert(point);
            } else {
                before = Some(point);
            }
        }
        promised.extend(before);
    }
    promised.extend(newest);
    promised
}

/// Remembers since when each object may go, so that a restore that runs meanwhile never loses one it has planned with.
#[derive(Debug, Default)]
pub(super) struct Grace {
    since: BTreeMap<(Line, Name), std::time::Instant>,
}

/// How long an object that may go stays.
pub(super) const GRACE: std::time::Duration = std::time::Duration::from_secs(60 * 60);

impl Grace {
    /// Of those that may go now, the ones that might have gone for [`GRACE`] already. At most `most`, in the same order.
    pub(super) fn over(
        &mut self,
        doomed: Vec<(Line, Name)>,
        now: std::time::Instant,
        most: usize,
    ) -> Vec<(Line, Name)> {
        let mut since = std::mem::take(&mut self.since);
        let mut ripe = Vec::new();
        for one in doomed {
            let first = since.remove(&one).unwrap_or(now);
            if now.saturating_duration_since(first) >= GRACE && ripe.len() < most {
                ripe.push(one.clone());
            }
            self.since.insert(one, first);
        }
        ripe
    }
}

#[cfg(test)]
mod tests;
