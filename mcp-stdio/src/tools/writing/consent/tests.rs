//! What a token is bound to, and what a record of a no holds.

use super::*;
use crate::args::{Argument, Kind};
use serde_json::json;

const DECLARED: &[Argument] = &[
    Argument::optional("order_id", Kind::Text, ""),
    Argument::optional("store", Kind::Text, ""),
    Argument::optional("changes", Kind::Object, ""),
    Argument::optional("dry_run", Kind::Flag, ""),
    Argument::optional("confirm", Kind::Text, ""),
];

fn what(store_key: &str, given: &Value, basis: &str) -> String {
    all_of(
        store_key,
        &Args::check(DECLARED, given.as_object()).unwrap(),
        basis,
    )
}

#[test]
fn the_asking_and_the_stores_name_are_no_part_of_the_deed() {
    let plain = what("k", &json!({"order_id": 7}), "b");
    for same in [
        json!({"order_id": "7", "dry_run": true}),
        json!({"confirm": "x", "order_id": 7}),
        json!({"order_id": 7, "store": "Alpha"}),
    ] {
        assert_eq!(what("k", &same, "b"), plain, "{same}");
    }
}

#[test]
fn store_arguments_and_state_do_not_run_together() {
    let deeds = [
        what("k", &json!({"order_id": 7}), "b"),
        what("kb", &json!({"order_id": 7}), ""),
        what("k", &json!({"order_id": 7}), "c"),
        what("k", &json!({"order_id": 8}), "b"),
        what("k", &json!({"changes": {"order_id": "7"}}), "b"),
        what("k", &json!({"order_id": "7\",\"b"}), ""),
    ];
    for (place, deed) in deeds.iter().enumerate() {
        assert!(!deeds[..place].contains(deed), "{deed}");
    }
}

#[test]
fn a_record_of_a_no_holds_names_and_sizes_only() {
    let given = json!({"order_id": "7001001", "changes": {"email": "rosa@example.com"}, "rows": [1, 2], "n": 5});
    assert_eq!(
        shape(given.as_object().unwrap()),
        ": order_id (7 chars), changes (1 fields), rows (2 entries), n (given)"
    );
    assert_eq!(shape(&Map::new()), "");
}

#[test]
fn what_weighs_is_asked_about() {
    use Confirm::{Always, Auto, Never};
    for (setting, weight, asked) in [
        (Auto, Weight::Light, false),
        (Auto, Weight::Bulk(2), true),
        (Auto, Weight::Destroys, true),
        (Always, Weight::Light, true),
        (Never, Weight::Destroys, false),
    ] {
        assert_eq!(
            is_asked_for(setting, weight),
            asked,
            "{setting:?} {weight:?}"
        );
    }
}
