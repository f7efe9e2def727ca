//! What the texts of errors promise.

use super::*;
use crate::desk::model::OrderId;

fn one_of_each() -> Vec<DeskError> {
    vec![
        DeskError::Auth,
        DeskError::NotFound {
            what: "order",
            id: "7".into(),
        },
        DeskError::Rejected {
            message: "no".into(),
        },
        DeskError::RateLimited {
            by: Limiter::OrderDesk,
            retry_after: Duration::from_millis(2500),
        },
        DeskError::TooBusy {
            wait: Duration::from_secs(1),
        },
        DeskError::Upstream {
            status: 502,
            html: true,
        },
        DeskError::Timeout,
        DeskError::Unreachable {
            why: "connection refused",
        },
        DeskError::Protocol {
            what: "no `order`".into(),
        },
        DeskError::TooLarge {
            limit_bytes: 32 << 20,
        },
        OrderId::parse("x").unwrap_err().into(),
        DeskError::NoClient {
            why: "no roots".into(),
        },
        DeskError::Conflict {
            fields: vec!["`email` was `a`, is `b` now".into()],
        },
        DeskError::Exists {
            what: "order 7".into(),
            name: "source_id",
            different: "`email`".into(),
        },
        DeskError::NoRecord {
            why: "it is locked".into(),
        },
        DeskError::Turn { ahead: 2 },
        DeskError::Mistakes(vec!["`emial` is no field; did you mean `email`?".into()]),
        DeskError::Abandoned,
    ]
}

#[test]
fn every_error_says_what_to_do_and_has_a_name_of_its_own() {
    let errors = one_of_each();
    let mut codes: Vec<&str> = errors.iter().map(DeskError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), errors.len());
    for error in errors {
        assert!(error.hint().len() > 20, "{error:?}");
        assert!(!error.to_string().ends_with('.'), "{error}");
    }
}

#[test]
fn waiting_times_are_rounded_up_so_that_waiting_that_long_is_enough() {
    let error = DeskError::RateLimited {
        by: Limiter::OrderDesk,
        retry_after: Duration::from_millis(2500),
    };
    assert!(error.to_string().ends_with("wait 3 seconds"), "{error}");
    assert_eq!(
        DeskError::TooBusy {
            wait: Duration::from_secs(1)
        }
        .to_string(),
        "this store's share of requests is used up for the next 1 second"
    );
}

#[test]
fn many_mistakes_stay_readable_and_hide_nothing() {
    let sly = "`a\nb\u{202e}` is no field of an order".to_owned();
    let error = DeskError::Mistakes(vec![sly; 10_000]);
    let told = error.to_string();
    assert!(
        told.len() < 2_000 && told.ends_with("and 9980 more"),
        "{told}"
    );
    assert!(!told.contains('\n') && !told.contains('\u{202e}'), "{told}");
    let long = DeskError::Mistakes(vec!["x".repeat(100_000)]).to_string();
    assert!(long.len() < 500, "{}", long.len());
}

#[test]
fn whoever_limits_is_named_with_what_helps_against_it() {
    let [theirs, ours] = [Limiter::OrderDesk, Limiter::Tenant].map(|by| {
        let retry_after = Duration::from_secs(7);
        DeskError::RateLimited { by, retry_after }
    });
    assert!(theirs.hint().contains("another program"));
    assert!(ours.hint().contains("RATE_LIMIT_RPM"));
    for error in [theirs, ours] {
        assert!(error.to_string().ends_with("wait 7 seconds"), "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }
}

#[test]
fn only_what_may_pass_by_itself_is_retryable() {
    let codes: Vec<&str> = one_of_each()
        .iter()
        .filter(|error| error.is_retryable())
        .map(DeskError::code)
        .collect();
    assert_eq!(
        codes,
        [
            "rate_limited",
            "too_busy",
            "upstream",
            "timeout",
            "unreachable",
            "order_busy"
        ]
    );
}
