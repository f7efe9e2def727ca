//! Addresses: which fields each of the three has, and how a partial one is completed with blanks.

use serde_json::{Map, Value};

use super::{Fields, values};

/// Ship-to.
pub(crate) const SHIPPING: &[&str] = &[
    "first_name",
    "last_name",
    "company",
    "address1",
    "address2",
    "address3",
    "address4",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

/// Bill-to: no third and fourth line.
pub(crate) const CUSTOMER: &[&str] = &[
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

/// Return address.
pub(crate) const RETURN: &[&str] = &[
    "title",
    "name",
    "company",
    "address1",
    "address2",
    "city",
    "state",
    "postal_code",
    "country",
    "phone",
];

/// An address of exactly `names`: what `given` leaves out is blank, what it has too much is dropped.
pub(crate) fn complete(given: &Fields, names: &[&str]) -> Fields {
    let mut address = Map::new();
    for name in names {
        let text = given.get(*name).and_then(values::text).unwrap_or_default();
        address.insert((*name).to_owned(), Value::String(text));
    }
    address
}

/// Whether nothing is filled in.
pub(crate) fn is_blank(address: &Fields) -> bool {
    address
        .values()
        .all(|value| value.as_str().is_none_or(str::is_empty))
}

/// A valid order has a first name, a last name or a company on one of its addresses.
pub(crate) fn has_name(address: &Fields) -> bool {
    ["first_name", "last_name", "company"]
        .iter()
        .any(|name| !values::str_of(address, name).is_empty())
}

/// The flat form of the documentation's create table: `customer_first_name` and so on.
pub(crate) fn from_flat(input: &Fields, prefix: &str, names: &[&str]) -> Fields {
    let mut address = Map::new();
    for name in names {
        if let Some(value) = input.get(&format!("{prefix}_{name}")) {
            address.insert((*name).to_owned(), value.clone());
        }
    }
    address
}
