//! The whole new thing: everything that came, with only the named changes.
//!
//! A value that means the same as what stands there is not written: an untouched `"10"` stays `"10"`, `[]` stays `[]`. Not here: whether
//! the changes make sense (`patch`).

use serde_json::Value;

use super::differ::alike;
use super::fields::{self, Shape};
use super::value::{as_map, as_rows, id_of, is_blank, same};
use super::{Kind, Patch};
use crate::desk::model::Object;

/// The whole thing as it is sent: `current` with what `patch` names; unknown fields and their order stay, the keys of
/// [`read_only`](super::read_only) are left out.
///
/// Lists that PHP wrote as a map (one with a gap) become lists again: a map would be taken for something else.
#[must_use]
pub fn apply(kind: Kind, current: &Object, patch: &Patch) -> Object {
    let mut next = to_send(kind, current);
    merge_fields(kind, &mut next, &patch.changes);
    next
}

/// `current` as it is sent when nothing changes.
pub(super) fn to_send(kind: Kind, current: &Object) -> Object {
    let sent = |name: &str| !fields::is_read_only(kind, name);
    let names = current.iter().filter(|(name, _)| sent(name));
    names
        .map(|(name, value)| (name.clone(), listed(fields::shape(kind, name), value)))
        .collect()
}

/// The value, a list with a gap as a list.
fn listed(shape: Option<Shape>, value: &Value) -> Value {
    let is_list = matches!(
        shape,
        Some(Shape::Items | Shape::Discounts | Shape::Notes | Shape::Parcel)
    );
    match value {
        Value::Object(map) if is_list && !map.is_empty() => match as_rows(value) {
            Some(rows) => rows.into_iter().cloned().collect(),
            None => value.clone(),
        },
        _ => value.clone(),
    }
}

fn merge_fields(kind: Kind, thing: &mut Object, changes: &Object) {
    for (name, change) in changes {
        let shape = fields::shape(kind, name);
        match (shape, thing.get_mut(name)) {
            (Some(Shape::Items), Some(Value::Array(rows))) => merge_items(rows, change),
            // There is no item to change: the check said so.
            (Some(Shape::Items), _) => {}
            (Some(Shape::Map), Some(map)) if change.is_null() => empty(map),
            (Some(Shape::Map), None) if change.is_null() => {}
            // In an object a `null` means "remove": it is never what stands there.
            (_, Some(value)) if !change.is_object() && alike(shape, value, change) => {}
            (_, Some(value)) => merge(value, change),
            (_, None) => add(thing, name, change),
        }
    }
}

fn merge_items(rows: &mut [Value], entries: &Value) {
    for entry in entries.as_array().into_iter().flatten() {
        let (Some(id), Some(changes)) = (id_of(entry), entry.as_object()) else {
            continue;
        };
        let mut changes = changes.clone();
        changes.shift_remove("id");
        let named = rows
            .iter_mut()
            .filter(|row| id_of(row).as_ref() == Some(&id));
        for row in named.filter_map(Value::as_object_mut) {
            merge_fields(Kind::OrderItem, row, &changes);
        }
    }
}

fn empty(map: &mut Value) {
    if !is_blank(map) {
        *map = Value::Object(Object::new());
    }
}

/// Deeply: an object changes the keys that it names, `null` removes one, anything else takes the place of what stands there.
fn merge(value: &mut Value, change: &Value) {
    let Value::Object(changes) = change else {
        if !same(value, change) {
            *value = change.clone();
        }
        return;
    };
    if let Value::Object(map) = value {
        merge_keys(map, changes);
        return;
    }
    let mut map = as_map(value).map_or_else(Object::new, |map| map.into_owned());
    merge_keys(&mut map, changes);
    let map = Value::Object(map);
    if !same(value, &map) {
        *value = map;
    }
}

fn merge_keys(map: &mut Object, changes: &Object) {
    for (key, change) in changes {
        if change.is_null() {
            // Not `remove`, which would move the last key to this place.
            map.shift_remove(key);
        } else if let Some(value) = map.get_mut(key) {
            merge(value, change);
        } else {
            add(map, key, change);
        }
    }
}

fn add(map: &mut Object, key: &str, change: &Value) {
    let added = match change {
        Value::Object(changes) => {
            let mut part = Object::new();
            merge_keys(&mut part, changes);
            Value::Object(part)
        }
        other => other.clone(),
    };
    map.insert(key.to_owned(), added);
}
