//! Changing, noting, making and deleting orders on a good day: what is sent, what is left alone, and what is told.

use std::sync::Arc;

use mcp_stdio::desk::model::Object;
use mcp_stdio::desk::write::{
    AddNote, Change, CreateOrder, DeleteOrder, NoteKind, Outcome, UpdateOrder, Verdict,
};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::{Value, json};

use crate::kit::{Kit, ORDER, order_id};

pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

pub(crate) fn update(changes: Value) -> UpdateOrder {
    UpdateOrder {
        id: order_id(ORDER),
        changes: object(changes),
        expected: None,
    }
}

pub(crate) fn note(text: &str, kind: NoteKind) -> AddNote {
    AddNote {
        id: order_id(ORDER),
        text: text.to_owned(),
        kind,
        author: "Assistant".to_owned(),
    }
}

pub(crate) fn new_order(source_id: &str) -> CreateOrder {
    let mut order = json!({"source_name": "Phone", "email": "sam.roe@example.com",
        "shipping": {"first_name": "Sam", "last_name": "Roe", "city": "Salem"},
        "order_items": [{"name": "Mug", "code": "MUG-1", "price": 9.5, "quantity": 2}]});
    if !source_id.is_empty() {
        order["source_id"] = json!(source_id);
    }
    CreateOrder {
        order: object(order),
    }
}

fn paths(outcome: &Outcome) -> Vec<&str> {
    outcome
        .diff
        .iter()
        .map(|difference| difference.path.as_str())
        .collect()
}

fn fact<'a>(outcome: &'a Outcome, name: &str) -> &'a Value {
    let found = outcome.facts.iter().find(|(fact, _)| *fact == name);
    &found.expect("the outcome has this fact").1
}

/// How often `text` is among the staff notes that the simulator holds.
pub(crate) fn times_noted(kit: &Kit, text: &str) -> usize {
    let stored = kit.stored();
    let notes = stored["order_notes"].as_array().unwrap();
    notes.iter().filter(|note| note["content"] == text).count()
}

/// How often `text` is in the history that the simulator holds.
pub(crate) fn times_in_history(kit: &Kit, text: &str) -> usize {
    let stored = kit.stored();
    let entries = stored["order_history"].as_array().unwrap();
    entries.iter().filter(|entry| entry["note"] == text).count()
}

#[tokio::test]
async fn an_update_changes_what_was_named_and_nothing_else() {
    let kit = Kit::new().await;
    kit.edit("x_unknown", json!({"deep": [1, "2", {"three": 3.50}]}));
    kit.edit("order_metadata", json!({"gift": "yes"}));
    let before = kit.stored();
    let outcome = kit
        .carry_out(update(
            json!({"email": "new@example.com", "shipping": {"city": "Bath"}}),
        ))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(paths(&outcome), ["email", "shipping.city"]);
    assert_eq!(fact(&outcome, "order")["email"], "new@example.com");
    let mut expected = before.clone();
    expected["email"] = json!("new@example.com");
    expected["shipping"]["city"] = json!("Bath");
    let mut after = kit.stored();
    for computed in ["date_updated", "order_history", "email_count"] {
        after[computed] = before[computed].clone();
        expected[computed] = before[computed].clone();
    }
    assert_eq!(after, expected);
}

#[tokio::test]
async fn an_update_is_one_get_and_one_put_right_after_it() {
    let kit = Kit::new().await;
    kit.carry_out(update(json!({"email": "new@example.com"})))
        .await
        .unwrap();
    assert_eq!(kit.lines(), ["GET /orders/7001001", "PUT /orders/7001001"]);
    let requests = kit.requests();
    assert_eq!(requests[0].header("content-type"), None);
    assert_eq!(requests[1].header("content-type"), Some("application/json"));
    let sent: Value = serde_json::from_str(&requests[1].body).unwrap();
    assert_eq!(sent["email"], "new@example.com");
    assert!(
        sent.get("order_total").is_none(),
        "computed fields are not sent"
    );
    assert_eq!(kit.outcomes(), ["intent", "done"]);
}

#[tokio::test]
async fn what_is_so_already_is_done_without_a_request() {
    let kit = Kit::new().await;
    let email = kit.stored()["email"].clone();
    let outcome = kit
        .carry_out(update(json!({"email": email})))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert!(outcome.diff.is_empty());
    assert_eq!(outcome.remarks, ["already so; nothing was sent"]);
    assert_eq!(kit.lines(), ["GET /orders/7001001"]);
    assert!(kit.outcomes().is_empty(), "nothing was about to be done");
}

#[tokio::test]
async fn a_mistake_is_named_and_nothing_is_sent() {
    let kit = Kit::new().await;
    let error = kit
        .carry_out(update(json!({"emial": "new@example.com", "folder_id": 3})))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "bad_changes");
    assert!(error.to_string().contains("emial"), "{error}");
    assert!(error.to_string().contains("orders_move"), "{error}");
    assert_eq!(kit.lines(), ["GET /orders/7001001"]);
}

#[tokio::test]
async fn an_order_that_does_not_exist_is_not_written_to() {
    let kit = Kit::new().await;
    let change = UpdateOrder {
        id: order_id("99"),
        ..update(json!({"email": "new@example.com"}))
    };
    assert_eq!(kit.carry_out(change).await.unwrap_err().code(), "not_found");
    assert_eq!(kit.lines(), ["GET /orders/99"]);
}

#[tokio::test]
async fn what_the_caller_expects_and_is_not_there_is_a_conflict() {
    let kit = Kit::new().await;
    kit.edit("shipping_method", "Courier");
    let change = UpdateOrder {
        expected: Some(object(json!({"shipping_method": "Ground"}))),
        ..update(json!({"email": "new@example.com"}))
    };
    let error = kit.carry_out(change).await.unwrap_err();
    assert_eq!(error.code(), "conflict");
    let told = error.to_string();
    assert!(
        told.contains("`shipping_method` was \"Ground\" and is \"Courier\" now"),
        "{told}"
    );
    assert_eq!(kit.lines(), ["GET /orders/7001001"]);
}

#[tokio::test]
async fn what_was_agreed_to_must_still_be_there_and_other_fields_need_not() {
    let kit = Kit::new().await;
    let (writer, change) = (
        kit.writer(),
        Arc::new(update(json!({"email": "new@example.com"}))),
    );
    let preview = change.preview(writer.shop()).await.unwrap();
    assert_eq!(preview.diff[0].path, "email");

    kit.edit("shipping_method", "Courier");
    kit.edit("email", "theirs@example.com");
    let refused = writer
        .carry_out(change.clone(), Some(preview.clone()))
        .await;
    assert_eq!(refused.unwrap_err().code(), "conflict");
    assert_eq!(kit.stored()["email"], "theirs@example.com");

    kit.edit("email", preview.before["email"].clone());
    let done = writer.carry_out(change, Some(preview)).await.unwrap();
    assert_eq!(done.verdict, Verdict::Done);
    assert_eq!(kit.stored()["shipping_method"], "Courier");
}

#[tokio::test]
async fn a_preview_only_reads() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let changes: [Box<dyn Change>; 5] = [
        Box::new(update(json!({"email": "new@example.com"}))),
        Box::new(note("hello", NoteKind::Staff)),
        Box::new(note("hello", NoteKind::History)),
        Box::new(new_order("T-1")),
        Box::new(DeleteOrder {
            id: order_id(ORDER),
        }),
    ];
    for change in changes {
        let preview = change.preview(&shop).await.unwrap();
        assert!(
            !preview.diff.is_empty() && !preview.basis.is_empty(),
            "{change:?}"
        );
    }
    assert!(kit.requests().iter().all(|request| request.method == "GET"));
    assert!(kit.outcomes().is_empty());
}

#[tokio::test]
async fn a_changed_address_comes_with_a_warning_about_rules() {
    let kit = Kit::new().await;
    let outcome = kit
        .carry_out(update(json!({"shipping": {"city": "Bath"}})))
        .await
        .unwrap();
    assert!(
        outcome
            .remarks
            .iter()
            .any(|remark| remark.contains("rules")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_answer_without_the_order_is_read_again() {
    for fault in [Fault::MissingData, Fault::WrongTypes] {
        let kit = Kit::new().await;
        kit.sandbox
            .faults()
            .add(Rule::new(fault).on("PUT", "/orders/*"));
        let outcome = kit
            .carry_out(update(json!({"email": "new@example.com"})))
            .await
            .unwrap();
        assert_eq!(outcome.verdict, Verdict::Done);
        assert_eq!(fact(&outcome, "order")["email"], "new@example.com");
        let lines = kit.lines();
        assert_eq!(lines[1..], ["PUT /orders/7001001", "GET /orders/7001001"]);
    }
}

#[tokio::test]
async fn a_staff_note_is_added_once_and_the_others_stay() {
    let kit = Kit::new().await;
    kit.carry_out(note("first", NoteKind::Staff)).await.unwrap();
    let outcome = kit
        .carry_out(note("second", NoteKind::Staff))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(paths(&outcome), ["order_notes[new]"]);
    let again = kit
        .carry_out(note("FIRST ", NoteKind::Staff))
        .await
        .unwrap();
    assert_eq!(again.remarks, ["already so; nothing was sent"]);
    assert_eq!(
        (times_noted(&kit, "first"), times_noted(&kit, "second")),
        (1, 1)
    );
    let puts = kit
        .lines()
        .iter()
        .filter(|line| line.starts_with("PUT"))
        .count();
    assert_eq!(puts, 2);
}

#[tokio::test]
async fn a_note_that_does_not_fit_is_refused_before_anything_is_sent() {
    let kit = Kit::new().await;
    for kind in [NoteKind::Staff, NoteKind::History] {
        let error = kit
            .carry_out(note(&"x".repeat(1900), kind))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "bad_changes");
    }
    assert!(kit.lines().iter().all(|line| line.starts_with("GET")));
}

#[tokio::test]
async fn a_history_note_is_one_post_and_is_not_added_twice() {
    let kit = Kit::new().await;
    let outcome = kit
        .carry_out(note("checked", NoteKind::History))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    let again = kit
        .carry_out(note("Checked", NoteKind::History))
        .await
        .unwrap();
    assert_eq!(again.remarks, ["already so; nothing was sent"]);
    assert_eq!(times_in_history(&kit, "checked"), 1);
    assert_eq!(
        kit.lines(),
        [
            "GET /orders/7001001",
            "POST /orders/7001001/order-history",
            "GET /orders/7001001"
        ]
    );
}

#[tokio::test]
async fn the_same_new_order_twice_is_one_order() {
    let kit = Kit::new().await;
    let made = kit.carry_out(new_order("T-1")).await.unwrap();
    assert_eq!(made.verdict, Verdict::Done);
    let again = kit.carry_out(new_order("T-1")).await.unwrap();
    assert!(again.diff.is_empty());
    assert_eq!(fact(&again, "order")["id"], fact(&made, "order")["id"]);
    assert_eq!(kit.lines(), ["GET /orders", "POST /orders", "GET /orders"]);
}

#[tokio::test]
async fn another_order_of_the_same_number_is_named_and_nothing_is_sent() {
    let kit = Kit::new().await;
    let made = kit.carry_out(new_order("T-1")).await.unwrap();
    let mut other = new_order("T-1");
    other
        .order
        .insert("email".to_owned(), json!("else@example.com"));
    let error = kit.carry_out(other).await.unwrap_err();
    assert_eq!(error.code(), "already_exists");
    let id = fact(&made, "order")["id"].as_str().unwrap();
    assert!(
        error.to_string().contains(id) && error.to_string().contains("email"),
        "{error}"
    );
}

#[tokio::test]
async fn an_order_without_items_is_not_sent() {
    let kit = Kit::new().await;
    let mut change = new_order("T-1");
    change.order.remove("order_items");
    assert_eq!(
        kit.carry_out(change).await.unwrap_err().code(),
        "bad_changes"
    );
    assert_eq!(kit.sent(), 0);
}

#[tokio::test]
async fn a_deleted_order_is_gone_and_told_whole() {
    let kit = Kit::new().await;
    let before = kit.stored();
    let outcome = kit
        .carry_out(DeleteOrder {
            id: order_id(ORDER),
        })
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    let told = fact(&outcome, "order");
    assert_eq!(told["shipping"], before["shipping"]);
    let count = |order: &Value| order["order_items"].as_array().unwrap().len();
    assert_eq!(count(told), count(&before));
    assert_eq!(
        kit.lines(),
        [
            "GET /orders/7001001",
            "DELETE /orders/7001001",
            "GET /orders/7001001"
        ]
    );
    let again = kit
        .carry_out(DeleteOrder {
            id: order_id(ORDER),
        })
        .await;
    assert_eq!(again.unwrap_err().code(), "not_found");
}

#[tokio::test]
async fn an_order_that_changed_after_the_preview_is_not_deleted() {
    let kit = Kit::new().await;
    let (writer, change) = (
        kit.writer(),
        Arc::new(DeleteOrder {
            id: order_id(ORDER),
        }),
    );
    let preview = change.preview(writer.shop()).await.unwrap();
    kit.edit("email", "theirs@example.com");
    let refused = writer.carry_out(change, Some(preview)).await.unwrap_err();
    assert_eq!(refused.code(), "conflict");
    assert!(kit.lines().iter().all(|line| line.starts_with("GET")));
}

#[tokio::test]
async fn a_read_after_a_write_is_fresh_in_every_process() {
    let kit = Kit::new().await;
    let (here, there) = (kit.shop(), kit.shop());
    here.order(&order_id(ORDER), false).await.unwrap();
    there.order(&order_id(ORDER), false).await.unwrap();
    kit.carry_out(update(json!({"email": "new@example.com"})))
        .await
        .unwrap();
    for shop in [here, there] {
        let read = shop.order(&order_id(ORDER), false).await.unwrap();
        assert_eq!(read.value.email(), "new@example.com");
        assert!(!read.cached);
    }
}

#[tokio::test]
async fn nothing_about_a_card_can_be_learnt_by_expecting_it() {
    let kit = Kit::new().await;
    for (name, guess) in [
        ("cc_exp", json!("01/2001")),
        ("cc_number_masked", json!("xxxxxxxxxxxx0000")),
        (
            "processor_response",
            kit.stored()["processor_response"].clone(),
        ),
    ] {
        let expected = json!({ name: guess });
        let change = UpdateOrder {
            expected: expected.as_object().cloned(),
            ..update(json!({"email": "new@example.com"}))
        };
        let error = kit.carry_out(change).await.unwrap_err();
        assert_eq!(error.code(), "bad_changes", "{name}");
        let held = kit.stored()[name].as_str().unwrap().to_owned();
        assert!(!error.to_string().contains(&held), "{error}");
    }
    assert!(kit.lines().iter().all(|line| line.starts_with("GET")));
}
