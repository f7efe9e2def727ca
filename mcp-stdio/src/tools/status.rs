//! `server_status`: what this server knows about itself, without a secret and without asking anybody.

use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::{Answer, Effect, Shape, Tool};
use crate::args::Args;
use crate::context::Context;
use crate::error::ToolError;
use crate::reply::Reply;

pub(super) static SERVER_STATUS: Tool = Tool {
    name: "server_status",
    title: "Server status",
    description: "Whether this server works: version, active store, what is degraded and why, quota left. Asks nobody.",
    arguments: &[],
    answer: &[
        Answer::always("status", Shape::Text),
        Answer::always("version", Shape::Text),
        Answer::always("degraded", Shape::Texts),
        Answer::always("mode", Shape::Text),
        Answer::sometimes("store", Shape::Object),
        Answer::sometimes("protocol", Shape::Text),
        Answer::always("home", Shape::Text),
        Answer::always("cache", Shape::Object),
        Answer::sometimes("quota", Shape::Object),
        Answer::always("uptime_seconds", Shape::Count),
    ],
    effect: Effect::Local,
    run: |context, args| run(context, args).boxed(),
};

async fn run(context: &Context, _: &Args) -> Result<Reply, ToolError> {
    context.state_settled().await;
    let degraded = degraded(context);
    let cache = context.desk.cache_status();
    Ok(Reply::ours()
        .with(
            "status",
            if degraded.is_empty() {
                "ok"
            } else {
                "degraded"
            },
        )
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("degraded", degraded)
        .with("mode", "read-only")
        .with_some("store", store(context))
        .with_some("protocol", context.protocol())
        .with("home", context.config.home.root().display().to_string())
        .with("cache", json!({"items": cache.items, "bytes": cache.bytes}))
        .with_some("quota", quota(context))
        .with("uptime_seconds", context.started.elapsed().as_secs()))
}

/// Counters reach the state file within 250 ms; this much later something holds them up.
const LAG_WORTH_SAYING: Duration = Duration::from_secs(2);

/// One line per thing that does not work as it should.
fn degraded(context: &Context) -> Vec<String> {
    let mut lines = Vec::new();
    if let Err(error) = context.slot.get() {
        lines.push(format!(
            "state file: {error}; reads go on, slower and uncached"
        ));
    }
    if let Some(trouble) = context.telemetry.degraded() {
        lines.push(format!(
            "telemetry: {trouble}; nothing is lost while this process lives"
        ));
    }
    let lag = context.telemetry.lag();
    if lag > LAG_WORTH_SAYING {
        lines.push(format!(
            "telemetry: counters wait since {} s to be written",
            lag.as_secs()
        ));
    }
    if context.config.store.is_none() {
        let none = ToolError::NoStore;
        lines.push(format!("{none}; hint: {}", none.hint()));
    }
    lines
}

fn store(context: &Context) -> Option<Value> {
    let access = context.config.store.as_ref()?;
    let id = access.store_id.as_str();
    Some(context.store_name().map_or_else(
        || json!({"store_id": id}),
        |name| json!({"store_id": id, "name": name}),
    ))
}

/// What the store could be asked at once; unknown without the state file.
fn quota(context: &Context) -> Option<Value> {
    let key = context.config.store.as_ref()?.store_key();
    let levels = context.quota.snapshot().ok()?;
    let level = levels.into_iter().find(|level| level.store_key == key);
    let limits = context.config.desk.limits;
    let available = level.map_or(f64::from(limits.burst), |level| level.available_tokens);
    Some(
        json!({"requests_available": available.floor(), "burst": limits.burst, "per_second": limits.per_second}),
    )
}
