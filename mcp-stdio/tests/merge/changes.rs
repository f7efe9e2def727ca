//! What is sent for a change: examples.

use mcp_stdio::desk::merge::{Kind, Patch, read_only};
use mcp_stdio::desk::model::Object;
use serde_json::{Value, json};

use super::{object, sent};

fn order() -> Value {
    json!({
        "id": "7001001", "email": "rosa.lind@example.com", "quantity_total": 3, "shipping_total": 6.5, "order_total": 53.4,
        "cc_number_masked": "xxxxxxxxxxxx1111", "cc_exp": "09/2029", "refund_total": 0, "email_count": "2", "folder_id": 50101,
        "date_added": "2026-03-02 14:05:11", "date_updated": "2026-03-02 14:07:40",
        "shipping": {"first_name": "Rosa", "last_name": "Lind", "address1": "12 Mill Lane", "address3": "", "city": "Dover", "postal_code": "01901"},
        "customer": {"first_name": "Rosa", "city": "Dover"},
        "checkout_data": {"Gift Message": "For Ana", "Wrap": "1", "Delivery": "Monday"},
        "order_metadata": [],
        "discount_list": [{"name": "Spring", "code": "SPR5", "amount": "5.00"}],
        "order_notes": [{"date_added": "2026-03-02 15:00:00", "username": "Kim", "content": "gift wrap"}],
        "new_in_2027": {"kept": [1, "1"]},
        "order_items": [
            {"id": "9100001", "name": "Tote", "price": "16", "quantity": 3, "variation_list": {"Colour": "Natural"}, "metadata": []},
            {"id": 9_100_002, "name": "Mug", "price": 9.5, "quantity": 1, "variation_list": [], "metadata": []},
        ],
        "order_shipments": [{"id": "3001"}],
    })
}

/// The order as it is sent when `change` is done to it by hand.
fn expected(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = order();
    for name in [
        "id",
        "quantity_total",
        "order_total",
        "cc_number_masked",
        "email_count",
        "date_updated",
        "order_shipments",
    ] {
        order.as_object_mut().unwrap().shift_remove(name);
    }
    change(&mut order);
    order
}

/// Byte for byte: the order of the keys counts, and so does how numbers are written.
fn assert_sent(changes: Value, change: impl FnOnce(&mut Value)) {
    assert_eq!(
        sent(Kind::Order, &order(), changes).to_string(),
        expected(change).to_string()
    );
}

#[test]
fn one_part_of_an_address_leaves_the_rest_of_the_order_byte_for_byte() {
    assert_sent(json!({"shipping": {"city": "Lewes"}}), |order| {
        order["shipping"]["city"] = json!("Lewes");
    });
}

#[test]
fn what_is_so_already_stays_as_it_is_written() {
    assert_sent(
        json!({"shipping_total": "6.50", "shipping": {"postal_code": "01901"}, "order_metadata": {}, "discount_list": [{"name": "Spring", "code": "SPR5", "amount": 5}],
               "order_items": [{"id": 9_100_001, "price": 16.0, "quantity": "3"}]}),
        |_| {},
    );
}

#[test]
fn null_removes_a_key_of_a_map_and_blanks_a_text() {
    assert_sent(
        json!({"checkout_data": {"Wrap": null}, "email": null, "shipping": {"first_name": null}}),
        |order| {
            order["checkout_data"] = json!({"Gift Message": "For Ana", "Delivery": "Monday"});
            order["email"] = json!("");
            order["shipping"]["first_name"] = json!("");
        },
    );
    assert_sent(json!({"checkout_data": null}), |order| {
        order["checkout_data"] = json!({});
    });
}

#[test]
fn the_first_key_of_an_empty_map_makes_it_a_map() {
    assert_sent(json!({"order_metadata": {"ref": "T-1"}}), |order| {
        order["order_metadata"] = json!({"ref": "T-1"});
    });
    assert_sent(json!({"order_metadata": {"gone": null}}), |_| {});
}

#[test]
fn a_map_that_came_as_a_list_keeps_its_values() {
    let order = json!({"checkout_data": ["first", "second"]});
    assert_eq!(
        sent(
            Kind::Order,
            &order,
            json!({"checkout_data": {"Gift": "yes", "1": "2nd"}})
        ),
        json!({"checkout_data": {"0": "first", "1": "2nd", "Gift": "yes"}})
    );
    assert_eq!(
        sent(Kind::Order, &order, json!({"email": null}))["checkout_data"],
        json!(["first", "second"])
    );
}

#[test]
fn an_item_is_found_by_its_id_and_every_other_item_is_sent_too() {
    assert_sent(
        json!({"order_items": [{"id": "9100002", "quantity": 2, "variation_list": {"Size": "L"}}]}),
        |order| {
            order["order_items"][1]["quantity"] = json!(2);
            order["order_items"][1]["variation_list"] = json!({"Size": "L"});
        },
    );
}

#[test]
fn items_that_came_as_a_map_with_a_gap_are_sent_as_the_list_they_are() {
    let order = json!({"order_items": {"0": {"id": "1", "name": "Tote", "quantity": 1}, "2": {"id": "3", "name": "Mug", "quantity": 1}}});
    assert_eq!(
        sent(
            Kind::Order,
            &order,
            json!({"order_items": [{"id": "3", "quantity": 2}]})
        ),
        json!({"order_items": [{"id": "1", "name": "Tote", "quantity": 1}, {"id": "3", "name": "Mug", "quantity": 2}]})
    );
}

#[test]
fn two_items_with_one_id_both_survive_a_change_elsewhere() {
    let order = json!({"email": "a", "order_items": [{"id": "1", "name": "Tote"}, {"id": 1, "name": "Mug"}]});
    assert_eq!(
        sent(Kind::Order, &order, json!({"email": "b"}))["order_items"],
        order["order_items"]
    );
}

#[test]
fn a_list_is_replaced_whole_and_an_unknown_object_is_merged() {
    assert_sent(
        json!({"discount_list": [], "new_in_2027": {"also": "this"}}),
        |order| {
            order["discount_list"] = json!([]);
            order["new_in_2027"] = json!({"kept": [1, "1"], "also": "this"});
        },
    );
}

#[test]
fn a_number_for_a_text_is_sent_as_text() {
    assert_sent(json!({"shipping": {"postal_code": 19901}}), |order| {
        order["shipping"]["postal_code"] = json!("19901");
    });
}

#[test]
fn a_word_of_a_choice_is_sent_as_order_desk_spells_it() {
    let order =
        json!({"payment_status": "Pending", "order_items": [{"id": "1", "delivery_type": "ship"}]});
    let next = sent(
        Kind::Order,
        &order,
        json!({"payment_status": "fully refunded", "order_items": [{"id": 1, "delivery_type": "NoShip"}]}),
    );
    assert_eq!(
        (
            &next["payment_status"],
            &next["order_items"][0]["delivery_type"]
        ),
        (&json!("Fully Refunded"), &json!("noship"))
    );
}

#[test]
fn a_stock_item_keeps_its_null_and_its_unknown_fields() {
    let item = json!({"id": 61001, "name": "Tote", "stock": 34, "price": 16, "manufacturer_sku": null, "bin": "A4", "metadata": [], "date_updated": "x"});
    assert_eq!(
        sent(
            Kind::InventoryItem,
            &item,
            json!({"stock": -2, "manufacturer_sku": ""})
        ),
        json!({"name": "Tote", "stock": -2, "price": 16, "manufacturer_sku": null, "bin": "A4", "metadata": []})
    );
}

#[test]
fn a_shipment_keeps_what_the_label_printer_wrote() {
    let shipment = json!({"id": "3001", "order_id": "7001001", "tracking_number": "1Z", "cost": "", "label_image": "b64", "print_status": "1"});
    assert_eq!(
        sent(
            Kind::Shipment,
            &shipment,
            json!({"tracking_number": "1Z2", "cost": ""})
        ),
        json!({"tracking_number": "1Z2", "cost": "", "label_image": "b64", "print_status": "1"})
    );
}

#[test]
fn a_long_float_is_read_and_written_digit_for_digit() {
    // Sums that PHP makes of cents; without `float_roundtrip` the last digit of the others would be another.
    for number in [
        "0.30000000000000004",
        "53.400000000000006",
        "971692.9418785031",
        "942328197548.2529",
    ] {
        let text = format!("{{\"tax_total\":{number},\"email\":\"a\"}}");
        let order: Value = serde_json::from_str(&text).unwrap();
        let next = sent(Kind::Order, &order, json!({"email": "b"}));
        assert_eq!(next.to_string(), text.replace("\"a\"", "\"b\""));
    }
}

#[test]
fn the_places_that_a_change_names_can_be_listed_without_their_values() {
    let changes = object(
        json!({"shipping": {"city": "X"}, "email": "x", "checkout_data": {"a.b": "c", "Gift": null}, "order_metadata": null,
        "discount_list": [], "order_items": [{"id": 9_100_001, "quantity": 2, "metadata": {"k": 1}}], "customer": {}}),
    );
    let patch = Patch::check(Kind::Order, &changes, Some(&object(order()))).unwrap();
    assert_eq!(
        patch.touched(),
        [
            "shipping.city",
            "email",
            "checkout_data[\"a.b\"]",
            "checkout_data.Gift",
            "order_metadata",
            "discount_list",
            "order_items[9100001].quantity",
            "order_items[9100001].metadata.k"
        ]
    );
    assert!(!patch.is_empty() && patch.kind() == Kind::Order);
    assert!(
        Patch::check(Kind::Order, &Object::new(), None)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_is_never_sent_is_a_list_that_can_be_read() {
    let names: Vec<&str> = read_only(Kind::Order).collect();
    assert!(
        names.contains(&"order_total")
            && names.contains(&"cc_number")
            && names.contains(&"order_shipments")
    );
    for kept in [
        "folder_id",
        "date_added",
        "cc_exp",
        "order_notes",
        "order_items",
        "refund_total",
    ] {
        assert!(!names.contains(&kept), "{kept} would be blanked");
    }
}
