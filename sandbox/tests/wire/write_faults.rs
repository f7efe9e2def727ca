//! Faults around a write, through the wire: what was answered, and what the shop holds all the same.

use std::time::{Duration, Instant};

use orderdesk_sandbox::{Fault, Rule, seed};
use serde_json::{Value, json};

use crate::client::{Desk, send};

const ITEMS: &str = "/orders/7001001/order-items";
const ORDER: u64 = seed::FIRST_ORDER;

/// How many items of this name the order holds.
fn items_named(desk: &Desk, name: &str) -> usize {
    let order = desk.sandbox.order(&desk.access.store_id, ORDER).unwrap();
    let items = order["order_items"].as_array().unwrap();
    items.iter().filter(|item| item["name"] == name).count()
}

async fn add_item(desk: &Desk, name: &str) -> crate::client::Reply {
    let item = json!({"name": name, "price": 1, "quantity": 1});
    desk.call("POST", ITEMS, &item).await
}

#[tokio::test]
async fn an_error_page_or_an_error_envelope_may_stand_over_work_that_is_done() {
    let desk = Desk::open().await;
    desk.sandbox
        .faults()
        .next(Fault::ServerErrorAfter { status: 500 });
    let page = add_item(&desk, "paged").await;
    assert!(page.status == 500 && page.text.starts_with("<html>"));
    desk.sandbox.faults().next(Fault::ErrorOn200After {
        message: "Try Again".to_owned(),
    });
    let envelope = add_item(&desk, "enveloped").await;
    assert_eq!(envelope.refused(), (200, "Try Again"));
    assert_eq!(
        (items_named(&desk, "paged"), items_named(&desk, "enveloped")),
        (1, 1)
    );
}

#[tokio::test]
async fn late_work_is_done_after_the_client_has_hung_up() {
    let desk = Desk::open().await;
    desk.sandbox.faults().next(Fault::DoneLate { ms: 300 });
    let item = json!({"name": "late", "price": 1, "quantity": 1});
    let request = desk
        .request("POST", ITEMS)
        .timeout(Duration::from_millis(100))
        .body(item.to_string());
    assert!(send(request).await.is_err_and(|error| error.is_timeout()));
    assert_eq!(items_named(&desk, "late"), 0);
    let deadline = Instant::now() + Duration::from_secs(5);
    while items_named(&desk, "late") == 0 {
        assert!(Instant::now() < deadline, "the work was never done");
        tokio::task::yield_now().await;
    }
    assert_eq!(items_named(&desk, "late"), 1);
}

#[tokio::test]
async fn a_batch_can_answer_success_and_do_nothing() {
    let desk = Desk::open().await;
    let always = |method, path| Rule::new(Fault::BatchNothing).on(method, path);
    desk.sandbox
        .faults()
        .add(always("POST", "/batch-shipments"));
    desk.sandbox
        .faults()
        .add(always("PUT", "/batch-inventory-items"));
    let before = desk.sandbox.state(&desk.access.store_id);
    let shipments = json!([{"order_id": ORDER, "tracking_number": "1ZNOTHING"}]);
    let told = desk.call("POST", "/batch-shipments", &shipments).await.ok();
    assert_eq!(
        (&told["message"], &told["results"]),
        (&json!("0 Shipments Added"), &json!([]))
    );
    let stock = json!([{"id": seed::FIRST_INVENTORY_ITEM, "name": "x", "code": "y"}]);
    let told = desk
        .call("PUT", "/batch-inventory-items", &stock)
        .await
        .ok();
    assert_eq!(told["message"], "0 Inventory Items Updated");
    assert_eq!(desk.sandbox.state(&desk.access.store_id), before);
}

#[tokio::test]
async fn a_rule_moves_what_was_written_behind_the_answer() {
    let desk = Desk::open().await;
    let hold = Fault::RuleMoves {
        folder: seed::FOLDER_HOLD,
    };
    let path = format!("/orders/{ORDER}");
    let mut order = desk.order(ORDER).await;
    let before = order["folder_id"].clone();
    order["email"] = json!("new@example.com");
    desk.sandbox.faults().next(hold.clone());
    let answered = desk.call("PUT", &path, &order).await.ok();
    assert_eq!(answered["order"]["folder_id"], before);
    let now = desk.order(ORDER).await;
    assert_eq!(
        (&now["folder_id"], &now["email"]),
        (&json!(seed::FOLDER_HOLD), &json!("new@example.com"))
    );

    // A batch and a move name theirs in the body, a new order stands in the answer.
    desk.sandbox.faults().next(hold.clone());
    let shipments =
        json!([{"order_id": (ORDER + 1).to_string(), "tracking_number": "1ZMOVESALONG"}]);
    desk.call("POST", "/batch-shipments", &shipments).await.ok();
    desk.sandbox.faults().next(hold.clone());
    let new = json!({"shipping": {"first_name": "Ada"}, "order_items": [{"name": "x", "price": 1, "quantity": 1}]});
    let made = desk.call("POST", "/orders", &new).await.ok();
    desk.sandbox.faults().next(hold);
    let moved =
        json!({"order_id_list": [ORDER + 2], "destination_folder_id": seed::FOLDER_CANCELED});
    desk.call("POST", "/move-orders", &moved).await.ok();
    let id = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    for order in [ORDER + 1, id(&made["order"]["id"]), ORDER + 2] {
        assert_eq!(desk.order(order).await["folder_id"], seed::FOLDER_HOLD);
    }
}
