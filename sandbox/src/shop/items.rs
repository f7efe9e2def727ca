//! Order items: what one has, and how a written list replaces a stored one.

use serde_json::{Map, Value, json};

use super::{Fields, take, values};
use crate::assumptions::KEEPS_UNKNOWN_FIELDS;

/// The fields of an item, in the order in which they are sent.
const FIELDS: &[&str] = &[
    "id",
    "name",
    "price",
    "quantity",
    "weight",
    "code",
    "delivery_type",
    "category_code",
    "fulfillment_method",
    "variation_list",
    "metadata",
];

/// Builds an item from what a client sent; what is left out gets its default (a blank, on `PUT` as on `POST`).
///
/// # Errors
/// One line for each field that is missing or has the wrong shape.
pub(crate) fn item_from(input: &Fields, id: u64) -> Result<Value, Vec<String>> {
    let mut item = Map::new();
    let mut errors = Vec::new();
    for name in FIELDS {
        match field(input, name, id) {
            Some(value) => {
                item.insert((*name).to_owned(), value);
            }
            None => errors.push(format!(
                "order item: {name} is missing or has the wrong type"
            )),
        }
    }
    if KEEPS_UNKNOWN_FIELDS {
        for (name, value) in input
            .iter()
            .filter(|(name, _)| !FIELDS.contains(&name.as_str()))
        {
            item.insert(name.clone(), value.clone());
        }
    }
    if errors.is_empty() {
        Ok(Value::Object(item))
    } else {
        Err(errors)
    }
}

fn field(input: &Fields, name: &str, id: u64) -> Option<Value> {
    let given = input.get(name);
    match name {
        "id" => Some(json!(id.to_string())),
        "name" => given
            .and_then(values::text)
            .filter(|text| !text.is_empty())
            .map(Value::String),
        "price" => price(given),
        "weight" => given.map_or(Some(0.0), values::number).map(values::json),
        "quantity" => given.map_or(Some(1), values::whole).map(Value::from),
        "delivery_type" => {
            let text = given.map_or(Some(String::new()), values::text)?;
            Some(json!(if text.is_empty() {
                "ship".to_owned()
            } else {
                text
            }))
        }
        "variation_list" | "metadata" => given
            .map_or(Some(Map::new()), values::map)
            .map(Value::Object),
        _ => given
            .map_or(Some(String::new()), values::text)
            .map(Value::String),
    }
}

/// A price that came as text goes out as text: the same field is `16` in one order and `"16"` in the next.
fn price(given: Option<&Value>) -> Option<Value> {
    let number = given.map_or(Some(0.0), values::number)?;
    match given {
        Some(Value::String(text)) if !text.is_empty() => Some(json!(text)),
        _ => Some(values::json(number)),
    }
}

/// The list after a write of `rows` over `old`: entries with a known id are updated, those without are new, the rest is gone.
///
/// # Errors
/// The mistakes of every row.
pub(crate) fn replaced(
    rows: &[Fields],
    old: &[Value],
    next_item: &mut u64,
) -> Result<Vec<Value>, Vec<String>> {
    let mut items = Vec::new();
    let mut errors = Vec::new();
    for row in rows {
        let known = row
            .get("id")
            .and_then(values::id)
            .filter(|id| old.iter().any(|item| has_id(item, *id)));
        match item_from(row, known.unwrap_or(*next_item)) {
            Ok(item) => items.push(item),
            Err(mut mistakes) => errors.append(&mut mistakes),
        }
        if known.is_none() {
            take(next_item);
        }
    }
    if errors.is_empty() {
        Ok(items)
    } else {
        Err(errors)
    }
}

/// Whether a list entry carries this id (as text or as a number).
pub(crate) fn has_id(entry: &Value, id: u64) -> bool {
    entry.get("id").and_then(values::id) == Some(id)
}
