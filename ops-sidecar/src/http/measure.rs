//! Counts and times what this server answers.
//!
//! Endpoints are route templates and methods come from a closed set, so that no request can add a series: unknown ones are `_OTHER`.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use shared::telemetry::names;

/// The label for what is not ours to enumerate.
const OTHER: &str = "_OTHER";

/// The middleware around everything, refusals included.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    let method = method_label(request.method());
    let endpoint = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| OTHER.to_owned(), |path| path.as_str().to_owned());
    let started = Instant::now();
    let _in_progress = InProgress::begin();
    let response = next.run(request).await;
    let status = response.status().as_str().to_owned();
    metrics::histogram!(names::HTTP_REQUEST_DURATION.name, "method" => method, "endpoint" => endpoint.clone())
        .record(started.elapsed().as_secs_f64());
    metrics::counter!(names::HTTP_REQUESTS.name, "method" => method, "endpoint" => endpoint, "status_code" => status).increment(1);
    response
}

/// One request being answered; dropped also when the client goes away in the middle.
struct InProgress;

impl InProgress {
    fn begin() -> InProgress {
        metrics::gauge!(names::HTTP_REQUESTS_IN_PROGRESS.name).increment(1.0);
        InProgress
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        metrics::gauge!(names::HTTP_REQUESTS_IN_PROGRESS.name).decrement(1.0);
    }
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}
