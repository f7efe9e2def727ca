//! What is written down about writes, and what happens when it cannot be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mcp_stdio::desk::journal::{Intent, Journal, JournalError};
use mcp_stdio::desk::write::{NoteKind, Verdict};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;
use shared::audit::Outcome;
use shared::session::SessionId;
use shared::state::{Durability, Slot};
use shared::writes::turn::Turn;
use shared::writes::{self, Begun};

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
async fn keys_that_only_a_customer_could_have_named_are_not_recorded() {
    let kit = Kit::new().await;
    let item = kit.stored()["order_items"][0]["id"].clone();
    let changes = json!({
        "checkout_data": {"rosa@example.com": "a", "For Rosa": "b"},
        "order_items": [{"id": item, "variation_list": {"Rosa's name": "c"}, "quantity": 7}],
        "email": "new@example.com",
    });
    kit.carry_out(update(changes)).await.unwrap();
    let told = kit.records()[0].args_shape.clone().unwrap();
    let item = item.as_str().unwrap();
    assert_eq!(
        told,
        format!(
            "changes: checkout_data, order_items[{item}].variation_list, order_items[{item}].quantity, email"
        )
    );
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

/// A journal whose first begins or ends fail.
#[derive(Debug)]
struct Hesitant {
    inner: Arc<dyn Journal>,
    lost_turns: AtomicU32,
    failing_ends: AtomicU32,
}

impl Hesitant {
    fn writer(kit: &Kit, lost_turns: u32, failing_ends: u32) -> mcp_stdio::desk::Writer {
        let hesitant = Hesitant {
            inner: kit.journal(),
            lost_turns: AtomicU32::new(lost_turns),
            failing_ends: AtomicU32::new(failing_ends),
        };
        kit.desk().writer(kit.access(), Arc::new(hesitant))
    }
}

/// Whether there is one more to come.
fn one_more(left: &AtomicU32) -> bool {
    let less = |count: u32| count.checked_sub(1);
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        .is_ok()
}

impl Journal for Hesitant {
    fn session(&self) -> Option<SessionId> {
        self.inner.session()
    }

    fn begin(&self, intent: &Intent, turn: &Turn) -> Result<Begun, JournalError> {
        if one_more(&self.lost_turns) {
            return Err(JournalError::TurnLost);
        }
        self.inner.begin(intent, turn)
    }

    fn end(
        &self,
        begun: &Begun,
        outcome: Outcome,
        turn: Option<&Turn>,
    ) -> Result<(), JournalError> {
        if one_more(&self.failing_ends) {
            return Err(JournalError::Unwritten {
                code: "full",
                why: "the disk is full".to_owned(),
            });
        }
        self.inner.end(begun, outcome, turn)
    }
}

#[tokio::test]
async fn a_turn_that_was_lost_is_taken_again_and_nothing_was_sent_meanwhile() {
    let kit = Kit::new().await;
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let outcome = Hesitant::writer(&kit, 2, 0)
        .carry_out(change.clone(), None)
        .await;
    assert_eq!(outcome.unwrap().verdict, Verdict::Done);
    assert_eq!(
        kit.lines(),
        ["GET", "GET", "GET", "PUT"].map(|method| format!("{method} /orders/7001001"))
    );
    let change = Arc::new(update(json!({"email": "other@example.com"})));
    let error = Hesitant::writer(&kit, 9, 0)
        .carry_out(change, None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "order_busy");
    assert_eq!(kit.stored()["email"], "new@example.com");
}

#[tokio::test]
async fn an_outcome_is_tried_again_and_one_that_cannot_be_recorded_is_told() {
    let kit = Kit::new().await;
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let outcome = Hesitant::writer(&kit, 0, 2)
        .carry_out(change, None)
        .await
        .unwrap();
    assert_eq!(
        (outcome.verdict, outcome.remarks),
        (Verdict::Done, Vec::new())
    );
    assert_eq!(kit.outcomes(), ["intent", "done"]);

    let change = Arc::new(update(json!({"email": "other@example.com"})));
    let outcome = Hesitant::writer(&kit, 0, 3)
        .carry_out(change, None)
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert!(
        outcome.remarks[0].contains("could not be recorded (full)"),
        "{:?}",
        outcome.remarks
    );
    assert_eq!(kit.outcomes(), ["intent", "done", "intent"]);
    let change = Arc::new(update(json!({"email": "third@example.com"})));
    let next = kit.writer().carry_out(change, None).await.unwrap();
    assert_eq!(
        next.verdict,
        Verdict::Done,
        "the turn was given back all the same"
    );
}
