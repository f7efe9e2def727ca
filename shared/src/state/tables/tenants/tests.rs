//! Tenants: added, found by key, re-wrapped once, and pointing at stores of their own only.

use super::*;
use crate::state::tables::stores;
use crate::state::tables::testing::{Fresh, fresh, store, tenant};

fn with(rows: &[&Row]) -> Fresh {
    let file = fresh();
    for row in rows {
        file.write(|writing| insert(writing, row));
    }
    file
}

#[test]
fn a_tenant_comes_back_as_it_went_in() {
    let row = Row {
        kdf: Some("argon2id$v=19$m=19456,t=2,p=1".into()),
        ..tenant("t1")
    };
    let file = with(&[&row]);
    assert_eq!(file.read(all), std::slice::from_ref(&row));
    assert_eq!(file.read(|reading| by_id(reading, "t1")), Some(row.clone()));
    assert_eq!(
        file.read(|reading| by_key_id(reading, &row.key_id)),
        Some(row)
    );
}

#[test]
fn a_file_without_tenants_says_so() {
    assert!(!fresh().read(any));
    assert!(with(&[&tenant("t1")]).read(any));
}

#[test]
fn a_tenant_is_found_by_its_keys_id_and_by_no_other() {
    let keyless = Row {
        key_id: String::new(),
        ..tenant("t0")
    };
    let file = with(&[&keyless, &tenant("t1")]);
    let found = |key_id: &str| file.read(|reading| by_key_id(reading, key_id));
    assert_eq!(found("key of t1").unwrap().id, "t1");
    assert_eq!(found("key of t2"), None);
    assert_eq!(found(""), None, "a row without a key id belongs to nobody");
}

#[test]
fn one_master_key_has_one_tenant() {
    let file = with(&[&tenant("t1")]);
    let second = Row {
        key_id: "key of t1".into(),
        ..tenant("t2")
    };
    file.try_write(|writing| insert(writing, &second))
        .unwrap_err();
    assert_eq!(file.read(all).len(), 1);
}

#[test]
fn only_passphrase_tenants_are_tried_one_by_one() {
    let stretched_one = Row {
        kdf: Some("argon2id".into()),
        ..tenant("t2")
    };
    let file = with(&[&tenant("t1"), &stretched_one]);
    assert_eq!(file.read(stretched), [stretched_one]);
}

#[test]
fn the_second_of_two_rotations_is_told_that_it_came_late() {
    let file = with(&[&tenant("t1"), &tenant("t2")]);
    let new = Row {
        salt: vec![9; 32],
        kdf: Some("argon2id".into()),
        key_id: "new".into(),
        wrapped_key: vec![5; 96],
        wrap_nonce: vec![6; 24],
        key_version: 2,
        ..tenant("t1")
    };
    assert!(file.write(|writing| rewrap(writing, 1, &new)));
    assert!(!file.write(|writing| rewrap(writing, 1, &new)));
    assert_eq!(file.read(|reading| by_id(reading, "t1")), Some(new));
    assert_eq!(
        file.read(|reading| by_id(reading, "t2")),
        Some(tenant("t2"))
    );
}

#[test]
fn the_default_store_is_one_of_the_tenants_own() {
    let file = with(&[&tenant("t1"), &tenant("t2")]);
    file.write(|writing| stores::insert(writing, &store("s2", "t2", "Tea")));
    let set = |tenant: &str, id: Option<&str>| {
        file.write(|writing| set_default_store(writing, tenant, id))
    };
    assert!(!set("t1", Some("s2")), "another tenant's store");
    assert!(!set("t3", None), "no such tenant");
    assert!(set("t2", Some("s2")));
    let default = || {
        let row = file.read(|reading| by_id(reading, "t2"));
        row.unwrap().default_store
    };
    assert_eq!(default().as_deref(), Some("s2"));
    assert!(file.write(|writing| stores::delete(writing, "t2", "s2")));
    assert_eq!(default(), None, "a removed store is nobody's default");
    assert!(set("t2", None));
}
