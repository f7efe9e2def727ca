//! From an answer to an HTTP response, token headers on every one of them; and the answers that are not ours to give.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use hyper::Response;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, LOCATION, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::{Cut, HttpResponse};
use crate::api::Answer;
use crate::bucket::Verdict;
use crate::faults::{Fault, RetryHeader};

const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=UTF-8";
const X_TOKENS_REMAINING: HeaderName = HeaderName::from_static("x-tokens-remaining");
const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");

/// The ordinary response.
pub(crate) fn json(answer: Answer, verdict: Verdict) -> HttpResponse {
    plain(answer.status, JSON, answer.body, verdict)
}

/// Adds the `Date` of this sandbox's own clock: who compares clocks must be able to meet one that is wrong.
pub(super) fn dated(response: HttpResponse, now: Timestamp) -> HttpResponse {
    match DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
        Ok(date) => with(response, DATE, &date),
        // A year that HTTP cannot write: the library's own date then.
        Err(_) => response,
    }
}

/// The response that stands in for the work, for faults that leave it undone.
pub(super) fn instead(fault: &Fault, verdict: Verdict) -> Option<HttpResponse> {
    let response = match fault {
        Fault::TooManyRequests {
            retry_after,
            header,
            body,
        } => too_many(retry_after, *header, body.as_deref(), verdict),
        Fault::ServerError { status } => html_error(*status, verdict),
        Fault::Answer {
            status,
            body,
            content_type,
        } => plain(*status, content_type, body.clone(), verdict),
        Fault::ErrorOn200 { message } => error_on_200(message, verdict),
        Fault::Redirect { location } => {
            with(plain(302, HTML, String::new(), verdict), LOCATION, location)
        }
        _ => return None,
    };
    Some(response)
}

/// Promises the whole body, sends half of it, and closes the connection.
pub(super) fn cut_half_way(answer: Answer, verdict: Verdict) -> HttpResponse {
    let promised = answer.body.len();
    let half = Bytes::from(answer.body).slice(..promised / 2);
    // Hyper sends what it has when the body lets it wait; without the pause it would drop the headers, too.
    let cut = stream::once(async {
        tokio::task::yield_now().await;
        Err(Cut)
    });
    let body = Body::from_stream(stream::iter([Ok(half)]).chain(cut));
    with(
        response(answer.status, JSON, body, verdict),
        CONTENT_LENGTH,
        &promised.to_string(),
    )
}

/// Sends the right body, `bytes` at a time.
pub(super) fn trickle(answer: Answer, verdict: Verdict, bytes: usize, ms: u64) -> HttpResponse {
    let pause = Duration::from_millis(ms);
    let drip = bytes.max(1);
    let drips = stream::unfold(Bytes::from(answer.body), move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = rest.split_to(drip.min(rest.len()));
        Some((Ok::<_, Cut>(next), rest))
    });
    response(answer.status, JSON, Body::from_stream(drips), verdict)
}

/// An HTML error page of a proxy.
pub(super) fn html_error(status: u16, verdict: Verdict) -> HttpResponse {
    plain(status, HTML, error_page(status), verdict)
}

/// An envelope that says error under a status that says success.
pub(super) fn error_on_200(message: &str, verdict: Verdict) -> HttpResponse {
    let body = serde_json::json!({"status": "error", "message": message, "execution_time": "0.0102 seconds"});
    plain(200, JSON, body.to_string(), verdict)
}

fn too_many(
    retry_after: &str,
    header: RetryHeader,
    body: Option<&str>,
    verdict: Verdict,
) -> HttpResponse {
    let body = body.unwrap_or(r#"{"status":"error","message":"Too Many Requests"}"#);
    let content_type = if body.starts_with('<') { HTML } else { JSON };
    let response = plain(
        429,
        content_type,
        body.to_owned(),
        Verdict {
            remaining: 0,
            ..verdict
        },
    );
    match header {
        RetryHeader::XRetryAfter => with(response, X_RETRY_AFTER, retry_after),
        RetryHeader::RetryAfter => with(response, RETRY_AFTER, retry_after),
        RetryHeader::None => response,
    }
}

fn error_page(status: u16) -> String {
    format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
}

fn plain(status: u16, content_type: &str, body: String, verdict: Verdict) -> HttpResponse {
    response(status, content_type, Body::from(body), verdict)
}

fn response(status: u16, content_type: &str, body: Body, verdict: Verdict) -> HttpResponse {
    let mut response = Response::new(body);
    // A fault may name a status that HTTP does not have; 500 is as good as any then.
    *response.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let response = with(response, CONTENT_TYPE, content_type);
    let response = with(response, X_TOKENS_REMAINING, &verdict.remaining.to_string());
    match verdict.retry_after {
        Some(seconds) => with(response, X_RETRY_AFTER, &seconds.to_string()),
        None => response,
    }
}

/// Sets a header; a value that cannot stand in one is left out.
fn with(mut response: HttpResponse, name: HeaderName, value: &str) -> HttpResponse {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
    response
}
