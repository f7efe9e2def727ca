//! How a place within a thing is written: `shipping.city`, `order_items[9100001].quantity`, `checkout_data["a.b"]`.

use serde_json::Value;

/// `parent.key`; a key that could be read as more than one step is quoted.
pub(super) fn key(parent: &str, key: &str) -> String {
    let plain = !key.is_empty() && !key.contains(['.', '[', ']', '"']);
    match (plain, parent.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{parent}.{key}"),
        (false, _) => format!("{parent}[{}]", Value::from(key)),
    }
}

/// `parent[which]`: a row by its id or its position.
pub(super) fn row(parent: &str, which: impl std::fmt::Display) -> String {
    format!("{parent}[{which}]")
}
