//! Whether, and when, a read is tried again.
//!
//! Here: pure decisions. Every GET may be repeated, so what counts is only whether repeating can help: trouble that passes by itself can,
//! a refusal cannot. Order Desk's own wish (`X-Retry-After`, then `Retry-After`) comes before our exponential backoff. Not here: waiting.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::error::DeskError;

/// The first backoff is random between zero and this.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// No backoff is longer; a longer wait only happens when Order Desk asks for it.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// A bucket that refills three tokens each second has one after this, even if others wait too.
const AFTER_SILENT_429: Duration = Duration::from_secs(1);

/// What a header may ask for at most: a wrong date must not stop a store for a year.
const LONGEST_WISH: Duration = Duration::from_secs(60 * 60);

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    GiveUp,
    Again {
        after: Duration,
        reason: &'static str,
    },
}

/// One failed attempt.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: DeskError,
    /// The HTTP status, if an answer came.
    pub(crate) status: Option<u16>,
    /// What the answer asked for.
    pub(crate) asked: Option<Duration>,
}

/// Decides after attempt number `attempt` (from 0) of at most `1 + retries`, with `left` until the whole read must be over.
pub(crate) fn next(
    failure: &Failure,
    attempt: u32,
    retries: u32,
    left: Duration,
    chance: &mut fastrand::Rng,
) -> Next {
    let Some(reason) = reason(failure) else {
        return Next::GiveUp;
    };
    let after = match failure.asked {
        Some(asked) => asked,
        None if reason == "429" => AFTER_SILENT_429 + backoff(attempt, chance),
        None => backoff(attempt, chance),
    };
    if attempt >= retries || after >= left {
        Next::GiveUp
    } else {
        Next::Again { after, reason }
    }
}

/// The metric label for repeating after this failure; `None` when repeating cannot help.
fn reason(failure: &Failure) -> Option<&'static str> {
    match (failure.status, &failure.error) {
        (Some(408), _) => Some("408"),
        (Some(425), _) => Some("425"),
        (Some(429), _) => Some("429"),
        (Some(500), _) => Some("500"),
        (Some(502), _) => Some("502"),
        (Some(503), _) => Some("503"),
        (Some(504), _) => Some("504"),
        (Some(200..=299), DeskError::Upstream { .. }) => Some("not_json"),
        (None, DeskError::Timeout) => Some("timeout"),
        (None, DeskError::Unreachable { .. }) => Some("unreachable"),
        _ => None,
    }
}

/// Exponential with full jitter: clients that failed together do not come back together.
pub(crate) fn backoff(attempt: u32, chance: &mut fastrand::Rng) -> Duration {
    FIRST_BACKOFF
        .saturating_mul(1 << attempt.min(16))
        .min(LONGEST_BACKOFF)
        .mul_f64(chance.f64())
}

/// How long the answer asks us to wait: Order Desk's header first, then the standard one, in seconds or as a date.
pub(crate) fn asked_to_wait(
    x_retry_after: Option<&str>,
    retry_after: Option<&str>,
    now: Timestamp,
) -> Option<Duration> {
    let wish = x_retry_after
        .and_then(seconds)
        .or_else(|| retry_after.and_then(|text| seconds(text).or_else(|| until(text, now))))?;
    Some(wish.min(LONGEST_WISH))
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = text
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|seconds| !seconds.is_nan())?;
    Duration::try_from_secs_f64(seconds.min(LONGEST_WISH.as_secs_f64())).ok()
}

fn until(text: &str, now: Timestamp) -> Option<Duration> {
    let until = moment(text)?.duration_since(now);
    Some(Duration::try_from(until).unwrap_or(Duration::ZERO))
}

/// A date as HTTP writes it.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(text.trim())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn failed(status: u16) -> Failure {
        let error = match status {
            429 => DeskError::RateLimited {
                by: crate::desk::Limiter::OrderDesk,
                retry_after: AFTER_SILENT_429,
            },
            408 => DeskError::Timeout,
            400 => DeskError::Rejected {
                message: String::new(),
            },
            401 => DeskError::Auth,
            404 => DeskError::NotFound {
                what: "order",
                id: String::new(),
            },
            302 => DeskError::Protocol {
                what: String::new(),
            },
            _ => DeskError::Upstream {
                status,
                html: false,
            },
        };
        Failure {
            error,
            status: Some(status),
            asked: None,
        }
    }

    fn silent(error: DeskError) -> Failure {
        Failure {
            error,
            status: None,
            asked: None,
        }
    }

    fn again(failure: &Failure) -> Option<&'static str> {
        match next(failure, 0, 3, MINUTE, &mut fastrand::Rng::with_seed(7)) {
            Next::Again { reason, .. } => Some(reason),
            Next::GiveUp => None,
        }
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_and_what_does_not_is_not() {
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(
                again(&failed(status)),
                Some(status.to_string().leak() as &str),
                "{status}"
            );
        }
        assert_eq!(again(&failed(200)), Some("not_json"));
        assert_eq!(again(&silent(DeskError::Timeout)), Some("timeout"));
        assert_eq!(
            again(&silent(DeskError::Unreachable { why: "refused" })),
            Some("unreachable")
        );
        for status in [302, 400, 401, 404, 501, 418] {
            assert_eq!(again(&failed(status)), None, "{status}");
        }
        assert_eq!(again(&silent(DeskError::TooLarge { limit_bytes: 1 })), None);
        assert_eq!(again(&silent(DeskError::TooBusy { wait: MINUTE })), None);
    }

    #[test]
    fn the_number_of_retries_is_the_number_of_retries() {
        let chance = &mut fastrand::Rng::with_seed(7);
        assert!(matches!(
            next(&failed(500), 2, 3, MINUTE, chance),
            Next::Again { .. }
        ));
        assert_eq!(next(&failed(500), 3, 3, MINUTE, chance), Next::GiveUp);
        assert_eq!(next(&failed(500), 0, 0, MINUTE, chance), Next::GiveUp);
    }

    #[test]
    fn backoff_grows_stays_random_and_is_bounded() {
        let chance = &mut fastrand::Rng::with_seed(7);
        for attempt in 0..40 {
            let most = FIRST_BACKOFF
                .saturating_mul(1 << attempt.min(16))
                .min(LONGEST_BACKOFF);
            let drawn: Vec<Duration> = (0..50).map(|_| backoff(attempt, chance)).collect();
            assert!(drawn.iter().all(|wait| *wait <= most));
            assert!(drawn.iter().max() > drawn.iter().min());
        }
    }

    #[test]
    fn a_wish_is_obeyed_to_the_moment_and_a_silent_429_waits_for_a_token() {
        let chance = &mut fastrand::Rng::with_seed(7);
        let asked = Failure {
            asked: Some(Duration::from_secs(3)),
            ..failed(429)
        };
        assert_eq!(
            next(&asked, 0, 3, MINUTE, chance),
            Next::Again {
                after: Duration::from_secs(3),
                reason: "429"
            }
        );
        let Next::Again { after, .. } = next(&failed(429), 0, 3, MINUTE, chance) else {
            panic!("a 429 is tried again")
        };
        assert!(after >= AFTER_SILENT_429);
    }

    #[test]
    fn nobody_waits_beyond_the_deadline_only_to_fail_there() {
        let asked = Failure {
            asked: Some(MINUTE),
            ..failed(503)
        };
        assert_eq!(
            next(&asked, 0, 3, MINUTE, &mut fastrand::Rng::with_seed(7)),
            Next::GiveUp
        );
    }

    #[test]
    fn order_desks_own_header_wins_over_the_standard_one() {
        let now: Timestamp = "2026-03-02T14:00:00Z".parse().unwrap();
        let wish = |ours, theirs| asked_to_wait(ours, theirs, now).map(|wait| wait.as_millis());
        assert_eq!(wish(Some("2"), Some("9")), Some(2000));
        assert_eq!(wish(Some("soon"), Some(" 9 ")), Some(9000));
        assert_eq!(wish(None, Some("0.5")), Some(500));
        assert_eq!(
            wish(None, Some("Mon, 02 Mar 2026 14:00:07 GMT")),
            Some(7000)
        );
        assert_eq!(wish(None, Some("Mon, 02 Mar 2026 13:00:00 GMT")), Some(0));
        assert_eq!(
            wish(None, Some("Tue, 02 Mar 2027 14:00:00 GMT")),
            Some(3_600_000)
        );
        assert_eq!(wish(Some("-1"), None), None);
        assert_eq!(wish(Some("NaN"), None), None);
        assert_eq!(wish(Some("1e30"), None), Some(3_600_000));
        assert_eq!(wish(None, None), None);
    }
}
