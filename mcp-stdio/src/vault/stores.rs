//! The stores of a tenant: listing, finding, opening, adding and removing them.
//!
//! Here: everything that changes or opens a row of `stores`. Not here: rotation, which seals them all afresh. Every change is one
//! transaction with its audit row; the key version is looked at inside of it, so that nothing is sealed for a key that was just rotated.

use shared::audit::{self, Actor, Chain, Entry, Head, Outcome, action};
use shared::secret::Secret;
use shared::state::Writing;
use shared::state::tables::stores::Row;
use shared::state::tables::{meta, stores, tenants};
use url::Url;

use super::census;
use super::derive::Purpose;
use super::error::{self, VaultError};
use super::key::secret_text;
use super::names::{self, name_key};
use super::seal::{self, Place};
use super::signer::TenantSigner;
use super::tenant::{self, Generations};
use super::unlock::{Unlocked, Vault, count_attempt};
use super::write;
use crate::desk::model::StoreId;

/// How often a change is tried again because a rotation came in between. One rotation costs one try.
const TRIES: usize = 20;

/// A store without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// Row id: random and opaque.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Order Desk's id of it.
    pub store_id: StoreId,
    /// Where its API is: the address that was checked when it was added.
    pub base_url: Url,
    /// When it was added, in milliseconds since 1970.
    pub created_ms: i64,
    /// Whether `store use` chose it.
    pub is_default: bool,
}

/// A store to be added.
#[derive(Clone, Debug)]
pub struct NewStore {
    /// 1 to 60 characters, no control characters, not only digits; unique within the tenant whatever its case.
    pub name: String,
    /// Order Desk's id of it.
    pub store_id: StoreId,
    /// Where its API is.
    pub base_url: Url,
    /// Its key.
    pub api_key: Secret,
    /// Whether a store of that name, or the same shop under another name, gives way.
    pub replace: bool,
}

impl Vault {
    /// The tenant's stores, by name.
    ///
    /// # Errors
    /// As [`Vault::tenant`]; [`VaultError::SealBroken`] for a row whose name, address or id cannot be one: a server must not take the
    /// others for all there are.
    pub fn stores(&self) -> Result<Vec<StoreInfo>, VaultError> {
        let unlocked = self.unlocked()?;
        unlocked
            .stores
            .iter()
            .map(|row| info(&unlocked, row))
            .collect()
    }

    /// The stores whose rows can be read, and what is wrong with the others: for who mends them.
    ///
    /// # Errors
    /// As [`Vault::tenant`].
    pub fn readable(&self) -> Result<(Vec<StoreInfo>, Vec<VaultError>), VaultError> {
        let unlocked = self.unlocked()?;
        let (mut stores, mut broken) = (Vec::new(), Vec::new());
        for row in &unlocked.stores {
            match info(&unlocked, row) {
                Ok(store) => stores.push(store),
                Err(error) => broken.push(error),
            }
        }
        Ok((stores, broken))
    }

    /// The store of that name, Order Desk id or row id.
    ///
    /// # Errors
    /// As [`Vault::tenant`]; [`VaultError::UnknownStore`] with the nearest name; [`VaultError::SealBroken`] when it is none of the rows
    /// that can be read and others cannot.
    pub fn resolve(&self, named: &str) -> Result<StoreInfo, VaultError> {
        let (stores, broken) = self.readable()?;
        match names::find(&stores, named) {
            Ok(store) => Ok(store.clone()),
            Err(unknown) => Err(broken.into_iter().next().unwrap_or(unknown)),
        }
    }

    /// Opens a store's seal: its API key.
    ///
    /// # Errors
    /// As [`Vault::tenant`]; [`VaultError::SealBroken`]; `UnknownStore` when it was removed or put at another address meanwhile: who
    /// holds the old address must not get the new key.
    pub fn open(&self, store: &StoreInfo) -> Result<Secret, VaultError> {
        let unlocked = self.unlocked()?;
        let (base_url, store_id) = (store.base_url.as_str(), store.store_id.as_str());
        let row = unlocked
            .stores
            .iter()
            .find(|row| row.id == store.id && row.base_url == base_url && row.store_id == store_id);
        let row = row.ok_or_else(|| names::unknown(&store.name, &unlocked.stores))?;
        let opened = open_row(&unlocked.generations, row);
        count_attempt(opened.is_ok());
        opened
    }

    /// Adds a store, or puts it in the place of the one it replaces (which keeps its row id, and stays the default if it was).
    ///
    /// # Errors
    /// As [`Vault::tenant`]; [`VaultError::BadStoreName`]; [`VaultError::StoreExists`].
    #[allow(clippy::needless_pass_by_value, reason = "the key is used up")]
    pub fn add(&self, new: NewStore, actor: &Actor) -> Result<StoreInfo, VaultError> {
        let name = names::check(&new.name)?;
        self.change(actor, |unlocked, writing| {
            let existing = stores::of_tenant(writing, &unlocked.tenant.id)?;
            let gives_way = gives_way(&existing, &new, &name)?;
            let row = Row {
                id: gives_way.map_or_else(tenant::random_id, |row| row.id.clone()),
                tenant_id: unlocked.tenant.id.clone(),
                name: name.clone(),
                name_key: name_key(&name),
                base_url: new.base_url.to_string(),
                store_id: new.store_id.to_string(),
                sealed_key: Vec::new(),
                seal_nonce: Vec::new(),
                key_version: unlocked.tenant.key_version,
                created_ms: gives_way.map_or(self.now_ms(), |row| row.created_ms),
            };
            let row = sealed(&unlocked.generations, row, &new.api_key);
            put(writing, &row, gives_way)?;
            let what = match gives_way {
                Some(_) => action::STORE_REPLACED,
                None => action::STORE_ADDED,
            };
            let head = self.record_change(unlocked, writing, what, Some(&name), actor)?;
            Ok((info(unlocked, &row)?, head))
        })
    }

    /// Removes a store with its sealed key. `id` is its row id.
    ///
    /// # Errors
    /// As [`Vault::tenant`]; `UnknownStore` when there is none of that id.
    pub fn remove(&self, id: &str, actor: &Actor) -> Result<(), VaultError> {
        self.change(actor, |unlocked, writing| {
            let row = self.row(unlocked, writing, id)?;
            stores::delete(writing, &row.tenant_id, &row.id)?;
            let what = action::STORE_REMOVED;
            let head = self.record_change(unlocked, writing, what, Some(&row.name), actor)?;
            Ok(((), head))
        })
    }

    /// Which store is meant when none is named, by row id; `None` for none.
    ///
    /// # Errors
    /// As [`Vault::tenant`]; `UnknownStore` when there is none of that id.
    pub fn set_default(&self, id: Option<&str>, actor: &Actor) -> Result<(), VaultError> {
        self.change(actor, |unlocked, writing| {
            let row = id.map(|id| self.row(unlocked, writing, id)).transpose()?;
            tenants::set_default_store(writing, &unlocked.tenant.id, id)?;
            let name = row.as_ref().map(|row| row.name.as_str());
            let what = action::STORE_DEFAULT;
            let head = self.record_change(unlocked, writing, what, name, actor)?;
            Ok(((), head))
        })
    }

    /// Adds a row to the tenant's audit chain about something that changed no row of the vault. Never give it a secret.
    ///
    /// # Errors
    /// As [`Vault::tenant`].
    pub fn note(
        &self,
        action: &'static str,
        target: Option<&str>,
        outcome: Outcome,
        actor: &Actor,
    ) -> Result<(), VaultError> {
        let state = self.state()?;
        let unlocked = self.unlocked_of(&state)?;
        write::transaction(&state, self.now_ms(), |writing| {
            let entry = Entry::new(actor, action, target, outcome);
            let head = self.record(&unlocked, writing, &entry)?;
            Ok(((), head))
        })
    }

    /// One change of the vault's rows, under the key version that is unlocked. If that was rotated away, it is unlocked afresh
    /// and the change tried again.
    fn change<T>(
        &self,
        actor: &Actor,
        work: impl Fn(&Unlocked, &Writing<'_>) -> Result<(T, (Chain, Head)), VaultError>,
    ) -> Result<T, VaultError> {
        let mut last = VaultError::Outrun;
        for _ in 0..TRIES {
            let state = self.state()?;
            let unlocked = self.unlocked_of(&state)?;
            let done = write::transaction(&state, self.now_ms(), |writing| {
                let now = tenants::by_id(writing, &unlocked.tenant.id)?;
                let version = now.map(|row| row.key_version);
                if version != Some(unlocked.tenant.key_version) {
                    return Err(VaultError::Outrun);
                }
                let tenant = &unlocked.tenant.id;
                let signer = signer_of(&unlocked);
                census::note_difference(writing, tenant, &signer, actor, self.now_ms())?;
                let done = work(&unlocked, writing)?;
                meta::bump_vault_revision(writing)?;
                Ok(done)
            });
            match done {
                Err(VaultError::Outrun) => last = VaultError::Outrun,
                done => return done,
            }
        }
        Err(last)
    }

    fn row(&self, unlocked: &Unlocked, writing: &Writing<'_>, id: &str) -> Result<Row, VaultError> {
        stores::by_id(writing, &unlocked.tenant.id, id)?
            .ok_or_else(|| names::unknown(id, &unlocked.stores))
    }

    /// The record of a change of rows that has just been made: it says what the stores are like afterwards.
    fn record_change(
        &self,
        unlocked: &Unlocked,
        writing: &Writing<'_>,
        action: &'static str,
        target: Option<&str>,
        actor: &Actor,
    ) -> Result<(Chain, Head), VaultError> {
        let shape = census::shape(writing, &unlocked.tenant.id)?;
        let entry = Entry {
            args_shape: Some(&shape),
            ..Entry::done(actor, action, target)
        };
        self.record(unlocked, writing, &entry)
    }

    fn record(
        &self,
        unlocked: &Unlocked,
        writing: &Writing<'_>,
        entry: &Entry<'_>,
    ) -> Result<(Chain, Head), VaultError> {
        let chain = Chain::Tenant(unlocked.tenant.id.clone());
        let signer = signer_of(unlocked);
        let head = audit::append(writing, &chain, entry, self.now_ms(), Some(&signer))?;
        Ok((chain, head))
    }
}

fn signer_of(unlocked: &Unlocked) -> TenantSigner {
    TenantSigner::new(std::sync::Arc::clone(&unlocked.generations))
}

/// The store that a new one replaces, if it may.
fn gives_way<'r>(
    existing: &'r [Row],
    new: &NewStore,
    name: &str,
) -> Result<Option<&'r Row>, VaultError> {
    let key = name_key(name);
    let (base_url, store_id) = (new.base_url.as_str(), new.store_id.as_str());
    let taken = |row: &Row| VaultError::StoreExists {
        name: row.name.clone(),
        store_id: row.store_id.clone(),
    };
    // The stored name_key is for the database's own rule; the name is what was sealed.
    let named = existing.iter().find(|row| name_key(&row.name) == key);
    let same = existing
        .iter()
        .find(|row| row.base_url == base_url && row.store_id == store_id);
    match (named, same) {
        (None, None) => Ok(None),
        (Some(row), _) | (None, Some(row)) if !new.replace => Err(taken(row)),
        // One store cannot take the place of two.
        (Some(one), Some(two)) if one.id != two.id => Err(taken(two)),
        (Some(row), _) | (None, Some(row)) => Ok(Some(row)),
    }
}

/// A replaced row goes and comes back under its id: a seal is bound to its address, which may be another now.
fn put(writing: &Writing<'_>, row: &Row, gives_way: Option<&Row>) -> Result<(), VaultError> {
    let was_default = match gives_way {
        Some(old) => {
            let tenant = tenants::by_id(writing, &old.tenant_id)?;
            stores::delete(writing, &old.tenant_id, &old.id)?;
            tenant.and_then(|tenant| tenant.default_store) == Some(old.id.clone())
        }
        None => false,
    };
    if !stores::insert(writing, row)? {
        return Err(VaultError::StoreExists {
            name: row.name.clone(),
            store_id: row.store_id.clone(),
        });
    }
    if was_default {
        tenants::set_default_store(writing, &row.tenant_id, Some(&row.id))?;
    }
    Ok(())
}

/// The row with this key sealed for it under the newest generation.
pub(super) fn sealed(generations: &Generations, mut row: Row, api_key: &Secret) -> Row {
    row.key_version = generations.newest();
    let key = generations.newest_key(Purpose::StoreSeal);
    let sealed = seal::seal(&key, place(&row), api_key.expose().as_bytes());
    row.sealed_key = sealed.bytes;
    row.seal_nonce = sealed.nonce;
    row
}

/// What a row seals. Only under the newest generation: an older one was put back.
pub(super) fn open_row(generations: &Generations, row: &Row) -> Result<Secret, VaultError> {
    let broken = || broken(row);
    if row.key_version != generations.newest() || row.tenant_id != generations.tenant_id() {
        return Err(broken());
    }
    let key = generations.newest_key(Purpose::StoreSeal);
    let opened = seal::open(&key, place(row), &row.sealed_key, &row.seal_nonce);
    let text = opened.map_err(|_| broken())?;
    secret_text(&text).ok_or_else(broken)
}

/// Names the row; whoever edited it may have put anything into its name.
fn broken(row: &Row) -> VaultError {
    VaultError::SealBroken {
        row: error::Row::Store(names::repeated(&row.name)),
    }
}

fn place(row: &Row) -> Place<'_> {
    Place::ApiKey {
        tenant_id: &row.tenant_id,
        row_id: &row.id,
        name: &row.name,
        base_url: &row.base_url,
        store_id: &row.store_id,
        key_version: row.key_version,
    }
}

fn info(unlocked: &Unlocked, row: &Row) -> Result<StoreInfo, VaultError> {
    let broken = || broken(row);
    if names::check(&row.name).ok().as_ref() != Some(&row.name) {
        return Err(broken());
    }
    Ok(StoreInfo {
        id: row.id.clone(),
        name: row.name.clone(),
        store_id: StoreId::parse(&row.store_id).map_err(|_| broken())?,
        base_url: Url::parse(&row.base_url).map_err(|_| broken())?,
        created_ms: row.created_ms,
        is_default: unlocked.tenant.default_store.as_deref() == Some(&row.id),
    })
}

#[cfg(test)]
mod tests;
