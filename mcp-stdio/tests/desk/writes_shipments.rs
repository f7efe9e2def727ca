//! Shipments: one and many, on good days and bad ones. A customer must never be told twice of one parcel.

use mcp_stdio::desk::model::ShipmentId;
use mcp_stdio::desk::write::{AddShipment, Change, RemoveShipment, UpdateShipment, Verdict};
use orderdesk_sandbox::{Fault, seed};
use serde_json::{Value, json};

use crate::bad_days::{
    done_but_unanswered, fact, kit_with, not_done_and_over, object, order, told, writes,
};
use crate::kit::{Kit, ORDER, order_id};

const NUMBER: &str = "1ZDEMO0000000077";

pub(crate) fn parcel(number: &str) -> AddShipment {
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
pub(crate) fn times(kit: &Kit, id: &str, number: &str) -> usize {
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
