//! How old a point is, told without believing the clock.
//!
//! The clock that names points may be wrong by years: a dead battery, a bad time server. What it says of a single pause proves nothing, because a
//! machine that was off and a clock that was set forward look alike. What proves something is that points follow each other: between two that
//! do, the clock went forward by what passed, unless it was set meanwhile. So a point is as old as the steps that were made since, **without
//! the longest [`LEAPS`] of them**; steps backwards count nothing. It follows that no point is taken for older than it is, whatever the clock did,
//! unless it was set forward more often than that since. In the pauses that do not count nothing was made, so leaving them out keeps no more
//! objects than one span of uninterrupted work makes.
//!
//! Here: that arithmetic, over names. Not here: which objects an age makes superfluous (`retention`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::name::Line;
use super::plan::Lines;

/// So many of the longest pauses since a point do not count towards its age. A machine whose clock is set forward at each start, and which is
/// started twice a day, has its week of minutes; one that is off every night keeps what it has for some days longer.
pub(super) const LEAPS: usize = 16;

/// How many spans are told apart: of seconds, minutes, and all that is coarser.
pub(super) const SPANS: usize = 3;

/// For each line the name of the oldest point that is still within each of the `spans` (milliseconds); [`i64::MAX`] where none is.
#[must_use]
pub(super) fn begins(
    lines: &Lines,
    spans: [i64; SPANS],
    now_ms: i64,
) -> BTreeMap<&Line, [i64; SPANS]> {
    let mut begins = BTreeMap::new();
    let mut passed = Passed::default();
    let mut later = now_ms;
    // Lines are ordered by when they began, and the points within one by when they were made, also where the clock was set back.
    for (line, objects) in lines.iter().rev() {
        let mut points: Vec<i64> = objects.iter().map(|object| object.name.to_ms).collect();
        points.sort_unstable();
        points.dedup();
        let mut begin = [i64::MAX; SPANS];
        for point in points.into_iter().rev() {
            passed.step(later.saturating_sub(point));
            later = point;
            for (begin, span) in begin.iter_mut().zip(spans) {
                if passed.time() <= span {
                    *begin = point;
                }
            }
        }
        begins.insert(line, begin);
    }
    begins
}

/// What has provably passed, step by step back from now. Never falls.
#[derive(Default)]
struct Passed {
    all: i64,
    leaps: BinaryHeap<Reverse<i64>>,
    leapt: i64,
}

impl Passed {
    fn step(&mut self, by: i64) {
        if by <= 0 {
            return;
        }
        self.all = self.all.saturating_add(by);
        self.leapt = self.leapt.saturating_add(by);
        self.leaps.push(Reverse(by));
        if self.leaps.len() > LEAPS
            && let Some(Reverse(shortest)) = self.leaps.pop()
        {
            self.leapt -= shortest;
        }
    }

    fn time(&self) -> i64 {
        self.all - self.leapt
    }
}

#[cfg(test)]
mod tests;
