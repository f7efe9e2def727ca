//! Many shipments in one request: each row has a fate of its own, and the whole may be run again.

use std::sync::Arc;

use mcp_stdio::desk::write::{BatchAddShipments, Verdict};
use orderdesk_sandbox::{Fault, Rule, seed};
use serde_json::json;

use crate::bad_days::{
    done_but_unanswered, kit_with, not_done_and_over, object, order, told, verdicts, writes,
};
use crate::kit::{Kit, ORDER};
use crate::writes_shipments::{parcel, times};

/// The seeded order has a parcel already. Three rows: by id, by the channel's number, and one for an order that is not there.
fn rows(kit: &Kit) -> BatchAddShipments {
    let second = order(kit, "7001002");
    BatchAddShipments {
        rows: vec![
            object(json!({"order_id": 7_001_001, "tracking_number": "1ZA", "carrier_code": "UPS"})),
            object(
                json!({"source_id": second["source_id"], "tracking_number": "1ZB", "carrier_code": "UPS"}),
            ),
            object(json!({"order_id": "7999999", "tracking_number": "1ZC"})),
        ],
    }
}

#[tokio::test]
async fn each_row_of_a_batch_has_its_own_outcome_and_the_whole_may_be_run_again() {
    let kit = Kit::new().await;
    let outcome = kit.carry_out(rows(&kit)).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::NotDone);
    assert_eq!(verdicts(&outcome), ["done", "done", "not_done"]);
    assert_eq!(outcome.rows[1].row["order_id"], "7001002");
    assert!(outcome.rows[2].why.as_ref().unwrap().contains("7999999"));
    assert_eq!(outcome.diff.len(), 2);
    let again = kit.carry_out(rows(&kit)).await.unwrap();
    assert_eq!(verdicts(&again), ["done", "done", "not_done"]);
    assert_eq!(again.rows[0].why.as_deref(), Some("already there"));
    assert_eq!(writes(&kit), 1, "the second run had nothing to send");
    assert_eq!(times(&kit, ORDER, "1ZA") + times(&kit, "7001002", "1ZB"), 2);
    assert_eq!(kit.outcomes(), ["intent", "done"]);
}

#[tokio::test]
async fn of_rows_that_are_sent_together_each_is_told_what_became_of_it() {
    let kit = Kit::new().await;
    let row = |order: &str, number: &str, carrier: &str| {
        object(json!({"order_id": order, "tracking_number": number, "carrier_code": carrier}))
    };
    let first = BatchAddShipments {
        rows: vec![row(ORDER, "1ZA", "UPS")],
    };
    kit.carry_out(first).await.unwrap();
    // Another parcel by its carrier, which Order Desk does not look at.
    let batch = BatchAddShipments {
        rows: vec![row(ORDER, "1ZA", "FedEx"), row("7001002", "1ZB", "UPS")],
    };
    let outcome = kit.carry_out(batch).await.unwrap();
    assert_eq!(verdicts(&outcome), ["not_done", "done"]);
    assert_eq!(outcome.rows[0].row["order_id"], ORDER);
    let why = outcome.rows[0].why.as_deref().unwrap();
    assert!(why.contains("Shipment Not Added"), "{why}");
    assert_eq!(outcome.diff.len(), 1);
    assert!(
        outcome.diff[0].path.contains("7001002"),
        "{:?}",
        outcome.diff
    );
}

#[tokio::test]
async fn a_number_that_fits_no_order_or_two_fails_its_row_and_says_which() {
    let kit = Kit::new().await;
    let batch = BatchAddShipments {
        rows: vec![
            object(json!({"source_id": seed::TWIN_SOURCE_ID, "tracking_number": "1ZA"})),
            object(json!({"source_id": "NOWHERE-1", "tracking_number": "1ZB"})),
            object(json!({"order_id": ORDER, "tracking_number": "1ZC"})),
        ],
    };
    let outcome = kit.carry_out(batch).await.unwrap();
    assert_eq!(verdicts(&outcome), ["not_done", "not_done", "done"]);
    let why = outcome.rows[0].why.clone().unwrap();
    assert!(
        why.contains(&seed::TWIN_A.to_string()) && why.contains(&seed::TWIN_B.to_string()),
        "{why}"
    );
    assert!(outcome.rows[1].why.as_ref().unwrap().contains("NOWHERE-1"));
}

#[tokio::test]
async fn one_parcel_in_two_rows_is_sent_once() {
    let kit = Kit::new().await;
    let batch = BatchAddShipments {
        rows: vec![
            object(json!({"order_id": ORDER, "tracking_number": "1Z-A"})),
            object(json!({"order_id": ORDER, "tracking_number": "1za"})),
        ],
    };
    let outcome = kit.carry_out(batch).await.unwrap();
    assert_eq!(verdicts(&outcome), ["done", "done"]);
    assert_eq!(times(&kit, ORDER, "1Z-A") + times(&kit, ORDER, "1za"), 1);
}

#[tokio::test]
async fn a_row_with_a_mistake_stops_the_whole_batch_before_anything_is_sent() {
    let kit = Kit::new().await;
    let batch = BatchAddShipments {
        rows: vec![
            object(json!({"order_id": ORDER, "tracking_number": "1ZA"})),
            object(json!({"order_id": ORDER})),
            object(json!({"order_id": ORDER, "tracking_number": "1ZB", "carier_code": "UPS"})),
        ],
    };
    let error = kit.carry_out(batch).await.unwrap_err();
    assert_eq!(error.code(), "bad_changes");
    let said = error.to_string();
    assert!(
        said.contains("shipments[1]") && said.contains("shipments[2]"),
        "{said}"
    );
    assert_eq!(kit.sent(), 0);
}

#[tokio::test]
async fn a_batch_that_says_success_and_adds_nothing_is_told_as_it_is() {
    let kit = kit_with(Fault::BatchNothing, 1).await;
    let outcome = told(&kit, rows(&kit)).await.unwrap();
    assert_eq!(verdicts(&outcome), ["not_done", "not_done", "not_done"]);
    assert_eq!((writes(&kit), times(&kit, ORDER, "1ZA")), (1, 0));
    assert_eq!(kit.outcomes(), ["intent", "failed"]);
    let again = kit.carry_out(rows(&kit)).await.unwrap();
    assert_eq!(verdicts(&again), ["done", "done", "not_done"]);
}

#[tokio::test]
async fn a_batch_whose_answer_got_lost_is_looked_for_and_sent_once() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, rows(&kit)).await.unwrap();
        assert_eq!(
            verdicts(&outcome),
            ["done", "done", "not_done"],
            "{fault:?}"
        );
        assert_eq!(writes(&kit), 1, "{fault:?}");
        assert_eq!(times(&kit, ORDER, "1ZA"), 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_batch_that_was_not_carried_out_is_sent_again() {
    let mut faults = not_done_and_over().to_vec();
    faults.push(Fault::HangBefore);
    for fault in faults {
        let kit = kit_with(fault.clone(), 2).await;
        let outcome = told(&kit, rows(&kit)).await.unwrap();
        assert_eq!(
            verdicts(&outcome),
            ["done", "done", "not_done"],
            "{fault:?}"
        );
        assert_eq!(
            (writes(&kit), times(&kit, ORDER, "1ZA")),
            (3, 1),
            "{fault:?}"
        );
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_batch_that_nobody_ever_answers_is_unknown_and_may_be_run_again() {
    let mut kit = kit_with(Fault::HangBefore, 0).await;
    kit.config.mutation_max_retries = 1;
    let outcome = told(&kit, rows(&kit)).await.unwrap();
    assert_eq!(verdicts(&outcome), ["unknown", "unknown", "not_done"]);
    assert!(outcome.check.is_some());
    assert_eq!(kit.outcomes(), ["intent", "unknown"]);
}

#[tokio::test]
async fn many_rows_go_in_requests_of_a_hundred_with_a_record_each() {
    let kit = Kit::new().await;
    let row = |n: u64| {
        let id = seed::FIRST_ORDER + n % 60;
        object(json!({"order_id": id, "tracking_number": format!("BULK-{n:04}")}))
    };
    let batch = BatchAddShipments {
        rows: (0..230).map(row).collect(),
    };
    let change = Arc::new(batch.clone());
    let outcome = kit.writer().carry_out(change, None).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!((outcome.rows.len(), writes(&kit)), (230, 3));
    assert_eq!(kit.outcomes(), ["intent", "done"].repeat(3));
    let target = kit.records()[0].target.clone().unwrap();
    assert!(target.starts_with("orders 7001"), "{target}");
    let again = kit.carry_out(batch).await.unwrap();
    assert!(
        again
            .rows
            .iter()
            .all(|row| row.why.as_deref() == Some("already there"))
    );
    assert_eq!(writes(&kit), 3);
}

#[tokio::test]
async fn when_the_second_request_fails_the_rows_of_the_first_stay_told_as_done() {
    let mut kit = Kit::new().await;
    kit.config.mutation_max_retries = 0;
    let rule = Rule::new(Fault::server_error(500)).on("POST", "/batch-shipments");
    kit.sandbox.faults().add(rule.after(1).always());
    let row = |n: u64| {
        let id = seed::FIRST_ORDER + n % 60;
        object(json!({"order_id": id, "tracking_number": format!("BULK-{n:04}")}))
    };
    let batch = BatchAddShipments {
        rows: (0..150).map(row).collect(),
    };
    let outcome = kit.carry_out(batch).await.unwrap();
    let done = verdicts(&outcome)
        .iter()
        .filter(|told| **told == "done")
        .count();
    assert_eq!((outcome.verdict, done), (Verdict::NotDone, 100));
    assert_eq!(outcome.diff.len(), 100);
    assert_eq!(kit.outcomes(), ["intent", "done", "intent", "failed"]);
}

#[tokio::test]
async fn a_parcel_without_a_number_that_nobody_answers_for_is_never_sent_twice() {
    let one = || {
        vec![
            object(json!({"order_id": ORDER, "tracking_number": "n/a"})),
            object(json!({"order_id": "7001002", "tracking_number": "1ZB"})),
        ]
    };
    let kit = kit_with(Fault::HangBefore, 1).await;
    let outcome = told(&kit, BatchAddShipments { rows: one() }).await.unwrap();
    assert_eq!(verdicts(&outcome), ["unknown", "done"]);
    assert_eq!((times(&kit, ORDER, "n/a"), writes(&kit)), (0, 2));
    let kit = kit_with(Fault::HangBefore, 1).await;
    let outcome = told(&kit, parcel("n/a")).await.unwrap();
    assert_eq!((outcome.verdict, writes(&kit)), (Verdict::Unknown, 1));
}
