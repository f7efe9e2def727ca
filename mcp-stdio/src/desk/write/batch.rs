//! Many rows in one request: how they are cut, and what the answer says about each.
//!
//! Here: the size of a chunk, and the reading of `results`, the only place where a batch tells the truth: its envelope says `success`
//! even when not one row was taken. What is not said about a row is uncertain, and must be read again. Not here: sending and re-reading.

use serde_json::Value;

use crate::desk::model::{Fields, Object, same_number};
use crate::desk::quote;

/// Rows in one request. Order Desk names no limit; this is what careful clients send.
pub(super) const ROWS_PER_REQUEST: usize = 100;

/// How much of Order Desk's words about a row is kept, in characters.
const WORDS: usize = 160;

/// What the answer says about one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It was taken.
    Done,
    /// It was not, for this reason (cleaned and capped).
    Refused(String),
    /// Nothing, or nothing that is certainly about this row.
    Nothing,
}

/// What `envelope` says about each row, in the order in which they were sent. `orders` holds the order id of each row.
pub(super) fn said(envelope: &Object, orders: &[&str]) -> Vec<Said> {
    let results = results(envelope, orders.len());
    let complete = results.iter().all(Option::is_some);
    let one = |(order, result): (&&str, &Option<&Object>)| match result {
        Some(result) => said_of(Fields::of(result), order, complete),
        None => Said::Nothing,
    };
    orders.iter().zip(&results).map(one).collect()
}

/// The result at each position. A list with gaps comes from PHP as an object whose keys are the positions.
pub(super) fn results(envelope: &Object, rows: usize) -> Vec<Option<&Object>> {
    let at = |index: usize| match envelope.get("results") {
        Some(Value::Array(values)) => values.get(index),
        Some(Value::Object(values)) => values.get(&index.to_string()),
        _ => None,
    };
    (0..rows).map(|index| at(index)?.as_object()).collect()
}

/// A result that names another order is not about this row; one that names none counts only where no row is missing, for a gap shifts
/// the positions.
fn said_of(result: Fields<'_>, order: &str, complete: bool) -> Said {
    let named = result.text("order_id");
    let ours = if named.is_empty() {
        complete
    } else {
        same_number(&named, order)
    };
    if !ours {
        return Said::Nothing;
    }
    match result.text("status").to_ascii_lowercase().as_str() {
        "success" => Said::Done,
        "error" => Said::Refused(quote::line(&result.text("message"), WORDS)),
        _ => Said::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(results: &Value, orders: &[&str]) -> Vec<Said> {
        let envelope =
            json!({"status": "success", "message": "0 Shipments Added", "results": results});
        said(envelope.as_object().unwrap(), orders)
    }

    #[test]
    fn each_row_is_judged_by_its_own_result_and_never_by_the_envelope() {
        let results = json!([
            {"status": "success", "order_id": 7_001_001, "message": "Shipment Added"},
            {"status": "error", "order_id": "7001002", "message": "Shipment\nNot Added"},
            {"status": "odd"},
        ]);
        assert_eq!(
            told(&results, &["7001001", "7001002", "7001003"]),
            [
                Said::Done,
                Said::Refused("Shipment Not Added".to_owned()),
                Said::Nothing
            ]
        );
    }

    #[test]
    fn success_with_no_results_says_nothing_about_any_row() {
        for results in [
            json!([]),
            json!(null),
            json!("none"),
            json!({}),
            json!([1, "x"]),
        ] {
            assert_eq!(told(&results, &["1", "2"]), [Said::Nothing, Said::Nothing]);
        }
        assert_eq!(said(&Object::new(), &["1"]), [Said::Nothing]);
    }

    #[test]
    fn a_result_about_another_order_is_not_about_this_row() {
        let results =
            json!([{"status": "success", "order_id": 2}, {"status": "success", "order_id": 1}]);
        assert_eq!(told(&results, &["1", "2"]), [Said::Nothing, Said::Nothing]);
    }

    #[test]
    fn with_a_row_missing_only_results_that_name_their_order_count() {
        let results = json!([{"status": "success", "order_id": 1}, {"status": "success"}]);
        assert_eq!(
            told(&results, &["1", "2", "3"]),
            [Said::Done, Said::Nothing, Said::Nothing]
        );
    }

    #[test]
    fn a_list_with_gaps_keeps_its_positions() {
        let results = json!({"0": {"status": "success", "order_id": 1}, "2": {"status": "error", "order_id": 3, "message": "no"}});
        assert_eq!(
            told(&results, &["1", "2", "3"]),
            [Said::Done, Said::Nothing, Said::Refused("no".to_owned())]
        );
    }
}
