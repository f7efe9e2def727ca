//! New things: what they must have, and the form in which they are sent.

use mcp_stdio::desk::merge::{new_inventory_item, new_item, new_order, new_shipment};
use serde_json::{Value, json};

use super::object;

fn refused(order: Value) -> Vec<String> {
    new_order(&object(order)).unwrap_err()
}

#[test]
fn the_smallest_useful_order_is_sent_as_it_is_given() {
    let order = json!({"source_name": "Demo", "source_id": "D-1", "folder_id": 50101, "date_added": "2026-03-02 14:05:11",
        "shipping": {"first_name": "Sam", "postal_code": "01970"}, "shipping_total": 5, "discount_list": [{"name": "S", "amount": 1}],
        "order_notes": [{"content": "by phone"}], "order_items": [{"name": "Mug", "price": 9.5, "quantity": 2, "variation_list": {"Size": "L"}}]});
    assert_eq!(
        Value::Object(new_order(&object(order.clone())).unwrap()),
        order
    );
}

#[test]
fn blanks_that_are_null_are_left_out() {
    let order = json!({"email": null, "shipping": {"company": "Acme", "city": "Dover"}, "checkout_data": {"Gift": null, "Wrap": 1}, "order_items": [{"name": "Mug", "metadata": null}]});
    assert_eq!(
        Value::Object(new_order(&object(order)).unwrap()),
        json!({"shipping": {"company": "Acme", "city": "Dover"}, "checkout_data": {"Wrap": 1}, "order_items": [{"name": "Mug"}]})
    );
}

#[test]
fn an_order_needs_an_item_and_a_name() {
    let items = json!([{"name": "Mug"}]);
    assert!(
        refused(json!({"shipping": {"company": "Acme"}}))[0].contains("`order_items` is missing")
    );
    assert!(
        refused(json!({"shipping": {"company": "Acme"}, "order_items": []}))[0]
            .contains("at least one item")
    );
    assert!(
        refused(json!({"shipping": {"city": "Dover", "company": " "}, "order_items": items}))[0]
            .contains("`first_name`")
    );
    assert!(
        refused(json!({"order_items": [{"price": 1}], "customer": {"company": "Acme"}}))[0]
            .contains("`order_items[#1]` needs `name`")
    );
}

#[test]
fn what_order_desk_gives_and_what_nobody_knows_is_refused_all_at_once() {
    let said = refused(
        json!({"id": "1", "order_total": 5, "cc_number": "1111", "emial": "x", "shipping_city": "Dover", "order_shipments": [],
        "order_items": [{"id": "5", "name": "Mug", "qty": 1}], "customer": {"last_name": "Roe"}, "order_notes": [{"username": "Kim"}]}),
    );
    assert_eq!(said.len(), 9, "{said:?}");
    assert!(
        said.iter()
            .any(|mistake| mistake.contains("did you mean `email`")),
        "{said:?}"
    );
}

#[test]
fn the_other_new_things_have_what_they_need() {
    assert!(new_item(&object(json!({"name": "Mug", "quantity": "2"}))).is_ok());
    assert!(new_item(&object(json!({"price": 1}))).unwrap_err()[0].contains("`name`"));
    let shipment = json!({"tracking_number": "1Z", "order_items": [{"id": 9_100_001, "quantity": 2}, {"code": "MUG"}], "date_shipped": "2026-03-03", "weight": ""});
    assert_eq!(
        Value::Object(new_shipment(&object(shipment.clone())).unwrap()),
        shipment
    );
    assert!(
        new_shipment(&object(json!({"carrier_code": "UPS"}))).unwrap_err()[0].contains("`n/a`")
    );
    assert_eq!(new_shipment(&object(json!({"tracking_number": "1Z", "order_items": [{"quantity": 1}], "date_shipped": "tomorrow"}))).unwrap_err().len(), 2);
    assert!(new_inventory_item(&object(json!({"name": "Mug", "code": "MUG", "stock": 3}))).is_ok());
    assert_eq!(
        new_inventory_item(&object(json!({"stock": 3})))
            .unwrap_err()
            .len(),
        2
    );
}

#[test]
fn what_is_missing_is_told_beside_the_other_mistakes() {
    assert_eq!(refused(json!({"id": "1", "email": "x"})).len(), 3);
    assert_eq!(
        new_inventory_item(&object(json!({"id": 1, "code": ""})))
            .unwrap_err()
            .len(),
        3
    );
}
