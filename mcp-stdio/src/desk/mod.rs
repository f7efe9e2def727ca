//! What Order Desk means: reading and changing a shop, without knowing that MCP exists.
//!
//! A read walks one way: [`Shop`] builds a `request`, looks into the `cache`, joins an equal read that is already under way (`flight`), and else
//! `fetch`es: through the `gate` (three at a time, one quota for all processes), over the `client`, past `classify`, again if `retry` says
//! so. What comes back is decoded by `model`, which also removes the store's secrets.
//!
//! A write walks another way, which `write` describes: nothing of it is cached, shared or repeated like a read, and what is sent was
//! written down in the `journal` before.
//!
//! | file | hides |
//! |---|---|
//! | `shop` `parts` | which endpoint answers which question |
//! | `probe` | asking once how things are |
//! | `walk` | reading many pages within bounds, although rows move between them |
//! | `report` | totals, groups, what waits, what is needed: folds over orders |
//! | `search` | how one text becomes an order: number, id, e-mail, name, phone or tracking number |
//! | `request` | paths, percent-encoding, cache keys |
//! | `cache` `flight` | what may be served again, and equal reads that become one |
//! | `fetch` `retry` `gate` | attempts, waiting, deadlines, the shared quota and what replaces it without a state file |
//! | `client` `classify` | HTTP, and what each answer is |
//! | `merge` | what is sent so that only the named changes happen |
//! | `model` | orders, stores, stock, ids, filters |
//! | `write` `merge` | the way of a write; what is sent is all that is there with the named changes |
//! | `journal` | what is written down about a write, whoever keeps it |
//! | `error` `quote` `meter` | what can go wrong; a stranger's words within an error; what is counted |
//!
//! No file here prints a key, a URL or a customer's words.

mod cache;
mod classify;
mod client;
mod error;
mod fetch;
mod flight;
mod gate;
pub mod journal;
mod meter;
mod parts;
mod probe;
mod quote;
mod request;
mod retry;
mod search;
mod shop;
mod walk;

pub mod merge;
pub mod model;
pub mod report;
pub mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use shared::clock::Clock;
use shared::quota::{Level, Limits, Quota, QuotaError};
use shared::secret::Secret;
use shared::state::Slot;
use url::Url;

pub use cache::CacheStatus;
pub use error::{DeskError, Limiter};
pub use journal::{Intent, Journal};
pub use model::StoreId;
pub use probe::Probe;
pub use search::{Found, Match, MatchedBy, Verdict, Window};
pub use shop::{Fetched, Shop};
pub use walk::{MOST_PAGES, Walked};
pub use write::{Change, Outcome, Preview, RowOutcome, Weight, Writer};

/// How long one read may take with all its waiting and retries. Most MCP clients give up after 60 s: an error that says why must
/// come before that.
pub const TOTAL_DEADLINE: Duration = Duration::from_secs(50);

/// What the desk needs to know; the values come from the settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// For one request, its whole answer included.
    pub http_timeout: Duration,
    /// For one connection.
    pub http_connect_timeout: Duration,
    /// For one read with all its waiting and retries: [`TOTAL_DEADLINE`].
    pub total_deadline: Duration,
    /// How often a read is tried again.
    pub max_retries: u32,
    /// How often a write is sent again, where that is harmless.
    pub mutation_max_retries: u32,
    /// How long an order or a page of orders may be served again; zero switches that off.
    pub ttl_orders: Duration,
    /// The same for inventory items.
    pub ttl_products: Duration,
    /// The same for the store's settings and folders.
    pub ttl_store_settings: Duration,
    /// The most entries the cache holds; zero switches it off.
    pub cache_max_entries: usize,
    /// The most bytes the cache holds (estimated memory, not JSON text).
    pub cache_max_bytes: usize,
    /// This machine's share of each store's quota.
    pub limits: Limits,
    /// How much each tenant may send, reads and writes apart; `None` for as much as the stores allow.
    pub tenant_limits: Option<Limits>,
}

/// One shop's credentials, and where they may be sent.
#[derive(Clone, Debug)]
pub struct Access {
    /// Whose store it is: an opaque id. It has a bucket of its own, and is the label in metrics.
    pub tenant: Arc<str>,
    /// The API for which the key was verified, with or without a slash at the end: `https://app.orderdesk.me/api/v2`.
    pub base_url: Url,
    /// The store.
    pub store_id: StoreId,
    /// Its key.
    pub api_key: Secret,
}

/// The one door to Order Desk in this process. Cloning shares connections, cache and quota.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    config: Config,
    clock: Arc<dyn Clock>,
    slot: Slot,
    client: client::Client,
    gate: gate::Gate,
    cache: cache::Cache,
    flights: flight::Flights,
    keys: request::Keys,
    chance: parking_lot::Mutex<fastrand::Rng>,
    under_way: Arc<write::UnderWay>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk that has not talked to anyone yet: the HTTP client is built on the first request.
    #[must_use]
    pub fn new(config: Config, slot: Slot, clock: Arc<dyn Clock>) -> Desk {
        let quota = Quota::new(slot.clone(), config.limits, Arc::clone(&clock));
        Desk(Arc::new(Inner {
            client: client::Client::new(&config, Arc::clone(&clock)),
            gate: gate::Gate::new(quota, config.tenant_limits, Arc::clone(&clock)),
            cache: cache::Cache::new(config.cache_max_entries, config.cache_max_bytes),
            flights: flight::Flights::default(),
            keys: request::Keys::default(),
            chance: parking_lot::Mutex::new(fastrand::Rng::new()),
            under_way: Arc::default(),
            config,
            clock,
            slot,
        }))
    }

    /// The shop that `access` opens.
    #[must_use]
    pub fn shop(&self, access: impl Into<Arc<Access>>) -> Shop {
        Shop::new(Arc::clone(&self.0), access.into())
    }

    /// May change the shop that `access` opens; what it does is written down in `journal`.
    #[must_use]
    pub fn writer(&self, access: impl Into<Arc<Access>>, journal: Arc<dyn Journal>) -> Writer {
        Writer::new(self.shop(access), journal)
    }

    /// The writes of this process that have begun and not ended.
    #[must_use]
    pub fn writes_under_way(&self) -> &Arc<write::UnderWay> {
        &self.0.under_way
    }

    /// What the cache holds now.
    #[must_use]
    pub fn cache_status(&self) -> CacheStatus {
        self.0.cache.status()
    }

    /// What is left in each store's bucket, by [`Access::store_key`].
    ///
    /// # Errors
    /// [`QuotaError::Unavailable`] when the state file cannot be read.
    pub fn quota_levels(&self) -> Result<Vec<Level>, QuotaError> {
        self.0.gate.levels()
    }
}

impl Access {
    /// See [`store_key`].
    #[must_use]
    pub fn store_key(&self) -> String {
        store_key(&self.base_url, &self.store_id)
    }
}

/// The name of a store in the state file: quota and epoch belong to it, whoever asks.
#[must_use]
pub fn store_key(base_url: &Url, store_id: &StoreId) -> String {
    format!("{}#{store_id}", base_url.as_str().trim_end_matches('/'))
}
