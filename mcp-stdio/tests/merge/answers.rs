//! What differs: what would change, what the answer did not take, what somebody else changed.

use mcp_stdio::desk::merge::{Kind, Patch, card_lost, conflicts, diff, mismatches, not_taken};
use serde_json::{Value, json};

use super::{lines, object};

fn differences(before: Value, after: Value) -> Vec<String> {
    lines(&diff(Kind::Order, &object(before), &object(after)))
}

fn untaken(sent: Value, got: Value) -> Vec<String> {
    lines(&not_taken(Kind::Order, &object(sent), &object(got)))
}

#[test]
fn a_diff_names_the_smallest_place_and_forgives_spellings() {
    assert_eq!(
        differences(
            json!({"email": "a", "tax_total": "3.90", "order_total": 5, "shipping": {"city": "Dover", "phone": 5550100}, "checkout_data": [], "order_metadata": {"a": "1"}}),
            json!({"email": "a", "tax_total": 3.9, "order_total": 9, "shipping": {"city": "Lewes", "phone": "5550100", "address3": ""}, "checkout_data": {"Gift": "yes"}, "order_metadata": []}),
        ),
        [
            "shipping.city: \"Dover\" -> \"Lewes\"",
            "checkout_data.Gift: null -> \"yes\"",
            "order_metadata.a: \"1\" -> null"
        ]
    );
}

#[test]
fn items_are_compared_by_id_and_notes_by_what_they_say() {
    let before = json!({"order_items": [{"id": "1", "quantity": 1}, {"id": "2", "name": "Mug"}], "order_notes": [{"content": "a"}, {"content": "b"}]});
    let moved = json!({"order_items": [{"id": 2, "name": "Mug"}, {"id": 1, "quantity": "1"}], "order_notes": [{"content": "b"}, {"content": "a"}]});
    assert_eq!(differences(before.clone(), moved), Vec::<String>::new());
    let after = json!({"order_items": [{"id": "1", "quantity": 2}, {"id": "3", "name": "Cap"}], "order_notes": [{"content": "a"}, {"content": "c"}]});
    assert_eq!(
        differences(before, after),
        [
            "order_items[1].quantity: 1 -> 2",
            "order_items[2]: {\"id\":\"2\",\"name\":\"Mug\"} -> null",
            "order_items[3]: null -> {\"id\":\"3\",\"name\":\"Cap\"}",
            "order_notes[#2]: {\"content\":\"b\"} -> null",
            "order_notes[#2]: null -> {\"content\":\"c\"}"
        ]
    );
}

#[test]
fn an_answer_that_took_all_has_nothing_to_report() {
    let sent = json!({"email": "a", "shipping_total": "6.50", "checkout_data": {}, "shipping": {"city": "Dover"}, "discount_list": [{"name": "S", "amount": 5}],
        "order_items": [{"id": "1", "quantity": "2"}], "order_notes": [{"content": "x", "username": "A"}]});
    let got = json!({"id": "7", "order_total": 99, "email": "a", "shipping_total": 6.5, "checkout_data": [], "shipping": {"city": "Dover", "address2": ""},
        "discount_list": [{"name": "S", "code": "", "amount": "5.00"}], "order_items": [{"id": 1, "quantity": 2, "delivery_type": "ship"}],
        "order_notes": [{"content": "x", "username": "A", "date_added": "now"}], "fulfillment_name": "by a rule", "date_updated": "now"});
    assert_eq!(untaken(sent, got), Vec::<String>::new());
}

#[test]
fn what_the_server_made_of_a_text_shows_with_both_texts() {
    assert_eq!(
        untaken(
            json!({"shipping": {"city": " dover ", "phone": "555 0100"}}),
            json!({"shipping": {"city": "Dover", "phone": "555 0100"}})
        ),
        ["shipping.city: \" dover \" -> \"Dover\""]
    );
}

#[test]
fn what_was_not_taken_is_reported_wherever_it_was() {
    let sent = json!({"folder_id": 50101, "checkout_data": {"A": "1"}, "order_items": [{"id": "1", "quantity": 2}, {"id": "2"}], "order_notes": [{"content": "old"}, {"content": "new"}]});
    let got = json!({"folder_id": 50102, "checkout_data": {"A": "1", "Removed": "still there"}, "order_items": [{"id": "1", "quantity": 1}], "order_notes": [{"content": "old"}]});
    assert_eq!(
        untaken(sent, got),
        [
            "folder_id: 50101 -> 50102",
            "checkout_data.Removed: null -> \"still there\"",
            "order_items[1].quantity: 2 -> 1",
            "order_items[2]: {\"id\":\"2\"} -> null",
            "order_notes[#2]: {\"content\":\"new\"} -> null"
        ]
    );
}

#[test]
fn the_same_note_twice_must_be_there_twice() {
    let twice = json!({"order_notes": [{"content": "x"}, {"content": "x"}]});
    assert_eq!(untaken(twice.clone(), twice.clone()), Vec::<String>::new());
    assert_eq!(
        untaken(twice, json!({"order_notes": [{"content": "x"}]})).len(),
        1
    );
}

#[test]
fn items_of_a_new_order_are_known_again_by_what_they_hold() {
    let sent =
        json!({"order_items": [{"name": "Mug", "quantity": 1}, {"name": "Tote", "quantity": 2}]});
    let got = json!({"order_items": [{"id": "11", "name": "Tote", "quantity": 2, "price": 0}, {"id": "12", "name": "Mug", "quantity": 1}]});
    assert_eq!(untaken(sent.clone(), got), Vec::<String>::new());
    let got = json!({"order_items": [{"id": "11", "name": "Mug", "quantity": 1}]});
    assert_eq!(
        untaken(sent, got),
        ["order_items[#2]: {\"name\":\"Tote\",\"quantity\":2} -> null"]
    );
}

#[test]
fn somebody_elses_change_to_the_same_place_is_a_conflict_and_elsewhere_is_none() {
    let seen = object(
        json!({"email": "a", "shipping": {"city": "Dover", "phone": "1"}, "checkout_data": {"A": "1"}, "order_items": [{"id": "1", "quantity": 1, "price": 5}]}),
    );
    let changes = object(
        json!({"shipping": {"city": "Lewes"}, "checkout_data": {"B": "2"}, "order_items": [{"id": 1, "quantity": 3}]}),
    );
    let patch = Patch::check(Kind::Order, &changes, Some(&seen)).unwrap();
    let elsewhere = object(
        json!({"email": "b", "shipping": {"city": "Dover", "phone": "2"}, "checkout_data": {"A": "9"}, "order_items": [{"id": "1", "quantity": "1", "price": 6}, {"id": "2"}]}),
    );
    assert_eq!(
        lines(&conflicts(&patch, &seen, &elsewhere)),
        Vec::<String>::new()
    );
    let same = object(
        json!({"shipping": {"city": "Milford"}, "checkout_data": {"A": "1", "B": "theirs"}, "order_items": [{"id": "1", "quantity": 2}]}),
    );
    assert_eq!(
        lines(&conflicts(&patch, &seen, &same)),
        [
            "shipping.city: \"Dover\" -> \"Milford\"",
            "checkout_data.B: null -> \"theirs\"",
            "order_items[1].quantity: 1 -> 2"
        ]
    );
    let removed =
        object(json!({"shipping": {"city": "Dover"}, "checkout_data": {}, "order_items": []}));
    assert_eq!(
        lines(&conflicts(&patch, &seen, &removed)),
        ["order_items[1]: {\"id\":\"1\",\"quantity\":1} -> null"]
    );
}

#[test]
fn an_expectation_counts_only_where_it_says_something() {
    let now = object(
        json!({"order_total": 53.4, "email": "a", "shipping": {"city": "Dover", "phone": ""}, "checkout_data": {"Gift": "x"}, "order_items": [{"id": "1", "quantity": 3, "price": 1}]}),
    );
    let fits = object(
        json!({"order_total": "53.40", "shipping": {"phone": null}, "checkout_data": {"Wrap": null}, "order_items": [{"id": 1, "quantity": 3}]}),
    );
    assert_eq!(
        lines(&mismatches(Kind::Order, &fits, &now)),
        Vec::<String>::new()
    );
    let wrong = object(
        json!({"order_total": 50, "shipping": {"city": "Lewes"}, "checkout_data": {"Gift": "y"}, "order_items": [{"id": 1, "quantity": 2}], "order_metadata": {}, "shiping": "?"}),
    );
    assert_eq!(
        lines(&mismatches(Kind::Order, &wrong, &now)),
        [
            "order_total: 50 -> 53.4",
            "shipping.city: \"Lewes\" -> \"Dover\"",
            "checkout_data.Gift: \"y\" -> \"x\"",
            "order_items[1].quantity: 2 -> 3",
            "shiping: \"?\" -> null"
        ]
    );
    let empty = object(json!({"checkout_data": []}));
    assert_eq!(mismatches(Kind::Order, &empty, &now).len(), 1);
}

#[test]
fn a_masked_card_number_that_is_gone_is_noticed() {
    let order = |mask: &str| object(json!({"cc_number_masked": mask}));
    assert!(
        card_lost(&order("xxxx1111"), &order(""))
            && card_lost(&order("xxxx1111"), &object(json!({})))
    );
    assert!(
        !card_lost(&order("xxxx1111"), &order("xxxx1111"))
            && !card_lost(&order(""), &order("xxxx1111"))
    );
}
