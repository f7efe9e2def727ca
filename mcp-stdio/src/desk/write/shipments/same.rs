//! Whether a parcel is known already.
//!
//! Order Desk refuses a tracking number that the order has, compared letter by letter. People and carriers write one number in several
//! ways, and a customer told twice of one parcel is annoyed: so here numbers are compared without blanks, dashes and case. Carriers only
//! tell apart where both are named, for Order Desk guesses one that is left out.

use crate::desk::model::{Fields, Object};

/// What stands for a tracking number where there is none.
pub(super) const NO_NUMBER: &str = "n/a";

/// The shipment among `known` that is the parcel described by `wanted`.
pub(super) fn find<'a>(known: &[Fields<'a>], wanted: &Object) -> Option<Fields<'a>> {
    known
        .iter()
        .find(|shipment| same(**shipment, Fields::of(wanted)))
        .copied()
}

/// Whether two shipments of one order are one parcel.
pub(super) fn same(one: Fields<'_>, other: Fields<'_>) -> bool {
    let numbers = [one, other].map(|shipment| bare(&shipment.text("tracking_number")));
    let carriers = [one, other].map(|shipment| bare(&shipment.text("carrier_code")));
    !numbers[0].is_empty()
        && numbers[0] == numbers[1]
        && (carriers[0] == carriers[1] || carriers.iter().any(String::is_empty))
}

/// A number as it is compared.
pub(super) fn bare(number: &str) -> String {
    number
        .chars()
        .filter(|character| !character.is_whitespace() && !is_dash(*character))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Copied numbers carry the dashes of the page they were copied from.
fn is_dash(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}'
    )
}

/// Whether the caller says that there is no number.
pub(super) fn is_none(number: &str) -> bool {
    bare(number) == NO_NUMBER
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn alike(one: &Value, other: &Value) -> bool {
        same(
            Fields::of(one.as_object().unwrap()),
            Fields::of(other.as_object().unwrap()),
        )
    }

    #[test]
    fn one_number_written_in_several_ways_is_one_parcel() {
        let usual = json!({"tracking_number": "9400 1102-0088", "carrier_code": "USPS"});
        for other in [
            json!({"tracking_number": "940011020088"}),
            json!({"tracking_number": " 9400-1102\u{2011}0088 ", "carrier_code": "usps"}),
            json!({"tracking_number": 940_011_020_088_u64, "carrier_code": ""}),
        ] {
            assert!(alike(&usual, &other));
        }
    }

    #[test]
    fn another_number_or_another_carrier_is_another_parcel() {
        let usual = json!({"tracking_number": "1ZDEMO1", "carrier_code": "UPS"});
        for other in [
            json!({"tracking_number": "1ZDEMO2", "carrier_code": "UPS"}),
            json!({"tracking_number": "1ZDEMO1", "carrier_code": "FedEx"}),
            json!({"tracking_number": ""}),
            json!({}),
        ] {
            assert!(!alike(&usual, &other));
        }
        assert!(!alike(&json!({}), &json!({})), "no number is no parcel");
    }

    #[test]
    fn what_stands_for_no_number_is_known_in_any_case() {
        assert!(is_none(" N/A") && is_none("n/a") && !is_none("na1") && !is_none(""));
    }
}
