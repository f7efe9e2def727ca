//! Several processes and one order.

use std::sync::Arc;
use std::time::Duration;

use mcp_stdio::desk::write::{NoteKind, Verdict};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;
use shared::quota::Limits;

use crate::kit::{Kit, ORDER, order_id};
use crate::writes_orders::{note, times_noted, update};

#[tokio::test]
async fn notes_of_many_at_once_are_all_there_once() {
    let kit = Kit::new().await;
    let mut calls = Vec::new();
    for number in 0..12 {
        let writer = kit.writer();
        let change = Arc::new(note(&format!("note {number}"), NoteKind::Staff));
        calls.push(tokio::spawn(
            async move { writer.carry_out(change, None).await },
        ));
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().verdict, Verdict::Done);
    }
    for number in 0..12 {
        assert_eq!(times_noted(&kit, &format!("note {number}")), 1);
    }
    let lines = kit.lines();
    let pairs: Vec<&[String]> = lines.chunks(2).collect();
    assert_eq!(pairs.len(), 12);
    assert!(
        pairs
            .iter()
            .all(|pair| pair[0].starts_with("GET") && pair[1].starts_with("PUT")),
        "nobody reads between another's read and write: {lines:?}"
    );
}

#[tokio::test]
async fn another_order_is_not_waited_for() {
    let mut kit = Kit::new().await;
    kit.config.http_timeout = Duration::from_secs(60);
    kit.config.total_deadline = Duration::from_secs(60);
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::HangBefore).on("PUT", "/orders/7001001"));
    let writer = kit.writer();
    let stuck = Arc::new(update(json!({"email": "new@example.com"})));
    let call = tokio::spawn(async move { writer.carry_out(stuck, None).await });
    kit.until_sent(2).await;
    let mut other = note("free", NoteKind::Staff);
    other.id = order_id("7001002");
    assert_eq!(kit.carry_out(other).await.unwrap().verdict, Verdict::Done);
    call.abort();
}

#[tokio::test]
async fn a_turn_that_does_not_come_in_time_is_told_and_nothing_is_sent() {
    let mut kit = Kit::new().await;
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::HangBefore).on("PUT", "/orders/*"));
    let writer = kit.writer();
    let stuck = Arc::new(update(json!({"email": "new@example.com"})));
    let call = tokio::spawn(async move { writer.carry_out(stuck, None).await });
    kit.until_sent(2).await;
    kit.config.total_deadline = Duration::from_millis(300);
    let error = kit
        .carry_out(note("late", NoteKind::Staff))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "order_busy");
    assert!(error.to_string().contains("1 before"), "{error}");
    assert_eq!(kit.sent(), 2);
    call.abort();
}

#[tokio::test]
async fn the_tokens_of_read_and_write_are_taken_together_and_before_the_first() {
    let mut kit = Kit::new().await;
    kit.config.limits = Limits {
        burst: 3,
        per_second: 2.0,
    };
    kit.carry_out(note("one", NoteKind::Staff)).await.unwrap();
    kit.carry_out(note("two", NoteKind::Staff)).await.unwrap();
    let requests = kit.requests();
    assert_eq!(requests.len(), 4);
    let gap = |at: usize| requests[at].at_us - requests[at - 1].at_us;
    // One token was left: the second read had to wait for one more, so that its write would not.
    assert!(gap(2) > 200_000, "{} us", gap(2));
    assert!(gap(3) < gap(2) / 2, "{} us after {} us", gap(3), gap(2));
}

#[tokio::test]
async fn reads_and_writes_draw_from_their_own_buckets_of_the_tenant() {
    let mut kit = Kit::new().await;
    kit.config.tenant_limits = Some(Limits {
        burst: 2,
        per_second: 0.001,
    });
    kit.carry_out(note("one", NoteKind::Staff)).await.unwrap();
    kit.carry_out(note("two", NoteKind::Staff)).await.unwrap();
    let error = kit
        .carry_out(note("three", NoteKind::Staff))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "rate_limited");
    assert_eq!(kit.sent(), 4);
    assert_eq!(
        kit.shop()
            .order(&order_id(ORDER), true)
            .await
            .unwrap_err()
            .code(),
        "rate_limited"
    );
}

#[tokio::test]
async fn while_a_write_is_open_nothing_is_kept_and_after_it_reads_are_fresh() {
    let kit = Kit::new().await;
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::Delay { ms: 400 }).on("PUT", "/orders/*"));
    let writer = kit.writer();
    let change = Arc::new(update(json!({"email": "new@example.com"})));
    let call = tokio::spawn(async move { writer.carry_out(change, None).await });
    kit.until_sent(2).await;
    let shop = kit.shop();
    for _ in 0..2 {
        let read = shop.order(&order_id(ORDER), false).await.unwrap();
        assert!(!read.cached, "an open write may take effect at any moment");
    }
    call.await.unwrap().unwrap();
    let read = shop.order(&order_id(ORDER), false).await.unwrap();
    assert!(!read.cached && read.value.email() == "new@example.com");
    assert!(shop.order(&order_id(ORDER), false).await.unwrap().cached);
}
