//! `server_status`: what this server knows about itself, without a secret and without asking anybody.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use shared::audit::Bad;
use shared::quota::levels_of_tenant;

use super::{Answer, Effect, Shape, Tool, Toolset, stores};
use crate::args::Args;
use crate::config::ENV_TENANT;
use crate::context::Context;
use crate::desk;
use crate::error::ToolError;
use crate::reply::Reply;
use crate::stores::{Known, Listed};
use crate::vault::VaultError;

/// The label of the read in `db_query_duration_seconds`.
const QUOTA_READ: &str = "quota";

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
        Answer::sometimes("tenant", Shape::Object),
        Answer::sometimes("stores", Shape::Count),
        Answer::sometimes("store", Shape::Object),
        Answer::sometimes("protocol", Shape::Text),
        Answer::always("home", Shape::Text),
        Answer::always("cache", Shape::Object),
        Answer::sometimes("quota", Shape::Object),
        Answer::always("uptime_seconds", Shape::Count),
    ],
    toolset: Toolset::Stores,
    effect: Effect::Local,
    endpoints: &["GET /test"],
    most_tokens: 2_000,
    run: |context, args, _| run(context, args).boxed(),
};

async fn run(context: &Context, _: &Args) -> Result<Reply, ToolError> {
    context.state_settled().await;
    let shops = Shops::seen(context).await;
    let degraded = degraded(context, &shops);
    let cache = context.desk.cache_status();
    let active = shops.active.as_ref().ok();
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
        .with_some("tenant", shops.tenant())
        .with_some("stores", shops.count)
        .with_some("store", active.map(stores::row))
        .with_some("protocol", context.protocol())
        .with("home", context.config.home.root().display().to_string())
        .with("cache", json!({"items": cache.items, "bytes": cache.bytes}))
        .with_some(
            "quota",
            active.and_then(|active| quota(context, &shops, active)),
        )
        .with("uptime_seconds", context.started.elapsed().as_secs()))
}

/// What stands in the place of the key's source while a keyring could wake a person.
const NOT_ASKED: &str =
    "not looked for before a store is needed; it may be in the system's keyring";

/// The stores as far as they can be told without waking a keyring.
struct Shops {
    tenant: Option<Arc<Known>>,
    count: Option<usize>,
    active: Result<Listed, ToolError>,
    /// The record that has left other stores than there are.
    differ: Option<Bad>,
    locked: bool,
}

impl Shops {
    fn tenant(&self) -> Option<Value> {
        if self.locked {
            return Some(json!({"key_source": NOT_ASKED}));
        }
        let tenant = &self.tenant.as_ref()?.tenant;
        Some(
            json!({"id": &*tenant.id, "key_source": tenant.source.to_string(), "key_version": tenant.key_version}),
        )
    }

    async fn seen(context: &Context) -> Shops {
        let locked = context.config.store.is_none()
            && context.config.asks_keyring
            && context.stores.tenant_if_unlocked().is_none();
        if locked {
            return Shops {
                tenant: None,
                count: None,
                active: Err(ToolError::NoStoreYet),
                differ: None,
                locked,
            };
        }
        let tenant = match context.stores.tenant().await {
            Ok(known) => Some(known),
            Err(ToolError::EnvStore) => None,
            // What does not open is tried once.
            Err(error) => {
                return Shops {
                    tenant: None,
                    count: None,
                    active: Err(error),
                    differ: None,
                    locked,
                };
            }
        };
        Shops {
            count: Some(tenant.as_ref().map_or(1, |known| known.stores.len())),
            tenant,
            active: context.stores.active().await,
            differ: context.stores.differ_from_records().await,
            locked,
        }
    }
}

/// Counters reach the state file within 250 ms; this much later something holds them up.
const LAG_WORTH_SAYING: Duration = Duration::from_secs(2);

/// One line per thing that does not work as it should.
fn degraded(context: &Context, shops: &Shops) -> Vec<String> {
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
    match &shops.active {
        // To have several stores and none of them active is how many people work.
        Ok(_) | Err(ToolError::NoActiveStore(_)) => {}
        Err(_) if shops.locked => {}
        // Was said above.
        Err(ToolError::Vault(VaultError::State(_))) => {}
        Err(error) => lines.push(format!("{error}; hint: {}", error.hint())),
    }
    if let Some(bad) = &shops.differ {
        lines.push(format!(
            "stores: {bad}; hint: compare `mcp-stdio store list` with what you know, then see `mcp-stdio audit list`"
        ));
    }
    lines
}

/// What could be sent at once: for the store, by anybody, and by this tenant. Unknown without the state file.
fn quota(context: &Context, shops: &Shops, active: &Listed) -> Option<Value> {
    let key = desk::store_key(&active.base_url, &active.store_id);
    let levels = context.quota.snapshot().ok()?;
    let level = levels.into_iter().find(|level| level.store_key == key);
    let limits = context.config.desk.limits;
    let available = level.map_or(f64::from(limits.burst), |level| level.available_tokens);
    let mut quota = json!({"requests_available": available.floor(), "burst": limits.burst, "per_second": limits.per_second});
    if let Some(of_tenant) = tenant_reads(context, shops) {
        quota["tenant_reads_available"] = of_tenant.into();
    }
    Some(quota)
}

fn tenant_reads(context: &Context, shops: &Shops) -> Option<f64> {
    let limits = context.config.desk.tenant_limits?;
    let tenant = shops
        .tenant
        .as_ref()
        .map_or(ENV_TENANT, |known| &known.tenant.id);
    let state = context.slot.get().ok()?;
    let clock = context.clock.as_ref();
    let [reads, _writes] = state
        .read(QUOTA_READ, |reading| {
            levels_of_tenant(reading, tenant, limits, clock)
        })
        .ok()?;
    Some(reads.available_tokens.floor())
}
