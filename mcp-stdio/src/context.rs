//! What a tool may use: the stores, the desk, and what the server knows about itself.
//!
//! Here: putting these together, and who acts. Not here: which store a call is about (`stores`), and how a store is asked (`desk`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use shared::audit::Actor;
use shared::clock::Clock;
use shared::quota::Quota;
use shared::quota::bucket::{Bucket, Limits};
use shared::session::SessionId;
use shared::state::{Slot, StateError};
use shared::telemetry;

use crate::config::Config;
use crate::confirm::Confirmations;
use crate::desk::{Desk, Shop, Writer};
use crate::error::{self, ToolError};
use crate::stores::Stores;
use crate::vault::Vault;

/// How long the first call waits for the state file to be opened. That takes milliseconds, but on a machine that starts a desktop
/// full of programs it may take a second.
const OPENING_PATIENCE: Duration = Duration::from_secs(2);

/// How many records of refused keys one process may write: all that a person can cause, and not what a model in a loop can. Each record
/// waits for the disk and stays for the whole retention.
const REFUSALS: Limits = Limits {
    burst: 500,
    per_second: 1.0 / 60.0,
};

/// One process's tools' surroundings. Shared by all calls.
#[derive(Debug)]
pub struct Context {
    /// The settings.
    pub config: Config,
    /// The shops.
    pub stores: Stores,
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
    /// Previews that were shown and may be confirmed.
    pub confirmations: Confirmations,
    /// The time for what is signed, noted or kept.
    pub clock: Arc<dyn Clock>,
    /// The client's name, once it has introduced itself.
    client: Mutex<Option<String>>,
    /// Stands for this process in the audit until the state file knows it.
    before_session: SessionId,
    /// How many more records of refused keys this process may write now.
    refusals: Mutex<Bucket>,
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
        let desk = Desk::new(config.desk.clone(), slot.clone(), Arc::clone(&clock));
        let vault = Vault::new(slot.clone(), config.keys.clone(), Arc::clone(&clock));
        let stores = Stores::new(&config, &desk, vault, slot.clone(), telemetry.clone());
        Context {
            config,
            stores,
            desk,
            quota,
            slot,
            telemetry,
            started,
            confirmations: Confirmations::default(),
            clock,
            client: Mutex::default(),
            before_session: SessionId::random(),
            refusals: Mutex::default(),
            protocol: Mutex::default(),
        }
    }

    /// The shop that a call is about: the one named, else the session's.
    ///
    /// # Errors
    /// See [`Stores::pick`].
    pub async fn shop(&self, named: Option<&str>) -> Result<Shop, ToolError> {
        Ok(self.desk.shop(self.stores.pick(named).await?))
    }

    /// May change the shop that a call is about. What it does is written down in the name of this session.
    ///
    /// # Errors
    /// See [`Stores::pick`].
    pub async fn writer(&self, named: Option<&str>) -> Result<Writer, ToolError> {
        // A client's first call may be a write: it must not fail only because the record of it cannot be kept yet.
        self.state_settled().await;
        let access = self.stores.pick(named).await?;
        let clock = Arc::clone(&self.clock);
        let journal = self.stores.journal(self.actor(), clock).await?;
        Ok(self.desk.writer(access, journal))
    }

    /// Waits until the state file, which is opened while `initialize` is answered, is open or was found unusable.
    pub async fn state_settled(&self) {
        if matches!(self.slot.get(), Err(error) if matches!(*error, StateError::NotYetOpened)) {
            let slot = self.slot.clone();
            let opening = tokio::task::spawn_blocking(move || drop(slot.open_now()));
            let _ = tokio::time::timeout(OPENING_PATIENCE, opening).await;
        }
    }

    /// Notes who the client is and which protocol version it speaks.
    pub fn meet(&self, client: &str, client_version: &str, protocol: &str) {
        self.telemetry
            .describe_client(client, client_version, protocol);
        *self.client.lock() = Some(error::capped(client));
        *self.protocol.lock() = Some(protocol.to_owned());
    }

    /// The protocol version that the client speaks, once it has said so.
    #[must_use]
    pub fn protocol(&self) -> Option<String> {
        self.protocol.lock().clone()
    }

    /// Whether one more refused key is to be recorded.
    #[must_use]
    pub fn may_record_refusal(&self) -> bool {
        let now_us = self.clock.now().as_microsecond();
        let mut refusals = self.refusals.lock();
        match refusals.reserve(now_us, REFUSALS, 1, Duration::ZERO) {
            Ok((after, _)) => {
                *refusals = after;
                true
            }
            Err(_) => false,
        }
    }

    /// Who acts in this session, for the audit: the life of this process, and the client that it serves.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let session = self.telemetry.session_id();
        Actor {
            session: session.unwrap_or_else(|| self.before_session.clone()),
            client: self.client.lock().clone(),
        }
    }
}
