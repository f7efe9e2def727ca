//! Counting stock.
//!
//! Here: from the stock an item has and what is wanted to the stock it is to have. Order Desk knows no "five fewer", only an absolute
//! count written together with every other field of the item. Not here: reading and writing the item.

use serde_json::{Number, Value};

use crate::desk::error::DeskError;
use crate::desk::model::{Fields, Object, number_of};

/// What is to become of a stock count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjust {
    /// More by this many; less when negative.
    Delta(i64),
    /// Exactly this many.
    SetTo(i64),
}

/// The largest count that is written, either way. PHP and JSON agree on whole numbers up to here, and no shop has more.
const LARGEST: f64 = 1e12;

/// The stock after `adjust`. An item without a count has none: 0. A count with a fraction (sold by weight) keeps it under a delta.
///
/// # Errors
/// [`DeskError::BadRequest`] when what the item holds is no number, or the result could not be written exactly.
pub(super) fn adjusted(item: &Object, adjust: Adjust) -> Result<Number, DeskError> {
    let delta = match adjust {
        Adjust::SetTo(count) => return within(count as f64, Number::from(count)),
        Adjust::Delta(delta) => delta,
    };
    let before = count(item)?;
    if let Some(whole) = before.as_i64().and_then(|whole| whole.checked_add(delta)) {
        return within(whole as f64, Number::from(whole));
    }
    let after = four_places(before.as_f64().unwrap_or_default() + delta as f64);
    within(after, number(after))
}

/// The stock that the item has; a blank is 0.
///
/// # Errors
/// As [`adjusted`].
pub(super) fn count(item: &Object) -> Result<Number, DeskError> {
    let blank = match item.get("stock") {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        _ => false,
    };
    if blank {
        return Ok(Number::from(0));
    }
    let held = item.get("stock").and_then(number_of);
    held.ok_or_else(|| DeskError::BadRequest {
        what: format!(
            "the stock of inventory item `{}` is no number, so nothing can be added to it",
            Fields::of(item).text("id")
        ),
        hint: "give the right count with `set_to`",
    })
}

/// What a person should know about the count that was set.
pub(super) fn remark(after: &Number) -> Option<String> {
    let count = after.as_f64()?;
    (count < 0.0)
        .then(|| format!("the stock is negative now ({after}): more is sold than there is"))
}

fn within(size: f64, number: Number) -> Result<Number, DeskError> {
    if size.abs() <= LARGEST {
        return Ok(number);
    }
    Err(DeskError::BadRequest {
        what: format!("a stock of {number} is larger than any shop has"),
        hint: "check `delta` or `set_to`",
    })
}

/// Sums of binary fractions carry noise behind the fourth place, which Order Desk does not keep anyway.
fn four_places(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn number(value: f64) -> Number {
    if value.fract() == 0.0 && value.abs() <= LARGEST {
        return Number::from(value as i64);
    }
    Number::from_f64(value).unwrap_or_else(|| Number::from(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(stock: &Value, adjust: Adjust) -> Result<String, &'static str> {
        let item = json!({"id": 61001, "stock": stock});
        adjusted(item.as_object().unwrap(), adjust)
            .map(|number| number.to_string())
            .map_err(|error| error.code())
    }

    #[test]
    fn more_and_less_are_counted_from_what_is_there() {
        assert_eq!(after(&json!(34), Adjust::Delta(-5)), Ok("29".to_owned()));
        assert_eq!(after(&json!("34"), Adjust::Delta(6)), Ok("40".to_owned()));
        assert_eq!(after(&json!(34.0), Adjust::Delta(1)), Ok("35".to_owned()));
        assert_eq!(after(&json!(3), Adjust::Delta(-5)), Ok("-2".to_owned()));
        assert_eq!(after(&json!(null), Adjust::Delta(2)), Ok("2".to_owned()));
        assert_eq!(after(&json!(""), Adjust::Delta(2)), Ok("2".to_owned()));
    }

    #[test]
    fn a_fraction_stays_and_carries_no_noise() {
        assert_eq!(after(&json!(0.3), Adjust::Delta(1)), Ok("1.3".to_owned()));
        assert_eq!(
            after(&json!("1.7"), Adjust::Delta(-3)),
            Ok("-1.3".to_owned())
        );
    }

    #[test]
    fn an_exact_count_does_not_depend_on_what_was_there() {
        assert_eq!(after(&json!(34), Adjust::SetTo(0)), Ok("0".to_owned()));
        assert_eq!(
            after(&json!("many"), Adjust::SetTo(-1)),
            Ok("-1".to_owned())
        );
    }

    #[test]
    fn what_is_no_number_or_out_of_all_measure_is_refused() {
        assert_eq!(after(&json!("many"), Adjust::Delta(1)), Err("bad_request"));
        assert_eq!(after(&json!([]), Adjust::Delta(1)), Err("bad_request"));
        assert_eq!(
            after(&json!(34), Adjust::SetTo(i64::MAX)),
            Err("bad_request")
        );
        assert_eq!(
            after(&json!(i64::MAX), Adjust::Delta(1)),
            Err("bad_request")
        );
        assert_eq!(after(&json!("1e300"), Adjust::Delta(1)), Err("bad_request"));
    }

    #[test]
    fn only_a_negative_count_is_remarked_on() {
        assert!(remark(&Number::from(-1)).unwrap().contains("(-1)"));
        assert_eq!(remark(&Number::from(0)), None);
    }
}
