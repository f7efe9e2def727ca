//! What became of an attempt to write, and what follows from it.
//!
//! Here: pure decisions, with their table in the tests. A write must not be repeated blindly: what counts is whether Order Desk may have
//! done it, and whether it may still do it. Not here: sending, looking, waiting.

use std::time::Duration;

use serde_json::Value;

use crate::desk::client::{Answer, Reached, Unanswered};
use crate::desk::error::DeskError;
use crate::desk::model::{Fields, Object};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::retry;

/// What became of one attempt.
#[derive(Debug)]
pub(super) enum Attempt {
    /// A good answer: it was done.
    Answered(Object),
    /// It was understood and refused (4xx): it was not done.
    Refused(DeskError),
    /// A good status around an error: it may be there all the same, such as a shipment that was added before.
    SaidNo(DeskError),
    /// Order Desk never got it, or took no notice (429): it was not done, and may be sent again.
    NotSent {
        error: DeskError,
        /// How long Order Desk asked to wait.
        asked: Option<Duration>,
    },
    /// Nobody can tell without looking.
    Unclear { error: DeskError, trace: Trace },
}

/// What the end of an unclear attempt says about a request that is found not to be done: is it over, or may it still be carried out?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// There was an answer, if a bad one: whoever worked on it has stopped.
    Ended,
    /// No answer came, from Order Desk or from what stands before it: it may still be at work. A connection that is gone says no more.
    Silent,
}

/// Whether a request that was found not to be done may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Done twice it is the same as done once.
    Harmless,
    /// Only when the attempt before it is over for certain: twice would be one too many.
    OnceOver,
    /// Never after an unclear attempt: nothing would show whether it was done.
    Never,
}

/// What the last attempt amounts to. `sent` is the answer with what it means, or why there is none.
pub(super) fn attempt(sent: Result<(Answer, Result<Object, DeskError>), Unanswered>) -> Attempt {
    let (answer, judged) = match sent {
        Ok(answered) => answered,
        Err(unanswered) => return without_answer(unanswered),
    };
    let error = match judged {
        Ok(envelope) if says_success(&envelope) => return Attempt::Answered(envelope),
        Ok(_) => DeskError::Protocol {
            what: "its answer does not say whether it was done".to_owned(),
        },
        Err(error) => error,
    };
    let unclear = |trace| {
        let error = error.clone();
        Attempt::Unclear { error, trace }
    };
    match answer.status {
        429 => Attempt::NotSent {
            asked: answer.retry_after.or(error.retry_after()),
            error,
        },
        // The last three are what a proxy before Order Desk says of an answer that it did not get.
        408 | 504 | 520 | 522 | 524 => unclear(Trace::Silent),
        425 => unclear(Trace::Ended),
        400..=499 => Attempt::Refused(error),
        200..=299
            if matches!(
                error,
                DeskError::Rejected { .. } | DeskError::NotFound { .. }
            ) =>
        {
            Attempt::SaidNo(error)
        }
        _ => unclear(Trace::Ended),
    }
}

/// A read is good when it shows what was asked for. A write shows nothing but this word, and every answer of Order Desk has it: one
/// without it comes from somewhere else.
fn says_success(envelope: &Object) -> bool {
    Fields::of(envelope)
        .text("status")
        .eq_ignore_ascii_case("success")
}

/// Whether a good answer shows what was made, where Order Desk shows it. That something is gone no answer can show; the others have
/// nothing but words, and whoever sends them looks for himself.
pub(super) fn shows_it(request: &Request, envelope: &Object) -> bool {
    let key = match (request.method, request.endpoint) {
        (Method::Post, Endpoint::Orders | Endpoint::OrderHistory) => "order",
        (Method::Post, Endpoint::InventoryItems) => "inventory_item",
        (Method::Delete, _) => return false,
        _ => return true,
    };
    envelope.get(key).is_some_and(Value::is_object)
}

fn without_answer(unanswered: Unanswered) -> Attempt {
    let error = unanswered.error;
    let trace = match unanswered.reached {
        Reached::Nobody => return Attempt::NotSent { error, asked: None },
        Reached::Perhaps => Trace::Silent,
        Reached::Answered => Trace::Ended,
    };
    Attempt::Unclear { error, trace }
}

/// Whether a request is sent again that was looked for after an unclear attempt and is not there.
pub(super) fn may_repeat(repeat: Repeat, trace: Trace) -> bool {
    match repeat {
        Repeat::Harmless => true,
        Repeat::OnceOver => trace == Trace::Ended,
        Repeat::Never => false,
    }
}

/// How long to wait before attempt number `attempt + 1` (from 0); `None` when it is not made: there were enough, or the time is over.
pub(super) fn pause(
    attempt: u32,
    retries: u32,
    asked: Option<Duration>,
    left: Duration,
    chance: &mut fastrand::Rng,
) -> Option<Duration> {
    let after = asked.unwrap_or_else(|| retry::backoff(attempt, chance));
    (attempt < retries && after < left).then_some(after)
}

/// Whether waiting can help against what kept a request from being sent.
pub(super) fn passes(error: &DeskError) -> bool {
    matches!(
        error,
        DeskError::Unreachable { .. } | DeskError::Timeout | DeskError::RateLimited { .. }
    )
}

/// The metric label of a repeated write; the same set as for reads.
pub(super) fn label(error: &DeskError) -> &'static str {
    match error {
        DeskError::RateLimited { .. } => "429",
        DeskError::Timeout => "timeout",
        DeskError::Unreachable { .. } => "unreachable",
        DeskError::Upstream { status, .. } => match status {
            425 => "425",
            500 => "500",
            502 => "502",
            503 => "503",
            504 => "504",
            _ => "not_json",
        },
        _ => "not_json",
    }
}

#[cfg(test)]
mod tests;
