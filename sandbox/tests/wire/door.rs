//! Credentials, the token bucket, methods and paths.

use std::time::Duration;

use orderdesk_sandbox::{Clock, Options};
use serde_json::json;

use crate::client::{Desk, send};

#[tokio::test]
async fn the_test_call_answers_with_the_time() {
    let desk = Desk::open().await;
    let reply = desk.get("/test").await.ok();
    assert_eq!(reply["message"], "Connection Successful");
    assert!(
        reply["execution_time"]
            .as_str()
            .unwrap()
            .ends_with(" seconds")
    );
    assert_eq!(
        reply["current_date_time"].as_str().unwrap().len(),
        "2026-03-02 14:10:00".len()
    );
}

#[tokio::test]
async fn every_answer_is_dated_by_the_sandboxs_own_clock() {
    let clock = Clock::manual("2026-03-02T14:10:00Z".parse().unwrap());
    let desk = Desk::with(Options {
        clock: clock.clone(),
        ..Options::default()
    })
    .await;
    let date = desk.get("/test").await.header("date").map(str::to_owned);
    assert_eq!(date.as_deref(), Some("Mon, 02 Mar 2026 14:10:00 GMT"));
    clock.advance(Duration::from_secs(3600));
    let refused = desk.get("/nowhere").await;
    assert_eq!(
        refused.header("date"),
        Some("Mon, 02 Mar 2026 15:10:00 GMT")
    );
}

#[tokio::test]
async fn a_wrong_key_another_stores_key_and_no_key_are_refused() {
    let mut desk = Desk::with(Options {
        stores: 2,
        ..Options::default()
    })
    .await;
    let (own, other) = (desk.sandbox.store(0), desk.sandbox.store(1));
    for key in ["", "wrong", &other.api_key] {
        let mut access = own.clone();
        access.api_key = key.to_owned();
        desk.enter(access);
        let reply = desk.get("/store").await;
        assert_eq!(reply.refused(), (401, "Invalid Store ID or API Key"));
        assert!(
            reply.header("x-tokens-remaining").is_some(),
            "the header stands on errors too"
        );
    }
    let bare = crate::client::http().get(format!("{}/store", desk.sandbox.base_url()));
    assert_eq!(send(bare).await.unwrap().refused().0, 401);
    assert!(!desk.sandbox.requests().last().unwrap().key_sent);
}

#[tokio::test]
async fn stores_share_nothing() {
    let mut desk = Desk::with(Options {
        stores: 2,
        ..Options::default()
    })
    .await;
    let first = desk.get("/orders?limit=1").await.ok();
    desk.enter(desk.sandbox.store(1));
    let id = first["orders"][0]["id"].as_str().unwrap();
    assert_eq!(
        desk.get(&format!("/orders/{id}")).await.refused(),
        (404, "Order Not Found")
    );
    assert_eq!(desk.get("/store").await.ok()["store"]["id"], "4243");
}

#[tokio::test]
async fn twenty_requests_pass_the_next_is_told_when_to_come_back() {
    let clock = Clock::manual("2026-03-02T12:00:00Z".parse().unwrap());
    let desk = Desk::with(Options {
        clock: clock.clone(),
        ..Options::default()
    })
    .await;
    for left in (0..20).rev() {
        let reply = desk.get("/test").await;
        assert_eq!(
            (reply.status, reply.header("x-tokens-remaining")),
            (200, Some(left.to_string().as_str()))
        );
    }
    let refused = desk.get("/orders/7001001").await;
    assert_eq!(refused.refused(), (429, "Too Many Requests"));
    assert_eq!(
        (
            refused.header("x-tokens-remaining"),
            refused.header("x-retry-after")
        ),
        (Some("0"), Some("1"))
    );

    clock.advance(Duration::from_secs(1));
    assert_eq!(
        desk.get("/test").await.header("x-tokens-remaining"),
        Some("2")
    );
}

#[tokio::test]
async fn somebody_elses_use_of_the_key_empties_the_bucket() {
    let desk = Desk::with(Options::default()).await;
    desk.sandbox.drain_tokens(&desk.access.store_id, 20);
    assert_eq!(desk.get("/test").await.status, 429);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let desk = Desk::open().await;
    assert_eq!(
        desk.get("/folders").await.refused(),
        (404, "Invalid Endpoint")
    );
    assert_eq!(
        desk.get("/orders/7001001/notes").await.refused(),
        (404, "Invalid Endpoint")
    );
    assert_eq!(
        desk.get("/orders/new").await.refused(),
        (404, "Order Not Found")
    );
    assert_eq!(
        desk.call("PATCH", "/orders/7001001", &json!({}))
            .await
            .refused(),
        (405, "Method Not Allowed")
    );
    assert_eq!(
        desk.call("DELETE", "/store", &json!({})).await.refused(),
        (405, "Method Not Allowed")
    );
    assert_eq!(
        desk.get("/order/7001001").await.status,
        200,
        "the singular is an alias"
    );
}

#[tokio::test]
async fn a_post_can_be_a_put_in_disguise() {
    let desk = Desk::open().await;
    let stock = desk.get("/inventory-items/61001").await.ok()["inventory_item"].clone();
    let disguised = desk
        .request("POST", "/inventory-items/61001")
        .header("X-HTTP-Method-Override", "PUT");
    let reply = send(disguised.body(stock.to_string())).await.unwrap().ok();
    assert_eq!(reply["message"], "Inventory Item Updated");
}

#[tokio::test]
async fn json_that_is_none_is_refused() {
    let desk = Desk::open().await;
    let reply = send(desk.request("POST", "/orders").body("{\"order_items\": ["))
        .await
        .unwrap();
    assert_eq!(reply.refused(), (400, "Invalid JSON"));
}

#[tokio::test]
async fn the_log_tells_what_was_asked_but_never_the_key() {
    let desk = Desk::open().await;
    desk.get("/orders?email=a%40example.com&limit=3").await;
    let requests = desk.sandbox.requests();
    let last = requests.last().unwrap();
    assert_eq!(
        (last.method.as_str(), last.path.as_str(), last.status),
        ("GET", "/orders", 200)
    );
    assert_eq!(last.parameter("email").as_deref(), Some("a@example.com"));
    assert!(last.key_sent && last.header("orderdesk-store-id") == Some("4242"));
    assert!(!format!("{requests:?}").contains(&desk.access.api_key));
    desk.sandbox.forget_requests();
    assert!(desk.sandbox.requests().is_empty());
}

#[tokio::test]
async fn the_log_tells_how_many_requests_were_under_way_at_once() {
    let desk = Desk::with(Options {
        latency: Duration::from_millis(400),
        ..Options::default()
    })
    .await;
    tokio::join!(desk.get("/test"), desk.get("/test"), desk.get("/test"));
    desk.get("/test").await;
    let in_flight: Vec<u32> = desk
        .sandbox
        .requests()
        .iter()
        .map(|request| request.in_flight)
        .collect();
    assert_eq!(in_flight, [1, 2, 3, 1]);
}

#[tokio::test]
async fn a_closed_sandbox_refuses_connections() {
    let desk = Desk::open().await;
    let address = desk.sandbox.address();
    desk.get("/test").await.ok();
    desk.sandbox.close().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
