//! What differs between two versions of a thing, by meaning.
//!
//! Three questions have one answer with small differences, which [`View`] names: what would change, what the answer did not take,
//! where a thing is not as somebody believed. Here: walking through fields, maps and unknown objects. Not here: lists (`lists`).

use serde_json::Value;

use super::fields::{self, Shape};
use super::value::{as_map, is_blank, same, same_number};
use super::{Difference, Kind, Patch, lists, path};
use crate::desk::model::{Fields, Object};

/// How two versions are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Two states: everything in either counts.
    Both,
    /// What was sent and what came back: further fields of the answer are none of ours, further keys of a map are.
    Sent,
    /// What somebody believes, in part: only what is named counts.
    Partial,
}

/// What differs, by meaning; keys of [`read_only`](super::read_only) do not count.
#[must_use]
pub fn diff(kind: Kind, before: &Object, after: &Object) -> Vec<Difference> {
    let mut found = Vec::new();
    things(View::Both, kind, "", before, after, &mut found);
    found
}

/// What the answer holds otherwise than it was sent: `before` is what was sent, `after` what the answer holds.
///
/// Computed fields do not count, nor what the answer holds beside what was sent; items are found by their ids, notes by their
/// text. A rule of the shop that moved the order at once shows as `folder_id`, a server that tidies text shows with both texts.
#[must_use]
pub fn not_taken(kind: Kind, sent: &Object, got: &Object) -> Vec<Difference> {
    let mut found = Vec::new();
    things(View::Sent, kind, "", sent, got, &mut found);
    found
}

/// Where the thing is not as `expected` says: `before` is what was expected, `after` what is there. Only what `expected` names counts.
#[must_use]
pub fn mismatches(kind: Kind, expected: &Object, now: &Object) -> Vec<Difference> {
    let mut found = Vec::new();
    things(View::Partial, kind, "", expected, now, &mut found);
    found
}

/// Where the thing that `patch` is about to change is no longer as it was seen: `before` is what was seen, `after` what is there now.
///
/// `seen` is the whole thing; only the places that `patch` names count. For a few values that somebody expects see
/// [`mismatches`].
#[must_use]
pub fn conflicts(patch: &Patch, seen: &Object, now: &Object) -> Vec<Difference> {
    let named_of = |thing: &Object| -> Object {
        let part = |(name, change): (&String, &Value)| {
            let shape = fields::shape(patch.kind, name);
            (name.clone(), named(shape, get(thing, name), change))
        };
        patch.changes.iter().map(part).collect()
    };
    diff(patch.kind, &named_of(seen), &named_of(now))
}

/// Of `value` only the parts that `change` names.
fn named(shape: Option<Shape>, value: &Value, change: &Value) -> Value {
    if shape == Some(Shape::Items) {
        return lists::named_items(value, change, named_keys);
    }
    match (change, as_map(value)) {
        (Value::Object(changes), Some(map)) => Value::Object(named_keys(&map, changes)),
        _ => value.clone(),
    }
}

fn named_keys(map: &Object, changes: &Object) -> Object {
    let part = |key: &String| {
        let value = named(None, map.get(key)?, &changes[key]);
        Some((key.clone(), value))
    };
    changes.keys().filter_map(part).collect()
}

/// Whether the answer shows another masked card number than there was: a `PUT` cannot carry the number, and nobody has said what
/// then becomes of the mask.
#[must_use]
pub fn card_lost(before: &Object, got: &Object) -> bool {
    let mask = |order| Fields::of(order).text("cc_number_masked").into_owned();
    !mask(before).is_empty() && mask(before) != mask(got)
}

/// Whether a field means the same in both, knowing what it holds.
pub(super) fn alike(shape: Option<Shape>, a: &Value, b: &Value) -> bool {
    match shape {
        Some(Shape::Number | Shape::MaybeNumber | Shape::Whole) => same_number(a, b),
        Some(Shape::Discounts) => lists::same_discounts(a, b),
        _ => same(a, b),
    }
}

/// The fields of two things of one kind. A field that is missing is a blank one.
pub(super) fn things(
    view: View,
    kind: Kind,
    at: &str,
    before: &Object,
    after: &Object,
    found: &mut Vec<Difference>,
) {
    for name in names(view, before, after) {
        // An item's id is how it was found; the other read-only keys are never sent.
        if view != View::Partial && fields::is_read_only(kind, name) {
            continue;
        }
        let place = path::key(at, name);
        let (b, a) = (get(before, name), get(after, name));
        match fields::shape(kind, name) {
            Some(Shape::Items) => lists::items(view, &place, b, a, found),
            Some(Shape::Notes) => lists::notes(view, &place, b, a, found),
            Some(Shape::Address(_)) => address(view, &place, b, a, found),
            Some(Shape::Map) | None => parts(view, &place, b, a, found),
            shape => leaf(alike(shape, b, a), &place, b, a, found),
        }
    }
}

/// Which keys are looked at.
fn names<'a>(
    view: View,
    before: &'a Object,
    after: &'a Object,
) -> impl Iterator<Item = &'a String> {
    let further = after
        .keys()
        .filter(move |key| view == View::Both && !before.contains_key(*key));
    before.keys().chain(further)
}

fn get<'a>(object: &'a Object, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

fn address(view: View, at: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let (Some(b), Some(a)) = (as_map(before), as_map(after)) else {
        return leaf(same(before, after), at, before, after, found);
    };
    for name in names(view, &b, &a) {
        let (b, a) = (get(&b, name), get(&a, name));
        leaf(same(b, a), &path::key(at, name), b, a, found);
    }
}

/// Maps and unknown fields. Here a key that is there and blank is not a key that is missing.
fn parts(view: View, at: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    let has_parts = |value: &Value| value.as_object().is_some_and(|map| !map.is_empty());
    let (Some(b), Some(a)) = (as_map(before), as_map(after)) else {
        return leaf(same(before, after), at, before, after, found);
    };
    let believed_empty = view == View::Partial && is_blank(before) && !before.is_object();
    // Two lists, or a list and nothing, are shown whole.
    if believed_empty || (!has_parts(before) && !has_parts(after)) {
        return leaf(same(before, after), at, before, after, found);
    }
    let view = if view == View::Partial {
        view
    } else {
        View::Both
    };
    for key in names(view, &b, &a) {
        let place = path::key(at, key);
        match (b.get(key), a.get(key)) {
            (Some(b), Some(a)) => parts(view, &place, b, a, found),
            (b, a) => {
                let believed_missing = view == View::Partial && b.is_none_or(is_blank);
                let (b, a) = (b.unwrap_or(&Value::Null), a.unwrap_or(&Value::Null));
                leaf(believed_missing, &place, b, a, found);
            }
        }
    }
}

/// One place that cannot be divided further.
pub(super) fn leaf(
    same: bool,
    path: &str,
    before: &Value,
    after: &Value,
    found: &mut Vec<Difference>,
) {
    if !same {
        found.push(Difference {
            path: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        });
    }
}
