//! What may be served again without asking Order Desk.
//!
//! Here: the entries, bounded by number and by bytes, each with an age limit and the store's epoch at the time of its request. An entry is served only
//! while the epoch in the state file is still that one, so a write in any process ends it everywhere. Errors never get here. Not
//! here: reading the epoch, and what a key is (`request`).

use std::any::Any;
use std::mem::size_of;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lru::LruCache;
use parking_lot::Mutex;
use serde_json::Value;

use super::meter;
use super::model::Object;

/// How often entries past their age are looked for and dropped; between that they only wait to be asked for.
const SWEEP_EVERY: Duration = Duration::from_secs(15);

/// Bookkeeping per entry: the list's node, the table's slot, the entry itself.
const ENTRY_BYTES: usize = 256;

/// A decoded answer of any type; the key tells which.
pub(super) type Shared = Arc<dyn Any + Send + Sync>;

/// What the cache holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatus {
    /// Entries.
    pub items: usize,
    /// Estimated memory, in bytes.
    pub bytes: usize,
}

/// One answer and what it needs to be served again.
pub(super) struct Entry {
    pub(super) value: Shared,
    pub(super) fetched_at: Timestamp,
    pub(super) resource: &'static str,
    /// Estimated memory of `value`, in bytes.
    pub(super) weight: usize,
    /// The store's epoch, read before the request was sent.
    pub(super) epoch: u64,
    /// When the request was sent.
    pub(super) asked_at: Instant,
    pub(super) expires_at: Instant,
}

/// A served entry.
pub(super) struct Hit {
    pub(super) value: Shared,
    pub(super) fetched_at: Timestamp,
}

/// The cache of one process, for all its stores.
pub(super) struct Cache {
    max_entries: usize,
    max_bytes: usize,
    held: Mutex<Held>,
}

struct Held {
    entries: LruCache<String, Entry>,
    bytes: usize,
    swept_at: Option<Instant>,
}

impl Cache {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Cache {
        // Unbounded for the library: both bounds are kept here, where evictions are counted and memory is not taken in advance.
        Cache {
            max_entries,
            max_bytes,
            held: Mutex::new(Held {
                entries: LruCache::unbounded(),
                bytes: 0,
                swept_at: None,
            }),
        }
    }

    /// Whether anything is ever kept.
    pub(super) fn is_on(&self) -> bool {
        self.max_entries > 0 && self.max_bytes > 0
    }

    /// The answer under `key`, if it is young enough and the store's epoch is still the one it was asked under.
    pub(super) fn get(
        &self,
        key: &str,
        epoch: u64,
        now: Instant,
        resource: &'static str,
    ) -> Option<Hit> {
        let mut held = self.held.lock();
        let verdict = match held.entries.get(key) {
            None => Err(None),
            Some(entry) if entry.epoch != epoch => Err(Some("invalidate")),
            Some(entry) if entry.expires_at <= now => Err(Some("evict")),
            Some(entry) => Ok(Hit {
                value: Arc::clone(&entry.value),
                fetched_at: entry.fetched_at,
            }),
        };
        match verdict {
            Ok(hit) => {
                meter::cache("hit", resource);
                Some(hit)
            }
            Err(removal) => {
                if let Some(operation) = removal {
                    held.remove(key, operation);
                    meter::cache_holds(held.status());
                }
                meter::cache("miss", resource);
                None
            }
        }
    }

    /// Keeps `entry`, unless it is too large or the cache already holds what was asked for later.
    pub(super) fn put(&self, key: String, entry: Entry, now: Instant) {
        let entry = Entry {
            weight: entry.weight + key.len() + ENTRY_BYTES,
            ..entry
        };
        if !self.is_on() || entry.weight > self.max_bytes {
            return;
        }
        let mut held = self.held.lock();
        if held
            .entries
            .peek(&key)
            .is_some_and(|present| present.asked_at > entry.asked_at)
        {
            return;
        }
        held.sweep(now);
        meter::cache("set", entry.resource);
        held.bytes += entry.weight;
        if let Some((_, replaced)) = held.entries.push(key, entry) {
            held.bytes -= replaced.weight;
        }
        while held.entries.len() > self.max_entries || held.bytes > self.max_bytes {
            held.drop_oldest();
        }
        meter::cache_holds(held.status());
    }

    pub(super) fn status(&self) -> CacheStatus {
        self.held.lock().status()
    }
}

impl Held {
    fn status(&self) -> CacheStatus {
        CacheStatus {
            items: self.entries.len(),
            bytes: self.bytes,
        }
    }

    fn remove(&mut self, key: &str, operation: &'static str) {
        if let Some(entry) = self.entries.pop(key) {
            self.bytes -= entry.weight;
            meter::cache(operation, entry.resource);
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, entry)) = self.entries.pop_lru() {
            self.bytes -= entry.weight;
            meter::cache("evict", entry.resource);
        }
    }

    /// Drops what is past its age, now and then: memory must not only grow.
    fn sweep(&mut self, now: Instant) {
        if self
            .swept_at
            .is_some_and(|last| now.saturating_duration_since(last) < SWEEP_EVERY)
        {
            return;
        }
        self.swept_at = Some(now);
        let expired: Vec<String> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.expires_at <= now)
            .map(|(key, _)| key.clone())
            .collect();
        for key in expired {
            self.remove(&key, "evict");
        }
    }
}

/// Estimated memory of a decoded object, in bytes: several times its JSON text, for every key and value has its own place.
pub(super) fn weigh_object(object: &Object) -> usize {
    // A row of the ordered map: key, value, hash; and its slot in the index.
    let row = size_of::<String>() + size_of::<Value>() + 2 * size_of::<u64>();
    object
        .iter()
        .map(|(key, value)| row + key.len() + weigh_inside(value))
        .sum()
}

fn weigh_inside(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values
            .iter()
            .map(|value| size_of::<Value>() + weigh_inside(value))
            .sum(),
        Value::Object(object) => weigh_object(object),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests;
