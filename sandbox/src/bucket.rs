//! The token bucket of one store: 20 requests at once, 3 more per second, one token each (Order Desk's published etiquette).

use jiff::Timestamp;

/// Size and refill of the token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Tokens in a full bucket.
    pub burst: u32,
    /// Tokens that come back each second.
    pub per_second: f64,
}

impl Bucket {
    /// A bucket that no test or benchmark empties.
    pub fn wide_open() -> Self {
        Self {
            burst: 1_000_000,
            per_second: 1_000_000.0,
        }
    }
}

impl Default for Bucket {
    /// Order Desk's own figures.
    fn default() -> Self {
        Self {
            burst: 20,
            per_second: 3.0,
        }
    }
}

/// What is left in one store's bucket.
#[derive(Debug)]
pub(crate) struct Tokens {
    size: Bucket,
    left: f64,
    at: Timestamp,
}

/// The bucket's word on one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whole tokens left: `X-Tokens-Remaining`.
    pub(crate) remaining: u32,
    /// Seconds to wait when the bucket was empty: `X-Retry-After`.
    pub(crate) retry_after: Option<u64>,
}

impl Tokens {
    pub(crate) fn full(size: Bucket, now: Timestamp) -> Self {
        Self {
            size,
            left: f64::from(size.burst),
            at: now,
        }
    }

    /// Takes one token, or says how long to wait for one.
    pub(crate) fn take(&mut self, now: Timestamp) -> Verdict {
        self.refill(now);
        if self.left < 1.0 {
            let wait = ((1.0 - self.left) / self.size.per_second).ceil().max(1.0);
            return Verdict {
                remaining: 0,
                retry_after: Some(wait as u64),
            };
        }
        self.left -= 1.0;
        self.peek()
    }

    /// What a request that costs nothing is told.
    pub(crate) fn peek(&self) -> Verdict {
        Verdict {
            remaining: self.left as u32,
            retry_after: None,
        }
    }

    /// Somebody else used the key: `tokens` are gone.
    pub(crate) fn drain(&mut self, tokens: u32, now: Timestamp) {
        self.refill(now);
        self.left = (self.left - f64::from(tokens)).max(0.0);
    }

    fn refill(&mut self, now: Timestamp) {
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        self.left = (self.left + passed * self.size.per_second).min(f64::from(self.size.burst));
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn after(seconds: f64) -> Timestamp {
        Timestamp::UNIX_EPOCH
            .checked_add(Duration::from_secs_f64(seconds))
            .expect("near the epoch")
    }

    #[test]
    fn twenty_pass_and_the_next_waits_one_second() {
        let mut tokens = Tokens::full(Bucket::default(), after(0.0));
        for left in (0..20).rev() {
            assert_eq!(
                tokens.take(after(0.0)),
                Verdict {
                    remaining: left,
                    retry_after: None
                }
            );
        }
        assert_eq!(
            tokens.take(after(0.0)),
            Verdict {
                remaining: 0,
                retry_after: Some(1)
            }
        );
    }

    #[test]
    fn three_tokens_come_back_each_second_and_never_more_than_fit() {
        let mut tokens = Tokens::full(Bucket::default(), after(0.0));
        tokens.drain(20, after(0.0));
        assert_eq!(tokens.take(after(1.0)).remaining, 2);
        assert_eq!(tokens.take(after(1_000.0)).remaining, 19);
    }

    #[test]
    fn a_slow_refill_names_the_whole_wait() {
        let mut tokens = Tokens::full(
            Bucket {
                burst: 1,
                per_second: 0.1,
            },
            after(0.0),
        );
        tokens.take(after(0.0));
        assert_eq!(tokens.take(after(0.0)).retry_after, Some(10));
    }
}
