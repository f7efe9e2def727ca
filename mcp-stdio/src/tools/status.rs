//! `server_status`: what this server knows about itself, without a secret; and, when asked to, whether Order Desk answers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use shared::audit::{Bad, Chain};
use shared::quota::levels_of_tenant;
use shared::writes::{self, Unsettled};

use super::{Answer, Effect, Shape, Tool, Toolset, stores};
use crate::args::{Args, Argument, Kind};
use crate::config::ENV_TENANT;
use crate::context::Context;
use crate::desk;
use crate::error::{ToolError, capped};
use crate::reply::Reply;
use crate::stores::{Known, Listed};
use crate::vault::VaultError;

/// The label of the read in `db_query_duration_seconds`.
const QUOTA_READ: &str = "quota";

pub(super) static SERVER_STATUS: Tool = Tool {
    name: "server_status",
    title: "Server status",
    description: "Whether this server works: version, active store, what is degraded and why, quota left, changes whose outcome nobody knows. check=true also asks Order Desk once.",
    arguments: &[CHECK],
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
        Answer::sometimes("unknown_outcomes", Shape::Objects),
        Answer::sometimes("order_desk", Shape::Text),
        Answer::always("uptime_seconds", Shape::Count),
    ],
    toolset: Toolset::Stores,
    effect: Effect::Reads,
    endpoints: &["GET /test"],
    most_tokens: 2_000,
    run: |context, args, _| run(context, args).boxed(),
};

/// Asks the shop's API once whether it answers and accepts the key.
const CHECK: Argument = Argument::optional(
    "check",
    Kind::Flag,
    "Ask Order Desk once whether it accepts the key",
);

/// Most changes of unknown outcome in one answer; the oldest come first.
const MOST_UNKNOWN: usize = 12;

async fn run(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    context.state_settled().await;
    let asked = if args.flag("check") {
        Some(ask(context).await)
    } else {
        None
    };
    let shops = Shops::seen(context).await;
    let unknown = unknown_outcomes(context, &shops);
    let mut degraded = degraded(context, &shops);
    if let Some(Err(error)) = &asked {
        degraded.push(format!("Order Desk: {error}; hint: {}", error.hint()));
    }
    if !unknown.is_empty() {
        degraded.push(format!(
            "changes: of {} nobody knows whether they were done; hint: see `unknown_outcomes`, look at each, then tell the person to settle it with \
             `mcp-stdio audit settle`",
            unknown.len()
        ));
    }
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
        .with("mode", mode(context))
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
        .with_some("unknown_outcomes", rows_of(&unknown))
        .with_some(
            "order_desk",
            asked.map(|asked| {
                if asked.is_ok() {
                    "answers"
                } else {
                    "see degraded"
                }
            }),
        )
        .with("uptime_seconds", context.started.elapsed().as_secs()))
}

/// What this server's owner lets a model do.
fn mode(context: &Context) -> &'static str {
    let writes = |tool: &Tool| matches!(tool.effect, Effect::Writes(_));
    if context.config.permissions.allowed().any(writes) {
        "read-write"
    } else {
        "read-only"
    }
}

async fn ask(context: &Context) -> Result<(), ToolError> {
    let access = context.stores.pick(None).await?;
    Ok(context.desk.probe(access).await.outcome?)
}

/// This tenant's changes of which nobody knows whether they were done. None where the state file cannot be read: that is said elsewhere.
fn unknown_outcomes(context: &Context, shops: &Shops) -> Vec<Unsettled> {
    let chain = match &shops.tenant {
        Some(known) => Chain::Tenant(known.tenant.id.to_string()),
        None if context.config.store.is_some() => Chain::Env,
        None => return Vec::new(),
    };
    let Ok(state) = context.slot.get() else {
        return Vec::new();
    };
    writes::unsettled(&state, Some(&chain)).unwrap_or_default()
}

fn rows_of(unknown: &[Unsettled]) -> Option<Vec<Value>> {
    let row = |write: &Unsettled| {
        json!({
            "seq": write.seq,
            "at": write.at.to_string(),
            "action": write.action,
            "target": capped(&write.target),
            "check": write.check,
        })
    };
    (!unknown.is_empty()).then(|| unknown.iter().take(MOST_UNKNOWN).map(row).collect())
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
