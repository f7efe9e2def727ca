//! The whole new thing: everything that came, with only the named changes.

use serde_json::Value;

use super::fields;
use super::{Kind, Patch};
use crate::desk::model::Object;

/// The whole thing as it is sent: `current` with what `patch` names; unknown fields and their order stay, the keys of
/// [`read_only`](super::read_only) are left out.
#[must_use]
pub fn apply(kind: Kind, current: &Object, patch: &Patch) -> Object {
    let mut next: Object = current
        .iter()
        .filter(|(name, _)| !fields::is_read_only(kind, name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, change) in &patch.changes {
        match (next.get_mut(name), change) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                old.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            _ => {
                next.insert(name.clone(), change.clone());
            }
        }
    }
    next
}
