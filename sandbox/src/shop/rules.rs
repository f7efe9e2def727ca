//! The rule stub: "when an order enters this folder, move it on to that one, so much later". Enough to show a client that
//! the state an answer carries may be stale when it arrives.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One rule of the stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveRule {
    /// The folder that an order enters.
    pub into: i64,
    /// The folder it is moved on to.
    pub then: i64,
    /// Milliseconds later, by the sandbox's clock. The move is carried out when the next request looks.
    #[serde(default)]
    pub after_ms: u64,
}

/// A move that waits for its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) order_id: u64,
    pub(crate) to: i64,
}

/// The rules of one store and the moves they have planned.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) moves: Vec<MoveRule>,
    planned: Vec<Due>,
}

impl Rules {
    /// These rules, and nothing planned yet.
    pub(crate) fn with(moves: Vec<MoveRule>) -> Self {
        Self {
            moves,
            planned: Vec::new(),
        }
    }

    /// An order has entered `folder`.
    pub(crate) fn entered(&mut self, order_id: u64, folder: i64, now: Timestamp) {
        for rule in self
            .moves
            .iter()
            .filter(|rule| rule.into == folder && rule.then != folder)
        {
            let at = now
                .checked_add(Duration::from_millis(rule.after_ms))
                .unwrap_or(now);
            self.planned.push(Due {
                at,
                order_id,
                to: rule.then,
            });
        }
    }

    /// The next move whose time has come.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        let at = self.planned.iter().position(|due| due.at <= now)?;
        Some(self.planned.remove(at))
    }
}
