//! `/orders/{id}/shipments`, one of them, and `/batch-shipments`.

use serde_json::{Value, json};

use super::envelope::Envelope;
use super::{Call, Outcome};
use crate::assumptions::{BATCH_ROWS, Refusal};
use crate::shop::items::has_id;
use crate::shop::{Fields, Shop, values};

pub(super) fn list(shop: &Shop, order: u64, call: &Call<'_>) -> Outcome {
    let order = shop.orders.get(&order).ok_or(Refusal::OrderMissing)?;
    let shipments = Value::from(order.shipments());
    let count = order.shipments().len();
    Ok(Envelope::success(call.started)
        .value("total_records", &json!(count))
        .value("shipments", &shipments)
        .finish(200))
}

pub(super) fn show(shop: &Shop, order: u64, shipment: u64, call: &Call<'_>) -> Outcome {
    let order = shop.orders.get(&order).ok_or(Refusal::OrderMissing)?;
    let found = order
        .shipments()
        .iter()
        .find(|entry| has_id(entry, shipment))
        .ok_or(Refusal::ShipmentMissing)?;
    Ok(Envelope::success(call.started)
        .value("shipment", found)
        .finish(200))
}

pub(super) fn add(shop: &mut Shop, order: u64, call: &Call<'_>) -> Outcome {
    shop.add_shipment(order, &call.object()?, call.now)?;
    Ok(Envelope::success(call.started)
        .message("Shipment Added")
        .finish(200))
}

pub(super) fn replace(shop: &mut Shop, order: u64, shipment: u64, call: &Call<'_>) -> Outcome {
    shop.replace_shipment(order, shipment, &call.object()?, call.now)?;
    Ok(Envelope::success(call.started)
        .message("Shipment Updated")
        .finish(200))
}

pub(super) fn delete(shop: &mut Shop, order: u64, shipment: u64, call: &Call<'_>) -> Outcome {
    shop.delete_shipment(order, shipment, call.now)?;
    Ok(Envelope::success(call.started)
        .message(&format!("Shipment {shipment} Deleted"))
        .finish(200))
}

/// `status` stays `success` whatever the rows say, as real clients have seen: only `results` tell.
pub(super) fn add_batch(shop: &mut Shop, call: &Call<'_>) -> Outcome {
    let mut rows = call.rows("shipments")?;
    if call.idle == Some("batch_nothing") {
        rows.clear();
    }
    if rows.len() > BATCH_ROWS {
        shop.events.note(
            call.now,
            "Warning",
            0,
            format!("{} rows in one batch of shipments", rows.len()),
        );
    }
    let mut added = 0;
    let mut results = Vec::with_capacity(rows.len());
    for row in &rows {
        let outcome = add_row(shop, row, call);
        added += u32::from(outcome.is_ok());
        results.push(result(row, outcome));
    }
    let envelope = Envelope::success(call.started).message(&format!("{added} Shipments Added"));
    Ok(envelope
        .value("results", &Value::Array(results))
        .finish(200))
}

fn add_row(shop: &mut Shop, row: &Fields, call: &Call<'_>) -> Result<u64, Refusal> {
    let order = row
        .get("order_id")
        .and_then(values::id)
        .ok_or(Refusal::OrderMissing)?;
    shop.add_shipment(order, row, call.now)
}

fn result(row: &Fields, outcome: Result<u64, Refusal>) -> Value {
    let order = row.get("order_id").cloned().unwrap_or_default();
    match outcome {
        Ok(_) => json!({"status": "success", "order_id": order, "message": "Shipment Added"}),
        Err(refusal) => json!({"status": "error", "order_id": order, "message": refusal.message()}),
    }
}
