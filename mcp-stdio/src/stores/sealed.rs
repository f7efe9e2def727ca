//! The tenant's stores in the vault, as this process knows them.
//!
//! Here: keeping what was unlocked for as long as nobody has changed a tenant or a store, which one number in the state file tells. While
//! it stands, a call reads that number and nothing else, on its own thread; when it has moved, all is read and unlocked anew on a
//! thread where that may take its time (a passphrase, a keyring). A state file that cannot be read leaves what is known in force: reads go
//! on without it. Not here: cryptography and SQL (`vault`, `shared::state`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use shared::audit::{self, Actor, Bad, Chain, Entry, Outcome};
use shared::clock::{Clock as _, SystemClock};
use shared::state::tables::meta;
use shared::state::{Durability, Mark, Slot, StateError};

use crate::confirm::TokenKey;
use crate::desk::Access;
use crate::vault::{StoreInfo, Tenant, Vault, VaultError};

/// The label of the read of the revision in `db_query_duration_seconds`.
const REVISION_READ: &str = "vault_revision";

/// The label of an audit row outside a tenant's chain.
const AUDIT_WRITE: &str = "audit";

/// How long the first call waits for the state file, which is opened beside it at start.
const OPENING_PATIENCE: Duration = Duration::from_secs(2);

/// The vault of this process.
#[derive(Debug)]
pub(super) struct Sealed {
    vault: Vault,
    slot: Slot,
    known: Mutex<Option<Arc<Known>>>,
}

/// A tenant and its stores as of one revision.
#[derive(Debug)]
pub struct Known {
    /// Of which opening of the file the revision is: one that was restored may have reached the same number with other rows.
    mark: Mark,
    revision: u64,
    /// Whose stores they are.
    pub tenant: Tenant,
    /// All of them, by name.
    pub stores: Vec<StoreInfo>,
    opened: Mutex<HashMap<String, Arc<Access>>>,
}

impl Sealed {
    pub(super) fn new(vault: Vault, slot: Slot) -> Sealed {
        Sealed {
            vault,
            slot,
            known: Mutex::default(),
        }
    }

    /// What was unlocked before, whether it still holds or not. For a status that unlocks nothing.
    pub(super) fn last_known(&self) -> Option<Arc<Known>> {
        self.known.lock().clone()
    }

    /// The tenant and its stores as they are now.
    ///
    /// # Errors
    /// A vault that does not open. Errors are not kept: the next call tries again.
    pub(super) async fn known(&self) -> Result<Arc<Known>, VaultError> {
        if let Some(known) = self.last_known()
            && self.still_holds(&known)
        {
            return Ok(known);
        }
        let (vault, slot) = (self.vault.clone(), self.slot.clone());
        let known = blocking(move || read(&vault, &slot)).await?;
        let known = Arc::new(known);
        *self.known.lock() = Some(Arc::clone(&known));
        Ok(known)
    }

    /// The credentials of one of them.
    ///
    /// # Errors
    /// A seal that does not open.
    pub(super) async fn open(
        &self,
        known: &Known,
        store: &StoreInfo,
    ) -> Result<Arc<Access>, VaultError> {
        if let Some(access) = known.opened.lock().get(&store.id) {
            return Ok(Arc::clone(access));
        }
        let (vault, sealed) = (self.vault.clone(), store.clone());
        let api_key = blocking(move || vault.open(&sealed)).await?;
        let access = Arc::new(Access {
            tenant: Arc::clone(&known.tenant.id),
            base_url: store.base_url.clone(),
            store_id: store.store_id.clone(),
            api_key,
        });
        known
            .opened
            .lock()
            .insert(store.id.clone(), Arc::clone(&access));
        Ok(access)
    }

    /// What signs. It holds the keys, and gives none away.
    pub(super) fn vault(&self) -> Vault {
        self.vault.clone()
    }

    /// The record that has left other stores than there are now.
    pub(super) async fn differs_from_records(&self) -> Result<Option<Bad>, VaultError> {
        let vault = self.vault.clone();
        blocking(move || vault.differs_from_records()).await
    }

    pub(super) async fn token_key(&self) -> Result<TokenKey, VaultError> {
        let vault = self.vault.clone();
        blocking(move || vault.token_key()).await
    }

    /// Takes a store out of the vault.
    ///
    /// # Errors
    /// A vault that does not open, or a state file that cannot be written.
    pub(super) async fn remove(&self, id: &str, actor: Actor) -> Result<(), VaultError> {
        let (vault, id) = (self.vault.clone(), id.to_owned());
        blocking(move || vault.remove(&id, &actor)).await
    }

    /// Writes an audit row into the tenant's chain, or into the system's while there is no tenant. A row that cannot be written is told
    /// to the log: what it is about was refused or only asked for, and nothing was changed.
    pub(super) async fn note(
        &self,
        actor: Actor,
        action: &'static str,
        target: Option<String>,
        outcome: Outcome,
    ) {
        let (vault, slot) = (self.vault.clone(), self.slot.clone());
        let noted = blocking(move || {
            opened(&slot)?;
            let entry = Entry::new(&actor, action, target.as_deref(), outcome);
            match vault.note(action, entry.target, outcome, &actor) {
                Ok(()) => Ok(()),
                Err(VaultError::State(error)) => Err(VaultError::State(error)),
                Err(_no_tenant) => append(&slot, Chain::System, &entry),
            }
        });
        complain(action, noted.await);
    }

    /// Whether nothing has changed since; also when the state file cannot say. Read on the caller's thread: that costs less than handing it
    /// to another.
    fn still_holds(&self, known: &Known) -> bool {
        let Ok(state) = self.slot.get() else {
            return true;
        };
        let revision = state.read(REVISION_READ, meta::vault_revision);
        revision.map_or(true, |revision| {
            known.revision == revision && known.mark.is_of(&state)
        })
    }
}

/// Writes an audit row into a chain that no key signs.
pub(super) async fn note_unsigned(
    slot: &Slot,
    chain: Chain,
    actor: Actor,
    action: &'static str,
    target: Option<String>,
    outcome: Outcome,
) {
    let slot = slot.clone();
    let noted = blocking(move || {
        opened(&slot)?;
        let entry = Entry::new(&actor, action, target.as_deref(), outcome);
        append(&slot, chain, &entry)
    });
    complain(action, noted.await);
}

/// Into a chain that no key signs. Its new end is noted outside of the state file, too, so that a cut is missed; if that cannot be written,
/// the sidecar does it within a minute.
fn append(slot: &Slot, chain: Chain, entry: &Entry<'_>) -> Result<(), VaultError> {
    let at_ms = SystemClock.now().as_millisecond();
    let head = slot
        .get()?
        .write(AUDIT_WRITE, Durability::Full, |writing| {
            audit::append(writing, &chain, entry, at_ms, None)
        })?;
    let _later = audit::checkpoint::note(slot.home(), &[(chain, head)], at_ms);
    Ok(())
}

fn complain(action: &str, noted: Result<(), VaultError>) {
    if let Err(error) = noted {
        tracing::warn!(
            action,
            code = error.code(),
            "an audit row could not be written: {}",
            error.code()
        );
    }
}

/// Everything anew. The revision is read first: a change that comes in between moves it, and the next call reads again.
fn read(vault: &Vault, slot: &Slot) -> Result<Known, VaultError> {
    let state = opened(slot)?;
    let revision = state.read(REVISION_READ, meta::vault_revision)?;
    let tenant = vault.tenant()?;
    let stores = vault.stores()?;
    Ok(Known {
        mark: state.mark(),
        revision,
        tenant,
        stores,
        opened: Mutex::default(),
    })
}

/// The state file; at start it is opened beside the first calls.
fn opened(slot: &Slot) -> Result<shared::state::State, VaultError> {
    match slot.get() {
        Err(error) if matches!(*error, StateError::NotYetOpened) => {
            Ok(slot.wait(OPENING_PATIENCE)?)
        }
        other => Ok(other?),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(died) => match died.try_into_panic() {
            // A bug of ours; the corridor answers it like one of its own.
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is ending, and whoever waits here with it.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}
