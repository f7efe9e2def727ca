//! Writes on bad days. Each test asserts what is told, what the shop holds, and how often something was sent.

use std::time::Duration;

use mcp_stdio::desk::write::{DeleteOrder, NoteKind, Outcome, Verdict};
use mcp_stdio::desk::{Change, DeskError};
use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;

use crate::kit::{Kit, ORDER, order_id};
use crate::writes_orders::{new_order, note, times_in_history, times_noted, update};

/// A shop in which `fault` strikes the next `times` requests that are no reads, and answers that do not come are not waited for long.
async fn kit_with(fault: Fault, times: u32) -> Kit {
    let mut kit = Kit::new().await;
    kit.config.http_timeout = Duration::from_millis(400);
    for method in ["PUT", "POST", "DELETE"] {
        let rule = Rule::new(fault.clone()).on(method, "/**").times(times);
        kit.sandbox.faults().add(rule);
    }
    kit
}

async fn told(kit: &Kit, change: impl Change + 'static) -> Result<Outcome, DeskError> {
    let outcome = kit.carry_out(change).await;
    assert!(kit.sandbox.faults().fired() > 0, "the fault never struck");
    outcome
}

fn writes(kit: &Kit) -> usize {
    let is_write = |line: &&String| !line.starts_with("GET");
    kit.lines().iter().filter(is_write).count()
}

/// Faults after which the work is done although no good answer comes.
fn done_but_unanswered() -> [Fault; 6] {
    [
        Fault::HangAfter,
        Fault::CutAfter,
        Fault::CutBody,
        Fault::TruncatedJson,
        Fault::ServerErrorAfter { status: 500 },
        Fault::ErrorOn200After {
            message: "Order Not Updated".to_owned(),
        },
    ]
}

/// Faults after which nothing is done, that pass, and whose answer says that nobody works on it any more.
fn not_done_and_over() -> [Fault; 3] {
    [
        Fault::server_error(500),
        Fault::server_error(503),
        Fault::too_many_requests(0),
    ]
}

#[tokio::test]
async fn an_update_whose_answer_got_lost_is_found_done_and_sent_once() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, update(json!({"email": "new@example.com"})))
            .await
            .unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(outcome.diff[0].path, "email", "{fault:?}");
        assert_eq!(writes(&kit), 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn an_update_that_was_not_done_is_sent_again_from_the_newest_state() {
    let mut faults = not_done_and_over().to_vec();
    faults.extend([Fault::HangBefore, Fault::CutBefore]);
    for fault in faults {
        let kit = kit_with(fault.clone(), 2).await;
        let outcome = told(&kit, update(json!({"email": "new@example.com"})))
            .await
            .unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(kit.stored()["email"], "new@example.com");
        assert_eq!(writes(&kit), 3, "{fault:?}");
        let pairs = kit.lines();
        let pairs: Vec<&[String]> = pairs.chunks(2).collect();
        assert!(
            pairs
                .iter()
                .all(|pair| pair[0].starts_with("GET") && pair[1].starts_with("PUT")),
            "each PUT has its own GET: {pairs:?}"
        );
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn an_edit_by_somebody_else_between_two_attempts_survives() {
    let kit = kit_with(Fault::too_many_requests(1), 1).await;
    let writer = kit.writer();
    let change = std::sync::Arc::new(update(json!({"email": "new@example.com"})));
    let writing = tokio::spawn(async move { writer.carry_out(change, None).await });
    kit.until_sent(2).await;
    kit.edit("shipping_method", "Courier");
    let outcome = writing.await.unwrap().unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(kit.stored()["shipping_method"], "Courier");
    assert_eq!(kit.stored()["email"], "new@example.com");
}

#[tokio::test]
async fn an_edit_of_the_same_field_between_two_attempts_is_a_conflict() {
    let kit = kit_with(Fault::too_many_requests(1), 1).await;
    let writer = kit.writer();
    let change = std::sync::Arc::new(update(json!({"email": "new@example.com"})));
    let writing = tokio::spawn(async move { writer.carry_out(change, None).await });
    kit.until_sent(2).await;
    kit.edit("email", "theirs@example.com");
    let error = writing.await.unwrap().unwrap_err();
    assert_eq!(error.code(), "conflict");
    assert_eq!(kit.stored()["email"], "theirs@example.com");
    assert_eq!(kit.outcomes(), ["intent", "failed"]);
}

#[tokio::test]
async fn an_update_that_never_gets_an_answer_is_unknown_and_says_what_to_look_at() {
    let mut kit = kit_with(Fault::HangBefore, 0).await;
    kit.config.mutation_max_retries = 1;
    let outcome = told(&kit, update(json!({"email": "new@example.com"})))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Unknown);
    assert!(outcome.check.is_some_and(|check| check.contains(ORDER)));
    assert_eq!(writes(&kit), 2);
    assert_eq!(kit.outcomes(), ["intent", "unknown"]);
}

#[tokio::test]
async fn an_update_that_is_refused_is_not_done() {
    for fault in [
        Fault::error_on_200("No"),
        Fault::answer(400, r#"{"status":"error"}"#),
    ] {
        let kit = kit_with(fault, 1).await;
        let error = told(&kit, update(json!({"email": "new@example.com"})))
            .await
            .unwrap_err();
        assert_eq!(error.code(), "rejected");
        assert_eq!(writes(&kit), 1);
        assert_eq!(kit.outcomes(), ["intent", "failed"]);
    }
}

#[tokio::test]
async fn a_server_that_stays_in_trouble_is_told_after_the_configured_repeats() {
    let mut kit = kit_with(Fault::server_error(500), 0).await;
    kit.config.mutation_max_retries = 2;
    let error = told(&kit, update(json!({"email": "new@example.com"})))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "upstream");
    assert_eq!(writes(&kit), 3);
    assert_eq!(kit.outcomes(), ["intent", "failed"]);
}

#[tokio::test]
async fn a_note_is_there_exactly_once_whatever_happened_to_its_answer() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let staff = told(&kit, note("once", NoteKind::Staff)).await.unwrap();
        assert_eq!(
            (staff.verdict, times_noted(&kit, "once")),
            (Verdict::Done, 1),
            "{fault:?}"
        );
        let kit = kit_with(fault.clone(), 1).await;
        let history = told(&kit, note("once", NoteKind::History)).await.unwrap();
        assert_eq!(history.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(
            (times_in_history(&kit, "once"), writes(&kit)),
            (1, 1),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_history_note_is_sent_again_when_the_attempt_is_over_and_was_not_done() {
    for fault in not_done_and_over() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, note("once", NoteKind::History)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(
            (times_in_history(&kit, "once"), writes(&kit)),
            (1, 2),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_history_note_without_an_answer_is_not_sent_again_but_unknown() {
    for fault in [Fault::HangBefore, Fault::CutBefore] {
        let kit = kit_with(fault, 1).await;
        let outcome = told(&kit, note("once", NoteKind::History)).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Unknown);
        assert_eq!((times_in_history(&kit, "once"), writes(&kit)), (0, 1));
        assert_eq!(kit.outcomes(), ["intent", "unknown"]);
    }
}

#[tokio::test]
async fn a_new_order_with_a_number_is_made_exactly_once() {
    let mut faults = done_but_unanswered().to_vec();
    faults.extend(not_done_and_over());
    for fault in faults {
        let kit = kit_with(fault.clone(), 1).await;
        let store = kit.sandbox.store(0).store_id;
        let count = kit.sandbox.count_orders(&store);
        let outcome = told(&kit, new_order("T-1")).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!(outcome.facts[0].1["source_id"], "T-1", "{fault:?}");
        assert_eq!(kit.sandbox.count_orders(&store), count + 1, "{fault:?}");
        assert_eq!(kit.outcomes(), ["intent", "done"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_new_order_without_an_answer_is_not_sent_again_and_may_be_made_again_later() {
    for fault in [Fault::HangBefore, Fault::CutBefore] {
        let kit = kit_with(fault, 1).await;
        let store = kit.sandbox.store(0).store_id;
        let count = kit.sandbox.count_orders(&store);
        let outcome = told(&kit, new_order("T-1")).await.unwrap();
        assert_eq!((outcome.verdict, writes(&kit)), (Verdict::Unknown, 1));
        assert!(outcome.check.is_some_and(|check| check.contains("T-1")));
        let again = kit.carry_out(new_order("T-1")).await.unwrap();
        assert_eq!(again.verdict, Verdict::Done);
        assert_eq!(kit.sandbox.count_orders(&store), count + 1);
    }
}

#[tokio::test]
async fn a_new_order_without_a_number_is_not_sent_twice_after_a_lost_answer() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(&kit, new_order("")).await.unwrap();
        assert_eq!(outcome.verdict, Verdict::Unknown, "{fault:?}");
        assert!(outcome.check.is_some());
        assert_eq!(writes(&kit), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_deletion_whose_answer_got_lost_is_found_done() {
    for fault in done_but_unanswered() {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(
            &kit,
            DeleteOrder {
                id: order_id(ORDER),
            },
        )
        .await
        .unwrap();
        assert_eq!(outcome.verdict, Verdict::Done, "{fault:?}");
        assert_eq!((writes(&kit), kit.sent()), (1, 3), "{fault:?}");
    }
    for fault in [Fault::CutBefore, Fault::server_error(500)] {
        let kit = kit_with(fault.clone(), 1).await;
        let outcome = told(
            &kit,
            DeleteOrder {
                id: order_id(ORDER),
            },
        )
        .await
        .unwrap();
        assert_eq!(
            (outcome.verdict, writes(&kit)),
            (Verdict::Done, 2),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_rule_that_moves_the_order_meanwhile_is_a_remark_and_no_failure() {
    let kit = kit_with(Fault::RuleMoves { folder: 50102 }, 1).await;
    let outcome = told(&kit, update(json!({"email": "new@example.com"})))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(kit.stored()["email"], "new@example.com");
}

#[tokio::test]
async fn a_look_that_fails_makes_it_unknown() {
    let mut kit = kit_with(Fault::CutAfter, 1).await;
    kit.config.max_retries = 0;
    kit.sandbox.faults().add(
        Rule::new(Fault::server_error(500))
            .on("GET", "/orders/*")
            .after(1)
            .times(0),
    );
    let outcome = told(&kit, update(json!({"email": "new@example.com"})))
        .await
        .unwrap();
    assert_eq!(outcome.verdict, Verdict::Unknown);
    assert_eq!(writes(&kit), 1);
}

#[tokio::test]
async fn nobody_listening_is_not_done_and_the_intent_says_so() {
    let mut kit = Kit::new().await;
    kit.config.mutation_max_retries = 1;
    let writer = kit.writer();
    let Kit { sandbox, .. } = kit;
    sandbox.close().await;
    let change = std::sync::Arc::new(update(json!({"email": "new@example.com"})));
    let error = writer.carry_out(change, None).await.unwrap_err();
    assert_eq!(error.code(), "unreachable");
}

#[tokio::test]
async fn an_order_of_which_a_part_is_missing_is_not_put_back() {
    for order in [
        json!({"id": ORDER}),
        json!({"id": ORDER, "email": "a@example.com", "shipping": {}, "customer": {}, "order_items": null}),
    ] {
        let kit = Kit::new().await;
        let body = json!({"status": "success", "order": order}).to_string();
        let rule = Rule::new(Fault::answer(200, &body)).on("GET", "/**");
        kit.sandbox.faults().add(rule.times(0));
        let before = kit.stored();
        let change = update(json!({"tag_name": "error"}));
        let error = told(&kit, change).await.unwrap_err();
        assert_eq!(error.code(), "protocol");
        assert_eq!((writes(&kit), kit.stored()), (0, before), "{body}");
    }
}

#[tokio::test]
async fn an_answer_that_may_have_lain_here_for_long_is_not_what_a_write_begins_from() {
    let kit = Kit::new().await;
    let rule = Rule::new(Fault::Delay { ms: 3_200 }).on("GET", "/**");
    kit.sandbox.faults().add(rule.times(1));
    let change = update(json!({"email": "new@example.com"}));
    assert_eq!(told(&kit, change).await.unwrap().verdict, Verdict::Done);
    let order = format!("/orders/{ORDER}");
    let sent: Vec<String> = ["GET", "GET", "PUT"]
        .iter()
        .map(|method| format!("{method} {order}"))
        .collect();
    assert_eq!(kit.lines(), sent);
}

#[tokio::test]
async fn an_attempt_that_may_still_come_is_spoken_of_when_the_next_one_was_answered() {
    let kit = kit_with(Fault::HangBefore, 1).await;
    let change = update(json!({"email": "new@example.com"}));
    let outcome = told(&kit, change).await.unwrap();
    assert_eq!(outcome.verdict, Verdict::Done);
    let remark = &outcome.remarks[0];
    assert!(remark.contains("never answered"), "{remark}");
    let kit = kit_with(Fault::server_error(500), 1).await;
    let change = update(json!({"email": "new@example.com"}));
    assert!(told(&kit, change).await.unwrap().remarks.is_empty());
}
