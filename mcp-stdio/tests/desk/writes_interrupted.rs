//! What happens in the shop, or to the turn, while the intent of a write is written down.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mcp_stdio::desk::journal::{Intent, Journal, JournalError};
use mcp_stdio::desk::write::{BatchAddShipments, NoteKind, Verdict};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;
use shared::audit::Outcome;
use shared::clock::ManualClock;
use shared::session::SessionId;
use shared::writes::Begun;
use shared::writes::turn::{MAX_HOLD, Turn};

use crate::bad_days::{object, writes};
use crate::kit::{Kit, ORDER};
use crate::writes_orders::{note, times_in_history, update};

/// A journal in which something happens while the intent is written down.
struct Interrupted {
    inner: Arc<dyn Journal>,
    meanwhile: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}

impl Journal for Interrupted {
    fn session(&self) -> Option<SessionId> {
        self.inner.session()
    }

    fn begin(&self, intent: &Intent, turn: &Turn) -> Result<Begun, JournalError> {
        let begun = self.inner.begin(intent, turn);
        (self.meanwhile)();
        begun
    }

    fn end(
        &self,
        begun: &Begun,
        outcome: Outcome,
        turn: Option<&Turn>,
    ) -> Result<(), JournalError> {
        self.inner.end(begun, outcome, turn)
    }
}

impl Interrupted {
    fn writer(kit: &Kit, meanwhile: impl Fn() + Send + Sync + 'static) -> mcp_stdio::desk::Writer {
        let journal = Interrupted {
            inner: kit.journal(),
            meanwhile: Box::new(meanwhile),
        };
        kit.desk().writer(kit.access(), Arc::new(journal))
    }
}

/// The order was put back once, and not before it had been read so often. On a busy machine it is read even more often.
fn put_once_after(reads: usize, kit: &Kit) {
    let lines = kit.lines();
    assert_eq!(lines.last().unwrap(), "PUT /orders/7001001", "{lines:?}");
    assert_eq!(writes(kit), 1, "{lines:?}");
    assert!(lines.len() > reads, "{lines:?}");
}

/// An update during whose intent somebody edits another field, and `pass` lets time go by.
async fn updated_meanwhile(mut kit: Kit, clock: &Arc<ManualClock>, pass: fn(&ManualClock)) {
    kit.clock = Arc::<ManualClock>::clone(clock);
    let kit = Arc::new(kit);
    let (shop, clock) = (Arc::clone(&kit), Arc::clone(clock));
    let writer = Interrupted::writer(&kit, move || {
        shop.edit("customer_id", "C-FOREIGN");
        pass(&clock);
    });
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let outcome = writer.carry_out(change, None).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    put_once_after(2, &kit);
    let stored = kit.stored();
    assert_eq!(
        (&stored["email"], &stored["customer_id"]),
        (&json!("new@example.com"), &json!("C-FOREIGN"))
    );
    assert_eq!(kit.outcomes(), ["intent", "done"]);
}

#[tokio::test]
async fn what_was_read_too_long_before_the_intent_was_written_is_read_again() {
    // A machine that sleeps: only the clock on the wall has gone on.
    let asleep: fn(&ManualClock) = |clock| clock.advance(Duration::from_secs(6));
    // A slow disk.
    let slow: fn(&ManualClock) = |_| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(350) {
            std::thread::yield_now();
        }
    };
    for pass in [asleep, slow] {
        updated_meanwhile(Kit::new().await, &Arc::default(), pass).await;
    }
}

#[tokio::test]
async fn an_answer_that_shows_the_old_state_is_held_against_the_shop() {
    let kit = Arc::new(Kit::new().await);
    let old = json!({"status": "success", "message": "Order Updated", "order": kit.stored()});
    let rule = Rule::new(Fault::answer(200, &old.to_string()));
    kit.sandbox.faults().add(rule.on("PUT", "/orders/*"));
    let shop = Arc::clone(&kit);
    let writer = Interrupted::writer(&kit, move || shop.edit("email", "new@example.com"));
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let outcome = writer.carry_out(change, None).await.unwrap();
    assert_eq!(
        (outcome.verdict, outcome.remarks),
        (Verdict::Done, Vec::new())
    );
    assert_eq!(
        kit.lines(),
        ["GET", "PUT", "GET"].map(|method| format!("{method} /orders/7001001"))
    );
}

/// A kit whose first intent takes so long that its turn is lost, as when the machine sleeps.
async fn sleepy() -> (Kit, mcp_stdio::desk::Writer) {
    let clock = Arc::new(ManualClock::default());
    let mut kit = Kit::new().await;
    kit.clock = Arc::<ManualClock>::clone(&clock);
    let slept = AtomicBool::new(false);
    let writer = Interrupted::writer(&kit, move || {
        if !slept.swap(true, Ordering::SeqCst) {
            clock.advance(MAX_HOLD + Duration::from_secs(1));
        }
    });
    (kit, writer)
}

#[tokio::test]
async fn a_turn_that_was_lost_between_two_rounds_is_taken_again_before_anything_is_sent() {
    let (kit, writer) = sleepy().await;
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let outcome = writer.carry_out(change, None).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    put_once_after(3, &kit);
    assert_eq!(kit.outcomes(), ["intent", "failed", "intent", "done"]);
}

#[tokio::test]
async fn what_was_not_done_is_not_sent_again_under_a_turn_that_was_lost() {
    let (kit, writer) = sleepy().await;
    let once = Rule::new(Fault::server_error(500)).on("POST", "/**");
    kit.sandbox.faults().add(once);
    let change = Arc::new(note("Rosa called", NoteKind::History));
    let outcome = writer.carry_out(change, None).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(times_in_history(&kit, "Rosa called"), 1);
    assert_eq!(kit.outcomes(), ["intent", "failed", "intent", "done"]);
}

#[tokio::test]
async fn rows_that_were_not_added_are_not_sent_again_under_a_turn_that_was_lost() {
    let (kit, writer) = sleepy().await;
    let once = Rule::new(Fault::server_error(500)).on("POST", "/**");
    kit.sandbox.faults().add(once);
    let rows = ["1ZA", "1ZB"];
    let rows = rows.map(|number| object(json!({"order_id": ORDER, "tracking_number": number})));
    let change = Arc::new(BatchAddShipments {
        rows: rows.to_vec(),
    });
    let outcome = writer.carry_out(change, None).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::NotDone);
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "failed"]);
}
