//! The rows of a batch of shipments, before anything is sent.
//!
//! Here: what each row is about (an order's id, or the channel's order number), every mistake in it, rows that are one parcel, and the body
//! of the request. Not here: finding orders by their number, and what the orders hold already (`batch`).

use serde_json::Value;

use super::same;
use crate::desk::model::{BadId, Fields, Object, OrderId, as_number, text_of};
use crate::desk::quote;

/// Order numbers that are looked up for one call: each costs a request of its own, three go in a second, and a call has less than a minute.
pub(super) const MOST_SOURCE_IDS: usize = 60;

/// Which order a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Order Desk's own id.
    Id(OrderId),
    /// The channel's order number: to be found first.
    Source(String),
}

/// Reads which order each row is about.
///
/// # Errors
/// Every mistake of every row, each with its place and what to do.
pub(super) fn whose(rows: &[Object]) -> Result<Vec<Whose>, Vec<String>> {
    let mut mistakes = Vec::new();
    let mut read = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match whose_one(row) {
            Ok(whose) => read.push(whose),
            Err(why) => mistakes.push(format!("shipments[{index}]: {why}")),
        }
        if Fields::of(row).text("tracking_number").trim().is_empty() {
            mistakes.push(format!(
                "shipments[{index}]: `tracking_number` is missing; write `n/a` when there is none"
            ));
        }
    }
    let by_number = distinct_sources(&read).len();
    if by_number > MOST_SOURCE_IDS {
        mistakes.push(format!(
            "{by_number} orders are named by `source_id`, and each must be looked up: at most {MOST_SOURCE_IDS} fit into one call; give `order_id`, or fewer rows"
        ));
    }
    if mistakes.is_empty() {
        Ok(read)
    } else {
        Err(mistakes)
    }
}

fn whose_one(row: &Object) -> Result<Whose, String> {
    let fields = Fields::of(row);
    let (id, number) = (fields.text("order_id"), fields.text("source_id"));
    match (id.trim(), number.trim()) {
        ("", "") => Err("give `order_id`, or `source_id` (the channel's order number)".to_owned()),
        (id, "") => OrderId::parse(id)
            .map(Whose::Id)
            .map_err(|bad: BadId| bad.to_string()),
        ("", number) => Ok(Whose::Source(number.to_owned())),
        _ => Err("give `order_id` or `source_id`, not both".to_owned()),
    }
}

/// The order numbers to be looked up, each once.
pub(super) fn distinct_sources(rows: &[Whose]) -> Vec<&str> {
    let mut numbers: Vec<&str> = Vec::new();
    for row in rows {
        if let Whose::Source(number) = row
            && !numbers.contains(&number.as_str())
        {
            numbers.push(number);
        }
    }
    numbers
}

/// For each row the earlier row that is the same parcel of the same order, if there is one.
pub(super) fn repeats(rows: &[Object], orders: &[Option<OrderId>]) -> Vec<Option<usize>> {
    let is_repeat = |index: usize, earlier: usize| {
        orders[index].is_some()
            && orders[index] == orders[earlier]
            && same::same(Fields::of(&rows[index]), Fields::of(&rows[earlier]))
    };
    (0..rows.len())
        .map(|index| (0..index).find(|earlier| is_repeat(index, *earlier)))
        .collect()
}

/// The row as it is sent: with the order's id as the number that Order Desk's own samples have, and without what only we understand.
pub(super) fn body(row: &Object, order: &OrderId) -> Object {
    let mut body = Object::new();
    body.insert("order_id".to_owned(), as_number(order.as_str()));
    let ours = |name: &str| matches!(name, "order_id" | "source_id");
    for (name, value) in row.iter().filter(|(name, _)| !ours(name)) {
        body.insert(name.clone(), value.clone());
    }
    trim_number(&mut body);
    body
}

/// Blanks around a tracking number come from copying it and make it another number for Order Desk.
pub(super) fn trim_number(shipment: &mut Object) {
    if let Some(number) = shipment.get_mut("tracking_number") {
        *number = Value::from(text_of(number).trim());
    }
}

/// How a row is named in an answer: by what identifies it.
pub(super) fn label(row: &Object, order: Option<&OrderId>) -> Value {
    let fields = Fields::of(row);
    let mut label = Object::new();
    if let Some(order) = order {
        label.insert("order_id".to_owned(), Value::from(order.as_str()));
    }
    let number = fields.text("source_id");
    if !number.is_empty() {
        label.insert(
            "source_id".to_owned(),
            Value::from(quote::line(&number, 60)),
        );
    }
    let tracking = quote::line(&fields.text("tracking_number"), 60);
    label.insert("tracking_number".to_owned(), Value::from(tracking));
    Value::Object(label)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(value: Value) -> Vec<Object> {
        let Value::Array(rows) = value else {
            unreachable!("the literal is a list")
        };
        rows.into_iter()
            .filter_map(|row| row.as_object().cloned())
            .collect()
    }

    fn id(text: &str) -> OrderId {
        OrderId::parse(text).unwrap()
    }

    #[test]
    fn a_row_is_about_an_id_or_a_channels_number() {
        let read = whose(&rows(json!([
            {"order_id": 7_001_001, "tracking_number": "1Z"},
            {"source_id": " DEMO-1042 ", "tracking_number": "2Z"},
            {"order_id": "", "source_id": "DEMO-1042", "tracking_number": "3Z"},
        ])))
        .unwrap();
        assert_eq!(
            read,
            [
                Whose::Id(id("7001001")),
                Whose::Source("DEMO-1042".to_owned()),
                Whose::Source("DEMO-1042".to_owned())
            ]
        );
        assert_eq!(distinct_sources(&read), ["DEMO-1042"]);
    }

    #[test]
    fn every_mistake_is_told_with_its_row() {
        let told = whose(&rows(json!([
            {"tracking_number": "1Z"},
            {"order_id": "DEMO-1042", "tracking_number": "1Z"},
            {"order_id": "1", "source_id": "2", "tracking_number": "1Z"},
            {"order_id": "1", "tracking_number": "  "},
        ])))
        .unwrap_err();
        let places: Vec<&str> = told
            .iter()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(
            places,
            [
                "shipments[0]",
                "shipments[1]",
                "shipments[2]",
                "shipments[3]"
            ]
        );
        assert!(told[3].contains("`n/a`"), "{told:?}");
    }

    #[test]
    fn too_many_numbers_to_look_up_are_refused_before_the_first_request() {
        let row =
            |index: usize| json!({"source_id": format!("D-{index}"), "tracking_number": "1Z"});
        let many = rows((0..=MOST_SOURCE_IDS).map(row).collect());
        assert!(whose(&many).unwrap_err()[0].contains("at most 60"));
        assert!(whose(&many[1..]).is_ok());
    }

    #[test]
    fn rows_that_are_one_parcel_are_found_whatever_their_spelling() {
        let rows = rows(json!([
            {"tracking_number": "1Z-1"},
            {"tracking_number": "1z1"},
            {"tracking_number": "1Z1"},
            {"tracking_number": "1Z2"},
        ]));
        let orders = [Some(id("1")), Some(id("1")), Some(id("2")), Some(id("1"))];
        assert_eq!(repeats(&rows, &orders), [None, Some(0), None, None]);
        assert_eq!(repeats(&rows, &[None, None, None, None]), [None; 4]);
    }

    #[test]
    fn a_row_is_sent_with_a_numeric_id_and_without_our_own_fields() {
        let row =
            rows(json!([{"source_id": "D-1", "tracking_number": " 1Z ", "carrier_code": "UPS"}]));
        assert_eq!(
            Value::Object(body(&row[0], &id("7001001"))),
            json!({"order_id": 7_001_001, "tracking_number": "1Z", "carrier_code": "UPS"})
        );
        assert_eq!(
            label(&row[0], Some(&id("7"))),
            json!({"order_id": "7", "source_id": "D-1", "tracking_number": " 1Z ".trim()})
        );
    }
}
