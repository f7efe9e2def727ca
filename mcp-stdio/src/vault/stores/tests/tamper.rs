//! What somebody with a SQL prompt and no key can do to rows: nothing that goes unnoticed.

use shared::state::tables::stores::Row as StoreRow;
use shared::state::tables::tenants::Row as TenantRow;

use super::super::super::rotate::{self, NewKey};
use super::super::super::source::Sources;
use super::super::super::testing::random_key;
use super::*;

const KEY: &str = "key-of-the-tea-shop";

/// A tenant with one store.
struct Tampered {
    world: World,
    sources: Sources,
    tenant: TenantRow,
    store: StoreRow,
}

impl Tampered {
    fn new() -> Tampered {
        let world = World::new();
        let (tenant, sources) = world.tenant_of(&random_key());
        let vault = world.vault(sources.clone());
        vault.add(new_store("Tea", "4242", KEY), &actor()).unwrap();
        Tampered {
            tenant: world.tenant_row(&tenant.id),
            store: world.store_rows(&tenant.id).remove(0),
            sources,
            world,
        }
    }

    /// A process that starts now and asks for the store's key.
    fn ask(&self) -> Result<Secret, VaultError> {
        let vault = self.world.vault(self.sources.clone());
        let store = vault.resolve("Tea")?;
        vault.open(&store)
    }

    #[track_caller]
    fn refused(&self, row_named: &str) {
        let error = error_of(self.ask());
        assert_eq!(error.code(), "seal_broken", "{error}");
        let shown = format!("{error} {error:?} {}", error.hint());
        assert!(shown.contains(row_named), "{shown}");
        assert!(!shown.contains(KEY), "{shown}");
    }

    fn store_is(&self, now: &StoreRow, new: &StoreRow) {
        self.world.forge_store(now, new);
    }
}

/// Every single-byte change, and every way of making it shorter or longer by a byte.
fn damaged(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..bytes.len())
        .map(|at| {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << (at % 8);
            changed
        })
        .collect();
    all.extend([
        bytes[1..].to_vec(),
        bytes[..bytes.len() - 1].to_vec(),
        [bytes, &[0]].concat(),
        [&[0], bytes].concat(),
        Vec::new(),
    ]);
    all
}

#[test]
fn every_damaged_byte_of_a_stores_row_is_refused() {
    let tampered = Tampered::new();
    let sound = &tampered.store;
    let mut rows = Vec::new();
    for sealed_key in damaged(&sound.sealed_key) {
        rows.push(StoreRow {
            sealed_key,
            ..sound.clone()
        });
    }
    for seal_nonce in damaged(&sound.seal_nonce) {
        rows.push(StoreRow {
            seal_nonce,
            ..sound.clone()
        });
    }
    let mut now = sound.clone();
    for row in rows {
        tampered.store_is(&now, &row);
        tampered.refused("store `Tea`");
        now = row;
    }
    tampered.store_is(&now, sound);
    assert_eq!(tampered.ask().unwrap(), secret(KEY));
}

#[test]
fn every_damaged_byte_of_a_tenants_row_is_refused() {
    let tampered = Tampered::new();
    let sound = &tampered.tenant;
    let named = format!("tenant `{}`", sound.id);
    let mut rows = Vec::new();
    for wrapped_key in damaged(&sound.wrapped_key) {
        rows.push(TenantRow {
            wrapped_key,
            ..sound.clone()
        });
    }
    for wrap_nonce in damaged(&sound.wrap_nonce) {
        rows.push(TenantRow {
            wrap_nonce,
            ..sound.clone()
        });
    }
    for salt in damaged(&sound.salt) {
        rows.push(TenantRow {
            salt,
            ..sound.clone()
        });
    }
    for key_version in [0, 2, u32::MAX] {
        rows.push(TenantRow {
            key_version,
            ..sound.clone()
        });
    }
    for row in rows {
        tampered.world.forge_tenant(&row);
        tampered.refused(&named);
    }
    tampered.world.forge_tenant(sound);
    assert_eq!(tampered.ask().unwrap(), secret(KEY));
}

#[test]
fn what_a_seal_is_bound_to_cannot_be_edited() {
    let tampered = Tampered::new();
    let sound = &tampered.store;
    let edits: [fn(&mut StoreRow); 5] = [
        |row| row.base_url = "https://evil.example/api/v2".to_owned(),
        |row| row.base_url = "no address".to_owned(),
        |row| row.store_id = "4243".to_owned(),
        |row| row.id = "ffffffffffffffffffffffffffffffff".to_owned(),
        |row| row.key_version = 2,
    ];
    let mut now = sound.clone();
    for edit in edits {
        let mut row = sound.clone();
        edit(&mut row);
        tampered.store_is(&now, &row);
        tampered.refused("store `Tea`");
        now = row;
    }
    // What the error advises works.
    let vault = tampered.world.vault(tampered.sources.clone());
    let mut again = new_store("Tea", "4242", KEY);
    again.replace = true;
    vault.add(again, &actor()).unwrap();
    assert_eq!(tampered.ask().unwrap(), secret(KEY));
}

#[test]
fn two_stores_whose_names_were_swapped_are_refused() {
    let tampered = Tampered::new();
    let vault = tampered.world.vault(tampered.sources.clone());
    vault
        .add(new_store("Test", "77", "another-shops-key"), &actor())
        .unwrap();
    let rows = tampered.world.store_rows(&tampered.tenant.id);
    let named = |row: &StoreRow, name: &str| StoreRow {
        name: name.to_owned(),
        name_key: name.to_lowercase(),
        ..row.clone()
    };
    tampered.store_is(&rows[0], &named(&rows[0], "between"));
    tampered.store_is(&rows[1], &named(&rows[1], &rows[0].name));
    tampered.store_is(&rows[0], &named(&rows[0], &rows[1].name));
    for name in ["Tea", "Test"] {
        let vault = tampered.world.vault(tampered.sources.clone());
        let error = error_of(vault.open(&vault.resolve(name).unwrap()));
        assert_eq!(error.code(), "seal_broken");
    }
}

#[test]
fn one_row_that_cannot_be_read_is_named_and_does_not_keep_the_others_from_being_mended() {
    let tampered = Tampered::new();
    let vault = tampered.world.vault(tampered.sources.clone());
    vault
        .add(new_store("Coffee", "77", "another-shops-key"), &actor())
        .unwrap();
    let hidden = StoreRow {
        name: "Tea\u{1b}[2J\u{202e}".to_owned(),
        ..tampered.store.clone()
    };
    let unreadable = StoreRow {
        store_id: "no number".to_owned(),
        ..tampered.store.clone()
    };
    let mut now = tampered.store.clone();
    for row in [hidden, unreadable] {
        tampered.store_is(&now, &row);
        let vault = tampered.world.vault(tampered.sources.clone());
        let error = error_of(vault.stores());
        assert_eq!(error.code(), "seal_broken");
        assert!(error.to_string().contains("store `Tea"), "{error}");
        assert!(!error.to_string().contains(['\u{1b}', '\u{202e}']));
        assert_eq!(error_of(vault.resolve("Tea")).code(), "seal_broken");
        let coffee = vault.resolve("coffee").unwrap();
        assert_eq!(vault.open(&coffee).unwrap(), secret("another-shops-key"));
        let (readable, broken) = vault.readable().unwrap();
        assert_eq!((readable.len(), broken.len()), (1, 1));
        now = row;
    }
}

#[test]
fn seals_swapped_between_two_stores_are_refused() {
    let tampered = Tampered::new();
    let vault = tampered.world.vault(tampered.sources.clone());
    vault
        .add(new_store("Coffee", "77", "another-shops-key"), &actor())
        .unwrap();
    let rows = tampered.world.store_rows(&tampered.tenant.id);
    let swapped = |to: &StoreRow, from: &StoreRow| StoreRow {
        sealed_key: from.sealed_key.clone(),
        seal_nonce: from.seal_nonce.clone(),
        ..to.clone()
    };
    tampered.store_is(&rows[0], &swapped(&rows[0], &rows[1]));
    tampered.store_is(&rows[1], &swapped(&rows[1], &rows[0]));
    for (name, row) in [("Tea", "store `Tea`"), ("Coffee", "store `Coffee`")] {
        let vault = tampered.world.vault(tampered.sources.clone());
        let error = error_of(vault.open(&vault.resolve(name).unwrap()));
        assert!(error.to_string().contains(row), "{error}");
    }
}

#[test]
fn a_row_moved_to_another_tenant_is_refused() {
    let tampered = Tampered::new();
    let (thief, sources) = tampered.world.tenant_of(&random_key());
    let stolen = StoreRow {
        tenant_id: thief.id.to_string(),
        ..tampered.store.clone()
    };
    tampered.store_is(&tampered.store, &stolen);
    let vault = tampered.world.vault(sources);
    let error = error_of(vault.open(&vault.resolve("Tea").unwrap()));
    assert_eq!(error.code(), "seal_broken");
}

#[test]
fn another_tenants_wrapped_secrets_are_refused() {
    let tampered = Tampered::new();
    let (other, _) = tampered.world.tenant_of(&random_key());
    let other = tampered.world.tenant_row(&other.id);
    tampered.world.forge_tenant(&TenantRow {
        wrapped_key: other.wrapped_key,
        wrap_nonce: other.wrap_nonce,
        salt: other.salt,
        ..tampered.tenant.clone()
    });
    tampered.refused(&format!("tenant `{}`", tampered.tenant.id));
}

#[test]
fn two_tenants_whose_key_ids_were_swapped_are_refused() {
    let tampered = Tampered::new();
    let (other, _) = tampered.world.tenant_of(&random_key());
    let other = tampered.world.tenant_row(&other.id);
    let with_id = |row: &TenantRow, key_id: &str| TenantRow {
        key_id: key_id.to_owned(),
        ..row.clone()
    };
    tampered
        .world
        .forge_tenant(&with_id(&tampered.tenant, "0000000000000000"));
    tampered
        .world
        .forge_tenant(&with_id(&other, &tampered.tenant.key_id));
    tampered.refused(&format!("tenant `{}`", other.id));
}

/// A tenant whose key was rotated; what stood there before; and the sources of the old and the new key.
fn rotated() -> (Tampered, Sources) {
    let tampered = Tampered::new();
    let vault = tampered.world.vault(tampered.sources.clone());
    let prepared = rotate::prepare(&vault, NewKey::Random, "test").unwrap();
    let new = tampered.world.at_environment(&prepared.new_key_text());
    rotate::finish(rotate::commit(prepared, &actor()).unwrap()).unwrap();
    (tampered, new)
}

#[test]
fn a_store_put_back_from_before_a_rotation_is_refused() {
    let (mut tampered, new) = rotated();
    tampered.sources = new;
    assert_eq!(tampered.ask().unwrap(), secret(KEY));
    let now = tampered.world.store_rows(&tampered.tenant.id).remove(0);
    tampered.store_is(&now, &tampered.store);
    tampered.refused("store `Tea`");
    // Nor does it help to raise its version.
    let raised = StoreRow {
        key_version: 2,
        ..tampered.store.clone()
    };
    tampered.store_is(&tampered.store, &raised);
    tampered.refused("store `Tea`");
}

#[test]
fn a_tenant_put_back_from_before_a_rotation_opens_nothing() {
    let (mut tampered, new) = rotated();
    tampered.world.forge_tenant(&tampered.tenant);
    // With the old key the tenant opens, and the stores are of another version.
    tampered.refused("store `Tea`");
    tampered.sources = new;
    assert_eq!(error_of(tampered.ask()).code(), "no_tenant");
}
