//! Tests of `unlock`.

use super::super::key::MasterKey;
use super::super::key_file;
use super::super::testing::{WORDS, World, actor, error_of, new_store, random_key, secret};
use super::*;

#[test]
fn nothing_is_touched_before_the_first_question() {
    let world = World::new();
    let slot = Slot::new(world.home.clone());
    let vault = Vault::new(slot.clone(), world.at_keyring(), Arc::clone(&world.clock));
    let _clone = vault.clone();
    assert_eq!(slot.get().unwrap_err().code(), "not_yet_opened");
    assert!(!world.home.run_dir().join("keyring.lock").exists());
    assert!(format!("{vault:?}").contains("unlocked: false"));
}

#[test]
fn without_a_key_the_vault_says_so_and_opens_as_soon_as_there_is_one() {
    let world = World::new();
    let sources = world.at_home();
    let vault = world.vault(sources.clone());
    assert_eq!(error_of(vault.tenant()).code(), "no_key");
    let made = world.init(&sources);
    assert_eq!(vault.tenant().unwrap(), made);
}

#[test]
fn a_key_of_nobody_makes_no_tenant() {
    let world = World::new();
    world.tenant_of(&random_key());
    for key in [random_key(), KeyText::Passphrase(secret(WORDS))] {
        let vault = world.vault(world.at_environment(&key.to_text()));
        let error = error_of(vault.tenant());
        assert_eq!(error.code(), "no_tenant");
        assert!(
            error.to_string().contains("no tenant for this key"),
            "{error}"
        );
        if let KeyText::Random(key) = &key {
            assert!(error.to_string().contains(key.id().as_str()), "{error}");
        }
        let add = vault.add(new_store("Tea", "1", "key-key-key"), &actor());
        assert_eq!(error_of(add).code(), "no_tenant");
    }
    assert_eq!(world.tenants().len(), 1);
}

#[test]
fn two_tenants_of_one_file_see_nothing_of_each_other() {
    let world = World::new();
    let (_, ann) = world.tenant_of(&random_key());
    let (_, bob) = world.tenant_of(&KeyText::Passphrase(secret(WORDS)));
    let (ann, bob) = (world.vault(ann), world.vault(bob));
    ann.add(new_store("Tea", "1", "ann-ann-ann"), &actor())
        .unwrap();
    let theirs = bob
        .add(new_store("tea", "1", "bob-bob-bob"), &actor())
        .unwrap();
    assert_eq!(ann.stores().unwrap().len(), 1);
    assert_eq!(
        ann.open(&ann.resolve("TEA").unwrap()).unwrap(),
        secret("ann-ann-ann")
    );
    assert_eq!(bob.open(&theirs).unwrap(), secret("bob-bob-bob"));
    assert_ne!(ann.token_key().unwrap(), bob.token_key().unwrap());

    for error in [
        error_of(ann.open(&theirs)),
        error_of(ann.remove(&theirs.id, &actor())),
        error_of(ann.set_default(Some(&theirs.id), &actor())),
        error_of(ann.resolve(&theirs.id)),
    ] {
        assert_eq!(error.code(), "unknown_store");
    }
    assert_eq!(bob.stores().unwrap().len(), 1);
}

#[test]
fn another_process_sees_what_was_added_removed_and_chosen() {
    let world = World::new();
    let (_, sources) = world.tenant_of(&random_key());
    let (one, two) = (world.vault(sources.clone()), world.vault(sources));
    assert!(two.stores().unwrap().is_empty());
    let tea = one
        .add(new_store("Tea", "1", "key-key-key"), &actor())
        .unwrap();
    assert_eq!(two.stores().unwrap(), std::slice::from_ref(&tea));
    one.set_default(Some(&tea.id), &actor()).unwrap();
    assert!(two.stores().unwrap()[0].is_default);
    assert_eq!(two.tenant().unwrap().default_store, Some(tea.id.clone()));
    one.remove(&tea.id, &actor()).unwrap();
    assert!(two.stores().unwrap().is_empty());
    assert_eq!(two.tenant().unwrap().default_store, None);
}

#[test]
fn a_vault_looks_for_its_key_once_while_nothing_changes() {
    let world = World::new();
    let sources = world.at_home();
    world.init(&sources);
    let vault = world.vault(sources);
    vault.tenant().unwrap();
    std::fs::remove_file(world.home.master_key()).unwrap();
    vault.tenant().unwrap();
    // Somebody else's change does not concern the key either.
    world.tenant_of(&random_key());
    vault.tenant().unwrap();
    assert_eq!(vault.0.held.lock().attempts, 2);
}

#[test]
fn many_questions_at_once_look_for_the_key_once() {
    let world = World::new();
    let sources = world.at_keyring();
    world.init(&sources);
    let vault = world.vault(sources);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| vault.tenant().unwrap());
        }
    });
    assert_eq!(vault.0.held.lock().attempts, 1);
}

#[test]
fn many_questions_at_once_share_one_refusal() {
    let world = World::new();
    world.state();
    let refusing = super::super::keyring::Keyring::of_test(&world.home, {
        let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        move || {
            asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Err(keyring_core::Error::NoDefaultStore)
        }
    });
    let vault = world.vault(Sources::of_test(&world.home, None, Some(refusing)));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(error_of(vault.tenant()).code(), "keyring"));
        }
    });
}

#[test]
fn whoever_added_a_store_finds_it_at_once_whatever_others_do() {
    let world = World::new();
    let (_, sources) = world.tenant_of(&random_key());
    let vault = world.vault(sources);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let vault = &vault;
            scope.spawn(move || {
                for round in 0..10 {
                    let id = format!("{}", 100 + thread * 10 + round);
                    let name = format!("Shop {id}");
                    let added = vault
                        .add(new_store(&name, &id, "key-key-key"), &actor())
                        .unwrap();
                    assert_eq!(vault.resolve(&name).unwrap(), added);
                    vault.open(&added).unwrap();
                }
            });
        }
    });
    assert_eq!(vault.stores().unwrap().len(), 40);
}

#[test]
fn a_tenant_put_back_from_a_backup_is_not_called_a_rotation() {
    let world = World::new();
    let sources = world.at_home();
    world.init(&sources);
    let vault = world.vault(sources);
    let tenant = vault.tenant().unwrap();
    let before = world.tenant_row(&tenant.id);
    let prepared = rotate::prepare(&vault, rotate::NewKey::Random, "test").unwrap();
    rotate::finish(rotate::commit(prepared, &actor()).unwrap()).unwrap();
    assert_eq!(vault.tenant().unwrap().key_version, 2);
    world.forge_tenant(&before);
    assert_eq!(error_of(vault.tenant()).code(), "no_tenant");
}

#[test]
fn a_restored_state_file_is_looked_at_afresh() {
    let world = World::new();
    let (_, sources) = world.tenant_of(&random_key());
    let vault = world.vault(sources);
    let tea = vault
        .add(new_store("Tea", "1", "key-key-key"), &actor())
        .unwrap();
    vault.open(&tea).unwrap();
    // The same revision in another opening of the file proves nothing.
    let broken = vault.0.slot.get().unwrap();
    vault.0.slot.mark_broken(&broken, StateError::Moved);
    assert_eq!(error_of(vault.open(&tea)).code(), "state");
    vault.0.slot.open_now().unwrap();
    let before = vault.0.held.lock().attempts;
    vault.open(&tea).unwrap();
    assert_eq!(vault.0.held.lock().attempts, before + 1);
}

#[test]
fn a_key_file_that_is_put_right_works_without_a_restart() {
    let world = World::new();
    let sources = world.at_home();
    world.init(&sources);
    let right = key_file::read(&world.home.master_key()).unwrap().unwrap();
    key_file::write(&world.home.master_key(), &MasterKey::generate().to_text()).unwrap();
    let vault = world.vault(sources);
    assert_eq!(error_of(vault.tenant()).code(), "no_tenant");
    key_file::write(&world.home.master_key(), &right).unwrap();
    vault.tenant().unwrap();
}

#[test]
fn every_attempt_is_counted() {
    let recorder = counting::Counter::default();
    metrics::with_local_recorder(&recorder, || {
        let world = World::new();
        let (_, sources) = world.tenant_of(&random_key());
        let vault = world.vault(sources);
        let tea = vault
            .add(new_store("Tea", "1", "key-key-key"), &actor())
            .unwrap();
        vault.open(&tea).unwrap();
        let stranger = world.vault(world.at_environment(&random_key().to_text()));
        error_of(stranger.tenant());
    });
    assert_eq!(recorder.of("success"), 2);
    assert_eq!(recorder.of("failure"), 1);
}

/// A recorder that counts `auth_attempts_total` by its status.
mod counting {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use metrics::{Counter as Handle, Gauge, Histogram, Key, KeyName, Metadata, Recorder};
    use metrics::{SharedString, Unit};
    use parking_lot::Mutex;

    #[derive(Default)]
    pub(super) struct Counter(Mutex<HashMap<String, Arc<AtomicU64>>>);

    impl Counter {
        pub(super) fn of(&self, status: &str) -> u64 {
            let held = self.0.lock();
            held.get(status)
                .map_or(0, |count| count.load(Ordering::SeqCst))
        }
    }

    impl Recorder for Counter {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Handle {
            if key.name() != "auth_attempts_total" {
                return Handle::noop();
            }
            let status = key.labels().next().map(|label| label.value().to_owned());
            let mut held = self.0.lock();
            let count = held.entry(status.unwrap_or_default()).or_default();
            Handle::from_arc(Arc::clone(count))
        }

        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::noop()
        }
    }
}
