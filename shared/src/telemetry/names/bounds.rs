//! Bucket bounds. Changing a list here starts new series: histograms of different bounds are never merged, and what
//! was counted under the old ones is shown beside the new with a `bounds` label (see `telemetry::query`).

/// Work inside one process, in seconds: a cached tool call takes tens of microseconds, one that reaches Order Desk
/// hundreds of milliseconds, and a call is given up after half a minute.
pub const TOOL_SECONDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Transactions on the state file, in seconds: tens of microseconds when nobody is in the way, up to the five seconds
/// that a writer waits for the lock.
pub const STATE_SECONDS: &[f64] = &[
    0.000_02, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
    0.5, 1.0, 5.0,
];

/// HTTP, in seconds, both the sidecar's answers and Order Desk's.
pub const HTTP_SECONDS: &[f64] = &[
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The buckets that the OpenTelemetry conventions for MCP fix for operation and session duration, in seconds.
pub const OTEL_MCP_SECONDS: &[f64] = &[
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// Size of a reply in bytes. A token of JSON is about three to four bytes; clients move replies of more than 25,000
/// tokens out of the model's sight, which the two upper bounds bracket.
pub const REPLY_BYTES: &[f64] = &[
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    49_152.0,
    98_304.0,
    262_144.0,
    1_048_576.0,
];
