//! One request of a batch of stock, and what its items hold afterwards.

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;

use super::reading;
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Kind};
use crate::desk::model::{InventoryItemId, Object, as_number};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::write::Writer;
use crate::desk::write::batch::Said;
use crate::desk::write::chunk::Rows;
use crate::desk::write::fate::Found;

/// One item on its way: what it held, and what it is to hold.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: InventoryItemId,
    /// As it was read right before.
    pub(super) base: Object,
    /// As it is sent, whole.
    pub(super) sent: Object,
}

/// The items of one batch, by their numbers.
pub(super) struct Sending {
    pub(super) items: Vec<Item>,
    /// What was seen of them last.
    pub(super) now: Mutex<HashMap<usize, Object>>,
}

impl Rows for Sending {
    fn request(&self, rows: &[usize]) -> Request {
        let body: Vec<Value> = rows
            .iter()
            .map(|row| Value::Object(with_id(&self.items[*row])))
            .collect();
        Request::to(
            Method::Put,
            Endpoint::BatchInventoryItems,
            &[],
            Some(Value::Array(body)),
        )
    }

    /// The answer counts, and names no row: each is looked at.
    fn said(&self, _envelope: &Object, rows: &[usize]) -> Vec<Said> {
        vec![Said::Nothing; rows.len()]
    }

    /// The same values, written twice.
    fn may_come_twice(&self, _row: usize) -> bool {
        true
    }

    fn look<'a>(
        &'a self,
        writer: &'a Writer,
        rows: &'a [usize],
    ) -> BoxFuture<'a, Result<Vec<Found>, DeskError>> {
        async move {
            let wanted: Vec<(InventoryItemId, String)> = rows
                .iter()
                .map(|row| &self.items[*row])
                .map(|item| (item.id.clone(), code(&item.sent)))
                .collect();
            let there = reading::held(writer.shop(), &wanted).await?;
            let mut found = Vec::with_capacity(rows.len());
            for (row, now) in rows.iter().zip(there) {
                found.push(match now {
                    Some(now) => {
                        let found = judged(&self.items[*row], &now);
                        self.now.lock().insert(*row, now);
                        found
                    }
                    None => Found::Otherwise("it is not in this store any more".to_owned()),
                });
            }
            Ok(found)
        }
        .boxed()
    }
}

/// What is there, against what was and what was sent.
fn judged(item: &Item, now: &Object) -> Found {
    let missing = merge::not_taken(Kind::InventoryItem, &item.sent, now);
    if missing.is_empty() {
        return Found::There;
    }
    let wanted = merge::diff(Kind::InventoryItem, &item.base, &item.sent);
    let as_before = wanted.iter().all(|wanted| {
        missing.iter().any(|missing| {
            missing.path == wanted.path && merge::same(&missing.after, &wanted.before)
        })
    });
    if as_before {
        return Found::Absent;
    }
    let paths: Vec<&str> = missing
        .iter()
        .map(|missing| missing.path.as_str())
        .collect();
    Found::Otherwise(format!(
        "{} is different from what was sent: an order or somebody else changed it",
        paths.join(", ")
    ))
}

pub(super) fn code(item: &Object) -> String {
    crate::desk::model::Fields::of(item)
        .text("code")
        .into_owned()
}

/// The merged item has lost its id, which is read-only everywhere but here, where nothing else names the row.
fn with_id(item: &Item) -> Object {
    let mut whole = Object::from_iter([("id".to_owned(), as_number(item.id.as_str()))]);
    whole.extend(
        item.sent
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else {
            unreachable!("the literal is an object")
        };
        object
    }

    fn item() -> Item {
        Item {
            id: InventoryItemId::parse("61001").unwrap(),
            base: object(
                json!({"id": 61001, "name": "Tote", "code": "TOTE", "stock": 34, "price": 16}),
            ),
            sent: object(json!({"name": "Tote", "code": "TOTE", "stock": 30, "price": 17})),
        }
    }

    #[test]
    fn what_an_item_holds_tells_whether_its_row_was_taken() {
        let now = |stock: i64, price: i64| {
            let now = json!({"id": "61001", "name": "Tote", "code": "TOTE", "stock": stock, "price": price});
            judged(&item(), &object(now))
        };
        assert_eq!(now(30, 17), Found::There);
        assert_eq!(now(34, 16), Found::Absent);
        assert!(
            matches!(now(29, 17), Found::Otherwise(how) if how.starts_with("stock is different"))
        );
    }

    #[test]
    fn a_row_is_sent_whole_and_with_its_id() {
        assert_eq!(
            Value::Object(with_id(&item())),
            json!({"id": 61001, "name": "Tote", "code": "TOTE", "stock": 30, "price": 17})
        );
    }
}
