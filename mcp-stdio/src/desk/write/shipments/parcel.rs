//! What lies in a parcel that does not hold the whole order.
//!
//! Here: `order_items` of a shipment, a list of `{id or code, quantity}`, checked against the order before anything is sent: Order Desk
//! stores what it gets, and a parcel with a mistyped item tells the customer of goods that never travel. Not here: the shipment's other fields.

use serde_json::Value;

use crate::desk::model::{Fields, Object, same_number};
use crate::desk::quote;

/// Every mistake in the parcel's list, each in words for people; none when the whole order is meant.
pub(super) fn mistakes(shipment: &Object, items: &[Fields<'_>]) -> Vec<String> {
    match shipment.get("order_items") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if text.is_empty() => Vec::new(),
        Some(Value::Array(rows)) => rows
            .iter()
            .enumerate()
            .filter_map(|(index, row)| {
                mistake(row, items).map(|why| format!("order_items[{index}]: {why}"))
            })
            .collect(),
        Some(_) => vec![
            "order_items must be a list of {id or code, quantity}; leave it out when the parcel holds the whole order"
                .to_owned(),
        ],
    }
}

fn mistake(row: &Value, items: &[Fields<'_>]) -> Option<String> {
    let Some(row) = row.as_object().map(Fields::of) else {
        return Some("an entry is an object with `id` or `code`, and `quantity`".to_owned());
    };
    let (id, code) = (row.text("id"), row.text("code"));
    let mut fitting = items.iter().filter(|item| {
        if id.is_empty() {
            item.text("code") == code
        } else {
            same_number(&item.text("id"), &id)
        }
    });
    let name = if id.is_empty() {
        format!("code `{}`", quote::line(&code, 60))
    } else {
        format!("id `{}`", quote::line(&id, 40))
    };
    let item = match (
        id.is_empty() && code.is_empty(),
        fitting.next(),
        fitting.next(),
    ) {
        (true, ..) => return Some("it names no item: give its `id` or `code`".to_owned()),
        (_, None, _) => return Some(format!("the order has no item with {name}")),
        (_, Some(_), Some(_)) => {
            return Some(format!(
                "the order has more than one item with {name}; give the `id`"
            ));
        }
        (_, Some(item), None) => item,
    };
    quantity_mistake(row, *item)
}

fn quantity_mistake(row: Fields<'_>, item: Fields<'_>) -> Option<String> {
    match (row.whole("quantity"), item.whole("quantity")) {
        (None, _) => Some("`quantity` must be a whole number".to_owned()),
        (Some(wanted), _) if wanted < 1 => Some("`quantity` must be at least 1".to_owned()),
        (Some(wanted), Some(ordered)) if wanted > ordered => Some(format!(
            "`quantity` is {wanted}, but only {ordered} were ordered"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(order_items: &Value) -> Vec<String> {
        let items = json!([
            {"id": "9100001", "code": "TOTE", "quantity": 3},
            {"id": "9100002", "code": "MUG", "quantity": "1"},
            {"id": "9100003", "code": "MUG", "quantity": 2},
        ]);
        let items: Vec<Fields<'_>> = items
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_object)
            .map(Fields::of)
            .collect();
        let shipment = json!({"tracking_number": "1Z", "order_items": order_items});
        mistakes(shipment.as_object().unwrap(), &items)
    }

    #[test]
    fn a_parcel_names_items_of_the_order_by_id_or_code() {
        assert!(
            wrong(&json!([{"id": 9_100_001, "quantity": 3}, {"id": "9100002", "quantity": 1}]))
                .is_empty()
        );
        assert!(wrong(&json!([{"code": "TOTE", "quantity": "2"}])).is_empty());
    }

    #[test]
    fn without_a_list_the_parcel_holds_the_whole_order() {
        for whole in [json!(null), json!(""), json!([])] {
            assert!(wrong(&whole).is_empty());
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let told = wrong(&json!([
            {"id": "9", "quantity": 1},
            {"code": "MUG", "quantity": 1},
            {"quantity": 1},
            {"id": "9100001", "quantity": 4},
            {"id": "9100001", "quantity": 0},
            {"id": "9100001"},
            "TOTE",
        ]));
        assert_eq!(told.len(), 7, "{told:#?}");
        assert!(told[0].starts_with("order_items[0]: the order has no item with id `9`"));
        assert!(told[1].contains("more than one item with code `MUG`"));
        assert!(told[3].contains("only 3 were ordered"));
        assert_eq!(wrong(&json!("TOTE")).len(), 1);
    }
}
