//! The table of what an attempt means.

use super::*;
use crate::desk::Limiter;
use crate::desk::classify;
use crate::desk::client::Reached;
use crate::desk::request::{Endpoint, Method, Request};

/// What an answer of this status and body amounts to, in one word.
fn word(status: u16, body: &str) -> &'static str {
    let answer = Answer {
        status,
        remaining: None,
        retry_after: None,
        date: None,
        body: body.as_bytes().to_vec(),
    };
    let request = Request::to(Method::Put, Endpoint::Order, &["7001001"], None);
    let judged = classify::envelope(&request, &answer, "KEY");
    name(&attempt(Ok((answer, judged))))
}

fn without(error: DeskError, reached: Reached) -> &'static str {
    name(&attempt(Err(Unanswered { error, reached })))
}

fn name(attempt: &Attempt) -> &'static str {
    match attempt {
        Attempt::Answered(_) => "done",
        Attempt::Refused(_) => "refused",
        Attempt::SaidNo(_) => "said no",
        Attempt::NotSent { .. } => "not sent",
        Attempt::Unclear {
            trace: Trace::Ended,
            ..
        } => "unclear, over",
        Attempt::Unclear {
            trace: Trace::Silent,
            ..
        } => "unclear, silent",
    }
}

#[test]
fn every_answer_has_one_meaning() {
    let good = r#"{"status":"success","message":"Order Item Updated"}"#;
    let bad = r#"{"status":"error","message":"Shipment Not Added"}"#;
    let gone = r#"{"status":"error","message":"Order Not Found"}"#;
    let table = [
        (200, good, "done"),
        (201, good, "done"),
        (200, bad, "said no"),
        (200, gone, "said no"),
        (200, "<html>", "unclear, over"),
        (200, r#"{"status":"succ"#, "unclear, over"),
        (200, "", "unclear, over"),
        (204, "", "unclear, over"),
        (200, "{}", "unclear, over"),
        (200, r#"{"message":"Order Updated"}"#, "unclear, over"),
        (200, r#"{"status":"ok"}"#, "unclear, over"),
        (302, "", "unclear, over"),
        (400, bad, "refused"),
        (400, "<html>", "refused"),
        (401, bad, "refused"),
        (403, bad, "refused"),
        (404, gone, "refused"),
        (405, bad, "refused"),
        (408, "", "unclear, silent"),
        (425, "", "unclear, over"),
        (429, bad, "not sent"),
        (429, "<html>", "not sent"),
        (500, bad, "unclear, over"),
        (502, "<html>", "unclear, over"),
        (503, "", "unclear, over"),
        (504, "<html>", "unclear, silent"),
        (520, "<html>", "unclear, silent"),
        (524, "<html>", "unclear, silent"),
    ];
    for (status, body, expected) in table {
        assert_eq!(word(status, body), expected, "{status} {body}");
    }
}

#[test]
fn what_was_made_has_to_be_shown_where_order_desk_shows_it() {
    let shows = |method, endpoint, body: &str| {
        let request = Request::to(method, endpoint, &[], None);
        let envelope: Object = serde_json::from_str(body).unwrap();
        shows_it(&request, &envelope)
    };
    let made = r#"{"status":"success","order":{"id":"7001001"}}"#;
    for body in [
        r#"{"status":"success"}"#,
        r#"{"status":"success","order":42}"#,
    ] {
        assert!(!shows(Method::Post, Endpoint::Orders, body), "{body}");
        assert!(!shows(Method::Post, Endpoint::OrderHistory, body), "{body}");
        assert!(
            !shows(Method::Post, Endpoint::InventoryItems, body),
            "{body}"
        );
        assert!(!shows(Method::Delete, Endpoint::Order, body), "{body}");
        assert!(shows(Method::Put, Endpoint::OrderItem, body), "{body}");
    }
    assert!(shows(Method::Post, Endpoint::Orders, made));
    assert!(shows(Method::Post, Endpoint::OrderHistory, made));
}

#[test]
fn without_an_answer_it_counts_how_far_the_request_came() {
    let broke = || DeskError::Unreachable { why: "it broke" };
    assert_eq!(without(broke(), Reached::Nobody), "not sent");
    assert_eq!(without(DeskError::Timeout, Reached::Nobody), "not sent");
    assert_eq!(without(broke(), Reached::Perhaps), "unclear, silent");
    assert_eq!(
        without(DeskError::Timeout, Reached::Perhaps),
        "unclear, silent"
    );
    assert_eq!(without(broke(), Reached::Answered), "unclear, over");
    let large = DeskError::TooLarge { limit_bytes: 1 };
    assert_eq!(without(large, Reached::Answered), "unclear, over");
}

#[test]
fn what_would_be_there_twice_is_repeated_only_after_an_attempt_that_is_over() {
    for trace in [Trace::Ended, Trace::Silent] {
        assert!(may_repeat(Repeat::Harmless, trace));
        assert!(!may_repeat(Repeat::Never, trace));
    }
    assert!(may_repeat(Repeat::OnceOver, Trace::Ended));
    assert!(!may_repeat(Repeat::OnceOver, Trace::Silent));
}

#[test]
fn the_wait_is_the_one_asked_for_and_stays_within_the_time_and_the_count() {
    let minute = Duration::from_secs(60);
    let chance = &mut fastrand::Rng::with_seed(7);
    let asked = Some(Duration::from_secs(3));
    assert_eq!(pause(0, 5, asked, minute, chance), asked);
    assert_eq!(pause(0, 5, asked, Duration::from_secs(2), chance), None);
    assert_eq!(pause(5, 5, asked, minute, chance), None);
    assert_eq!(pause(0, 0, None, minute, chance), None);
    let random: Vec<_> = (0..20)
        .filter_map(|_| pause(3, 5, None, minute, chance))
        .collect();
    assert!(random.len() == 20 && random.iter().max() > random.iter().min());
}

#[test]
fn only_what_passes_by_itself_is_waited_for() {
    assert!(passes(&DeskError::Timeout));
    assert!(passes(&DeskError::RateLimited {
        by: Limiter::OrderDesk,
        retry_after: Duration::from_secs(1),
    }));
    assert!(!passes(&DeskError::Auth));
    assert!(!passes(&DeskError::NoRecord { why: String::new() }));
}
