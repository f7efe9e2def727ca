//! `GET /test` and `GET /store`.

use serde_json::{Map, Value, json};

use super::envelope::Envelope;
use super::{Answer, Call};
use crate::shop::Shop;
use crate::when;

pub(super) fn test(call: &Call<'_>) -> Answer {
    let envelope = Envelope::success(call.started).message("Connection Successful");
    envelope
        .value("current_date_time", &json!(when::stamp(call.now)))
        .finish(200)
}

/// With the key and the mail password in it, as the real one.
pub(super) fn show(shop: &Shop, call: &Call<'_>) -> Answer {
    let mut folders = Map::new();
    for (id, name) in &shop.folders {
        folders.insert(id.to_string(), json!(name));
    }
    let store = json!({
        "id": shop.id.to_string(), "name": shop.name, "settings": Value::Object(shop.settings.clone()), "folders": folders,
    });
    Envelope::success(call.started)
        .value("store", &store)
        .finish(200)
}
