//! Shops: unique names, re-sealed in place, and invisible to other tenants.

use super::*;
use crate::state::tables::tenants;
use crate::state::tables::testing::{Fresh, fresh, store, tenant};

fn with_tenants() -> Fresh {
    let file = fresh();
    for id in ["t1", "t2"] {
        file.write(|writing| tenants::insert(writing, &tenant(id)));
    }
    file
}

#[test]
fn shops_come_back_by_name_and_go_for_good() {
    let file = with_tenants();
    let (tea, coffee) = (store("2", "t1", "tea"), store("1", "t1", "Coffee"));
    for row in [&tea, &coffee] {
        assert!(file.write(|writing| insert(writing, row)));
    }
    assert_eq!(
        file.read(|reading| of_tenant(reading, "t1")),
        [coffee, tea.clone()]
    );
    assert_eq!(file.read(|reading| by_id(reading, "t1", "2")), Some(tea));
    assert!(file.write(|writing| delete(writing, "t1", "2")));
    assert!(!file.write(|writing| delete(writing, "t1", "2")));
    assert_eq!(file.read(|reading| by_id(reading, "t1", "2")), None);
}

#[test]
fn two_shops_of_one_name_are_refused_whatever_their_case() {
    let file = with_tenants();
    assert!(file.write(|writing| insert(writing, &store("1", "t1", "Tea"))));
    assert!(!file.write(|writing| insert(writing, &store("2", "t1", "TEA"))));
    assert!(
        file.write(|writing| insert(writing, &store("3", "t2", "Tea"))),
        "another tenant's names are its own"
    );
}

#[test]
fn a_shop_without_its_tenant_is_refused() {
    fresh()
        .try_write(|writing| insert(writing, &store("1", "t1", "Tea")))
        .unwrap_err();
}

#[test]
fn another_tenants_shop_can_neither_be_read_nor_resealed_nor_removed() {
    let file = with_tenants();
    let row = store("1", "t1", "Tea");
    assert!(file.write(|writing| insert(writing, &row)));
    let as_mine = Row {
        tenant_id: "t2".into(),
        ..row.clone()
    };
    assert_eq!(file.read(|reading| by_id(reading, "t2", "1")), None);
    assert_eq!(file.read(|reading| of_tenant(reading, "t2")), []);
    assert!(!file.write(|writing| reseal(writing, &as_mine)));
    assert!(!file.write(|writing| delete(writing, "t2", "1")));
    assert_eq!(file.read(|reading| by_id(reading, "t1", "1")), Some(row));
}

#[test]
fn a_new_seal_and_name_take_the_place_of_the_old_ones() {
    let file = with_tenants();
    let old = store("1", "t1", "Tea");
    assert!(file.write(|writing| insert(writing, &old)));
    let new = Row {
        name: "Tea & Co".into(),
        name_key: "tea & co".into(),
        sealed_key: vec![8; 60],
        seal_nonce: vec![2; 24],
        key_version: 2,
        ..old
    };
    assert!(file.write(|writing| reseal(writing, &new)));
    assert_eq!(file.read(|reading| by_id(reading, "t1", "1")), Some(new));
}

#[test]
fn a_seal_stays_with_the_address_it_was_made_for_and_a_name_with_its_shop() {
    let file = with_tenants();
    let (tea, coffee) = (store("1", "t1", "Tea"), store("2", "t1", "Coffee"));
    for row in [&tea, &coffee] {
        assert!(file.write(|writing| insert(writing, row)));
    }
    let elsewhere = Row {
        base_url: "https://evil.example".into(),
        ..tea.clone()
    };
    let as_coffee = Row {
        name_key: "coffee".into(),
        ..tea.clone()
    };
    for wrong in [elsewhere, as_coffee] {
        assert!(!file.write(|writing| reseal(writing, &wrong)));
    }
    assert_eq!(file.read(|reading| of_tenant(reading, "t1")), [coffee, tea]);
}
