//! What Order Desk's rule engine would have noticed. Nothing is posted anywhere: tests and people read the list.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::when;

/// Events kept per store.
const KEPT: usize = 10_000;

/// One thing that would have triggered rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When, UTC.
    pub at: String,
    /// The rule builder's own name: `Order is Imported`, `Folder is Changed`, `Order Details Changed`,
    /// `Order Address Changed`, `Shipment is Added`; or `Warning` for a request that the real service might refuse.
    pub event: &'static str,
    /// The order it is about; 0 for none.
    pub order_id: u64,
    /// Where a notification would go (`order_metadata.ship_notify_url`), or what the warning is about.
    pub detail: String,
}

/// The newest events of one store.
#[derive(Debug, Default)]
pub(crate) struct Events {
    kept: VecDeque<Event>,
}

impl Events {
    pub(crate) fn note(
        &mut self,
        now: Timestamp,
        event: &'static str,
        order_id: u64,
        detail: impl Into<String>,
    ) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Event {
            at: when::stamp(now),
            event,
            order_id,
            detail: detail.into(),
        });
    }

    pub(crate) fn all(&self) -> Vec<Event> {
        self.kept.iter().cloned().collect()
    }
}
