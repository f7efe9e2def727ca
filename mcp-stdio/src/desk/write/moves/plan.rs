//! What a move has to do, and what became of it.
//!
//! Here, without a request: which of the named orders must be moved, which lie there already, which do not exist; and afterwards, from
//! where each order lies now, whether it was moved, and the calls that would move everything back. Not here: the folder's name
//! (`folder`), sending (`carry`).

use serde_json::{Value, json};

use crate::desk::model::{Fields, Object, OrderId, same_number};
use crate::desk::write::batch;

/// One order and the folder it lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) order: OrderId,
    pub(super) folder: String,
    /// When it was changed last, as Order Desk says.
    pub(super) updated: String,
}

/// The work of one move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Every order that was named, once, in the order in which they were.
    pub(super) named: Vec<OrderId>,
    /// To be moved, with the folder each lies in now.
    pub(super) to_move: Vec<Placed>,
    /// In the folder already.
    pub(super) there: Vec<OrderId>,
    /// Not in this store.
    pub(super) missing: Vec<OrderId>,
}

/// Where one order turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts<'a> {
    /// Where it was to be.
    There,
    /// Where it was before.
    Unmoved,
    /// In a third folder.
    Elsewhere(&'a str),
    /// It is not in this store any more.
    Gone,
}

/// `ids` without those that name the same order twice, in their order.
pub(super) fn distinct(ids: &[OrderId]) -> Vec<OrderId> {
    let mut kept: Vec<OrderId> = Vec::with_capacity(ids.len());
    for id in ids {
        if !kept
            .iter()
            .any(|known| same_number(known.as_str(), id.as_str()))
        {
            kept.push(id.clone());
        }
    }
    kept
}

/// Sorts `ids` by where they are `found` now.
pub(super) fn plan(
    ids: &[OrderId],
    target: &str,
    found: impl Fn(&OrderId) -> Option<Placed>,
) -> Plan {
    let mut plan = Plan {
        named: distinct(ids),
        ..Plan::default()
    };
    for order in plan.named.clone() {
        match found(&order) {
            None => plan.missing.push(order),
            Some(placed) if same_number(&placed.folder, target) => plan.there.push(order),
            Some(placed) => plan.to_move.push(placed),
        }
    }
    plan
}

/// Where an order that lay in `before` and was sent to `target` is, `now` being its folder.
pub(super) fn whereabouts<'a>(before: &str, target: &str, now: Option<&'a str>) -> Whereabouts<'a> {
    match now {
        None => Whereabouts::Gone,
        Some(now) if same_number(now, target) => Whereabouts::There,
        Some(now) if same_number(now, before) => Whereabouts::Unmoved,
        Some(now) => Whereabouts::Elsewhere(now),
    }
}

/// The folder each order was in when Order Desk moved it, where its answer says so: nearer to the truth than what was read before, for
/// somebody may have moved the order in between.
pub(super) fn originals(envelope: &Object, sent: &[Placed]) -> Vec<Placed> {
    let told = batch::results(envelope, sent.len());
    let nearer = |placed: &Placed, result: Option<&Object>| {
        let result = Fields::of(result?);
        let folder = result.text("original_folder_id");
        let ours = same_number(&result.text("order_id"), placed.order.as_str());
        (ours && !folder.is_empty()).then(|| folder.into_owned())
    };
    let one = |(placed, result): (&Placed, Option<&Object>)| Placed {
        order: placed.order.clone(),
        folder: nearer(placed, result).unwrap_or_else(|| placed.folder.clone()),
        updated: placed.updated.clone(),
    };
    sent.iter().zip(told).map(one).collect()
}

/// The calls that move everything back: one entry for each folder that orders came from.
pub(super) fn undo(moved: &[Placed]) -> Value {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for placed in moved {
        match groups
            .iter_mut()
            .find(|(folder, _)| *folder == placed.folder)
        {
            Some((_, orders)) => orders.push(placed.order.as_str()),
            None => groups.push((&placed.folder, vec![placed.order.as_str()])),
        }
    }
    let call = |(folder, orders)| json!({"order_ids": orders, "folder": folder});
    groups.into_iter().map(call).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> OrderId {
        OrderId::parse(text).unwrap()
    }

    fn placed(order: &str, folder: &str) -> Placed {
        Placed {
            order: id(order),
            folder: folder.to_owned(),
            updated: String::new(),
        }
    }

    #[test]
    fn orders_that_are_there_or_nowhere_are_not_moved_and_nobody_is_named_twice() {
        let ids = [id("1"), id("2"), id("01"), id("3"), id("2")];
        let plan = plan(&ids, "50102", |order| match order.as_str() {
            "1" => Some(placed("1", "50101")),
            "2" => Some(placed("2", "50102")),
            _ => None,
        });
        assert_eq!(plan.to_move, [placed("1", "50101")]);
        assert_eq!(plan.there, [id("2")]);
        assert_eq!(plan.missing, [id("3")]);
    }

    #[test]
    fn where_an_order_is_tells_what_became_of_its_move() {
        assert_eq!(whereabouts("1", "2", Some("2")), Whereabouts::There);
        assert_eq!(whereabouts("1", "2", Some("1")), Whereabouts::Unmoved);
        assert_eq!(
            whereabouts("1", "2", Some("9")),
            Whereabouts::Elsewhere("9")
        );
        assert_eq!(whereabouts("1", "2", None), Whereabouts::Gone);
    }

    #[test]
    fn the_way_back_has_one_call_for_each_folder_that_orders_came_from() {
        let moved = [
            placed("1", "50101"),
            placed("2", "50105"),
            placed("3", "50101"),
        ];
        assert_eq!(
            undo(&moved),
            json!([
                {"order_ids": ["1", "3"], "folder": "50101"},
                {"order_ids": ["2"], "folder": "50105"},
            ])
        );
        assert_eq!(undo(&[]), json!([]));
    }

    #[test]
    fn the_answers_original_folder_counts_where_it_is_about_the_same_order() {
        let envelope = json!({"results": [
            {"order_id": 1, "message": "Order Moved", "original_folder_id": 50_109},
            {"order_id": 9, "original_folder_id": 50_110},
        ]});
        let sent = [
            placed("1", "50101"),
            placed("2", "50101"),
            placed("3", "50105"),
        ];
        assert_eq!(
            originals(envelope.as_object().unwrap(), &sent),
            [
                placed("1", "50109"),
                placed("2", "50101"),
                placed("3", "50105")
            ]
        );
    }
}
