//! Which store is meant.

use super::pick::{Wishes, select};
use crate::desk::StoreId;
use crate::error::{NamedBy, ToolError};
use crate::vault::StoreInfo;

fn store(name: &str, store_id: &str) -> StoreInfo {
    StoreInfo {
        id: format!("row-{store_id}"),
        name: name.to_owned(),
        store_id: StoreId::parse(store_id).unwrap(),
        base_url: "https://app.orderdesk.me/api/v2".parse().unwrap(),
        created_ms: 0,
        is_default: false,
    }
}

fn three() -> Vec<StoreInfo> {
    vec![
        store("Candles", "1"),
        store("Books", "2"),
        store("Über Lamps", "3"),
    ]
}

/// The name of the store meant, or the error's code.
fn meant(stores: &[StoreInfo], wishes: Wishes<'_>) -> Result<String, &'static str> {
    select(stores, wishes)
        .map(|store| store.name.clone())
        .map_err(|error| error.code())
}

#[test]
fn the_only_store_is_meant_when_nobody_says_anything() {
    let one = [store("Candles", "1")];
    assert_eq!(meant(&one, Wishes::default()), Ok("Candles".to_owned()));
}

#[test]
fn none_at_all_and_several_are_told_apart() {
    assert_eq!(meant(&[], Wishes::default()), Err("no_store_yet"));
    let error = select(&three(), Wishes::default()).unwrap_err();
    assert_eq!(error.code(), "no_active_store");
    for name in ["Candles", "Books", "Über Lamps"] {
        assert!(error.hint().contains(name), "{}", error.hint());
    }
}

#[test]
fn the_stronger_wish_wins() {
    let mut stores = three();
    stores[0].is_default = true;
    let mut wishes = Wishes::default();
    assert_eq!(meant(&stores, wishes), Ok("Candles".to_owned()));
    wishes.wanted = Some("books");
    assert_eq!(meant(&stores, wishes), Ok("Books".to_owned()));
    wishes.chosen = Some(("row-3", "Über Lamps"));
    assert_eq!(meant(&stores, wishes), Ok("Über Lamps".to_owned()));
    wishes.named = Some("1");
    assert_eq!(meant(&stores, wishes), Ok("Candles".to_owned()));
}

#[test]
fn a_store_is_known_by_name_in_any_case_by_its_id_and_by_its_row() {
    for named in ["ÜBER lamps", " über lamps ", "3", "row-3"] {
        let wishes = Wishes {
            named: Some(named),
            ..Wishes::default()
        };
        assert_eq!(
            meant(&three(), wishes),
            Ok("Über Lamps".to_owned()),
            "{named}"
        );
    }
}

#[test]
fn no_wish_falls_through_to_another_shop() {
    let mut stores = three();
    stores[0].is_default = true;
    let misses = [
        (
            Wishes {
                named: Some("Boks"),
                ..Wishes::default()
            },
            NamedBy::Argument,
        ),
        (
            Wishes {
                chosen: Some(("row-gone", "Boks")),
                ..Wishes::default()
            },
            NamedBy::Session,
        ),
        (
            Wishes {
                wanted: Some("Boks"),
                ..Wishes::default()
            },
            NamedBy::Setting,
        ),
    ];
    for (wishes, expected) in misses {
        let error = select(&stores, wishes).unwrap_err();
        assert!(
            matches!(&error, ToolError::UnknownStore { by, .. } if *by == expected),
            "{error:?}"
        );
        assert!(error.to_string().contains("`Boks`"), "{error}");
        assert!(error.hint().contains("Candles"), "{}", error.hint());
    }
    let named = Wishes {
        named: Some("Boks"),
        ..Wishes::default()
    };
    let error = select(&stores, named).unwrap_err();
    assert!(
        error.to_string().contains("did you mean `Books`?"),
        "{error}"
    );
}

#[test]
fn a_key_in_the_place_of_a_name_is_not_repeated() {
    let key = "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
    let wishes = Wishes {
        named: Some(key),
        ..Wishes::default()
    };
    let error = select(&three(), wishes).unwrap_err();
    assert_eq!(error.code(), "key_refused");
    assert!(!error.to_text().contains(key) && error.to_text().contains("rotate"));
}
