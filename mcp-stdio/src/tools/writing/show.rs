//! A diff as it is shown.
//!
//! What stands in it was written by strangers: it is cleaned, cut and kept within JSON strings, in an answer and in a question to a person
//! alike. What is known about a payment card is left out. Here: how much of it is shown. Not here: what differs (`desk::merge`).

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Writing;
use crate::desk::merge::Difference;
use crate::person::Question;
use crate::{clean, error, mask, reply};

/// Most lines of a diff in an answer.
const MOST_LINES: usize = 50;

/// Most bytes of a diff in an answer, of whatever its lines are: a quarter of the answer, most of which is for the thing itself.
const MOST_BYTES: usize = reply::MAX_BYTES / 4;

/// Most characters of one value in an answer.
const MOST_CHARS: usize = 200;

/// Most bytes of one whole thing, like a deleted order, in an answer.
const MOST_BYTES_OF_ONE: usize = 1500;

/// Most lines of a diff in a question: what fits into a dialogue.
const MOST_LINES_ASKED: usize = 10;

/// Most characters of one value in a question.
const MOST_CHARS_ASKED: usize = 80;

/// What a person knows a whole order, item or shipment by.
const TELLING: [&str; 9] = [
    "source_id",
    "date_added",
    "email",
    "order_total",
    "name",
    "code",
    "quantity",
    "price",
    "tracking_number",
];

/// The lines for an answer, and how many were left out.
pub(super) fn diff(differences: &[Difference]) -> (Vec<Value>, usize) {
    let shown: Vec<&Difference> = visible(differences).collect();
    let mut bytes = 0;
    let lines: Vec<Value> = shown
        .iter()
        .take(MOST_LINES)
        .map(|line| {
            json!({
                "path": clean::text(&line.path),
                "before": value(&line.before),
                "after": value(&line.after),
            })
        })
        .take_while(|line| {
            bytes += reply::size_of(line);
            bytes <= MOST_BYTES
        })
        .collect();
    let left_out = shown.len() - lines.len();
    (lines, left_out)
}

/// Remarks for an answer, with one more where lines of the diff were left out.
pub(super) fn remarks(given: &[String], left_out: usize) -> Option<Vec<Value>> {
    let mut remarks: Vec<Value> = given.iter().map(|remark| text(remark).into()).collect();
    if left_out > 0 {
        remarks.push(format!("{left_out} more lines of the diff are not shown").into());
    }
    (!remarks.is_empty()).then_some(remarks)
}

/// Text that may hold something of a shop's.
pub(super) fn text(given: &str) -> String {
    clean::text(given).into_owned()
}

/// A stranger's words within a line: in quotes that they cannot leave.
pub(super) fn quoted(given: &str) -> String {
    Value::from(cut(&clean::text(given), MOST_CHARS_ASKED)).to_string()
}

/// What a person is asked.
pub(super) fn question(
    call: Writing<'_>,
    shop: &str,
    differences: &[Difference],
    remarks: &[String],
) -> Question {
    let title = super::super::find(call.tool).map_or(call.tool, |tool| tool.title);
    let mut text = format!("Shop: {shop}\n");
    for (name, value) in call.args.given() {
        let plain = match value {
            Value::String(text) => error::quoted(text),
            Value::Number(_) => value.to_string(),
            Value::Array(values) if values.len() > 5 => format!("{} entries", values.len()),
            Value::Array(values) if values.iter().all(Value::is_string) => values
                .iter()
                .filter_map(Value::as_str)
                .map(error::quoted)
                .collect::<Vec<_>>()
                .join(", "),
            _ => continue,
        };
        if name != "store" {
            let _ = writeln!(text, "{name}: {plain}");
        }
    }
    let hides = call.context.config.mask_pii;
    let shown: Vec<&Difference> = visible(differences).collect();
    for line in shown.iter().take(MOST_LINES_ASKED) {
        let mut line = json!({"path": line.path, "before": line.before, "after": line.after});
        if hides {
            mask::value(&mut line);
        }
        let path = error::capped(line["path"].as_str().unwrap_or_default());
        let (before, after) = (asked(&line["before"]), asked(&line["after"]));
        let _ = writeln!(text, "- {path}: {before} → {after}");
    }
    if shown.len() > MOST_LINES_ASKED {
        let _ = writeln!(text, "… and {} more", shown.len() - MOST_LINES_ASKED);
    }
    for remark in remarks.iter().take(3) {
        let _ = writeln!(text, "Note: {}", cut(&clean::text(remark), MOST_CHARS));
    }
    let text = if hides {
        mask::text(&text).into_owned()
    } else {
        text
    };
    Question {
        title: format!("{title}?"),
        text,
    }
}

/// Lines about anything but a payment card.
fn visible(differences: &[Difference]) -> impl Iterator<Item = &Difference> {
    differences.iter().filter(|line| {
        let last = line.path.rsplit('.').next().unwrap_or_default();
        !clean::is_of_a_card(last)
    })
}

/// A value for an answer: cleaned, without cards, and not longer than somebody reads. It stays what it is, because what is hidden of people is
/// found by the names of fields.
fn value(given: &Value) -> Value {
    let mut shown = short_texts(clean::value(without_cards(given)));
    if reply::size_of(&shown) > MOST_BYTES_OF_ONE {
        match &mut shown {
            Value::Object(fields) => fold_the_largest(fields),
            Value::Array(values) => keep_the_first(values),
            _ => {}
        }
    }
    shown
}

fn short_texts(given: Value) -> Value {
    match given {
        Value::String(text) => cut(&text, MOST_CHARS).into(),
        Value::Array(values) => values.into_iter().map(short_texts).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, short_texts(value)))
            .collect::<Map<_, _>>()
            .into(),
        plain => plain,
    }
}

/// Puts a count in the place of what takes most room, until the rest is short.
fn fold_the_largest(fields: &mut Map<String, Value>) {
    let mut bytes: usize = fields.values().map(reply::size_of).sum();
    while bytes > MOST_BYTES_OF_ONE {
        let largest = fields
            .values_mut()
            .max_by_key(|value| reply::size_of(value));
        let Some(largest) = largest else { return };
        let before = reply::size_of(largest);
        let folded = match &*largest {
            Value::Array(values) => format!("({} entries)", values.len()),
            Value::Object(inner) => format!("({} fields)", inner.len()),
            _ => "…".to_owned(),
        };
        *largest = folded.into();
        let after = reply::size_of(largest);
        if after >= before {
            return;
        }
        bytes -= before - after;
    }
}

fn keep_the_first(values: &mut Vec<Value>) {
    let mut bytes = 0;
    let kept = values
        .iter()
        .take_while(|value| {
            bytes += reply::size_of(value);
            bytes <= MOST_BYTES_OF_ONE
        })
        .count();
    let more = values.len() - kept;
    values.truncate(kept);
    values.push(format!("… and {more} more").into());
}

/// A value for a question.
fn asked(given: &Value) -> String {
    match given {
        Value::Null => "(nothing)".to_owned(),
        Value::String(text) => quoted(text),
        Value::Object(fields) if TELLING.iter().any(|name| fields.contains_key(*name)) => {
            let told = TELLING.iter().filter_map(|name| match fields.get(*name)? {
                Value::String(text) if !text.is_empty() => Some(format!("{name} {}", quoted(text))),
                Value::Number(number) => Some(format!("{name} {number}")),
                _ => None,
            });
            format!("({})", told.collect::<Vec<_>>().join(", "))
        }
        other => {
            let json = clean::value(without_cards(other)).to_string();
            cut(&json, MOST_CHARS_ASKED).replace('\n', " ")
        }
    }
}

fn without_cards(given: &Value) -> Value {
    match given {
        Value::Object(fields) => clean::without_cards(fields.clone())
            .into_iter()
            .map(|(name, inner)| (name, without_cards(&inner)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(values) => values.iter().map(without_cards).collect(),
        other => other.clone(),
    }
}

/// The first characters of a text, with a sign that there are more.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
