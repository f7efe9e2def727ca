//! What every write answers with beside its verdict: the changed thing as it is now, the way back, and one row per row of a batch.
//!
//! Here: how facts and rows are shown, once for all tools. Not here: verdict, diff and questions (`writing`), and what is done (`desk::write`).

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::rows::View;
use super::writing::{self, Writing};
use super::{Answer, Shape, inventory, item_rows, order_rows, shipment_rows};
use crate::args::Args;
use crate::clean;
use crate::context::Context;
use crate::desk::DeskError;
use crate::desk::model::{BadId, InventoryItem, Order};
use crate::desk::write::{Change, Outcome, RowOutcome, Verdict};
use crate::error::ToolError;
use crate::person::Person;
use crate::reply::{self, Reply};

/// Rows of one batch. Order Desk takes a hundred at a time; more calls than five would outlast a client's patience.
pub(super) const MOST_ROWS: usize = 500;

/// What the rows of a batch may take of an answer, in bytes. The rest is for what stands around them.
const ROWS_BYTES: usize = 30_000;

/// What one thing may take of an answer that is about its change, in bytes; whoever wants all of it reads it.
const FACT_BYTES: usize = 12_000;

/// Of a batch whose rows do not all fit: how many of which outcome are not shown.
pub(super) const ROWS_LEFT_OUT: Answer = Answer::sometimes("rows_left_out", Shape::Object);

/// Asks, does and tells. A change that cannot be put together from the arguments ends here.
pub(super) fn run<'a>(
    context: &'a Context,
    args: &'a Args,
    person: &'a dyn Person,
    tool: &'static str,
    change: Result<impl Change + 'static, ToolError>,
) -> BoxFuture<'a, Result<Reply, ToolError>> {
    let call = Writing {
        context,
        args,
        person,
        tool,
    };
    let change = change.map(|change| Arc::new(change) as Arc<dyn Change>);
    async move { writing::run(call, change?, show).await }.boxed()
}

/// Two ids, or what is wrong with both.
pub(super) fn both<A, B>(
    one: Result<A, BadId>,
    other: Result<B, BadId>,
) -> Result<(A, B), ToolError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(bad), Ok(_)) | (Ok(_), Err(bad)) => Err(DeskError::from(bad).into()),
        (Err(one), Err(other)) => Err(ToolError::Arguments(vec![
            one.to_string(),
            other.to_string(),
        ])),
    }
}

/// Facts and rows of an outcome, as an answer shows them.
pub(super) fn show(outcome: &Outcome, reply: Reply) -> Reply {
    let reply = outcome.facts.iter().fold(reply, |reply, (name, value)| {
        reply.with(name, fact(name, value))
    });
    rows(&outcome.rows, reply)
}

fn fact(name: &str, value: &Value) -> Value {
    let mut shown = match (name, value) {
        ("order", Value::Object(order)) => {
            order_rows::show(&Order::from_object(order.clone()), &View::Summary)
        }
        ("order_item", Value::Object(item)) => item_rows::show(item, &View::Full),
        ("shipment", Value::Object(shipment)) => shipment_rows::show(shipment, &View::Summary),
        ("inventory_item", Value::Object(item)) => {
            inventory::show(&InventoryItem::from_object(item.clone()), &View::Summary)
        }
        (_, other) => clean::value(other.clone()),
    };
    reply::shrink_to(&mut shown, FACT_BYTES);
    shown
}

/// In the order in which they were given. Where not all fit, those that are done are left out first, and counted.
fn rows(rows: &[RowOutcome], reply: Reply) -> Reply {
    if rows.is_empty() {
        return reply;
    }
    let mut by_urgency: Vec<&RowOutcome> = rows.iter().collect();
    by_urgency.sort_by_key(|row| urgency(row.verdict));
    let mut used = 0;
    let fitting = by_urgency
        .iter()
        .take_while(|row| {
            used += reply::size_of(&show_row(row)) + 1;
            used <= ROWS_BYTES
        })
        .count();
    let (shown, left_out) = by_urgency.split_at(fitting);
    let is_shown = |row: &&RowOutcome| shown.iter().any(|one| std::ptr::eq(*one, *row));
    let counts = Counts::of(rows);
    let left_out = (!left_out.is_empty()).then(|| Counts::of(left_out.iter().copied()).told());
    reply
        .with("counts", counts.told())
        .with(
            "rows",
            rows.iter()
                .filter(is_shown)
                .map(show_row)
                .collect::<Vec<_>>(),
        )
        .with_some("rows_left_out", left_out)
        .with_some("next", counts.next())
}

fn show_row(row: &RowOutcome) -> Value {
    let mut shown = match clean::value(row.row.clone()) {
        Value::Object(ids) => ids,
        other => Map::from_iter([("row".to_owned(), other)]),
    };
    shown.insert("outcome".to_owned(), row.verdict.as_str().into());
    if let Some(why) = &row.why {
        shown.insert("why".to_owned(), clean::text(why).into());
    }
    Value::Object(shown)
}

/// How many rows went which way.
struct Counts {
    done: usize,
    not_done: usize,
    unknown: usize,
}

impl Counts {
    fn of<'a>(rows: impl IntoIterator<Item = &'a RowOutcome>) -> Counts {
        let mut counts = Counts {
            done: 0,
            not_done: 0,
            unknown: 0,
        };
        for row in rows {
            match row.verdict {
                Verdict::Done => counts.done += 1,
                Verdict::NotDone => counts.not_done += 1,
                Verdict::Unknown => counts.unknown += 1,
            }
        }
        counts
    }

    fn told(&self) -> Value {
        json!({"done": self.done, "not_done": self.not_done, "unknown": self.unknown})
    }

    /// What to do about the rows that are not done.
    fn next(&self) -> Option<String> {
        let (done, all) = (self.done, self.done + self.not_done + self.unknown);
        (self.not_done > 0).then(|| {
            format!("{done} of {all} rows are done. See why the others are not; the same list may be sent again: what is done is not done twice.")
        })
    }
}

fn urgency(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Unknown => 0,
        Verdict::NotDone => 1,
        Verdict::Done => 2,
    }
}

#[cfg(test)]
mod tests;
