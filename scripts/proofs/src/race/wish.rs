//! What one server is asked to write to an order, and whether it is there.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::client::Pipes;

/// The ways in which an order takes something that is one server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    StaffNote,
    HistoryNote,
    Item,
    CheckoutKey,
    MetadataKey,
    /// In a batch with one for an order that everybody else batches, too, half of them the other way round.
    Parcel,
    /// One more of a stock item, the same for all.
    Stock,
    /// A new order with a number that is the same for all.
    SameOrder,
}

/// What the server said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    NotDone,
    Unknown,
    /// The server was gone before it said anything.
    Unanswered,
}

/// One write that was asked for.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) kind: Kind,
    /// Which server.
    who: String,
    /// The text of the note, the item's name, the key's value: nothing else in the order has it.
    mark: String,
    pub(super) outcome: Outcome,
    /// The answer; empty if there was none.
    pub(super) said: String,
    pub(super) took: Duration,
}

/// Asks one server for one write of each kind, in an order of its own, until it is gone.
pub(super) fn grant_all(pipes: &mut Pipes, who: usize, order: &str) -> anyhow::Result<Vec<Wish>> {
    let mut kinds = [
        Kind::StaffNote,
        Kind::HistoryNote,
        Kind::Item,
        Kind::CheckoutKey,
        Kind::MetadataKey,
        Kind::Parcel,
        Kind::Stock,
        Kind::SameOrder,
    ];
    fastrand::shuffle(&mut kinds);
    let who = format!("p{who:02}");
    let mut wishes = Vec::new();
    for kind in kinds {
        let wish = grant(pipes, kind, &who, order)?;
        let gone = wish.outcome == Outcome::Unanswered;
        wishes.push(wish);
        if gone {
            break;
        }
    }
    Ok(wishes)
}

fn grant(pipes: &mut Pipes, kind: Kind, who: &str, order: &str) -> anyhow::Result<Wish> {
    // Short: sixteen staff notes have to fit into one order.
    let mark = match kind {
        Kind::StaffNote => format!("{who} staff"),
        Kind::HistoryNote => format!("{who} history"),
        Kind::Item => format!("{who} item"),
        Kind::CheckoutKey | Kind::MetadataKey => format!("{who} key"),
        Kind::Parcel => format!("1Z{order}{who}"),
        Kind::Stock => STOCK.to_owned(),
        Kind::SameOrder => number_of_the_same(order),
    };
    let (tool, arguments) = kind.call(who, &mark, order);
    let asked = Instant::now();
    // A broken pipe is how a client learns of a kill; whether there was one is looked at by whoever counts these.
    let (outcome, said) = match pipes.call(tool, &arguments.to_string()) {
        Ok(answer) => (outcome_of(answer)?, answer.trim().to_owned()),
        Err(_) => (Outcome::Unanswered, String::new()),
    };
    let took = asked.elapsed();
    Ok(Wish {
        kind,
        who: who.to_owned(),
        mark,
        outcome,
        said,
        took,
    })
}

/// The stock item that everybody counts up.
pub(super) const STOCK: &str = "61002";

/// The number under which everybody creates the same order while `order` is written to.
pub(super) fn number_of_the_same(order: &str) -> String {
    format!("RACE-{order}")
}

impl Kind {
    /// Whether it is about something that is one server's own in the order of the round.
    pub(super) fn is_in_the_order(self) -> bool {
        !matches!(self, Self::Stock | Self::SameOrder)
    }

    fn call(self, who: &str, mark: &str, order: &str) -> (&'static str, Value) {
        match self {
            Self::StaffNote => (
                "orders_add_note",
                json!({"order_id": order, "note": mark, "kind": "staff"}),
            ),
            Self::HistoryNote => (
                "orders_add_note",
                json!({"order_id": order, "note": mark, "kind": "history"}),
            ),
            Self::Item => (
                "order_items_add",
                json!({"order_id": order, "item": {"name": mark, "code": who, "price": 1, "quantity": 1}}),
            ),
            Self::CheckoutKey => (
                "orders_update",
                json!({"order_id": order, "changes": {"checkout_data": {who: mark}}}),
            ),
            Self::MetadataKey => (
                "orders_update",
                json!({"order_id": order, "changes": {"order_metadata": {who: mark}}}),
            ),
            Self::Parcel => {
                let row = |order: &str| json!({"order_id": order, "tracking_number": mark});
                // Ids count up, so there is always one before.
                let before = order.parse::<u64>().map_or(0, |id| id - 1).to_string();
                let mut rows = [row(order), row(&before)];
                if who.ends_with(['1', '3', '5', '7', '9']) {
                    rows.reverse();
                }
                ("shipments_batch_add", json!({"shipments": rows}))
            }
            Self::Stock => (
                "inventory_adjust",
                json!({"inventory_item_id": mark, "delta": 1}),
            ),
            Self::SameOrder => (
                "orders_create",
                json!({"order": {
                    "source_name": "Race", "source_id": mark, "shipping": {"first_name": "Ada"},
                    "order_items": [{"name": "the same", "price": 1, "quantity": 1}],
                }}),
            ),
        }
    }
}

impl Wish {
    /// How often it is in `order`, as the shop shows it or as somebody put it.
    pub(super) fn times_in(&self, order: &Value) -> usize {
        match self.kind {
            Kind::StaffNote => self.times_in_list(&order["order_notes"], "content"),
            Kind::HistoryNote => self.times_in_list(&order["order_history"], "note"),
            Kind::Item => self.times_in_list(&order["order_items"], "name"),
            Kind::CheckoutKey => usize::from(order["checkout_data"][&self.who] == *self.mark),
            Kind::MetadataKey => usize::from(order["order_metadata"][&self.who] == *self.mark),
            Kind::Parcel => self.times_in_list(&order["order_shipments"], "tracking_number"),
            Kind::Stock | Kind::SameOrder => 0,
        }
    }

    fn times_in_list(&self, list: &Value, key: &str) -> usize {
        let entries = list.as_array().into_iter().flatten();
        entries.filter(|entry| entry[key] == *self.mark).count()
    }

    /// Whether this request wrote it: an added item or note, or a whole order that has it.
    pub(super) fn is_written_by(&self, method: &str, path: &str, body: &Value) -> bool {
        match (self.kind, method) {
            (Kind::HistoryNote, "POST") => {
                path.ends_with("/order-history") && body["note"] == *self.mark
            }
            (Kind::Item, "POST") => path.ends_with("/order-items") && body["name"] == *self.mark,
            (_, "PUT") => self.times_in(body) > 0,
            _ => false,
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({:?})", self.mark, self.kind)
    }
}

fn outcome_of(answer: &str) -> anyhow::Result<Outcome> {
    let frame: Value = serde_json::from_str(answer).context("an answer that is no JSON")?;
    let result = &frame["result"];
    Ok(match result["structuredContent"]["outcome"].as_str() {
        Some("done") if result["isError"] != true => Outcome::Done,
        Some("unknown") => Outcome::Unknown,
        _ if answer.contains("outcome: unknown") => Outcome::Unknown,
        _ => Outcome::NotDone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(kind: Kind, mark: &str) -> Wish {
        Wish {
            kind,
            who: "p01".to_owned(),
            mark: mark.to_owned(),
            outcome: Outcome::Done,
            said: String::new(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn a_wish_is_found_where_it_belongs_and_counted() {
        let order = json!({
            "order_notes": [{"content": "p01 staff"}], "order_items": [{"name": "p01 item"}, {"name": "p01 item"}],
            "order_history": [], "checkout_data": {"p01": "p01 key"}, "order_metadata": [],
        });
        for (kind, mark, times) in [
            (Kind::StaffNote, "p01 staff", 1),
            (Kind::Item, "p01 item", 2),
            (Kind::HistoryNote, "p01 history", 0),
            (Kind::CheckoutKey, "p01 key", 1),
            (Kind::MetadataKey, "p01 key", 0),
        ] {
            assert_eq!(wish(kind, mark).times_in(&order), times, "{kind:?}");
        }
    }

    #[test]
    fn only_a_structured_done_counts_as_confirmed() {
        let outcome =
            |result: &str| outcome_of(&format!(r#"{{"id":1,"result":{result}}}"#)).unwrap();
        assert_eq!(
            outcome(r#"{"structuredContent":{"outcome":"done"}}"#),
            Outcome::Done
        );
        assert_eq!(
            outcome(r#"{"structuredContent":{"outcome":"unknown"}}"#),
            Outcome::Unknown
        );
        assert_eq!(
            outcome(r#"{"isError":true,"content":[{"text":"code: x\noutcome: unknown"}]}"#),
            Outcome::Unknown
        );
        assert_eq!(outcome(r#"{"isError":true}"#), Outcome::NotDone);
    }
}
