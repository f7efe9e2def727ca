//! Which item is the new one.
//!
//! Order Desk answers "Order Item Added" and no id. Here: finding it by comparing the list of items before and after, and by what was
//! sent, for somebody else may have added an item in between. Not here: reading the lists.

use crate::desk::merge::{self, Kind};
use crate::desk::model::{Fields, Object};

/// What is new in a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Newcomer<'a> {
    /// An item that holds all that was sent.
    Ours(&'a Object),
    /// The only new item, which holds something else: ours as the shop's own settings changed it, or somebody else's.
    Doubtful(&'a Object),
    /// Several new items, none of which holds what was sent.
    Several,
    /// Nothing is new.
    Nobody,
}

/// What of `after` was not in `before`, compared with what was `sent`. Of several that hold it the last one is ours.
pub(super) fn newcomer<'a>(before: &[Object], after: &'a [Object], sent: &Object) -> Newcomer<'a> {
    let known = |item: &Object| {
        let id = Fields::of(item).text("id");
        before.iter().any(|old| Fields::of(old).text("id") == id)
    };
    let new: Vec<&Object> = after.iter().filter(|item| !known(item)).collect();
    if let Some(ours) = new.iter().rev().find(|item| holds(item, sent)) {
        return Newcomer::Ours(ours);
    }
    match new.as_slice() {
        [] => Newcomer::Nobody,
        [one] => Newcomer::Doubtful(one),
        _ => Newcomer::Several,
    }
}

/// Whether `item` has every field that was `sent`. Fields that Order Desk fills in itself are not compared.
fn holds(item: &Object, sent: &Object) -> bool {
    merge::not_taken(Kind::OrderItem, sent, item).is_empty()
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

    fn found(before: Value, after: Value, sent: &Value) -> String {
        let (before, after) = (list(before), list(after));
        let id = |item: &Object| Fields::of(item).text("id").into_owned();
        match newcomer(&before, &after, sent.as_object().unwrap()) {
            Newcomer::Ours(item) => format!("ours {}", id(item)),
            Newcomer::Doubtful(item) => format!("perhaps {}", id(item)),
            Newcomer::Several => "several".to_owned(),
            Newcomer::Nobody => "nobody".to_owned(),
        }
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
        assert_eq!(found(before.clone(), after.clone(), &sent), "ours 2");
        assert_eq!(found(before, after, &json!({"name": "Mug"})), "several");
    }

    #[test]
    fn an_equal_item_that_was_there_before_is_not_the_new_one() {
        let before = json!([{"id": 1, "name": "Tote"}]);
        let sent = || json!({"name": "Tote"});
        let same = json!([{"id": "1", "name": "Tote"}]);
        assert_eq!(found(before.clone(), same, &sent()), "nobody");
        let twins = json!([{"id": "1", "name": "Tote"}, {"id": "2", "name": "Tote"}, {"id": "3", "name": "Tote"}]);
        assert_eq!(found(before, twins, &sent()), "ours 3");
    }

    #[test]
    fn the_only_new_item_may_be_ours_in_other_words() {
        let after = json!([{"id": "1", "name": "Canvas Tote"}]);
        assert_eq!(
            found(json!([]), after, &json!({"name": "canvas tote"})),
            "perhaps 1"
        );
    }
}
