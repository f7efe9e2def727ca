//! What a tool may use: the stores, the desk, and what the server knows about itself.
//!
//! Here: which store a call is about. Not here: how a store is asked; that is the desk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use shared::clock::Clock;
use shared::quota::Quota;
use shared::state::{Slot, StateError};
use shared::telemetry;

use crate::clean;
use crate::config::Config;
use crate::desk::model::StoreId;
use crate::desk::{Access, Desk, Shop};
use crate::error::ToolError;

/// How long the first call waits for the state file to be opened. That takes milliseconds, but on a machine that starts a desktop
/// full of programs it may take a second.
const OPENING_PATIENCE: Duration = Duration::from_secs(2);

/// One process's tools' surroundings. Shared by all calls.
#[derive(Debug)]
pub struct Context {
    /// The settings.
    pub config: Config,
    /// The way to Order Desk.
    pub desk: Desk,
    /// The quota that all windows share.
    pub quota: Quota,
    /// The state file, which may be missing.
    pub slot: Slot,
    /// The process's telemetry.
    pub telemetry: telemetry::Handle,
    /// When the process began to serve.
    pub started: Instant,
    /// The store's name, once its settings were read.
    store_name: Mutex<Option<String>>,
    /// The protocol version that the client speaks.
    protocol: Mutex<Option<String>>,
}

impl Context {
    /// Puts the surroundings together. Opens nothing and connects to nothing.
    #[must_use]
    pub fn new(
        config: Config,
        slot: Slot,
        telemetry: telemetry::Handle,
        clock: Arc<dyn Clock>,
    ) -> Context {
        let started = clock.instant();
        let quota = Quota::new(slot.clone(), config.desk.limits, Arc::clone(&clock));
        let desk = Desk::new(config.desk.clone(), slot.clone(), clock);
        Context {
            config,
            desk,
            quota,
            slot,
            telemetry,
            started,
            store_name: Mutex::default(),
            protocol: Mutex::default(),
        }
    }

    /// The shop that a call is about: the one named, else the only one.
    ///
    /// # Errors
    /// When no store is configured, another one is named, or its name could not be looked up.
    pub async fn shop(&self, named: Option<&str>) -> Result<Shop, ToolError> {
        Ok(self.desk.shop(self.store(named).await?.clone()))
    }

    /// The credentials of that shop. A name that nobody has asked Order Desk for yet is asked for.
    ///
    /// # Errors
    /// See [`Context::shop`].
    pub async fn store(&self, named: Option<&str>) -> Result<&Access, ToolError> {
        let access = self.config.store.as_ref().ok_or(ToolError::NoStore)?;
        let Some(given) = named else {
            return Ok(access);
        };
        if !self.is(access, given) && self.store_name().is_none() && StoreId::parse(given).is_err()
        {
            let settings = self.desk.shop(access.clone()).settings(false).await?;
            self.learn_store_name(&clean::text(&settings.value.name()));
        }
        if self.is(access, given) {
            Ok(access)
        } else {
            Err(self.unknown_store(access, given))
        }
    }

    fn unknown_store(&self, access: &Access, given: &str) -> ToolError {
        let mut known = vec![access.store_id.to_string()];
        known.extend(self.store_name());
        ToolError::UnknownStore {
            given: given.to_owned(),
            known,
        }
    }

    fn is(&self, access: &Access, given: &str) -> bool {
        let name = self.store_name.lock();
        access.store_id.as_str() == given
            || name
                .as_ref()
                .is_some_and(|name| name.to_lowercase() == given.to_lowercase())
    }

    /// Waits until the state file, which is opened while `initialize` is answered, is open or was found unusable.
    pub async fn state_settled(&self) {
        if matches!(self.slot.get(), Err(error) if matches!(*error, StateError::NotYetOpened)) {
            let slot = self.slot.clone();
            let opening = tokio::task::spawn_blocking(move || drop(slot.open_now()));
            let _ = tokio::time::timeout(OPENING_PATIENCE, opening).await;
        }
    }

    /// Remembers the store's name, so that it can be called by it.
    pub fn learn_store_name(&self, name: &str) {
        if !name.is_empty() {
            *self.store_name.lock() = Some(name.to_owned());
        }
    }

    /// Notes who the client is and which protocol version it speaks.
    pub fn meet(&self, client: &str, client_version: &str, protocol: &str) {
        self.telemetry
            .describe_client(client, client_version, protocol);
        *self.protocol.lock() = Some(protocol.to_owned());
    }

    /// The protocol version that the client speaks, once it has said so.
    #[must_use]
    pub fn protocol(&self) -> Option<String> {
        self.protocol.lock().clone()
    }

    /// The store's name, if its settings were read.
    #[must_use]
    pub fn store_name(&self) -> Option<String> {
        self.store_name.lock().clone()
    }
}
