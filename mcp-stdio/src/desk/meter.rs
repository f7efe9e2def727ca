//! What the desk counts.
//!
//! Here: every metric call of this room, so that names and labels stand side by side. Labels come from closed sets: route templates, status codes,
//! the names of cache operations, and the opaque id of the process's own tenant. Never the id of anything in a shop, never a shop.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use shared::telemetry::names;

use super::cache::CacheStatus;
use super::request::Request;

/// One attempt that reached out to Order Desk: its HTTP status, or `timeout`, `unreachable`, `too_large`.
pub(super) fn called(request: &Request, status: Result<u16, &'static str>, took: Duration) {
    let (endpoint, method) = (request.endpoint.template(), request.method.as_str());
    let status = status.map_or_else(str::to_owned, |code| code.to_string());
    counter!(names::ORDERDESK_API_CALLS.name, "endpoint" => endpoint, "method" => method, "status_code" => status).increment(1);
    histogram!(names::ORDERDESK_API_DURATION.name, "endpoint" => endpoint, "method" => method)
        .record(took);
}

/// An attempt that will be repeated.
pub(super) fn retried(reason: &'static str) {
    counter!(names::ORDERDESK_API_RETRIES.name, "reason" => reason).increment(1);
}

/// Our bucket of the store (`store_quota`), Order Desk's own (`upstream_429`) or the tenant's (`tenant_reads`, `tenant_writes`) made a
/// call wait or refused it.
pub(super) fn limited(tenant: &Arc<str>, limit_type: &'static str) {
    counter!(names::RATE_LIMIT_HITS.name, "tenant_id" => Arc::clone(tenant), "limit_type" => limit_type)
        .increment(1);
}

/// Order Desk's own count of the requests that could be sent at once.
pub(super) fn tokens_left(tenant: &Arc<str>, remaining: u32) {
    gauge!(names::RATE_LIMIT_TOKENS_AVAILABLE.name, "tenant_id" => Arc::clone(tenant))
        .set(remaining);
}

/// `hit`, `miss`, `set`, `evict` or `invalidate`.
pub(super) fn cache(operation: &'static str, resource: &'static str) {
    counter!(names::CACHE_OPERATIONS.name, "operation" => operation, "resource_type" => resource)
        .increment(1);
}

/// The cache after a change.
pub(super) fn cache_holds(status: CacheStatus) {
    gauge!(names::CACHE_ITEMS.name).set(status.items as f64);
    gauge!(names::CACHE_SIZE_BYTES.name).set(status.bytes as f64);
}
