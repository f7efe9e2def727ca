//! A home with a state file, and vaults in it, for the tests of this room.

use std::sync::Arc;

use keyring_core::CredentialStore;
use shared::audit::Actor;
use shared::clock::{Clock, ManualClock};
use shared::paths::Home;
use shared::secret::Secret;
use shared::state::tables::stores::Row as StoreRow;
use shared::state::tables::tenants::Row as TenantRow;
use shared::state::tables::{meta, stores, tenants};
use shared::state::{Durability, Slot, State};
use url::Url;

use super::key::{KeyText, MasterKey};
use super::keyring::Keyring;
use super::lock::KeyLock;
use super::source::{KeySource, Sources};
use super::stores::NewStore;
use super::tenant::{self, Tenant};
use super::unlock::Vault;
use crate::desk::model::StoreId;

pub(super) const API: &str = "https://app.orderdesk.me/api/v2";
pub(super) const WORDS: &str = "correct horse battery";

/// A home of its own, which goes with it.
pub(super) struct World {
    _folder: tempfile::TempDir,
    pub(super) home: Home,
    pub(super) slot: Slot,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ring: Arc<CredentialStore>,
}

impl World {
    pub(super) fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        home.create().unwrap();
        World {
            slot: Slot::new(home.clone()),
            home,
            clock: Arc::new(ManualClock::default()),
            ring: keyring_core::mock::Store::new().unwrap() as Arc<CredentialStore>,
            _folder: folder,
        }
    }

    pub(super) fn state(&self) -> State {
        self.slot.open_now().unwrap()
    }

    pub(super) fn keyring(&self) -> Keyring {
        let ring = Arc::clone(&self.ring);
        Keyring::of_test(&self.home, move || Ok(Arc::clone(&ring)))
    }

    /// Where a key is given by the environment.
    pub(super) fn at_environment(&self, key: &Secret) -> Sources {
        let setting = Some((KeySource::Environment, key.clone()));
        Sources::of_test(&self.home, setting, None)
    }

    /// Where `master.key` is all there is.
    pub(super) fn at_home(&self) -> Sources {
        Sources::of_test(&self.home, None, None)
    }

    pub(super) fn at_keyring(&self) -> Sources {
        Sources::of_test(&self.home, None, Some(self.keyring()))
    }

    /// A process that starts now.
    pub(super) fn vault(&self, sources: Sources) -> Vault {
        let slot = Slot::new(self.home.clone());
        Vault::new(slot, sources, Arc::clone(&self.clock))
    }

    /// A tenant for a key that the environment gives.
    pub(super) fn tenant_of(&self, key: &KeyText) -> (Tenant, Sources) {
        let lock = KeyLock::take(&self.home, "test").unwrap();
        let tenant = self.create(&lock, key, &KeySource::Environment);
        (tenant, self.at_environment(&key.to_text()))
    }

    /// What `init` does: makes a random key, keeps it where these sources look, and makes its tenant.
    pub(super) fn init(&self, sources: &Sources) -> Tenant {
        let lock = KeyLock::take(&self.home, "test").unwrap();
        let key = random_key();
        let source = sources.keep(&lock, &key, false).unwrap();
        self.create(&lock, &key, &source)
    }

    pub(super) fn create(&self, lock: &KeyLock, key: &KeyText, source: &KeySource) -> Tenant {
        let (state, actor) = (self.state(), Actor::cli());
        tenant::create(&state, lock, key, source, "Ann", &actor, &*self.clock).unwrap()
    }

    pub(super) fn tenants(&self) -> Vec<TenantRow> {
        self.state().read("test", tenants::all).unwrap()
    }

    pub(super) fn tenant_row(&self, id: &str) -> TenantRow {
        let find = |reading: &shared::state::Reading<'_>| tenants::by_id(reading, id);
        self.state().read("test", find).unwrap().unwrap()
    }

    pub(super) fn store_rows(&self, tenant: &str) -> Vec<StoreRow> {
        let all = |reading: &shared::state::Reading<'_>| stores::of_tenant(reading, tenant);
        self.state().read("test", all).unwrap()
    }

    /// What somebody with a SQL prompt can do to a store.
    pub(super) fn forge_store(&self, old: &StoreRow, new: &StoreRow) {
        self.state()
            .write("test", Durability::Normal, |writing| {
                stores::delete(writing, &old.tenant_id, &old.id)?;
                assert!(stores::insert(writing, new)?);
                meta::bump_vault_revision(writing).map(|_| ())
            })
            .unwrap();
    }

    /// What somebody with a SQL prompt can do to a tenant.
    pub(super) fn forge_tenant(&self, row: &TenantRow) {
        let now = self.tenant_row(&row.id).key_version;
        self.state()
            .write("test", Durability::Normal, |writing| {
                assert!(tenants::rewrap(writing, now, row)?);
                meta::bump_vault_revision(writing).map(|_| ())
            })
            .unwrap();
    }
}

pub(super) fn random_key() -> KeyText {
    KeyText::Random(MasterKey::generate())
}

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(super) fn new_store(name: &str, id: &str, key: &str) -> NewStore {
    NewStore {
        name: name.to_owned(),
        store_id: StoreId::parse(id).unwrap(),
        base_url: Url::parse(API).unwrap(),
        api_key: secret(key),
        replace: false,
    }
}

pub(super) fn actor() -> Actor {
    Actor::cli()
}

/// `unwrap_err` for what has no `Debug`, as nothing that holds a key has.
pub(super) fn error_of<T, E>(result: Result<T, E>) -> E {
    result.err().expect("an error")
}

pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
