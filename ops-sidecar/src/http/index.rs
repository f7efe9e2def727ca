//! `GET /`: what there is, for whoever opens the address in a browser. Static, so it needs no token.

use axum::Json;
use serde_json::{Value, json};

use crate::VERSION;

/// The list of addresses.
pub(super) async fn index() -> Json<Value> {
    Json(json!({
        "name": "ops-sidecar",
        "version": VERSION,
        "addresses": {
            "/health": "200 while this sidecar serves; status ok, degraded or fail",
            "/health/live": "200 while this sidecar serves",
            "/health/ready": "503 with reasons while this machine should get no traffic",
            "/health/detailed": "components, facts and findings (admin token)",
            "/metrics": "Prometheus metrics of all processes (admin token unless on loopback)",
        },
    }))
}
