//! A named change, checked: every mistake at once, each with what to do.
//!
//! Here: which names may stand in a change, and the change in the form in which it is sent. Not here: what is a good value (`shape`),
//! what becomes of the thing (`apply`).

use serde_json::Value;

use super::fields::{self, Shape, Who};
use super::shape::{Mistakes, fit, unknown};
use super::value::id_of;
use super::{Kind, path};
use crate::desk::model::Object;

/// What shall change, checked and in the form in which it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    pub(super) kind: Kind,
    /// As given, with these meanings: `null` within an object removes the key, `null` for a map empties it, entries of
    /// `order_items` begin with the `id` of the line that they change.
    pub(super) changes: Object,
}

impl Patch {
    /// Checks `changes` against the documentation and, where it is known, against the thing itself.
    ///
    /// Without `current` a name that only this thing has, and the id of one of its items, pass: check again once it is known.
    ///
    /// # Errors
    /// Every mistake, each with what to do.
    pub fn check(
        kind: Kind,
        changes: &Object,
        current: Option<&Object>,
    ) -> Result<Patch, Vec<String>> {
        let mut mistakes = Mistakes::new();
        let changes = fitted(kind, "", changes, current, &mut mistakes);
        if mistakes.is_empty() {
            Ok(Patch { kind, changes })
        } else {
            Err(mistakes)
        }
    }

    /// The places that are named: `shipping.city`, `order_items[9100001].quantity`.
    #[must_use]
    pub fn touched(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for (name, change) in &self.changes {
            if fields::shape(self.kind, name) == Some(Shape::Items) {
                named_items(name, change, &mut paths);
            } else {
                named(path::key("", name), change, &mut paths);
            }
        }
        paths
    }

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.touched().is_empty()
    }

    /// What is changed.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

fn named(at: String, change: &Value, paths: &mut Vec<String>) {
    match change {
        Value::Object(keys) => {
            for (key, change) in keys {
                named(path::key(&at, key), change, paths);
            }
        }
        _ => paths.push(at),
    }
}

fn named_items(at: &str, entries: &Value, paths: &mut Vec<String>) {
    for entry in entries.as_array().into_iter().flatten() {
        let at = path::row(at, id_of(entry).unwrap_or_default());
        for (key, change) in entry.as_object().into_iter().flatten() {
            if key != "id" {
                named(path::key(&at, key), change, paths);
            }
        }
    }
}

/// The changes that fit, in the form in which they are sent; `at` is where they belong (empty for the thing itself).
pub(super) fn fitted(
    kind: Kind,
    at: &str,
    changes: &Object,
    current: Option<&Object>,
    mistakes: &mut Mistakes,
) -> Object {
    let mut fitted = Object::new();
    for (name, value) in changes {
        let place = path::key(at, name);
        let there = current.and_then(|current| current.get(name));
        let field = fields::field(kind, name);
        match field.map(|field| field.who) {
            Some(Who::Creator(hint) | Who::Kept(hint) | Who::Desk(hint)) => {
                mistakes.push(format!("`{place}` cannot be changed here: {hint}"));
                continue;
            }
            None if current.is_some() && there.is_none() => {
                mistakes.push(stranger(kind, &place, name, current));
                continue;
            }
            Some(Who::Anyone) | None => {}
        }
        let shape = field.map(|field| field.shape);
        if let Some(value) = fit(shape, &place, value, there, mistakes) {
            fitted.insert(name.clone(), value);
        }
    }
    fitted
}

/// A name that neither the documentation nor the thing knows.
pub(super) fn stranger(kind: Kind, at: &str, name: &str, current: Option<&Object>) -> String {
    if let (Kind::Order, Some((object, part))) = (kind, fields::flat_address(name)) {
        return format!("`{at}` is part of an address: write {{\"{object}\": {{\"{part}\": …}}}}");
    }
    let mut known: Vec<&str> = fields::writable(kind).collect();
    let own = current
        .into_iter()
        .flat_map(Object::keys)
        .map(String::as_str);
    known.extend(own.filter(|name| fields::field(kind, name).is_none()));
    unknown(at, fields::noun(kind), name, known)
}

/// Without the keys that a change would remove: nothing is there yet.
pub(super) fn without_removed(changes: Object) -> Object {
    changes
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| match value {
            Value::Object(inner) => (key, Value::Object(without_removed(inner))),
            value => (key, value),
        })
        .collect()
}
