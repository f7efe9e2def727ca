//! `/orders`, `/orders/{id}` and `/orders/{id}/order-history`.

use serde_json::{Value, json};

use super::envelope::Envelope;
use super::{Call, Outcome};
use crate::api::Answer;
use crate::assumptions::{HISTORY_NOTE_MAX_CHARS, ORDER_CREATED, Refusal};
use crate::php;
use crate::shop::{Shop, values};

pub(super) fn list(shop: &mut Shop, call: &Call<'_>) -> Answer {
    let ids = shop.matching_orders(call.query);
    let page = call.query.page();
    let rows: Vec<u64> = ids
        .iter()
        .copied()
        .skip(page.offset)
        .take(page.limit)
        .collect();
    let with_history = wants_history(call);
    let mut text = String::from("[");
    for id in &rows {
        if text.len() > 1 {
            text.push(',');
        }
        write_order(shop, *id, with_history, &mut text);
    }
    text.push(']');
    Envelope::success(call.started)
        .value("total_records", &json!(ids.len()))
        .value("records_returned", &json!(rows.len()))
        .value("offset", &json!(page.offset))
        .value("limit", &json!(page.limit))
        .raw("orders", &text)
        .finish(200)
}

pub(super) fn show(shop: &mut Shop, id: u64, call: &Call<'_>) -> Outcome {
    if !wants_history(call) {
        let text = shop.order_text(id).ok_or(Refusal::OrderMissing)?;
        return Ok(Envelope::success(call.started)
            .raw("order", text)
            .finish(200));
    }
    answer_with(shop, id, true, call, 200)
}

pub(super) fn create(shop: &mut Shop, call: &Call<'_>) -> Outcome {
    let id = shop.create_order(&call.object()?, call.now)?;
    answer_with(shop, id, false, call, ORDER_CREATED)
}

pub(super) fn replace(shop: &mut Shop, id: u64, call: &Call<'_>) -> Outcome {
    shop.replace_order(id, &call.object()?, call.now)?;
    answer_with(shop, id, false, call, 200)
}

pub(super) fn delete(shop: &mut Shop, id: u64, call: &Call<'_>) -> Outcome {
    shop.delete_order(id)?;
    Ok(Envelope::success(call.started)
        .message(&format!("Order {id} Deleted"))
        .finish(200))
}

pub(super) fn add_history(shop: &mut Shop, id: u64, call: &Call<'_>) -> Outcome {
    let body = call.object()?;
    let order = shop.orders.get_mut(&id).ok_or(Refusal::OrderMissing)?;
    let note = body.get("note").and_then(values::text).unwrap_or_default();
    if note.is_empty() || note.chars().count() > HISTORY_NOTE_MAX_CHARS {
        return Err(Refusal::NoteNotAdded(vec![format!(
            "note must have 1 to {HISTORY_NOTE_MAX_CHARS} characters"
        )]));
    }
    let source = body
        .get("source_name")
        .and_then(values::text)
        .filter(|name| !name.is_empty());
    order.log(source.as_deref().unwrap_or("API"), note, call.now);
    let entries = order.history.len();
    let mut text = String::new();
    write_order(shop, id, true, &mut text);
    Ok(Envelope::success(call.started)
        .value("total_records", &json!(entries))
        .raw("order", &text)
        .finish(200))
}

fn wants_history(call: &Call<'_>) -> bool {
    call.query.get("get_order_history") == Some("1")
}

fn answer_with(
    shop: &mut Shop,
    id: u64,
    with_history: bool,
    call: &Call<'_>,
    status: u16,
) -> Outcome {
    if !shop.orders.contains_key(&id) {
        return Err(Refusal::OrderMissing);
    }
    let mut text = String::new();
    write_order(shop, id, with_history, &mut text);
    Ok(Envelope::success(call.started)
        .raw("order", &text)
        .finish(status))
}

/// Appends one order's text, its history as the last key when asked for.
fn write_order(shop: &mut Shop, id: u64, with_history: bool, out: &mut String) {
    out.push_str(shop.order_text(id).unwrap_or("{}"));
    if with_history {
        let history = shop
            .orders
            .get(&id)
            .map(|order| Value::Array(order.history.clone()))
            .unwrap_or_default();
        out.pop();
        out.push_str(r#","order_history":"#);
        php::write(&history, out);
        out.push('}');
    }
}
