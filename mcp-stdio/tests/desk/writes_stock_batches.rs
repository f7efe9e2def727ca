//! Many inventory items in one request: each row has a fate of its own, and no item loses a field to it.

use std::sync::Arc;

use mcp_stdio::desk::write::{BatchUpdateInventory, CreateInventoryItem, Verdict};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;

use crate::bad_days::{
    done_but_unanswered, kit_with, not_done_and_over, object, stock, told, verdicts, writes,
};
use crate::kit::Kit;
use crate::writes_inventory::{TOTE, lasting, set};

/// By id, by code, so already, unknown.
fn batch() -> BatchUpdateInventory {
    BatchUpdateInventory {
        rows: vec![
            object(json!({"id": TOTE, "stock": 30, "price": 17})),
            object(json!({"code": "MUG-1", "stock": 100})),
            object(json!({"code": "CAP-NVY", "stock": 15})),
            object(json!({"code": "NOWHERE", "stock": 1})),
        ],
    }
}

#[tokio::test]
async fn each_row_is_merged_into_its_item_and_has_its_own_outcome() {
    let kit = Kit::new().await;
    let (mut tote, mut mug) = (lasting(&kit, TOTE), lasting(&kit, TOTE + 2));
    let outcome = kit.carry_out(batch()).await.unwrap();
    assert_eq!(verdicts(&outcome), ["done", "done", "done", "not_done"]);
    assert_eq!(outcome.rows[2].why.as_deref(), Some("already so"));
    assert!(outcome.rows[3].why.as_ref().unwrap().contains("NOWHERE"));
    assert_eq!(
        outcome.rows[1].row,
        json!({"id": (TOTE + 2).to_string(), "code": "MUG-1"})
    );
    (tote["stock"], tote["price"], mug["stock"]) = (json!(30), json!(17), json!(100));
    assert_eq!((lasting(&kit, TOTE), lasting(&kit, TOTE + 2)), (tote, mug));
    assert_eq!(outcome.diff[0].path, "inventory_items[61001].price");
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "done"]);
}

#[tokio::test]
async fn a_batch_of_stock_survives_bad_answers() {
    let mut faults = done_but_unanswered().to_vec();
    faults.extend(not_done_and_over());
    faults.push(Fault::HangBefore);
    for fault in faults {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, batch()).await.unwrap();
        assert_eq!(
            verdicts(&outcome),
            ["done", "done", "done", "not_done"],
            "{fault:?}"
        );
        assert_eq!(stock(&kit, TOTE)["stock"], 30, "{fault:?}");
        assert_eq!(
            stock(&kit, TOTE)["name"],
            "Canvas Tote, Natural",
            "{fault:?}"
        );
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_batch_of_stock_that_says_success_and_changes_nothing_is_told_as_it_is() {
    let kit = kit_with(Fault::BatchNothing, 1).await;
    let outcome = told(&kit, batch()).await.unwrap();
    assert_eq!(
        verdicts(&outcome),
        ["not_done", "not_done", "done", "not_done"]
    );
    assert_eq!(writes(&kit), 1);
    assert_eq!(kit.outcomes(), ["intent", "failed"]);
}

#[tokio::test]
async fn two_rows_of_one_item_are_refused() {
    let kit = Kit::new().await;
    let twice = BatchUpdateInventory {
        rows: vec![
            object(json!({"id": TOTE, "stock": 30})),
            object(json!({"code": "TOTE-NAT", "stock": 31})),
        ],
    };
    let error = kit.carry_out(twice).await.unwrap_err();
    assert_eq!(error.code(), "bad_changes");
    assert_eq!(writes(&kit), 0);
}

#[tokio::test]
async fn many_items_go_in_requests_of_a_hundred() {
    let kit = Kit::new().await;
    let writer = kit.writer();
    for n in 0..110 {
        let item = object(
            json!({"name": format!("Part {n}"), "code": format!("PART-{n:03}"), "stock": 1}),
        );
        writer
            .carry_out(Arc::new(CreateInventoryItem { item }), None)
            .await
            .unwrap();
    }
    kit.sandbox.forget_requests();
    let row = |n: i32| object(json!({"code": format!("PART-{n:03}"), "stock": n + 2}));
    let rows = (0..110).map(row).collect();
    let outcome = kit.carry_out(BatchUpdateInventory { rows }).await.unwrap();
    assert_eq!((outcome.verdict, outcome.diff.len()), (Verdict::Done, 110));
    assert_eq!(writes(&kit), 2);
    assert!(kit.sent() <= 8, "{:?}", kit.lines());
}

#[tokio::test]
async fn a_second_request_that_fails_leaves_the_first_told_as_done() {
    let mut kit = Kit::new().await;
    kit.config.mutation_max_retries = 0;
    set(&kit, TOTE + 1, "code", json!("TOTE,BLK"));
    let rule = Rule::new(Fault::server_error(500)).on("PUT", "/batch-inventory-items");
    kit.sandbox.faults().add(rule.after(1).always());
    let rows = vec![
        object(json!({"id": TOTE, "stock": 1})),
        object(json!({"id": TOTE + 1, "stock": 2})),
    ];
    let outcome = kit.carry_out(BatchUpdateInventory { rows }).await.unwrap();
    let mut told = verdicts(&outcome);
    told.sort_unstable();
    assert_eq!(
        told,
        ["done", "not_done"],
        "a code with a comma goes by itself"
    );
    assert_eq!(kit.outcomes(), ["intent", "done", "intent", "failed"]);
}

/// What becomes of [`batch`] when `name` of its first item changes after the first attempt was turned away.
async fn edited_between(name: &str, value: serde_json::Value) -> (Kit, Vec<&'static str>) {
    let kit = kit_with(Fault::too_many_requests(1), 1).await;
    let writer = kit.writer();
    let writing = tokio::spawn(async move { writer.carry_out(Arc::new(batch()), None).await });
    let turned_away = async {
        while writes(&kit) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), turned_away)
        .await
        .unwrap();
    set(&kit, TOTE, name, value);
    let outcome = writing.await.unwrap().unwrap();
    (kit, verdicts(&outcome))
}

#[tokio::test]
async fn an_edit_beside_the_rows_between_two_attempts_survives() {
    let (kit, told) = edited_between("location", json!("Shelf B")).await;
    assert_eq!(told, ["done", "done", "done", "not_done"]);
    assert_eq!(stock(&kit, TOTE)["location"], "Shelf B");
    assert_eq!(stock(&kit, TOTE)["stock"], 30);
    assert_eq!(writes(&kit), 2);
}

#[tokio::test]
async fn an_edit_of_a_rows_own_field_between_two_attempts_is_not_overwritten() {
    let (kit, told) = edited_between("stock", json!(33)).await;
    assert_eq!(told, ["not_done", "done", "done", "not_done"]);
    assert_eq!(stock(&kit, TOTE)["stock"], 33);
    assert_eq!(stock(&kit, TOTE)["price"], 16);
}
