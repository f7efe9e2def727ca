//! Changes that fit an order, drawn like the orders: mostly to what is there, some to what is so already.

use serde_json::{Map, Value, json};

use super::draw::{Draw, ITEM_TEXTS, KEYS, MAPS, NUMBERS, TEXTS, number, parts, word};

/// Changes that fit the order; some of them name what is so already, in the same or in another style.
pub(super) fn changes(draw: &mut Draw, order: &Value) -> Value {
    let mut changes = Map::new();
    for _ in 0..1 + draw.below(6) {
        change(draw, order, &mut changes);
    }
    Value::Object(changes)
}

fn change(draw: &mut Draw, order: &Value, changes: &mut Map<String, Value>) {
    match draw.below(10) {
        0 => drop(changes.insert(draw.pick(TEXTS).to_owned(), text_or_null(draw))),
        1 => drop(changes.insert(draw.pick(NUMBERS).to_owned(), number(draw))),
        2 | 3 => {
            let name = draw.pick(&["shipping", "customer", "return_address"]);
            let part = draw.pick(parts(name));
            part_of(changes, name).insert(part.to_owned(), text_or_null(draw));
        }
        4 | 5 => {
            let name = draw.pick(MAPS);
            map_change(draw, name, order, changes);
        }
        6 | 7 => item_change(draw, order, changes),
        8 => match draw.below(4) {
            0 => drop(changes.insert("unknown_scalar".to_owned(), json!(word(draw)))),
            1 => drop(changes.insert(
                "unknown_object".to_owned(),
                json!({"deep": {"k": word(draw), "new": number(draw)}}),
            )),
            2 => drop(changes.insert(
                "unknown_object".to_owned(),
                json!({"deep": {"l": null}, "list": [word(draw)]}),
            )),
            _ => drop(changes.insert(
                "discount_list".to_owned(),
                json!([{"name": format!("Sale {}", word(draw)), "code": "C", "amount": draw.below(9)}]),
            )),
        },
        _ => already_so(draw, order, changes),
    }
}

fn text_or_null(draw: &mut Draw) -> Value {
    match draw.below(8) {
        0 => Value::Null,
        1 => json!(draw.below(99_999)),
        _ => json!(word(draw)),
    }
}

fn part_of<'a>(changes: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let part = changes.entry(name).or_insert_with(|| json!({}));
    if !part.is_object() {
        *part = json!({});
    }
    part.as_object_mut().unwrap()
}

fn map_change(draw: &mut Draw, name: &str, order: &Value, changes: &mut Map<String, Value>) {
    if draw.one_in(12) {
        changes.insert(name.to_owned(), Value::Null);
        return;
    }
    let (key, value) = key_change(draw, &order[name]);
    part_of(changes, name).insert(key, value);
}

/// A key that is there, or a new one; a value of the shape that stands there, or `null` to remove it.
fn key_change(draw: &mut Draw, map: &Value) -> (String, Value) {
    let there: Vec<String> = map
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .cloned()
        .collect();
    let known = !there.is_empty() && draw.one_in(2);
    let key = if known {
        there[draw.below(there.len())].clone()
    } else {
        draw.pick(KEYS).to_owned()
    };
    let removes = draw.one_in(4);
    let value = match map.get(&key) {
        _ if removes => Value::Null,
        Some(Value::Object(inner)) if !inner.is_empty() => json!({"k": word(draw)}),
        Some(Value::Array(inner)) if !inner.is_empty() => json!([word(draw)]),
        _ => {
            if draw.one_in(2) {
                number(draw)
            } else {
                json!(word(draw))
            }
        }
    };
    (key, value)
}

/// The lines of an order, whichever way PHP wrote the list.
pub(super) fn rows(order: &Value) -> Vec<&Value> {
    match &order["order_items"] {
        Value::Array(rows) => rows.iter().collect(),
        Value::Object(rows) => rows.values().collect(),
        _ => Vec::new(),
    }
}

pub(super) fn id(row: &Value) -> String {
    row["id"]
        .as_str()
        .map_or_else(|| row["id"].to_string(), str::to_owned)
}

fn item_change(draw: &mut Draw, order: &Value, changes: &mut Map<String, Value>) {
    let rows = rows(order);
    let named = |id: &str| rows.iter().filter(|row| self::id(row) == id).count() == 1;
    let Some(row) = rows
        .get(draw.below(rows.len()))
        .filter(|row| named(&id(row)))
    else {
        return;
    };
    let (field, value) = match draw.below(5) {
        0 => (draw.pick(ITEM_TEXTS), text_or_null(draw)),
        1 => ("price", number(draw)),
        2 => ("quantity", json!(draw.below(50))),
        _ => {
            let field = draw.pick(&["variation_list", "metadata"]);
            let (key, value) = key_change(draw, &row[field]);
            (field, json!({key: value}))
        }
    };
    let entries = changes
        .entry("order_items")
        .or_insert_with(|| json!([]))
        .as_array_mut()
        .unwrap();
    let entry = match entries.iter().position(|entry| id(entry) == id(row)) {
        Some(at) => &mut entries[at],
        None => {
            entries.push(
                json!({"id": if draw.one_in(2) { json!(id(row)) } else { row["id"].clone() }}),
            );
            entries.last_mut().unwrap()
        }
    };
    entry[field] = value;
}

/// What is there already, numbers in another style.
fn already_so(draw: &mut Draw, order: &Value, changes: &mut Map<String, Value>) {
    let (name, value) = if draw.one_in(2) {
        let name = draw.pick(TEXTS);
        (name, restyled(&order[name]))
    } else {
        let name = draw.pick(NUMBERS);
        (name, respelled(draw, &order[name]))
    };
    changes.insert(name.to_owned(), value);
}

fn restyled(text: &Value) -> Value {
    match text {
        Value::String(text)
            if text
                .parse::<u32>()
                .is_ok_and(|number| number.to_string() == *text) =>
        {
            json!(text.parse::<u32>().unwrap())
        }
        Value::Number(number) if number.is_u64() => json!(number.to_string()),
        other => other.clone(),
    }
}

/// All numbers that are drawn are quarters: two digits are exact.
fn respelled(draw: &mut Draw, number: &Value) -> Value {
    let number = number
        .as_f64()
        .or_else(|| number.as_str()?.parse().ok())
        .unwrap();
    match draw.below(3) {
        0 => json!(format!("{number:.2}")),
        1 => json!(number),
        _ => json!(format!(" +{number:.3} ")),
    }
}
