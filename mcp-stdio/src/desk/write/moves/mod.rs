//! Moving orders between folders, Order Desk's word for statuses.
//!
//! A move starts rules: they e-mail, submit to fulfilment, or move the order on. So nothing is moved twice, orders that are there already
//! are left alone, and afterwards every order is looked for: Order Desk has been seen answering a move with success and moving nothing.

mod folder;
mod orders;
mod plan;
mod sending;

pub use orders::MoveOrders;
