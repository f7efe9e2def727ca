//! The vault of one process: what it has unlocked, and whether that still holds.
//!
//! Here: [`Vault`], finding the key when it is first needed, keeping the tenant's secrets and store rows under the vault revision, and
//! following a rotation. Not here: what is done with stores (`stores`). Nothing is touched before the first question, so that a process
//! that only answers `initialize` reads no key and asks no keyring.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use shared::clock::Clock;
use shared::state::tables::stores::Row as StoreRow;
use shared::state::tables::tenants::Row as TenantRow;
use shared::state::tables::{meta, stores, tenants};
use shared::state::{Mark, Reading, Slot, State, StateError};
use shared::telemetry::names;
use zeroize::Zeroizing;

use super::derive::Purpose;
use super::error::VaultError;
use super::key::KeyText;
use super::rotate;
use super::signer::TenantSigner;
use super::source::{Found, KeySource, Sources};
use super::tenant::{self, Generations, Match, Tenant};

/// How often the sources are read again when they change while we look. A rotation changes them twice; only somebody who rotates
/// in a tight loop could outrun this.
const LOOKS: usize = 20;

/// The one vault of a process. Cloning shares what is unlocked. All methods block: they read the state file, and the first one may
/// ask the keyring.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    slot: Slot,
    sources: Sources,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    /// Held while the key is looked for, so that many calls at once ask a keyring once.
    unlocking: Mutex<()>,
}

/// `attempts` counts the times somebody finished unlocking, so that who waited meanwhile takes that result.
struct Held {
    unlocked: Option<Arc<Unlocked>>,
    /// Why the last attempt failed.
    failed: Option<VaultError>,
    attempts: u64,
}

/// One sound view of the tenant: all of it from one moment.
pub(super) struct Unlocked {
    /// Which opening of the file it was read from. Not the file itself: a process that is idle must not keep one that was replaced.
    opening: Mark,
    revision: u64,
    pub(super) tenant: TenantRow,
    pub(super) stores: Vec<StoreRow>,
    pub(super) source: KeySource,
    pub(super) generations: Arc<Generations>,
}

/// What a look at the tenants with some keys came to.
enum Look {
    Opened(Box<Unlocked>),
    /// The tenant was rotated between two reads.
    Moved,
    Nobody,
}

/// The rows of a tenant at one revision.
struct View {
    revision: u64,
    tenant: Option<TenantRow>,
    stores: Vec<StoreRow>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("home", &self.0.slot.home().root())
            .field("unlocked", &self.0.held.lock().unlocked.is_some())
            .finish()
    }
}

impl Vault {
    /// A vault that has not been opened yet.
    #[must_use]
    pub fn new(slot: Slot, sources: Sources, clock: Arc<dyn Clock>) -> Vault {
        let held = Held {
            unlocked: None,
            failed: None,
            attempts: 0,
        };
        Vault(Arc::new(Inner {
            slot,
            sources,
            clock,
            held: Mutex::new(held),
            unlocking: Mutex::new(()),
        }))
    }

    /// The tenant of this process's key.
    ///
    /// # Errors
    /// Whatever keeps the vault shut: no key, a bad one, nobody's, one that was rotated; or the state file.
    pub fn tenant(&self) -> Result<Tenant, VaultError> {
        let unlocked = self.unlocked()?;
        Ok(Tenant::of(&unlocked.tenant, &unlocked.source))
    }

    /// What signs and verifies the tenant's audit rows.
    ///
    /// # Errors
    /// As [`Vault::tenant`].
    pub fn signer(&self) -> Result<TenantSigner, VaultError> {
        let unlocked = self.unlocked()?;
        Ok(TenantSigner::new(Arc::clone(&unlocked.generations)))
    }

    /// The key of confirm tokens: the same in all processes of the tenant until a rotation.
    ///
    /// # Errors
    /// As [`Vault::tenant`].
    pub fn token_key(&self) -> Result<Zeroizing<[u8; 32]>, VaultError> {
        let unlocked = self.unlocked()?;
        Ok(unlocked.generations.newest_key(Purpose::RequestState))
    }

    /// What is unlocked, if it still holds; else unlocks. One cheap read when nothing has changed.
    pub(super) fn unlocked(&self) -> Result<Arc<Unlocked>, VaultError> {
        self.unlocked_of(&self.state()?)
    }

    /// As [`Vault::unlocked`], for whoever goes on with the same opening of the file.
    pub(super) fn unlocked_of(&self, state: &State) -> Result<Arc<Unlocked>, VaultError> {
        let (seen, current) = {
            let held = self.0.held.lock();
            (held.attempts, held.unlocked.clone())
        };
        if let Some(current) = still_holding(current.as_ref(), state)? {
            return Ok(current);
        }
        let _one_at_a_time = self.0.unlocking.lock();
        let before = {
            let held = self.0.held.lock();
            match &held.failed {
                Some(error) if held.attempts != seen => return Err(error.clone()),
                _ => held.unlocked.clone(),
            }
        };
        // Asked again: somebody may have unlocked meanwhile, and may have looked before the change that we know of.
        if let Some(current) = still_holding(before.as_ref(), state)? {
            return Ok(current);
        }
        let result = self.look_again(state, before.as_deref());
        let mut held = self.0.held.lock();
        held.attempts += 1;
        match result {
            Ok(fresh) => {
                held.unlocked = Some(Arc::new(fresh));
                held.failed = None;
            }
            // What was unlocked stays as a memory of whose key this was; its revision is not the file's, so nobody uses it.
            Err(error) => held.failed = Some(error),
        }
        held.result()
    }

    /// The clock's milliseconds, for rows.
    pub(super) fn now_ms(&self) -> i64 {
        self.0.clock.now_ms()
    }

    /// The places where the key may be.
    pub(super) fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// The open state file; opens it when nobody has tried yet, as in a command.
    pub(super) fn state(&self) -> Result<State, VaultError> {
        match self.0.slot.get() {
            Err(error) if matches!(*error, StateError::NotYetOpened) => {
                Ok(self.0.slot.open_now()?)
            }
            state => Ok(state?),
        }
    }

    /// The rows have changed: the same key may still open them, or another one has to be found.
    fn look_again(&self, state: &State, before: Option<&Unlocked>) -> Result<Unlocked, VaultError> {
        let Some(before) = before else {
            return self.unlock(state);
        };
        let view = view(state, &before.tenant.id)?;
        match view.tenant {
            Some(tenant) if is_same_key(&tenant, &before.tenant) => Ok(Unlocked {
                opening: state.mark(),
                revision: view.revision,
                tenant,
                stores: view.stores,
                source: before.source.clone(),
                generations: Arc::clone(&before.generations),
            }),
            now => {
                let was_rotated =
                    now.is_some_and(|now| now.key_version > before.tenant.key_version);
                self.unlock(state).map_err(|error| match error {
                    VaultError::NoTenant { source, .. } if was_rotated => {
                        VaultError::KeyRotated { source }
                    }
                    other => other,
                })
            }
        }
    }

    /// Finds the key and the tenant that it opens, and counts the attempt.
    fn unlock(&self, state: &State) -> Result<Unlocked, VaultError> {
        let result = self.find_and_open(state);
        count_attempt(result.is_ok());
        result
    }

    fn find_and_open(&self, state: &State) -> Result<Unlocked, VaultError> {
        let mut found = self.0.sources.find()?;
        for _ in 0..LOOKS {
            let moved = match self.open_with(state, &found)? {
                Look::Opened(unlocked) => return Ok(*unlocked),
                Look::Moved => true,
                Look::Nobody => false,
            };
            // A rotation may have put the key away between our look at the source and our look at the tenants.
            let again = self.0.sources.find()?;
            if !moved && is_same_find(&found, &again) {
                return Err(nobodys(found));
            }
            found = again;
        }
        Err(VaultError::Outrun)
    }

    fn open_with(&self, state: &State, found: &Found) -> Result<Look, VaultError> {
        for key in &found.candidates {
            let Some(Match { row, generations }) = tenant::of_key(state, key)? else {
                continue;
            };
            if found.next().is_some_and(|next| next.is_same(key)) {
                rotate::finish_interrupted(&self.0.sources, &found.source, key);
            }
            let view = view(state, &row.id)?;
            let Some(tenant) = view.tenant.filter(|now| is_same_key(now, &row)) else {
                return Ok(Look::Moved);
            };
            return Ok(Look::Opened(Box::new(Unlocked {
                opening: state.mark(),
                revision: view.revision,
                tenant,
                stores: view.stores,
                source: found.source.clone(),
                generations: Arc::new(generations),
            })));
        }
        Ok(Look::Nobody)
    }
}

impl Held {
    fn result(&self) -> Result<Arc<Unlocked>, VaultError> {
        match (&self.failed, &self.unlocked) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(unlocked)) => Ok(Arc::clone(unlocked)),
            (None, None) => Err(VaultError::NoKey),
        }
    }
}

/// A key that opens nothing here.
fn nobodys(found: Found) -> VaultError {
    let key_id = match found.candidates.first() {
        Some(KeyText::Random(master)) => Some(master.id()),
        _ => None,
    };
    VaultError::NoTenant {
        source: found.source,
        key_id,
    }
}

/// Opening a seal or a tenant, for the metric.
pub(super) fn count_attempt(worked: bool) {
    let status = if worked { "success" } else { "failure" };
    metrics::counter!(names::AUTH_ATTEMPTS.name, "status" => status).increment(1);
}

/// All of a tenant in one snapshot.
fn view(state: &State, tenant_id: &str) -> Result<View, StateError> {
    state.read("vault", |reading: &Reading<'_>| {
        Ok(View {
            revision: meta::vault_revision(reading)?,
            tenant: tenants::by_id(reading, tenant_id)?,
            stores: stores::of_tenant(reading, tenant_id)?,
        })
    })
}

/// What is unlocked, if it is of this opening of the file and nothing has changed since.
fn still_holding(
    unlocked: Option<&Arc<Unlocked>>,
    state: &State,
) -> Result<Option<Arc<Unlocked>>, StateError> {
    let Some(unlocked) = unlocked.filter(|unlocked| unlocked.opening.is_of(state)) else {
        return Ok(None);
    };
    let revision = state.read("vault", meta::vault_revision)?;
    Ok((revision == unlocked.revision).then(|| Arc::clone(unlocked)))
}

/// Whether what opened the one row opens the other: names and defaults may differ.
fn is_same_key(one: &TenantRow, other: &TenantRow) -> bool {
    one.id == other.id
        && one.key_id == other.key_id
        && one.key_version == other.key_version
        && one.salt == other.salt
        && one.wrapped_key == other.wrapped_key
        && one.wrap_nonce == other.wrap_nonce
}

fn is_same_find(one: &Found, other: &Found) -> bool {
    one.source == other.source
        && one.candidates.len() == other.candidates.len()
        && one
            .candidates
            .iter()
            .zip(&other.candidates)
            .all(|(one, other)| one.is_same(other))
}

#[cfg(test)]
mod tests;
