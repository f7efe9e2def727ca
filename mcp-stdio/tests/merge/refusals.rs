//! Changes that make no sense: every mistake at once, each with what to do.

use mcp_stdio::desk::merge::{Kind, Patch, limits};
use serde_json::{Value, json};

use super::{mistakes, object};

fn order() -> Value {
    json!({
        "email": "a@example.com", "shipping": {"city": "Dover"}, "checkout_data": {"Gift": {"to": "Ana"}, "Dates": ["Monday"], "Wrap": "1"},
        "loyalty_level": "gold", "extras": {"a": 1},
        "order_items": [{"id": "1", "name": "Tote"}, {"id": "2", "name": "Mug"}, {"id": "2", "name": "Cap"}],
    })
}

/// The one mistake of `changes` says `words`.
fn assert_refused(kind: Kind, changes: Value, words: &[&str]) {
    let said = mistakes(kind, &order(), changes.clone());
    assert_eq!(said.len(), 1, "{changes}: {said:?}");
    for word in words {
        assert!(
            said[0].contains(word),
            "{changes}: {} lacks {word}",
            said[0]
        );
    }
}

#[test]
fn fields_with_a_tool_of_their_own_name_it() {
    assert_refused(
        Kind::Order,
        json!({"order_notes": []}),
        &["orders_add_note"],
    );
    assert_refused(Kind::Order, json!({"folder_id": 1}), &["orders_move"]);
    assert_refused(
        Kind::Order,
        json!({"order_shipments": []}),
        &["shipments_add"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_history": []}),
        &["orders_add_note"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_items": [{"name": "New"}]}),
        &["`order_items[#1]`", "order_items_add"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_items": []}),
        &["order_items_remove"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_items": null}),
        &["order_items_remove"],
    );
}

#[test]
fn computed_fields_and_card_data_are_refused() {
    assert_refused(
        Kind::Order,
        json!({"order_total": 1}),
        &["`order_total`", "computes"],
    );
    assert_refused(
        Kind::Order,
        json!({"discount_total": 1}),
        &["discount_list"],
    );
    assert_refused(Kind::Order, json!({"id": "2"}), &["`id`"]);
    for card in [
        "cc_number",
        "cc_number_masked",
        "cc_exp",
        "processor_response",
    ] {
        assert_refused(
            Kind::Order,
            json!({card: "4111111111111111"}),
            &[card, "card data"],
        );
    }
}

#[test]
fn a_misspelt_name_is_told_the_nearest_one() {
    assert_refused(
        Kind::Order,
        json!({"shiping": {}}),
        &["`shiping`", "did you mean `shipping`"],
    );
    assert_refused(
        Kind::Order,
        json!({"shipping": {"zip": "1"}}),
        &["`shipping.zip`", "postal_code"],
    );
    assert_refused(
        Kind::Order,
        json!({"shipping": {"citty": "1"}}),
        &["did you mean `city`"],
    );
    assert_refused(
        Kind::Order,
        json!({"customer": {"address3": "1"}}),
        &["did you mean `address"],
    );
    assert_refused(
        Kind::Order,
        json!({"shipping_city": "x"}),
        &["{\"shipping\": {\"city\": …}}"],
    );
    assert_refused(
        Kind::Order,
        json!({"loyalty_levle": "x"}),
        &["did you mean `loyalty_level`"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_items": [{"id": 1, "qty": 2}]}),
        &["`order_items[1].qty`"],
    );
    assert_refused(
        Kind::InventoryItem,
        json!({"stok": 2}),
        &["an inventory item", "did you mean `stock`"],
    );
}

#[test]
fn text_where_parts_are_and_parts_where_text_is_are_mistakes() {
    assert_refused(
        Kind::Order,
        json!({"shipping": "12 Mill Lane"}),
        &["`shipping` is an address"],
    );
    assert_refused(
        Kind::Order,
        json!({"shipping": null}),
        &["`shipping` is an address"],
    );
    assert_refused(
        Kind::Order,
        json!({"email": {"to": "x"}}),
        &["`email` is text"],
    );
    assert_refused(
        Kind::Order,
        json!({"checkout_data": ["x"]}),
        &["`checkout_data` is a map"],
    );
    assert_refused(
        Kind::Order,
        json!({"checkout_data": {"Gift": "x"}}),
        &["`checkout_data.Gift` is an object"],
    );
    assert_refused(
        Kind::Order,
        json!({"checkout_data": {"Dates": "x"}}),
        &["`checkout_data.Dates` is a list"],
    );
    assert_refused(
        Kind::Order,
        json!({"checkout_data": {"Wrap": {"x": 1}}}),
        &["`checkout_data.Wrap` is one value"],
    );
    assert_refused(
        Kind::Order,
        json!({"extras": "x"}),
        &["`extras` is an object"],
    );
    assert_refused(
        Kind::Order,
        json!({"extras": null}),
        &["`extras` has parts"],
    );
    assert_refused(
        Kind::Order,
        json!({"discount_list": {"name": "x"}}),
        &["`discount_list` is a list"],
    );
}

#[test]
fn numbers_are_numbers() {
    assert_refused(
        Kind::Order,
        json!({"shipping_total": "five"}),
        &["is a number", "12.5"],
    );
    assert_refused(
        Kind::Order,
        json!({"shipping_total": "1,5"}),
        &["without a unit or a comma"],
    );
    assert_refused(Kind::Order, json!({"shipping_total": null}), &["say 0"]);
    assert_refused(Kind::InventoryItem, json!({"stock": null}), &["say 0"]);
    assert_refused(
        Kind::InventoryItem,
        json!({"stock": 1.5}),
        &["without a fraction"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_items": [{"id": 1, "quantity": "1.5"}]}),
        &["`order_items[1].quantity`", "fraction"],
    );
    assert_refused(Kind::Order, json!({"email": true}), &["1 or 0"]);
    assert_refused(
        Kind::Order,
        json!({"checkout_data": {"New": false}}),
        &["1 or 0"],
    );
    assert_refused(
        Kind::Order,
        json!({"discount_list": [{"name": "x", "amount": -5}]}),
        &["positive"],
    );
    assert_refused(
        Kind::Shipment,
        json!({"date_shipped": "3.3.2026"}),
        &["YYYY-MM-DD"],
    );
    assert_refused(
        Kind::Order,
        json!({"payment_status": "Captred"}),
        &["did you mean `Captured`"],
    );
    assert_refused(
        Kind::Order,
        json!({"tag_name": "red"}),
        &["`tag_name` is one of error, success, info"],
    );
}

#[test]
fn an_item_that_cannot_be_told_is_refused() {
    assert_refused(
        Kind::Order,
        json!({"order_items": [{"id": 7, "quantity": 1}]}),
        &["`order_items[7]` is not in the order", "1, 2"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_items": [{"id": 2, "quantity": 1}]}),
        &["two items"],
    );
    assert_refused(
        Kind::Order,
        json!({"order_items": [{"id": 1, "quantity": 1}, {"id": "1", "price": 1}]}),
        &["named twice"],
    );
    assert_refused(Kind::Order, json!({"order_items": ["1"]}), &["has no `id`"]);
}

#[test]
fn control_characters_are_refused_and_line_breaks_are_text() {
    assert_refused(
        Kind::Order,
        json!({"shipping": {"city": "Do\u{0}ver"}}),
        &["control characters"],
    );
    assert_refused(
        Kind::Order,
        json!({"checkout_data": {"Wrap": "\u{1b}[31m"}}),
        &["control characters"],
    );
    let fine = object(json!({"checkout_data": {"Wrap": "one\ntwo\tthree"}}));
    assert!(Patch::check(Kind::Order, &fine, Some(&object(order()))).is_ok());
}

#[test]
fn all_mistakes_come_at_once() {
    let said = mistakes(
        Kind::Order,
        &order(),
        json!({"emial": "x", "order_total": 1, "shipping": {"citty": 1, "phone": {}}, "order_items": [{"id": 1, "price": "x", "quantity": []}, {"id": 9}]}),
    );
    assert_eq!(said.len(), 7, "{said:?}");
    assert!(
        said.iter().all(|mistake| mistake.starts_with('`')),
        "{said:?}"
    );
}

#[test]
fn without_the_thing_at_hand_its_own_names_and_ids_may_pass() {
    let changes =
        object(json!({"loyalty_level": "silver", "order_items": [{"id": 7, "quantity": 1}]}));
    assert!(Patch::check(Kind::Order, &changes, None).is_ok());
    let changes = object(json!({"order_total": 5}));
    assert!(Patch::check(Kind::Order, &changes, None).is_err());
}

#[test]
fn a_map_that_gets_too_long_is_a_mistake_and_one_that_was_is_not() {
    let long = object(
        json!({"checkout_data": {"Gift": "x".repeat(3_500)}, "order_metadata": {"k": "x".repeat(1_993)}}),
    );
    let said = limits::check(Kind::Order, None, &long).unwrap_err();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[1].contains("2001 characters") && said[1].contains("2000"),
        "{said:?}"
    );
    assert_eq!(limits::check(Kind::Order, Some(&long), &long), Ok(()));
    assert_eq!(limits::check(Kind::InventoryItem, None, &long), Ok(()));
    let longest = object(json!({"order_metadata": {"k": "x".repeat(1_992)}}));
    assert_eq!(limits::check(Kind::Order, None, &longest), Ok(()));
    // PHP writes six characters for one beyond ASCII, twelve for one beyond the basic plane, two for a slash.
    let beyond =
        |text: &str, count: usize| object(json!({"order_metadata": {"k": text.repeat(count)}}));
    for (text, most) in [("é", 332), ("🧦", 166), ("/", 996)] {
        assert_eq!(
            limits::check(Kind::Order, None, &beyond(text, most)),
            Ok(()),
            "{text}"
        );
        assert!(
            limits::check(Kind::Order, None, &beyond(text, most + 1)).is_err(),
            "{text}"
        );
    }
}
