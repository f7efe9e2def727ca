//! Whether a value fits its field, and the form in which it is sent.
//!
//! Here: one value at a time, all its mistakes. Not here: which fields there are (`fields`), rows of lists (`rows`), whole things
//! (`patch`, `create`).

use serde_json::Value;
use shared::env::nearest;

use super::fields::Shape;
use super::value::{decimal_of, digits, is_blank, is_scalar};
use super::{path, rows};
use crate::desk::model::Object;

/// What is wrong, each with what to do.
pub(super) type Mistakes = Vec<String>;

/// The value in the form in which it is sent; `None` (and a mistake) if it does not fit. `current` is what stands there.
///
/// In what comes back a `null` within an object removes that key; a map that is `null` itself is emptied.
pub(super) fn fit(
    shape: Option<Shape>,
    at: &str,
    value: &Value,
    current: Option<&Value>,
    mistakes: &mut Mistakes,
) -> Option<Value> {
    let fitted = match shape {
        None if value.is_null() => blanked(at, current),
        None => free(at, value, current),
        Some(Shape::Text) => text(at, value, current),
        Some(Shape::Word(words)) => word(at, value, current, words),
        Some(Shape::Day) => day(at, value, current),
        Some(Shape::Number) => number(at, value, current),
        Some(Shape::MaybeNumber) if is_blank(value) => text(at, value, current),
        Some(Shape::MaybeNumber) => number(at, value, current),
        Some(Shape::Whole) => whole(at, value, current),
        Some(Shape::Map) => map(at, value, current),
        Some(Shape::Address(parts)) => address(at, value, current, parts),
        Some(Shape::Discounts) => rows::discounts(at, value, current),
        Some(Shape::Parcel) => rows::parcel(at, value),
        Some(Shape::Notes) => rows::notes(at, value),
        Some(Shape::Items) => rows::items(at, value, current),
    };
    fitted.map_err(|found| mistakes.extend(found)).ok()
}

/// A value, or all that is wrong with it.
pub(super) type Fitted = Result<Value, Mistakes>;

fn wrong<T>(at: &str, what: &str) -> Result<T, Mistakes> {
    Err(vec![format!("`{at}` {what}")])
}

/// A field that the documentation does not know is blanked: text becomes empty, parts are named one by one.
fn blanked(at: &str, current: Option<&Value>) -> Fitted {
    match current {
        Some(part) if !is_scalar(part) && !is_blank(part) => {
            wrong(at, "has parts; name each that shall be removed")
        }
        _ => Ok(blank(current)),
    }
}

/// Nothing, the way it is written where it stands.
fn blank(current: Option<&Value>) -> Value {
    match current {
        Some(blank) if is_blank(blank) => blank.clone(),
        _ => Value::from(""),
    }
}

pub(super) fn text(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    match value {
        Value::Null => Ok(blank(current)),
        Value::String(text) => visible(at, text),
        Value::Number(number) => Ok(Value::from(digits(number))),
        Value::Bool(_) => truth(at),
        Value::Array(_) | Value::Object(_) => wrong(at, "is text; give one text"),
    }
}

/// Tabs and line breaks are text; other control characters are a slip of some program.
fn visible(at: &str, text: &str) -> Fitted {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(control) {
        return wrong(at, "holds control characters; leave them out");
    }
    Ok(Value::from(text))
}

fn truth<T>(at: &str) -> Result<T, Mistakes> {
    wrong(
        at,
        "is true or false, which Order Desk does not know; say 1 or 0, or a word",
    )
}

fn word(at: &str, value: &Value, current: Option<&Value>, words: &[&str]) -> Fitted {
    let text = text(at, value, current)?;
    let Some(given) = text.as_str().filter(|given| !given.is_empty()) else {
        return Ok(text);
    };
    if current == Some(&text) {
        return Ok(text);
    }
    if let Some(word) = words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(given.trim()))
    {
        return Ok(Value::from(*word));
    }
    let meant = nearest(given, words.iter().copied())
        .map_or_else(String::new, |word| format!("; did you mean `{word}`?"));
    wrong(at, &format!("is one of {}{meant}", words.join(", ")))
}

fn day(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    let text = text(at, value, current)?;
    let is_day = |day: &str| day.len() == 10 && day.parse::<jiff::civil::Date>().is_ok();
    match text.as_str() {
        Some(day) if !day.is_empty() && !is_day(day) => {
            wrong(at, "is a day; write it as YYYY-MM-DD")
        }
        _ => Ok(text),
    }
}

pub(super) fn number(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    match value {
        Value::Bool(_) => truth(at),
        blank if is_blank(blank) && current.is_some_and(is_blank) => Ok(self::blank(current)),
        blank if is_blank(blank) => wrong(at, "is a number; say 0 for nothing"),
        Value::String(text) if decimal_of(value).is_some() => Ok(Value::from(text.trim())),
        Value::Number(_) => Ok(value.clone()),
        _ => wrong(
            at,
            "is a number; write it like 12.5, without a unit or a comma",
        ),
    }
}

pub(super) fn whole(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    let number = number(at, value, current)?;
    match decimal_of(&number) {
        Some(digits) if digits.contains('.') => wrong(at, "is a number without a fraction"),
        _ => Ok(number),
    }
}

/// Free keys. `null` empties the map, `[]` is PHP's way to say that nothing is named.
fn map(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Object(changes) => keys(at, changes, current),
        blank if is_blank(blank) => Ok(Value::Object(Object::new())),
        _ => wrong(at, "is a map; give an object with the keys to change"),
    }
}

fn keys(at: &str, changes: &Object, current: Option<&Value>) -> Fitted {
    let mut fitted = Object::new();
    let mut mistakes = Mistakes::new();
    for (key, value) in changes {
        let at = path::key(at, key);
        match free(&at, value, current.and_then(|current| entry(current, key))) {
            Ok(value) => drop(fitted.insert(key.clone(), value)),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() {
        Ok(Value::Object(fitted))
    } else {
        Err(mistakes)
    }
}

/// What stands under `key`: PHP writes a map with the keys 0, 1, 2 as a list.
fn entry<'a>(current: &'a Value, key: &str) -> Option<&'a Value> {
    match current {
        Value::Object(map) => map.get(key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Anything, as long as it does not put text where parts are, or parts where text is.
fn free(at: &str, value: &Value, current: Option<&Value>) -> Fitted {
    let current = current.filter(|current| !is_blank(current));
    match (value, current) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Bool(_), Some(Value::Bool(_))) => Ok(value.clone()),
        (Value::Bool(_), _) => truth(at),
        (Value::Object(changes), None | Some(Value::Object(_))) => keys(at, changes, current),
        (_, Some(Value::Object(_))) => {
            wrong(at, "is an object; give an object with the keys to change")
        }
        (Value::Array(_), None | Some(Value::Array(_))) => Ok(value.clone()),
        (_, Some(Value::Array(_))) => wrong(at, "is a list; give the whole list"),
        (Value::Array(_) | Value::Object(_), Some(_)) => wrong(at, "is one value; give one value"),
        (Value::String(text), _) => visible(at, text),
        (Value::Number(_), _) => Ok(value.clone()),
    }
}

fn address(at: &str, value: &Value, current: Option<&Value>, parts: &[&str]) -> Fitted {
    let changes = match value {
        Value::Object(changes) => changes,
        Value::Array(list) if list.is_empty() => return Ok(Value::Object(Object::new())),
        _ => {
            return wrong(
                at,
                "is an address; give an object with the fields to change",
            );
        }
    };
    let there = current.and_then(Value::as_object);
    let known =
        |key: &str| parts.contains(&key) || there.is_some_and(|there| there.contains_key(key));
    let mut fitted = Object::new();
    let mut mistakes = Mistakes::new();
    for (key, value) in changes {
        let place = path::key(at, key);
        if !known(key) {
            mistakes.push(unknown(
                &place,
                &format!("`{at}`"),
                key,
                parts.iter().copied(),
            ));
            continue;
        }
        match text(&place, value, there.and_then(|there| there.get(key))) {
            Ok(value) => drop(fitted.insert(key.clone(), value)),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() {
        Ok(Value::Object(fitted))
    } else {
        Err(mistakes)
    }
}

/// A name that neither the documentation nor the thing knows.
pub(super) fn unknown<'a>(
    at: &str,
    whose: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("`{at}` is no field of {whose}; did you mean `{meant}`?"),
        None => format!("`{at}` is no field of {whose}; it has {}", known.join(", ")),
    }
}
