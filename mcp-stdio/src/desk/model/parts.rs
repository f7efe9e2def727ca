//! The parts of an order that have an id of their own: its items and its shipments.
//!
//! Here: both with every field they came with. Not here: the order around them (`order`).

use std::borrow::Cow;

use super::fields::{Fields, Object, mend_maps};

/// One item (line) of an order; every field it came with is kept, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderItem(Object);

/// One shipment (parcel) of an order; every field it came with is kept, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Shipment(Object);

impl OrderItem {
    /// Takes one object over. Empty maps that came as `[]` become `{}`.
    #[must_use]
    pub fn from_object(mut object: Object) -> OrderItem {
        mend_maps(&mut object, &["metadata", "variation_list"]);
        OrderItem(object)
    }

    /// Every field.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// A forgiving view on the fields.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.0)
    }

    /// Order Desk's id of the item.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        self.fields().text("id")
    }
}

impl Shipment {
    /// Takes one object over.
    #[must_use]
    pub fn from_object(object: Object) -> Shipment {
        Shipment(object)
    }

    /// Every field.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// A forgiving view on the fields.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.0)
    }

    /// Order Desk's id of the shipment.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        self.fields().text("id")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_and_shipments_keep_unknown_fields_and_ids_of_either_type() {
        let told = json!({"id": 9_100_001, "metadata": [], "new_field": [1]});
        let item = OrderItem::from_object(told.as_object().unwrap().clone());
        assert_eq!(item.id(), "9100001");
        assert_eq!(
            (&item.object()["metadata"], &item.object()["new_field"]),
            (&json!({}), &json!([1]))
        );
        let told = json!({"id": "3001", "order_items": "", "label_format": null});
        let shipment = Shipment::from_object(told.as_object().unwrap().clone());
        assert_eq!(
            (shipment.id().as_ref(), shipment.object().len()),
            ("3001", 3)
        );
    }
}
