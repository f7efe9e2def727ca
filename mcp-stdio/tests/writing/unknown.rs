//! What nobody can tell is said, with what to look at; and it stays said until somebody has looked.

use orderdesk_sandbox::{Fault, Options, Rule};
use serde_json::json;

use crate::kit::{ORDER, Shop};

#[test]
fn an_outcome_that_nobody_knows_says_where_to_look_and_stays_in_the_servers_status() {
    let mut shop = Shop::with(
        Options::default(),
        &[("CONFIRM", "never"), ("HTTP_TIMEOUT", "500ms")],
    );
    let rule = Rule::new(Fault::HangBefore).on("POST", "/orders/*/order-items");
    let silent = shop.sandbox.faults().add(rule.times(1));
    let answer = shop.call(
        "order_items_add",
        json!({"order_id": ORDER, "item": {"name": "Mug"}}),
    );
    assert_eq!(silent.fired(), 1);
    assert_eq!(
        (&answer["outcome"], &answer["diff"]),
        (&json!("unknown"), &json!([]))
    );
    let check = answer["check"].as_str().unwrap();
    assert!(check.contains("order_items_list") && check.contains(&ORDER.to_string()));
    assert!(
        answer["next"]
            .as_str()
            .unwrap()
            .contains("before you do it again")
    );
    assert_eq!(
        shop.writes().len(),
        1,
        "it was sent once: {:?}",
        shop.writes()
    );
    let status = shop.other("server_status", json!({}));
    assert_eq!(status["status"], "degraded", "{status}");
    assert_eq!(status["unknown_outcomes"][0]["check"], check);
}

#[test]
fn an_answer_that_got_lost_is_looked_for_and_nothing_is_sent_twice() {
    let mut shop = Shop::open();
    for (method, path) in [
        ("PUT", "/orders/*"),
        ("POST", "/orders/*/shipments"),
        ("POST", "/orders/*/order-items"),
    ] {
        let lost = Rule::new(Fault::CutAfter).on(method, path).times(1);
        let lost = shop.sandbox.faults().add(lost);
        let (tool, arguments) = match path {
            "/orders/*" => (
                "orders_update",
                json!({"order_id": ORDER, "changes": {"email": "new@example.com"}}),
            ),
            "/orders/*/shipments" => (
                "shipments_add",
                json!({"order_id": ORDER, "tracking_number": "LOST-1"}),
            ),
            _ => (
                "order_items_add",
                json!({"order_id": ORDER, "item": {"name": "Mug"}}),
            ),
        };
        shop.sandbox.forget_requests();
        let answer = shop.call(tool, arguments);
        assert_eq!(lost.fired(), 1);
        assert_eq!(answer["outcome"], "done", "{answer}");
        assert_eq!(shop.writes().len(), 1, "{tool}: {:?}", shop.writes());
    }
}
