//! How a shipment is shown.

use serde_json::{Map, Value};

use super::rows::{self, View};

/// The fields of a shipment as Order Desk documents them.
pub(super) const FIELDS: [&str; 20] = [
    "id",
    "order_id",
    "store_id",
    "tracking_number",
    "carrier_code",
    "shipment_method",
    "weight",
    "weight_unit",
    "cost",
    "status",
    "tracking_url",
    "label_format",
    "label_image",
    "print_status",
    "order_items",
    "source",
    "cart_shipment_id",
    "label_shipment_id",
    "date_shipped",
    "date_added",
];

/// What only label printers need; an image alone may be larger than an answer.
const OF_THE_LABEL: [&str; 6] = [
    "store_id",
    "label_format",
    "label_image",
    "print_status",
    "cart_shipment_id",
    "label_shipment_id",
];

/// A shipment as `view` wants it. The summary is what a customer can be told, and what it cost.
pub(super) fn show(shipment: &Map<String, Value>, view: &View) -> Value {
    rows::show(shipment, view, || {
        shipment
            .iter()
            .filter(|(field, _)| !OF_THE_LABEL.contains(&field.as_str()))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect()
    })
}
