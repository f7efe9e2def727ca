//! What stays of the checkpoints when their file has grown.

use std::collections::{BTreeMap, BTreeSet};

use super::Checkpoint;
use crate::audit::Chain;

/// Lines that all chains share when the file is thinned, so that what is left is well below the size that thins.
const LINES: usize = 1_000;

/// Lines that a chain keeps whatever their age.
pub(super) const NEWEST: usize = 20;

/// Days of which a chain keeps the first line: longer than records are kept by default.
const DAYS: usize = 100;

/// Of each chain the newest lines, the first of each of the last days, and those that a later one has fallen behind: that
/// is how a cut tail shows. (So do two processes that note at once, which is why there is a limit.) And how far it was pruned.
///
/// What restores have left stays as it is, and what was before them goes once two of them have followed: it counts in no file any more.
pub(super) fn kept(points: Vec<Checkpoint>) -> Vec<Checkpoint> {
    let mut points = points;
    points.drain(..begin(&points));
    let is_last_pruning = last_prunings(&points);
    let ends: Vec<&Checkpoint> = points.iter().filter(|point| is_end(point)).collect();
    let mut is_kept_end = kept_ends(&ends).into_iter();
    let is_kept: Vec<bool> = points
        .iter()
        .zip(is_last_pruning)
        .map(|(point, is_last_pruning)| match is_end(point) {
            true => is_kept_end.next().unwrap_or(true),
            false => point.restored.is_some() || is_last_pruning,
        })
        .collect();
    let kept = points.into_iter().zip(is_kept);
    kept.filter_map(|(point, is_kept)| is_kept.then_some(point))
        .collect()
}

fn is_end(point: &Checkpoint) -> bool {
    point.restored.is_none() && !point.pruned
}

/// Where the last restore but one is noted. The very last may have been noted and then not done.
fn begin(points: &[Checkpoint]) -> usize {
    let epochs: BTreeSet<u64> = points.iter().filter_map(|point| point.restored).collect();
    let before_last = epochs.iter().rev().nth(1);
    before_last.map_or(0, |epoch| super::in_force_from(points, *epoch))
}

/// Which of the points tell of the last pruning of their chain before the next restore.
fn last_prunings(points: &[Checkpoint]) -> Vec<bool> {
    let mut seen: BTreeSet<&Chain> = BTreeSet::new();
    let mut is_last: Vec<bool> = points
        .iter()
        .rev()
        .map(|point| {
            if point.restored.is_some() {
                seen.clear();
            }
            point.pruned && point.restored.is_none() && seen.insert(&point.chain)
        })
        .collect();
    is_last.reverse();
    is_last
}

/// Which of the ends stay.
fn kept_ends(points: &[&Checkpoint]) -> Vec<bool> {
    let chains: BTreeSet<&Chain> = points.iter().map(|point| &point.chain).collect();
    let share = LINES / chains.len().max(1);
    let newest = share.clamp(1, NEWEST);
    let firsts = firsts_of_days(points, share.clamp(1, DAYS));
    let mut later: BTreeMap<&Chain, Later> = BTreeMap::new();
    let mut kept = Vec::new();
    for (point, is_first) in points.iter().zip(firsts).rev() {
        let later = later.entry(&point.chain).or_insert(Later::NOTHING);
        later.lines += 1;
        let is_ahead = point.head.seq >= later.lowest;
        later.ahead += usize::from(is_ahead);
        later.lowest = later.lowest.min(point.head.seq);
        kept.push(later.lines <= newest || is_first || (is_ahead && later.ahead <= newest));
    }
    kept.reverse();
    kept
}

/// What stands after a line of the same chain.
struct Later {
    lines: usize,
    /// Lines that one after them has fallen behind.
    ahead: usize,
    lowest: u64,
}

impl Later {
    const NOTHING: Later = Later {
        lines: 0,
        ahead: 0,
        lowest: u64::MAX,
    };
}

/// Which of the lines are the first of their chain and day, among the last days that the chain has lines of.
fn firsts_of_days(points: &[&Checkpoint], most: usize) -> Vec<bool> {
    let mut days: BTreeMap<&Chain, BTreeSet<i64>> = BTreeMap::new();
    for point in points {
        let days = days.entry(&point.chain).or_default();
        days.insert(day(point));
        if days.len() > most {
            days.pop_first();
        }
    }
    let mut is_first = |point: &&Checkpoint| {
        days.get_mut(&point.chain)
            .is_some_and(|days| days.remove(&day(point)))
    };
    points.iter().map(&mut is_first).collect()
}

fn day(point: &Checkpoint) -> i64 {
    point.at.as_second().div_euclid(86_400)
}
