//! Reading what clients send the lenient way PHP does: numbers as text, text as numbers, `[]` or `""` for an empty map.

use serde_json::{Map, Number, Value};

use super::Fields;

/// A scalar as text; `None` for a list or an object.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(if *yes { "1" } else { "" }.to_owned()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A scalar as a number; blank is 0; `None` for what is no number.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(0.0),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.trim().is_empty() => Some(0.0),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
        Value::Bool(yes) => Some(if *yes { 1.0 } else { 0.0 }),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// A scalar as a whole number.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    number(value).map(|number| number.trunc() as i64)
}

/// An id given as a number or as digits.
pub(crate) fn id(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A map given as an object, or as one of the ways PHP writes an empty one.
pub(crate) fn map(value: &Value) -> Option<Fields> {
    match value {
        Value::Object(map) => Some(map.clone()),
        Value::Array(list) if list.is_empty() => Some(Map::new()),
        Value::String(text) if text.is_empty() => Some(Map::new()),
        Value::Null => Some(Map::new()),
        _ => None,
    }
}

/// A list of objects, or one of the ways to write none.
pub(crate) fn rows(value: &Value) -> Option<Vec<Fields>> {
    match value {
        Value::Array(list) => list.iter().map(|row| row.as_object().cloned()).collect(),
        Value::Object(map) if map.is_empty() => Some(Vec::new()),
        Value::String(text) if text.is_empty() => Some(Vec::new()),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

/// `number` as JSON: whole ones without a point, money and weights to four places.
pub(crate) fn json(number: f64) -> Value {
    let rounded = (number * 10_000.0).round() / 10_000.0;
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        return Value::from(rounded as i64);
    }
    Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

/// The text of field `key`; blank if it is not there.
pub(crate) fn str_of<'a>(fields: &'a Fields, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The number in field `key`; 0 if it is not there.
pub(crate) fn number_of(fields: &Fields, key: &str) -> f64 {
    fields.get(key).and_then(number).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn php_spellings_of_one_value_are_one_value() {
        assert_eq!(number(&json!("10")), number(&json!(10.0)));
        assert_eq!(number(&json!("")), Some(0.0));
        assert_eq!(number(&json!("ten")), None);
        assert_eq!(text(&json!(12)).as_deref(), Some("12"));
        assert_eq!(map(&json!([])), map(&json!({})));
        assert_eq!(map(&json!([1])), None);
        assert_eq!(
            (id(&json!("7")), id(&json!(7)), id(&json!(-7))),
            (Some(7), Some(7), None)
        );
    }

    #[test]
    fn whole_floats_lose_their_point() {
        assert_eq!(json(10.0).to_string(), "10");
        assert_eq!(json(0.1 + 0.2).to_string(), "0.3");
    }
}
