//! The corridor that every tool call walks through.
//!
//! Here: what must hold for all tools, once: a pasted key goes no further, arguments are checked before anything else, a panic is answered, a deadline is kept, a
//! cancelled call ends, and the call is counted before its answer leaves. Not here: what a tool does.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rmcp::model::{CallToolResult, JsonObject};
use shared::audit::{Outcome, action};
use shared::telemetry::names;

use crate::args::Args;
use crate::context::Context;
use crate::error::ToolError;
use crate::mask;
use crate::pasted;
use crate::person::{Decision, Person, Question};
use crate::reply::{self, Reply};
use crate::tools::{Effect, Tool};

/// How long one call may take. Clients built on the common SDKs give up after 60 s by default; an answer that says why is worth
/// more than their timeout.
const DEADLINE: Duration = Duration::from_secs(55);

/// Calls `tool`. Always gives an answer; failures are answers with `isError`. When the returned future is dropped or `cancelled`
/// resolves, the call ends.
pub async fn call(
    tool: &'static Tool,
    context: &Context,
    arguments: Option<&JsonObject>,
    person: &dyn Person,
    cancelled: impl Future<Output = ()>,
) -> CallToolResult {
    let started = Instant::now();
    let in_progress = InProgress::begin();
    let mut outcome = guarded(tool, context, arguments, person, cancelled).await;
    if let (Ok(reply), true) = (&mut outcome, context.config.mask_pii) {
        reply.mask();
    }
    if matches!(outcome, Err(ToolError::KeyRefused)) {
        note_refused_key(tool.name, context).await;
    }
    drop(in_progress);
    let (result, bytes) = match outcome {
        Ok(reply) => {
            tracing::debug!(tool = tool.name, "tool call {} answered", tool.name);
            reply.render()
        }
        Err(error) => {
            count_error(tool.name, &error);
            (
                reply::render_error(&error, tool.effect, context.config.mask_pii),
                0,
            )
        }
    };
    let status = if result.is_error == Some(true) {
        "error"
    } else {
        "success"
    };
    count(tool.name, status);
    metrics::histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => tool.name)
        .record(started.elapsed());
    if status == "success" {
        #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
        metrics::histogram!(names::MCP_TOOL_REPLY_BYTES.name, "tool_name" => tool.name)
            .record(bytes as f64);
    }
    result
}

/// Counts one call by its outcome.
pub fn count(tool_name: &'static str, status: &'static str) {
    metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => tool_name, "status" => status)
        .increment(1);
}

async fn guarded(
    tool: &'static Tool,
    context: &Context,
    arguments: Option<&JsonObject>,
    person: &dyn Person,
    cancelled: impl Future<Output = ()>,
) -> Result<Reply, ToolError> {
    if pasted::holds_a_secret(arguments, tool.arguments) {
        return Err(ToolError::KeyRefused);
    }
    if !context.config.mistakes.is_empty() {
        return Err(ToolError::Settings(context.config.mistakes.clone()));
    }
    if let Some(disabled) = context.config.permissions.why_not(tool) {
        return Err(disabled);
    }
    let args = Args::check(tool.arguments, arguments)?;
    let hides_or_writes = context.config.mask_pii || matches!(tool.effect, Effect::Writes(_));
    if hides_or_writes && let Some(place) = mask::marked(args.given()) {
        return Err(ToolError::Masked(place));
    }
    let person = Timed::new(person);
    // Nothing outlives a panic here but the context, whose locks are never held across a tool's own code.
    let work = AssertUnwindSafe((tool.run)(context, &args, &person)).catch_unwind();
    tokio::select! {
        done = work => done.unwrap_or(Err(ToolError::Panicked)),
        () = cancelled => Err(ToolError::Cancelled),
        () = person.deadline() => Err(ToolError::Deadline(DEADLINE)),
    }
}

/// A person whose thinking is not counted as ours: a question that was answered late leaves the work as much time as one that was answered
/// at once.
struct Timed<'a> {
    person: &'a dyn Person,
    began: tokio::time::Instant,
    thinking: Mutex<Thinking>,
}

#[derive(Default)]
struct Thinking {
    past: Duration,
    since: Option<tokio::time::Instant>,
}

impl Thinking {
    fn so_far(&self) -> Duration {
        self.past + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl<'a> Timed<'a> {
    fn new(person: &'a dyn Person) -> Timed<'a> {
        Timed {
            person,
            began: tokio::time::Instant::now(),
            thinking: Mutex::default(),
        }
    }

    /// Resolves when our own time is over.
    async fn deadline(&self) {
        loop {
            let ours = self
                .began
                .elapsed()
                .saturating_sub(self.thinking.lock().so_far());
            match DEADLINE.checked_sub(ours) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }
}

impl Person for Timed<'_> {
    fn ask<'a>(&'a self, question: &'a Question, token: &'a str) -> BoxFuture<'a, Decision> {
        async move {
            self.thinking.lock().since = Some(tokio::time::Instant::now());
            let decision = self.person.ask(question, token).await;
            let mut thinking = self.thinking.lock();
            thinking.past = thinking.so_far();
            thinking.since = None;
            decision
        }
        .boxed()
    }

    fn can_be_asked(&self) -> bool {
        self.person.can_be_asked()
    }

    fn brought(&self) -> Option<(&str, Decision)> {
        self.person.brought()
    }
}

/// That a key was pasted is worth a record; of the key there is nothing in it. A thousand times over it is worth no thousand.
async fn note_refused_key(tool_name: &'static str, context: &Context) {
    if !context.may_record_refusal() {
        return;
    }
    context
        .stores
        .note(
            context.actor(),
            action::KEY_REFUSED,
            Some(tool_name.to_owned()),
            Outcome::Refused,
        )
        .await;
}

/// The log line has the code only: the text may name a customer.
fn count_error(tool_name: &'static str, error: &ToolError) {
    tracing::info!(
        tool = tool_name,
        code = error.code(),
        "tool call {tool_name} failed: {}",
        error.code()
    );
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

#[cfg(test)]
mod tests;
