//! The settings in the form that the rooms take.
//!
//! Here: the one place that knows the names of settings. Not here: where a value comes from or what it may look like; that is
//! `shared::env`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use shared::env::{Settings, Source};
use shared::paths::Home;
use shared::quota::{self, Limits};
use shared::secret::Secret;
use url::Url;

use crate::desk::model::StoreId;
use crate::desk::{self, Access};
use crate::permit::Permissions;
use crate::transport::Bounds;
use crate::vault::Sources;

/// The tenant of the store from the environment, which has no vault and no key.
pub const ENV_TENANT: &str = "env";

/// Where new stores are.
#[derive(Clone, Debug)]
pub struct ApiAddress {
    /// The address.
    pub url: Url,
    /// Whether every process of this home knows it without being told.
    pub is_usual: bool,
}

/// When a person is asked before a change: `CONFIRM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// Before something is deleted, and before more than one thing is changed.
    Auto,
    /// Before every change.
    Always,
    /// Not at all; a preview can still be asked for.
    Never,
}

impl Confirm {
    fn of(settings: &Settings) -> Confirm {
        match settings.text("confirm") {
            Some("always") => Confirm::Always,
            Some("never") => Confirm::Never,
            _ => Confirm::Auto,
        }
    }
}

/// Everything a serving process needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the state file is.
    pub home: Home,
    /// How the desk speaks to Order Desk.
    pub desk: desk::Config,
    /// The store from `STORE_ID` and `API_KEY`, if both are set.
    pub store: Option<Access>,
    /// The store to begin with, by name or id: `STORE`.
    pub wanted: Option<String>,
    /// Where the master key is looked for.
    pub keys: Sources,
    /// Whether the system's keyring may be asked for the master key: it may ask its user, so only what needs the key does.
    pub asks_keyring: bool,
    /// The address for a store that is added: `API_BASE_URL`.
    pub api_base_url: ApiAddress,
    /// How long audit records are kept: `AUDIT_RETENTION`.
    pub audit_retention: Duration,
    /// How much the client may ask for at once.
    pub bounds: Bounds,
    /// Which tools there are for the client.
    pub permissions: Permissions,
    /// When a person is asked before a change.
    pub confirm: Confirm,
    /// Whether e-mail addresses and the like are hidden in answers: `MASK_PII`.
    pub mask_pii: bool,
    /// What is wrong with the settings, one line each. With any mistake nothing is sent to a shop.
    pub mistakes: Vec<String>,
}

impl Config {
    /// Reads the settings out. `key_file` is the flag `--master-key-file`. Never fails: what is wrong is in `mistakes`.
    #[must_use]
    pub fn new(
        home: Home,
        settings: &Settings,
        key_file: Option<PathBuf>,
        mut mistakes: Vec<String>,
    ) -> Config {
        let store = store(settings).unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            None
        });
        let (permissions, misnamed) = Permissions::of(settings);
        mistakes.extend(misnamed);
        // A command has told some of them before.
        let mut told = HashSet::new();
        mistakes.retain(|mistake| told.insert(mistake.clone()));
        Config {
            permissions,
            confirm: Confirm::of(settings),
            mask_pii: settings.flag("mask_pii"),
            desk: desk_config(settings),
            store,
            wanted: settings.text("store").map(str::to_owned),
            keys: Sources::new(settings, &home, key_file),
            asks_keyring: settings.text("key_source") == Some("keyring"),
            api_base_url: ApiAddress {
                url: settings.url("api_base_url"),
                is_usual: matches!(
                    settings.source("api_base_url"),
                    Source::Default | Source::ConfigFile(_)
                ),
            },
            home,
            audit_retention: settings.duration("audit_retention"),
            bounds: Bounds {
                max_line_bytes: settings.bytes("max_line_bytes"),
                max_in_flight: small(settings.count("max_in_flight")),
            },
            mistakes,
        }
    }
}

fn store(settings: &Settings) -> Result<Option<Access>, String> {
    let (Some(id), Some(api_key)) = (settings.text("store_id"), settings.secret("api_key")) else {
        return Ok(None);
    };
    let store_id = StoreId::parse(id).map_err(|bad| format!("ORDERDESK_MCP_STORE_ID: {bad}"))?;
    let api_key = Secret::new(api_key.expose().trim().to_owned());
    Ok(Some(Access {
        tenant: Arc::from(ENV_TENANT),
        base_url: settings.url("api_base_url"),
        store_id,
        api_key,
    }))
}

fn desk_config(settings: &Settings) -> desk::Config {
    desk::Config {
        http_timeout: settings.duration("http_timeout"),
        http_connect_timeout: settings.duration("http_connect_timeout"),
        total_deadline: desk::TOTAL_DEADLINE,
        max_retries: u32::try_from(settings.count("http_max_retries")).unwrap_or(u32::MAX),
        mutation_max_retries: u32::try_from(settings.count("mutation_max_retries"))
            .unwrap_or(u32::MAX),
        ttl_orders: settings.duration("cache_ttl_orders"),
        ttl_products: settings.duration("cache_ttl_products"),
        ttl_store_settings: settings.duration("cache_ttl_store_settings"),
        cache_max_entries: small(settings.count("cache_max_entries")),
        cache_max_bytes: settings.bytes("cache_max_bytes"),
        limits: Limits {
            burst: u32::try_from(settings.count("store_burst")).unwrap_or(u32::MAX),
            per_second: settings.number("store_rate_per_second"),
        },
        tenant_limits: quota::tenant_limits(settings.count("rate_limit_rpm")),
    }
}

fn small(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
