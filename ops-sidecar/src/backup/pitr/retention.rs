//! Which objects a target may lose: a pure decision over names.
//!
//! Promised are, at any time: every moment of the last `seconds`, every minute of the last `minutes`, every hour of the last `hours`, and
//! the newest state there is. An object stays while it is younger than its own span (a second way to a point is worth keeping), and
//! afterwards while a promised point needs it. Where a coarse step is missing, the finer ones that bridge it are such a need.
//!
//! How long ago something was, `elapsed` tells: the clock alone decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::elapsed::{self, SPANS};
use super::level::{Level, Pace};
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
        let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Keep {
            seconds_ms: ms(settings.keep_seconds),
            minutes_ms: ms(settings.keep_minutes),
            hours_ms: ms(settings.keep_hours),
        }
    }

    /// How many objects lie at a target on another machine once something has changed without a pause for as long as anything is kept.
    #[must_use]
    pub fn most_objects(settings: &super::Settings) -> u64 {
        let pace = Pace {
            remote: settings.remote_interval,
            at_least: Duration::ZERO,
        };
        let spans = Keep::of(settings).spans();
        let of = |level: Level| {
            let span = spans[usize::from(level.rank()).min(SPANS - 1)];
            let span = Duration::from_millis(span.unsigned_abs());
            u64::try_from(span.as_millis() / pace.of(level).as_millis().max(1)).unwrap_or(u64::MAX)
        };
        let levels = Level::ALL.into_iter().filter(|level| level.is_for(true));
        levels.map(of).fold(0, u64::saturating_add)
    }

    /// Of each rank of `Level::rank`; bases stay as long as hours do.
    fn spans(&self) -> [i64; SPANS] {
        let minutes_ms = self.minutes_ms.max(self.seconds_ms);
        [self.seconds_ms, minutes_ms, self.hours_ms.max(minutes_ms)]
    }
}

/// Where the spans begin in a line, by its own names.
struct Begins([i64; SPANS]);

impl Begins {
    fn of(&self, rank: u8) -> i64 {
        self.0[usize::from(rank).min(SPANS - 1)]
    }

    /// Of the whole window.
    fn first(&self) -> i64 {
        self.0[SPANS - 1]
    }
}

/// What may go, the finest first and bases last, so that a deletion that is interrupted takes away what matters least.
#[must_use]
pub(super) fn doomed(lines: &Lines, keep: &Keep, now_ms: i64) -> Vec<(Line, Name)> {
    let mut doomed = Vec::new();
    let begins = elapsed::begins(lines, keep.spans(), now_ms);
    // From the newest line back: an older one answers for the beginning of the window only where no newer one does.
    let mut is_answered = false;
    for (line, objects) in lines.iter().rev() {
        let reach = reach(objects, &BTreeSet::new());
        let begins = Begins(begins[line]);
        let promised = promised(&reach, &begins, is_answered);
        let needed: BTreeSet<Name> = promised
            .iter()
            .flat_map(|point| reach.plan(*point))
            .map(|object| object.name)
            .collect();
        let old = |name: &Name| name.to_ms < begins.of(name.level.rank()) && !needed.contains(name);
        let names = objects.iter().map(|object| object.name);
        doomed.extend(names.filter(old).map(|name| (line.clone(), name)));
        is_answered |= reach
            .points()
            .next()
            .is_some_and(|first| first < begins.first());
    }
    doomed.sort_by_key(|(_, name)| (name.level.rank(), name.to_ms));
    doomed
}

/// The points of a line that must stay reachable. Of each kind also the newest one before its span begins: it is the state at the beginning,
/// and, where nothing younger is, the newest of all.
fn promised(reach: &Reach, begins: &Begins, is_answered: bool) -> BTreeSet<i64> {
    let mut promised = BTreeSet::new();
    let newest = reach.points().next_back();
    let has_ended = newest.is_none_or(|newest| newest < begins.first());
    if has_ended && is_answered {
        return promised;
    }
    for rank in 0..=2 {
        let begin = begins.of(rank);
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
    promised
}

/// Remembers since when each object may go, so that a restore that runs meanwhile never loses one it has planned with.
#[derive(Debug, Default)]
pub(super) struct Grace {
    since: BTreeMap<(Line, Name), std::time::Instant>,
}

/// How long an object that may go stays.
pub(super) const GRACE: Duration = Duration::from_secs(60 * 60);

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
