//! What is served again, and what never is.

use std::sync::Arc;
use std::time::Duration;

use mcp_stdio::desk::Access;
use mcp_stdio::desk::model::OrdersQuery;
use orderdesk_sandbox::{Fault, Rule};
use shared::clock::ManualClock;
use shared::secret::Secret;
use shared::state::{Slot, StateError};

use crate::kit::{Kit, ORDER, order_id};

#[tokio::test]
async fn a_second_read_is_served_without_a_request_and_says_how_old_it_is() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let first = shop.order(&order_id(ORDER), false).await.unwrap();
    let second = shop.order(&order_id(ORDER), false).await.unwrap();
    assert_eq!((first.cached, second.cached), (false, true));
    assert_eq!(first.fetched_at, second.fetched_at);
    assert!(Arc::ptr_eq(&first.value, &second.value));
    assert_eq!(kit.sent(), 1);
}

#[tokio::test]
async fn the_key_is_the_whole_request() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let all = shop.orders(&OrdersQuery::default(), false).await.unwrap();
    let emails: Vec<String> = all
        .value
        .orders
        .iter()
        .map(|order| order.email().into_owned())
        .collect();
    let other = emails.iter().find(|email| **email != emails[0]).unwrap();
    for email in [&emails[0], other] {
        let page = shop
            .orders(
                &OrdersQuery {
                    email: Some(email.clone()),
                    ..OrdersQuery::default()
                },
                false,
            )
            .await
            .unwrap();
        assert!(
            !page.cached
                && page
                    .value
                    .orders
                    .iter()
                    .all(|order| order.email() == *email),
            "{email}"
        );
    }
    let variants = [
        OrdersQuery {
            limit: Some(10),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            offset: 10,
            ..OrdersQuery::default()
        },
        OrdersQuery {
            order: Some("ASC".to_owned()),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            order_by: Some("email".to_owned()),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            with_history: true,
            ..OrdersQuery::default()
        },
        OrdersQuery {
            folder_ids: vec!["50101".to_owned()],
            ..OrdersQuery::default()
        },
    ];
    for query in variants {
        assert!(
            !shop.orders(&query, false).await.unwrap().cached,
            "{query:?}"
        );
        assert!(
            shop.orders(&query, false).await.unwrap().cached,
            "{query:?}"
        );
    }
    assert!(
        !shop
            .order_history(&order_id(ORDER), false)
            .await
            .unwrap()
            .cached
    );
    assert!(!shop.order(&order_id(ORDER), false).await.unwrap().cached);
}

#[tokio::test]
async fn what_a_right_key_read_is_not_served_to_a_wrong_key() {
    let kit = Kit::new().await;
    let desk = kit.desk();
    desk.shop(kit.access())
        .order(&order_id(ORDER), false)
        .await
        .unwrap();
    let stranger = Access {
        api_key: Secret::new("GUESSED".to_owned()),
        ..kit.access()
    };
    let error = desk
        .shop(stranger)
        .order(&order_id(ORDER), false)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "auth");
}

#[tokio::test]
async fn fresh_asks_again_and_its_answer_serves_the_next_one() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    shop.order(&order_id(ORDER), false).await.unwrap();
    kit.sandbox.edit_order("4242", 7_001_001, |order| {
        order.insert("email".to_owned(), "new@example.com".into());
    });
    assert_ne!(
        shop.order(&order_id(ORDER), false)
            .await
            .unwrap()
            .value
            .email(),
        "new@example.com"
    );
    let fresh = shop.order(&order_id(ORDER), true).await.unwrap();
    let after = shop.order(&order_id(ORDER), false).await.unwrap();
    assert_eq!(
        (fresh.value.email(), fresh.cached),
        ("new@example.com".into(), false)
    );
    assert_eq!(
        (after.value.email(), after.cached),
        ("new@example.com".into(), true)
    );
    assert_eq!(kit.sent(), 2);
}

#[tokio::test]
async fn an_answer_lives_as_long_as_its_kind_may_and_no_longer() {
    let mut kit = Kit::new().await;
    let clock = Arc::new(ManualClock::default());
    kit.clock = clock.clone();
    let shop = kit.shop();
    shop.order(&order_id(ORDER), false).await.unwrap();
    shop.settings(false).await.unwrap();
    clock.advance(Duration::from_millis(14_999));
    assert!(shop.order(&order_id(ORDER), false).await.unwrap().cached);
    clock.advance(Duration::from_millis(1));
    assert!(!shop.order(&order_id(ORDER), false).await.unwrap().cached);
    assert!(shop.settings(false).await.unwrap().cached);
    clock.advance(Duration::from_secs(300));
    assert!(!shop.settings(false).await.unwrap().cached);
}

#[tokio::test]
async fn a_time_to_live_of_zero_switches_the_cache_off_for_that_kind() {
    let mut kit = Kit::new().await;
    kit.config.ttl_orders = Duration::ZERO;
    let desk = kit.desk();
    let shop = desk.shop(kit.access());
    for _ in 0..2 {
        assert!(!shop.order(&order_id(ORDER), false).await.unwrap().cached);
    }
    assert_eq!(desk.cache_status().items, 0);
    shop.settings(false).await.unwrap();
    assert!(shop.settings(false).await.unwrap().cached);
}

#[tokio::test]
async fn a_write_in_one_process_ends_what_another_had_cached() {
    let kit = Kit::new().await;
    let (one, other) = (kit.shop(), kit.shop());
    for shop in [&one, &other] {
        shop.order(&order_id(ORDER), false).await.unwrap();
        assert!(shop.order(&order_id(ORDER), false).await.unwrap().cached);
    }
    kit.bump_epoch();
    for shop in [&one, &other] {
        assert!(!shop.order(&order_id(ORDER), false).await.unwrap().cached);
        assert!(shop.order(&order_id(ORDER), false).await.unwrap().cached);
    }
}

#[tokio::test]
async fn an_answer_that_was_under_way_during_a_write_is_never_served_again() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    kit.sandbox.faults().next(Fault::Delay { ms: 100 });
    let id = order_id(ORDER);
    let (read, ()) = tokio::join!(shop.order(&id, false), async {
        kit.until_sent(1).await;
        kit.bump_epoch();
    });
    read.unwrap();
    assert!(!shop.order(&id, false).await.unwrap().cached);
    assert_eq!(kit.sent(), 2);
}

#[tokio::test]
async fn a_read_after_a_write_does_not_join_one_that_began_before_it() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    kit.sandbox.faults().next(Fault::Delay { ms: 200 });
    let id = order_id(ORDER);
    let (_before, after) = tokio::join!(shop.order(&id, false), async {
        kit.until_sent(1).await;
        kit.bump_epoch();
        shop.order(&id, false).await
    });
    after.unwrap();
    assert_eq!(kit.sent(), 2);
}

#[tokio::test]
async fn equal_reads_at_the_same_time_are_one_request() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let id = order_id(ORDER);
    let reads = (0..10).map(|_| shop.order(&id, false));
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(read.unwrap().value.id(), ORDER);
    }
    assert_eq!(kit.sent(), 1);
    let fresh = (0..3).map(|_| shop.order(&id, true));
    futures_util::future::join_all(fresh).await;
    assert_eq!(kit.sent(), 4, "a fresh read joins nobody");
}

#[tokio::test]
async fn the_others_get_their_answer_when_the_first_caller_gives_up() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    kit.sandbox.faults().next(Fault::Delay { ms: 100 });
    let (leader, follower) = (shop.clone(), shop.clone());
    let leader = tokio::spawn(async move { leader.order(&order_id(ORDER), false).await });
    kit.until_sent(1).await;
    let follower = tokio::spawn(async move { follower.order(&order_id(ORDER), false).await });
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    assert_eq!(follower.await.unwrap().unwrap().value.id(), ORDER);
    assert_eq!(kit.sent(), 1);
}

#[tokio::test]
async fn errors_are_shared_with_who_waits_but_never_kept() {
    let mut kit = Kit::new().await;
    kit.config.max_retries = 0;
    let shop = kit.shop();
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::server_error(500)).times(1));
    let id = order_id(ORDER);
    let (a, b) = tokio::join!(shop.order(&id, false), shop.order(&id, false));
    assert_eq!(
        (a.unwrap_err().code(), b.unwrap_err().code()),
        ("upstream", "upstream")
    );
    assert!(!shop.order(&id, false).await.unwrap().cached);
    assert_eq!(kit.statuses(), [500, 200]);
}

#[tokio::test]
async fn without_a_state_file_reads_go_on_uncached_and_slowly() {
    let mut kit = Kit::new().await;
    kit.slot
        .mark_broken(&kit.slot.get().unwrap(), StateError::Moved);
    kit.config.total_deadline = Duration::from_secs(1);
    let shop = kit.shop();
    assert!(!shop.order(&order_id(ORDER), false).await.unwrap().cached);
    let second = shop.order(&order_id(ORDER), false).await.unwrap_err();
    assert_eq!(
        second.code(),
        "too_busy",
        "not cached, and the next request of this process may only go in two seconds"
    );
    assert_eq!(kit.sent(), 1);

    kit.slot.open_now().unwrap();
    assert!(
        shop.order(&order_id(ORDER), false).await.is_ok(),
        "all is well again as soon as the file is back"
    );
}

#[tokio::test]
async fn a_read_right_after_the_start_waits_for_the_state_file_that_is_being_opened() {
    let mut kit = Kit::new().await;
    kit.slot = Slot::new(kit.slot.home().clone());
    let (shop, slot) = (kit.shop(), kit.slot.clone());
    let opening = tokio::task::spawn_blocking(move || slot.open_now().map(drop));
    shop.order(&order_id(ORDER), false).await.unwrap();
    opening.await.unwrap().unwrap();
    assert!(shop.order(&order_id(ORDER), false).await.unwrap().cached);
}

#[tokio::test]
async fn the_cache_stays_within_its_bounds() {
    let mut kit = Kit::new().await;
    kit.config.cache_max_entries = 5;
    let desk = kit.desk();
    let shop = desk.shop(kit.access());
    for id in 7_001_001..7_001_021 {
        shop.order(&order_id(&id.to_string()), false).await.unwrap();
    }
    assert_eq!(desk.cache_status().items, 5);
    assert!(desk.cache_status().bytes > 5 * 1000);
}
