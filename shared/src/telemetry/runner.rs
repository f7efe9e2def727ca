//! The flush thread: when to write, and what to do when it fails.
//!
//! It sleeps until the bell rings, waits a random moment so that the ticks of hundreds of processes never align (aligned
//! ones queue for the write lock and take a hundred times longer), and flushes. A failed flush is tried again with
//! growing pauses; nothing is lost meanwhile, the cells hold everything. Without activity it wakes once a minute.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use metrics::gauge;

use super::flush::{FlushError, Flusher};
use super::process::Shared;
use super::{fold, names};
use crate::state::{Slot, State};

/// The random moment between the bell and the flush. The upper end leaves 100 ms for the transaction itself within the
/// promised 250 ms.
const PACE_MS: std::ops::Range<u64> = 20..150;

/// Time between two signs of life of an idle process, and between two looks for dead siblings.
const HEARTBEAT_SECONDS: std::ops::Range<u64> = 45..75;

/// First and longest pause after a failed flush; each is varied by up to a half.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Dead sessions folded between two flushes: each takes about a millisecond from the 250.
const FOLDED_AT_A_TIME: usize = 16;

pub(super) struct Runner {
    slot: Slot,
    flusher: Flusher,
    shared: Arc<Shared>,
    next_heartbeat: Instant,
    next_fold: Instant,
}

impl Runner {
    pub(super) fn new(slot: Slot, flusher: Flusher, shared: Arc<Shared>) -> Runner {
        let now = Instant::now();
        Runner {
            slot,
            flusher,
            shared,
            next_heartbeat: now,
            next_fold: now,
        }
    }

    /// Runs until told to stop; whether the last flush worked.
    pub(super) fn run(mut self) -> bool {
        self.shared.bell.listen_here();
        // At once and not with the first flush: others wait for the slot.
        let _ = self.slot.open_now();
        let mut failures = 0;
        loop {
            self.wait_until(self.next_heartbeat, || self.shared.bell.is_pending());
            self.shared
                .waiting_since
                .lock()
                .get_or_insert_with(Instant::now);
            self.wait_until(
                Instant::now() + Duration::from_millis(fastrand::u64(PACE_MS)),
                || false,
            );
            if self.is_stopping() {
                return self.finish();
            }
            match self.step() {
                Ok(state) => {
                    failures = 0;
                    self.fold(&state);
                }
                Err(error) => {
                    self.note(&error, failures == 0);
                    self.wait_until(Instant::now() + pause(failures), || false);
                    failures += 1;
                }
            }
        }
    }

    /// One flush.
    fn step(&mut self) -> Result<State, FlushError> {
        let state = self
            .slot
            .get()
            .or_else(|_| self.slot.open_now())
            .map_err(FlushError::NoState)?;
        self.shared.bell.clear();
        gauge!(names::FLUSH_LAG.name).set(self.lag().as_secs_f64());
        let serves = self.shared.serves.lock().clone();
        if let Err(error) = self.flusher.flush(&state, &serves, Timestamp::now()) {
            self.shared.bell.keep();
            return Err(self.give_up_if_lost(&state, error));
        }
        *self.shared.session_id.lock() = self.flusher.session_id().cloned();
        *self.shared.trouble.lock() = None;
        *self.shared.waiting_since.lock() = None;
        self.next_heartbeat =
            Instant::now() + Duration::from_secs(fastrand::u64(HEARTBEAT_SECONDS));
        Ok(state)
    }

    /// The last flush, which also retires this process's values. Opens nothing: that could take long.
    fn finish(self) -> bool {
        let Ok(state) = self.slot.get() else {
            return false;
        };
        let serves = self.shared.serves.lock().clone();
        let result = self.flusher.finish(&state, &serves, Timestamp::now());
        if let Err(error) = &result {
            tracing::warn!("the last metrics were not written: {error}");
        }
        result.is_ok()
    }

    /// A file that is damaged or no longer the one we opened is let go; the next step opens what stands there then.
    fn give_up_if_lost(&self, state: &State, error: FlushError) -> FlushError {
        match error {
            FlushError::State(error) if error.is_lost() => {
                let error = Arc::new(error);
                self.slot.mark_broken(state, Arc::clone(&error));
                FlushError::NoState(error)
            }
            other => other,
        }
    }

    /// Says once what is wrong, and keeps saying it to who asks.
    fn note(&self, error: &FlushError, is_first: bool) {
        if is_first {
            tracing::warn!("metrics wait in memory: {error}");
        }
        *self.shared.trouble.lock() = Some(format!("metrics wait in memory: {error}"));
    }

    fn fold(&mut self, state: &State) {
        if !self.shared.answered.load(Ordering::SeqCst) || Instant::now() < self.next_fold {
            return;
        }
        match fold::fold_some(state, FOLDED_AT_A_TIME) {
            Ok(folded) => {
                if folded > 0 {
                    // This thread does not ring; what it just counted should not wait for the heartbeat.
                    self.shared.bell.keep();
                }
                let is_more = folded as usize == FOLDED_AT_A_TIME;
                let pause = if is_more {
                    1
                } else {
                    fastrand::u64(HEARTBEAT_SECONDS)
                };
                self.next_fold = Instant::now() + Duration::from_secs(pause);
            }
            Err(error) => tracing::debug!("dead sessions are not folded yet: {error}"),
        }
    }

    fn lag(&self) -> Duration {
        self.shared
            .waiting_since
            .lock()
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn is_stopping(&self) -> bool {
        self.shared.stop.load(Ordering::SeqCst)
    }

    /// Sleeps until then, or until `is_time` or the end of the process; both unpark this thread.
    fn wait_until(&self, then: Instant, is_time: impl Fn() -> bool) {
        while !self.is_stopping() && !is_time() {
            let left = then.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }
}

fn pause(failures: u32) -> Duration {
    let longest = FIRST_PAUSE
        .saturating_mul(1 << failures.min(10))
        .min(LONGEST_PAUSE);
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}
