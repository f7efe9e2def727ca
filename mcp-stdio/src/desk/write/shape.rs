//! What the record says of a write: the ids of what it changes, and of its arguments the names and sizes.
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

/// What fits into a record's text with room for the rest.
const TARGET_BYTES: usize = 1_900;

/// What a request with several rows changes, each thing once: `orders 7001001, 7001002`. A hundred ids fit.
pub(super) fn targets<'a>(what: &str, ids: impl IntoIterator<Item = &'a str>) -> String {
    let mut distinct: Vec<&str> = Vec::new();
    for id in ids {
        if !distinct.contains(&id) {
            distinct.push(id);
        }
    }
    let mut told = what.to_owned();
    for (place, id) in distinct.iter().enumerate() {
        if told.len() + id.len() > TARGET_BYTES {
            told.push_str(&format!(" and {} more", distinct.len() - place));
            break;
        }
        told.push_str(if place == 0 { " " } else { ", " });
        told.push_str(id);
    }
    told
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
    fn every_thing_of_a_request_is_named_once_and_as_many_as_fit() {
        assert_eq!(targets("orders", ["7", "8", "7"]), "orders 7, 8");
        let ids: Vec<String> = (0..200).map(|n| format!("{n:020}")).collect();
        let told = targets("orders", ids.iter().map(String::as_str));
        assert!(told.len() < 2_000, "{}", told.len());
        assert!(told.ends_with("more"), "{told}");
        let hundred = targets("orders", ids[..80].iter().map(String::as_str));
        assert!(hundred.ends_with(&ids[79]), "{hundred}");
    }

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
