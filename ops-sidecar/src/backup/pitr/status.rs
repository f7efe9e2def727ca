//! What the engine and the shippers say of themselves, for findings, metrics and pages.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

use super::gaps::Gaps;
use super::spool::QueueView;

/// Where to read it.
pub type Latest = Arc<Mutex<Status>>;

/// What recovery to a moment is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// It has not looked yet.
    #[default]
    Starting,
    /// It captures.
    Working,
    /// Another sidecar of this home does it.
    Elsewhere,
    /// There is no state file to read.
    NoState,
    /// The process ends.
    Stopped,
}

/// What is known now. Lags are functions of the time they are asked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// What it does.
    pub doing: Doing,
    /// The line that is written.
    pub line: Option<String>,
    /// Its newest point, in milliseconds since 1970.
    pub last_point_ms: Option<i64>,
    /// Points since this process began.
    pub points: u64,
    /// Since when a change that matters (anything but telemetry) is known and not in the spool; milliseconds since 1970.
    pub waiting_since_ms: Option<i64>,
    /// How long the last look at all pages took, in seconds.
    pub scan_seconds: f64,
    /// How long at least passes between two looks, in seconds: more than 0.6 when looking takes a noticeable part of the time.
    pub pace_seconds: f64,
    /// What waits on this machine.
    pub spool_bytes: u64,
    /// How much may wait, the newest base of each target excepted.
    pub spool_max_bytes: u64,
    /// Why the last look failed, if it did; may name paths.
    pub problem: Option<String>,
    /// By target, in the order of the settings.
    pub targets: Vec<TargetStatus>,
}

/// One target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TargetStatus {
    /// What it is called in the settings, without secrets.
    pub name: String,
    /// Not on this machine.
    pub is_remote: bool,
    /// Since when a change that matters waits to be cut for it; milliseconds since 1970.
    pub uncut_since_ms: Option<i64>,
    /// The point of the oldest increment that waits for it in the spool.
    pub oldest_pending_ms: Option<i64>,
    /// How many wait.
    pub pending: u64,
    /// How large they are.
    pub pending_bytes: u64,
    /// The newest point it has from this process.
    pub last_shipped_ms: Option<i64>,
    /// Increments sent to it since this process began.
    pub shipped: u64,
    /// Their size.
    pub shipped_bytes: u64,
    /// Increments that went from the spool before it had them.
    pub dropped: u64,
    /// Old objects that were removed there.
    pub pruned: u64,
    /// The series, as it was last surveyed there.
    pub gaps: Option<Gaps>,
    /// When that was.
    pub surveyed_ms: Option<i64>,
    /// Why it did not take the last one; may name it.
    pub problem: Option<String>,
}

impl Status {
    /// Age of the oldest change that is not even in the spool, in seconds; 0 when nothing waits.
    #[must_use]
    pub fn lag_seconds(&self, now_ms: i64) -> f64 {
        seconds_since(self.waiting_since_ms, now_ms)
    }

    /// Increments that went from the spool before a target had them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.targets.iter().map(|target| target.dropped).sum()
    }
}

impl TargetStatus {
    pub(super) fn show_queue(&mut self, queue: QueueView) {
        self.pending = queue.pending;
        self.pending_bytes = queue.bytes;
        self.oldest_pending_ms = queue.oldest_ms;
        self.dropped = queue.dropped;
    }

    /// Age of the oldest change that the target does not have, in seconds; 0 when nothing waits.
    #[must_use]
    pub fn lag_seconds(&self, now_ms: i64) -> f64 {
        let oldest = [self.uncut_since_ms, self.oldest_pending_ms];
        seconds_since(oldest.into_iter().flatten().min(), now_ms)
    }
}

fn seconds_since(since_ms: Option<i64>, now_ms: i64) -> f64 {
    let waited = since_ms.map_or(0, |since_ms| now_ms.saturating_sub(since_ms).max(0));
    #[expect(
        clippy::cast_precision_loss,
        reason = "a span of less than 285,000 years"
    )]
    let seconds = waited as f64 / 1000.0;
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_the_age_of_the_oldest_thing_that_waits_and_zero_without_one() {
        let mut target = TargetStatus::default();
        assert!(target.lag_seconds(5_000).abs() < f64::EPSILON);
        target.oldest_pending_ms = Some(3_000);
        assert!((target.lag_seconds(5_000) - 2.0).abs() < f64::EPSILON);
        target.uncut_since_ms = Some(1_500);
        assert!((target.lag_seconds(5_000) - 3.5).abs() < f64::EPSILON);
        // A clock that was set back is no negative lag.
        assert!(target.lag_seconds(1_000).abs() < f64::EPSILON);
    }
}
