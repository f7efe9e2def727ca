//! Tenants: what a master key opens.
//!
//! Here: a tenant's generations (one random secret per key version, wrapped together under the master key), finding the tenant of a key,
//! and making one. Not here: keeping it unlocked (`unlock`) and replacing its key (`rotate`). A tenant is made only by [`create`]: a key
//! that nobody was set up with is an error, never a silent new tenant.

use std::sync::Arc;

use shared::audit::{self, Actor, Chain, Entry, action};
use shared::clock::Clock;
use shared::secret::Secret;
use shared::state::tables::tenants::Row;
use shared::state::tables::{meta, tenants};
use shared::state::{Reading, State};
use zeroize::Zeroizing;

use super::derive::{self, Key, Purpose};
use super::error::{self, VaultError};
use super::key::{KeyId, KeyText, MasterKey};
use super::lock::KeyLock;
use super::passphrase::Stretching;
use super::seal::{self, Place, Sealed};
use super::signer::TenantSigner;
use super::source::KeySource;
use super::write;

/// Bytes of one generation's secret.
const SECRET_BYTES: usize = 32;

/// Bytes of a tenant's salt. Checked, because HMAC fills its key up with zeros: a salt with one more would give the same keys.
const SALT_BYTES: usize = 32;

/// The holder of one master key, as the rest of the program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Random and opaque; may stand in a label.
    pub id: Arc<str>,
    /// For people.
    pub name: String,
    /// Which master key.
    pub key_id: KeyId,
    /// How many master keys there have been, this one included.
    pub key_version: u32,
    /// Where the key was found.
    pub source: KeySource,
    /// Row id of the store that is meant when none is named.
    pub default_store: Option<String>,
}

impl Tenant {
    pub(super) fn of(row: &Row, source: &KeySource) -> Tenant {
        Tenant {
            id: row.id.as_str().into(),
            name: row.name.clone(),
            key_id: KeyId::from_stored(&row.key_id),
            key_version: row.key_version,
            source: source.clone(),
            default_store: row.default_store.clone(),
        }
    }
}

/// A tenant's secrets, one per key version: the newest seals, the older ones verify what was signed with them.
pub(super) struct Generations {
    tenant_id: Arc<str>,
    salt: Vec<u8>,
    /// Never empty; the n-th (from one) is that of key version n.
    secrets: Zeroizing<Vec<u8>>,
}

impl Generations {
    /// One, fresh.
    fn first(tenant_id: Arc<str>, salt: Vec<u8>) -> Generations {
        Generations {
            tenant_id,
            salt,
            secrets: Zeroizing::new(derive::random().to_vec()),
        }
    }

    /// Known ones, for vectors.
    #[cfg(test)]
    pub(super) fn of_test(tenant_id: &str, salt: Vec<u8>, secrets: Vec<u8>) -> Generations {
        Generations {
            tenant_id: tenant_id.into(),
            salt,
            secrets: Zeroizing::new(secrets),
        }
    }

    /// These and a fresh one: what a rotation goes on with.
    pub(super) fn with_another(&self) -> Generations {
        let mut secrets = Zeroizing::new(Vec::with_capacity(self.secrets.len() + SECRET_BYTES));
        secrets.extend_from_slice(&self.secrets);
        secrets.extend_from_slice(derive::random().as_slice());
        Generations {
            tenant_id: Arc::clone(&self.tenant_id),
            salt: self.salt.clone(),
            secrets,
        }
    }

    /// Opens a tenant's row.
    pub(super) fn unwrap(row: &Row, master: &MasterKey) -> Result<Generations, VaultError> {
        let broken = || VaultError::SealBroken {
            row: error::Row::Tenant(row.id.clone()),
        };
        if row.salt.len() != SALT_BYTES {
            return Err(broken());
        }
        let kek = kek(master, &row.salt, &row.id, row.key_version);
        let place = Place::Generations {
            tenant_id: &row.id,
            key_version: row.key_version,
        };
        let secrets =
            seal::open(&kek, place, &row.wrapped_key, &row.wrap_nonce).map_err(|_| broken())?;
        let versions = usize::try_from(row.key_version).unwrap_or(usize::MAX);
        if secrets.is_empty() || Some(secrets.len()) != versions.checked_mul(SECRET_BYTES) {
            return Err(broken());
        }
        Ok(Generations {
            tenant_id: row.id.as_str().into(),
            salt: row.salt.clone(),
            secrets,
        })
    }

    /// Seals them for a tenant's row.
    pub(super) fn wrap(&self, master: &MasterKey) -> Sealed {
        let version = self.newest();
        let kek = kek(master, &self.salt, &self.tenant_id, version);
        let place = Place::Generations {
            tenant_id: &self.tenant_id,
            key_version: version,
        };
        seal::seal(&kek, place, &self.secrets)
    }

    /// The newest key version.
    pub(super) fn newest(&self) -> u32 {
        u32::try_from(self.secrets.len() / SECRET_BYTES).unwrap_or(u32::MAX)
    }

    /// Whose they are.
    pub(super) fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// The tenant's salt.
    pub(super) fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The key of one version for one purpose; `None` for a version that never was.
    pub(super) fn key(&self, purpose: Purpose, key_version: u32) -> Option<Key> {
        let index = usize::try_from(key_version).ok()?.checked_sub(1)?;
        let secret = self.secrets.chunks_exact(SECRET_BYTES).nth(index)?;
        let secret: &[u8; SECRET_BYTES] = secret.try_into().ok()?;
        let key = derive::key(secret, &self.salt, purpose, &self.tenant_id, key_version);
        Some(key)
    }

    /// The newest key for one purpose.
    pub(super) fn newest_key(&self, purpose: Purpose) -> Key {
        self.key(purpose, self.newest())
            .expect("there is always a newest generation")
    }
}

fn kek(master: &MasterKey, salt: &[u8], tenant_id: &str, key_version: u32) -> Key {
    derive::key(
        master.bytes(),
        salt,
        Purpose::TenantKek,
        tenant_id,
        key_version,
    )
}

/// A tenant's row and the key that opens it.
pub(super) struct Match {
    pub(super) row: Row,
    pub(super) generations: Generations,
}

/// The tenant that a key opens, if somebody was set up with it. A passphrase is tried on every tenant that has one, usually one.
pub(super) fn of_key(state: &State, key: &KeyText) -> Result<Option<Match>, VaultError> {
    let opened = |row: Row, master: &MasterKey| {
        let generations = Generations::unwrap(&row, master)?;
        Ok(Some(Match { row, generations }))
    };
    match key {
        KeyText::Random(master) => {
            let id = master.id();
            let find = |reading: &Reading<'_>| tenants::by_key_id(reading, id.as_str());
            match state.read("vault", find)? {
                Some(row) => opened(row, master),
                None => Ok(None),
            }
        }
        KeyText::Passphrase(words) => {
            for row in state.read("vault", tenants::stretched)? {
                // Whoever's row that is, whose parameters cannot be read: whether it is this one's nobody can say, and of another
                // tenant nothing is said.
                let Some(master) = stretched(&row, words) else {
                    continue;
                };
                if master.id().as_str() == row.key_id {
                    return opened(row, &master);
                }
            }
            Ok(None)
        }
    }
}

/// A passphrase under the parameters that stand in a tenant's row.
fn stretched(row: &Row, words: &Secret) -> Option<MasterKey> {
    let stretching = row.kdf.as_deref().and_then(Stretching::from_stored)?;
    stretching.stretch(words, &row.salt)
}

/// The master key of a text for a tenant with this salt, and how it was stretched.
pub(super) fn master_of(key: &KeyText, salt: &[u8]) -> (MasterKey, Option<Stretching>) {
    match key {
        KeyText::Random(master) => {
            let copy = Zeroizing::new(*master.bytes());
            (MasterKey::from_bytes(copy), None)
        }
        KeyText::Passphrase(words) => {
            let current = Stretching::CURRENT;
            let master = current
                .stretch(words, salt)
                .expect("our own parameters and a salt of 32 bytes are in range");
            (master, Some(current))
        }
    }
}

/// Sets a tenant up for a key. The caller holds the lock, so that two set-ups with one passphrase cannot both find nobody.
///
/// # Errors
/// [`VaultError::AlreadyThere`] when the key has a tenant; why the state file could not be written.
pub fn create(
    state: &State,
    _lock: &KeyLock,
    key: &KeyText,
    source: &KeySource,
    name: &str,
    actor: &Actor,
    clock: &dyn Clock,
) -> Result<Tenant, VaultError> {
    if let Some(found) = of_key(state, key)? {
        return Err(VaultError::AlreadyThere {
            name: found.row.name,
        });
    }
    let id: Arc<str> = random_id().into();
    let salt = derive::random().to_vec();
    let (master, stretching) = master_of(key, &salt);
    let generations = Arc::new(Generations::first(id, salt));
    let row = fresh_row(&generations, &master, stretching, name, clock.now_ms());
    let signer = TenantSigner::new(Arc::clone(&generations));
    write::transaction(state, row.created_ms, |writing| {
        if tenants::by_key_id(writing, &row.key_id)?.is_some() {
            return Err(VaultError::AlreadyThere {
                name: name.to_owned(),
            });
        }
        tenants::insert(writing, &row)?;
        meta::bump_vault_revision(writing)?;
        let chain = Chain::Tenant(row.id.clone());
        let entry = Entry::done(actor, action::TENANT_CREATED, None);
        let head = audit::append(writing, &chain, &entry, row.created_ms, Some(&signer))?;
        Ok((Tenant::of(&row, source), (chain, head)))
    })
}

fn fresh_row(
    generations: &Generations,
    master: &MasterKey,
    stretching: Option<Stretching>,
    name: &str,
    created_ms: i64,
) -> Row {
    let sealed = generations.wrap(master);
    Row {
        id: generations.tenant_id().to_owned(),
        name: name.to_owned(),
        salt: generations.salt().to_vec(),
        kdf: stretching.map(Stretching::to_stored),
        key_id: master.id().as_str().to_owned(),
        wrapped_key: sealed.bytes,
        wrap_nonce: sealed.nonce,
        key_version: generations.newest(),
        default_store: None,
        created_ms,
    }
}

/// 128 random bits in hex: an id that says nothing about its owner.
pub(super) fn random_id() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the operating system has randomness");
    format!("{:032x}", u128::from_be_bytes(bits))
}

#[cfg(test)]
mod tests;
