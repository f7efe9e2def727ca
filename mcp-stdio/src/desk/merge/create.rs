//! What a new thing must have, and the form in which it is sent.
//!
//! A name that the documentation does not know is a mistake here: there is no thing yet that could have it, and a misspelt field
//! would be lost in silence.

use serde_json::Value;

use super::fields::{self, Shape, Who};
use super::shape::{Mistakes, fit};
use super::value::is_blank;
use super::{Kind, limits, patch, rows};
use crate::desk::model::Object;

/// A new order, in the form in which it is sent.
///
/// It has at least one item, and in `shipping` or `customer` a first name, a last name or a company.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_order(order: &Object) -> Result<Object, Vec<String>> {
    let mut mistakes = Mistakes::new();
    let order = checked(Kind::Order, order, &mut mistakes);
    let no_items = |items: &Value| items.as_array().is_some_and(Vec::is_empty);
    if mistakes.is_empty() && order.get("order_items").is_none_or(no_items) {
        mistakes.push("`order_items` is missing: an order has at least one item".to_owned());
    }
    if mistakes.is_empty() && !has_name(&order) {
        mistakes.push(
            "`shipping` or `customer` needs a `first_name`, a `last_name` or a `company`"
                .to_owned(),
        );
    }
    if let Err(too_long) = limits::check(Kind::Order, None, &order) {
        mistakes.extend(too_long);
    }
    finish(order, mistakes)
}

/// A new line of an order, in the form in which it is sent: it has a name.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_item(item: &Object) -> Result<Object, Vec<String>> {
    new(Kind::OrderItem, item, &["name"])
}

/// A new shipment, in the form in which it is sent: it has a tracking number (`n/a` if there is none).
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_shipment(shipment: &Object) -> Result<Object, Vec<String>> {
    new(Kind::Shipment, shipment, &["tracking_number"])
}

/// A new inventory item, in the form in which it is sent: it has a name and a code.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_inventory_item(item: &Object) -> Result<Object, Vec<String>> {
    new(Kind::InventoryItem, item, &["name", "code"])
}

fn new(kind: Kind, thing: &Object, required: &[&str]) -> Result<Object, Vec<String>> {
    let mut mistakes = Mistakes::new();
    let thing = checked(kind, thing, &mut mistakes);
    for name in required {
        if mistakes.is_empty() && thing.get(*name).is_none_or(is_blank) {
            let hint = if *name == "tracking_number" {
                "; say `n/a` if there is none"
            } else {
                ""
            };
            mistakes.push(format!("`{name}` is missing{hint}"));
        }
    }
    finish(thing, mistakes)
}

/// The fields that fit; blanks that are `null` are left out.
fn checked(kind: Kind, thing: &Object, mistakes: &mut Mistakes) -> Object {
    let mut fitted = Object::new();
    for (name, value) in thing.iter().filter(|(_, value)| !value.is_null()) {
        let Some(field) = fields::field(kind, name) else {
            mistakes.push(patch::stranger(kind, name, name, None));
            continue;
        };
        if let Who::Kept(hint) | Who::Desk(hint) = field.who {
            mistakes.push(format!("`{name}` cannot be set: {hint}"));
            continue;
        }
        let value = match field.shape {
            Shape::Items => rows::new_items(name, value)
                .map_err(|found| mistakes.extend(found))
                .ok(),
            shape => fit(Some(shape), name, value, None, mistakes),
        };
        if let Some(value) = value {
            fitted.insert(name.clone(), value);
        }
    }
    patch::without_removed(fitted)
}

fn has_name(order: &Object) -> bool {
    let filled = |address: &str, name: &str| {
        let text = order.get(address).and_then(|address| address.get(name));
        text.and_then(Value::as_str)
            .is_some_and(|text| !text.trim().is_empty())
    };
    ["shipping", "customer"].iter().any(|address| {
        ["first_name", "last_name", "company"]
            .iter()
            .any(|name| filled(address, name))
    })
}

fn finish(thing: Object, mistakes: Mistakes) -> Result<Object, Vec<String>> {
    if mistakes.is_empty() {
        Ok(thing)
    } else {
        Err(mistakes)
    }
}
