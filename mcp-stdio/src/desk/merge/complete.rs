//! Whether what was read is all of a thing, so that it may be put back.
//!
//! What is left out of a `PUT` is blanked. An answer that lacks a part of the thing (a server in trouble, a proxy, an API that has
//! changed) would be put back with that part gone. So some fields must be there, of their right form: those that every thing of its kind
//! has, and that hurt most. Fields that an old store may never have had are not asked for. Not here: what is merged into it (`apply`).

use serde_json::Value;

use super::Kind;
use super::value::{as_map, as_rows, id_of};
use crate::desk::model::Object;

/// What every thing of a kind has.
fn essential(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Order => &["email", "shipping", "customer", "order_items"],
        Kind::OrderItem => &["name", "price", "quantity"],
        Kind::Shipment => &["tracking_number"],
        Kind::InventoryItem => &["name", "code", "price", "stock"],
    }
}

/// What keeps `thing` from being put back whole; `None` when nothing does.
#[must_use]
pub fn incomplete(kind: Kind, thing: &Object) -> Option<String> {
    let missing = essential(kind)
        .iter()
        .find(|name| !thing.contains_key(**name));
    if let Some(name) = missing {
        return Some(format!("`{name}` is missing"));
    }
    match kind {
        Kind::Order => damaged_order(thing),
        Kind::OrderItem | Kind::Shipment | Kind::InventoryItem => None,
    }
}

/// Parts of an order that are there, and are not what they must be.
fn damaged_order(order: &Object) -> Option<String> {
    for name in ["shipping", "customer"] {
        if as_map(&order[name]).is_none() {
            return Some(format!("`{name}` is no address"));
        }
    }
    // No order is without a list of its items, be it an empty one: `null` means that somebody failed to fetch them.
    let items = match &order["order_items"] {
        Value::Array(_) | Value::Object(_) => as_rows(&order["order_items"]),
        _ => None,
    };
    let Some(items) = items else {
        return Some("`order_items` is no list".to_owned());
    };
    // Without its id an item would be taken for a new one, and the old one be removed.
    let nameless = items.iter().any(|item| id_of(item).is_none());
    nameless.then(|| "one of `order_items` has no id".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order() -> Value {
        json!({
            "id": "7001001",
            "email": "rosa.lind@example.com",
            "shipping": {"city": "Dover"},
            "customer": [],
            "order_items": [{"id": "9100001", "name": "Canvas Tote"}],
        })
    }

    fn flaw(kind: Kind, thing: &Value) -> Option<String> {
        incomplete(kind, thing.as_object().expect("an object"))
    }

    #[test]
    fn a_whole_order_may_be_put_back_whatever_php_made_of_its_lists() {
        assert_eq!(flaw(Kind::Order, &order()), None);
        for items in [json!([]), json!({"0": {"id": 1}, "2": {"id": "3"}})] {
            let mut order = order();
            order["order_items"] = items;
            assert_eq!(flaw(Kind::Order, &order), None);
        }
    }

    #[test]
    fn an_order_without_one_of_its_parts_is_not_put_back() {
        for name in ["email", "shipping", "customer", "order_items"] {
            let mut order = order();
            order.as_object_mut().unwrap().shift_remove(name);
            let flaw = flaw(Kind::Order, &order).unwrap();
            assert_eq!(flaw, format!("`{name}` is missing"));
        }
        assert!(flaw(Kind::Order, &json!({"id": "7001001"})).is_some());
    }

    #[test]
    fn a_part_of_another_form_is_as_bad_as_none() {
        for (name, value) in [
            ("order_items", json!(null)),
            ("order_items", json!(3)),
            ("order_items", json!("")),
            ("order_items", json!({"items": []})),
            ("order_items", json!([{"name": "Canvas Tote"}])),
            ("order_items", json!(["9100001"])),
            ("shipping", json!(7)),
            ("customer", json!("Rosa")),
        ] {
            let mut order = order();
            order[name] = value.clone();
            assert!(flaw(Kind::Order, &order).is_some(), "{name}: {value}");
        }
    }

    #[test]
    fn every_kind_has_fields_that_must_be_there() {
        let item = json!({"id": "1", "name": "Tote", "price": 16, "quantity": 1});
        assert_eq!(flaw(Kind::OrderItem, &item), None);
        let stock = json!({"id": 1, "name": "Tote", "code": "T", "price": null, "stock": 3});
        assert_eq!(flaw(Kind::InventoryItem, &stock), None);
        for kind in [Kind::OrderItem, Kind::Shipment, Kind::InventoryItem] {
            assert!(flaw(kind, &json!({"id": "1"})).is_some(), "{kind:?}");
        }
    }
}
