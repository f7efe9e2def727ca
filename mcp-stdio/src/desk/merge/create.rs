//! What a new thing must have, and the form in which it is sent.
//!
//! A name that the documentation does not know is a mistake here: there is no thing yet that could have it, and a misspelt field
//! would be lost in silence.

use serde_json::Value;

use super::fields::{self, Shape, Who};
use super::shape::{Fitted, Mistakes, fit};
use super::value::is_blank;
use super::{Kind, limits, patch, path, rows};
use crate::desk::model::{Object, text_of};

/// A new order, in the form in which it is sent.
///
/// It has at least one item, and in `shipping` or `customer` a first name, a last name or a company.
///
/// # Errors
/// Every mistake, each with what to do.
pub fn new_order(order: &Object) -> Result<Object, Vec<String>> {
    let mut mistakes = Mistakes::new();
    let sent = checked(Kind::Order, "", order, &mut mistakes);
    if order.get("order_items").is_none_or(is_blank) {
        mistakes.push("`order_items` is missing: an order has at least one item".to_owned());
    }
    if !has_name(order) {
        mistakes.push(
            "`shipping` or `customer` needs a `first_name`, a `last_name` or a `company`"
                .to_owned(),
        );
    }
    if let Err(too_long) = limits::check(Kind::Order, None, &sent) {
        mistakes.extend(too_long);
    }
    finish(sent, mistakes)
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
    let sent = checked(kind, "", thing, &mut mistakes);
    for name in required {
        if thing.get(*name).is_none_or(is_blank) {
            let hint = match *name {
                "tracking_number" => "; say `n/a` if there is none",
                _ => "",
            };
            mistakes.push(format!("`{name}` is missing{hint}"));
        }
    }
    finish(sent, mistakes)
}

/// The fields that fit; blanks that are `null` are left out. `at` is where they belong (empty for the thing itself).
fn checked(kind: Kind, at: &str, thing: &Object, mistakes: &mut Mistakes) -> Object {
    let mut fitted = Object::new();
    for (name, value) in thing.iter().filter(|(_, value)| !value.is_null()) {
        let place = path::key(at, name);
        let Some(field) = fields::field(kind, name) else {
            mistakes.push(patch::stranger(kind, &place, name, None));
            continue;
        };
        if let Who::Kept(hint) | Who::Desk(hint) = field.who {
            mistakes.push(format!("`{place}` cannot be set: {hint}"));
            continue;
        }
        let value = match field.shape {
            Shape::Items => items(&place, value)
                .map_err(|found| mistakes.extend(found))
                .ok(),
            shape => fit(Some(shape), &place, value, None, mistakes),
        };
        if let Some(value) = value {
            fitted.insert(name.clone(), value);
        }
    }
    patch::without_removed(fitted)
}

/// The lines of a new order.
fn items(at: &str, value: &Value) -> Fitted {
    let row = |at: &str, row: &Object, mistakes: &mut Mistakes| {
        let fitted = checked(Kind::OrderItem, at, row, mistakes);
        rows::require(at, row, "name", mistakes);
        fitted
    };
    rows::list(
        at,
        value,
        "items, each at least {name, quantity, price}",
        row,
    )
}

fn has_name(order: &Object) -> bool {
    let filled = |address: &str, name: &str| {
        let text = order.get(address).and_then(|address| address.get(name));
        text.is_some_and(|text| !text_of(text).trim().is_empty())
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
