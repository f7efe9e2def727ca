//! From one text to the orders it means.

use mcp_stdio::desk::model::Order;
use mcp_stdio::desk::{Found, Verdict};
use orderdesk_sandbox::{Fault, Rule, seed};

use crate::kit::{Kit, ORDER, order_id};

async fn find(kit: &Kit, text: &str) -> Found {
    Found::clone(&kit.shop().find(text, false).await.unwrap().value)
}

fn told(found: &Found) -> (Verdict, Vec<(String, Vec<&'static str>)>) {
    let rows = found.matches.iter().map(|hit| {
        (
            hit.order.id().into_owned(),
            hit.matched_by.iter().map(|by| by.as_str()).collect(),
        )
    });
    (found.verdict(), rows.collect())
}

fn one(id: u64, by: &'static str) -> (Verdict, Vec<(String, Vec<&'static str>)>) {
    (Verdict::One, vec![(id.to_string(), vec![by])])
}

async fn order(kit: &Kit, id: u64) -> Order {
    Order::clone(
        &kit.shop()
            .order(&order_id(&id.to_string()), false)
            .await
            .unwrap()
            .value,
    )
}

#[tokio::test]
async fn an_order_is_found_by_id_and_by_channel_number() {
    let kit = Kit::new().await;
    assert_eq!(told(&find(&kit, ORDER).await), one(7_001_001, "order_id"));
    let number = order(&kit, 7_001_001).await.source_id().into_owned();
    assert_eq!(
        told(&find(&kit, &number).await),
        one(7_001_001, "source_id")
    );
}

#[tokio::test]
async fn two_orders_that_share_a_number_are_many() {
    let kit = Kit::new().await;
    let (verdict, rows) = told(&find(&kit, seed::TWIN_SOURCE_ID).await);
    assert_eq!(verdict, Verdict::Many);
    let mut ids: Vec<String> = rows.into_iter().map(|(id, _)| id).collect();
    ids.sort();
    assert_eq!(ids, [seed::TWIN_A.to_string(), seed::TWIN_B.to_string()]);
}

#[tokio::test]
async fn an_email_is_found_in_any_case() {
    let kit = Kit::new().await;
    assert_eq!(
        told(&find(&kit, "Zoe.Lukasik@Example.com").await),
        one(seed::UNICODE, "email")
    );
    assert_eq!(
        kit.sent(),
        1,
        "an e-mail address is asked for as nothing else"
    );
}

#[tokio::test]
async fn people_are_found_by_name_in_either_order_and_companies_too() {
    let kit = Kit::new().await;
    assert_eq!(
        told(&find(&kit, "zoë łukasik-čapek").await),
        one(seed::UNICODE, "name")
    );
    assert_eq!(
        told(&find(&kit, "Łukasik-Čapek, Zoë").await),
        one(seed::UNICODE, "name")
    );
    assert_eq!(
        told(&find(&kit, "Łukasik-Čapek").await),
        one(seed::UNICODE, "name")
    );
    assert_eq!(
        told(&find(&kit, "Brightfield & Sons Ltd").await),
        one(seed::COMPANY_ONLY, "company")
    );
}

#[tokio::test]
async fn a_phone_number_is_found_however_it_is_written() {
    let kit = Kit::new().await;
    let as_stored = find(&kit, "+44 1632 960001").await;
    assert_eq!(told(&as_stored), one(seed::COMPANY_ONLY, "phone"));
    assert!(as_stored.window.is_none());

    let rewritten = find(&kit, "+44 (1632) 960-001").await;
    assert_eq!(told(&rewritten), one(seed::COMPANY_ONLY, "phone"));
    assert!(rewritten.window.unwrap().complete);
}

#[tokio::test]
async fn a_tracking_number_is_found_by_a_bounded_walk_that_says_how_far_it_went() {
    let kit = Kit::new().await;
    for number in seed::PARCEL_NUMBERS {
        let found = find(&kit, number).await;
        assert_eq!(told(&found), one(seed::THREE_PARCELS, "tracking_number"));
        let window = found.window.unwrap();
        assert_eq!(
            (window.pages, window.orders, window.complete),
            (1, 60, true)
        );
    }
    let walk = kit
        .requests()
        .into_iter()
        .find(|request| request.query.contains("order_by=date_added"))
        .unwrap();
    assert!(
        walk.parameter("search_start_date").is_some(),
        "no open-ended listing"
    );
}

#[tokio::test]
async fn the_walk_ends_after_five_pages_and_says_that_it_is_not_complete() {
    let kit = Kit::with(orderdesk_sandbox::Options {
        orders: 1100,
        ..crate::kit::wide_open()
    })
    .await;
    let found = find(&kit, "9400999999999999999999").await;
    assert_eq!(found.verdict(), Verdict::None);
    let window = found.window.unwrap();
    assert_eq!(
        (window.pages, window.orders, window.complete),
        (5, 1000, false)
    );
}

#[tokio::test]
async fn nothing_is_none_and_cost_few_requests() {
    let kit = Kit::new().await;
    for text in ["NOPE-1", "999999", "Nobody Here", "nobody@example.com"] {
        kit.sandbox.forget_requests();
        let found = find(&kit, text).await;
        assert_eq!(told(&found), (Verdict::None, vec![]), "{text}");
        assert!(kit.sent() <= 7, "{text}: {}", kit.sent());
    }
}

#[tokio::test]
async fn what_the_api_returns_is_verified_before_it_counts() {
    let kit = Kit::new().await;
    let generous = r#"{"status":"success","orders":[{"id":"1","source_id":"A-10"},{"id":"2","source_id":"A-1"},{"id":"2","source_id":"A-1"}]}"#;
    let ticket = kit.sandbox.faults().add(
        Rule::new(Fault::answer(200, generous))
            .on("GET", "/orders")
            .always(),
    );
    assert_eq!(told(&find(&kit, "A-1").await), one(2, "source_id"));
    assert!(ticket.fired() > 0);
}

#[tokio::test]
async fn a_failing_question_fails_the_search_instead_of_shortening_it() {
    let mut kit = Kit::new().await;
    kit.config.max_retries = 0;
    kit.sandbox.faults().add(
        Rule::new(Fault::server_error(500))
            .on("GET", "/orders")
            .always(),
    );
    assert_eq!(
        kit.shop()
            .find("Rosa Lind", false)
            .await
            .unwrap_err()
            .code(),
        "upstream"
    );
}

#[tokio::test]
async fn a_search_that_was_answered_from_the_cache_says_so() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let first = shop.find(seed::TWIN_SOURCE_ID, false).await.unwrap();
    let second = shop.find(seed::TWIN_SOURCE_ID, false).await.unwrap();
    let third = shop.find(seed::TWIN_SOURCE_ID, true).await.unwrap();
    assert_eq!(
        (first.cached, second.cached, third.cached),
        (false, true, false)
    );
    assert!(second.fetched_at <= first.fetched_at && third.fetched_at > first.fetched_at);
}
