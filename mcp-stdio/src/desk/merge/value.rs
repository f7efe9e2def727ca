//! When two JSON values mean the same, whichever way PHP wrote them.
//!
//! Here: numbers and their digits as text, the four ways to write nothing, lists that are maps with the keys 0, 1, 2. Not here: which
//! field is a number (`fields`).

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::desk::model::Object;

/// Whether `a` and `b` mean the same: `10`, `10.0` and `"10"` do; `null`, `""`, `[]` and `{}` do; a list is the map of its positions.
/// Text is compared exactly (`"010"` is not `"10"`, `"10.0"` is not `"10"`), and nothing is not zero.
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    if is_blank(a) || is_blank(b) {
        return is_blank(a) && is_blank(b);
    }
    if let (Some(a), Some(b)) = (scalar(a), scalar(b)) {
        return a == b;
    }
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (Value::Array(list), Value::Object(map)) | (Value::Object(map), Value::Array(list)) => {
            list.len() == map.len()
                && list.iter().enumerate().all(|(at, value)| {
                    map.get(&at.to_string())
                        .is_some_and(|other| same(value, other))
                })
        }
        _ => false,
    }
}

/// The same for a field that is a number: `"5.00"`, `" 5"` and `5` mean the same, too.
pub(super) fn same_number(a: &Value, b: &Value) -> bool {
    match (decimal_of(a), decimal_of(b)) {
        (Some(a), Some(b)) => a == b,
        _ => same(a, b),
    }
}

/// The ways in which PHP writes nothing.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether it is a value without parts.
pub(super) fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// Text as it is, numbers in plain digits.
fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(digits(number))),
        _ => None,
    }
}

/// The number without exponent and without needless zeros: `10` for `10.0`, `0.00001` for `1e-5`, `0` for `-0.0`.
pub(super) fn digits(number: &Number) -> String {
    if number.is_f64() {
        // Display of a float never writes an exponent, and no more digits than it takes to read the same float again.
        return plain(&format!("{}", number.as_f64().unwrap_or_default()))
            .unwrap_or_else(|| number.to_string());
    }
    number.to_string()
}

/// The value as an exact decimal, when it is a number or the text of one.
pub(super) fn decimal_of(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(digits(number)),
        Value::String(text) => {
            let text = text.trim();
            plain(text).or_else(|| {
                let float: f64 = text.parse().ok()?;
                Number::from_f64(float).map(|number| digits(&number))
            })
        }
        _ => None,
    }
}

/// `[+-]digits[.digits]` without needless zeros and signs; digit for digit, so that no length is too long.
fn plain(text: &str) -> Option<String> {
    let (minus, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() && fraction.is_empty() {
        return Some("0".to_owned());
    }
    let sign = if minus { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// The value as a map: PHP writes one whose keys are 0, 1, 2 as a list. `None` for text and numbers.
pub(super) fn as_map(value: &Value) -> Option<Cow<'_, Object>> {
    match value {
        Value::Object(map) => Some(Cow::Borrowed(map)),
        Value::Array(list) => Some(Cow::Owned(
            list.iter()
                .enumerate()
                .map(|(at, value)| (at.to_string(), value.clone()))
                .collect(),
        )),
        blank if is_blank(blank) => Some(Cow::Owned(Object::new())),
        _ => None,
    }
}

/// The values of a list: PHP writes one with a gap as a map with numbers as keys. `None` for text, numbers and other maps.
pub(super) fn as_rows(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(list) => Some(list.iter().collect()),
        Value::Object(map) if map.keys().all(|key| is_position(key)) => {
            Some(map.values().collect())
        }
        blank if is_blank(blank) => Some(Vec::new()),
        _ => None,
    }
}

fn is_position(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// A row's id in digits; `None` without one.
pub(super) fn id_of(row: &Value) -> Option<String> {
    let id = row.get("id")?;
    match id {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(digits(number)),
        _ => None,
    }
}
