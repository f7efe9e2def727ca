//! What a seal cannot tell, the records tell.

use shared::state::Durability;
use shared::state::tables::meta;

use super::super::error::VaultError;
use super::super::rotate::{self, NewKey};
use super::super::source::Sources;
use super::super::testing::{World, actor, new_store, random_key};
use super::*;

/// A tenant with two stores, and a process that starts now for each question.
struct Kit {
    world: World,
    tenant: String,
    sources: Sources,
}

impl Kit {
    fn new() -> Kit {
        let world = World::new();
        let (tenant, sources) = world.tenant_of(&random_key());
        let kit = Kit {
            tenant: tenant.id.to_string(),
            sources,
            world,
        };
        for (name, id) in [("Tea", "1"), ("Coffee", "2")] {
            kit.vault()
                .add(new_store(name, id, "key-of-a-shop"), &actor())
                .unwrap();
        }
        kit
    }

    fn vault(&self) -> Vault {
        self.world.vault(self.sources.clone())
    }

    fn tea(&self) -> Row {
        let rows = self.world.store_rows(&self.tenant);
        rows.into_iter().find(|row| row.name == "Tea").unwrap()
    }

    fn replace_tea(&self) {
        let mut again = new_store("Tea", "1", "a-newer-key-of-it");
        again.replace = true;
        self.vault().add(again, &actor()).unwrap();
    }

    /// What somebody with a SQL prompt can do.
    fn delete(&self, row: &Row) {
        let state = self.world.state();
        let done = state.write("test", Durability::Normal, |writing| {
            stores::delete(writing, &row.tenant_id, &row.id)?;
            meta::bump_vault_revision(writing)
        });
        done.unwrap();
    }

    fn found(&self) -> Option<Fault> {
        let bad = self.vault().differs_from_records().unwrap();
        bad.map(|bad| bad.what)
    }
}

#[test]
fn after_every_change_the_stores_are_as_the_records_say() {
    let kit = Kit::new();
    assert_eq!(kit.found(), None);
    kit.vault()
        .set_default(Some(&kit.tea().id), &actor())
        .unwrap();
    assert_eq!(kit.found(), None);
    kit.replace_tea();
    assert_eq!(kit.found(), None);
    kit.vault().remove(&kit.tea().id, &actor()).unwrap();
    assert_eq!(kit.found(), None);
    let note = (action::KEY_EXPORTED, Outcome::Done);
    kit.vault().note(note.0, None, note.1, &actor()).unwrap();
    assert_eq!(
        kit.found(),
        None,
        "what changes no store says nothing of them"
    );
}

#[test]
fn a_rotation_leaves_the_stores_as_its_record_says() {
    let world = World::new();
    let sources = world.at_home();
    world.init(&sources);
    let vault = world.vault(sources.clone());
    vault
        .add(new_store("Tea", "1", "key-of-a-shop"), &actor())
        .unwrap();
    let prepared = rotate::prepare(&vault, NewKey::Random, "test").unwrap();
    rotate::finish(rotate::commit(prepared, &actor()).unwrap()).unwrap();
    let vault = world.vault(sources);
    assert_eq!(vault.differs_from_records().unwrap(), None);
}

#[test]
fn an_older_copy_of_a_row_opens_and_is_found() {
    let kit = Kit::new();
    let before = kit.tea();
    kit.replace_tea();
    kit.world.forge_store(&kit.tea(), &before);
    let vault = kit.vault();
    let store = vault.resolve("Tea").unwrap();
    assert!(vault.open(&store).is_ok(), "its seal is sound");
    assert_eq!(kit.found(), Some(Fault::StoresDiffer));
}

#[test]
fn a_removed_store_that_is_put_back_is_found() {
    let kit = Kit::new();
    let before = kit.tea();
    kit.vault().remove(&before.id, &actor()).unwrap();
    kit.world.forge_store(&before, &before);
    assert_eq!(kit.found(), Some(Fault::StoresDiffer));
}

#[test]
fn a_store_that_is_deleted_behind_the_program_is_found() {
    let kit = Kit::new();
    kit.delete(&kit.tea());
    let bad = kit.vault().differs_from_records().unwrap().unwrap();
    assert_eq!((bad.seq, bad.what), (3, Fault::StoresDiffer));
    assert!(bad.to_string().contains("other stores"), "{bad}");
}

#[test]
fn no_change_and_no_rotation_covers_up_what_was_found() {
    let kit = Kit::new();
    kit.delete(&kit.tea());
    let coffee = kit.vault().resolve("Coffee").unwrap();
    kit.vault().set_default(Some(&coffee.id), &actor()).unwrap();
    assert_eq!(kit.found(), None, "the record of the change tells of now");
    kit.delete(&kit.world.store_rows(&kit.tenant)[0]);
    let prepared = rotate::prepare(&kit.vault(), NewKey::Random, "test").unwrap();
    rotate::commit(prepared, &actor()).unwrap();
    let chain = Chain::Tenant(kit.tenant.clone());
    let list = |reading: &Reading<'_>| records::list(reading, &chain, &records::Filter::default());
    let told: Vec<_> = kit.world.state().read("test", list).unwrap();
    let told: Vec<_> = told
        .iter()
        .skip(3)
        .map(|record| (record.action.as_str(), record.target.as_deref()))
        .collect();
    assert_eq!(told[0], (action::STORES_DIFFERED, Some("3")));
    assert_eq!(told[1], (action::STORE_DEFAULT, Some("Coffee")));
    assert_eq!(told[2], (action::STORES_DIFFERED, Some("5")));
    assert_eq!(told[3].0, action::KEY_ROTATED);
}

#[test]
fn another_default_than_was_chosen_is_found() {
    let kit = Kit::new();
    let tea = kit.tea();
    let state = kit.world.state();
    let done = state.write("test", Durability::Normal, |writing| {
        tenants::set_default_store(writing, &kit.tenant, Some(&tea.id))?;
        meta::bump_vault_revision(writing)
    });
    done.unwrap();
    assert_eq!(kit.found(), Some(Fault::StoresDiffer));
}

#[test]
fn a_tenant_without_a_record_of_stores_is_as_it_should_be() {
    let world = World::new();
    let (_, sources) = world.tenant_of(&random_key());
    let found = world.vault(sources).differs_from_records();
    assert!(matches!(found, Ok(None)));
    let nobody = world.at_environment(&random_key().to_text());
    let error = world.vault(nobody).differs_from_records().unwrap_err();
    assert!(matches!(error, VaultError::NoTenant { .. }));
}
