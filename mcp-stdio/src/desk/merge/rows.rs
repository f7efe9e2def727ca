//! Lists of rows within a change: the lines of an order by their ids, and the lists that are replaced as a whole.
//!
//! Not here: how lines are merged (`apply`).

use serde_json::Value;

use super::shape::{Fitted, Mistakes, number, text, unknown, whole};
use super::value::{as_rows, decimal_of, id_of, is_blank};
use super::{Kind, patch, path};
use crate::desk::model::Object;

/// How many ids a mistake lists.
const IDS_SHOWN: usize = 20;

/// Changes of lines that are there: each entry names its line by `id`.
pub(super) fn items(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    let Some(entries) = value.as_array().filter(|entries| !entries.is_empty()) else {
        return Err(vec![format!(
            "`{at}` is a list of items to change, each with its `id`; items are added with order_items_add and removed with order_items_remove"
        )]);
    };
    let there = current.map(|current| as_rows(current).unwrap_or_default());
    let mut fitted: Vec<Value> = Vec::new();
    let mut mistakes = Mistakes::new();
    for (place, entry) in entries.iter().enumerate() {
        match item(at, place, entry, there.as_deref(), &fitted) {
            Ok(entry) => fitted.push(entry),
            Err(found) => mistakes.extend(found),
        }
    }
    finish(Value::Array(fitted), mistakes)
}

fn item(
    at: &str,
    place: usize,
    entry: &Value,
    there: Option<&[&Value]>,
    before: &[Value],
) -> Fitted {
    let (Some(changes), Some(id)) = (entry.as_object(), id_of(entry)) else {
        let at = path::row(at, format_args!("#{}", place + 1));
        return Err(vec![format!(
            "`{at}` has no `id`: give the id of the item to change; a new item is added with order_items_add"
        )]);
    };
    let at = path::row(at, &id);
    if before
        .iter()
        .any(|other| id_of(other).as_deref() == Some(&id))
    {
        return Err(vec![format!("`{at}` is named twice; name each item once")]);
    }
    let current = match there {
        Some(there) => Some(the_item(&at, &id, there)?),
        None => None,
    };
    let mut mistakes = Mistakes::new();
    let mut changes = changes.clone();
    changes.shift_remove("id");
    let mut fitted = patch::fitted(Kind::OrderItem, &at, &changes, current, &mut mistakes);
    fitted.shift_insert(0, "id".to_owned(), Value::from(id));
    finish(Value::Object(fitted), mistakes)
}

/// The one line with that id.
fn the_item<'a>(at: &str, id: &str, there: &[&'a Value]) -> Result<&'a Object, Mistakes> {
    let mut found = there.iter().filter(|row| id_of(row).as_deref() == Some(id));
    match (found.next().and_then(|row| row.as_object()), found.next()) {
        (Some(row), None) => Ok(row),
        (Some(_), Some(_)) => Err(vec![format!(
            "`{at}`: two items of the order have this id, so it is not clear which is meant; use order_items_update"
        )]),
        (None, _) => {
            let ids: Vec<String> = there
                .iter()
                .filter_map(|row| id_of(row))
                .take(IDS_SHOWN)
                .collect();
            Err(vec![format!(
                "`{at}` is not in the order; its items are {}",
                ids.join(", ")
            )])
        }
    }
}

/// Discounts, replaced as a whole.
pub(super) fn discounts(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    let there = current.and_then(as_rows).unwrap_or_default();
    let names = |name: &str| there.iter().any(|row| row.get(name).is_some());
    let row = |at: &str, row: &Object, mistakes: &mut Mistakes| {
        let mut fitted = Object::new();
        for (name, value) in row {
            let place = path::key(at, name);
            let value = match name.as_str() {
                "amount" => amount(&place, value),
                "name" | "code" => text(&place, value, None),
                name if names(name) => Ok(value.clone()),
                _ => Err(vec![unknown(
                    &place,
                    "a discount",
                    name,
                    ["name", "code", "amount"],
                )]),
            };
            keep(&mut fitted, name, value, mistakes);
        }
        for name in ["name", "amount"] {
            require(at, row, name, mistakes);
        }
        fitted
    };
    list(
        at,
        value,
        "{name, amount, code}; [] removes all discounts",
        row,
    )
}

fn amount(at: &str, value: &Value) -> Fitted {
    let amount = number(at, value, None)?;
    if decimal_of(&amount).is_some_and(|digits| digits.starts_with('-')) {
        return Err(vec![format!(
            "`{at}` is taken off: write it as a positive number"
        )]);
    }
    Ok(amount)
}

/// What is in a parcel, replaced as a whole.
pub(super) fn parcel(at: &str, value: &Value) -> Fitted {
    if is_blank(value) {
        return Ok(Value::Array(Vec::new()));
    }
    let row = |at: &str, row: &Object, mistakes: &mut Mistakes| {
        let mut fitted = Object::new();
        for (name, value) in row {
            let place = path::key(at, name);
            let value = match name.as_str() {
                "id" | "quantity" => whole(&place, value, None),
                "code" => text(&place, value, None),
                _ => Err(vec![unknown(
                    &place,
                    "a parcel's item",
                    name,
                    ["id", "code", "quantity"],
                )]),
            };
            keep(&mut fitted, name, value, mistakes);
        }
        if !row.contains_key("id") && !row.contains_key("code") {
            mistakes.push(format!("`{at}` needs the item's `id` or its `code`"));
        }
        fitted
    };
    list(at, value, "{id or code, quantity}", row)
}

/// The notes of a new order.
pub(super) fn notes(at: &str, value: &Value) -> Fitted {
    let row = |at: &str, row: &Object, mistakes: &mut Mistakes| {
        let mut fitted = Object::new();
        for (name, value) in row {
            let place = path::key(at, name);
            let known = ["content", "username", "date_added"];
            let value = if known.contains(&name.as_str()) {
                text(&place, value, None)
            } else {
                Err(vec![unknown(&place, "a note", name, known)])
            };
            keep(&mut fitted, name, value, mistakes);
        }
        require(at, row, "content", mistakes);
        fitted
    };
    list(at, value, "{content, username}", row)
}

/// A list of objects, each through `row`.
pub(super) fn list(
    at: &str,
    value: &Value,
    of: &str,
    row: impl Fn(&str, &Object, &mut Mistakes) -> Object,
) -> Fitted {
    let Some(rows) = value.as_array() else {
        return Err(vec![format!("`{at}` is a list of {of}")]);
    };
    let mut fitted = Vec::with_capacity(rows.len());
    let mut mistakes = Mistakes::new();
    for (place, entry) in rows.iter().enumerate() {
        let at = path::row(at, format_args!("#{}", place + 1));
        match entry.as_object() {
            Some(entry) => fitted.push(Value::Object(row(&at, entry, &mut mistakes))),
            None => mistakes.push(format!("`{at}` is one of {of}: give an object")),
        }
    }
    finish(Value::Array(fitted), mistakes)
}

fn keep(fitted: &mut Object, name: &str, value: Fitted, mistakes: &mut Mistakes) {
    match value {
        Ok(value) => drop(fitted.insert(name.to_owned(), value)),
        Err(found) => mistakes.extend(found),
    }
}

pub(super) fn require(at: &str, row: &Object, name: &str, mistakes: &mut Mistakes) {
    if row.get(name).is_none_or(is_blank) {
        mistakes.push(format!("`{at}` needs `{name}`"));
    }
}

fn finish(value: Value, mistakes: Mistakes) -> Fitted {
    if mistakes.is_empty() {
        Ok(value)
    } else {
        Err(mistakes)
    }
}
