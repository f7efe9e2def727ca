//! The sidecar's own HTTP server, and what it works out from the shared state while it is scraped.

use super::bounds::HTTP_SECONDS;
use super::{Metric, Mode, Owner, computed, counter, gauge, histogram};

/// HTTP requests the sidecar answered.
pub static HTTP_REQUESTS: Metric = counter(
    "http_requests_total",
    &["method", "endpoint", "status_code"],
    Owner::Sidecar,
    "HTTP requests answered by the sidecar, by method, route template (_OTHER when unknown) and status.",
);

/// Time the sidecar took for an HTTP request.
pub static HTTP_REQUEST_DURATION: Metric = histogram(
    "http_request_duration_seconds",
    HTTP_SECONDS,
    &["method", "endpoint"],
    Owner::Sidecar,
    "Time from the head of an HTTP request to its answer in the sidecar.",
);

/// HTTP requests the sidecar is working on.
pub static HTTP_REQUESTS_IN_PROGRESS: Metric = gauge(
    "http_requests_in_progress",
    Mode::LiveSum,
    &[],
    Owner::Sidecar,
    "HTTP requests the sidecar is working on.",
);

/// Attempts to use the admin token or to open what a master key seals.
pub static AUTH_ATTEMPTS: Metric = counter(
    "auth_attempts_total",
    &["status"],
    Owner::Both,
    "Attempts to use a protected page of the sidecar, or to unlock a tenant's sealed stores, by status (success, failure).",
);

/// Living processes.
pub static PROCESSES: Metric = computed(
    "orderdesk_mcp_processes",
    &["kind"],
    "Living processes on this state file, by kind (mcp-stdio, ops-sidecar).",
);

/// Stores in use.
pub static ACTIVE_STORES: Metric = computed(
    "active_stores",
    &[],
    "Stores that a request was sent for in the last five minutes.",
);

/// Tenants at work.
pub static ACTIVE_TENANTS: Metric = computed(
    "active_tenants",
    &[],
    "Tenants that a living server works for; the store from the environment counts as one.",
);

/// What is left of a tenant's own limit.
pub static TENANT_TOKENS_AVAILABLE: Metric = computed(
    "orderdesk_mcp_tenant_tokens_available",
    &["tenant_id", "operation"],
    "Requests that a tenant could send to Order Desk at once, by operation (reads, writes), under its own limit.",
);

/// Length of an audit chain.
pub static AUDIT_ROWS: Metric = computed(
    "orderdesk_mcp_audit_rows",
    &["tenant_id"],
    "Number of the newest row of an audit chain (of a tenant, env or system); it never falls unless rows were cut off.",
);

/// End of an audit chain.
pub static AUDIT_HEAD: Metric = computed(
    "orderdesk_mcp_audit_head",
    &["tenant_id"],
    "First 48 bits of the hash of an audit chain's newest row, as a number: with the row number a checkpoint outside of the file.",
);

/// Whether an audit chain is whole.
pub static AUDIT_CHAIN_OK: Metric = computed(
    "orderdesk_mcp_audit_chain_ok",
    &["tenant_id"],
    "1 while an audit chain's hashes and checkpoints agree, else 0.",
);

/// Writes whose outcome is not known.
pub static WRITES_UNSETTLED: Metric = computed(
    "orderdesk_mcp_writes_unsettled",
    &[],
    "Changes to shops that may have been made or not, and that nobody has looked at yet (mcp-stdio audit unsettled).",
);

/// Whether the state file answers.
pub static STATE_UP: Metric = computed(
    "orderdesk_mcp_state_up",
    &[],
    "1 while the shared state file can be read, else 0 (then only this sidecar's own facts are shown).",
);

/// Size of the state file and its write-ahead log.
pub static STATE_FILE_BYTES: Metric = computed(
    "orderdesk_mcp_state_file_bytes",
    &["file"],
    "Size of the shared state file (database) and of its write-ahead log (wal).",
);

/// Time of the last write probe.
pub static STATE_PROBE_SECONDS: Metric = computed(
    "orderdesk_mcp_state_probe_seconds",
    &[],
    "Time the last write probe of the state file took.",
);

/// Free space where the state file lives.
pub static DISK_FREE_BYTES: Metric = computed(
    "orderdesk_mcp_disk_free_bytes",
    &[],
    "Free space on the file system of the state file.",
);

/// Size of the file system of the state file.
pub static DISK_SIZE_BYTES: Metric = computed(
    "orderdesk_mcp_disk_size_bytes",
    &[],
    "Size of the file system of the state file.",
);

/// Memory that programs could still get.
pub static MEMORY_AVAILABLE_BYTES: Metric = computed(
    "orderdesk_mcp_memory_available_bytes",
    &[],
    "Memory that programs on this machine could still get.",
);

/// Memory of the machine.
pub static MEMORY_SIZE_BYTES: Metric = computed(
    "orderdesk_mcp_memory_size_bytes",
    &[],
    "Memory of this machine.",
);

/// Stores with a quota bucket.
pub static QUOTA_STORES: Metric = computed(
    "orderdesk_mcp_quota_stores",
    &[],
    "Stores that have a bucket in the shared quota.",
);

/// Tokens in the emptiest bucket.
pub static QUOTA_TOKENS_AVAILABLE_MIN: Metric = computed(
    "orderdesk_mcp_quota_tokens_available_min",
    &[],
    "Requests that could be sent at once for the store with the emptiest bucket.",
);

/// Findings of the health checks.
pub static FINDINGS: Metric = computed(
    "orderdesk_mcp_findings",
    &["level"],
    "Findings of the health checks, by level.",
);

pub(super) static SIDECAR: &[&Metric] = &[
    &HTTP_REQUESTS,
    &HTTP_REQUEST_DURATION,
    &HTTP_REQUESTS_IN_PROGRESS,
    &AUTH_ATTEMPTS,
    &PROCESSES,
    &ACTIVE_STORES,
    &ACTIVE_TENANTS,
    &TENANT_TOKENS_AVAILABLE,
    &AUDIT_ROWS,
    &AUDIT_HEAD,
    &AUDIT_CHAIN_OK,
    &WRITES_UNSETTLED,
    &STATE_UP,
    &STATE_FILE_BYTES,
    &STATE_PROBE_SECONDS,
    &DISK_FREE_BYTES,
    &DISK_SIZE_BYTES,
    &MEMORY_AVAILABLE_BYTES,
    &MEMORY_SIZE_BYTES,
    &QUOTA_STORES,
    &QUOTA_TOKENS_AVAILABLE_MIN,
    &FINDINGS,
];
