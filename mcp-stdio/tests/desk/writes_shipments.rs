//! Shipments: one and many, on good days and bad ones. A customer must never be told twice of one parcel.

use std::sync::Arc;

use mcp_stdio::desk::model::ShipmentId;
use mcp_stdio::desk::write::{
    AddShipment, BatchAddShipments, Change, RemoveShipment, UpdateShipment, Verdict,
};
use orderdesk_sandbox::{Fault, Rule, seed};
use serde_json::{Value, json};

use crate::bad_days::{
    done_but_unanswered, fact, kit_with, not_done_and_over, object, order, told, verdicts, writes,
};
use crate::kit::{Kit, ORDER, order_id};

const NUMBER: &str = "1ZDEMO0000000077";

fn parcel(number: &str) -> AddShipment {
    AddShipment {
        order: order_id(ORDER),
        shipment: object(
            json!({"tracking_number": number, "carrier_code": "UPS", "shipment_method": "Ground"}),
        ),
    }
}

fn shipments(kit: &Kit, id: &str) -> Vec<Value> {
    order(kit, id)["order_shipments"]
        .as_array()
        .unwrap()
        .clone()
}

/// How many parcels with `number` the order has.
fn times(kit: &Kit, id: &str, number: &str) -> usize {
    let is_it = |shipment: &&Value| shipment["tracking_number"] == number;
    shipments(kit, id).iter().filter(is_it).count()
}

#[tokio::test]
async fn an_added_shipment_is_told_with_its_id_and_says_who_hears_of_it() {
    let kit = Kit::new().await;
    let outcome = kit.carry_out(parcel(&format!(" {NUMBER} "))).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(
        times(&kit, ORDER, NUMBER),
        1,
        "blanks around it are dropped"
    );
    assert!(fact(&outcome, "shipment")["id"].is_string());
    assert!(
        outcome
            .remarks
            .iter()
            .any(|remark| remark.contains("e-mail the customer"))
    );
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "done"]);
}

#[tokio::test]
async fn a_parcel_that_is_there_in_another_spelling_is_not_sent() {
    let kit = Kit::new().await;
    kit.carry_out(parcel(NUMBER)).await.unwrap();
    let preview = parcel("1zdemo-0000-0000-77")
        .preview(&kit.shop())
        .await
        .unwrap();
    assert!(preview.diff.is_empty());
    let outcome = kit.carry_out(parcel("1zdemo-0000-0000-77")).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert!(
        outcome
            .remarks
            .iter()
            .any(|remark| remark.starts_with("already there"))
    );
    assert_eq!(fact(&outcome, "shipment")["tracking_number"], NUMBER);
    assert_eq!((writes(&kit), shipments(&kit, ORDER).len()), (1, 2));
}

#[tokio::test]
async fn a_parcel_without_a_number_is_refused_and_one_that_says_so_is_sent() {
    let kit = Kit::new().await;
    for number in ["", "  "] {
        let error = kit.carry_out(parcel(number)).await.unwrap_err();
        assert_eq!(error.code(), "bad_changes");
        assert!(error.to_string().contains("n/a"), "{error}");
    }
    assert_eq!(kit.sent(), 0);
    let outcome = kit.carry_out(parcel("n/a")).await.unwrap();
    assert!(
        outcome
            .remarks
            .iter()
            .any(|remark| remark.contains("no tracking number"))
    );
}

#[tokio::test]
async fn a_parcel_holds_only_what_was_ordered() {
    let kit = Kit::new().await;
    let item = order(&kit, ORDER)["order_items"][0].clone();
    let with = |items: Value| {
        let mut parcel = parcel(NUMBER);
        parcel.shipment.insert("order_items".to_owned(), items);
        parcel
    };
    let wrong = with(json!([{"id": "1", "quantity": 1}, {"id": item["id"], "quantity": 999}]));
    let error = kit.carry_out(wrong).await.unwrap_err();
    assert_eq!(error.code(), "bad_changes");
    assert!(error.to_string().contains("order_items[1]"), "{error}");
    assert_eq!(writes(&kit), 0);
    let right = with(json!([{"id": item["id"], "quantity": 1}]));
    kit.carry_out(right).await.unwrap();
    assert_eq!(shipments(&kit, ORDER)[1]["order_items"][0]["quantity"], 1);
}

#[tokio::test]
async fn a_shipment_whose_answer_got_lost_is_found_and_there_once() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, parcel(NUMBER)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(
            (times(&kit, ORDER, NUMBER), writes(&kit)),
            (1, 1),
            "{fault:?}"
        );
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_shipment_that_was_not_added_is_sent_again_and_there_once() {
    let mut faults = not_done_and_over().to_vec();
    // Order Desk refuses the number if the late one was first, so a second time does no harm.
    faults.extend([Fault::HangBefore, Fault::DoneLate { ms: 600 }]);
    for fault in faults {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, parcel(NUMBER)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(times(&kit, ORDER, NUMBER), 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_order_desks_words_when_it_is_not_there() {
    let kit = kit_with(Fault::error_on_200("Shipment Not Added"), 1).await;
    let error = told(&kit, parcel(NUMBER)).await.unwrap_err();
    assert_eq!(error.code(), "rejected");
    assert!(error.to_string().contains("Shipment Not Added"));
    assert_eq!((writes(&kit), times(&kit, ORDER, NUMBER)), (1, 0));
    assert_eq!(kit.outcomes(), ["intent", "failed"]);
}

#[tokio::test]
async fn a_shipment_is_changed_in_what_was_named_and_removed_when_it_was_named() {
    let kit = Kit::new().await;
    let id = seed::THREE_PARCELS.to_string();
    let before = shipments(&kit, &id);
    let shipment = ShipmentId::parse(before[1]["id"].as_str().unwrap()).unwrap();
    let update = UpdateShipment {
        order: order_id(&id),
        shipment: shipment.clone(),
        changes: object(json!({"cost": "7.20"})),
    };
    let outcome = kit.carry_out(update).await.unwrap();
    assert_eq!((outcome.verdict, outcome.diff.len()), (Verdict::Done, 1));
    let mut expected = before.clone();
    expected[1]["cost"] = json!("7.20");
    assert_eq!(shipments(&kit, &id), expected);
    let removal = RemoveShipment {
        order: order_id(&id),
        shipment,
    };
    let outcome = kit.carry_out(removal).await.unwrap();
    assert_eq!(fact(&outcome, "shipment")["cost"], "7.20");
    let kept = [&before[..1], &before[2..]].concat();
    assert_eq!(shipments(&kit, &id), kept);
}

#[tokio::test]
async fn a_removal_whose_answer_got_lost_is_found_done() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let id = seed::THREE_PARCELS.to_string();
        let first = shipments(&kit, &id)[0]["id"].as_str().unwrap().to_owned();
        let removal = RemoveShipment {
            order: order_id(&id),
            shipment: ShipmentId::parse(&first).unwrap(),
        };
        let outcome = told(&kit, removal).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        let left = shipments(&kit, &id);
        assert!(left.iter().all(|shipment| shipment["id"] != first.as_str()));
        assert_eq!((left.len(), writes(&kit)), (3, 1), "{fault:?}");
    }
}

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
    assert_eq!(kit.records()[0].target.as_deref(), Some("100 orders"));
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
async fn a_new_number_under_the_old_link_is_remarked_on() {
    let kit = Kit::new().await;
    let id = seed::THREE_PARCELS.to_string();
    let first = shipments(&kit, &id)[0]["id"].as_str().unwrap().to_owned();
    let update = |changes: Value| UpdateShipment {
        order: order_id(&id),
        shipment: ShipmentId::parse(&first).unwrap(),
        changes: object(changes),
    };
    let warned = |remarks: &[String]| remarks.iter().any(|remark| remark.contains("old number"));
    let new_number = update(json!({"tracking_number": "1ZNEW"}));
    assert!(warned(
        &new_number.preview(&kit.shop()).await.unwrap().remarks
    ));
    assert!(warned(&kit.carry_out(new_number).await.unwrap().remarks));
    let both = update(json!({"tracking_number": "1ZNEWER", "tracking_url": ""}));
    assert!(!warned(&kit.carry_out(both).await.unwrap().remarks));
    let link = shipments(&kit, &id)[0]["tracking_url"].clone();
    assert!(link.as_str().unwrap().contains("1ZNEWER"), "{link}");
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
