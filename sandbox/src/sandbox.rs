//! Start, stop, and look inside: what a test or the command line holds in its hand.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::bucket::Bucket;
use crate::clock::Clock;
use crate::edge::{self, BASE_PATH, Site};
use crate::events::Event;
use crate::faults::{FaultFileError, Faults};
use crate::requests::Request;
use crate::seed::Recipe;
use crate::shop::{MoveRule, Shop};

/// How a sandbox is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Default: loopback, any port.
    pub address: SocketAddr,
    /// Orders in each store. Default: 60.
    pub orders: usize,
    /// Stores. Default: 1.
    pub stores: usize,
    /// Added to every answer. Default: none.
    pub latency: Duration,
    /// Whether a `PUT` without `order_items`, `folder_id` or `cc_number` blanks them, too. Default: no.
    pub strict: bool,
    /// A file of fault rules, read again whenever it changes. Default: none.
    pub faults: Option<PathBuf>,
    /// The token bucket of each store. Default: Order Desk's own; see [`Bucket::wide_open`] for benchmarks.
    pub bucket: Bucket,
    /// Rules that move orders on. Default: none.
    pub rules: Vec<MoveRule>,
    /// What the data is made from. Default: 1.
    pub seed: u64,
    /// Time. Default: the system's.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            orders: 60,
            stores: 1,
            latency: Duration::ZERO,
            strict: false,
            faults: None,
            bucket: Bucket::default(),
            rules: Vec::new(),
            seed: 1,
            clock: Clock::system(),
        }
    }
}

impl Options {
    pub(crate) fn recipe(&self) -> Recipe {
        Recipe {
            orders: self.orders,
            seed: self.seed,
            bucket: self.bucket,
            strict: self.strict,
            rules: self.rules.clone(),
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be had.
    #[error(
        "cannot listen on `{address}`; hint: another program may use the port; --port 0 takes a free one"
    )]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The fault file is of no use.
    #[error(transparent)]
    Faults(#[from] FaultFileError),
    /// No thread could be started.
    #[error(
        "cannot start a thread for the sandbox; hint: the machine may be out of threads or memory"
    )]
    Thread(#[source] io::Error),
}

/// What a client needs to talk to one store.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct StoreAccess {
    /// For `ORDERDESK-STORE-ID`.
    pub store_id: String,
    /// For `ORDERDESK-API-KEY`. A demo key that opens nothing else.
    pub api_key: String,
    /// The store's name.
    pub name: String,
}

/// A running Order Desk. It stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    site: Arc<Site>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Sandbox {
    /// Starts on the current tokio runtime.
    ///
    /// # Errors
    /// If the address is taken or the fault file is of no use.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let address = options.address;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Bind { address, source })?;
        let (mut sandbox, stopped) = Self::prepare(options, &listener)?;
        let serve = edge::serve(listener, Arc::clone(&sandbox.site), stopped);
        sandbox.task = Some(tokio::spawn(serve));
        Ok(sandbox)
    }

    /// Starts on a thread of its own, for callers without a runtime.
    ///
    /// # Errors
    /// As [`Sandbox::start`], or if no thread can be had.
    pub fn start_blocking(options: Options) -> Result<Self, StartError> {
        let address = options.address;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(|source| StartError::Bind { address, source })?;
        let (mut sandbox, stopped) = Self::prepare(options, &listener)?;
        let site = Arc::clone(&sandbox.site);
        let serve = move || runtime.block_on(edge::serve(listener, site, stopped));
        sandbox.thread = Some(
            std::thread::Builder::new()
                .name("sandbox".to_owned())
                .spawn(serve)
                .map_err(StartError::Thread)?,
        );
        Ok(sandbox)
    }

    fn prepare(
        options: Options,
        listener: &TcpListener,
    ) -> Result<(Self, watch::Receiver<bool>), StartError> {
        let address = listener.local_addr().map_err(|source| StartError::Bind {
            address: options.address,
            source,
        })?;
        let faults = match &options.faults {
            Some(path) => Faults::from_file(path.clone())?,
            None => Faults::default(),
        };
        let (stop, stopped) = watch::channel(false);
        Ok((
            Self {
                address,
                site: Arc::new(Site::new(options, faults)),
                stop,
                thread: None,
                task: None,
            },
            stopped,
        ))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client takes as the API's base URL: `http://127.0.0.1:PORT/api/v2`.
    pub fn base_url(&self) -> String {
        format!("http://{}{BASE_PATH}", self.address)
    }

    /// How to get into store `number` (from 0).
    ///
    /// # Panics
    /// If there are not that many stores: a mistake in the test.
    pub fn store(&self, number: usize) -> StoreAccess {
        self.stores().swap_remove(number)
    }

    /// How to get into each store.
    pub fn stores(&self) -> Vec<StoreAccess> {
        let access = |shop: &Shop| StoreAccess {
            store_id: shop.id.to_string(),
            api_key: shop.api_key.clone(),
            name: shop.name.clone(),
        };
        self.site
            .shops()
            .iter()
            .map(|shop| access(&shop.lock()))
            .collect()
    }

    /// The faults in force.
    pub fn faults(&self) -> &Faults {
        &self.site.faults
    }

    /// The newest requests, oldest first; those to the control endpoint are not among them.
    pub fn requests(&self) -> Vec<Request> {
        self.site.log.all()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.site.log.clear();
    }

    /// The newest events of a store (empty for an unknown one).
    pub fn events(&self, store_id: &str) -> Vec<Event> {
        self.site
            .shop(store_id)
            .map(|shop| shop.lock().events.all())
            .unwrap_or_default()
    }

    /// Order `id` as it is stored, with `order_history`, without a request and without a token.
    pub fn order(&self, store_id: &str, id: u64) -> Option<Value> {
        self.site.shop(store_id)?.lock().order(id)
    }

    /// Inventory item `id` as it is stored, likewise.
    pub fn inventory_item(&self, store_id: &str, id: u64) -> Option<Value> {
        let shop = self.site.shop(store_id)?.lock();
        shop.inventory.get(&id).cloned().map(Value::Object)
    }

    /// All that a store holds, likewise: `orders` (each with its items, shipments, notes and history), `inventory_items`
    /// and `folders`. Planned moves of rules whose time has come are carried out first.
    pub fn state(&self, store_id: &str) -> Option<Value> {
        let mut shop = self.site.shop(store_id)?.lock();
        shop.settle(self.site.options.clock.now());
        Some(shop.state())
    }

    /// Somebody edits order `id` in Order Desk's own app, behind every client's back: totals and `date_updated` follow.
    /// Returns whether there is such an order.
    pub fn edit_order(
        &self,
        store_id: &str,
        id: u64,
        edit: impl FnOnce(&mut Map<String, Value>),
    ) -> bool {
        let Some(shop) = self.site.shop(store_id) else {
            return false;
        };
        let (mut shop, now) = (shop.lock(), self.site.options.clock.now());
        let Some(order) = shop.orders.get_mut(&id) else {
            return false;
        };
        let email = order.email_key();
        edit(&mut order.fields);
        order.log("Order Desk", "Order Edited", now);
        order.touch(now);
        shop.move_email(id, &email);
        true
    }

    /// Somebody edits inventory item `id` in Order Desk's own app, behind every client's back. Returns whether there is such an item.
    pub fn edit_inventory_item(
        &self,
        store_id: &str,
        id: u64,
        edit: impl FnOnce(&mut Map<String, Value>),
    ) -> bool {
        let Some(shop) = self.site.shop(store_id) else {
            return false;
        };
        let mut shop = shop.lock();
        let Some(item) = shop.inventory.get_mut(&id) else {
            return false;
        };
        edit(item);
        true
    }

    /// How many orders a store has.
    pub fn count_orders(&self, store_id: &str) -> usize {
        self.site
            .shop(store_id)
            .map_or(0, |shop| shop.lock().orders.len())
    }

    /// Somebody else uses the same key: `tokens` leave the store's bucket.
    pub fn drain_tokens(&self, store_id: &str, tokens: u32) {
        if let Some(shop) = self.site.shop(store_id) {
            shop.lock()
                .tokens
                .drain(tokens, self.site.options.clock.now());
        }
    }

    /// Stops listening and closes every connection. Waits for it if the sandbox has its own thread.
    pub fn stop(mut self) {
        self.shut_down();
    }

    /// Stops as [`Sandbox::stop`] and waits for it, also on the caller's runtime: connections are refused from here on.
    pub async fn close(mut self) {
        self.shut_down();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }

    fn shut_down(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl std::fmt::Debug for StoreAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreAccess")
            .field("store_id", &self.store_id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
