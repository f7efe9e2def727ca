//! For how long this program could have done something.
//!
//! After a night's sleep a laptop's backups are a night old, and nobody is late: whoever judges by age asks how long the machine was awake.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::clock::Clock;

/// The wall clock may run ahead of the monotonic one by this much between two looks before that means that the machine slept, or that
/// somebody set the clock. Looks are two seconds apart.
const ASLEEP: Duration = Duration::from_secs(30);

/// Watches both clocks.
#[derive(Debug)]
pub struct Awake {
    clock: Arc<dyn Clock>,
    since: Instant,
    last: (Instant, i64),
}

impl Awake {
    /// Awake since now.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Awake {
        let now = clock.instant();
        Awake {
            since: now,
            last: (now, clock.now_ms()),
            clock,
        }
    }

    /// Since the start, or since the machine last woke.
    pub fn look(&mut self) -> Duration {
        let now = self.clock.instant();
        let now_ms = self.clock.now_ms();
        let (last, last_ms) = self.last;
        let by_wall =
            Duration::from_millis(u64::try_from(now_ms.saturating_sub(last_ms)).unwrap_or(0));
        if by_wall > now.saturating_duration_since(last) + ASLEEP {
            self.since = now;
        }
        self.last = (now, now_ms);
        now.saturating_duration_since(self.since)
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::ManualClock;

    use super::*;

    #[test]
    fn time_counts_from_the_start_and_anew_from_waking() {
        let clock = Arc::<ManualClock>::default();
        let mut awake = Awake::new(Arc::clone(&clock) as Arc<dyn Clock>);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(awake.look(), Duration::from_secs(3600));
        clock.jump_to(clock.now() + Duration::from_secs(8 * 3600));
        assert_eq!(awake.look(), Duration::ZERO);
        clock.advance(Duration::from_secs(5));
        assert_eq!(awake.look(), Duration::from_secs(5));
    }

    #[test]
    fn a_clock_that_is_set_back_changes_nothing() {
        let clock = Arc::<ManualClock>::default();
        let mut awake = Awake::new(Arc::clone(&clock) as Arc<dyn Clock>);
        clock.advance(Duration::from_secs(60));
        clock.jump_to(clock.now() - Duration::from_secs(30));
        assert_eq!(awake.look(), Duration::from_secs(60));
    }
}
