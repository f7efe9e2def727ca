//! What a new thing must have.

use super::Kind;
use crate::desk::model::Object;

/// A new order, in the form in which it is sent.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_order(order: &Object) -> Result<Object, Vec<String>> {
    checked(Kind::Order, order)
}

/// A new line of an order, in the form in which it is sent.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_item(item: &Object) -> Result<Object, Vec<String>> {
    checked(Kind::OrderItem, item)
}

/// A new shipment, in the form in which it is sent.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_shipment(shipment: &Object) -> Result<Object, Vec<String>> {
    checked(Kind::Shipment, shipment)
}

/// A new inventory item, in the form in which it is sent.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_inventory_item(item: &Object) -> Result<Object, Vec<String>> {
    checked(Kind::InventoryItem, item)
}

fn checked(kind: Kind, thing: &Object) -> Result<Object, Vec<String>> {
    let mistakes: Vec<String> = super::read_only(kind)
        .filter(|name| thing.contains_key(*name))
        .map(|name| format!("`{name}` cannot be written"))
        .collect();
    if mistakes.is_empty() {
        Ok(thing.clone())
    } else {
        Err(mistakes)
    }
}
