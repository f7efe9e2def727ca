//! Equal reads that are under way at the same time become one request.
//!
//! Here: the table of reads under way. Nobody owns a flight: whoever waits for it drives it, so a caller that gives up takes
//! nothing from the others, and a flight that everyone has left is not flown on. Not here: what makes two reads equal (the key, which
//! holds the whole request and the epoch).

use std::any::Any;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::{FutureExt, Shared, WeakShared};
use jiff::Timestamp;
use parking_lot::Mutex;

use super::error::DeskError;

/// What a flight brings home.
#[derive(Clone, Debug)]
pub(super) struct Landed {
    pub(super) value: Arc<dyn Any + Send + Sync>,
    pub(super) fetched_at: Timestamp,
}

/// A read that has not begun.
pub(super) type Flight = Pin<Box<dyn Future<Output = Result<Landed, DeskError>> + Send>>;

type Table = Arc<Mutex<HashMap<String, (u64, WeakShared<Flight>)>>>;

/// The reads under way.
#[derive(Default)]
pub(super) struct Flights {
    table: Table,
    next_number: Mutex<u64>,
}

/// Takes a flight off the table when it has landed, or when everyone has left it.
struct OffTheTable {
    table: Table,
    key: String,
    number: u64,
}

impl Drop for OffTheTable {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        if table
            .get(&self.key)
            .is_some_and(|(number, _)| *number == self.number)
        {
            table.remove(&self.key);
        }
    }
}

impl Flights {
    /// Joins the flight under `key`, or starts `flight` under it.
    pub(super) async fn share(&self, key: String, flight: Flight) -> Result<Landed, DeskError> {
        self.join_or_start(key, flight).await
    }

    fn join_or_start(&self, key: String, flight: Flight) -> Shared<Flight> {
        let number = {
            let mut next = self.next_number.lock();
            *next += 1;
            *next
        };
        let mut table = self.table.lock();
        if let Some(running) = table.get(&key).and_then(|(_, weak)| weak.upgrade()) {
            return running;
        }
        let off = OffTheTable {
            table: Arc::clone(&self.table),
            key: key.clone(),
            number,
        };
        let tracked: Flight = Box::pin(async move {
            let landed = flight.await;
            drop(off);
            landed
        });
        let shared = tracked.shared();
        let weak = shared
            .downgrade()
            .expect("a future that was never polled is not finished");
        table.insert(key, (number, weak));
        shared
    }

    #[cfg(test)]
    fn under_way(&self) -> usize {
        self.table.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::oneshot;

    use super::*;

    fn landed(number: u32) -> Landed {
        Landed {
            value: Arc::new(number),
            fetched_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn number(outcome: Result<Landed, DeskError>) -> u32 {
        *outcome.unwrap().value.downcast::<u32>().unwrap()
    }

    /// A flight that counts its start and lands when told.
    fn waiting(starts: &Arc<AtomicUsize>) -> (oneshot::Sender<u32>, Flight) {
        let (land, told) = oneshot::channel();
        let starts = Arc::clone(starts);
        let flight = Box::pin(async move {
            starts.fetch_add(1, Ordering::SeqCst);
            told.await.map(landed).map_err(|_| DeskError::Timeout)
        });
        (land, flight)
    }

    #[tokio::test]
    async fn equal_reads_become_one_and_different_ones_do_not() {
        let (flights, starts) = (Flights::default(), Arc::default());
        let (land, first) = waiting(&starts);
        let (_never, second) = waiting(&starts);
        let (land_other, other) = waiting(&starts);
        let (a, b, c) = (
            flights.join_or_start("a".into(), first),
            flights.join_or_start("a".into(), second),
            flights.join_or_start("b".into(), other),
        );
        land.send(1).unwrap();
        land_other.send(2).unwrap();
        assert_eq!(
            (number(a.await), number(b.await), number(c.await)),
            (1, 1, 2)
        );
        assert_eq!(starts.load(Ordering::SeqCst), 2);
        assert_eq!(flights.under_way(), 0);
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_takes_nothing_from_the_others() {
        let (flights, starts) = (Flights::default(), Arc::default());
        let (land, first) = waiting(&starts);
        let (_never, second) = waiting(&starts);
        let mut leader = Box::pin(flights.join_or_start("a".into(), first));
        let follower = flights.join_or_start("a".into(), second);
        assert!(futures_util::poll!(&mut leader).is_pending());
        drop(leader);
        land.send(7).unwrap();
        assert_eq!(number(follower.await), 7);
        assert_eq!(starts.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_flight_that_everyone_left_is_not_joined_later() {
        let (flights, starts) = (Flights::default(), Arc::default());
        let (_land, first) = waiting(&starts);
        let mut left = Box::pin(flights.join_or_start("a".into(), first));
        assert!(futures_util::poll!(&mut left).is_pending());
        drop(left);
        assert_eq!(flights.under_way(), 0);
        let (land, second) = waiting(&starts);
        land.send(2).unwrap();
        assert_eq!(number(flights.share("a".into(), second).await), 2);
    }

    #[tokio::test]
    async fn a_read_after_landing_is_a_new_one() {
        let (flights, starts) = (Flights::default(), Arc::default());
        for round in 1..=3 {
            let (land, flight) = waiting(&starts);
            land.send(round).unwrap();
            assert_eq!(number(flights.share("a".into(), flight).await), round);
        }
        assert_eq!(starts.load(Ordering::SeqCst), 3);
    }
}
