//! Time, handed in so that tests own it.
//!
//! Here: the two clocks a program has (the wall, which people and other processes read and which may jump; and the steady one, for
//! durations), a clock for tests that moves only when told, and the words for a span of time. Not here: waiting. Whoever waits does so where it can be woken.

mod words;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::Mutex;

pub use words::{ago, span};

/// Where a room reads the time from. Share it as `Arc<dyn Clock>`.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall clock: comparable between processes, may jump either way.
    fn now(&self) -> Timestamp;

    /// The steady clock of this process: for durations and deadlines, never falls.
    fn instant(&self) -> Instant;

    /// The wall clock in milliseconds since 1970 (UTC), the form in which `state.db` keeps times.
    fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The machine's clocks, ready to be shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// A clock for tests: it stands still until it is moved. Always compiled, so that the tests of every crate can use it; no product
/// code constructs one.
#[derive(Debug)]
pub struct ManualClock {
    hands: Mutex<Hands>,
}

#[derive(Debug)]
struct Hands {
    wall: Timestamp,
    steady: Instant,
}

impl ManualClock {
    /// A clock that stands at `wall`.
    #[must_use]
    pub fn at(wall: Timestamp) -> ManualClock {
        ManualClock {
            hands: Mutex::new(Hands {
                wall,
                steady: Instant::now(),
            }),
        }
    }

    /// Both clocks go forward, as when time passes. Past the end of time the wall stands still.
    pub fn advance(&self, by: Duration) {
        let mut hands = self.hands.lock();
        hands.wall = hands.wall.saturating_add(by).unwrap_or(Timestamp::MAX);
        hands.steady += by;
    }

    /// Only the wall jumps, as when an administrator or NTP sets it.
    pub fn jump_to(&self, wall: Timestamp) {
        self.hands.lock().wall = wall;
    }
}

/// A round moment in 2026: a test that cares about the date says which one with [`ManualClock::at`].
impl Default for ManualClock {
    fn default() -> ManualClock {
        ManualClock::at(Timestamp::constant(1_767_225_600, 0))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands.lock().wall
    }

    fn instant(&self) -> Instant {
        self.hands.lock().steady
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::default();
        let (wall, steady) = (clock.now(), clock.instant());
        assert_eq!((clock.now(), clock.instant()), (wall, steady));

        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now_ms() - wall.as_millisecond(), 1500);
        assert_eq!(clock.instant() - steady, Duration::from_millis(1500));
    }

    #[test]
    fn the_wall_may_jump_back_while_the_steady_clock_stays() {
        let clock = ManualClock::default();
        let steady = clock.instant();
        clock.jump_to(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now_ms(), 0);
        assert_eq!(clock.instant(), steady);
    }

    #[test]
    fn a_manual_clock_survives_the_end_of_time() {
        let clock = ManualClock::at(Timestamp::MAX);
        clock.advance(Duration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn the_default_moment_is_the_first_of_january_2026() {
        assert_eq!(
            ManualClock::default().now().to_string(),
            "2026-01-01T00:00:00Z"
        );
    }
}
