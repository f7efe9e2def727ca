//! Walks through many orders: bounds, seams, and rows that move while they are read.

use std::collections::HashSet;

use mcp_stdio::desk::model::OrdersQuery;
use mcp_stdio::desk::{MOST_PAGES, Walked};
use orderdesk_sandbox::{Fault, Options, Rule, seed};
use serde_json::json;

use crate::kit::{Kit, wide_open};

/// Longer ago than any seeded order, and later than never.
const SINCE: &str = "2020-01-01 00:00:00";
const BEFORE_THAT: &str = "2019-01-01 00:00:00";

async fn kit(orders: usize) -> Kit {
    Kit::with(Options {
        orders,
        ..wide_open()
    })
    .await
}

fn since(date: &str) -> OrdersQuery {
    OrdersQuery {
        search_start_date: Some(date.to_owned()),
        ..OrdersQuery::default()
    }
}

/// Gives the seeded orders with these numbers (from 0, oldest first) another date.
fn date(kit: &Kit, numbers: std::ops::Range<u64>, date: &str) {
    let store = kit.sandbox.store(0).store_id;
    for number in numbers {
        let edited = kit
            .sandbox
            .edit_order(&store, seed::FIRST_ORDER + number, |order| {
                order.insert("date_added".to_owned(), json!(date));
            });
        assert!(edited);
    }
}

/// The ids that a walk hands on, and what happens after the first of them.
async fn walk(
    kit: &Kit,
    query: OrdersQuery,
    meanwhile: impl Fn() + Send + Sync,
) -> (Walked, Vec<String>) {
    let mut ids = Vec::new();
    let walked = kit
        .shop()
        .walk_orders(query, false, |order| {
            if ids.is_empty() {
                meanwhile();
            }
            ids.push(order.id().into_owned());
        })
        .await
        .unwrap();
    assert_eq!(walked.rows, ids.len() as u64);
    let distinct: HashSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "an order was handed on twice");
    (walked, ids)
}

fn id(number: u64) -> String {
    (seed::FIRST_ORDER + number).to_string()
}

#[tokio::test]
async fn every_order_is_handed_on_once_the_oldest_first() {
    let kit = kit(450).await;
    let (walked, ids) = walk(&kit, since(SINCE), || ()).await;
    assert_eq!(ids, (0..450).map(id).collect::<Vec<_>>());
    assert!(walked.complete && !walked.moved && walked.go_on_from.is_none());
    assert_eq!((walked.pages, kit.sent()), (3, 3));
}

#[tokio::test]
async fn an_empty_window_is_complete_after_one_page() {
    let kit = kit(3).await;
    let (walked, ids) = walk(&kit, since("2099-01-01"), || ()).await;
    assert!(ids.is_empty() && walked.complete);
    assert_eq!(walked.pages, 1);
}

#[tokio::test]
async fn orders_that_vanish_between_two_pages_let_no_other_slip_past() {
    let kit = kit(450).await;
    let (walked, ids) = walk(&kit, since(SINCE), || date(&kit, 3..11, BEFORE_THAT)).await;
    assert_eq!(ids, (0..450).map(id).collect::<Vec<_>>());
    assert!(walked.complete && !walked.moved);
}

#[tokio::test]
async fn when_more_vanish_than_pages_overlap_it_is_told() {
    let kit = kit(450).await;
    let (walked, ids) = walk(&kit, since(SINCE), || date(&kit, 0..30, BEFORE_THAT)).await;
    assert!(!walked.complete && walked.moved);
    assert!(ids.len() < 450);
}

#[tokio::test]
async fn orders_that_appear_among_those_already_read_are_not_counted_twice() {
    let kit = kit(450).await;
    date(&kit, 0..25, BEFORE_THAT);
    let (walked, ids) = walk(&kit, since(SINCE), || date(&kit, 0..25, SINCE)).await;
    assert_eq!(ids, (25..450).map(id).collect::<Vec<_>>());
    assert!(walked.complete);
}

#[tokio::test]
async fn a_window_beyond_the_bounds_says_where_to_go_on_and_both_parts_add_up() {
    let kit = kit(2_100).await;
    // The last page that is read ends within this second.
    date(&kit, 1_895..1_930, "2031-05-05 05:05:05");
    date(&kit, 1_930..2_100, "2031-05-05 05:05:06");
    let (first, mut ids) = walk(&kit, since(SINCE), || ()).await;
    assert_eq!((first.pages, first.complete), (MOST_PAGES, false));
    assert_eq!(first.go_on_from.as_deref(), Some("2031-05-05 05:05:05"));
    assert_eq!(first.rows, 1_895);
    let (rest, more) = walk(&kit, since(&first.go_on_from.unwrap()), || ()).await;
    assert!(rest.complete);
    ids.extend(more);
    assert_eq!(ids, (0..2_100).map(id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_that_fails_for_good_fails_the_walk() {
    let mut kit = kit(450).await;
    kit.config.max_retries = 0;
    let failing = Rule::new(Fault::server_error(502))
        .on("GET", "/orders")
        .after(1);
    let ticket = kit.sandbox.faults().add(failing);
    let error = kit
        .shop()
        .walk_orders(since(SINCE), false, |_| ())
        .await
        .unwrap_err();
    assert_eq!((error.code(), ticket.fired()), ("upstream", 1));
}

#[tokio::test]
async fn a_page_that_fails_once_is_asked_for_again() {
    let kit = kit(450).await;
    kit.sandbox.faults().next(Fault::server_error(502));
    let (walked, ids) = walk(&kit, since(SINCE), || ()).await;
    assert_eq!((walked.pages, ids.len()), (3, 450));
}

#[tokio::test]
async fn the_inventory_is_read_whole_or_by_sku() {
    let kit = kit(3).await;
    let mut codes = Vec::new();
    let walked = kit
        .shop()
        .walk_inventory(Vec::new(), false, |item| {
            codes.push(item.code().into_owned());
        })
        .await
        .unwrap();
    assert_eq!((walked.rows, walked.complete), (14, true));
    codes.clear();
    let two = vec!["TEE-M".to_owned(), "MUG-1".to_owned()];
    kit.shop()
        .walk_inventory(two, false, |item| codes.push(item.code().into_owned()))
        .await
        .unwrap();
    codes.sort();
    assert_eq!(codes, ["MUG-1", "TEE-M"]);
}
