//! What the record says of the arguments of a write: names and sizes.
//!
//! The record is read by operators, and outlives the customer's wish to be forgotten: a value never gets into it.

use crate::desk::model::Object;

/// Names beyond this many are counted, not named.
const NAMED: usize = 12;

/// The names of the fields of one thing: `item: code, name, quantity`.
pub(super) fn fields(what: &str, thing: &Object) -> String {
    let mut names: Vec<&str> = thing.keys().take(NAMED).map(String::as_str).collect();
    names.sort_unstable();
    let more = match thing.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{what}: {}{more}", names.join(", "))
}

/// How many rows: `shipments: 1 row`, `orders: 100 rows`.
pub(super) fn rows(what: &str, count: usize) -> String {
    let noun = if count == 1 { "row" } else { "rows" };
    format!("{what}: {count} {noun}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_told_and_values_never() {
        let item = json!({"name": "Rosa's tote", "code": "SECRET", "quantity": 2});
        let told = fields("item", item.as_object().unwrap());
        assert_eq!(told, "item: code, name, quantity");
        let many: Object = (0..20).map(|n| (format!("k{n:02}"), json!("v"))).collect();
        assert!(fields("item", &many).ends_with("k11 and 8 more"));
        assert_eq!(
            (rows("a", 1), rows("a", 2)),
            ("a: 1 row".into(), "a: 2 rows".into())
        );
    }
}
