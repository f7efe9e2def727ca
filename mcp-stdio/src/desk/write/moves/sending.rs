//! One request of a move, and where its orders are afterwards.
//!
//! Here: the body, what the answer says of the folders the orders came from, and the look at where they lie now. The answer's own word
//! that an order was moved is never enough: it is looked for.

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::folder;
use super::plan::{self, Placed, Whereabouts};
use crate::desk::error::DeskError;
use crate::desk::model::{Fields, Folder, Object, Order, OrderId, as_number};
use crate::desk::parts::Likely;
use crate::desk::quote;
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::write::Writer;
use crate::desk::write::batch::{self, Said};
use crate::desk::write::chunk::Rows;
use crate::desk::write::fate::Found;

/// The orders of one move on their way.
pub(super) struct Sending<'a> {
    to_move: &'a [Placed],
    target: &'a Folder,
    folders: &'a [Folder],
    seen: Mutex<Seen>,
}

/// What was learnt on the way, by the number of the order.
#[derive(Default)]
struct Seen {
    /// The folder it came from, as Order Desk says.
    from: HashMap<usize, String>,
    /// The folder it is in now.
    now: HashMap<usize, String>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(
        to_move: &'a [Placed],
        target: &'a Folder,
        folders: &'a [Folder],
    ) -> Sending<'a> {
        Sending {
            to_move,
            target,
            folders,
            seen: Mutex::default(),
        }
    }

    /// Every order with the folder it came from, in their order.
    pub(super) fn originals(&self) -> Vec<Placed> {
        let seen = self.seen.lock();
        let one = |(index, placed): (usize, &Placed)| Placed {
            order: placed.order.clone(),
            folder: seen.from.get(&index).unwrap_or(&placed.folder).clone(),
            updated: placed.updated.clone(),
        };
        self.to_move.iter().enumerate().map(one).collect()
    }

    /// The folder in which an order was seen last.
    pub(super) fn now(&self, index: usize) -> Option<String> {
        self.seen.lock().now.get(&index).cloned()
    }

    fn found(&self, index: usize, order: Option<&Order>) -> Found {
        let before = &self.to_move[index];
        let now = order.map(|order| order.folder_id().into_owned());
        let touched = order.is_some_and(|order| order.date_updated() != before.updated.as_str());
        let found = match plan::whereabouts(&before.folder, &self.target.id, now.as_deref()) {
            Whereabouts::There => Found::There,
            // A rule may have moved it back: a second move would start every rule again.
            Whereabouts::Unmoved if touched => Found::Touched(format!(
                "it lies where it was, in `{}`, and was changed meanwhile",
                quote::line(&folder::name(self.folders, &before.folder), 60)
            )),
            Whereabouts::Unmoved => Found::Absent,
            Whereabouts::Gone => Found::Otherwise("it is not in this store any more".to_owned()),
            Whereabouts::Elsewhere(folder) => Found::Otherwise(format!(
                "it is in `{}` now: a rule, or somebody, moved it on",
                quote::line(&folder::name(self.folders, folder), 60)
            )),
        };
        if let Some(now) = now {
            self.seen.lock().now.insert(index, now);
        }
        found
    }
}

impl Rows for Sending<'_> {
    fn request(&self, rows: &[usize]) -> Request {
        let ids: Vec<Value> = rows
            .iter()
            .map(|row| as_number(self.to_move[*row].order.as_str()))
            .collect();
        let body =
            json!({"order_id_list": ids, "destination_folder_id": as_number(&self.target.id)});
        Request::to(Method::Post, Endpoint::MoveOrders, &[], Some(body))
    }

    fn said(&self, envelope: &Object, rows: &[usize]) -> Vec<Said> {
        let sent: Vec<Placed> = rows.iter().map(|row| self.to_move[*row].clone()).collect();
        let told = batch::results(envelope, rows.len());
        let originals = plan::originals(envelope, &sent);
        let mut seen = self.seen.lock();
        rows.iter()
            .zip(originals)
            .zip(told)
            .map(|((row, original), result)| {
                seen.from.insert(*row, original.folder);
                said(result)
            })
            .collect()
    }

    /// The rules of the folder may move an order on at once; a move that comes late would fetch it back and start them all again.
    fn may_come_twice(&self, _row: usize) -> bool {
        false
    }

    fn look<'a>(
        &'a self,
        writer: &'a Writer,
        rows: &'a [usize],
    ) -> BoxFuture<'a, Result<Vec<Found>, DeskError>> {
        async move {
            let ids: Vec<OrderId> = rows
                .iter()
                .map(|row| self.to_move[*row].order.clone())
                .collect();
            let orders = writer
                .shop()
                .orders_likely(&ids, Likely::ChangedLately)
                .await?;
            let found = |(row, order): (&usize, &Option<Order>)| self.found(*row, order.as_ref());
            Ok(rows.iter().zip(&orders).map(found).collect())
        }
        .boxed()
    }
}

/// A result without the folder that the order came from is a refusal in the words it has.
fn said(result: Option<&Object>) -> Said {
    let Some(result) = result.map(Fields::of) else {
        return Said::Nothing;
    };
    let message = result.text("message");
    if result.text("original_folder_id").is_empty() && !message.is_empty() {
        return Said::Refused(quote::line(&message, 160));
    }
    Said::Nothing
}
