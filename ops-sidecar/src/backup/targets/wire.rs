//! Our HTTP client under the clouds' library.
//!
//! The library brings an adapter to the same client, and with it HTTP/2: features of a crate add up over a workspace, so `mcp-stdio` would
//! carry it along, a megabyte of each of a hundred servers, and speak it to Order Desk. Here: one request, one answer, and of which kind a
//! failure was; and no answer is larger than any of ours can be. Not here: repeating (the library's), and the client's times (`cloud`).

use std::error::Error;
use std::io;

use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use object_store::client::{
    HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};

/// The most that one answer holds. We ask for ranges of 4 MiB; five thousand names with their times, Azure's largest page, are half of this.
const ANSWER: usize = 16 * 1024 * 1024;

/// The client; requests and answers are streamed.
#[derive(Debug)]
pub(super) struct Wire(pub(super) reqwest::Client);

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = reqwest::Url::parse(&parts.uri.to_string())
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(reqwest::Body::wrap(body));
        let answer = self.0.execute(request).await.map_err(failure)?;
        // Its parts and its body; the type behind is another crate's, named by what it converts from.
        let (parts, body) = HttpAnswer::from(answer).into_parts();
        let body =
            Limited::new(body, ANSWER).map_err(|error| match error.downcast::<reqwest::Error>() {
                Ok(error) => failure(*error),
                Err(too_large) => HttpError::new(HttpErrorKind::Decode, Oversized(too_large)),
            });
        let body = HttpResponseBody::new(body);
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// An answer went on for longer than any can be.
#[derive(Debug, thiserror::Error)]
#[error("the answer is too large")]
struct Oversized(#[source] Box<dyn Error + Send + Sync>);

type HttpAnswer = hyper::Response<reqwest::Body>;

/// What the library decides by whether to try again. Without the address, which may be signed.
fn failure(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else {
        cause(&error).unwrap_or(HttpErrorKind::Unknown)
    };
    HttpError::new(kind, error.without_url())
}

/// The client's own kinds say little about a connection that broke; what is below them says more.
fn cause(error: &reqwest::Error) -> Option<HttpErrorKind> {
    let mut below = error.source();
    while let Some(error) = below {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_timeout() {
                return Some(HttpErrorKind::Timeout);
            }
            if error.is_closed() || error.is_incomplete_message() || error.is_body_write_aborted() {
                return Some(HttpErrorKind::Request);
            }
        }
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::TimedOut) => return Some(HttpErrorKind::Timeout),
            Some(
                io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof,
            ) => return Some(HttpErrorKind::Interrupted),
            _ => {}
        }
        below = error.source();
    }
    None
}
