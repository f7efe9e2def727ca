//! Each operation measured from received to sent, as OpenTelemetry's MCP conventions define it.
//!
//! Here: the labels of `mcp_server_operation_duration_seconds` and the session's duration. Not here: what tools count for
//! themselves (`call`). Method and tool names come from the client: whatever is not in a known set becomes `_OTHER`, else a client
//! could make series without end. Notifications have no answer to time and are not measured.

use std::time::Instant;

use rmcp::model::{
    ClientRequest, ErrorData, GetMeta, JsonRpcMessage, JsonRpcRequest, ProtocolVersion,
    ServerJsonRpcMessage, ServerResult,
};
use shared::telemetry::names;
use tokio::sync::OwnedSemaphorePermit;

use super::KnownTool;
use super::decode::known_method;

/// Stands for every name outside the known set.
pub(crate) const OTHER: &str = "_OTHER";

/// The codes by which a client is told of its own mistake. They are a status, not an error of this server.
const CLIENTS_MISTAKES: [i32; 5] = [-32700, -32600, -32601, -32602, -32002];

/// A request that was received and not yet answered.
#[derive(Debug)]
pub(super) struct Ticket {
    method: &'static str,
    tool: &'static str,
    /// What a request of the modern era says itself.
    own_version: Option<&'static str>,
    received: Instant,
    /// Freed when the answer has been written; bounds what is in flight.
    _slot: OwnedSemaphorePermit,
}

impl Ticket {
    pub(super) fn new(
        request: &JsonRpcRequest<ClientRequest>,
        known_tool: KnownTool,
        received: Instant,
        slot: OwnedSemaphorePermit,
    ) -> Ticket {
        let tool = match &request.request {
            ClientRequest::CallToolRequest(call) => known_tool(&call.params.name).unwrap_or(OTHER),
            _ => "",
        };
        let own_version = request.request.get_meta().protocol_version();
        Ticket {
            method: known_method(request.request.method()).unwrap_or(OTHER),
            tool,
            own_version: own_version.as_ref().map(known_version),
            received,
            _slot: slot,
        }
    }

    /// For a line that never became a request.
    pub(super) fn refused(slot: OwnedSemaphorePermit) -> Ticket {
        Ticket {
            method: OTHER,
            tool: "",
            own_version: None,
            received: Instant::now(),
            _slot: slot,
        }
    }

    /// The ticket together with what its answer says. `session_version` is what `initialize` settled on, perhaps by this very
    /// answer.
    pub(super) fn answered_by(
        self,
        answer: &ServerJsonRpcMessage,
        session_version: &'static str,
    ) -> Reply {
        let (error_type, status) = outcome(answer);
        let version = self.own_version.unwrap_or(session_version);
        Reply {
            ticket: self,
            version,
            error_type,
            status,
        }
    }
}

/// An answer on its way out.
#[derive(Debug)]
pub(super) struct Reply {
    ticket: Ticket,
    version: &'static str,
    error_type: String,
    status: String,
}

impl Reply {
    /// Records the operation. Called when the answer has been written.
    pub(super) fn sent(self) {
        let ticket = &self.ticket;
        let operation = if ticket.tool.is_empty() {
            ""
        } else {
            "execute_tool"
        };
        metrics::histogram!(
            names::MCP_SERVER_OPERATION_DURATION.name,
            "mcp_method_name" => ticket.method,
            "gen_ai_tool_name" => ticket.tool,
            "error_type" => self.error_type,
            "rpc_response_status_code" => self.status,
            "gen_ai_operation_name" => operation,
            "mcp_protocol_version" => self.version,
            "network_transport" => "pipe",
        )
        .record(ticket.received.elapsed());
    }
}

/// `error_type` and `rpc_response_status_code`; empty where there is none.
fn outcome(answer: &ServerJsonRpcMessage) -> (String, String) {
    match answer {
        JsonRpcMessage::Error(error) => (error_type(&error.error), error.error.code.0.to_string()),
        JsonRpcMessage::Response(response) => match &response.result {
            ServerResult::CallToolResult(result) if result.is_error == Some(true) => {
                ("tool_error".to_owned(), String::new())
            }
            _ => Default::default(),
        },
        _ => Default::default(),
    }
}

fn error_type(error: &ErrorData) -> String {
    if CLIENTS_MISTAKES.contains(&error.code.0) {
        String::new()
    } else {
        error.code.0.to_string()
    }
}

/// A line that was answered by the transport itself.
pub(super) fn bad_line(reason: &'static str) {
    metrics::counter!(names::BAD_LINES.name, "reason" => reason).increment(1);
}

/// One whole session.
pub(super) fn session(began: Instant, version: &'static str) {
    metrics::histogram!(
        names::MCP_SERVER_SESSION_DURATION.name,
        "error_type" => "",
        "mcp_protocol_version" => version,
        "network_transport" => "pipe",
    )
    .record(began.elapsed());
}

/// The version's name from the closed set of versions that exist.
pub(super) fn known_version(version: &ProtocolVersion) -> &'static str {
    const KNOWN: [&str; 5] = [
        "2024-11-05",
        "2025-03-26",
        "2025-06-18",
        "2025-11-25",
        "2026-07-28",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == version.as_str())
        .unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmcp::model::{CallToolResult, RequestId};

    fn error(code: i32) -> ServerJsonRpcMessage {
        JsonRpcMessage::error(
            ErrorData::new(rmcp::model::ErrorCode(code), "x", None),
            Some(RequestId::Number(1)),
        )
    }

    #[test]
    fn a_clients_mistake_has_a_status_and_no_error_type() {
        for code in CLIENTS_MISTAKES {
            assert_eq!(outcome(&error(code)), (String::new(), code.to_string()));
        }
        assert_eq!(
            outcome(&error(-32603)),
            ("-32603".to_owned(), "-32603".to_owned())
        );
    }

    #[test]
    fn a_failed_tool_call_is_a_tool_error() {
        let failed = ServerResult::CallToolResult(CallToolResult::error(vec![]));
        assert_eq!(
            outcome(&JsonRpcMessage::response(failed, RequestId::Number(1))),
            ("tool_error".to_owned(), String::new())
        );
        let fine = ServerResult::CallToolResult(CallToolResult::success(vec![]));
        assert_eq!(
            outcome(&JsonRpcMessage::response(fine, RequestId::Number(1))),
            (String::new(), String::new())
        );
    }

    #[test]
    fn a_version_nobody_knows_is_other() {
        for version in ProtocolVersion::KNOWN_VERSIONS {
            assert_eq!(known_version(version), version.as_str());
        }
    }
}
