//! Which shop a call is about.
//!
//! | file | hides |
//! |---|---|
//! | `pick` | which of several stores is meant: named, chosen in this session, set, the default, the only one |
//! | `env` | the one store that comes from the environment; it has no vault |
//! | `journal` | the records of writes to shops, in the right chain and signed |
//! | `sealed` | the tenant's stores in the vault, kept in memory until somebody changes them |
//!
//! Here: one face for both kinds, and the session's choice. A call in the fast case costs nothing for the store of the environment and one
//! small read of the state file for a sealed one. Not here: how a seal is opened (`vault`) and how a shop is asked (`desk`).

mod env;
pub mod journal;
mod pick;
mod sealed;

use std::sync::Arc;

use parking_lot::Mutex;
use shared::audit::{Actor, Bad, Chain, Outcome};
use shared::clock::Clock;
use shared::state::Slot;
use shared::telemetry;
use url::Url;

use crate::config::{Config, ENV_TENANT};
use crate::confirm::TokenKey;
use crate::desk::{Access, Desk, Journal, StoreId};
use crate::error::ToolError;
use crate::pasted;
use crate::vault::{StoreInfo, Vault, VaultError};

use env::EnvStore;
use journal::Records;
use pick::Wishes;
pub use sealed::Known;
use sealed::Sealed;

/// The shops of this process.
#[derive(Debug)]
pub struct Stores {
    kind: Kind,
    /// `STORE`.
    wanted: Option<String>,
    /// The row chosen with `stores_use`, and what it was called then.
    chosen: Mutex<Option<Chosen>>,
    slot: Slot,
    telemetry: telemetry::Handle,
}

#[derive(Debug)]
enum Kind {
    Env(EnvStore),
    Sealed(Sealed),
}

#[derive(Clone, Debug)]
struct Chosen {
    id: String,
    name: String,
}

/// A store as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Order Desk's id of it.
    pub store_id: StoreId,
    /// Where it is.
    pub base_url: Url,
    /// What it is called; unknown for the store of the environment until its settings were read.
    pub name: Option<String>,
    /// Whether a call that names no store is about this one.
    pub active: bool,
    /// Whether `store use` made it the one to begin with; there is no such thing for the store of the environment.
    pub default: Option<bool>,
}

impl Stores {
    /// The store of the environment if there is one, else the vault's. Opens nothing.
    #[must_use]
    pub fn new(
        config: &Config,
        desk: &Desk,
        vault: Vault,
        slot: Slot,
        telemetry: telemetry::Handle,
    ) -> Stores {
        let kind = match &config.store {
            Some(access) => {
                telemetry.belongs_to(ENV_TENANT);
                Kind::Env(EnvStore::new(access.clone(), desk.clone()))
            }
            None => Kind::Sealed(Sealed::new(vault, slot.clone())),
        };
        Stores {
            kind,
            wanted: config.wanted.clone(),
            chosen: Mutex::default(),
            slot,
            telemetry,
        }
    }

    /// The credentials of the store that a call is about: the one named, else the session's.
    ///
    /// # Errors
    /// No such store, none or several to choose from, or a vault that does not open.
    pub async fn pick(&self, named: Option<&str>) -> Result<Arc<Access>, ToolError> {
        match &self.kind {
            Kind::Env(store) => store.pick(named).await,
            Kind::Sealed(sealed) => {
                match self.opened(sealed, named).await {
                    // Removed, replaced or moved between the two steps: what is there now counts.
                    Err(ToolError::UnknownStore { .. }) => self.opened(sealed, named).await,
                    opened => opened,
                }
            }
        }
    }

    async fn opened(&self, sealed: &Sealed, named: Option<&str>) -> Result<Arc<Access>, ToolError> {
        let known = self.known(sealed).await?;
        let store = self.select(&known, named)?;
        Ok(sealed.open(&known, store).await?)
    }

    /// All stores of this tenant.
    ///
    /// # Errors
    /// A vault that does not open.
    pub async fn list(&self) -> Result<Vec<Listed>, ToolError> {
        match &self.kind {
            Kind::Env(store) => Ok(vec![store.listed()]),
            Kind::Sealed(sealed) => {
                let known = self.known(sealed).await?;
                Ok(self.rows(&known))
            }
        }
    }

    /// Makes a store the session's.
    ///
    /// # Errors
    /// See [`Stores::pick`].
    pub async fn choose(&self, named: &str) -> Result<Listed, ToolError> {
        match &self.kind {
            // There is nothing to remember: it is always the active one.
            Kind::Env(store) => {
                store.pick(Some(named)).await?;
                Ok(store.listed())
            }
            Kind::Sealed(sealed) => {
                let known = self.known(sealed).await?;
                let store = self.select(&known, Some(named))?;
                *self.chosen.lock() = Some(Chosen {
                    id: store.id.clone(),
                    name: store.name.clone(),
                });
                Ok(listed(store, true))
            }
        }
    }

    /// The store that calls are about when they name none, if that is clear.
    ///
    /// # Errors
    /// See [`Stores::pick`].
    pub async fn active(&self) -> Result<Listed, ToolError> {
        match &self.kind {
            Kind::Env(store) => Ok(store.listed()),
            Kind::Sealed(sealed) => {
                let known = self.known(sealed).await?;
                Ok(listed(self.select(&known, None)?, true))
            }
        }
    }

    /// A store of the vault.
    ///
    /// # Errors
    /// [`ToolError::EnvStore`]; see [`Stores::pick`].
    pub async fn find(&self, named: &str) -> Result<StoreInfo, ToolError> {
        let known = self.tenant().await?;
        Ok(self.select(&known, Some(named))?.clone())
    }

    /// The tenant and its stores.
    ///
    /// # Errors
    /// [`ToolError::EnvStore`] where there is no vault, or one that does not open.
    pub async fn tenant(&self) -> Result<Arc<Known>, ToolError> {
        match &self.kind {
            Kind::Env(_) => Err(ToolError::EnvStore),
            Kind::Sealed(sealed) => self.known(sealed).await,
        }
    }

    /// The tenant if it is known without unlocking anything.
    #[must_use]
    pub fn tenant_if_unlocked(&self) -> Option<Arc<Known>> {
        self.sealed().ok()?.last_known()
    }

    /// Whether somebody has changed the stores behind this program: the record that has left others than there are now.
    pub async fn differ_from_records(&self) -> Option<Bad> {
        let sealed = self.sealed().ok()?;
        // What does not open has no stores to be compared, and every other call says so.
        sealed.differs_from_records().await.ok()?
    }

    fn sealed(&self) -> Result<&Sealed, ToolError> {
        match &self.kind {
            Kind::Env(_) => Err(ToolError::EnvStore),
            Kind::Sealed(sealed) => Ok(sealed),
        }
    }

    /// Removes a store from the vault, and from this session's mind.
    ///
    /// # Errors
    /// [`ToolError::EnvStore`], a vault that does not open, or a state file that cannot be written.
    pub async fn remove(&self, store: &StoreInfo, actor: Actor) -> Result<(), ToolError> {
        self.sealed()?.remove(&store.id, actor).await?;
        let mut chosen = self.chosen.lock();
        if chosen.as_ref().is_some_and(|chosen| chosen.id == store.id) {
            *chosen = None;
        }
        Ok(())
    }

    /// What keeps tokens of previews apart from anybody else's.
    ///
    /// # Errors
    /// A vault that does not open.
    pub async fn token_key(&self) -> Result<TokenKey, ToolError> {
        match &self.kind {
            Kind::Env(store) => Ok(store.token_key()),
            Kind::Sealed(sealed) => Ok(sealed.token_key().await?),
        }
    }

    /// Remembers what Order Desk calls the store of the environment. A sealed store has the name that its owner gave it.
    pub fn learn_name(&self, name: &str) {
        if let Kind::Env(store) = &self.kind {
            store.learn_name(name);
        }
    }

    /// Where writes to the shops are written down: the chain of whoever this process works for.
    ///
    /// # Errors
    /// A vault that does not open.
    pub async fn journal(
        &self,
        actor: Actor,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Journal>, ToolError> {
        let records =
            Records::of_env(self.slot.clone(), clock, actor).living(self.telemetry.clone());
        match &self.kind {
            Kind::Env(_) => Ok(Arc::new(records)),
            Kind::Sealed(sealed) => {
                let known = self.known(sealed).await?;
                Ok(Arc::new(records.signed(&known.tenant.id, sealed.vault())))
            }
        }
    }

    /// Writes an audit row into the chain of whoever this process works for; into the system's when that is nobody.
    pub async fn note(
        &self,
        actor: Actor,
        action: &'static str,
        target: Option<String>,
        outcome: Outcome,
    ) {
        match &self.kind {
            Kind::Env(_) => {
                sealed::note_unsigned(&self.slot, Chain::Env, actor, action, target, outcome).await;
            }
            Kind::Sealed(sealed) => sealed.note(actor, action, target, outcome).await,
        }
    }

    async fn known(&self, sealed: &Sealed) -> Result<Arc<Known>, ToolError> {
        let known = sealed.known().await?;
        self.telemetry.belongs_to(&known.tenant.id);
        Ok(known)
    }

    fn rows(&self, known: &Known) -> Vec<Listed> {
        let active = self.select(known, None).ok().map(|store| &store.id);
        let row = |store| listed(store, active == Some(&store.id));
        known.stores.iter().map(row).collect()
    }

    fn select<'k>(
        &self,
        known: &'k Known,
        named: Option<&str>,
    ) -> Result<&'k StoreInfo, ToolError> {
        let chosen = self.chosen.lock().clone();
        let wishes = Wishes {
            named,
            chosen: chosen
                .as_ref()
                .map(|chosen| (chosen.id.as_str(), chosen.name.as_str())),
            wanted: self.wanted.as_deref(),
        };
        pick::select(&known.stores, wishes)
    }
}

fn listed(store: &StoreInfo, active: bool) -> Listed {
    Listed {
        store_id: store.store_id.clone(),
        base_url: store.base_url.clone(),
        name: Some(store.name.clone()),
        active,
        default: Some(store.is_default),
    }
}

/// A name that leads nowhere is repeated in the error, unless it may be a key.
fn unless_a_key(given: &str, error: ToolError) -> ToolError {
    if pasted::looks_like_a_key(given) {
        ToolError::KeyRefused
    } else {
        error
    }
}

impl From<VaultError> for ToolError {
    fn from(error: VaultError) -> ToolError {
        match error {
            VaultError::NoKey => ToolError::NoStore,
            VaultError::UnknownStore {
                given,
                known,
                nearest,
            } => ToolError::UnknownStore {
                given,
                known,
                nearest,
                by: crate::error::NamedBy::Argument,
            },
            other => ToolError::Vault(other),
        }
    }
}

#[cfg(test)]
mod tests;
