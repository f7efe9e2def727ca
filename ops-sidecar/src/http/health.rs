//! The health addresses: four views of one report. Nothing is decided here, and only the caches' sizes are looked up: the rest the checks have done.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use shared::env::Effective;

use super::Rooms;
use super::metrics::{self, CacheTotals};
use crate::VERSION;
use crate::checks::gather::Facts;
use crate::checks::{Finding, Status, rfc3339};

/// `GET /health`: always 200, because whoever reads this is being served.
pub(super) async fn health(State(rooms): State<Rooms>) -> Json<Summary> {
    Json(Summary::of(&rooms))
}

/// `GET /health/live`: no dependency at all, or a hiccup of the disk would have every supervisor restart us.
pub(super) async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `GET /health/ready`: 503 while something keeps this machine from being of use.
pub(super) async fn ready(State(rooms): State<Rooms>) -> Response {
    let report = rooms.inner.board.report();
    let reasons: Vec<Value> = report
        .blockers()
        .map(|finding| json!({"id": finding.id, "summary": finding.summary, "hint": finding.hint, "since": rfc3339(finding.since)}))
        .collect();
    if reasons.is_empty() {
        return Json(json!({"status": "ready"})).into_response();
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        Json(json!({"status": "not_ready", "reasons": reasons})),
    )
        .into_response()
}

/// `GET /health/detailed`: everything the checks know, and the settings in force.
pub(super) async fn detailed(State(rooms): State<Rooms>) -> Json<Detailed> {
    let report = rooms.inner.board.report();
    let cache = rooms
        .read(|slot, _| metrics::cache(slot))
        .await
        .ok()
        .flatten();
    Json(Detailed {
        summary: Summary::of(&rooms),
        checked_at: report.taken_at.map(rfc3339),
        findings: report.findings.clone(),
        components: Components {
            facts: report.facts.clone(),
            cache,
        },
        config: rooms.inner.config.clone(),
    })
}

/// The body of `/health`, and the head of `/health/detailed`.
#[derive(Serialize)]
pub(super) struct Summary {
    status: Status,
    version: &'static str,
    uptime_seconds: u64,
}

impl Summary {
    fn of(rooms: &Rooms) -> Summary {
        Summary {
            status: rooms.inner.board.report().status(),
            version: VERSION,
            uptime_seconds: rooms.inner.started.elapsed().as_secs(),
        }
    }
}

/// The body of `/health/detailed`.
#[derive(Serialize)]
pub(super) struct Detailed {
    #[serde(flatten)]
    summary: Summary,
    checked_at: Option<String>,
    findings: Vec<Finding>,
    components: Components,
    config: Vec<Effective>,
}

/// What the checks know, and what only the processes can tell.
#[derive(Serialize)]
struct Components {
    #[serde(flatten)]
    facts: Facts,
    cache: Option<CacheTotals>,
}
