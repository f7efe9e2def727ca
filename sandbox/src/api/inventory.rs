//! `/inventory-items`, one of them, and `/batch-inventory-items`.

use serde_json::{Value, json};

use super::envelope::Envelope;
use super::{Call, Outcome};
use crate::api::Answer;
use crate::assumptions::{BATCH_ROWS, INVENTORY_CREATED, Refusal};
use crate::shop::{Shop, values};

/// `total_records` is text here and a number for orders, as documented.
pub(super) fn list(shop: &Shop, call: &Call<'_>) -> Answer {
    let found = shop.stock_list(&call.query.list("code"), call.query.get("search"));
    let page = call.query.page();
    let rows: Vec<Value> = found
        .iter()
        .skip(page.offset)
        .take(page.limit)
        .map(|item| Value::Object((*item).clone()))
        .collect();
    Envelope::success(call.started)
        .value("records_returned", &json!(rows.len()))
        .value("total_records", &json!(found.len().to_string()))
        .value("inventory_items", &Value::Array(rows))
        .finish(200)
}

pub(super) fn show(shop: &Shop, id: u64, call: &Call<'_>) -> Outcome {
    let item = item(shop, id)?;
    Ok(Envelope::success(call.started)
        .value("records_returned", &json!(1))
        .value("inventory_item", &item)
        .finish(200))
}

pub(super) fn create(shop: &mut Shop, call: &Call<'_>) -> Outcome {
    let id = shop.add_stock(&call.object()?, call.now)?;
    let envelope = Envelope::success(call.started).message("Inventory Item Added");
    Ok(envelope
        .value("inventory_item", &item(shop, id)?)
        .finish(INVENTORY_CREATED))
}

pub(super) fn replace(shop: &mut Shop, id: u64, call: &Call<'_>) -> Outcome {
    shop.replace_stock(id, &call.object()?, call.now)?;
    Ok(Envelope::success(call.started)
        .message("Inventory Item Updated")
        .finish(200))
}

pub(super) fn delete(shop: &mut Shop, id: u64, call: &Call<'_>) -> Outcome {
    shop.inventory
        .remove(&id)
        .ok_or(Refusal::InventoryMissing)?;
    Ok(Envelope::success(call.started)
        .message(&format!("Inventory Item {id} Deleted"))
        .finish(200))
}

/// Each row replaces one item, by id; rows that fit no item are passed over and only the count tells.
pub(super) fn replace_batch(shop: &mut Shop, call: &Call<'_>) -> Outcome {
    let mut rows = call.rows("inventory_items")?;
    if call.idle == Some("batch_nothing") {
        rows.clear();
    }
    if rows.len() > BATCH_ROWS {
        shop.events.note(
            call.now,
            "Warning",
            0,
            format!("{} rows in one batch of inventory items", rows.len()),
        );
    }
    let mut updated = 0;
    for row in &rows {
        let id = row.get("id").and_then(values::id);
        updated += u32::from(id.is_some_and(|id| shop.replace_stock(id, row, call.now).is_ok()));
    }
    Ok(Envelope::success(call.started)
        .message(&format!("{updated} Inventory Items Updated"))
        .finish(200))
}

fn item(shop: &Shop, id: u64) -> Result<Value, Refusal> {
    shop.inventory
        .get(&id)
        .cloned()
        .map(Value::Object)
        .ok_or(Refusal::InventoryMissing)
}
