//! Values as models write them: lenient about types, strict about sense.
//!
//! Here: one function per kind of argument, from any JSON value to the value meant, or what is wrong with it. Not here: which argument takes
//! which kind (`args`).

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Longest text argument in characters. Order Desk's own fields are far shorter; the limit keeps request lines sane.
const MAX_TEXT_CHARS: usize = 1000;

/// Most entries of a list argument.
const MAX_LIST_ENTRIES: usize = 100;

pub(super) fn text(value: &Value) -> Result<String, String> {
    long_text(value, MAX_TEXT_CHARS)
}

pub(super) fn long_text(value: &Value, most: usize) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return Err("must be text".to_owned()),
    };
    match text.chars().count() {
        count if count > most => Err(format!("is longer than {most} characters: it has {count}")),
        _ => Ok(text),
    }
}

pub(super) fn integer(value: &Value, least: i64, most: i64) -> Result<i64, String> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        // A plus sign is how a person writes what is added.
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

pub(super) fn count(value: &Value, least: u64, most: u64) -> Result<u64, String> {
    let number = match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let whole = number.as_f64().and_then(whole)?;
            u64::try_from(whole).ok()
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

/// `20.0`, as some clients write every number.
fn whole(number: f64) -> Option<i64> {
    // 2^53: beyond it a float cannot tell neighbouring integers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let fits = number.fract() == 0.0 && number.abs() < EXACT;
    #[allow(clippy::cast_possible_truncation, reason = "checked on the line above")]
    fits.then_some(number as i64)
}

pub(super) fn flag(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Number(number) if number.as_u64() == Some(1) => Ok(true),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(false),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

pub(super) fn word(value: &Value, words: &[&'static str]) -> Result<&'static str, String> {
    let given = value.as_str().unwrap_or_default().trim();
    let listed = || format!("must be one of `{}`", words.join("`, `"));
    words
        .iter()
        .copied()
        .find(|word| word.eq_ignore_ascii_case(given))
        .ok_or_else(listed)
}

pub(super) fn words(value: &Value) -> Result<Vec<String>, String> {
    let list = list(value)?;
    if list.len() > MAX_LIST_ENTRIES {
        return Err(format!("has more than {MAX_LIST_ENTRIES} entries"));
    }
    Ok(list)
}

pub(super) fn ids(value: &Value, most: usize) -> Result<Vec<String>, String> {
    let given = match value {
        Value::Number(_) => vec![text(value)?],
        _ => list(value).map_err(|_| "must be a list of ids".to_owned())?,
    };
    let mut ids: Vec<String> = Vec::with_capacity(given.len());
    let mut seen = HashSet::new();
    for id in given {
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    if ids.len() > most {
        return Err(format!("has {} entries; at most {most} at once", ids.len()));
    }
    Ok(ids)
}

pub(super) fn object(value: &Value) -> Result<Map<String, Value>, String> {
    let wrong = || "must be an object".to_owned();
    match value {
        Value::Object(fields) => Ok(fields.clone()),
        Value::String(text) => serde_json::from_str(text).map_err(|_not_one| wrong()),
        _ => Err(wrong()),
    }
}

pub(super) fn objects(value: &Value, most: usize) -> Result<Vec<Value>, String> {
    let wrong = || "must be a list of objects".to_owned();
    let rows: Vec<Value> = match value {
        Value::Array(rows) => rows.clone(),
        Value::Object(_) => vec![value.clone()],
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(rows)) => rows,
            Ok(row @ Value::Object(_)) => vec![row],
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    if rows.len() > most {
        return Err(format!("has {} rows; at most {most} at once", rows.len()));
    }
    rows.iter()
        .map(|row| object(row).map(Value::Object).map_err(|_not_one| wrong()))
        .collect()
}

/// Texts, written as a list or with commas.
fn list(value: &Value) -> Result<Vec<String>, String> {
    Ok(match value {
        Value::String(text) => text
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(text)
            .collect::<Result<_, _>>()
            .map_err(|_| "must be a list of words".to_owned())?,
        _ => return Err("must be a list of words".to_owned()),
    })
}
