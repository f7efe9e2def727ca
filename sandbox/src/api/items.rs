//! `/orders/{id}/order-items` and one of them.

use serde_json::{Value, json};

use super::envelope::Envelope;
use super::{Call, Outcome};
use crate::assumptions::Refusal;
use crate::shop::items::{has_id, item_from};
use crate::shop::{Order, Shop, take};

pub(super) fn list(shop: &Shop, order: u64, call: &Call<'_>) -> Outcome {
    let items = Value::from(find(shop, order)?.items());
    let count = items.as_array().map_or(0, Vec::len);
    Ok(Envelope::success(call.started)
        .value("total_records", &json!(count))
        .value("order_items", &items)
        .finish(200))
}

pub(super) fn show(shop: &Shop, order: u64, item: u64, call: &Call<'_>) -> Outcome {
    let found = find(shop, order)?
        .items()
        .iter()
        .find(|entry| has_id(entry, item))
        .ok_or(Refusal::ItemMissing)?;
    Ok(Envelope::success(call.started)
        .value("order_item", found)
        .finish(200))
}

/// The new id is not in the answer, as the documentation has it: a client must read the list again.
pub(super) fn add(shop: &mut Shop, order: u64, call: &Call<'_>) -> Outcome {
    let input = call.object()?;
    find(shop, order)?;
    let item = item_from(&input, shop.next.item).map_err(Refusal::ItemNotAdded)?;
    take(&mut shop.next.item);
    if let Some(order) = shop.orders.get_mut(&order) {
        order.list_mut("order_items").push(item);
    }
    done(shop, order, "Order Item Added", call)
}

pub(super) fn replace(shop: &mut Shop, order: u64, item: u64, call: &Call<'_>) -> Outcome {
    let input = call.object()?;
    let at = position(shop, order, item)?;
    let new = item_from(&input, item).map_err(Refusal::ItemNotAdded)?;
    if let Some(order) = shop.orders.get_mut(&order) {
        order.list_mut("order_items")[at] = new;
    }
    done(shop, order, "Order Item Updated", call)
}

/// The last item may go, too.
pub(super) fn delete(shop: &mut Shop, order: u64, item: u64, call: &Call<'_>) -> Outcome {
    let at = position(shop, order, item)?;
    if let Some(order) = shop.orders.get_mut(&order) {
        order.list_mut("order_items").remove(at);
    }
    done(shop, order, &format!("Order Item {item} Deleted"), call)
}

fn find(shop: &Shop, order: u64) -> Result<&Order, Refusal> {
    shop.orders.get(&order).ok_or(Refusal::OrderMissing)
}

fn position(shop: &Shop, order: u64, item: u64) -> Result<usize, Refusal> {
    find(shop, order)?
        .items()
        .iter()
        .position(|entry| has_id(entry, item))
        .ok_or(Refusal::ItemMissing)
}

fn done(shop: &mut Shop, order: u64, message: &str, call: &Call<'_>) -> Outcome {
    shop.changed(order, message, call.now);
    Ok(Envelope::success(call.started).message(message).finish(200))
}
