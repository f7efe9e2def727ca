//! The safe update: what is sent back is everything that came, with only the named changes.
//!
//! Order Desk replaces a whole order on `PUT`: whatever is left out is blanked, an item that is not in the list is gone. So an update is
//! a pure function from what is there and what should change to what is sent. Here: that function, its checks, and how two versions
//! of a thing are compared by meaning, whatever PHP made of their numbers and empty maps. Not here: fetching, sending, turns.
//!
//! | file | hides |
//! |---|---|
//! | `fields` | which fields each kind of thing has, and who may write them |
//! | `value` | when two JSON values mean the same |
//! | `path` | how a place within a thing is written |
//! | `patch` `shape` `rows` | a named change, checked: every mistake at once |
//! | `apply` | the whole new thing |
//! | `differ` `lists` | what differs, what the answer did not take, what somebody else changed |
//! | `notes` | staff notes: their budget, and that none is added twice |
//! | `limits` | how long maps may get |
//! | `create` | what a new thing must have |
//! | `complete` | what a thing that was read must hold to be put back |

mod apply;
mod complete;
mod create;
mod differ;
mod fields;
mod lists;
mod patch;
mod path;
mod rows;
mod shape;
mod value;

pub mod limits;
pub mod notes;

use serde::Serialize;
use serde_json::Value;

pub use apply::apply;
pub use complete::incomplete;
pub use create::{new_inventory_item, new_item, new_order, new_shipment};
pub use differ::{card_lost, conflicts, diff, mismatches, not_taken};
pub use fields::read_only;
pub use patch::Patch;
pub use value::same;

/// What is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole order.
    Order,
    /// One line of an order.
    OrderItem,
    /// One shipment of an order.
    Shipment,
    /// One inventory item.
    InventoryItem,
}

/// One place that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where: `shipping.city`, `order_items[9100001].quantity`.
    pub path: String,
    /// What was there (or was sent, or believed); `null` for nothing.
    pub before: Value,
    /// What is there now; `null` for nothing.
    pub after: Value,
}
