//! Who may send a request now.
//!
//! Here: at most three requests in flight per store and process, and before each of them a place in two buckets that all processes share
//! through the state file: the store's, which Order Desk counts, and the tenant's, which keeps one tenant from using up the others' time.
//! Without a usable state file nobody can know what the others send: then this process keeps to a small, slow share of its own, so that
//! reads go on. Not here: the bucket's arithmetic (`shared::quota`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use shared::clock::Clock;
use shared::quota::{self, Granted, Level, Limits, Quota, QuotaError, Want, Way};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::{DeskError, Limiter};
use super::meter;

/// Requests in flight per store and process: what careful clients of this API use.
const IN_FLIGHT: usize = 3;

/// Without the shared bucket each process sends one request in this time. Six such windows together stay below the API's three per second.
const ALONE_PACE: Duration = Duration::from_secs(2);

/// How long a call waits for its tenant's bucket. Longer waits are told to the model, which may have better things to do: a minute's
/// worth of requests in one go is a loop, not a question.
const TENANT_PATIENCE: Duration = Duration::from_secs(2);

/// Below this many remaining tokens the shared bucket is told. Above it a burst of all our requests in flight still fits, and the
/// state write is saved.
const TELL_BELOW: u32 = 10;

/// The gate to all stores.
pub(super) struct Gate {
    quota: Quota,
    tenant_limits: Option<Limits>,
    clock: Arc<dyn Clock>,
    seats: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
    alone: Mutex<HashMap<Arc<str>, Instant>>,
}

/// The right to have one request in flight; dropping it gives the seat back.
pub(super) struct Pass {
    _seat: OwnedSemaphorePermit,
}

/// Who asks, and for how many requests: those that read and those that change something. They get their places together, so that nothing
/// waits between the first and the last of them.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) tenant: &'a Arc<str>,
    pub(super) store_key: &'a Arc<str>,
    pub(super) reads: u32,
    pub(super) writes: u32,
}

impl Asking<'_> {
    /// The tenant's buckets that are drawn from, and how much from each.
    fn of_tenant(&self) -> Vec<(Way, u32)> {
        let both = [(Way::Reads, self.reads), (Way::Writes, self.writes)];
        both.into_iter().filter(|(_, tokens)| *tokens > 0).collect()
    }
}

/// The place of the store's bucket in the list of those that a request needs; the tenant's come after it.
const STORE: usize = 0;

/// What the shared buckets said.
enum Place {
    Granted(Granted),
    StoreBusy(Duration),
    TenantBusy(Duration, Way),
    NoBucket(String),
}

impl Gate {
    pub(super) fn new(quota: Quota, tenant_limits: Option<Limits>, clock: Arc<dyn Clock>) -> Gate {
        Gate {
            quota,
            tenant_limits,
            clock,
            seats: Mutex::default(),
            alone: Mutex::default(),
        }
    }

    /// Waits for a seat and a place in both buckets, for at most `patience`.
    pub(super) async fn enter(
        &self,
        asking: Asking<'_>,
        patience: Duration,
    ) -> Result<Pass, DeskError> {
        let begun = tokio::time::Instant::now();
        let busy = DeskError::TooBusy { wait: ALONE_PACE };
        let seat = tokio::time::timeout(patience, self.seats_of(asking.store_key).acquire_owned())
            .await
            .map_err(|_elapsed| busy)?;
        let seat = seat.expect("the semaphore is never closed");
        let left = patience.saturating_sub(begun.elapsed());
        let (wait, limit) = match self.place(&asking, left).await {
            Place::Granted(Granted { wait, want: STORE }) => (wait, "store_quota"),
            Place::Granted(Granted { wait, want }) => {
                (wait, tenant_limit(asking.of_tenant()[want - 1].0))
            }
            // What changes a shop needs its record in the same file, which cannot be written either.
            Place::NoBucket(why) if asking.writes > 0 => return Err(DeskError::NoRecord { why }),
            Place::NoBucket(_) => (self.pace_alone(asking.store_key, left)?, "store_quota"),
            Place::StoreBusy(wait) => {
                meter::limited(asking.tenant, "store_quota");
                return Err(DeskError::TooBusy { wait });
            }
            Place::TenantBusy(retry_after, way) => {
                meter::limited(asking.tenant, tenant_limit(way));
                return Err(DeskError::RateLimited {
                    by: Limiter::Tenant,
                    retry_after,
                });
            }
        };
        if !wait.is_zero() {
            meter::limited(asking.tenant, limit);
            tokio::time::sleep(wait).await;
        }
        Ok(Pass { _seat: seat })
    }

    /// Order Desk said how many tokens are left; others may have taken some.
    pub(super) async fn remaining(&self, asking: Asking<'_>, remaining: u32) {
        meter::tokens_left(asking.tenant, remaining);
        if remaining < TELL_BELOW {
            self.tell(asking.store_key, move |quota, store_key| {
                quota.reconcile(store_key, remaining)
            })
            .await;
        }
    }

    /// Order Desk refused for `retry_after`: nobody on this machine sends before that.
    pub(super) async fn exhausted(&self, asking: Asking<'_>, retry_after: Duration) {
        meter::limited(asking.tenant, "upstream_429");
        self.tell(asking.store_key, move |quota, store_key| {
            quota.exhausted(store_key, retry_after)
        })
        .await;
    }

    /// What is left in each store's bucket.
    pub(super) fn levels(&self) -> Result<Vec<Level>, QuotaError> {
        self.quota.snapshot()
    }

    fn seats_of(&self, store_key: &Arc<str>) -> Arc<Semaphore> {
        let mut seats = self.seats.lock();
        Arc::clone(
            seats
                .entry(Arc::clone(store_key))
                .or_insert_with(|| Arc::new(Semaphore::new(IN_FLIGHT))),
        )
    }

    /// One state write for both buckets: whoever is refused by one takes nothing from the other.
    async fn place(&self, asking: &Asking<'_>, patience: Duration) -> Place {
        let (quota, tenant_limits) = (self.quota.clone(), self.tenant_limits);
        let store_key = Arc::clone(asking.store_key);
        let tokens = asking.reads + asking.writes;
        let ways = asking.of_tenant();
        let tenant_keys: Vec<(String, u32)> = ways
            .iter()
            .map(|(way, tokens)| (quota::tenant_key(asking.tenant, *way), *tokens))
            .collect();
        let reserve = move || {
            let store = Want {
                key: &store_key,
                limits: quota.limits(),
                tokens,
                patience,
            };
            let of_tenant = |limits| {
                tenant_keys.iter().map(move |(key, tokens)| Want {
                    key,
                    limits,
                    tokens: *tokens,
                    patience: patience.min(TENANT_PATIENCE),
                })
            };
            let mut wants = vec![store];
            wants.extend(tenant_limits.into_iter().flat_map(of_tenant));
            quota.reserve_all(&wants)
        };
        match tokio::task::spawn_blocking(reserve).await {
            Ok(Ok(granted)) => Place::Granted(granted),
            Ok(Err(QuotaError::TooBusy { wait, want: STORE })) => Place::StoreBusy(wait),
            Ok(Err(QuotaError::TooBusy { wait, want })) => {
                Place::TenantBusy(wait, ways[want - 1].0)
            }
            Ok(Err(QuotaError::Unavailable(why))) => Place::NoBucket(why.to_string()),
            Err(_) => Place::NoBucket("the process is ending".to_owned()),
        }
    }

    fn pace_alone(&self, store_key: &Arc<str>, patience: Duration) -> Result<Duration, DeskError> {
        let now = self.clock.instant();
        let mut alone = self.alone.lock();
        let next = alone.entry(Arc::clone(store_key)).or_insert(now);
        let wait = next.saturating_duration_since(now);
        if wait > patience {
            return Err(DeskError::TooBusy { wait });
        }
        *next = now + wait + ALONE_PACE;
        Ok(wait)
    }

    async fn tell(
        &self,
        store_key: &Arc<str>,
        what: impl FnOnce(&Quota, &str) -> Result<(), QuotaError> + Send + 'static,
    ) {
        let (quota, store_key) = (self.quota.clone(), Arc::clone(store_key));
        // A bucket that cannot be told is noticed by the next reservation.
        let _told = tokio::task::spawn_blocking(move || what(&quota, &store_key)).await;
    }
}

/// The label of a refusal by the tenant's own bucket.
fn tenant_limit(way: Way) -> &'static str {
    match way {
        Way::Reads => "tenant_reads",
        Way::Writes => "tenant_writes",
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::ManualClock;
    use shared::paths::Home;
    use shared::quota::Limits;
    use shared::state::Slot;

    use super::*;

    /// A gate whose state file nobody opens, and the clock that rules it.
    fn alone() -> (tempfile::TempDir, Arc<ManualClock>, Gate) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let slot = Slot::new(Home::at(folder.path().join("home")));
        let quota = Quota::new(
            slot,
            Limits {
                burst: 19,
                per_second: 2.9,
            },
            clock.clone(),
        );
        let gate = Gate::new(quota, None, clock.clone());
        (folder, clock, gate)
    }

    #[test]
    fn alone_one_request_goes_every_two_seconds_per_store() {
        let (_folder, clock, gate) = alone();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let patience = Duration::from_secs(50);
        assert_eq!(gate.pace_alone(&a, patience), Ok(Duration::ZERO));
        assert_eq!(gate.pace_alone(&a, patience), Ok(ALONE_PACE));
        assert_eq!(gate.pace_alone(&b, patience), Ok(Duration::ZERO));
        clock.advance(Duration::from_secs(60));
        assert_eq!(
            gate.pace_alone(&a, patience),
            Ok(Duration::ZERO),
            "unused time is not saved up"
        );
        assert_eq!(gate.pace_alone(&a, patience), Ok(ALONE_PACE));
    }

    #[test]
    fn who_would_have_to_wait_too_long_alone_is_told_and_takes_no_place() {
        let (_folder, _clock, gate) = alone();
        let a: Arc<str> = "a".into();
        assert_eq!(gate.pace_alone(&a, Duration::ZERO), Ok(Duration::ZERO));
        for _ in 0..3 {
            assert_eq!(
                gate.pace_alone(&a, Duration::from_secs(1)),
                Err(DeskError::TooBusy { wait: ALONE_PACE })
            );
        }
    }

    #[tokio::test]
    async fn the_fourth_request_of_a_store_waits_for_a_seat_and_other_stores_do_not() {
        let (_folder, _clock, gate) = alone();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let seats = gate.seats_of(&a);
        let _taken = seats.clone().try_acquire_many_owned(3).unwrap();
        let tenant: Arc<str> = "env".into();
        let asking = |store_key| Asking {
            tenant: &tenant,
            store_key,
            reads: 1,
            writes: 0,
        };
        let refused = gate.enter(asking(&a), Duration::from_millis(10)).await;
        assert_eq!(refused.err().map(|error| error.code()), Some("too_busy"));
        assert!(
            gate.enter(asking(&b), Duration::from_secs(10))
                .await
                .is_ok()
        );
    }
}
