//! Stock: inventory items and their counts.
//!
//! Orders change stock, too, and Order Desk knows no relative change: so a count is read, changed and put back together with everything
//! else the item has, under the item's turn, and looked at again.

mod adjust;
mod batch;
mod create;
mod reading;
mod remove;
mod rows;
mod sending;
mod stock;
mod update;
mod which;
mod wish;

pub use adjust::AdjustStock;
pub use batch::BatchUpdateInventory;
pub use create::CreateInventoryItem;
pub use remove::RemoveInventoryItem;
pub use rows::Which;
pub use stock::Adjust;
pub use update::UpdateInventoryItem;

use crate::desk::merge::Kind;
use crate::desk::model::InventoryItemId;
use crate::desk::request::{Endpoint, Request};
use crate::desk::write::replace::Part;
use crate::desk::write::turn;

/// One inventory item, to be changed in the way that `action` names. One that was named by its SKU must still have it when it is changed.
fn part(id: &InventoryItemId, which: &Which, action: &'static str) -> Part {
    Part {
        kind: Kind::InventoryItem,
        expected: which.expected(),
        fact: "inventory_item",
        thing: turn::inventory(id),
        read: Request::of(Endpoint::InventoryItem, id.as_str(), Vec::new()),
        action,
        target: format!("inventory item {id}"),
        check: format!(
            "look at inventory item {id} (inventory_get with `fresh`, or Order Desk itself)"
        ),
    }
}
