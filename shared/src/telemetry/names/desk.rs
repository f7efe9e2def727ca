//! What reaches Order Desk, what the cache saves it, and what the shared quota holds back.

use super::bounds::HTTP_SECONDS;
use super::{Metric, Mode, Owner, counter, gauge, histogram};

/// Requests to Order Desk.
pub static ORDERDESK_API_CALLS: Metric = counter(
    "orderdesk_api_calls_total",
    &["endpoint", "method", "status_code"],
    Owner::Stdio,
    "Requests sent to Order Desk, by route template, method and status (an HTTP code, or timeout, unreachable).",
);

/// Time of one request to Order Desk.
pub static ORDERDESK_API_DURATION: Metric = histogram(
    "orderdesk_api_duration_seconds",
    HTTP_SECONDS,
    &["endpoint", "method"],
    Owner::Stdio,
    "Time from sending one request to Order Desk to its whole answer; waiting for quota is not in it.",
);

/// Requests sent again.
pub static ORDERDESK_API_RETRIES: Metric = counter(
    "orderdesk_api_retries_total",
    &["reason"],
    Owner::Stdio,
    "Requests to Order Desk that were sent again, by reason.",
);

/// What the read cache did.
pub static CACHE_OPERATIONS: Metric = counter(
    "cache_operations_total",
    &["operation", "resource_type"],
    Owner::Stdio,
    "Read cache operations: hit, miss, set, evict, invalidate.",
);

/// Entries in the read caches.
pub static CACHE_ITEMS: Metric = gauge(
    "cache_items",
    Mode::LiveSum,
    &[],
    Owner::Stdio,
    "Entries in the read caches of all living servers.",
);

/// Bytes in the read caches.
pub static CACHE_SIZE_BYTES: Metric = gauge(
    "cache_size_bytes",
    Mode::LiveSum,
    &[],
    Owner::Stdio,
    "Bytes held by the read caches of all living servers.",
);

/// Times a limit was met.
pub static RATE_LIMIT_HITS: Metric = counter(
    "rate_limit_hits_total",
    &["tenant_id", "limit_type"],
    Owner::Stdio,
    "Times a rate limit was met, by tenant and limit: tenant_reads and tenant_writes (the tenant's own), store_quota (the store's bucket, shared by all), upstream_429.",
);

/// Tokens left in a tenant's store bucket at Order Desk.
pub static RATE_LIMIT_TOKENS_AVAILABLE: Metric = gauge(
    "rate_limit_tokens_available",
    Mode::LiveMostRecent,
    &["tenant_id"],
    Owner::Stdio,
    "Requests that could be sent at once for the store that a tenant asked last, as Order Desk said in that answer.",
);

pub(super) static DESK: &[&Metric] = &[
    &ORDERDESK_API_CALLS,
    &ORDERDESK_API_DURATION,
    &ORDERDESK_API_RETRIES,
    &CACHE_OPERATIONS,
    &CACHE_ITEMS,
    &CACHE_SIZE_BYTES,
    &RATE_LIMIT_HITS,
    &RATE_LIMIT_TOKENS_AVAILABLE,
];
