//! Sums of money and of pieces, exact.
//!
//! Here: an amount in ten-thousandths, read from JSON as Order Desk writes it (`53.4`, `"53.40"`, `53.400000000000006` after PHP has
//! calculated with floats) and written back without a float in between. Not here: a currency; the API names none.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

use serde_json::Value;

use crate::desk::model::{Fields, text_of};

/// Digits kept behind the point. Money has two, prices per piece in bulk trade up to four.
const PLACES: i32 = 4;

/// Ten-thousandths in one.
const ONE: i128 = 10_000;

/// Digits before the point that are still believed: two such amounts can be multiplied and millions summed without an overflow.
const MOST_WHOLE_DIGITS: i32 = 14;

/// A float shows every decimal number of up to fifteen digits as it is.
const EXACT_AS_FLOAT: i128 = 1_000_000_000_000_000;

/// An exact amount; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);

    /// A whole number.
    #[must_use]
    pub fn whole(number: i64) -> Amount {
        Amount(i128::from(number) * ONE)
    }

    /// Reads a decimal number, with or without an exponent; more than four places are rounded, halves away from zero. `None` for anything
    /// else, and for more than fourteen digits before the point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Amount> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || digits.len() > 400 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
        let ten_thousandths = shifted(&digits, point)?;
        Some(Amount(if negative {
            -ten_thousandths
        } else {
            ten_thousandths
        }))
    }

    /// A field of an object; `None` when it is missing or no number.
    #[must_use]
    pub fn field(fields: Fields<'_>, key: &str) -> Option<Amount> {
        fields.object().get(key).and_then(Amount::of)
    }

    /// A JSON number or a text that is one.
    #[must_use]
    pub fn of(value: &Value) -> Option<Amount> {
        match value {
            Value::Number(_) | Value::String(_) => Amount::parse(&text_of(value)),
            _ => None,
        }
    }

    /// The product, rounded to four places, halves away from zero.
    #[must_use]
    pub fn times(self, other: Amount) -> Amount {
        let product = self.0.saturating_mul(other.0);
        let half = if product < 0 { -ONE / 2 } else { ONE / 2 };
        Amount(product.saturating_add(half) / ONE)
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// As a JSON number; beyond fifteen digits as text, because a float would change it.
    #[must_use]
    pub fn to_json(self) -> Value {
        if self.0 % ONE == 0
            && let Ok(whole) = i64::try_from(self.0 / ONE)
        {
            return whole.into();
        }
        let text = self.to_string();
        let number = text
            .parse::<f64>()
            .ok()
            .filter(|_| self.0.abs() < EXACT_AS_FLOAT);
        number.map_or(Value::String(text), Value::from)
    }
}

/// The digits as ten-thousandths when the decimal point stands behind the first `point` of them (which may be negative or beyond the end).
fn shifted(digits: &str, point: i32) -> Option<i128> {
    let zeros = digits.bytes().take_while(|digit| *digit == b'0').count();
    let whole_digits = point.saturating_sub(i32::try_from(zeros).ok()?);
    if zeros == digits.len() {
        return Some(0);
    }
    if whole_digits > MOST_WHOLE_DIGITS {
        return None;
    }
    let keep = point.checked_add(PLACES)?;
    // Even the first digit lies behind the place that decides about rounding.
    let Ok(keep) = usize::try_from(keep) else {
        return Some(0);
    };
    let digit = |at: usize| i128::from(digits.as_bytes().get(at).map_or(0, |digit| digit - b'0'));
    let kept = (0..keep).fold(0_i128, |sum, at| {
        sum.saturating_mul(10).saturating_add(digit(at))
    });
    Some(kept + i128::from(digit(keep) >= 5))
}

impl std::fmt::Display for Amount {
    /// With at least no place and at most four: `53.4`, `-0.25`, `7`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0.abs() / ONE, self.0.abs() % ONE);
        let sign = if self.0 < 0 { "-" } else { "" };
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let places = format!("{rest:04}");
        write!(f, "{sign}{whole}.{}", places.trim_end_matches('0'))
    }
}

impl Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        *self = *self + other;
    }
}

impl Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(amounts: I) -> Amount {
        amounts.fold(Amount::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_read_in_every_form_that_order_desk_and_php_write() {
        for (written, meant) in [
            ("53.4", "53.4"),
            ("53.40", "53.4"),
            (" 10 ", "10"),
            ("-5.00", "-5"),
            ("+1.5", "1.5"),
            (".5", "0.5"),
            ("7.", "7"),
            ("0007", "7"),
            ("1e3", "1000"),
            ("1.5E-2", "0.015"),
            ("53.400000000000006", "53.4"),
            ("0.1999999999999999", "0.2"),
            ("0.00005", "0.0001"),
            ("0.00004", "0"),
            ("1e-30", "0"),
            ("0e99", "0"),
            ("0.000000000000000000001e21", "1"),
        ] {
            assert_eq!(amount(written).to_string(), meant, "{written}");
        }
    }

    #[test]
    fn what_is_no_number_is_none_and_so_is_what_cannot_be_believed() {
        for text in [
            "",
            " ",
            "-",
            ".",
            "e5",
            "ten",
            "NaN",
            "inf",
            "1,234.50",
            "$5",
            "1.2.3",
            "0x10",
            "1e",
            "--1",
            "1e400",
            "123456789012345",
        ] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
        assert_eq!(Amount::of(&json!(null)), None);
        assert_eq!(Amount::of(&json!(true)), None);
        assert_eq!(Amount::of(&json!([1])), None);
    }

    #[test]
    fn ten_cents_a_thousand_times_are_a_hundred() {
        let sum: Amount = (0..1000).map(|_| Amount::of(&json!(0.1)).unwrap()).sum();
        assert_eq!(sum.to_json(), json!(100));
        assert_eq!((amount("0.1") + amount("0.2")).to_json(), json!(0.3));
    }

    #[test]
    fn products_are_exact_and_round_away_from_zero() {
        assert_eq!(amount("19.99").times(amount("3")).to_string(), "59.97");
        assert_eq!(amount("0.0033").times(amount("0.5")).to_string(), "0.0017");
        assert_eq!(
            amount("-0.0033").times(amount("0.5")).to_string(),
            "-0.0017"
        );
    }

    #[test]
    fn a_sum_too_long_for_a_float_is_given_as_text() {
        assert_eq!(
            amount("99999999999.9999").to_json(),
            json!(99_999_999_999.999_9)
        );
        assert_eq!(
            amount("12345678901234.5678").to_json(),
            json!("12345678901234.5678")
        );
        assert_eq!(
            amount("12345678901234").to_json(),
            json!(12_345_678_901_234_i64)
        );
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(ten_thousandths in -1_000_000_000_000_000_000_i128..1_000_000_000_000_000_000) {
            let amount = Amount(ten_thousandths);
            prop_assert_eq!(Amount::parse(&amount.to_string()), Some(amount));
            prop_assert_eq!(Amount::of(&amount.to_json()), Some(amount));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.eE ]{0,40}") {
            let _ = Amount::parse(&text).map(|amount| (amount.times(amount), amount.to_json()));
        }
    }
}
