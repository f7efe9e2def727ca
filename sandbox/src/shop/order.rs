//! One order: its fields in Order Desk's order and types, how input becomes them, and its totals.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Fields, address, values};
use crate::assumptions::{
    CHECKOUT_DATA_MAX_CHARS, HISTORY_MAX_ENTRIES, KEEPS_UNKNOWN_FIELDS, NOTES_MAX_CHARS,
    ORDER_METADATA_MAX_CHARS,
};
use crate::{php, when};

/// One stored order.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    /// All fields of the read form but `email_count` and `order_history`.
    pub(crate) fields: Fields,
    /// The append-only log: `{source_name, note, date_added}`.
    pub(crate) history: Vec<Value>,
    /// The read form as text; `None` after a change.
    pub(crate) text: Option<String>,
}

/// What the server does with a field that a client writes.
#[derive(Clone, Copy)]
enum Write {
    /// Text; left out means blank.
    Text,
    /// A number; left out means 0.
    Number,
    /// Ours: what the client sends is ignored.
    Ours,
    ShipTo,
    BillTo,
    Return,
    /// Map of scalars, at most this many characters as JSON.
    Map(usize),
    Discounts,
    Notes,
}

/// Every field of the read form, in the order in which the service sends them. `order_items`, `folder_id` and the
/// totals are "ours" here because they need the shop around them (see `orders`).
const FIELDS: &[(&str, Write)] = &[
    ("id", Write::Ours),
    ("email", Write::Text),
    ("shipping_method", Write::Text),
    ("quantity_total", Write::Ours),
    ("weight_total", Write::Ours),
    ("product_total", Write::Ours),
    ("shipping_total", Write::Number),
    ("handling_total", Write::Number),
    ("tax_total", Write::Number),
    ("discount_total", Write::Ours),
    ("order_total", Write::Ours),
    ("cc_number_masked", Write::Ours),
    ("cc_exp", Write::Text),
    ("processor_response", Write::Text),
    ("payment_type", Write::Text),
    ("payment_status", Write::Text),
    ("processor_balance", Write::Number),
    ("refund_total", Write::Ours),
    ("customer_id", Write::Text),
    ("email_count", Write::Ours),
    ("ip_address", Write::Text),
    ("tag_color", Write::Ours),
    ("source_name", Write::Text),
    ("source_id", Write::Text),
    ("fulfillment_name", Write::Text),
    ("fulfillment_id", Write::Text),
    ("tag_name", Write::Text),
    ("folder_id", Write::Ours),
    ("date_added", Write::Ours),
    ("date_updated", Write::Ours),
    ("shipping", Write::ShipTo),
    ("customer", Write::BillTo),
    ("return_address", Write::Return),
    ("checkout_data", Write::Map(CHECKOUT_DATA_MAX_CHARS)),
    ("order_metadata", Write::Map(ORDER_METADATA_MAX_CHARS)),
    ("discount_list", Write::Discounts),
    ("order_notes", Write::Notes),
    ("order_items", Write::Ours),
    ("order_shipments", Write::Ours),
];

/// Keys that only ever come in or only ever go out beside the fields.
const NEVER_STORED: &[&str] = &["cc_number", "order_history", "email_count"];

/// Builds the stored fields from `input`. Ours are taken from `old` (blank when there is none).
///
/// # Errors
/// One line for each field that has the wrong shape or is too long.
pub(crate) fn fields_from(
    input: &Fields,
    old: Option<&Fields>,
    now: Timestamp,
) -> Result<Fields, Vec<String>> {
    let mut fields = Map::new();
    let mut errors = Vec::new();
    for (name, write) in FIELDS {
        match written(input, old, name, *write, now) {
            Ok(value) => {
                fields.insert((*name).to_owned(), value);
            }
            Err(error) => errors.push(error),
        }
    }
    if let Some(card) = input.get("cc_number").and_then(values::text) {
        fields.insert("cc_number_masked".to_owned(), Value::String(masked(&card)));
    }
    if KEEPS_UNKNOWN_FIELDS {
        for (name, value) in input.iter().filter(|(name, _)| !is_known(name)) {
            fields.insert(name.clone(), value.clone());
        }
    }
    if errors.is_empty() {
        Ok(fields)
    } else {
        Err(errors)
    }
}

fn is_known(name: &str) -> bool {
    let flat_address = name.starts_with("customer_") || name.starts_with("shipping_");
    flat_address || NEVER_STORED.contains(&name) || FIELDS.iter().any(|(known, _)| *known == name)
}

fn written(
    input: &Fields,
    old: Option<&Fields>,
    name: &str,
    write: Write,
    now: Timestamp,
) -> Result<Value, String> {
    let given = input.get(name).unwrap_or(&Value::Null);
    let wrong = || format!("{name} has the wrong type");
    match write {
        Write::Text => values::text(given).map(Value::String).ok_or_else(wrong),
        Write::Number => values::number(given).map(values::json).ok_or_else(wrong),
        Write::Ours => Ok(old
            .and_then(|old| old.get(name))
            .cloned()
            .unwrap_or_else(|| blank(name))),
        Write::ShipTo => address_from(input, name, address::SHIPPING).ok_or_else(wrong),
        Write::BillTo => address_from(input, name, address::CUSTOMER).ok_or_else(wrong),
        Write::Return => address_from(input, name, address::RETURN).ok_or_else(wrong),
        Write::Map(limit) => {
            let map = Value::Object(values::map(given).ok_or_else(wrong)?);
            let chars = map.to_string().chars().count();
            if chars > limit {
                Err(format!(
                    "{name} is {chars} characters long, at most {limit} are kept"
                ))
            } else {
                Ok(map)
            }
        }
        Write::Discounts => values::rows(given).map(discounts).ok_or_else(wrong),
        Write::Notes => values::rows(given)
            .map(|rows| notes(rows, now))
            .ok_or_else(wrong),
    }
}

fn blank(name: &str) -> Value {
    match name {
        "order_items" | "order_shipments" => json!([]),
        "quantity_total" | "weight_total" | "product_total" | "discount_total" | "order_total"
        | "refund_total" | "folder_id" => json!(0),
        _ => json!(""),
    }
}

fn address_from(input: &Fields, name: &str, names: &[&str]) -> Option<Value> {
    let given = match input.get(name) {
        Some(given) => values::map(given)?,
        None => address::from_flat(input, name, names),
    };
    Some(Value::Object(address::complete(&given, names)))
}

fn discounts(rows: Vec<Fields>) -> Value {
    let row = |row: Fields| {
        let text = |name: &str| row.get(name).and_then(values::text).unwrap_or_default();
        json!({"name": text("name"), "code": text("code"), "amount": format!("{:.2}", values::number_of(&row, "amount"))})
    };
    rows.into_iter().map(row).collect()
}

/// Notes over the limit are lost, newest first: the documented way to lose data.
fn notes(rows: Vec<Fields>, now: Timestamp) -> Value {
    let note = |row: Fields| {
        let text = |name: &str| row.get(name).and_then(values::text).unwrap_or_default();
        let date = Some(text("date_added"))
            .filter(|date| !date.is_empty())
            .unwrap_or_else(|| when::stamp(now));
        json!({"date_added": date, "username": text("username"), "content": text("content")})
    };
    let mut notes: Vec<Value> = rows.into_iter().map(note).collect();
    while Value::Array(notes.clone()).to_string().chars().count() > NOTES_MAX_CHARS {
        notes.pop();
    }
    Value::Array(notes)
}

fn masked(card: &str) -> String {
    let digits: Vec<char> = card.chars().filter(char::is_ascii_digit).collect();
    let last: String = digits[digits.len().saturating_sub(4)..].iter().collect();
    if last.is_empty() {
        String::new()
    } else {
        format!("xxxxxxxxxxxx{last}")
    }
}

impl Order {
    /// Something changed: the text is stale, the totals are settled, `date_updated` moves.
    pub(crate) fn touch(&mut self, now: Timestamp) {
        self.settle_totals();
        self.fields
            .insert("date_updated".to_owned(), json!(when::stamp(now)));
        self.text = None;
    }

    /// Appends to the history; the oldest entries make room.
    pub(crate) fn log(&mut self, source: &str, note: impl Into<String>, now: Timestamp) {
        self.history.push(
            json!({"source_name": source, "note": note.into(), "date_added": when::stamp(now)}),
        );
        if self.history.len() > HISTORY_MAX_ENTRIES {
            self.history.remove(0);
        }
    }

    pub(crate) fn folder(&self) -> i64 {
        self.fields
            .get("folder_id")
            .and_then(Value::as_i64)
            .unwrap_or(0)
    }

    /// What orders are grouped by for `email_count`.
    pub(crate) fn email_key(&self) -> String {
        values::str_of(&self.fields, "email").to_lowercase()
    }

    pub(crate) fn items(&self) -> &[Value] {
        self.list("order_items")
    }

    pub(crate) fn shipments(&self) -> &[Value] {
        self.list("order_shipments")
    }

    fn list(&self, name: &str) -> &[Value] {
        self.fields
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// The entries of a list field, for writing; [`Order::touch`] afterwards.
    pub(crate) fn list_mut(&mut self, name: &str) -> &mut Vec<Value> {
        let list = self.fields.entry(name).or_insert_with(|| json!([]));
        if !list.is_array() {
            *list = json!([]);
        }
        list.as_array_mut().expect("made a list one line above")
    }

    /// Writes the read form; `same_email` orders share the address, this one included.
    pub(crate) fn render(&mut self, same_email: usize) {
        // Order Desk sends this one number as text.
        self.fields
            .insert("email_count".to_owned(), json!(same_email.to_string()));
        let mut text = String::with_capacity(2_048);
        php::write(&Value::Object(self.fields.clone()), &mut text);
        self.text = Some(text);
    }

    /// The calculated numbers: grand total = products + shipping + handling + tax − discounts.
    pub(crate) fn settle_totals(&mut self) {
        let (mut quantity, mut weight, mut products) = (0_i64, 0.0, 0.0);
        for item in self.items().iter().filter_map(Value::as_object) {
            let pieces = values::number_of(item, "quantity");
            quantity += pieces as i64;
            weight += pieces * values::number_of(item, "weight");
            products += pieces * values::number_of(item, "price");
        }
        let discounts = self
            .list("discount_list")
            .iter()
            .filter_map(Value::as_object);
        let discount: f64 = discounts.map(|row| values::number_of(row, "amount")).sum();
        let charges = ["shipping_total", "handling_total", "tax_total"]
            .map(|name| values::number_of(&self.fields, name));
        let total = products + charges.iter().sum::<f64>() - discount;
        self.set_number("quantity_total", quantity as f64);
        self.set_number("weight_total", weight);
        self.set_number("product_total", cents(products));
        self.set_number("discount_total", cents(discount));
        self.set_number("order_total", cents(total));
    }

    pub(crate) fn set_number(&mut self, name: &str, number: f64) {
        self.text = None;
        self.fields.insert(name.to_owned(), values::json(number));
    }

    pub(crate) fn set_text(&mut self, name: &str, text: impl Into<String>) {
        self.text = None;
        self.fields
            .insert(name.to_owned(), Value::String(text.into()));
    }
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}
