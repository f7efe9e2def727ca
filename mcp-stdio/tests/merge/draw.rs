//! Orders out of a handful of numbers, which proptest chooses and shrinks.
//!
//! A generator of its own, as ten thousand orders of up to 500 lines each from combined strategies would take minutes: every number
//! picks the next word, quirk or field, and smaller numbers pick the plainer ones.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Where choices come from: the given numbers first, then a mix of them, so that any amount can be drawn.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    numbers: Vec<u32>,
    at: usize,
}

impl Draw {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let round = self.at / self.numbers.len();
        let number = self.numbers[self.at % self.numbers.len()];
        self.at += 1;
        let mixed = (number as usize).wrapping_add(round.wrapping_mul(2_654_435_761) >> 3);
        if bound == 0 { 0 } else { mixed % bound }
    }

    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == many - 1
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Numbers to draw from.
pub(super) fn draws() -> impl Strategy<Value = Draw> {
    proptest::collection::vec(any::<u32>(), 24..72).prop_map(|numbers| Draw { numbers, at: 0 })
}

const WORDS: &[&str] = &[
    "",
    "Dover",
    "Rosa",
    "10",
    "010",
    "10.0",
    "5.00",
    "0",
    "Ærøskøbing",
    "東京都",
    "O'Neil \"Bo\"",
    "a/b\\c",
    "line\nbreak",
    " spaced ",
    "null",
    "[]",
    "{}",
    "🧦 socks",
    "e\u{301}clair",
    "1e5",
    "-3",
    "99999999999999999999",
    "true",
];

/// Keys of maps, some of which look like paths or like positions of a list.
pub(super) const KEYS: &[&str] = &[
    "Gift",
    "Size",
    "a.b",
    "c[0]",
    "say \"hi\"",
    "0",
    "1",
    "Größe",
    "",
    "id",
    "x y",
];

const ADDRESS: &[&str] = &[
    "first_name",
    "last_name",
    "company",
    "address1",
    "address2",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

const RETURN: &[&str] = &[
    "title",
    "name",
    "company",
    "address1",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

/// The address parts that a change may name.
pub(super) fn parts(address: &str) -> &'static [&'static str] {
    if address == "return_address" {
        RETURN
    } else {
        ADDRESS
    }
}

pub(super) const TEXTS: &[&str] = &[
    "email",
    "shipping_method",
    "source_id",
    "source_name",
    "customer_id",
    "fulfillment_name",
    "fulfillment_id",
    "ip_address",
    "payment_type",
];

pub(super) const NUMBERS: &[&str] = &[
    "shipping_total",
    "handling_total",
    "tax_total",
    "processor_balance",
];

pub(super) const MAPS: &[&str] = &["checkout_data", "order_metadata"];

pub(super) const ITEM_TEXTS: &[&str] = &["name", "code", "category_code", "fulfillment_method"];

pub(super) fn word(draw: &mut Draw) -> String {
    let word = draw.pick(WORDS);
    if draw.one_in(3) {
        format!("{word}{}", draw.below(100))
    } else {
        word.to_owned()
    }
}

/// A number in one of the ways in which PHP writes it.
pub(super) fn number(draw: &mut Draw) -> Value {
    let number = draw.below(2_000);
    match draw.below(5) {
        0 => json!(number),
        1 => json!(number.to_string()),
        2 => json!(number as f64 / 4.0),
        3 => json!(format!("{:.2}", number as f64 / 4.0)),
        _ => json!(number as f64),
    }
}

fn scalar(draw: &mut Draw) -> Value {
    match draw.below(4) {
        0 | 1 => json!(word(draw)),
        2 => number(draw),
        _ => {
            if draw.one_in(3) {
                Value::Null
            } else {
                json!(word(draw))
            }
        }
    }
}

/// Any JSON, three levels deep at most.
pub(super) fn anything(draw: &mut Draw, depth: usize) -> Value {
    match draw.below(if depth == 0 { 4 } else { 7 }) {
        0..=2 => scalar(draw),
        3 => json!(draw.one_in(2)),
        4 => (0..draw.below(4))
            .map(|_| anything(draw, depth - 1))
            .collect(),
        _ => {
            let keys =
                (0..draw.below(4)).map(|_| (draw.pick(KEYS).to_owned(), anything(draw, depth - 1)));
            Value::Object(keys.collect())
        }
    }
}

/// A map as PHP writes it: an object; a list when it is empty or its keys are 0, 1, 2; rarely something odd inside.
fn php_map(draw: &mut Draw) -> Value {
    match draw.below(8) {
        0 | 1 => json!([]),
        2 => [Value::Null, json!(""), json!({})][draw.below(3)].clone(),
        3 => (0..1 + draw.below(3)).map(|_| json!(word(draw))).collect(),
        _ => {
            let mut map = Map::new();
            for _ in 0..1 + draw.below(5) {
                let value = if draw.one_in(12) {
                    anything(draw, 2)
                } else {
                    scalar(draw)
                };
                map.insert(draw.pick(KEYS).to_owned(), value);
            }
            Value::Object(map)
        }
    }
}

fn address(draw: &mut Draw, parts: &[&str]) -> Value {
    if draw.one_in(15) {
        return if draw.one_in(2) {
            json!([])
        } else {
            Value::Null
        };
    }
    let mut address = Map::new();
    for name in parts {
        if !draw.one_in(12) {
            let value = if draw.one_in(9) {
                json!(draw.below(90_000))
            } else {
                json!(word(draw))
            };
            address.insert((*name).to_owned(), value);
        }
    }
    if draw.one_in(6) {
        address.insert("residential".to_owned(), scalar(draw));
    }
    Value::Object(address)
}

fn item(draw: &mut Draw, id: usize) -> Value {
    let mut item = Map::new();
    let id = if draw.one_in(4) {
        json!(id)
    } else {
        json!(id.to_string())
    };
    item.insert("id".to_owned(), id);
    for name in ITEM_TEXTS {
        item.insert((*name).to_owned(), json!(word(draw)));
    }
    for name in ["price", "quantity", "weight"] {
        item.insert(name.to_owned(), number(draw));
    }
    item.insert("variation_list".to_owned(), php_map(draw));
    item.insert("metadata".to_owned(), php_map(draw));
    if draw.one_in(3) {
        item.insert("new_field".to_owned(), anything(draw, 2));
    }
    Value::Object(item)
}

fn items(draw: &mut Draw) -> Value {
    // Most orders have a few lines, one in two hundred has hundreds.
    let count = if draw.one_in(200) {
        100 + draw.below(401)
    } else {
        draw.below(5)
    };
    let mut rows: Vec<Value> = (0..count)
        .map(|at| item(draw, 9_100_001 + at * 7))
        .collect();
    if count > 1 && draw.one_in(25) {
        // Two lines with one id: nobody can name them, and both have to survive.
        rows[0]["id"] = rows[1]["id"].clone();
    }
    if draw.one_in(12) {
        let gaps = rows
            .into_iter()
            .enumerate()
            .map(|(at, row)| ((at * 2).to_string(), row));
        return Value::Object(gaps.collect());
    }
    Value::Array(rows)
}

fn notes(draw: &mut Draw) -> Value {
    let note = |draw: &mut Draw| json!({"date_added": "2026-03-02 15:00:00", "username": word(draw), "content": word(draw)});
    let mut notes: Vec<Value> = (0..draw.below(4)).map(|_| note(draw)).collect();
    if draw.one_in(6) {
        notes.push(json!({"date_added": "2026-03-02 15:00:00", "username": "Kim", "content": "é".repeat(1_800)}));
    }
    Value::Array(notes)
}

/// An order with everything that Order Desk is known to do, and with fields that nobody knows yet.
pub(super) fn order(draw: &mut Draw) -> Value {
    let mut order = Map::new();
    let mut add = |name: &str, value: Value| drop(order.insert(name.to_owned(), value));
    add("id", json!("7001001"));
    for name in TEXTS {
        add(
            name,
            if draw.one_in(10) {
                number(draw)
            } else {
                json!(word(draw))
            },
        );
    }
    for name in NUMBERS {
        add(name, number(draw));
    }
    for name in [
        "order_total",
        "quantity_total",
        "email_count",
        "cc_number_masked",
        "date_updated",
    ] {
        add(name, scalar(draw));
    }
    for name in [
        "cc_exp",
        "processor_response",
        "refund_total",
        "tag_color",
        "folder_id",
        "date_added",
    ] {
        add(name, scalar(draw));
    }
    for name in ["shipping", "customer", "return_address"] {
        if !draw.one_in(10) {
            add(name, address(draw, parts(name)));
        }
    }
    for name in MAPS {
        if !draw.one_in(10) {
            add(name, php_map(draw));
        }
    }
    add(
        "discount_list",
        (0..draw.below(3))
            .map(|_| json!({"name": word(draw), "amount": number(draw)}))
            .collect(),
    );
    add("order_notes", notes(draw));
    add("unknown_scalar", scalar(draw));
    add(
        "unknown_object",
        json!({"deep": {"k": scalar(draw), "l": scalar(draw)}, "list": [1, "1", 1.5]}),
    );
    add("unknown_anything", anything(draw, 3));
    add("order_items", items(draw));
    add(
        "order_shipments",
        json!([{"id": "3001", "tracking_number": word(draw)}]),
    );
    Value::Object(order)
}
