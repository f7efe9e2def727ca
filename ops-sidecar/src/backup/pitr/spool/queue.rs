//! What waits for one target: the order in which it is sent, and what goes first when there is too much.

use std::cmp::Reverse;
use std::collections::VecDeque;

use crate::backup::pitr::level::Level;
use crate::backup::pitr::name::{Line, Name};

/// What waits for one target, in the order in which it is sent.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<Waiting>,
    pub(super) bytes: u64,
    pub(super) dropped: u64,
    pub(super) is_suspect: bool,
    pub(super) order: Option<Level>,
}

/// One increment that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::backup::pitr) struct Waiting {
    /// Its line.
    pub(in crate::backup::pitr) line: Line,
    /// Its name.
    pub(in crate::backup::pitr) name: Name,
    /// Its size.
    pub(in crate::backup::pitr) bytes: u64,
}

/// What is shown of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::backup::pitr) struct QueueView {
    /// How many wait.
    pub(in crate::backup::pitr) pending: u64,
    /// How large they are.
    pub(in crate::backup::pitr) bytes: u64,
    /// The point of the first.
    pub(in crate::backup::pitr) oldest_ms: Option<i64>,
    /// How many had to go.
    pub(in crate::backup::pitr) dropped: u64,
}

impl Queue {
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.bytes;
        self.waiting.push_back(waiting);
    }

    pub(super) fn take(&mut self, place: usize) -> Waiting {
        let taken = self
            .waiting
            .remove(place)
            .expect("the place was just found");
        self.bytes -= taken.bytes;
        taken
    }

    pub(super) fn sort(&mut self) {
        let order = |one: &Waiting| {
            let coarse_first = Reverse(one.name.level.rank());
            (one.line.clone(), one.name.to_ms, coarse_first)
        };
        self.waiting.make_contiguous().sort_by_key(order);
    }

    /// What matters least: the oldest of the finest. The newest base stays, however full it is: without it nothing that follows is worth
    /// anything.
    pub(super) fn least(&self) -> Option<usize> {
        let base = self.waiting.iter().rposition(|one| one.name.is_base());
        let others = self
            .waiting
            .iter()
            .enumerate()
            .filter(|(place, _)| Some(*place) != base);
        others
            .min_by_key(|(place, one)| (one.name.level.rank(), *place))
            .map(|(place, _)| place)
    }
}
