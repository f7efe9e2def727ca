//! What should have happened, found in another way than the code does: orders are taken apart into a flat table of places, and the
//! tables are compared.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use serde_json::{Map, Value};

use super::wishes;

/// The steps to a value.
pub(super) type Place = Vec<String>;

/// Every value without parts, by its place, as it is written.
type Places = BTreeMap<Place, Value>;

/// Written down by hand from the documentation, not taken from the code.
const NEVER_SENT: &[&str] = &[
    "id",
    "quantity_total",
    "weight_total",
    "product_total",
    "discount_total",
    "order_total",
    "cc_number_masked",
    "cc_number",
    "email_count",
    "date_updated",
    "order_shipments",
    "order_history",
];

const NUMBERS: &[&str] = &[
    "shipping_total",
    "handling_total",
    "tax_total",
    "processor_balance",
    "refund_total",
    "folder_id",
    "price",
    "quantity",
    "weight",
];

const ADDRESSES: &[&str] = &["shipping", "customer", "return_address"];

/// Nothing, in any of PHP's ways.
fn is_blank(value: &Value) -> bool {
    *value == Value::Null
        || *value == ""
        || *value == serde_json::json!([])
        || *value == serde_json::json!({})
}

/// A text that is equal for two values that mean the same at `place`.
fn meaning(place: &[String], value: &Value) -> String {
    let name = place.last().map_or("", String::as_str);
    let is_field = place.len() == 1 || (place.len() == 3 && place[0] == "order_items");
    if place == ["discount_list"] {
        return value
            .as_array()
            .into_iter()
            .flatten()
            .map(discount)
            .collect();
    }
    if is_field && NUMBERS.contains(&name) {
        let number = value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok());
        if let Some(number) = number {
            return format!("{number:?}");
        }
    }
    if is_blank(value) {
        return String::new();
    }
    match value {
        Value::Null => String::new(),
        Value::String(text) => format!("one {text}"),
        Value::Number(number) => {
            let float = number.as_f64().unwrap();
            let plain = if float.fract() == 0.0 && number.is_f64() {
                format!("{float:.0}")
            } else {
                number.to_string()
            };
            format!("one {plain}")
        }
        Value::Array(list) => {
            let positions = list
                .iter()
                .enumerate()
                .map(|(at, value)| (at.to_string(), value));
            many(positions)
        }
        Value::Object(map) => many(map.iter().map(|(key, value)| (key.clone(), value))),
        Value::Bool(yes) => format!("bool {yes}"),
    }
}

fn many<'a>(entries: impl Iterator<Item = (String, &'a Value)>) -> String {
    let sorted: BTreeMap<String, String> = entries
        .map(|(key, value)| (key, meaning(&[String::new(), String::new()], value)))
        .collect();
    format!("{sorted:?}")
}

fn discount(row: &Value) -> String {
    let amount = row["amount"]
        .as_f64()
        .or_else(|| row["amount"].as_str()?.parse().ok());
    format!(
        "[{:?} {:?} {amount:?}]",
        row["name"].as_str().unwrap_or_default(),
        row["code"].as_str().unwrap_or_default()
    )
}

/// Every place of an order that is sent.
fn places(order: &Value) -> Places {
    let mut places = Places::new();
    for (name, value) in order.as_object().unwrap() {
        match name.as_str() {
            name if NEVER_SENT.contains(&name) => {}
            "order_items" => items(order, &mut places),
            "discount_list" => drop(places.insert(vec![name.clone()], value.clone())),
            _ => take_apart(slice::from_ref(name), value, &mut places),
        }
    }
    places
}

fn items(order: &Value, places: &mut Places) {
    for (key, row) in keyed_rows(order) {
        take_apart(&["order_items".to_owned(), key], row, places);
    }
}

/// Lines by id and by how often that id was seen before.
fn keyed_rows(order: &Value) -> Vec<(String, &Value)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let keyed = |row| {
        let id = wishes::id(row);
        let times = seen.entry(id.clone()).or_default();
        *times += 1;
        (format!("{id}#{times}"), row)
    };
    wishes::rows(order).into_iter().map(keyed).collect()
}

fn take_apart(place: &[String], value: &Value, places: &mut Places) {
    let step = |key: &str| [place, &[key.to_owned()]].concat();
    match value {
        Value::Array(list) if !list.is_empty() => {
            for (at, value) in list.iter().enumerate() {
                take_apart(&step(&at.to_string()), value, places);
            }
        }
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                take_apart(&step(key), value, places);
            }
        }
        leaf => drop(places.insert(place.to_vec(), leaf.clone())),
    }
}

/// What stands at a place; `None` when nothing does.
fn resolve<'a>(order: &'a Value, place: &[String]) -> Option<&'a Value> {
    let (mut value, rest) = if place[0] == "order_items" && place.len() > 1 {
        let row = keyed_rows(order)
            .into_iter()
            .find(|(key, _)| *key == place[1])?
            .1;
        (row, &place[2..])
    } else {
        (order.get(&place[0])?, &place[1..])
    };
    for step in rest {
        value = match value {
            Value::Object(map) => map.get(step)?,
            Value::Array(list) => list.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The places that `changes` name, with what they shall be.
pub(super) fn named(changes: &Value) -> Vec<(Place, Value)> {
    let mut named = Vec::new();
    for (name, value) in changes.as_object().unwrap() {
        if name == "order_items" {
            for entry in value.as_array().unwrap() {
                let place = vec![name.clone(), format!("{}#1", wishes::id(entry))];
                let mut fields = entry.as_object().unwrap().clone();
                fields.shift_remove("id");
                name_parts(&place, &Value::Object(fields), &mut named);
            }
        } else {
            name_parts(slice::from_ref(name), value, &mut named);
        }
    }
    named
}

fn name_parts(place: &[String], value: &Value, named: &mut Vec<(Place, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                name_parts(&[place, slice::from_ref(key)].concat(), value, named);
            }
        }
        leaf => named.push((place.to_vec(), leaf.clone())),
    }
}

/// Fields are never missing, only blank; keys of maps and of unknown objects are there or are not.
fn is_field(place: &[String]) -> bool {
    place.len() == 1
        || (place.len() == 2 && ADDRESSES.contains(&place[0].as_str()))
        || (place.len() == 3 && place[0] == "order_items")
}

/// Everything that is not right about `sent` as the outcome of `changes` to `before`; empty when all is well.
pub(super) fn faults(before: &Value, changes: &Value, sent: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let named = named(changes);
    others_are_untouched(before, sent, &named, &mut faults);
    for (place, wanted) in &named {
        let got = resolve(sent, place);
        let right = match (got, wanted) {
            (None, Value::Null) => true,
            (None, wanted) => is_field(place) && is_blank(wanted),
            (Some(got), Value::Null) => is_blank(got) && is_field(place),
            (Some(got), wanted) => meaning(place, got) == meaning(place, wanted),
        };
        if !right {
            faults.push(format!("{place:?} should be {wanted} and is {got:?}"));
        }
        let was = resolve(before, place);
        let was_so = was.is_some_and(|was| meaning(place, was) == meaning(place, wanted));
        if was_so && !wanted.is_null() && was != got {
            faults.push(format!("{place:?} was so and went from {was:?} to {got:?}"));
        }
    }
    order_is_kept(before, sent, &mut faults);
    faults
}

fn others_are_untouched(
    before: &Value,
    sent: &Value,
    named: &[(Place, Value)],
    faults: &mut Vec<String>,
) {
    let (old, new) = (places(before), places(sent));
    let touched: BTreeSet<&Place> = named.iter().map(|(place, _)| place).collect();
    let mut above = BTreeSet::new();
    for place in &touched {
        above.extend((1..place.len()).map(|steps| place[..steps].to_vec()));
    }
    let is_named =
        |place: &Place| (1..=place.len()).any(|steps| touched.contains(&place[..steps].to_vec()));
    let all: BTreeSet<&Place> = old.keys().chain(new.keys()).collect();
    for place in all {
        let (was, is) = (old.get(place), new.get(place));
        // `[]` gives way to the first key, and `{}` is what the last one leaves; nothing stays nothing as it is written.
        let emptied_or_filled = above.contains(place)
            && was.is_some() != is.is_some()
            && [was, is].into_iter().flatten().all(is_blank);
        if !is_named(place) && !emptied_or_filled && was != is {
            faults.push(format!(
                "{place:?} was not named and went from {was:?} to {is:?}"
            ));
        }
    }
    for name in sent
        .as_object()
        .unwrap()
        .keys()
        .filter(|name| NEVER_SENT.contains(&name.as_str()))
    {
        faults.push(format!("{name} was sent"));
    }
}

/// Keys, lines and notes stand in the order in which they came.
fn order_is_kept(before: &Value, sent: &Value, faults: &mut Vec<String>) {
    let ids =
        |order| -> Vec<String> { keyed_rows(order).into_iter().map(|(key, _)| key).collect() };
    if ids(before) != ids(sent) {
        faults.push("the lines are not those that were there, in their order".to_owned());
    }
    if before["order_notes"] != sent["order_notes"] {
        faults.push("the notes are not those that were there".to_owned());
    }
    keys_are_kept("", before, sent, faults);
}

fn keys_are_kept(at: &str, before: &Value, sent: &Value, faults: &mut Vec<String>) {
    let (Value::Object(old), Value::Object(new)) = (before, sent) else {
        return;
    };
    let shared = |one: &Map<String, Value>, other: &Map<String, Value>| -> Vec<String> {
        one.keys()
            .filter(|key| other.contains_key(*key))
            .cloned()
            .collect()
    };
    if shared(old, new) != shared(new, old) {
        faults.push(format!("the keys of {at:?} changed places"));
    }
    for (key, old) in old {
        if let Some(new) = new.get(key) {
            keys_are_kept(&format!("{at}/{key}"), old, new, faults);
        }
    }
}

/// The paths at which two versions of an order differ, as a person would be told.
pub(super) fn differing(before: &Value, after: &Value) -> BTreeSet<String> {
    let (old, new) = (places(before), places(after));
    let all: BTreeSet<&Place> = old.keys().chain(new.keys()).collect();
    let below = |places: &Places, place: &Place| {
        places
            .range(place.clone()..)
            .nth(usize::from(places.contains_key(place)))
            .is_some_and(|(other, _)| other.starts_with(place))
    };
    let mut paths = BTreeSet::new();
    for place in all {
        let (was, is) = (old.get(place), new.get(place));
        let same = match (was, is) {
            (Some(was), Some(is)) => meaning(place, was) == meaning(place, is),
            (Some(one), None) | (None, Some(one)) => {
                let other = if was.is_some() { &new } else { &old };
                is_blank(one) && (is_field(place) || below(other, place))
            }
            (None, None) => true,
        };
        if !same {
            paths.insert(rendered(&told_at(before, after, place)));
        }
    }
    paths
}

/// Two lists are told as a whole, and so is a part that only one side has.
fn told_at(before: &Value, after: &Value, place: &Place) -> Place {
    for steps in 1..place.len() {
        let prefix = &place[..steps];
        if prefix == ["order_items"] || (steps == 2 && place[0] == "order_items") {
            continue;
        }
        let (was, is) = (resolve(before, prefix), resolve(after, prefix));
        let only_one = was.is_some() != is.is_some() && !is_field(prefix);
        let list_or_nothing =
            |value: Option<&Value>| value.is_none_or(|value| value.is_array() || is_blank(value));
        if only_one || (list_or_nothing(was) && list_or_nothing(is)) {
            return prefix.to_vec();
        }
    }
    place.clone()
}

fn rendered(place: &Place) -> String {
    let mut path = String::new();
    for (at, step) in place.iter().enumerate() {
        if at == 1 && place[0] == "order_items" {
            path += &format!("[{}]", step.split('#').next().unwrap());
        } else if step.is_empty() || step.chars().any(|c| ".[]\"".contains(c)) {
            path += &format!("[{}]", Value::from(step.as_str()));
        } else if at == 0 {
            path += step;
        } else {
            path += &format!(".{step}");
        }
    }
    path
}

/// Whether a told path lies at or under one of the named places.
pub(super) fn is_within(path: &str, named: &[(Place, Value)]) -> bool {
    named
        .iter()
        .any(|(place, _)| lies_in(path, &rendered(place)))
}

/// The same, or above one: a list is told as a whole.
pub(super) fn meets(path: &str, named: &[(Place, Value)]) -> bool {
    named
        .iter()
        .any(|(place, _)| lies_in(path, &rendered(place)) || lies_in(&rendered(place), path))
}

fn lies_in(inner: &str, outer: &str) -> bool {
    inner
        .strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Where an order can be tampered with: every place that is sent and that is no id.
pub(super) fn sent_places(order: &Value) -> Vec<Place> {
    let sendable = |place: &Place| {
        let is_id = place.len() == 3 && place[0] == "order_items" && place[2] == "id";
        !is_id && place[0] != "order_notes"
    };
    places(order).into_keys().filter(sendable).collect()
}

/// Puts `value` at a place of the order.
pub(super) fn put(order: &mut Value, place: &Place, value: Value) {
    let mut pointer = String::new();
    let rows = keyed_rows(order)
        .into_iter()
        .map(|(key, _)| key)
        .collect::<Vec<_>>();
    for (at, step) in place.iter().enumerate() {
        let step = if at == 1 && place[0] == "order_items" {
            rows.iter().position(|key| key == step).unwrap().to_string()
        } else {
            step.replace('~', "~0").replace('/', "~1")
        };
        pointer += &format!("/{step}");
    }
    *order.pointer_mut(&pointer).unwrap() = value;
}

/// A place as it is told.
pub(super) fn told(place: &Place) -> String {
    rendered(place)
}
