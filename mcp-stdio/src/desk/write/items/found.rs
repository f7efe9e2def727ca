//! Which item is the new one.
//!
//! Order Desk answers "Order Item Added" and no id. Here: finding it by comparing the list of items before and after, and by what was
//! sent, for somebody else may have added an item in between. Not here: reading the lists.

use crate::desk::merge;
use crate::desk::model::{Fields, Object};

/// The item of `after` that is not in `before` and holds what was `sent`; the last one, when several do.
pub(super) fn new_item<'a>(
    before: &[Object],
    after: &'a [Object],
    sent: &Object,
) -> Option<&'a Object> {
    let known = |item: &Object| {
        let id = Fields::of(item).text("id");
        before.iter().any(|old| Fields::of(old).text("id") == id)
    };
    after
        .iter()
        .rev()
        .find(|item| !known(item) && holds(item, sent))
}

/// The item with this id.
pub(super) fn by_id<'a>(items: &'a [Object], id: &str) -> Option<&'a Object> {
    items
        .iter()
        .find(|item| crate::desk::model::same_number(&Fields::of(item).text("id"), id))
}

/// Whether `item` has every field that was `sent`. Fields that Order Desk fills in itself are not compared.
fn holds(item: &Object, sent: &Object) -> bool {
    sent.iter()
        .filter(|(name, _)| *name != "id")
        .all(|(name, value)| merge::same(item.get(name).unwrap_or(&serde_json::Value::Null), value))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn list(value: Value) -> Vec<Object> {
        let Value::Array(rows) = value else {
            unreachable!("the literal is a list")
        };
        rows.into_iter()
            .filter_map(|row| row.as_object().cloned())
            .collect()
    }

    fn found(before: Value, after: Value, sent: Value) -> Option<String> {
        new_item(&list(before), &list(after), sent.as_object().unwrap())
            .map(|item| Fields::of(item).text("id").into_owned())
    }

    #[test]
    fn the_new_item_is_the_one_that_was_not_there_and_holds_what_was_sent() {
        let before = json!([{"id": "1", "name": "Tote", "quantity": 2}]);
        let after = json!([
            {"id": "1", "name": "Tote", "quantity": 2},
            {"id": "2", "name": "Tote", "quantity": "2", "price": 16, "metadata": []},
            {"id": "3", "name": "Somebody else's", "quantity": 1},
        ]);
        let sent = json!({"name": "Tote", "quantity": 2, "price": "16.00", "metadata": {}});
        assert_eq!(found(before.clone(), after.clone(), sent).as_deref(), Some("2"));
        assert_eq!(found(before, after, json!({"name": "Mug"})), None);
    }

    #[test]
    fn an_equal_item_that_was_there_before_is_not_the_new_one() {
        let before = json!([{"id": 1, "name": "Tote"}]);
        assert_eq!(
            found(before.clone(), json!([{"id": "1", "name": "Tote"}]), json!({"name": "Tote"})),
            None
        );
        let twins = json!([{"id": "1", "name": "Tote"}, {"id": "2", "name": "Tote"}, {"id": "3", "name": "Tote"}]);
        assert_eq!(found(before, twins, json!({"name": "Tote"})).as_deref(), Some("3"));
    }
}
