//! Ids of Order Desk: checked once, at the door.
//!
//! Here: one type per kind of id, so that an order's id is never asked of the inventory, and the proof that an id is digits only. Ids
//! end up in request paths together with the shop's key: an unchecked `../store` would reach another endpoint. Not here: channel
//! order numbers (`source_id`), which are free text and only ever travel in a query string.

use std::fmt;

use serde_json::Value;

use crate::desk::quote;
use crate::pasted;

/// The longest id that is accepted, in digits. Ten were seen in use; twenty hold any 64-bit number.
const MAX_DIGITS: usize = 20;

/// A text that cannot be an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {what} id: {why}; hint: {hint}")]
pub struct BadId {
    /// Which kind of id was wanted: `order`, `store`, `inventory item`.
    pub what: &'static str,
    /// What came instead, cleaned and capped.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
    /// What to do about it.
    pub hint: &'static str,
}

fn check(what: &'static str, hint: &'static str, text: &str) -> Result<String, BadId> {
    let text = text.trim();
    let why = if text.is_empty() {
        "it is empty"
    } else if text.len() > MAX_DIGITS {
        "it is longer than 20 digits"
    } else if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        "only digits can be"
    } else {
        return Ok(without_leading_zeros(text).to_owned());
    };
    // Somebody who mixed up the two fields must not find the key in a log.
    let given = if pasted::looks_like_a_key(text) {
        "…".to_owned()
    } else {
        quote::line(text, 60)
    };
    Err(BadId {
        what,
        given,
        why,
        hint,
    })
}

/// One spelling for one thing: two of them in one batch would be taken for two things.
fn without_leading_zeros(digits: &str) -> &str {
    let plain = digits.trim_start_matches('0');
    if plain.is_empty() { "0" } else { plain }
}

/// Whether two ids are the same number: leading zeros mean nothing, and nothing is not zero.
pub(crate) fn same_number(one: &str, other: &str) -> bool {
    let both = !one.is_empty() && !other.is_empty();
    both && one.trim_start_matches('0') == other.trim_start_matches('0')
}

/// An id as Order Desk's own samples send it within a body: as a number. Digits that fit into none stay text.
pub(crate) fn as_number(id: &str) -> Value {
    id.parse::<u64>()
        .map_or_else(|_| Value::from(id), Value::from)
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $hint:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Takes 1 to 20 digits; blanks around them and zeros before them are dropped.
            ///
            /// # Errors
            /// [`BadId`] says what else it found.
            pub fn parse(text: &str) -> Result<$name, BadId> {
                check($what, $hint, text).map($name)
            }

            /// The digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id_type!(
    /// Order Desk's own id of an order: the only one that works in a path.
    OrderId,
    "order",
    "give Order Desk's internal order id, such as `7001001`; find it with `orders_find` when you have the channel's order number"
);
id_type!(
    /// The id of a store, as its settings show it under API.
    StoreId,
    "store",
    "Order Desk shows the store id under Store Settings, API"
);
id_type!(
    /// The id of an inventory item.
    InventoryItemId,
    "inventory item",
    "give the numeric id that `inventory_list` shows; a SKU goes into its `code` filter"
);
id_type!(
    /// The id of one item (line) of an order.
    OrderItemId,
    "order item",
    "give the numeric id of the item within its order, such as `9100001`; `order_items_list` shows it; a SKU is no id"
);
id_type!(
    /// The id of one shipment of an order.
    ShipmentId,
    "shipment",
    "give the numeric id of the shipment within its order, such as `3001`; `shipments_list` shows it; a tracking number is no id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_an_id_and_blanks_around_them_are_dropped() {
        assert_eq!(OrderId::parse(" 7001001\n").unwrap().as_str(), "7001001");
        assert_eq!(StoreId::parse("4242").unwrap().to_string(), "4242");
        assert!(InventoryItemId::parse("12345678901234567890").is_ok());
    }

    #[test]
    fn one_thing_has_one_spelling() {
        assert_eq!(OrderId::parse("007001001"), OrderId::parse("7001001"));
        assert_eq!(OrderId::parse("000").unwrap().as_str(), "0");
    }

    #[test]
    fn leading_zeros_mean_nothing_and_a_missing_id_is_not_zero() {
        assert!(same_number("007", "7") && same_number("0", "00"));
        assert!(!same_number("0", "") && !same_number("", "") && !same_number("7", "70"));
    }

    #[test]
    fn within_a_body_an_id_is_a_number_if_it_fits_into_one() {
        assert_eq!(as_number("7001001"), 7_001_001);
        assert_eq!(as_number("99999999999999999999"), "99999999999999999999");
    }

    #[test]
    fn nothing_that_could_leave_its_path_segment_is_an_id() {
        for text in [
            "",
            "  ",
            "../store",
            "7001001/shipments",
            "7001001?x=1",
            "70 01",
            "-7",
            "+7",
            "7.0",
            "0x1f",
            "٣",
            "%2e%2e",
            "123456789012345678901",
        ] {
            assert!(OrderId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_why_and_what_to_do() {
        let said = OrderId::parse("DEMO-1042").unwrap_err().to_string();
        assert!(
            said.starts_with("`DEMO-1042` is no order id: only digits can be; hint: "),
            "{said}"
        );
    }
}
