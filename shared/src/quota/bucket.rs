//! The arithmetic of one bucket: GCRA ("generic cell rate algorithm"), which needs a single stored time.
//!
//! The bucket is described by the moment when it will be full again (`tat`, theoretical arrival time). A request moves
//! that moment one interval (the time in which one token grows back) further away; it may be sent once the moment is
//! no further away than a whole bucket. Pure functions over microseconds of the wall clock, which all processes share.
//!
//! The clock may jump. Backwards: the stored time moves along, as if no time had passed, so that nobody waits for
//! yesterday to come back. Forwards: the bucket is full too early, once; Order Desk may answer 429, which is handled.

use std::time::Duration;

/// The furthest that a place may be ahead, whatever the caller's patience or a server's `Retry-After` say. A stored
/// time beyond it is not a queue but a mistake, and counts as an empty bucket.
pub const MAX_AHEAD: Duration = Duration::from_secs(60);

/// Size and refill of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests that may be sent at once after a rest; at least 1.
    pub burst: u32,
    /// Requests per second after that. Zero, negative and not-a-number count as one per hour.
    pub per_second: f64,
}

impl Limits {
    /// Time in which one token grows back, rounded up: never faster than said.
    fn interval_us(self) -> i64 {
        const HOUR_US: f64 = 3.6e9;
        let interval = if self.per_second > 0.0 {
            (1e6 / self.per_second).ceil()
        } else {
            HOUR_US
        };
        #[allow(clippy::cast_possible_truncation, reason = "clamped to an hour")]
        let interval_us = interval.clamp(1.0, HOUR_US) as i64;
        interval_us
    }

    /// Time in which an empty bucket fills.
    fn depth_us(self) -> i64 {
        self.interval_us() * i64::from(self.burst.max(1))
    }
}

/// A bucket as stored; the default is one that nobody has drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    /// When it will be full again, in microseconds since 1970.
    pub tat_us: i64,
    /// When it was last changed, in microseconds since 1970.
    pub updated_us: i64,
}

impl Bucket {
    /// Takes `tokens` (at least 1) out: the bucket afterwards, and how long to wait before sending.
    ///
    /// # Errors
    /// How long the wait would be, when that is more than `patience` (at most [`MAX_AHEAD`]).
    pub fn reserve(
        self,
        now_us: i64,
        limits: Limits,
        tokens: u32,
        patience: Duration,
    ) -> Result<(Bucket, Duration), Duration> {
        let cost_us = limits
            .interval_us()
            .saturating_mul(i64::from(tokens.max(1)));
        let tat_us = self
            .debt_us(now_us, limits)
            .saturating_add(cost_us)
            .saturating_add(now_us);
        let wait = micros(
            tat_us
                .saturating_sub(now_us)
                .saturating_sub(limits.depth_us()),
        );
        if wait > patience.min(MAX_AHEAD) {
            return Err(wait);
        }
        Ok((
            Bucket {
                tat_us,
                updated_us: now_us,
            },
            wait,
        ))
    }

    /// The bucket when the server counts only `remaining` tokens; `None` when that is no news.
    pub fn reconcile(self, now_us: i64, limits: Limits, remaining: u32) -> Option<Bucket> {
        let remaining = i64::from(remaining.min(limits.burst.max(1)));
        let debt_us = limits.depth_us() - remaining * limits.interval_us();
        (debt_us > self.debt_us(now_us, limits)).then(|| Bucket {
            tat_us: now_us + debt_us,
            updated_us: now_us,
        })
    }

    /// The bucket after a refusal: empty, and its first token is there in `retry_after` (at most [`MAX_AHEAD`]).
    pub fn exhausted(self, now_us: i64, limits: Limits, retry_after: Duration) -> Bucket {
        let ahead_us = i64::try_from(retry_after.min(MAX_AHEAD).as_micros()).unwrap_or(i64::MAX);
        let debt_us = (limits.depth_us() - limits.interval_us()).saturating_add(ahead_us);
        Bucket {
            tat_us: now_us.saturating_add(debt_us.max(self.debt_us(now_us, limits))),
            updated_us: now_us,
        }
    }

    /// Tokens that can be taken without waiting, fractions included.
    #[allow(
        clippy::cast_precision_loss,
        reason = "a gauge; below 2^53 it is exact"
    )]
    pub fn available(self, now_us: i64, limits: Limits) -> f64 {
        let free_us = limits
            .depth_us()
            .saturating_sub(self.debt_us(now_us, limits))
            .max(0);
        free_us as f64 / limits.interval_us() as f64
    }

    /// How long a request would have to wait.
    pub fn wait(self, now_us: i64, limits: Limits) -> Duration {
        let cost_us = self
            .debt_us(now_us, limits)
            .saturating_add(limits.interval_us());
        micros(cost_us.saturating_sub(limits.depth_us()))
    }

    /// Time until the bucket is full. When the clock stands before the last change it was set back, and the bucket is
    /// as it was then.
    fn debt_us(self, now_us: i64, limits: Limits) -> i64 {
        let debt_us = self
            .tat_us
            .saturating_sub(now_us.max(self.updated_us))
            .max(0);
        let ahead_us = debt_us - limits.depth_us();
        if micros(ahead_us) > MAX_AHEAD {
            limits.depth_us()
        } else {
            debt_us
        }
    }
}

/// Negative is nothing.
fn micros(us: i64) -> Duration {
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

#[cfg(test)]
mod tests;
