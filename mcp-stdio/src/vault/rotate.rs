//! Replacing the master key, so that a crash at any point leaves exactly one that works.
//!
//! Three steps: [`prepare`] makes the new key and, where the source is ours to write, puts it beside the old one (`master.key.next`, or a
//! second entry in the keyring); [`commit`] seals everything afresh in one transaction, which is the moment from which the new key works
//! and the old one does not; [`finish`] puts the new key in the old one's place. Whoever starts in between finds both texts and is told by
//! the tenant's key id which one counts; if it is the next one, `finish_interrupted` ends what was begun. For a key that somebody else
//! keeps (environment, secret store), the caller shows the new text before it commits.
//!
//! Not here: asking people, printing, and the old key's backups. A backup of the state file from before needs the key from before.

use std::sync::Arc;

use shared::audit::{self, Actor, Chain, Entry, action};
use shared::secret::Secret;
use shared::state::tables::tenants::Row;
use shared::state::tables::{meta, stores, tenants};
use shared::state::{State, Writing};

use super::census;
use super::error::VaultError;
use super::key::{KeyId, KeyText, MasterKey};
use super::key_file;
use super::keyring::{Kept, Keyring};
use super::lock::KeyLock;
use super::passphrase::{self, Stretching};
use super::signer::TenantSigner;
use super::source::{KeySource, Sources};
use super::stores as sealed_stores;
use super::tenant::{self, Generations, Tenant};
use super::unlock::{Unlocked, Vault};
use super::write;

/// What the new key is to be.
pub enum NewKey {
    /// 256 random bits.
    Random,
    /// One's own words, without `passphrase:`.
    Passphrase(Secret),
}

/// A new key that nothing is sealed with yet. Dropping it changes nothing: the old key goes on working.
pub struct Prepared {
    vault: Vault,
    state: State,
    unlocked: Arc<Unlocked>,
    text: KeyText,
    master: MasterKey,
    stretching: Option<Stretching>,
    lock: KeyLock,
}

/// Everything is sealed with the new key. Dropping it is harmless: the next process puts the key in place.
pub struct Committed {
    sources: Sources,
    text: KeyText,
    tenant: Tenant,
    _lock: KeyLock,
}

impl Prepared {
    /// The new key's text: what the caller shows when [`Prepared::must_be_shown`].
    #[must_use]
    pub fn new_key_text(&self) -> Secret {
        self.text.to_text()
    }

    /// The new key's id.
    #[must_use]
    pub fn new_key_id(&self) -> KeyId {
        self.master.id()
    }

    /// Where the old key is, and the new one will have to be.
    #[must_use]
    pub fn source(&self) -> &KeySource {
        &self.unlocked.source
    }

    /// Whether a person has to put the new key where the old one is, because we cannot: it must be safe with them before the commit.
    #[must_use]
    pub fn must_be_shown(&self) -> bool {
        !self.unlocked.source.is_ours()
    }
}

impl Committed {
    /// The tenant under its new key.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }
}

/// Makes the new key and keeps it beside the old one where that is ours to do. `what` is told to whoever tries at the same time.
///
/// # Errors
/// As [`Vault::tenant`]; [`VaultError::KeyLocked`] when somebody else changes the key; [`VaultError::WeakPassphrase`];
/// what keeps the next key from being written.
pub fn prepare(vault: &Vault, new: NewKey, what: &str) -> Result<Prepared, VaultError> {
    let lock = KeyLock::take(vault.sources().home(), what)?;
    // An interrupted rotation is ended first, here: whoever unlocks finds the lock taken, by us.
    let state = vault.state()?;
    let unlocked = vault.unlocked_of(&state)?;
    put_in_place_if_next(vault.sources(), &state, &unlocked)?;
    let text = new_text(new)?;
    let (master, stretching) = tenant::master_of(&text, &unlocked.tenant.salt);
    keep_next(vault.sources(), &unlocked, &text)?;
    Ok(Prepared {
        vault: vault.clone(),
        state,
        unlocked,
        text,
        master,
        stretching,
        lock,
    })
}

/// Seals the tenant and all its stores with the new key, in one transaction. When it returns, the old key opens nothing.
///
/// # Errors
/// [`VaultError::Outrun`] when the tenant is not as it was; [`VaultError::SealBroken`] naming a store that cannot be opened: remove it
/// first. On any error the old key goes on working.
pub fn commit(prepared: Prepared, actor: &Actor) -> Result<Committed, VaultError> {
    let unlocked = &prepared.unlocked;
    let old = &unlocked.generations;
    let new = Arc::new(old.with_another());
    let wrapped = new.wrap(&prepared.master);
    let row = Row {
        kdf: prepared.stretching.map(Stretching::to_stored),
        key_id: prepared.master.id().as_str().to_owned(),
        wrapped_key: wrapped.bytes,
        wrap_nonce: wrapped.nonce,
        key_version: new.newest(),
        ..unlocked.tenant.clone()
    };
    let signer = TenantSigner::new(Arc::clone(&new));
    let now_ms = prepared.vault.now_ms();
    let tenant = write::transaction(&prepared.state, now_ms, |writing| {
        if !tenants::rewrap(writing, unlocked.tenant.key_version, &row)? {
            return Err(VaultError::Outrun);
        }
        census::note_difference(writing, &row.id, &signer, actor, now_ms)?;
        seal_afresh(writing, &row.id, old, &new)?;
        meta::bump_vault_revision(writing)?;
        let chain = Chain::Tenant(row.id.clone());
        let shape = census::shape(writing, &row.id)?;
        let entry = Entry::done(actor, action::KEY_ROTATED, Some(&row.key_id)).with_shape(&shape);
        let head = audit::append(writing, &chain, &entry, now_ms, Some(&signer))?;
        Ok((Tenant::of(&row, &unlocked.source), (chain, head)))
    })?;
    Ok(Committed {
        sources: prepared.vault.sources().clone(),
        text: prepared.text,
        tenant,
        _lock: prepared.lock,
    })
}

/// Puts the new key in the old one's place, where that is ours to do.
///
/// # Errors
/// What keeps the key from being moved. It works from where it is; the error says how to end this by hand.
pub fn finish(committed: Committed) -> Result<Tenant, VaultError> {
    put_in_place(
        &committed.sources,
        &committed.tenant.source,
        &committed.text,
    )?;
    Ok(committed.tenant)
}

/// Ends a rotation that was committed and not finished, if nobody else is at it. What fails here is tried again by the next process:
/// the key works from where it is.
pub(super) fn finish_interrupted(sources: &Sources, source: &KeySource, next: &KeyText) {
    let Ok(_lock) = KeyLock::take(sources.home(), "ending an interrupted key rotation") else {
        return;
    };
    if let Err(error) = put_in_place(sources, source, next) {
        tracing::warn!("an interrupted key rotation could not be ended: {error}");
    }
}

/// As [`finish_interrupted`], for somebody who holds the lock: the next key must be in its place before another one is written.
fn put_in_place_if_next(
    sources: &Sources,
    state: &State,
    unlocked: &Unlocked,
) -> Result<(), VaultError> {
    if !unlocked.source.is_ours() {
        return Ok(());
    }
    let found = sources.find()?;
    let Some(next) = found.next() else {
        return Ok(());
    };
    match tenant::of_key(state, next)? {
        // The work of a rotation that never came to its commit.
        None => Ok(()),
        Some(ours) if ours.row.id == unlocked.tenant.id => {
            put_in_place(sources, &found.source, next)
        }
        Some(_another_tenants) => Err(VaultError::Outrun),
    }
}

fn new_text(new: NewKey) -> Result<KeyText, VaultError> {
    match new {
        NewKey::Random => Ok(KeyText::Random(MasterKey::generate())),
        NewKey::Passphrase(words) => {
            passphrase::check(words.expose())?;
            Ok(KeyText::Passphrase(words))
        }
    }
}

fn keep_next(sources: &Sources, unlocked: &Unlocked, text: &KeyText) -> Result<(), VaultError> {
    match (&unlocked.source, sources.keyring()) {
        (KeySource::HomeFile, _) => {
            key_file::write(&sources.home().master_key_next(), &text.to_text())
        }
        (KeySource::Keyring, Some(keyring)) => keyring.put(Kept::Next, &text.to_text()),
        _ => Ok(()),
    }
}

/// Only while `next` is what stands there: somebody else may have ended the rotation before us.
fn put_in_place(sources: &Sources, source: &KeySource, next: &KeyText) -> Result<(), VaultError> {
    match (source, sources.keyring()) {
        (KeySource::HomeFile, _) => {
            let (path, next_path) = (
                sources.home().master_key(),
                sources.home().master_key_next(),
            );
            match key_file::read(&next_path)? {
                Some(text) if is_text_of(&text, next) => key_file::rename(&next_path, &path),
                _ => Ok(()),
            }
        }
        (KeySource::Keyring, Some(keyring)) => put_in_place_in_keyring(keyring, next),
        _ => Ok(()),
    }
}

fn put_in_place_in_keyring(keyring: &Keyring, next: &KeyText) -> Result<(), VaultError> {
    match keyring.read()?.next {
        Some(text) if is_text_of(&text, next) => {
            keyring.put(Kept::Key, &text)?;
            keyring.remove(Kept::Next)
        }
        _ => Ok(()),
    }
}

fn is_text_of(text: &Secret, key: &KeyText) -> bool {
    KeyText::parse(text).is_ok_and(|read| read.is_same(key))
}

/// All stores of the tenant, from the rows of this transaction: one that was added a moment ago is among them.
fn seal_afresh(
    writing: &Writing<'_>,
    tenant_id: &str,
    old: &Generations,
    new: &Generations,
) -> Result<(), VaultError> {
    for row in stores::of_tenant(writing, tenant_id)? {
        let api_key = sealed_stores::open_row(old, &row)?;
        let row = sealed_stores::sealed(new, row, &api_key);
        if !stores::reseal(writing, &row)? {
            return Err(VaultError::Outrun);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
