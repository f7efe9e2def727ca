//! Tests of `rotate`: stopped between any two side effects, for each kind of source, exactly one key works; and others go on meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};

use super::super::testing::{WORDS, World, actor, error_of, new_store, random_key, secret};
use super::*;

const KEY: &str = "key-of-the-tea-shop";

mod killed;

/// How the key is kept.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Environment,
    HomeFile,
    Keyring,
}

const KINDS: [Kind; 3] = [Kind::Environment, Kind::HomeFile, Kind::Keyring];

/// Where a rotation stops for ever.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stop {
    AfterPrepare,
    AfterCommit,
    /// Only the keyring has two steps in there: the new key is in its place, and still beside it.
    WithinFinish,
    Never,
}

/// A tenant with two stores, its sources, and its key.
struct Shop {
    world: World,
    sources: Sources,
    old: Secret,
}

impl Shop {
    fn new(kind: Kind) -> Shop {
        let world = World::new();
        let sources = match kind {
            Kind::Environment => world.tenant_of(&random_key()).1,
            Kind::HomeFile => world.at_home(),
            Kind::Keyring => world.at_keyring(),
        };
        if !matches!(kind, Kind::Environment) {
            world.init(&sources);
        }
        let vault = world.vault(sources.clone());
        for (name, id) in [("Tea", "1"), ("Coffee", "2")] {
            vault.add(new_store(name, id, KEY), &actor()).unwrap();
        }
        let old = sources.find().unwrap().candidates[0].to_text();
        Shop {
            world,
            sources,
            old,
        }
    }

    fn rotate_until(&self, stop: Stop, new: NewKey) -> Secret {
        let vault = self.world.vault(self.sources.clone());
        let prepared = prepare(&vault, new, "test").unwrap();
        let text = prepared.new_key_text();
        if stop == Stop::AfterPrepare {
            return text;
        }
        let committed = commit(prepared, &actor()).unwrap();
        match stop {
            Stop::WithinFinish => {
                if let (KeySource::Keyring, Some(ring)) =
                    (&committed.tenant.source, self.sources.keyring())
                {
                    ring.put(Kept::Key, &text).unwrap();
                }
            }
            Stop::Never => drop(finish(committed).unwrap()),
            _ => {}
        }
        text
    }

    /// Whether a process with this key opens both stores; anything between all and nothing is a mixture.
    fn opens_with(&self, sources: Sources) -> bool {
        let vault = self.world.vault(sources);
        match vault.stores() {
            Ok(stores) => {
                assert_eq!(stores.len(), 2);
                for store in &stores {
                    assert_eq!(vault.open(store).unwrap(), secret(KEY));
                }
                true
            }
            Err(error) => {
                assert_eq!(error.code(), "no_tenant", "{error}");
                false
            }
        }
    }

    #[track_caller]
    fn exactly_one_works(&self, new: &Secret, is_new: bool) {
        let with = |key| self.opens_with(self.world.at_environment(key));
        assert_eq!((with(&self.old), with(new)), (!is_new, is_new));
    }

    fn audit_is_sound(&self, key: &Secret) {
        let vault = self.world.vault(self.world.at_environment(key));
        let chain = Chain::Tenant(vault.tenant().unwrap().id.to_string());
        let signer = vault.signer().unwrap();
        let verdict = audit::verify(&self.world.state(), &chain, Some(&signer), &[]).unwrap();
        assert!(verdict.ok && verdict.signed == verdict.rows, "{verdict:?}");
    }
}

#[test]
fn stopped_anywhere_exactly_one_key_works_and_the_next_process_goes_on() {
    for kind in KINDS {
        for stop in [
            Stop::AfterPrepare,
            Stop::AfterCommit,
            Stop::WithinFinish,
            Stop::Never,
        ] {
            let shop = Shop::new(kind);
            let new = shop.rotate_until(stop, NewKey::Random);
            let is_new = stop != Stop::AfterPrepare;
            shop.exactly_one_works(&new, is_new);
            let counts = if is_new { &new } else { &shop.old };
            shop.audit_is_sound(counts);

            if matches!(kind, Kind::Environment) {
                continue;
            }
            // The next process finds the right one by itself, and ends what was begun.
            assert!(shop.opens_with(shop.sources.clone()), "{kind:?} {stop:?}");
            let found = shop.sources.find().unwrap();
            assert_eq!(found.candidates[0].to_text(), *counts, "{kind:?} {stop:?}");
            let left_over = if is_new { 1 } else { 2 };
            assert_eq!(found.candidates.len(), left_over, "{kind:?} {stop:?}");
        }
    }
}

#[test]
fn after_a_rotation_that_was_stopped_the_next_one_works() {
    for kind in KINDS {
        for stop in [Stop::AfterPrepare, Stop::AfterCommit, Stop::WithinFinish] {
            let shop = Shop::new(kind);
            let first = shop.rotate_until(stop, NewKey::Random);
            let again = match kind {
                Kind::Environment if stop != Stop::AfterPrepare => Shop {
                    sources: shop.world.at_environment(&first),
                    ..shop
                },
                _ => shop,
            };
            let second = again.rotate_until(Stop::Never, NewKey::Random);
            again.exactly_one_works(&second, true);
            assert!(!again.opens_with(again.world.at_environment(&first)));
            again.audit_is_sound(&second);
        }
    }
}

#[test]
fn from_random_to_words_and_back() {
    for kind in KINDS {
        let shop = Shop::new(kind);
        let words = shop.rotate_until(Stop::AfterCommit, NewKey::Passphrase(secret(WORDS)));
        assert_eq!(words, secret(&format!("passphrase:{WORDS}")));
        shop.exactly_one_works(&words, true);
        let shop = Shop {
            sources: match kind {
                Kind::Environment => shop.world.at_environment(&words),
                _ => shop.sources.clone(),
            },
            ..shop
        };
        let random = shop.rotate_until(Stop::Never, NewKey::Random);
        shop.exactly_one_works(&random, true);
        assert!(!shop.opens_with(shop.world.at_environment(&words)));
        assert!(shop.world.tenants()[0].kdf.is_none());
    }
}

#[test]
fn weak_words_are_refused_and_change_nothing() {
    let shop = Shop::new(Kind::HomeFile);
    let vault = shop.world.vault(shop.sources.clone());
    let refused = error_of(prepare(&vault, NewKey::Passphrase(secret("short")), "test"));
    assert_eq!(refused.code(), "weak_passphrase");
    assert!(!shop.world.home.master_key_next().exists());
    assert!(shop.opens_with(shop.sources.clone()));
}

#[test]
fn two_rotations_at_once_the_second_is_told_who_is_first() {
    let shop = Shop::new(Kind::HomeFile);
    let one = shop.world.vault(shop.sources.clone());
    let two = shop.world.vault(shop.sources.clone());
    let prepared = prepare(&one, NewKey::Random, "mcp-stdio key rotate").unwrap();
    let refused = error_of(prepare(&two, NewKey::Random, "another"));
    assert_eq!(refused.code(), "key_locked");
    #[cfg(unix)]
    assert!(
        refused
            .to_string()
            .contains("mcp-stdio key rotate, process"),
        "{refused}"
    );
    // While it is prepared, and between its last two steps, everybody goes on with the key that counts.
    assert!(shop.opens_with(shop.sources.clone()));
    let committed = commit(prepared, &actor()).unwrap();
    assert!(shop.opens_with(shop.sources.clone()));
    assert!(shop.world.home.master_key_next().exists());
    finish(committed).unwrap();
    prepare(&two, NewKey::Random, "another").unwrap();
}

#[test]
fn a_running_process_follows_a_file_and_a_keyring_and_says_it_when_it_cannot() {
    for kind in KINDS {
        let shop = Shop::new(kind);
        let running = shop.world.vault(shop.sources.clone());
        let tea = running.resolve("Tea").unwrap();
        running.open(&tea).unwrap();
        let new = shop.rotate_until(Stop::Never, NewKey::Random);
        if matches!(kind, Kind::Environment) {
            for _ in 0..2 {
                let error = error_of(running.open(&tea));
                assert_eq!(error.code(), "key_rotated");
                assert!(error.to_string().contains("was rotated"), "{error}");
                assert!(error.hint().contains("new key"), "{}", error.hint());
            }
            let fresh = shop.world.vault(shop.world.at_environment(&new));
            assert_eq!(fresh.open(&tea).unwrap(), secret(KEY));
        } else {
            assert_eq!(running.open(&tea).unwrap(), secret(KEY));
            assert_eq!(running.tenant().unwrap().key_version, 2);
        }
    }
}

#[test]
fn a_store_added_while_a_rotation_is_under_way_is_sealed_for_the_new_key() {
    let shop = Shop::new(Kind::HomeFile);
    let running = shop.world.vault(shop.sources.clone());
    running.tenant().unwrap();
    let rotating = shop.world.vault(shop.sources.clone());
    let prepared = prepare(&rotating, NewKey::Random, "test").unwrap();
    running
        .add(new_store("Before", "3", "before-key"), &actor())
        .unwrap();
    let committed = commit(prepared, &actor()).unwrap();
    running
        .add(new_store("After", "4", "after-key"), &actor())
        .unwrap();
    finish(committed).unwrap();
    let fresh = shop.world.vault(shop.sources.clone());
    for (name, key) in [
        ("Before", "before-key"),
        ("After", "after-key"),
        ("Tea", KEY),
    ] {
        let store = fresh.resolve(name).unwrap();
        assert_eq!(fresh.open(&store).unwrap(), secret(key));
    }
    let id = fresh.tenant().unwrap().id;
    for row in shop.world.store_rows(&id) {
        assert_eq!(row.key_version, 2, "{}", row.name);
    }
}

#[test]
fn a_rotation_that_was_outrun_does_nothing() {
    let shop = Shop::new(Kind::Environment);
    let vault = shop.world.vault(shop.sources.clone());
    let prepared = prepare(&vault, NewKey::Random, "test").unwrap();
    let id = vault.tenant().unwrap().id;
    let mut row = shop.world.tenant_row(&id);
    row.key_version = 7;
    shop.world.forge_tenant(&row);
    assert_eq!(error_of(commit(prepared, &actor())).code(), "outrun");
    assert_eq!(shop.world.tenant_row(&id).key_version, 7);
}

#[test]
fn a_store_that_does_not_open_stops_the_rotation_and_is_named() {
    let shop = Shop::new(Kind::HomeFile);
    let vault = shop.world.vault(shop.sources.clone());
    let id = vault.tenant().unwrap().id;
    let sound = shop.world.store_rows(&id).remove(0);
    let mut broken = sound.clone();
    broken.sealed_key[0] ^= 1;
    shop.world.forge_store(&sound, &broken);
    let prepared = prepare(&vault, NewKey::Random, "test").unwrap();
    let error = error_of(commit(prepared, &actor()));
    assert!(error.to_string().contains("store `Coffee`"), "{error}");
    assert_eq!(vault.tenant().unwrap().key_version, 1);
    vault.remove(&broken.id, &actor()).unwrap();
    let prepared = prepare(&vault, NewKey::Random, "test").unwrap();
    finish(commit(prepared, &actor()).unwrap()).unwrap();
    assert_eq!(vault.tenant().unwrap().key_version, 2);
}

#[test]
fn a_next_key_that_is_another_tenants_is_not_written_over() {
    let shop = Shop::new(Kind::HomeFile);
    let stranger = random_key();
    shop.world.tenant_of(&stranger);
    key_file::write(&shop.world.home.master_key_next(), &stranger.to_text()).unwrap();
    let vault = shop.world.vault(shop.sources.clone());
    assert_eq!(
        error_of(prepare(&vault, NewKey::Random, "test")).code(),
        "outrun"
    );
    let kept = key_file::read(&shop.world.home.master_key_next()).unwrap();
    assert_eq!(kept, Some(stranger.to_text()));
}

#[test]
fn a_key_that_is_left_only_as_the_next_one_is_not_written_over() {
    let shop = Shop::new(Kind::HomeFile);
    let new = shop.rotate_until(Stop::AfterCommit, NewKey::Random);
    std::fs::remove_file(shop.world.home.master_key()).unwrap();
    let third = shop.rotate_until(Stop::AfterPrepare, NewKey::Random);
    let kept = key_file::read(&shop.world.home.master_key()).unwrap();
    assert_eq!(kept, Some(new));
    assert!(shop.opens_with(shop.sources.clone()));
    assert!(!shop.opens_with(shop.world.at_environment(&third)));
}

#[test]
fn processes_read_and_add_while_the_key_is_rotated_again_and_again() {
    let shop = Shop::new(Kind::HomeFile);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for reader in 0..3 {
            let (shop, done) = (&shop, &done);
            scope.spawn(move || {
                let vault = shop.world.vault(shop.sources.clone());
                let mut round = 0;
                while !done.load(Ordering::SeqCst) || round < 3 {
                    let store = vault.resolve("Tea").unwrap();
                    assert_eq!(vault.open(&store).unwrap(), secret(KEY));
                    if round < 5 {
                        let id = format!("{}", 100 + reader * 10 + round);
                        vault
                            .add(new_store(&format!("Shop {id}"), &id, KEY), &actor())
                            .unwrap();
                    }
                    round += 1;
                }
            });
        }
        let rotating = shop.world.vault(shop.sources.clone());
        for _ in 0..8 {
            let prepared = loop {
                // A reader may be ending our last rotation.
                match prepare(&rotating, NewKey::Random, "test") {
                    Ok(prepared) => break prepared,
                    Err(error) => assert_eq!(error.code(), "key_locked", "{error}"),
                }
            };
            finish(commit(prepared, &actor()).unwrap()).unwrap();
        }
        done.store(true, Ordering::SeqCst);
    });
    let vault = shop.world.vault(shop.sources.clone());
    let stores = vault.stores().unwrap();
    assert!(stores.len() >= 2 + 3 * 3, "{}", stores.len());
    for store in &stores {
        assert_eq!(vault.open(store).unwrap(), secret(KEY));
    }
    assert_eq!(vault.tenant().unwrap().key_version, 9);
    let key = shop.sources.find().unwrap().candidates.remove(0);
    shop.audit_is_sound(&key.to_text());
}

#[test]
fn only_a_key_that_somebody_else_keeps_must_be_shown() {
    for (kind, shown) in [
        (Kind::Environment, true),
        (Kind::HomeFile, false),
        (Kind::Keyring, false),
    ] {
        let shop = Shop::new(kind);
        let vault = shop.world.vault(shop.sources.clone());
        let prepared = prepare(&vault, NewKey::Random, "test").unwrap();
        assert_eq!(prepared.must_be_shown(), shown, "{kind:?}");
        assert_eq!(*prepared.source(), vault.tenant().unwrap().source);
        assert_ne!(prepared.new_key_id(), vault.tenant().unwrap().key_id);
    }
}
