//! Waiting for a lock that another process holds: in short random steps, up to a limit.
//!
//! SQLite's own waiting sleeps longer at each try (up to 100 ms), so a waiter that lost twice sleeps past hundreds of
//! chances: with 200 processes whose ticks coincide commits took up to 1.2 s, with the random 0.2 to 4 ms used here
//! 39 ms. Nobody is starved for longer than the limit, because every step is an equal draw.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// The longest that ordinary work waits for a lock. A commit holds it for well under a millisecond, so five seconds
/// means that somebody is stuck.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// One step of waiting, in microseconds.
const STEP_US: std::ops::RangeInclusive<u64> = 200..=4_000;

thread_local! {
    /// SQLite calls the handler on the thread that waits, with no argument of ours; hence a limit per thread.
    static LIMIT: Cell<Duration> = const { Cell::new(PATIENCE) };
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Makes `connection` wait in random steps.
pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(wait_a_step))
}

/// Runs `work` with another limit than [`PATIENCE`] on this thread.
pub(super) fn with_limit<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
    struct Reset(Duration);
    impl Drop for Reset {
        fn drop(&mut self) {
            LIMIT.set(self.0);
        }
    }
    let _reset = Reset(LIMIT.replace(limit));
    work()
}

/// Called by SQLite when a lock is held: `tries` starts at 0 for each lock. `false` gives up.
fn wait_a_step(tries: i32) -> bool {
    if tries == 0 {
        SINCE.set(Some(Instant::now()));
    }
    let waited = SINCE.get().map_or(Duration::ZERO, |since| since.elapsed());
    if waited >= LIMIT.get() {
        return false;
    }
    pause();
    true
}

/// One random step; also paces the waiting for a lock file.
#[allow(
    clippy::disallowed_methods,
    reason = "SQLite offers no way to be woken when another process lets go"
)]
pub(super) fn pause() {
    std::thread::sleep(Duration::from_micros(fastrand::u64(STEP_US)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_at_the_limit_and_the_old_limit_comes_back() {
        with_limit(Duration::ZERO, || assert!(!wait_a_step(0)));
        assert!(wait_a_step(0));
    }

    #[test]
    fn a_panic_inside_leaves_the_ordinary_limit() {
        let caught =
            std::panic::catch_unwind(|| with_limit(Duration::ZERO, || panic!("on purpose")));
        assert!(caught.is_err());
        assert_eq!(LIMIT.get(), PATIENCE);
    }
}
