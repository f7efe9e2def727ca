//! Outcomes, and what an answer makes of them.

use super::*;

fn row(ids: Value, verdict: Verdict, why: Option<&str>) -> RowOutcome {
    RowOutcome {
        row: ids,
        verdict,
        why: why.map(str::to_owned),
    }
}

fn shown(outcome: &Outcome) -> Value {
    show(outcome, Reply::ours()).into_value()
}

#[test]
fn an_order_is_shown_in_short_without_cards_and_cleaned() {
    let mut outcome = Outcome::new(Verdict::Done);
    let order = json!({"id": "7", "cc_number_masked": "xx1111", "shipping": {"first_name": "S\u{200b}am"}, "order_items": [{"name": "Mug", "quantity": 1}]});
    outcome.facts.push(("order", order));
    assert_eq!(
        shown(&outcome),
        json!({"order": {"id": "7", "name": "Sam", "items": ["1 × Mug"]}})
    );
}

#[test]
fn parts_and_stock_are_shown_without_what_is_empty() {
    let mut outcome = Outcome::new(Verdict::Done);
    outcome.facts = vec![
        (
            "order_item",
            json!({"id": "9", "name": "Mug", "metadata": []}),
        ),
        (
            "shipment",
            json!({"id": "3", "tracking_number": "T", "label_image": "iVBOR", "cost": ""}),
        ),
        (
            "inventory_item",
            json!({"id": 61001, "code": "MUG", "stock": 0, "cost": 2}),
        ),
        (
            "undo",
            json!([{"order_ids": ["7"], "folder": "501\u{202e}01"}]),
        ),
    ];
    assert_eq!(
        shown(&outcome),
        json!({
            "order_item": {"id": "9", "name": "Mug"},
            "shipment": {"id": "3", "tracking_number": "T"},
            "inventory_item": {"id": 61001, "code": "MUG", "stock": 0},
            "undo": [{"order_ids": ["7"], "folder": "50101"}],
        })
    );
}

#[test]
fn a_thing_that_is_large_leaves_its_largest_fields_out_and_says_so() {
    let mut outcome = Outcome::new(Verdict::Done);
    let item = json!({"id": "9", "name": "Mug", "metadata": {"art": "x".repeat(50_000)}});
    outcome.facts.push(("order_item", item));
    assert_eq!(
        shown(&outcome),
        json!({"order_item": {"id": "9", "name": "Mug", "omitted": ["metadata"]}})
    );
}

#[test]
fn rows_stand_in_the_order_in_which_they_were_given_and_are_counted() {
    let mut outcome = Outcome::new(Verdict::Unknown);
    outcome.rows = vec![
        row(json!({"order_id": "1"}), Verdict::Done, None),
        row(
            json!({"order_id": "2"}),
            Verdict::NotDone,
            Some("no su\u{200b}ch order"),
        ),
        row(
            json!({"order_id": "3"}),
            Verdict::Unknown,
            Some("no answer"),
        ),
        row(json!({"order_id": "4"}), Verdict::Done, None),
    ];
    let mut shown = shown(&outcome);
    let next = shown.as_object_mut().unwrap().remove("next").unwrap();
    assert!(next.as_str().unwrap().starts_with("2 of 4 rows are done"));
    assert_eq!(
        shown,
        json!({
            "counts": {"done": 2, "not_done": 1, "unknown": 1},
            "rows": [
                {"order_id": "1", "outcome": "done"},
                {"order_id": "2", "outcome": "not_done", "why": "no such order"},
                {"order_id": "3", "outcome": "unknown", "why": "no answer"},
                {"order_id": "4", "outcome": "done"},
            ],
        })
    );
}

#[test]
fn rows_that_do_not_fit_are_those_that_are_done_and_are_counted() {
    let mut outcome = Outcome::new(Verdict::NotDone);
    outcome.rows = (0..1000)
        .map(|n| {
            row(
                json!({"order_id": n, "note": "x".repeat(100)}),
                Verdict::Done,
                None,
            )
        })
        .collect();
    outcome.rows.push(row(
        json!({"order_id": 5000}),
        Verdict::NotDone,
        Some("why"),
    ));
    let shown = shown(&outcome);
    let rows = shown["rows"].as_array().unwrap();
    assert_eq!(rows[0]["order_id"], 0);
    assert_eq!(rows.last().unwrap()["order_id"], 5000);
    let left = shown["rows_left_out"]["done"].as_u64().unwrap();
    assert_eq!(rows.len() as u64 + left, 1001);
    assert!(reply::size_of(&shown["rows"]) <= ROWS_BYTES + 2);
}

#[test]
fn two_wrong_ids_are_told_together() {
    use crate::desk::model::{OrderId, OrderItemId};
    let both_wrong = both(OrderId::parse("x"), OrderItemId::parse("y")).unwrap_err();
    let text = both_wrong.to_text();
    assert!(text.contains("`x`") && text.contains("`y`"), "{text}");
    assert!(both(OrderId::parse("1"), OrderItemId::parse("y")).is_err());
    assert!(both(OrderId::parse("1"), OrderItemId::parse("2")).is_ok());
}
