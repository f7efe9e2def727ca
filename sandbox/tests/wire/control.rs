//! `/__sandbox/…`, and the life of a sandbox without a runtime.

use orderdesk_sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use crate::client::{Desk, Reply, http, send};

async fn control(desk: &Desk, method: &str, path: &str, body: &Value) -> Reply {
    let url = format!("http://{}/__sandbox/{path}", desk.sandbox.address());
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    send(http().request(method.parse().unwrap(), url).body(body))
        .await
        .unwrap()
}

#[tokio::test]
async fn faults_are_added_watched_and_lifted_from_outside() {
    let desk = Desk::open().await;
    let rule = json!({"fault": {"kind": "server_error", "status": 500}, "method": "GET", "path": "/orders/*", "times": 2});
    assert_eq!(
        control(&desk, "POST", "faults", &rule).await.json["added"],
        1
    );
    assert_eq!(
        control(&desk, "POST", "faults", &json!([rule, rule]))
            .await
            .json["added"],
        2
    );
    assert_eq!(desk.get("/orders/7001001").await.status, 500);
    let report = control(&desk, "GET", "faults", &Value::Null).await.json;
    assert_eq!(
        (&report[0]["fired"], &report[1]["fired"]),
        (&json!(1), &json!(0))
    );
    control(&desk, "DELETE", "faults", &Value::Null).await;
    assert_eq!(desk.get("/orders/7001001").await.status, 200);
    let misspelt = control(
        &desk,
        "POST",
        "faults",
        &json!({"fault": {"kind": "server_eror"}}),
    )
    .await;
    assert!(
        misspelt.status == 400 && misspelt.text.contains("server_eror"),
        "{}",
        misspelt.text
    );
}

#[tokio::test]
async fn requests_and_events_are_listed_without_keys() {
    let desk = Desk::open().await;
    let body = json!({"order_id_list": [7_001_060], "destination_folder_name": "Hold"});
    desk.call("POST", "/move-orders", &body).await.ok();
    let requests = control(&desk, "GET", "requests", &Value::Null).await;
    assert_eq!(
        (&requests.json[0]["path"], &requests.json[0]["status"]),
        (&json!("/move-orders"), &json!(200))
    );
    assert!(!requests.text.contains(&desk.access.api_key));
    let events = control(&desk, "GET", "events", &Value::Null).await.json;
    assert_eq!(
        (&events["4242"][0]["event"], &events["4242"][0]["detail"]),
        (&json!("Folder is Changed"), &json!("Hold"))
    );
    control(&desk, "DELETE", "requests", &Value::Null).await;
    assert!(desk.sandbox.requests().is_empty());
}

#[tokio::test]
async fn all_that_the_shops_hold_can_be_read_at_once() {
    let desk = Desk::open().await;
    desk.call(
        "POST",
        "/orders/7001001/order-history",
        &json!({"note": "seen"}),
    )
    .await
    .ok();
    let state = control(&desk, "GET", "state", &Value::Null).await.json;
    let shop = &state["4242"];
    assert_eq!(Some(shop), desk.sandbox.state("4242").as_ref());
    assert_eq!(shop["orders"].as_array().unwrap().len(), 60);
    assert_eq!(shop["folders"][4], json!({"id": 50105, "name": "Hold"}));
    let order = &shop["orders"][0];
    let history = order["order_history"].as_array().unwrap();
    assert_eq!(
        (&order["id"], &history.last().unwrap()["note"]),
        (&json!("7001001"), &json!("seen"))
    );
    let item = desk.sandbox.inventory_item("4242", 61_001).unwrap();
    assert_eq!(shop["inventory_items"][0], item);
}

#[tokio::test]
async fn a_request_is_logged_with_the_moments_of_its_arrival_and_its_answer() {
    let desk = Desk::open().await;
    desk.sandbox
        .faults()
        .next(orderdesk_sandbox::Fault::CutBefore);
    assert!(send(desk.request("GET", "/store")).await.is_err());
    desk.get("/store").await.ok();
    let requests = desk.sandbox.requests();
    assert_eq!(requests[0].answered_us, None);
    assert!(requests[1].answered_us.unwrap() >= requests[1].at_us);
    assert_eq!(requests[1].at_us / 1_000, requests[1].at_ms);
}

#[tokio::test]
async fn reset_brings_the_first_day_back() {
    let desk = Desk::open().await;
    desk.call("DELETE", "/orders/7001001", &Value::Null)
        .await
        .ok();
    control(&desk, "POST", "reset", &Value::Null).await;
    assert_eq!(desk.get("/orders/7001001").await.status, 200);
}

#[tokio::test]
async fn an_unknown_control_path_shows_the_known_ones() {
    let desk = Desk::open().await;
    let reply = control(&desk, "GET", "fault", &Value::Null).await;
    assert!(reply.status == 404 && reply.text.contains("/__sandbox/faults"));
    assert_eq!(
        control(
            &desk,
            "POST",
            "rules",
            &json!({"into": 50102, "then": 50103})
        )
        .await
        .json["added"],
        1
    );
}

#[test]
fn it_starts_without_a_runtime_and_refuses_connections_once_stopped() {
    let sandbox = Sandbox::start_blocking(Options::default()).unwrap();
    let address = sandbox.address();
    assert!(std::net::TcpStream::connect(address).is_ok());
    sandbox.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
}
