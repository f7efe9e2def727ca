//! Changing a shop, so that nothing is lost, nothing is done twice, and nobody is told anything but the truth.
//!
//! A [`Change`] knows what it wants; the [`Writer`] knows the way: its turn on the thing (`turn`), the tokens for reading and writing
//! together (`passage`), the newest state, the record of what is about to be done (`record`), the request, and what is to be made of
//! its fate (`decide`, `perform`, `rewrite`). The way of a write is walked in a task of its own (`task`): a caller that leaves before
//! anything was sent stops it, one that leaves later does not.
//!
//! | file | hides |
//! |---|---|
//! | `writer` `task` | who may write; what a caller's leaving means |
//! | `turn` | one after the other, over all processes |
//! | `passage` | tokens and a seat for a read and the write right after it |
//! | `record` | the intent before, the outcome after, and what becomes of them on every way out |
//! | `decide` | pure: what a failed attempt means, and what to do next |
//! | `perform` | a request that adds, moves or removes: send, look, send again or say so |
//! | `rewrite` `rewritten` `patched` | reading a thing, changing what was named and putting it back whole |
//! | `update_order` `add_note` `create_order` `delete_order` | the changes of orders |
//! | `batch` `chunk` `fate` | many rows in one request, each with a fate of its own |
//! | `replace` `remove` `shape` | changing and removing a part; what the record says of arguments |
//! | `items` `shipments` `moves` `inventory` | the changes of items, shipments and stock, and moves between folders |

mod add_note;
mod batch;
mod chunk;
mod create_order;
mod decide;
mod delete_order;
mod fate;
mod inventory;
mod items;
mod moves;
mod passage;
mod patched;
mod perform;
mod record;
mod remove;
mod replace;
mod rewrite;
mod rewritten;
mod shape;
mod shipments;
mod task;
mod turn;
mod update_order;
mod writer;

use std::fmt;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::error::DeskError;
use super::merge::Difference;
use super::model::Object;
use super::shop::Shop;

pub use add_note::{AddNote, NoteKind};
pub use create_order::CreateOrder;
pub use delete_order::DeleteOrder;
pub use inventory::{
    Adjust, AdjustStock, BatchUpdateInventory, CreateInventoryItem, RemoveInventoryItem,
    UpdateInventoryItem, Which,
};
pub use items::{AddItem, RemoveItem, UpdateItem};
pub use moves::MoveOrders;
pub use shipments::{AddShipment, BatchAddShipments, RemoveShipment, UpdateShipment};
pub use task::UnderWay;
pub use update_order::UpdateOrder;
pub use writer::Writer;

/// How much a change weighs: whether somebody should be asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// One thing, and it can be undone.
    Light,
    /// This many things at once.
    Bulk(usize),
    /// Something is gone afterwards.
    Destroys,
}

/// Something that can be done to a shop.
pub trait Change: Send + Sync + fmt::Debug {
    /// How much it weighs.
    fn weight(&self) -> Weight;

    /// What it would do now. Only reads.
    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>>;

    /// Does it. `agreed` is the preview that somebody has agreed to: what it showed must still be there.
    ///
    /// An error means that nothing was changed.
    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>>;
}

/// What a change would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// Field by field.
    pub diff: Vec<Difference>,
    /// All that was seen and would be sent, as text: what an agreement is bound to.
    pub basis: String,
    /// What is worth knowing beside it.
    pub remarks: Vec<String>,
    /// The values that were there, for telling afterwards whether they still are.
    pub before: Object,
}

/// Whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It was.
    Done,
    /// It was not, for certain.
    NotDone,
    /// Nobody can tell.
    Unknown,
}

impl Verdict {
    /// As it is told: `done`, `not_done`, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Done => "done",
            Verdict::NotDone => "not_done",
            Verdict::Unknown => "unknown",
        }
    }
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether it was done; of several rows the worst.
    pub verdict: Verdict,
    /// What is different now, field by field.
    pub diff: Vec<Difference>,
    /// What the shop holds now, raw: `order`, `shipment`, `undo` …
    pub facts: Vec<(&'static str, Value)>,
    /// Of a batch: each row.
    pub rows: Vec<RowOutcome>,
    /// What is worth knowing beside it.
    pub remarks: Vec<String>,
    /// What to look at when the verdict is [`Verdict::Unknown`].
    pub check: Option<String>,
}

/// How one row of a batch ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RowOutcome {
    /// What the row is about: its ids.
    pub row: Value,
    /// Whether it was done.
    pub verdict: Verdict,
    /// Why not.
    pub why: Option<String>,
}

impl Outcome {
    /// An outcome with nothing to tell yet.
    #[must_use]
    pub fn new(verdict: Verdict) -> Outcome {
        Outcome {
            verdict,
            diff: Vec::new(),
            facts: Vec::new(),
            rows: Vec::new(),
            remarks: Vec::new(),
            check: None,
        }
    }

    /// What was asked for was so already.
    #[must_use]
    pub fn already_so() -> Outcome {
        Outcome::new(Verdict::Done).remark("already so; nothing was sent")
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<Value>) -> Outcome {
        self.facts.push((name, value.into()));
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn remark(mut self, text: impl Into<String>) -> Outcome {
        self.remarks.push(text.into());
        self
    }
}
