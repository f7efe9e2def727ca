//! One bucket of requests per shop, shared by every process of this home.
//!
//! Order Desk counts per store, whatever process or window asks. So the bucket lies in the state file; a request first
//! reserves its place there, in one short write transaction, and is told how long to wait before it may be sent.
//! Places are given in the order of asking and are never taken back, so nobody starves; who would have to wait longer
//! than it wants is told so and takes no place.
//!
//! A tenant has buckets of its own beside those of its stores ([`tenant`]); [`Quota::reserve_all`] draws from several at once, or
//! from none.
//!
//! Here: the transactions around the buckets. The arithmetic is [`bucket`]'s. Not here: waiting and sending, and what to
//! do without a state file; both are the caller's.

pub mod bucket;
pub mod tenant;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::state::tables::quota::{self as table, Row};
use crate::state::{Durability, Reading, Slot, State, StateError};
use bucket::Bucket;
pub use bucket::Limits;
pub use tenant::{TenantLevel, Way, levels_of_tenant, tenant_key, tenant_levels, tenant_limits};

/// Metric label of the one write this room makes.
const OPERATION: &str = "quota";

/// Why there is no permission to send.
#[derive(Debug, thiserror::Error)]
pub enum QuotaError {
    /// Too many are before us. No place was taken.
    #[error(
        "too many requests to this shop are waiting: the next free place is in {wait:.1?}; hint: try again then"
    )]
    TooBusy {
        /// How long it would have been.
        wait: Duration,
        /// Which of the wanted buckets refused, by its place in the list.
        want: usize,
    },
    /// The shared bucket cannot be reached.
    #[error("the shared quota cannot be read or written; hint: see the state file's own error")]
    Unavailable(#[source] Arc<StateError>),
}

/// Tokens from one bucket, for [`Quota::reserve_all`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Want<'a> {
    /// Which bucket: a store's key, or [`tenant_key`].
    pub key: &'a str,
    /// Its size.
    pub limits: Limits,
    /// How many requests are to be sent; at least 1. More than one get a place together, so that none of them waits between the others.
    pub tokens: u32,
    /// The longest wait that is worth while; up to [`bucket::MAX_AHEAD`].
    pub patience: Duration,
}

/// A place in every bucket that was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// How long to wait before sending.
    pub wait: Duration,
    /// Which of the wanted buckets makes it that long, by its place in the list.
    pub want: usize,
}

/// What is left in a bucket, for people and gauges.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// The shop, as an opaque key.
    pub store_key: String,
    /// Requests that could be sent at once.
    pub available_tokens: f64,
    /// How long the next request would wait.
    pub wait: Duration,
}

/// The shared buckets of all shops. Calls block for one state write (well under a millisecond when nobody is stuck).
#[derive(Debug, Clone)]
pub struct Quota {
    slot: Slot,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl Quota {
    /// Buckets of this size, in the state file of `slot`.
    pub fn new(slot: Slot, limits: Limits, clock: Arc<dyn Clock>) -> Quota {
        Quota {
            slot,
            limits,
            clock,
        }
    }

    /// The size of the buckets.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Takes a place for `tokens` requests to the shop; send after waiting as long as the answer says, at once for
    /// zero. A place that is not used is lost. `patience` counts up to [`bucket::MAX_AHEAD`].
    ///
    /// # Errors
    /// [`QuotaError::TooBusy`] when the wait would be longer than `patience`; [`QuotaError::Unavailable`].
    pub fn reserve(
        &self,
        store_key: &str,
        tokens: u32,
        patience: Duration,
    ) -> Result<Duration, QuotaError> {
        let reserved = self.change(store_key, |bucket, now_us| {
            match bucket.reserve(now_us, self.limits, tokens, patience) {
                Ok((bucket, wait)) => (Some(bucket), Ok(wait)),
                Err(wait) => (None, Err(QuotaError::TooBusy { wait, want: 0 })),
            }
        });
        reserved.map_err(QuotaError::Unavailable)?
    }

    /// Takes a place in every bucket, or in none: a bucket that refuses costs the others nothing. Send after waiting as long as the
    /// answer says, which is the longest of the waits (the first of equal ones). Like [`Quota::reserve`] otherwise.
    ///
    /// # Errors
    /// [`QuotaError::TooBusy`] with the first bucket whose wait would be longer than its patience; [`QuotaError::Unavailable`].
    pub fn reserve_all(&self, wants: &[Want<'_>]) -> Result<Granted, QuotaError> {
        let state = self.slot.get().map_err(QuotaError::Unavailable)?;
        let reserved = state.write(OPERATION, Durability::Normal, |writing| {
            let now_us = self.now_us();
            let mut changed: Vec<Row> = Vec::with_capacity(wants.len());
            let mut granted = Granted {
                wait: Duration::ZERO,
                want: 0,
            };
            for (index, want) in wants.iter().enumerate() {
                // A bucket that was wanted before in the same list is already emptier.
                let before = match changed.iter().rev().find(|row| row.store_key == want.key) {
                    Some(row) => Bucket::from(row),
                    None => bucket_of(writing, want.key)?,
                };
                match before.reserve(now_us, want.limits, want.tokens, want.patience) {
                    Ok((bucket, wait)) => {
                        if wait > granted.wait {
                            granted = Granted { wait, want: index };
                        }
                        changed.push(row(want.key, bucket));
                    }
                    Err(wait) => return Ok(Err(QuotaError::TooBusy { wait, want: index })),
                }
            }
            for row in &changed {
                table::put(writing, row)?;
            }
            Ok(Ok(granted))
        });
        reserved.map_err(unavailable)?
    }

    /// Order Desk said how many requests are left: if fewer than we thought, we believe it. Usually only a read.
    ///
    /// # Errors
    /// [`QuotaError::Unavailable`]; the next answer brings a new chance.
    pub fn reconcile(&self, store_key: &str, remaining: u32) -> Result<(), QuotaError> {
        let tighter = |bucket: Bucket, now_us| bucket.reconcile(now_us, self.limits, remaining);
        let state = self.slot.get().map_err(QuotaError::Unavailable)?;
        let needed = state.read(OPERATION, |reading| {
            Ok(tighter(bucket_of(reading, store_key)?, self.now_us()).is_some())
        });
        if needed.map_err(unavailable)? {
            self.change(store_key, |bucket, now_us| (tighter(bucket, now_us), ()))
                .map_err(QuotaError::Unavailable)?;
        }
        Ok(())
    }

    /// Order Desk refused a request for coming too early: who reserves from now on waits at least `retry_after` (up to
    /// [`bucket::MAX_AHEAD`]), and one at a time. Places given before stay as they are.
    ///
    /// # Errors
    /// [`QuotaError::Unavailable`].
    pub fn exhausted(&self, store_key: &str, retry_after: Duration) -> Result<(), QuotaError> {
        self.change(store_key, |bucket, now_us| {
            (Some(bucket.exhausted(now_us, self.limits, retry_after)), ())
        })
        .map_err(QuotaError::Unavailable)
    }

    /// The buckets of all stores that were ever drawn from, by key.
    ///
    /// # Errors
    /// [`QuotaError::Unavailable`].
    pub fn snapshot(&self) -> Result<Vec<Level>, QuotaError> {
        let state = self.slot.get().map_err(QuotaError::Unavailable)?;
        state
            .read(OPERATION, |reading| {
                levels(reading, self.limits, self.clock.as_ref())
            })
            .map_err(unavailable)
    }

    /// Reads a bucket, lets `decide` say what becomes of it, and stores that; all in one write transaction. The clock
    /// is read inside of it, so that times follow the order of the writers.
    fn change<T>(
        &self,
        store_key: &str,
        decide: impl FnOnce(Bucket, i64) -> (Option<Bucket>, T),
    ) -> Result<T, Arc<StateError>> {
        let state: State = self.slot.get()?;
        let changed = state.write(OPERATION, Durability::Normal, |writing| {
            let (bucket, now_us) = (bucket_of(writing, store_key)?, self.now_us());
            let (changed, answer) = decide(bucket, now_us);
            if let Some(bucket) = changed {
                table::put(writing, &row(store_key, bucket))?;
            }
            Ok(answer)
        });
        changed.map_err(Arc::new)
    }

    fn now_us(&self) -> i64 {
        self.clock.now().as_microsecond()
    }
}

/// The buckets of all stores that were ever drawn from, by key; for a process that watches but does not send.
///
/// # Errors
/// Why the file could not be read.
pub fn levels(
    reading: &Reading<'_>,
    limits: Limits,
    clock: &dyn Clock,
) -> Result<Vec<Level>, StateError> {
    let now_us = clock.now().as_microsecond();
    let level = |row: Row| {
        let bucket = Bucket::from(&row);
        Level {
            available_tokens: bucket.available(now_us, limits),
            wait: bucket.wait(now_us, limits),
            store_key: row.store_key,
        }
    };
    let rows = table::all(reading)?.into_iter();
    Ok(rows
        .filter(|row| !tenant::is_tenant_key(&row.store_key))
        .map(level)
        .collect())
}

/// The bucket under a key; one that nobody has drawn from is full.
fn bucket_of(reading: &Reading<'_>, key: &str) -> Result<Bucket, StateError> {
    Ok(table::get(reading, key)?.map_or_else(Bucket::default, |row| Bucket::from(&row)))
}

fn row(key: &str, bucket: Bucket) -> Row {
    Row {
        store_key: key.to_owned(),
        tat_us: bucket.tat_us,
        updated_us: bucket.updated_us,
    }
}

impl From<&Row> for Bucket {
    fn from(row: &Row) -> Bucket {
        Bucket {
            tat_us: row.tat_us,
            updated_us: row.updated_us,
        }
    }
}

fn unavailable(error: StateError) -> QuotaError {
    QuotaError::Unavailable(Arc::new(error))
}

#[cfg(test)]
mod tests;
