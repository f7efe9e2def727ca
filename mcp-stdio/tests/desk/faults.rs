//! Bad days upstream. Each test asserts what the caller sees and how many requests were sent for it.

use std::time::{Duration, Instant};

use mcp_stdio::desk::{Access, DeskError};
use orderdesk_sandbox::{Fault, RetryHeader, Rule, Sandbox};
use shared::secret::Secret;

use crate::kit::{Kit, ORDER, order_id, wide_open};

/// Reads one order after `fault` was put in force `times` times (0: always).
async fn read_after(kit: &Kit, fault: Fault, times: u32) -> Result<(), DeskError> {
    let ticket = kit.sandbox.faults().add(Rule::new(fault).times(times));
    let outcome = kit.shop().order(&order_id(ORDER), false).await;
    assert!(ticket.fired() > 0, "the fault never struck");
    outcome.map(|order| assert_eq!(order.value.id(), ORDER))
}

#[tokio::test]
async fn a_wrong_key_is_told_at_once_and_not_tried_again() {
    let kit = Kit::new().await;
    let access = Access {
        api_key: Secret::new("WRONG-KEY".to_owned()),
        ..kit.access()
    };
    let error = kit
        .desk()
        .shop(access)
        .order(&order_id(ORDER), false)
        .await
        .unwrap_err();
    assert_eq!(error, DeskError::Auth);
    assert_eq!(kit.statuses(), [401]);
}

#[tokio::test]
async fn an_order_that_does_not_exist_is_told_at_once_and_by_its_id() {
    let kit = Kit::new().await;
    let error = kit.shop().order(&order_id("99"), false).await.unwrap_err();
    assert_eq!(
        error,
        DeskError::NotFound {
            what: "order",
            id: "99".to_owned()
        }
    );
    assert_eq!(kit.statuses(), [404]);
}

#[tokio::test]
async fn every_passing_status_is_tried_again_until_it_passed() {
    for status in [408, 425, 500, 502, 503, 504] {
        let kit = Kit::new().await;
        read_after(&kit, Fault::server_error(status), 2)
            .await
            .unwrap();
        assert_eq!(kit.statuses(), [status, status, 200]);
    }
}

#[tokio::test]
async fn trouble_that_does_not_pass_is_told_after_the_configured_retries() {
    let kit = Kit::new().await;
    let error = read_after(&kit, Fault::server_error(500), 0)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        DeskError::Upstream {
            status: 500,
            html: true
        }
    );
    assert_eq!(kit.statuses(), [500; 4]);
}

#[tokio::test]
async fn no_retries_means_one_request() {
    let mut kit = Kit::new().await;
    kit.config.max_retries = 0;
    assert_eq!(
        read_after(&kit, Fault::server_error(503), 0)
            .await
            .unwrap_err()
            .code(),
        "upstream"
    );
    assert_eq!(kit.sent(), 1);
}

#[tokio::test]
async fn a_429_waits_as_long_as_either_header_asks_and_then_succeeds() {
    for header in [RetryHeader::XRetryAfter, RetryHeader::RetryAfter] {
        let kit = Kit::new().await;
        let fault = Fault::TooManyRequests {
            retry_after: "1".to_owned(),
            header,
            body: None,
        };
        let begun = Instant::now();
        read_after(&kit, fault, 1).await.unwrap();
        assert!(
            begun.elapsed() >= Duration::from_millis(990),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(kit.statuses(), [429, 200]);
    }
}

#[tokio::test]
async fn a_429_without_a_header_or_a_body_waits_for_a_token_and_succeeds() {
    let kit = Kit::new().await;
    let fault = Fault::TooManyRequests {
        retry_after: String::new(),
        header: RetryHeader::None,
        body: Some(String::new()),
    };
    read_after(&kit, fault, 1).await.unwrap();
    assert_eq!(kit.statuses(), [429, 200]);
}

#[tokio::test]
async fn a_429_that_asks_for_too_long_is_told_at_once_and_no_other_process_sends_meanwhile() {
    let mut kit = Kit::new().await;
    kit.config.total_deadline = Duration::from_secs(2);
    let error = read_after(&kit, Fault::too_many_requests(30), 1)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        DeskError::RateLimited {
            by: mcp_stdio::desk::Limiter::OrderDesk,
            retry_after: Duration::from_secs(30)
        }
    );

    let other_process = kit.shop().order(&order_id(ORDER), false).await.unwrap_err();
    assert_eq!(other_process.code(), "too_busy");
    assert!(other_process.retry_after().unwrap() > Duration::from_secs(20));
    assert_eq!(kit.statuses(), [429]);
}

#[tokio::test]
async fn broken_connections_and_half_answers_are_tried_again() {
    for fault in [
        Fault::CutBefore,
        Fault::CutBody,
        Fault::TruncatedJson,
        Fault::answer(200, ""),
        Fault::answer(200, "<html>busy</html>"),
    ] {
        let kit = Kit::new().await;
        read_after(&kit, fault.clone(), 1).await.unwrap();
        assert_eq!(kit.sent(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_half_answer_that_stays_half_is_told_for_what_it_is() {
    let mut kit = Kit::new().await;
    kit.config.max_retries = 1;
    let cut = read_after(&kit, Fault::CutBody, 0).await.unwrap_err();
    assert_eq!(
        cut,
        DeskError::Unreachable {
            why: "the connection broke before the whole answer was there"
        }
    );
    kit.sandbox.faults().clear();
    let truncated = read_after(&kit, Fault::TruncatedJson, 0).await.unwrap_err();
    assert_eq!(
        truncated,
        DeskError::Upstream {
            status: 200,
            html: false
        }
    );
    assert_eq!(kit.sent(), 4);
}

#[tokio::test]
async fn silence_and_drips_are_cut_off_and_tried_again() {
    for fault in [Fault::HangBefore, Fault::Trickle { bytes: 1, ms: 50 }] {
        let mut kit = Kit::new().await;
        kit.config.http_timeout = Duration::from_millis(150);
        read_after(&kit, fault.clone(), 1).await.unwrap();
        assert_eq!(kit.sent(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn one_deadline_bounds_all_the_trying() {
    let mut kit = Kit::new().await;
    kit.config.http_timeout = Duration::from_millis(50);
    // Long enough for the longest first pause, a quarter of a second, and a second attempt.
    kit.config.total_deadline = Duration::from_secs(2);
    kit.config.max_retries = 1000;
    let begun = Instant::now();
    assert_eq!(
        read_after(&kit, Fault::HangBefore, 0).await.unwrap_err(),
        DeskError::Timeout
    );
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(kit.sent() >= 2);
}

#[tokio::test]
async fn wrong_types_and_missing_data_are_no_orders() {
    for fault in [
        Fault::WrongTypes,
        Fault::MissingData,
        Fault::answer(200, "[]"),
        Fault::answer(200, r#"{"status":"success","order":[]}"#),
    ] {
        let kit = Kit::new().await;
        assert_eq!(
            read_after(&kit, fault.clone(), 1).await.unwrap_err().code(),
            "protocol",
            "{fault:?}"
        );
        assert_eq!(kit.sent(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn another_order_than_the_one_asked_for_is_no_answer() {
    let kit = Kit::new().await;
    let other = Fault::answer(200, r#"{"status":"success","order":{"id":"7001002"}}"#);
    assert_eq!(
        read_after(&kit, other, 1).await.unwrap_err().code(),
        "protocol"
    );
}

#[tokio::test]
async fn an_error_on_200_is_an_error_and_is_not_kept() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let ticket = kit
        .sandbox
        .faults()
        .next(Fault::error_on_200("Store Suspended"));
    let error = shop.order(&order_id(ORDER), false).await.unwrap_err();
    assert_eq!(
        error,
        DeskError::Rejected {
            message: "Store Suspended".to_owned()
        }
    );
    assert_eq!(ticket.fired(), 1);

    let order = shop.order(&order_id(ORDER), false).await.unwrap();
    assert_eq!((order.value.id().as_ref(), order.cached), (ORDER, false));
    assert_eq!(kit.sent(), 2);
}

#[tokio::test]
async fn not_found_on_200_is_not_found() {
    let kit = Kit::new().await;
    assert_eq!(
        read_after(&kit, Fault::error_on_200("Order Not Found"), 1)
            .await
            .unwrap_err()
            .code(),
        "not_found"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_stays_here() {
    let kit = Kit::new().await;
    let elsewhere = Sandbox::start(wide_open()).await.unwrap();
    let target = format!("{}/orders/{ORDER}", elsewhere.base_url());
    assert_eq!(
        read_after(&kit, Fault::redirect(&target), 1)
            .await
            .unwrap_err()
            .code(),
        "protocol"
    );
    assert!(elsewhere.requests().is_empty());
    assert_eq!(kit.sent(), 1);
}

#[tokio::test]
async fn a_refused_connection_is_told_in_plain_words() {
    let mut kit = Kit::new().await;
    kit.config.max_retries = 1;
    let shop = kit.shop();
    kit.sandbox.stop();
    let error = shop_error(shop.order(&order_id(ORDER), false).await);
    assert_eq!(
        error,
        DeskError::Unreachable {
            why: "the connection was refused"
        }
    );
}

fn shop_error<T>(outcome: Result<T, DeskError>) -> DeskError {
    outcome.err().expect("nobody listens there any more")
}

#[tokio::test]
async fn an_endless_answer_is_not_taken_in() {
    let kit = Kit::new().await;
    let huge = Fault::answer(200, &" ".repeat(33 << 20));
    assert_eq!(
        read_after(&kit, huge, 1).await.unwrap_err(),
        DeskError::TooLarge {
            limit_bytes: 32 << 20
        }
    );
    assert_eq!(kit.sent(), 1);
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_before_the_key_leaves() {
    let kit = Kit::new().await;
    let desk = kit.desk();
    // The rule holds for each address, not for the first one that a process speaks to.
    desk.shop(kit.access())
        .order(&order_id(ORDER), false)
        .await
        .unwrap();
    let elsewhere = Access {
        base_url: "http://192.0.2.1/api/v2".parse().unwrap(),
        ..kit.access()
    };
    let error = desk
        .shop(elsewhere)
        .order(&order_id(ORDER), false)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "bad_request");
    assert!(error.to_string().contains("https"));
}

#[tokio::test]
async fn no_error_carries_the_key_or_an_address() {
    let mut kit = Kit::new().await;
    kit.config.max_retries = 0;
    kit.config.http_timeout = Duration::from_millis(150);
    let key = kit.sandbox.store(0).api_key;
    let leaky = format!(
        "{{\"status\":\"error\",\"message\":\"{key} at {}/orders\"}}",
        kit.sandbox.base_url()
    );
    let faults = [
        Fault::answer(400, &leaky),
        Fault::answer(200, &leaky),
        Fault::answer(500, &leaky),
        Fault::CutBefore,
        Fault::CutBody,
        Fault::HangBefore,
        Fault::WrongTypes,
        Fault::redirect("http://192.0.2.1/x"),
    ];
    for fault in faults {
        let error = read_after(&kit, fault.clone(), 1).await.unwrap_err();
        let told = format!("{error} {error:?} {}", error.hint());
        assert!(
            !told.contains(&key) && !told.contains("127.0.0.1") && !told.contains("192.0.2.1"),
            "{fault:?}: {told}"
        );
    }
}
