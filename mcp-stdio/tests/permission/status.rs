//! What `server_status` says about changes, and about Order Desk when it is told to ask.

use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;

use crate::kit::{ORDER, home, shops, writes};
use crate::support::{Home, wait_for};

#[test]
fn it_asks_order_desk_only_when_told_to() {
    let sandbox = shops();
    let mut server = home(&sandbox).session();
    let quiet = server.call("server_status", json!({})).ok();
    assert!(quiet.get("order_desk").is_none() && sandbox.requests().is_empty());
    let asked = server.call("server_status", json!({"check": true})).ok();
    assert_eq!(
        (&asked["order_desk"], &asked["status"]),
        (&json!("answers"), &json!("ok"))
    );
    assert_eq!(asked["mode"], "read-write");
    let requests = sandbox.requests();
    assert_eq!((requests.len(), requests[0].path.as_str()), (1, "/test"));
}

#[test]
fn a_key_that_is_not_accepted_is_no_failure_of_the_status() {
    let sandbox = shops();
    let mut server = Home::with_store(&sandbox).set("API_KEY", "wrong").session();
    let asked = server.call("server_status", json!({"check": true})).ok();
    assert_eq!(asked["status"], "degraded");
    assert_eq!(asked["order_desk"], "see degraded");
    let lines = asked["degraded"].to_string();
    assert!(lines.contains("Order Desk does not accept"), "{lines}");
}

#[test]
fn a_change_whose_process_died_is_told_until_a_person_has_looked() {
    let sandbox = shops();
    let home = home(&sandbox);
    let path = format!("/orders/{ORDER}");
    let rule = Rule::new(Fault::HangBefore).on("PUT", &path).always();
    sandbox.faults().add(rule);
    let mut server = home.session();
    let changes = json!({"email": "secret.person@example.com"});
    server.ask(
        "tools/call",
        &json!({"name": "orders_update", "arguments": {"order_id": ORDER, "changes": changes}}),
    );
    wait_for("the change to be on its way", || {
        (!writes(&sandbox).is_empty()).then_some(())
    });
    drop(server); // killed
    let mut next = home.session();
    let status = next.call("server_status", json!({})).ok();
    let unknown = &status["unknown_outcomes"][0];
    assert_eq!(unknown["target"], format!("order {ORDER}"), "{status}");
    assert_eq!(unknown["action"], "order.updated");
    assert!(!unknown["check"].as_str().unwrap().is_empty());
    assert!(!status.to_string().contains("secret.person"), "{status}");
    assert_eq!(status["status"], "degraded");

    let seq = unknown["seq"].to_string();
    home.run(&["audit", "settle", "--seq", &seq, "--as", "not-done"])
        .fine();
    let settled = next.call("server_status", json!({})).ok();
    assert!(settled.get("unknown_outcomes").is_none(), "{settled}");
}
