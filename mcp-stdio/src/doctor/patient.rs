//! What is examined: everything that the command line knows before anything is opened.

use std::sync::Arc;

use shared::clock::Clock;
use shared::env::Settings;
use shared::paths::Home;
use shared::state::Slot;
use url::Url;

use super::Typed;
use crate::hosts::Places;
use crate::vault::{Sources, Vault};

/// What is examined.
#[derive(Debug)]
pub struct Patient {
    /// The home folder.
    pub home: Home,
    /// The effective settings.
    pub settings: Settings,
    /// What is wrong with them, one line each.
    pub mistakes: Vec<String>,
    /// Where the master key may be.
    pub keys: Sources,
    /// The state file, not opened yet.
    pub slot: Slot,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How this program was called.
    pub typed: Typed,
    /// Where clients keep their configuration.
    pub places: Places,
}

impl Patient {
    /// Whether the server would use the store of the environment, and no vault.
    pub(super) fn has_env_store(&self) -> bool {
        self.settings.is_given("store_id") && self.settings.is_given("api_key")
    }

    /// The address of the API that somebody has set, as opposed to the default.
    pub(super) fn address(&self) -> Option<Url> {
        let is_set = self.settings.is_explicit("api_base_url");
        is_set.then(|| self.settings.url("api_base_url"))
    }

    /// The vault, still closed.
    pub(super) fn vault(&self) -> Vault {
        let clock = Arc::clone(&self.clock);
        Vault::new(self.slot.clone(), self.keys.clone(), clock)
    }
}
