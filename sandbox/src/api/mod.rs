//! The endpoints of API v2: from a path and a method to work on a shop, and back to an envelope. Knows no HTTP library.

mod envelope;
mod inventory;
mod items;
mod moves;
mod orders;
mod shipments;
mod store;

use std::time::Instant;

use jiff::Timestamp;
use serde_json::Value;

use crate::assumptions::{self, Refusal};
use crate::shop::query::Query;
use crate::shop::{Fields, Shop, values};

pub(crate) use envelope::Answer;

/// One request that has passed the door (credentials, token bucket).
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// After `X-HTTP-Method-Override`.
    pub(crate) method: &'a str,
    /// Below the base URL.
    pub(crate) path: &'a str,
    pub(crate) query: &'a Query,
    pub(crate) body: &'a [u8],
    pub(crate) now: Timestamp,
    pub(crate) started: Instant,
    /// The fault in which a move, or a batch, answers success and does nothing, if it struck.
    pub(crate) idle: Option<&'static str>,
}

type Outcome = Result<Answer, Refusal>;

/// Does what `call` asks of `shop`.
pub(crate) fn answer(shop: &mut Shop, call: &Call<'_>) -> Answer {
    shop.settle(call.now);
    route(shop, call).unwrap_or_else(|refusal| Answer::refused(&refusal, call.started))
}

/// The orders that a request names in its path or its body, and the one that its answer shows.
pub(crate) fn orders_of(path: &str, body: &[u8], answer: &Answer) -> Vec<u64> {
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let shown: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let listed = sent["order_id_list"].as_array().into_iter().flatten();
    let rows = sent.as_array().into_iter().flatten();
    let mut named: Vec<u64> = listed.filter_map(values::id).collect();
    named.extend(rows.filter_map(|row| values::id(&row["order_id"])));
    named.extend(path.split('/').nth(2).and_then(|id| id.parse::<u64>().ok()));
    named.extend(values::id(&shown["order"]["id"]));
    named.sort_unstable();
    named.dedup();
    named
}

fn route(shop: &mut Shop, call: &Call<'_>) -> Outcome {
    let segments: Vec<&str> = call
        .path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(assumptions::plural)
        .collect();
    match (segments.as_slice(), call.method) {
        (["test"], "GET") => Ok(store::test(call)),
        (["store"], "GET") => Ok(store::show(shop, call)),

        (["orders"], "GET") => Ok(orders::list(shop, call)),
        (["orders"], "POST") => orders::create(shop, call),
        (["orders", id], "GET") => orders::show(shop, order_id(id)?, call),
        (["orders", id], "PUT") => orders::replace(shop, order_id(id)?, call),
        (["orders", id], "DELETE") => orders::delete(shop, order_id(id)?, call),
        (["orders", id, "order-history"], "POST") => orders::add_history(shop, order_id(id)?, call),

        (["orders", id, "order-items"], "GET") => items::list(shop, order_id(id)?, call),
        (["orders", id, "order-items"], "POST") => items::add(shop, order_id(id)?, call),
        (["orders", id, "order-items", item], "GET") => {
            items::show(shop, order_id(id)?, item_id(item)?, call)
        }
        (["orders", id, "order-items", item], "PUT") => {
            items::replace(shop, order_id(id)?, item_id(item)?, call)
        }
        (["orders", id, "order-items", item], "DELETE") => {
            items::delete(shop, order_id(id)?, item_id(item)?, call)
        }

        (["orders", id, "shipments"], "GET") => shipments::list(shop, order_id(id)?, call),
        (["orders", id, "shipments"], "POST") => shipments::add(shop, order_id(id)?, call),
        (["orders", id, "shipments", shipment], "GET") => {
            shipments::show(shop, order_id(id)?, shipment_id(shipment)?, call)
        }
        (["orders", id, "shipments", shipment], "PUT") => {
            shipments::replace(shop, order_id(id)?, shipment_id(shipment)?, call)
        }
        (["orders", id, "shipments", shipment], "DELETE") => {
            shipments::delete(shop, order_id(id)?, shipment_id(shipment)?, call)
        }
        (["batch-shipments"], "POST") => shipments::add_batch(shop, call),

        (["inventory-items"], "GET") => Ok(inventory::list(shop, call)),
        (["inventory-items"], "POST") => inventory::create(shop, call),
        (["inventory-items", id], "GET") => inventory::show(shop, stock_id(id)?, call),
        (["inventory-items", id], "PUT") => inventory::replace(shop, stock_id(id)?, call),
        (["inventory-items", id], "DELETE") => inventory::delete(shop, stock_id(id)?, call),
        (["batch-inventory-items"], "PUT") => inventory::replace_batch(shop, call),

        (["move-orders"], "POST") => moves::move_orders(shop, call),

        (known, _) if is_known(known) => Err(Refusal::MethodNotAllowed),
        _ => Err(Refusal::UnknownPath),
    }
}

/// Whether the path exists, with whatever method.
fn is_known(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["test"
            | "store"
            | "orders"
            | "batch-shipments"
            | "inventory-items"
            | "batch-inventory-items"
            | "move-orders"]
            | ["orders" | "inventory-items", _]
            | ["orders", _, "order-history" | "order-items" | "shipments"]
            | ["orders", _, "order-items" | "shipments", _]
    )
}

fn order_id(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::OrderMissing)
}

fn item_id(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::ItemMissing)
}

fn shipment_id(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::ShipmentMissing)
}

fn stock_id(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::InventoryMissing)
}

impl Call<'_> {
    /// The body as one JSON object.
    fn object(&self) -> Result<Fields, Refusal> {
        match self.json()? {
            Value::Object(fields) => Ok(fields),
            // What PHP makes of an empty map.
            Value::Array(list) if list.is_empty() => Ok(Fields::new()),
            _ => Err(Refusal::InvalidJson),
        }
    }

    /// The body as a bare list of objects, or as the object that one third party wraps around it under `wrapper`.
    fn rows(&self, wrapper: &str) -> Result<Vec<Fields>, Refusal> {
        let rows = match self.json()? {
            Value::Object(mut outer) => outer.shift_remove(wrapper),
            bare => Some(bare),
        };
        let Some(Value::Array(rows)) = rows else {
            return Err(Refusal::InvalidJson);
        };
        rows.into_iter()
            .map(|row| {
                if let Value::Object(fields) = row {
                    Ok(fields)
                } else {
                    Err(Refusal::InvalidJson)
                }
            })
            .collect()
    }

    fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| Refusal::InvalidJson)
    }
}
