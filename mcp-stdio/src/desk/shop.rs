//! One shop, and what can be read from it.
//!
//! Here: which endpoint answers which question, and the way of every read: checked, served from the cache when that is
//! allowed, joined with an equal read, fetched. Not here: how an order is found by a text (`search`), and any writing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use shared::state::tables::epochs;
use shared::state::{Slot, StateError};

use super::cache::Entry;
use super::classify;
use super::error::DeskError;
use super::flight::Landed;
use super::model::{
    InventoryItem, InventoryItemId, InventoryPage, InventoryQuery, Object, Order, OrderId,
    OrdersPage, OrdersQuery, StoreSettings,
};
use super::request::{Endpoint, Request};
use super::{Access, Inner, cache};

/// The label of an epoch read in `db_query_duration_seconds`.
const EPOCH_READ: &str = "epoch_read";

/// How long the first reads wait for the state file to be opened, which happens beside them at start.
const OPENING_PATIENCE: Duration = Duration::from_millis(500);

/// One shop. Cloning is cheap.
#[derive(Clone)]
pub struct Shop {
    desk: Arc<Inner>,
    pub(super) access: Arc<Access>,
    pub(super) store_key: Arc<str>,
    shop_key: Arc<str>,
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shop")
            .field("store", &self.store_key)
            .finish_non_exhaustive()
    }
}

/// Something read, and how fresh it is.
#[derive(Clone, Debug)]
pub struct Fetched<T> {
    /// What was read.
    pub value: Arc<T>,
    /// When Order Desk answered.
    pub fetched_at: Timestamp,
    /// Whether it was served without asking Order Desk.
    pub cached: bool,
}

/// Whether an answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Yes,
    /// Read once and not again soon; would only push useful entries out.
    No,
}

impl Shop {
    pub(super) fn new(desk: Arc<Inner>, access: Arc<Access>) -> Shop {
        let store_key = access.store_key().into();
        let shop_key = desk.keys.shop_key(&access).into();
        Shop {
            desk,
            access,
            store_key,
            shop_key,
        }
    }

    /// Whose store it is.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.access.tenant
    }

    /// Which store it is: its address and its id.
    #[must_use]
    pub fn store_key(&self) -> &str {
        &self.store_key
    }

    /// Order Desk's id of it.
    #[must_use]
    pub fn store_id(&self) -> &super::StoreId {
        &self.access.store_id
    }

    /// The store's name, settings and folders, without its secrets.
    ///
    /// # Errors
    /// See [`DeskError`]; the same holds for every read.
    pub async fn settings(&self, fresh: bool) -> Result<Fetched<StoreSettings>, DeskError> {
        let request = Request::new(Endpoint::Store, Vec::new());
        self.read(request, fresh, Keep::Yes, |envelope| {
            Ok(StoreSettings::from_object(classify::one(
                envelope,
                Endpoint::Store,
            )?))
        })
        .await
    }

    /// One order by Order Desk's own id.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] when this store has no such order.
    pub async fn order(&self, id: &OrderId, fresh: bool) -> Result<Fetched<Order>, DeskError> {
        self.one_order(Request::of(Endpoint::Order, id.as_str(), Vec::new()), fresh)
            .await
    }

    /// One order with the log of what happened to it. Order Desk may leave the log out: [`Order::history`] is `None` then.
    ///
    /// # Errors
    /// As [`Shop::order`].
    pub async fn order_history(
        &self,
        id: &OrderId,
        fresh: bool,
    ) -> Result<Fetched<Order>, DeskError> {
        self.one_order(
            Request::of(
                Endpoint::Order,
                id.as_str(),
                vec![("get_order_history", "1".to_owned())],
            ),
            fresh,
        )
        .await
    }

    async fn one_order(&self, request: Request, fresh: bool) -> Result<Fetched<Order>, DeskError> {
        let id = request.id().to_owned();
        let decode = move |envelope| {
            let order = Order::from_object(classify::one(envelope, Endpoint::Order)?);
            classify::same_id(Endpoint::Order, &id, &order.id())?;
            Ok(order)
        };
        self.read(request, fresh, Keep::Yes, decode).await
    }

    /// One page of orders.
    ///
    /// # Errors
    /// [`DeskError::BadRequest`] for a filter that makes no sense; nothing was sent then.
    pub async fn orders(
        &self,
        query: &OrdersQuery,
        fresh: bool,
    ) -> Result<Fetched<OrdersPage>, DeskError> {
        self.orders_kept(query, fresh, Keep::Yes).await
    }

    pub(super) async fn orders_kept(
        &self,
        query: &OrdersQuery,
        fresh: bool,
        keep: Keep,
    ) -> Result<Fetched<OrdersPage>, DeskError> {
        let request = Request::new(Endpoint::Orders, query.pairs()?);
        let (offset, limit) = (query.offset, query.limit());
        let decode = move |envelope: Object| {
            let page = classify::page(&envelope, limit);
            let rows = classify::rows(envelope, Endpoint::Orders)?;
            let has_more = page.is_full(rows.len());
            let orders = rows.into_iter().map(Order::from_object).collect();
            Ok(OrdersPage {
                orders,
                offset,
                limit: page.limit,
                total_records: page.total_records,
                has_more,
            })
        };
        self.read(request, fresh, keep, decode).await
    }

    /// One page of inventory items.
    ///
    /// # Errors
    /// [`DeskError::BadRequest`] for a filter that makes no sense; nothing was sent then.
    pub async fn inventory(
        &self,
        query: &InventoryQuery,
        fresh: bool,
    ) -> Result<Fetched<InventoryPage>, DeskError> {
        self.inventory_kept(query, fresh, Keep::Yes).await
    }

    pub(super) async fn inventory_kept(
        &self,
        query: &InventoryQuery,
        fresh: bool,
        keep: Keep,
    ) -> Result<Fetched<InventoryPage>, DeskError> {
        let request = Request::new(Endpoint::InventoryItems, query.pairs()?);
        let (offset, limit) = (query.offset, query.limit());
        let decode = move |envelope: Object| {
            let page = classify::page(&envelope, limit);
            let rows = classify::rows(envelope, Endpoint::InventoryItems)?;
            let has_more = page.is_full(rows.len());
            let items = rows.into_iter().map(InventoryItem::from_object).collect();
            Ok(InventoryPage {
                items,
                offset,
                limit: page.limit,
                total_records: page.total_records,
                has_more,
            })
        };
        self.read(request, fresh, keep, decode).await
    }

    /// One inventory item.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] when this store has no such item.
    pub async fn inventory_item(
        &self,
        id: &InventoryItemId,
        fresh: bool,
    ) -> Result<Fetched<InventoryItem>, DeskError> {
        let request = Request::of(Endpoint::InventoryItem, id.as_str(), Vec::new());
        let id = id.clone();
        let decode = move |envelope| {
            let item =
                InventoryItem::from_object(classify::one(envelope, Endpoint::InventoryItem)?);
            classify::same_id(Endpoint::InventoryItem, id.as_str(), &item.id())?;
            Ok(item)
        };
        self.read(request, fresh, Keep::Yes, decode).await
    }

    /// The envelope of a good answer, past every cache and shared with nobody.
    pub(super) async fn envelope(&self, request: &Request) -> Result<Object, DeskError> {
        self.desk.fetch(self, request).await
    }

    pub(super) fn desk(&self) -> &Inner {
        &self.desk
    }

    pub(super) fn slot(&self) -> &Slot {
        &self.desk.slot
    }

    /// A random number from 0 to below 1.
    pub(super) fn chance(&self) -> f64 {
        self.desk.chance.lock().f64()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.desk.clock.now()
    }

    pub(super) fn total_deadline(&self) -> Duration {
        self.desk.config.total_deadline
    }

    /// The way of every read. The epoch is read before the request: whatever a writer changes after that moment moves the epoch on, and
    /// the entry made here is never served again.
    pub(super) async fn read<T, D>(
        &self,
        request: Request,
        fresh: bool,
        keep: Keep,
        decode: D,
    ) -> Result<Fetched<T>, DeskError>
    where
        T: Send + Sync + 'static,
        D: FnOnce(Object) -> Result<T, DeskError> + Send + 'static,
    {
        let ttl = request.endpoint.ttl(&self.desk.config);
        let may_keep = keep == Keep::Yes && !ttl.is_zero() && self.desk.cache.is_on();
        self.wait_for_opening().await;
        let epoch = self.epoch();
        let key = format!("{}|{}", self.shop_key, request.target());
        if let (Some(epoch), true, false) = (epoch, may_keep, fresh)
            && let Some(hit) = self.desk.cache.get(
                &key,
                epoch,
                self.desk.clock.instant(),
                request.endpoint.resource(),
            )
        {
            return Ok(Fetched {
                value: typed(hit.value),
                fetched_at: hit.fetched_at,
                cached: true,
            });
        }
        let stored_under = epoch.filter(|_| may_keep).map(|epoch| (key.clone(), epoch));
        let flight = Box::pin(Self::land(self.clone(), request, stored_under, decode));
        // A fresh read must begin now: it joins nobody. Without an epoch nobody can tell whether a write came in between.
        let landed = match epoch {
            Some(epoch) if !fresh => {
                self.desk
                    .flights
                    .share(format!("{epoch}|{key}"), flight)
                    .await?
            }
            _ => flight.await?,
        };
        Ok(Fetched {
            value: typed(landed.value),
            fetched_at: landed.fetched_at,
            cached: false,
        })
    }

    async fn land<T, D>(
        shop: Shop,
        request: Request,
        stored_under: Option<(String, u64)>,
        decode: D,
    ) -> Result<Landed, DeskError>
    where
        T: Send + Sync + 'static,
        D: FnOnce(Object) -> Result<T, DeskError> + Send + 'static,
    {
        let asked_at = shop.desk.clock.instant();
        let envelope = shop.desk.fetch(&shop, &request).await?;
        let weight = cache::weigh_object(&envelope);
        let landed = Landed {
            value: Arc::new(decode(envelope)?),
            fetched_at: shop.desk.clock.now(),
        };
        if let Some((key, epoch)) = stored_under {
            let now = shop.desk.clock.instant();
            let expires_at = now + request.endpoint.ttl(&shop.desk.config);
            let entry = Entry {
                value: Arc::clone(&landed.value),
                fetched_at: landed.fetched_at,
                resource: request.endpoint.resource(),
                weight,
                epoch,
                asked_at,
                expires_at,
            };
            shop.desk.cache.put(key, entry, now);
        }
        Ok(landed)
    }

    /// A read right after the start would else be slow and uncached only because the state file is not open yet.
    async fn wait_for_opening(&self) {
        let opening = matches!(self.desk.slot.get(), Err(error) if matches!(*error, StateError::NotYetOpened));
        if opening {
            let slot = self.desk.slot.clone();
            let _opened_or_not =
                tokio::task::spawn_blocking(move || slot.wait(OPENING_PATIENCE)).await;
        }
    }

    /// The store's epoch, or `None` when the state file cannot say, or while a write to the store is open in any process: then nothing is
    /// cached and nothing is shared. Read on the caller's thread: a snapshot of one row costs less than handing it to another thread.
    fn epoch(&self) -> Option<u64> {
        let state = self.desk.slot.get().ok()?;
        let now_ms = self.now().as_millisecond();
        state
            .read(EPOCH_READ, |reading| {
                epochs::settled(reading, &self.store_key, now_ms)
            })
            .ok()
            .flatten()
    }
}

fn typed<T: Send + Sync + 'static>(value: cache::Shared) -> Arc<T> {
    value
        .downcast::<T>()
        .expect("a key names its endpoint, and an endpoint has one type")
}
