//! The request log: what reached this sandbox, whether a key came with it (never the key), and what was answered.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

/// Requests kept; older ones are forgotten, so that a benchmark does not fill the memory.
const KEPT: usize = 10_000;

/// One request as it arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Counts up from 1 over the sandbox's life.
    pub number: u64,
    /// When it arrived: Unix milliseconds by the sandbox's clock.
    pub at_ms: i64,
    /// The same in microseconds: on loopback a round trip is shorter than a millisecond.
    pub at_us: i64,
    /// When its answer left, in microseconds; none while, or because, there was no answer.
    pub answered_us: Option<i64>,
    /// Requests under way for the same store when it arrived, itself included.
    pub in_flight: u32,
    /// The method on the wire (before `X-HTTP-Method-Override`).
    pub method: String,
    /// The path below the base URL, as sent: `/orders/7001001`. A path outside the API stands whole.
    pub path: String,
    /// The query string as sent, without the `?`; empty if none.
    pub query: String,
    /// `ORDERDESK-STORE-ID`; empty if none was sent.
    pub store_id: String,
    /// Whether a key was sent, right or wrong. The key itself is not kept.
    pub key_sent: bool,
    /// All other headers, names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The body as text; empty if none.
    pub body: String,
    /// The HTTP status answered; 0 while, or because, there was no answer.
    pub status: u16,
    /// The fault that struck, by its name in JSON.
    pub fault: Option<&'static str>,
}

impl Request {
    /// The value of header `name` (lower case), if it came.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The decoded value of query parameter `name`, if it came.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .next()
    }
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    arrived: u64,
    kept: VecDeque<Request>,
    /// Requests under way, by store.
    under_way: HashMap<String, u32>,
}

/// A request under way. Dropping it, answered or not (a client may hang up), ends it.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    log: &'a RequestLog,
    number: u64,
    store_id: String,
}

impl RequestLog {
    /// Notes an arrival before anything is done with it, so that a hung request shows too.
    pub(crate) fn arrived(&self, mut request: Request) -> Visit<'_> {
        let mut inner = self.inner.lock();
        inner.arrived += 1;
        let (number, store_id) = (inner.arrived, request.store_id.clone());
        let under_way = inner.under_way.entry(store_id.clone()).or_default();
        *under_way += 1;
        request.in_flight = *under_way;
        request.number = number;
        if inner.kept.len() == KEPT {
            inner.kept.pop_front();
        }
        inner.kept.push_back(request);
        Visit {
            log: self,
            number,
            store_id,
        }
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.inner.lock().kept.iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.inner.lock().kept.clear();
    }
}

impl Visit<'_> {
    /// Notes the answer.
    pub(crate) fn answered(&self, status: u16, now: Timestamp) {
        let mut inner = self.log.inner.lock();
        // The answer is nearly always to one of the newest, so looking from the back is cheap.
        let mine = inner
            .kept
            .iter_mut()
            .rev()
            .find(|request| request.number == self.number);
        if let Some(request) = mine {
            request.status = status;
            request.answered_us = (status != 0).then(|| now.as_microsecond());
        }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut inner = self.log.inner.lock();
        if let Some(under_way) = inner.under_way.get_mut(&self.store_id) {
            *under_way = under_way.saturating_sub(1);
        }
    }
}
