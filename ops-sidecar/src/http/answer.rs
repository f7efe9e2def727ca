//! How this server answers: JSON bodies, one shape for every error, and the headers that all answers carry.
//!
//! Errors that layers and the router make (404, 405, 413, 500, 503) are dressed here in the same shape as our own, so that a client
//! needs one decoder. Not here: what hyper itself answers before a request exists (400 and 431 without a body).

use axum::Json;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Answers are read by programs and by one operator; nothing in them may be framed, sniffed, kept or sent elsewhere.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The body of every error.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorText<'a>,
}

#[derive(Serialize)]
struct ErrorText<'a> {
    code: &'a str,
    message: &'a str,
    hint: &'a str,
}

/// An error a client can read: what happened, in which stable word, and what to do.
pub(crate) fn error(status: StatusCode, code: &str, message: &str, hint: &str) -> Response {
    (
        status,
        Json(ErrorBody {
            error: ErrorText {
                code,
                message,
                hint,
            },
        }),
    )
        .into_response()
}

/// Puts the house's headers on an answer, whoever made it.
pub(crate) async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Gives an error that is not JSON yet the common shape; its status and its other headers stay.
pub(crate) async fn as_json(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    if !is_error || is_json {
        return response;
    }
    let (code, message, hint) = words(status);
    let mut dressed = error(status, code, message, hint);
    if let Some(allow) = response.headers().get(axum::http::header::ALLOW) {
        dressed
            .headers_mut()
            .insert(axum::http::header::ALLOW, allow.clone());
    }
    dressed
}

/// The words for the errors that we do not make ourselves.
fn words(status: StatusCode) -> (&'static str, &'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => (
            "not_found",
            "there is nothing at this address",
            "GET / lists the addresses of this server",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "this address does not take this method",
            "the Allow header lists what it takes",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "too_large",
            "the request's body is larger than this server accepts",
            "send at most 64 KiB",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "too_slow",
            "the answer took longer than this server allows itself",
            "ask again; /health/ready says what is wrong",
        ),
        StatusCode::INTERNAL_SERVER_ERROR => (
            "internal",
            "a defect of this server kept it from answering",
            "the log has one line about it; please report it",
        ),
        _ => ("refused", "the request was refused", "check the request"),
    }
}
