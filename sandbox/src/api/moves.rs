//! `POST /move-orders`.

use serde_json::{Value, json};

use super::envelope::Envelope;
use super::{Call, Outcome};
use crate::assumptions::Refusal;
use crate::shop::{Fields, Shop, values};

/// Moves the orders of `order_id_list`; ids that do not exist are named in `results` and not counted.
pub(super) fn move_orders(shop: &mut Shop, call: &Call<'_>) -> Outcome {
    let body = call.object()?;
    let folder = destination(shop, &body)?;
    let ids = body
        .get("order_id_list")
        .and_then(Value::as_array)
        .ok_or(Refusal::NothingToMove)?;
    let name = shop.folder_name(folder).unwrap_or_default().to_owned();
    let mut moved = 0;
    let mut results = Vec::with_capacity(ids.len());
    for given in ids {
        match values::id(given).and_then(|id| move_one(shop, id, folder, call)) {
            Some((id, from)) => {
                moved += 1;
                results.push(json!({"order_id": id, "message": format!("Order Moved to {name} Folder"), "original_folder_id": from}));
            }
            None => results.push(json!({"order_id": given, "message": "Order Not Found"})),
        }
    }
    let envelope = Envelope::success(call.started).message(&format!("{moved} Orders Moved"));
    Ok(envelope
        .value("results", &Value::Array(results))
        .finish(200))
}

/// The order's id and the folder it was in.
fn move_one(shop: &mut Shop, id: u64, folder: i64, call: &Call<'_>) -> Option<(u64, i64)> {
    let from = if call.idle == Some("move_nothing") {
        shop.orders.get(&id).map(|order| order.folder())
    } else {
        shop.move_order(id, folder, "API", call.now)
    };
    from.map(|from| (id, from))
}

/// Exactly one of the two ways to name the folder.
fn destination(shop: &Shop, body: &Fields) -> Result<i64, Refusal> {
    let by_id = body.get("destination_folder_id").and_then(values::whole);
    let by_name = body.get("destination_folder_name").and_then(Value::as_str);
    let folder = match (by_id, by_name) {
        (Some(id), None) => shop.folder_name(id).map(|_| id),
        (None, Some(name)) => shop.folder_named(name),
        _ => None,
    };
    folder.ok_or(Refusal::FolderMissing)
}
