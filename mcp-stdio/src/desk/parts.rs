//! Reading the parts of an order, and many orders by their ids.
//!
//! Here: items and shipments, and the cheapest way to a list of orders: few are asked for one by one, many are looked for on the newest
//! pages first, for Order Desk cannot be asked for a list of ids. Not here: the way of a read (`shop`), and changing anything (`write`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;

use super::classify;
use super::error::DeskError;
use super::model::{
    MAX_LIMIT, Object, Order, OrderId, OrderItem, OrderItemId, OrdersQuery, Shipment, ShipmentId,
};
use super::request::{Endpoint, Method, Request};
use super::shop::{Fetched, Keep, Shop};

/// Up to so many orders are asked for one by one: a page of five hundred orders is a megabyte or two.
const FEW: usize = 5;

/// Pages that are looked through before the rest is asked for one by one.
const PAGES: u64 = 2;

/// Orders asked for one by one in one call: three go in a second, and a call has less than a minute.
const MOST_SINGLES: usize = 60;

/// Single reads under way at once: as many as one store's seats.
const AT_ONCE: usize = 3;

/// Where a sought order is most probably found on the first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likely {
    /// It was placed lately.
    PlacedLately,
    /// It was changed just now.
    ChangedLately,
}

impl Shop {
    /// The items of an order.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] when this store has no such order.
    pub async fn order_items(
        &self,
        order: &OrderId,
        fresh: bool,
    ) -> Result<Fetched<Vec<OrderItem>>, DeskError> {
        let request = Request::of(Endpoint::OrderItems, order.as_str(), Vec::new());
        let decode = |envelope: Object| {
            let rows = classify::rows(envelope, Endpoint::OrderItems)?;
            Ok(rows.into_iter().map(OrderItem::from_object).collect())
        };
        self.read(request, fresh, Keep::Yes, decode).await
    }

    /// One item of an order.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] when this store has no such order, or the order no such item.
    pub async fn order_item(
        &self,
        order: &OrderId,
        item: &OrderItemId,
        fresh: bool,
    ) -> Result<Fetched<OrderItem>, DeskError> {
        let ids = [order.as_str(), item.as_str()];
        let request = Request::to(Method::Get, Endpoint::OrderItem, &ids, None);
        let item = item.clone();
        let decode = move |envelope: Object| {
            let found = OrderItem::from_object(classify::one(envelope, Endpoint::OrderItem)?);
            classify::same_id(Endpoint::OrderItem, item.as_str(), &found.id())?;
            Ok(found)
        };
        self.read(request, fresh, Keep::Yes, decode).await
    }

    /// The shipments of an order.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] when this store has no such order.
    pub async fn shipments(
        &self,
        order: &OrderId,
        fresh: bool,
    ) -> Result<Fetched<Vec<Shipment>>, DeskError> {
        let request = Request::of(Endpoint::Shipments, order.as_str(), Vec::new());
        let decode = |envelope: Object| {
            let rows = classify::rows(envelope, Endpoint::Shipments)?;
            Ok(rows.into_iter().map(Shipment::from_object).collect())
        };
        self.read(request, fresh, Keep::Yes, decode).await
    }

    /// One shipment of an order.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] when this store has no such order, or the order no such shipment.
    pub async fn shipment(
        &self,
        order: &OrderId,
        shipment: &ShipmentId,
        fresh: bool,
    ) -> Result<Fetched<Shipment>, DeskError> {
        let ids = [order.as_str(), shipment.as_str()];
        let request = Request::to(Method::Get, Endpoint::Shipment, &ids, None);
        let shipment = shipment.clone();
        let decode = move |envelope: Object| {
            let found = Shipment::from_object(classify::one(envelope, Endpoint::Shipment)?);
            classify::same_id(Endpoint::Shipment, shipment.as_str(), &found.id())?;
            Ok(found)
        };
        self.read(request, fresh, Keep::Yes, decode).await
    }

    /// These orders as they are now, in the order of `ids`; `None` for those that this store does not have.
    ///
    /// # Errors
    /// [`DeskError::BadRequest`] when more than sixty of them are not among the newest thousand; else as every read.
    pub async fn orders_by_ids(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>, DeskError> {
        self.orders_likely(ids, Likely::PlacedLately).await
    }

    pub(super) async fn orders_likely(
        &self,
        ids: &[OrderId],
        likely: Likely,
    ) -> Result<Vec<Option<Order>>, DeskError> {
        let mut found: HashMap<u64, Order> = HashMap::new();
        if ids.len() > FEW {
            self.look_through_pages(ids, likely, &mut found).await?;
        }
        let missing: Vec<&OrderId> = ids
            .iter()
            .filter(|id| !found.contains_key(&number(id)))
            .collect();
        if missing.len() > MOST_SINGLES {
            return Err(DeskError::BadRequest {
                what: format!(
                    "{} of these orders are not among the newest thousand, and each must be read by itself",
                    missing.len()
                ),
                hint: "give at most 60 such orders in one call",
            });
        }
        for few in missing.chunks(AT_ONCE) {
            let answers = join_all(few.iter().map(|id| self.order(id, true))).await;
            for (id, answer) in few.iter().zip(answers) {
                match answer {
                    Ok(order) => drop(found.insert(number(id), Arc::unwrap_or_clone(order.value))),
                    Err(DeskError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(ids
            .iter()
            .map(|id| found.get(&number(id)).cloned())
            .collect())
    }

    async fn look_through_pages(
        &self,
        ids: &[OrderId],
        likely: Likely,
        found: &mut HashMap<u64, Order>,
    ) -> Result<(), DeskError> {
        let ids: HashSet<u64> = ids.iter().map(number).collect();
        for page in 0..PAGES {
            let query = OrdersQuery {
                order_by: Some(likely.order_by().to_owned()),
                order: Some("DESC".to_owned()),
                limit: Some(MAX_LIMIT),
                offset: page * MAX_LIMIT,
                ..OrdersQuery::default()
            };
            let page = self.orders_kept(&query, true, Keep::No).await?.value;
            let wanted = page
                .orders
                .iter()
                .filter(|order| ids.contains(&digits(&order.id())));
            found.extend(wanted.map(|order| (digits(&order.id()), order.clone())));
            if found.len() >= ids.len() || !page.has_more {
                break;
            }
        }
        Ok(())
    }
}

impl Likely {
    fn order_by(self) -> &'static str {
        match self {
            Likely::PlacedLately => "date_added",
            Likely::ChangedLately => "date_updated",
        }
    }
}

fn number(id: &OrderId) -> u64 {
    digits(id.as_str())
}

/// Ids are compared as numbers: `007` and `7` are one order. What is no number that fits is no order's id.
fn digits(id: &str) -> u64 {
    id.parse().unwrap_or_default()
}
