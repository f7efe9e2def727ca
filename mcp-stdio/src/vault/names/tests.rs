//! Tests of `names`.

use url::Url;

use super::super::testing::API;
use super::*;

fn store(row: &str, name: &str, id: &str) -> StoreInfo {
    StoreInfo {
        id: row.to_owned(),
        name: name.to_owned(),
        store_id: StoreId::parse(id).unwrap(),
        base_url: Url::parse(API).unwrap(),
        created_ms: 0,
        is_default: false,
    }
}

fn shops() -> Vec<StoreInfo> {
    vec![
        store("aa01", "Tea & Sons", "4242"),
        store("aa02", "Kaffeehaus Österreich", "77"),
        store("aa03", "Outlet", "4242"),
    ]
}

#[test]
fn a_store_is_found_by_name_in_any_case_by_id_and_by_row_id() {
    let shops = shops();
    for (named, row) in [
        ("Tea & Sons", "aa01"),
        (" tea & sons ", "aa01"),
        ("KAFFEEHAUS ÖSTERREICH", "aa02"),
        ("77", "aa02"),
        ("aa03", "aa03"),
    ] {
        assert_eq!(find(&shops, named).unwrap().id, row, "{named}");
    }
}

#[test]
fn an_id_that_two_stores_have_is_not_guessed() {
    let shops = shops();
    let error = find(&shops, "4242").unwrap_err();
    assert_eq!(error.code(), "ambiguous_store");
    assert!(
        error.hint().contains("`Tea & Sons`, `Outlet`"),
        "{}",
        error.hint()
    );
}

#[test]
fn a_name_that_is_not_there_is_said_with_the_nearest_one() {
    let shops = shops();
    let error = find(&shops, "Tee & Sons").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no store is called `Tee & Sons`; did you mean `Tea & Sons`?"
    );
    assert!(error.hint().contains("Outlet"), "{}", error.hint());
    let empty = find(&[], "x").unwrap_err();
    assert!(
        empty.hint().contains("mcp-stdio store add"),
        "{}",
        empty.hint()
    );
}

#[test]
fn what_somebody_asked_for_is_repeated_short_and_on_one_line() {
    let error = find(&[], &format!("a`b\nc{}", "x".repeat(500)))
        .unwrap_err()
        .to_string();
    assert!(error.contains("`a'b c") && error.len() < 120, "{error}");
}

#[test]
fn what_nobody_sees_makes_no_other_name() {
    let hidden = "Te\u{200b}a \u{202e}& So\u{ad}ns\u{feff}";
    assert_eq!(check(hidden).unwrap(), "Tea & Sons");
    assert_eq!(find(&shops(), hidden).unwrap().id, "aa01");
    let nothing = check("\u{200b}\u{2060}").unwrap_err();
    assert_eq!(nothing.code(), "bad_store_name");
}

#[test]
fn names_have_bounds() {
    assert_eq!(check("  Tea \n").unwrap(), "Tea");
    assert!(check(&"ü".repeat(60)).is_ok());
    for bad in ["", "  ", "4242", "a\tb", &"ü".repeat(61)] {
        assert_eq!(check(bad).unwrap_err().code(), "bad_store_name", "{bad}");
    }
}
