//! What every process tells about itself: faults, the state file, telemetry's own work.

use super::bounds::STATE_SECONDS;
use super::{Metric, Mode, Owner, counter, gauge, histogram};

/// Failures by class.
pub static ERRORS: Metric = counter(
    "errors_total",
    &["error_type", "error_code", "endpoint"],
    Owner::Both,
    "Failures, by the room that met them, a stable code, and the tool or route template.",
);

/// Panics.
pub static UNHANDLED_EXCEPTIONS: Metric = counter(
    "unhandled_exceptions_total",
    &[],
    Owner::Both,
    "Panics; each was caught and answered as an error, and each is a bug to report.",
);

/// Time of one transaction on the state file.
pub static DB_QUERY_DURATION: Metric = histogram(
    "db_query_duration_seconds",
    STATE_SECONDS,
    &["operation"],
    Owner::Both,
    "Time of one transaction on the state file, waiting for the lock included, by operation.",
);

/// Connections opened to the state file.
pub static DB_CONNECTIONS: Metric = counter(
    "db_connections_total",
    &[],
    Owner::Both,
    "Connections opened to the state file.",
);

/// Connections in the pools.
pub static DB_POOL_SIZE: Metric = gauge(
    "db_pool_size",
    Mode::LiveSum,
    &[],
    Owner::Both,
    "Open connections to the state file, over all processes.",
);

/// Idle connections in the pools.
pub static DB_POOL_AVAILABLE: Metric = gauge(
    "db_pool_available",
    Mode::LiveSum,
    &[],
    Owner::Both,
    "Idle connections to the state file, over all processes.",
);

/// Time of one flush.
pub static FLUSH_DURATION: Metric = histogram(
    "orderdesk_mcp_flush_duration_seconds",
    STATE_SECONDS,
    &[],
    Owner::Both,
    "Time to write a process's changed metrics to the state file, failed attempts included.",
);

/// Failed flushes.
pub static FLUSH_ERRORS: Metric = counter(
    "orderdesk_mcp_flush_errors_total",
    &["code"],
    Owner::Both,
    "Attempts to write metrics to the state file that failed and were tried again, by code.",
);

/// How late the last flush was.
pub static FLUSH_LAG: Metric = gauge(
    "orderdesk_mcp_flush_lag_seconds",
    Mode::LiveMax,
    &[],
    Owner::Both,
    "Age of the oldest value when a process last wrote its metrics; the largest over living processes.",
);

/// Dead sessions folded into the totals.
pub static SESSIONS_FOLDED: Metric = counter(
    "orderdesk_mcp_sessions_folded_total",
    &[],
    Owner::Both,
    "Sessions of ended processes whose values were folded into the retired totals.",
);

/// Records that met the cap on series.
pub static SERIES_DROPPED: Metric = counter(
    "orderdesk_mcp_series_dropped_total",
    &["metric"],
    Owner::Both,
    "Lookups of a series beyond the cap of its metric; their values are in the series overflow=true.",
);

/// The version that runs.
pub static BUILD_INFO: Metric = gauge(
    "orderdesk_mcp_build_info",
    Mode::LiveMax,
    &["kind", "version"],
    Owner::Both,
    "1 for each kind and version of a living process.",
);

pub(super) static HOUSE: &[&Metric] = &[
    &ERRORS,
    &UNHANDLED_EXCEPTIONS,
    &DB_QUERY_DURATION,
    &DB_CONNECTIONS,
    &DB_POOL_SIZE,
    &DB_POOL_AVAILABLE,
    &FLUSH_DURATION,
    &FLUSH_ERRORS,
    &FLUSH_LAG,
    &SESSIONS_FOLDED,
    &SERIES_DROPPED,
    &BUILD_INFO,
];
