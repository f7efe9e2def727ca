//! What is written down about writes, and what happens when it cannot be.

use std::sync::Arc;
use std::time::Duration;

use mcp_stdio::desk::write::{NoteKind, Verdict};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;
use shared::state::{Durability, Slot};
use shared::writes;

use crate::kit::{Kit, ORDER, order_id};
use crate::writes_orders::{note, update};

#[tokio::test]
async fn the_record_names_the_order_and_the_fields_and_no_value() {
    let kit = Kit::new().await;
    kit.carry_out(update(
        json!({"email": "rosa@example.com", "shipping": {"city": "Bath"}}),
    ))
    .await
    .unwrap();
    kit.carry_out(note("Rosa called", NoteKind::Staff))
        .await
        .unwrap();
    let records = kit.records();
    let told: Vec<_> = records
        .iter()
        .map(|record| {
            (
                record.action.as_str(),
                record.outcome.as_str(),
                record.intent_seq,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("order.updated", "intent", None),
            ("order.updated", "done", Some(1)),
            ("order.noted", "intent", None),
            ("order.noted", "done", Some(3)),
        ]
    );
    assert_eq!(records[0].target.as_deref(), Some("order 7001001"));
    assert_eq!(
        records[0].args_shape.as_deref(),
        Some("changes: email, shipping.city")
    );
    assert_eq!(
        records[2].args_shape.as_deref(),
        Some("staff note: 11 chars")
    );
    let all = format!("{records:?}");
    for value in ["rosa", "Bath", "Rosa"] {
        assert!(!all.contains(value), "{value}");
    }
}

#[tokio::test]
async fn without_a_state_file_nothing_is_written_and_reading_goes_on() {
    let mut kit = Kit::new().await;
    let no_folder = kit.home.path().join("a file");
    std::fs::write(&no_folder, "").unwrap();
    kit.slot = Slot::new(shared::paths::Home::at(no_folder));
    assert!(kit.slot.open_now().is_err());
    let error = kit
        .carry_out(update(json!({"email": "new@example.com"})))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "no_record");
    assert_eq!(kit.sent(), 0);
    kit.shop().order(&order_id(ORDER), false).await.unwrap();
}

#[tokio::test]
async fn while_the_state_file_is_locked_nothing_is_sent() {
    let kit = Kit::new().await;
    let (locked, is_locked) = std::sync::mpsc::channel();
    let (let_go, may_go) = std::sync::mpsc::channel::<()>();
    let state = kit.slot.get().unwrap();
    let other = std::thread::spawn(move || {
        state.write("test", Durability::Normal, |_| {
            locked.send(()).unwrap();
            let _ = may_go.recv();
            Ok(())
        })
    });
    is_locked.recv().unwrap();
    let error = kit
        .carry_out(update(json!({"email": "new@example.com"})))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "no_record");
    assert_eq!(kit.sent(), 0);
    drop(let_go);
    other.join().unwrap().unwrap();
    kit.carry_out(update(json!({"email": "new@example.com"})))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_nobody_can_tell_waits_for_a_person_with_what_to_look_at() {
    let mut kit = Kit::new().await;
    kit.config.http_timeout = Duration::from_millis(300);
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::HangBefore).on("POST", "/**"));
    let outcome = kit
        .carry_out(note("once", NoteKind::History))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Unknown);
    let unsettled = writes::unsettled(&kit.slot.get().unwrap(), None).unwrap();
    assert_eq!(unsettled.len(), 1);
    assert_eq!(unsettled[0].target, "order 7001001");
    assert!(
        unsettled[0].check.contains("history"),
        "{}",
        unsettled[0].check
    );
}

#[tokio::test]
async fn a_caller_that_leaves_after_the_intent_does_not_stop_the_write() {
    let kit = Kit::new().await;
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::Delay { ms: 300 }).on("PUT", "/orders/*"));
    let desk = kit.desk();
    let writer = kit.writer_of(&desk);
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let call = tokio::spawn(async move { writer.carry_out(change, None).await });
    kit.until_sent(2).await;
    assert_eq!(desk.writes_under_way().count(), 1);
    call.abort();
    assert!(
        desk.writes_under_way()
            .settled(Duration::from_secs(10))
            .await
    );
    assert_eq!(kit.outcomes(), ["intent", "done"]);
    assert_eq!(kit.stored()["email"], "new@example.com");
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_intent_stops_it_and_nothing_is_sent() {
    let kit = Kit::new().await;
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::HangBefore).on("GET", "/orders/*"));
    let writer = kit.writer();
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let call = tokio::spawn(async move { writer.carry_out(change, None).await });
    kit.until_sent(1).await;
    call.abort();
    // Whoever wants the same order next gets its turn: the one that was left is given back.
    kit.carry_out(update(json!({"email": "other@example.com"})))
        .await
        .unwrap();
    assert_eq!(kit.outcomes(), ["intent", "done"]);
    assert_eq!(kit.stored()["email"], "other@example.com");
}
