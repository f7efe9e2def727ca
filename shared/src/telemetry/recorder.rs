//! The recorder behind the `metrics` facade: from a key to the cell that counts it.
//!
//! The fast way is one lookup in a sharded map that knows every spelling of a key seen before. The slow way, once per
//! spelling, goes through the [`Book`]. Nothing here is locked while the state file is written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use metrics_util::registry::{Registry, Storage};

use super::bell::Bell;
use super::book::{Book, SERIES_PER_METRIC};

/// Most spellings that the fast map remembers. Beyond it (a call site with unbounded labels) every lookup takes the
/// slow way, and memory stays bounded.
const MOST_SPELLINGS: usize = 16 * SERIES_PER_METRIC;

/// Installs as the process's `metrics` recorder. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Recorder(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    by_spelling: Registry<Key, Arc<Book>>,
    spellings: AtomicUsize,
}

impl Recorder {
    pub(crate) fn new(bell: Arc<Bell>) -> Recorder {
        let by_spelling = Registry::new(Arc::new(Book::new(bell)));
        Recorder(Arc::new(Inner {
            by_spelling,
            spellings: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn book(&self) -> &Book {
        self.0.by_spelling.storage()
    }

    fn has_room(&self) -> bool {
        self.0.spellings.fetch_add(1, Ordering::Relaxed) < MOST_SPELLINGS
    }
}

impl metrics::Recorder for Recorder {
    // Help and unit stand in the catalogue.
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let map = &self.0.by_spelling;
        let known = map.get_counter(key);
        Counter::from_arc(known.unwrap_or_else(|| match self.has_room() {
            true => map.get_or_create_counter(key, Arc::clone),
            false => self.book().counter(key),
        }))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let map = &self.0.by_spelling;
        let known = map.get_gauge(key);
        Gauge::from_arc(known.unwrap_or_else(|| match self.has_room() {
            true => map.get_or_create_gauge(key, Arc::clone),
            false => self.book().gauge(key),
        }))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let map = &self.0.by_spelling;
        let known = map.get_histogram(key);
        Histogram::from_arc(known.unwrap_or_else(|| match self.has_room() {
            true => map.get_or_create_histogram(key, Arc::clone),
            false => self.book().histogram(key),
        }))
    }
}

#[cfg(test)]
mod tests;
