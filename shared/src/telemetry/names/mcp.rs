//! What an MCP server does for its client: calls, their duration and size, lines it could not read.

use super::bounds::{OTEL_MCP_SECONDS, REPLY_BYTES, TOOL_SECONDS};
use super::{Metric, Mode, Owner, counter, gauge, histogram};

/// Tool calls answered.
pub static MCP_TOOL_CALLS: Metric = counter(
    "mcp_tool_calls_total",
    &["tool_name", "status"],
    Owner::Stdio,
    "Tool calls answered, by tool (_OTHER when unknown) and status (success, error).",
);

/// Duration of a tool call inside the server.
pub static MCP_TOOL_DURATION: Metric = histogram(
    "mcp_tool_duration_seconds",
    TOOL_SECONDS,
    &["tool_name"],
    Owner::Stdio,
    "Time from the start of a tool call to its rendered answer.",
);

/// Tool calls being worked on.
pub static MCP_TOOL_CALLS_IN_PROGRESS: Metric = gauge(
    "mcp_tool_calls_in_progress",
    Mode::LiveSum,
    &[],
    Owner::Stdio,
    "Tool calls being worked on, over all living servers.",
);

/// Size of a tool's answer.
pub static MCP_TOOL_REPLY_BYTES: Metric = histogram(
    "orderdesk_mcp_tool_reply_bytes",
    REPLY_BYTES,
    &["tool_name"],
    Owner::Stdio,
    "Size of the text a tool call puts before the model; a token is about three to four bytes.",
);

/// OpenTelemetry: one request or notification, from received to answer sent.
pub static MCP_SERVER_OPERATION_DURATION: Metric = histogram(
    "mcp_server_operation_duration_seconds",
    OTEL_MCP_SECONDS,
    &[
        "mcp_method_name",
        "gen_ai_tool_name",
        "error_type",
        "rpc_response_status_code",
        "gen_ai_operation_name",
        "mcp_protocol_version",
        "network_transport",
    ],
    Owner::Stdio,
    "Duration of an MCP request or notification as seen by the server, from received until its answer is sent.",
);

/// OpenTelemetry: one session.
pub static MCP_SERVER_SESSION_DURATION: Metric = histogram(
    "mcp_server_session_duration_seconds",
    OTEL_MCP_SECONDS,
    &["error_type", "mcp_protocol_version", "network_transport"],
    Owner::Stdio,
    "Duration of an MCP session as seen by the server.",
);

/// Lines on stdin that are no message.
pub static BAD_LINES: Metric = counter(
    "orderdesk_mcp_bad_lines_total",
    &["reason"],
    Owner::Stdio,
    "Input lines that were not an MCP message, by reason.",
);

pub(super) static MCP: &[&Metric] = &[
    &MCP_TOOL_CALLS,
    &MCP_TOOL_DURATION,
    &MCP_TOOL_CALLS_IN_PROGRESS,
    &MCP_TOOL_REPLY_BYTES,
    &MCP_SERVER_OPERATION_DURATION,
    &MCP_SERVER_SESSION_DURATION,
    &BAD_LINES,
];
