//! The items of an order: adding, changing and removing one.
//!
//! Each is its own request, so that nobody else's change to the order can be lost; and each waits for the order's turn, because all of them
//! read before they write.

mod add;
mod found;
mod remove;
mod update;

pub use add::AddItem;
pub use remove::RemoveItem;
pub use update::UpdateItem;

use crate::desk::model::{OrderId, OrderItemId};
use crate::desk::request::{Endpoint, Method, Request};

/// The `GET` of one item.
fn one(order: &OrderId, item: &OrderItemId) -> Request {
    let ids = [order.as_str(), item.as_str()];
    Request::to(Method::Get, Endpoint::OrderItem, &ids, None)
}

/// What to look at when nobody can tell.
fn check(order: &OrderId) -> String {
    format!(
        "look at the items of order {order} (order_items_list with `fresh`, or Order Desk itself)"
    )
}
