//! One request of a batch of stock, and what its items hold afterwards.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::Value;

use super::reading;
use super::wish::{Item, Wish};
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Kind};
use crate::desk::model::{Fields, InventoryItemId, Object, as_number};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::write::Writer;
use crate::desk::write::batch::Said;
use crate::desk::write::chunk::Rows;
use crate::desk::write::fate::Found;

/// The items of one batch, by their numbers.
pub(super) struct Sending<'a> {
    wishes: Vec<Wish<'a>>,
    items: Mutex<Vec<Item>>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(of: Vec<(Wish<'a>, Item)>) -> Sending<'a> {
        let (wishes, items) = of.into_iter().unzip();
        Sending {
            wishes,
            items: Mutex::new(items),
        }
    }

    /// Every wish with the item as it was sent last.
    pub(super) fn into_items(self) -> impl Iterator<Item = (Wish<'a>, Item)> {
        self.wishes.into_iter().zip(self.items.into_inner())
    }

    /// What the newest state says of a row. One that is to be sent again is made anew from it.
    fn found(&self, row: usize, now: Option<Object>) -> Found {
        let Some(now) = now else {
            return Found::Otherwise("it is not in this store any more".to_owned());
        };
        let mut items = self.items.lock();
        let found = judged(&items[row], &now);
        if found != Found::Absent {
            return found;
        }
        match self.wishes[row].of(Some(now)) {
            Ok(item) => {
                items[row] = item;
                Found::Absent
            }
            Err(fate) => Found::Otherwise(fate.why.unwrap_or_default()),
        }
    }
}

impl Rows for Sending<'_> {
    fn request(&self, rows: &[usize]) -> Request {
        let items = self.items.lock();
        let whole = |row: &usize| Value::Object(with_id(self.wishes[*row].id, &items[*row]));
        let body = rows.iter().map(whole).collect();
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

    /// Whole items are sent: what somebody else changed after they were read would be put back.
    fn goes_stale(&self) -> bool {
        true
    }

    fn look<'a>(
        &'a self,
        writer: &'a Writer,
        rows: &'a [usize],
    ) -> BoxFuture<'a, Result<Vec<Found>, DeskError>> {
        async move {
            let wanted: Vec<(InventoryItemId, String)> = {
                let items = self.items.lock();
                let one = |row: &usize| (self.wishes[*row].id.clone(), code(&items[*row].sent));
                rows.iter().map(one).collect()
            };
            let there = reading::held(writer.shop(), &wanted).await?;
            let both = rows.iter().zip(there);
            Ok(both.map(|(row, now)| self.found(*row, now)).collect())
        }
        .boxed()
    }
}

/// What is there, against what was and what was sent.
fn judged(item: &Item, now: &Object) -> Found {
    let missing = merge::not_taken(Kind::InventoryItem, &item.sent, now);
    let wanted = merge::diff(Kind::InventoryItem, &item.base, &item.sent);
    let named = |path: &str| wanted.iter().find(|wanted| wanted.path == path);
    // What somebody else changed beside it is theirs, and no part of the question.
    let ours: Vec<_> = missing
        .iter()
        .filter_map(|missing| Some((missing, named(&missing.path)?)))
        .collect();
    if ours.is_empty() {
        return Found::There;
    }
    let as_before = |(missing, wanted): &(&merge::Difference, &merge::Difference)| {
        merge::same(&missing.after, &wanted.before)
    };
    if ours.len() == wanted.len() && ours.iter().all(as_before) {
        return Found::Absent;
    }
    let paths: Vec<&str> = ours
        .iter()
        .map(|(missing, _)| missing.path.as_str())
        .collect();
    Found::Otherwise(format!(
        "{} is different from what was sent: an order or somebody else changed it",
        paths.join(", ")
    ))
}

pub(super) fn code(item: &Object) -> String {
    Fields::of(item).text("code").into_owned()
}

/// The merged item has lost its id, which is read-only everywhere but here, where nothing else names the row.
fn with_id(id: &InventoryItemId, item: &Item) -> Object {
    let mut whole = Object::from_iter([("id".to_owned(), as_number(id.as_str()))]);
    whole.extend(item.sent.clone());
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
        let base = json!({"id": 61001, "name": "Tote", "code": "TOTE", "stock": 34, "price": 16, "cost": 5});
        let sent = json!({"name": "Tote", "code": "TOTE", "stock": 30, "price": 17, "cost": 5});
        Item {
            base: object(base),
            sent: object(sent),
        }
    }

    #[test]
    fn what_an_item_holds_tells_whether_its_row_was_taken() {
        let now = |stock: i64, price: i64, cost: i64| {
            let now = json!({"id": "61001", "name": "Tote", "code": "TOTE", "stock": stock, "price": price, "cost": cost});
            judged(&item(), &object(now))
        };
        assert_eq!(now(30, 17, 5), Found::There);
        assert_eq!(now(34, 16, 5), Found::Absent);
        assert_eq!(now(34, 16, 6), Found::Absent, "the cost is somebody else's");
        assert_eq!(now(30, 17, 6), Found::There);
        for (stock, price) in [(29, 17), (34, 17), (30, 16)] {
            assert!(matches!(now(stock, price, 5), Found::Otherwise(_)));
        }
    }

    #[test]
    fn a_row_is_sent_whole_and_with_its_id() {
        let id = InventoryItemId::parse("61001").unwrap();
        assert_eq!(
            Value::Object(with_id(&id, &item())),
            json!({"id": 61001, "name": "Tote", "code": "TOTE", "stock": 30, "price": 17, "cost": 5})
        );
    }
}
