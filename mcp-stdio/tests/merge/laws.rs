//! The promise, as laws over arbitrary orders and changes: ten thousand cases for each that a lost update would break.

use std::collections::BTreeSet;
use std::hint::black_box;

use mcp_stdio::desk::merge::{
    Kind, Patch, apply, conflicts, diff, mismatches, new_order, not_taken, same,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::draw::{anything, draws, order};
use super::wishes::{changes, id, rows};
use super::{lines, object, oracle};

const KINDS: [Kind; 4] = [
    Kind::Order,
    Kind::OrderItem,
    Kind::Shipment,
    Kind::InventoryItem,
];

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn checked(order: &Value, changes: &Value) -> Result<Patch, TestCaseError> {
    let patch = Patch::check(Kind::Order, &object(changes.clone()), order.as_object());
    patch.map_err(|mistakes| TestCaseError::fail(format!("{mistakes:?}: {changes}")))
}

fn applied(order: &Value, patch: &Patch) -> Value {
    Value::Object(apply(Kind::Order, order.as_object().unwrap(), patch))
}

fn paths(before: &Value, after: &Value) -> BTreeSet<String> {
    let found = diff(
        Kind::Order,
        before.as_object().unwrap(),
        after.as_object().unwrap(),
    );
    found.into_iter().map(|found| found.path).collect()
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn an_update_changes_what_is_named_and_nothing_else(mut draw in draws()) {
        let order = order(&mut draw);
        let changes = changes(&mut draw, &order);
        let patch = checked(&order, &changes)?;
        let sent = applied(&order, &patch);
        prop_assert_eq!(oracle::faults(&order, &changes, &sent), Vec::<String>::new(), "changes: {}", changes);
        // Once is enough.
        let again = checked(&sent, &changes)?;
        prop_assert_eq!(&applied(&sent, &again), &sent);
        // What was taken as sent has nothing to report.
        let sent = sent.as_object().unwrap();
        prop_assert_eq!(lines(&not_taken(Kind::Order, sent, sent)), Vec::<String>::new());
    }

    #[test]
    fn a_diff_shows_exactly_what_differs(mut draw in draws()) {
        let order = order(&mut draw);
        let changes = changes(&mut draw, &order);
        let patch = checked(&order, &changes)?;
        let sent = applied(&order, &patch);
        let paths = paths(&order, &sent);
        prop_assert_eq!(&paths, &oracle::differing(&order, &sent), "changes: {}", changes);
        let named = oracle::named(&changes);
        for path in paths {
            prop_assert!(oracle::meets(&path, &named), "{path} was not named in {changes}");
        }
    }

    #[test]
    fn meaning_the_same_is_an_equivalence(mut draw in draws()) {
        let (a, b, c) = (anything(&mut draw, 2), anything(&mut draw, 2), anything(&mut draw, 2));
        prop_assert!(same(&a, &a));
        prop_assert_eq!(same(&a, &b), same(&b, &a));
        if same(&a, &b) && same(&b, &c) {
            prop_assert!(same(&a, &c), "{a} {b} {c}");
        }
        // The quirks of PHP in one value: numbers as text, lists as maps, nothing as something else.
        let quirky = requoted(&a, &mut draw);
        prop_assert!(same(&a, &quirky), "{a} is not {quirky}");
        prop_assert_eq!(same(&a, &b), same(&quirky, &b));
    }

    #[test]
    fn no_json_at_all_upsets_a_check(mut draw in draws(), kind in 0..4_usize) {
        let kind = KINDS[kind];
        let names: Vec<&str> = ["shipping", "order_items", "discount_list", "checkout_data", "price", "order_notes", "date_shipped", "stock", "x"].into();
        let mut junk = || {
            let count = draw.below(5);
            let entries: serde_json::Map<String, Value> = (0..count).map(|_| (draw.pick(&names).to_owned(), anything(&mut draw, 4))).collect();
            entries
        };
        let (changes, current, other) = (junk(), junk(), junk());
        for current in [None, Some(&current)] {
            if let Ok(patch) = Patch::check(kind, &changes, current) {
                // A patch may meet another thing than the one it was checked against.
                let next = apply(kind, &other, &patch);
                black_box((diff(kind, &other, &next), conflicts(&patch, &other, &next), patch.touched()));
            }
        }
        black_box((not_taken(kind, &changes, &other), mismatches(kind, &changes, &other)));
        // Whatever it is, it is as it is.
        prop_assert_eq!(lines(&diff(kind, &other, &other)), Vec::<String>::new());
        prop_assert_eq!(lines(&not_taken(kind, &other, &other)), Vec::<String>::new());
        prop_assert_eq!(lines(&mismatches(kind, &other, &other)), Vec::<String>::new());
        let _ = new_order(&changes);
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn a_change_to_what_is_so_already_is_no_change(mut draw in draws()) {
        let order = order(&mut draw);
        let changes = changes(&mut draw, &order);
        let sent = applied(&order, &checked(&order, &changes)?);
        let patch = checked(&sent, &changes)?;
        let again = applied(&sent, &patch);
        prop_assert_eq!(paths(&sent, &again), BTreeSet::new());
        // Nothing, and a change of nothing, leave all as it is.
        let nothing = checked(&order, &json!({"shipping": {}, "checkout_data": []}))?;
        prop_assert!(nothing.is_empty());
        prop_assert_eq!(paths(&order, &applied(&order, &nothing)), BTreeSet::new());
    }

    #[test]
    fn an_answer_that_holds_one_thing_otherwise_shows_just_that(mut draw in draws()) {
        let order = order(&mut draw);
        let nothing = checked(&order, &json!({}))?;
        let sent = applied(&order, &nothing);
        let places = oracle::sent_places(&sent);
        let place = &places[draw.below(places.len())];
        let mut got = sent.clone();
        oracle::put(&mut got, place, json!("something that the server made of it"));
        let found = not_taken(Kind::Order, sent.as_object().unwrap(), got.as_object().unwrap());
        prop_assert_eq!(found.len(), 1, "{:?} at {}", lines(&found), oracle::told(place));
        let (path, place) = (found[0].path.as_str(), oracle::told(place));
        // A list is told as a whole.
        prop_assert!(place.starts_with(path), "{path} for {place}");
    }

    #[test]
    fn two_updates_of_different_places_lose_nothing_of_each_other(mut draw in draws()) {
        let order = order(&mut draw);
        let theirs = changes(&mut draw, &order);
        let ours = changes(&mut draw, &order);
        let now = applied(&order, &checked(&order, &theirs)?);
        // Theirs may have put text where we would change parts: the check against the newest order says so.
        let Ok(patch) = checked(&now, &ours) else {
            return Ok(());
        };
        let foreign = paths(&order, &now);
        let told: BTreeSet<String> = conflicts(&patch, order.as_object().unwrap(), now.as_object().unwrap())
            .into_iter().map(|found| found.path).collect();
        let (named, theirs_named) = (oracle::named(&ours), oracle::named(&theirs));
        for path in &told {
            prop_assert!(oracle::meets(path, &named), "{path} is none of ours: {ours}");
        }
        if foreign.iter().any(|path| oracle::is_within(path, &named)) {
            prop_assert!(!told.is_empty(), "none of {foreign:?} was told");
        }
        if !foreign.iter().any(|path| oracle::meets(path, &named)) {
            prop_assert!(told.is_empty(), "{told:?} of {foreign:?}");
        }
        let apart = theirs_named.iter().all(|(place, _)| !oracle::meets(&oracle::told(place), &named));
        if apart {
            let other_way = applied(&applied(&order, &checked(&order, &ours)?), &checked(&order, &theirs)?);
            prop_assert_eq!(paths(&applied(&now, &patch), &other_way), BTreeSet::new(), "ours {} theirs {}", ours, theirs);
        }
    }

    #[test]
    fn what_is_there_is_as_expected_wherever_its_rows_stand(mut draw in draws()) {
        let order = order(&mut draw);
        let mut turned = order.clone();
        let mut rows: Vec<Value> = rows(&order).into_iter().cloned().collect();
        let ids: BTreeSet<String> = rows.iter().map(id).collect();
        if ids.len() == rows.len() {
            rows.reverse();
            turned["order_items"] = Value::Array(rows);
        }
        turned["order_notes"].as_array_mut().unwrap().reverse();
        let (order, turned) = (order.as_object().unwrap(), turned.as_object().unwrap());
        prop_assert_eq!(lines(&mismatches(Kind::Order, order, turned)), Vec::<String>::new());
        prop_assert_eq!(lines(&diff(Kind::Order, order, turned)), Vec::<String>::new());
        prop_assert_eq!(lines(&not_taken(Kind::Order, order, turned)), Vec::<String>::new());
    }
}

/// The same in another of PHP's spellings.
fn requoted(value: &Value, draw: &mut super::draw::Draw) -> Value {
    match value {
        Value::Number(number) if number.is_u64() => [
            json!(number.to_string()),
            json!(number.as_u64().unwrap() as f64),
            value.clone(),
        ][draw.below(3)]
        .clone(),
        Value::Array(list) if !list.is_empty() => {
            let values: Vec<Value> = list.iter().map(|value| requoted(value, draw)).collect();
            if draw.below(2) == 0 {
                return Value::Array(values);
            }
            values
                .into_iter()
                .enumerate()
                .map(|(at, value)| (at.to_string(), value))
                .collect()
        }
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .map(|(key, value)| (key.clone(), requoted(value, draw)))
            .collect(),
        Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) if !text.is_empty() => value.clone(),
        _ => [Value::Null, json!(""), json!([]), json!({})][draw.below(4)].clone(),
    }
}
