//! Time, handed in: the system's, or a hand that a test turns. Everything dated or rationed here asks this clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

/// The sandbox's time. Clones share one hand.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    hand: Option<Arc<Mutex<Timestamp>>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self { hand: None }
    }

    /// A clock that stands at `start` until [`Clock::advance`].
    pub fn manual(start: Timestamp) -> Self {
        Self {
            hand: Some(Arc::new(Mutex::new(start))),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.hand {
            Some(hand) => *hand.lock(),
            None => Timestamp::now(),
        }
    }

    /// Turns a manual clock forward; the system's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Some(hand) = &self.hand {
            let mut now = hand.lock();
            *now = now.checked_add(by).unwrap_or(Timestamp::MAX);
        }
    }
}
