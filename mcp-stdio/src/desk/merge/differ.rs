//! What differs between two versions of a thing, by meaning.

use serde_json::Value;

use super::{Difference, Kind, Patch, fields, same};
use crate::desk::model::{Fields, Object};

/// What differs, by meaning; keys of [`read_only`](super::read_only) do not count.
#[must_use]
pub fn diff(kind: Kind, before: &Object, after: &Object) -> Vec<Difference> {
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    names
        .filter(|name| !fields::is_read_only(kind, name))
        .filter_map(|name| {
            let (before, after) = (at(before, name), at(after, name));
            (!same(before, after)).then(|| Difference {
                path: name.clone(),
                before: before.clone(),
                after: after.clone(),
            })
        })
        .collect()
}

fn at<'a>(object: &'a Object, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// What the answer holds otherwise than it was sent: `before` is what was sent, `after` what the answer holds.
#[must_use]
pub fn not_taken(kind: Kind, sent: &Object, got: &Object) -> Vec<Difference> {
    let got: Object = got
        .iter()
        .filter(|(name, _)| sent.contains_key(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    diff(kind, sent, &got)
}

/// Where a thing that `patch` is about to change is no longer as it was believed to be: `before` is what was believed, `after` what
/// is there now. Only the places that `patch` names count; for all that was believed see [`mismatches`].
#[must_use]
pub fn conflicts(patch: &Patch, believed: &Object, now: &Object) -> Vec<Difference> {
    let touched = |found: &Difference| patch.changes.contains_key(&found.path);
    mismatches(patch.kind, believed, now)
        .into_iter()
        .filter(touched)
        .collect()
}

/// Where a thing is not as `expected` says: `before` is what was expected, `after` what is there.
#[must_use]
pub fn mismatches(kind: Kind, expected: &Object, now: &Object) -> Vec<Difference> {
    not_taken(kind, expected, now)
}

/// Whether the answer shows another masked card number than there was: a `PUT` cannot carry the number, and nobody has said what
/// then becomes of the mask.
#[must_use]
pub fn card_lost(before: &Object, got: &Object) -> bool {
    let mask = |order| Fields::of(order).text("cc_number_masked").into_owned();
    !mask(before).is_empty() && mask(before) != mask(got)
}
