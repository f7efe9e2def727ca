//! The safe update: what is sent is everything that came, with only the named changes.
//!
//! `laws` holds the merge to its promise for arbitrary orders and changes; `oracle` says what should have happened, in
//! another way than the code; `draw` makes the orders, `wishes` the changes. The other files are examples that a reader can check by eye.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a helper of a test that cannot go on has failed the test; literals are handed over as they are written"
)]

mod answers;
mod changes;
mod create;
mod draw;
mod laws;
mod notes;
mod oracle;
mod refusals;
mod values;
mod wishes;

use mcp_stdio::desk::merge::{Difference, Kind, Patch, apply};
use mcp_stdio::desk::model::Object;
use serde_json::Value;

/// The object of a literal.
fn object(value: Value) -> Object {
    let Value::Object(object) = value else {
        unreachable!("the literal is an object")
    };
    object
}

/// What is sent when `changes` are made to `current`.
fn sent(kind: Kind, current: &Value, changes: Value) -> Value {
    let current = object(current.clone());
    let patch = Patch::check(kind, &object(changes), Some(&current)).unwrap();
    Value::Object(apply(kind, &current, &patch))
}

/// The mistakes of `changes`.
fn mistakes(kind: Kind, current: &Value, changes: Value) -> Vec<String> {
    Patch::check(kind, &object(changes), Some(&object(current.clone()))).unwrap_err()
}

/// Differences in one line each.
fn lines(differences: &[Difference]) -> Vec<String> {
    let line = |found: &Difference| format!("{}: {} -> {}", found.path, found.before, found.after);
    differences.iter().map(line).collect()
}
