//! The corridor that every tool call walks through.
//!
//! Here: what must hold for all tools, once: arguments are checked before anything else, a panic is answered, a deadline is kept, a
//! cancelled call ends, and the call is counted before its answer leaves. Not here: what a tool does.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use rmcp::model::{CallToolResult, JsonObject};
use shared::telemetry::names;

use crate::args::Args;
use crate::context::Context;
use crate::error::ToolError;
use crate::reply::{self, Reply};
use crate::tools::Tool;

/// How long one call may take. Clients built on the common SDKs give up after 60 s by default; an answer that says why is worth
/// more than their timeout.
const DEADLINE: Duration = Duration::from_secs(55);

/// Calls `tool`. Always gives an answer; failures are answers with `isError`. When the returned future is dropped or `cancelled`
/// resolves, the call ends.
pub async fn call(tool: &'static Tool, context: &Context, arguments: Option<&JsonObject>, cancelled: impl Future<Output = ()>) -> CallToolResult {
    let started = Instant::now();
    let in_progress = InProgress::begin();
    let outcome = guarded(tool, context, arguments, cancelled).await;
    drop(in_progress);
    let (result, bytes) = match outcome {
        Ok(reply) => reply.render(),
        Err(error) => {
            count_error(tool.name, &error);
            (reply::render_error(&error), 0)
        }
    };
    let status = if result.is_error == Some(true) { "error" } else { "success" };
    count(tool.name, status);
    metrics::histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => tool.name).record(started.elapsed());
    if status == "success" {
        #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
        metrics::histogram!(names::MCP_TOOL_REPLY_BYTES.name, "tool_name" => tool.name).record(bytes as f64);
    }
    result
}

/// Counts one call by its outcome.
pub fn count(tool_name: &'static str, status: &'static str) {
    metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => tool_name, "status" => status).increment(1);
}

async fn guarded(
    tool: &'static Tool,
    context: &Context,
    arguments: Option<&JsonObject>,
    cancelled: impl Future<Output = ()>,
) -> Result<Reply, ToolError> {
    if !context.config.mistakes.is_empty() {
        return Err(ToolError::Settings(context.config.mistakes.clone()));
    }
    let args = Args::check(tool.arguments, arguments)?;
    // Nothing outlives a panic here but the context, whose locks are never held across a tool's own code.
    let work = AssertUnwindSafe((tool.run)(context, &args)).catch_unwind();
    tokio::select! {
        done = work => done.unwrap_or(Err(ToolError::Panicked)),
        () = cancelled => Err(ToolError::Cancelled),
        () = tokio::time::sleep(DEADLINE) => Err(ToolError::Deadline(DEADLINE)),
    }
}

/// The log line has the code only: the text may name a customer.
fn count_error(tool_name: &'static str, error: &ToolError) {
    tracing::info!(tool = tool_name, code = error.code(), "tool call {tool_name} failed: {}", error.code());
    metrics::counter!(names::ERRORS.name, "error_type" => "tool", "error_code" => error.code(), "endpoint" => tool_name).increment(1);
}

/// Counts down whatever ends the call, a cancelled future included.
struct InProgress;

impl InProgress {
    fn begin() -> InProgress {
        metrics::gauge!(names::MCP_TOOL_CALLS_IN_PROGRESS.name).increment(1.0);
        InProgress
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        metrics::gauge!(names::MCP_TOOL_CALLS_IN_PROGRESS.name).decrement(1.0);
    }
}
