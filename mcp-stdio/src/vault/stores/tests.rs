//! Tests of `stores`: what adding, replacing and removing do. Tampering has a file of its own.

use super::super::testing::{World, actor, error_of, new_store, random_key, secret};
use super::*;

mod tamper;

fn world() -> (World, Vault) {
    let world = World::new();
    let (_, sources) = world.tenant_of(&random_key());
    let vault = world.vault(sources);
    (world, vault)
}

/// The tenant's audit chain: what was done to what.
fn audited(world: &World, vault: &Vault) -> Vec<(String, Option<String>)> {
    let chain = Chain::Tenant(vault.tenant().unwrap().id.to_string());
    let signer = vault.signer().unwrap();
    let verdict = audit::verify(&world.state(), &chain, Some(&signer), &[]).unwrap();
    assert!(verdict.ok && verdict.rows == verdict.signed, "{verdict:?}");
    let all = |reading: &shared::state::Reading<'_>| {
        audit::list(reading, &chain, &audit::Filter::default())
    };
    let mut records = world.state().read("test", all).unwrap();
    records.sort_by_key(|record| record.seq);
    records
        .into_iter()
        .map(|record| (record.action, record.target))
        .collect()
}

#[test]
fn a_store_is_sealed_opened_and_gone() {
    let (world, vault) = world();
    let tea = vault
        .add(new_store(" Tea ", "4242", "key-of-tea"), &actor())
        .unwrap();
    assert_eq!((tea.name.as_str(), tea.store_id.as_str()), ("Tea", "4242"));
    assert_eq!(vault.resolve("tea").unwrap(), tea);
    assert_eq!(vault.open(&tea).unwrap(), secret("key-of-tea"));

    let row = &world.store_rows(&vault.tenant().unwrap().id)[0];
    assert_eq!(row.sealed_key.len(), "key-of-tea".len() + 16);
    vault.remove(&tea.id, &actor()).unwrap();
    assert_eq!(error_of(vault.open(&tea)).code(), "unknown_store");
    assert_eq!(
        error_of(vault.remove(&tea.id, &actor())).code(),
        "unknown_store"
    );
}

#[test]
fn who_holds_an_old_address_does_not_get_the_key_of_the_new_one() {
    let (_world, vault) = world();
    let old = vault
        .add(new_store("Tea", "4242", "key-of-tea"), &actor())
        .unwrap();
    let mut moved = new_store("Tea", "4242", "a-newer-key");
    moved.base_url = "http://127.0.0.1:9465/api/v2".parse().unwrap();
    moved.replace = true;
    let new = vault.add(moved, &actor()).unwrap();
    assert_eq!(old.id, new.id, "it stays the same row");
    assert_eq!(error_of(vault.open(&old)).code(), "unknown_store");
    assert_eq!(vault.open(&new).unwrap(), secret("a-newer-key"));
}

#[test]
fn what_was_done_is_audited_and_what_was_refused_is_not() {
    let (world, vault) = world();
    let tea = vault
        .add(new_store("Tea", "1", "key-of-tea"), &actor())
        .unwrap();
    error_of(vault.add(new_store("tea", "2", "another-key"), &actor()));
    vault.set_default(Some(&tea.id), &actor()).unwrap();
    let mut again = new_store("Tea", "1", "a-newer-key");
    again.replace = true;
    vault.add(again, &actor()).unwrap();
    vault.set_default(None, &actor()).unwrap();
    vault
        .note(action::STORE_ASKED, Some("Coffee"), Outcome::Done, &actor())
        .unwrap();
    vault.remove(&tea.id, &actor()).unwrap();

    let tea = Some("Tea".to_owned());
    let expected = [
        (action::TENANT_CREATED, None),
        (action::STORE_ADDED, tea.clone()),
        (action::STORE_DEFAULT, tea.clone()),
        (action::STORE_REPLACED, tea.clone()),
        (action::STORE_DEFAULT, None),
        (action::STORE_ASKED, Some("Coffee".to_owned())),
        (action::STORE_REMOVED, tea),
    ];
    let expected = expected.map(|(action, target)| (action.to_owned(), target));
    assert_eq!(audited(&world, &vault), expected);
}

#[test]
fn a_name_or_a_shop_that_is_taken_is_refused() {
    let (_world, vault) = world();
    vault
        .add(new_store("Tea", "1", "key-of-tea"), &actor())
        .unwrap();
    for (name, id) in [("TEA", "2"), ("Other", "1")] {
        let error = error_of(vault.add(new_store(name, id, "another-key"), &actor()));
        assert_eq!(error.code(), "store_exists");
        assert!(error.to_string().contains("`Tea`"), "{error}");
    }
    assert_eq!(
        error_of(vault.add(new_store("77", "2", "k"), &actor())).code(),
        "bad_store_name"
    );
    assert_eq!(vault.stores().unwrap().len(), 1);
}

#[test]
fn a_replaced_store_keeps_its_row_and_stays_the_default() {
    let (_world, vault) = world();
    let tea = vault
        .add(new_store("Tea", "1", "old-old-old"), &actor())
        .unwrap();
    vault
        .add(new_store("Coffee", "2", "coffee-key"), &actor())
        .unwrap();
    vault.set_default(Some(&tea.id), &actor()).unwrap();
    let replaced = |name: &str, id: &str, key: &str| {
        let mut new = new_store(name, id, key);
        new.replace = true;
        vault.add(new, &actor())
    };
    // A new key, another shop under the name, and another name for the shop.
    for (name, id, key) in [
        ("tea", "1", "new-key"),
        ("Tea", "3", "third-key"),
        ("Chai", "3", "fourth"),
    ] {
        let now = replaced(name, id, key).unwrap();
        assert_eq!((now.id.as_str(), now.is_default), (tea.id.as_str(), true));
        assert_eq!(vault.resolve(name).unwrap(), now);
        assert_eq!(vault.open(&now).unwrap(), secret(key));
    }
    assert_eq!(
        error_of(replaced("Coffee", "3", "x")).code(),
        "store_exists"
    );
    assert_eq!(vault.stores().unwrap().len(), 2);
}
