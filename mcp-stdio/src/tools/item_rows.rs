//! How an item of an order is shown.

use serde_json::{Map, Value};

use super::rows::{self, View};

/// The fields of an order item as Order Desk documents them.
pub(super) const FIELDS: [&str; 11] = [
    "id",
    "name",
    "code",
    "quantity",
    "price",
    "weight",
    "delivery_type",
    "category_code",
    "fulfillment_method",
    "variation_list",
    "metadata",
];

/// An item as `view` wants it; it has no shorter form.
pub(super) fn show(item: &Map<String, Value>, view: &View) -> Value {
    rows::show(item, view, || item.clone())
}
