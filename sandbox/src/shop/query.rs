//! `GET /orders`: which orders match, in which order, which page of them.

use jiff::tz::Offset;
use serde_json::Value;

use super::{Fields, Order, Shop, values};
use crate::assumptions::{
    self, ORDER_BY_DEFAULT, PAGE_DEFAULT, PAGE_MAX, SEARCHED_ADDRESS_FIELDS, SEARCHED_FIELDS,
};
use crate::when;

/// A decoded query string. As in PHP, the last of equal names counts.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The value of `name`, if it is there and not blank.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// `limit` and `offset`, made to fit.
    pub(crate) fn page(&self) -> Page {
        let number = |name: &str| self.get(name).and_then(|text| text.parse::<usize>().ok());
        let limit = number("limit")
            .filter(|limit| *limit > 0)
            .unwrap_or(PAGE_DEFAULT)
            .min(PAGE_MAX);
        Page {
            limit,
            offset: number("offset").unwrap_or(0),
        }
    }

    /// A comma-separated list.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let text = self.get(name).unwrap_or_default();
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// The rows asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

/// Filters on whole text fields of the order itself.
const TEXT_FILTERS: &[&str] = &["source_id", "source_name", "email", "customer_id"];

/// Filters on one field of one address: parameter = address + `_` + field.
const ADDRESS_FILTERS: &[&str] = &["first_name", "last_name", "company", "address1", "phone"];

/// Filters on a date: parameter, field, whether it is the lower bound, whether it is in store time.
const DATE_FILTERS: &[(&str, &str, bool, bool)] = &[
    ("search_start_date", "date_added", true, false),
    ("search_end_date", "date_added", false, false),
    ("search_start_date_local", "date_added", true, true),
    ("search_end_date_local", "date_added", false, true),
    ("modified_start_date", "date_updated", true, false),
    ("modified_end_date", "date_updated", false, false),
];

impl Shop {
    /// The ids of all orders that match `query`, in the order it asks for.
    pub(crate) fn matching_orders(&self, query: &Query) -> Vec<u64> {
        let folders = self.folders_asked(query);
        let filters = Filters {
            folders,
            bounds: bounds(query, self.zone),
            texts: text_filters(query),
            search: query.get("search").map(str::to_lowercase),
        };
        let mut found: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| filters.hold(order))
            .collect();
        sort(&mut found, query);
        found.into_iter().map(|order| order.id).collect()
    }

    fn folders_asked(&self, query: &Query) -> Option<Vec<i64>> {
        if let Some(name) = query.get("folder_name") {
            return Some(self.folder_named(name).into_iter().collect());
        }
        query.get("folder_id").map(|_| {
            query
                .list("folder_id")
                .iter()
                .filter_map(|id| id.parse().ok())
                .collect()
        })
    }
}

struct Bound {
    field: &'static str,
    is_lower: bool,
    /// In the stored form, which sorts as text.
    limit: String,
}

fn bounds(query: &Query, zone: Offset) -> Vec<Bound> {
    let bound = |(parameter, field, is_lower, local): &(&str, &'static str, bool, bool)| {
        let time = when::parse(
            query.get(parameter)?,
            if *local { zone } else { Offset::UTC },
        )?;
        Some(Bound {
            field,
            is_lower: *is_lower,
            limit: when::stamp(time),
        })
    };
    DATE_FILTERS.iter().filter_map(bound).collect()
}

/// What a query asks for, worked out once for all orders.
struct Filters<'a> {
    folders: Option<Vec<i64>>,
    bounds: Vec<Bound>,
    texts: Vec<TextFilter<'a>>,
    search: Option<String>,
}

struct TextFilter<'a> {
    /// `None` for a field of the order itself.
    address: Option<&'static str>,
    field: &'static str,
    asked: &'a str,
}

impl Filters<'_> {
    fn hold(&self, order: &Order) -> bool {
        self.folders
            .as_ref()
            .is_none_or(|folders| folders.contains(&order.folder()))
            && self
                .bounds
                .iter()
                .all(|bound| bound.holds(values::str_of(&order.fields, bound.field)))
            && self.texts.iter().all(|filter| filter.holds(&order.fields))
            && self
                .search
                .as_ref()
                .is_none_or(|wanted| contains(order, wanted))
    }
}

fn text_filters(query: &Query) -> Vec<TextFilter<'_>> {
    let mut filters = Vec::new();
    for field in TEXT_FILTERS.iter().copied() {
        filters.extend(query.get(field).map(|asked| TextFilter {
            address: None,
            field,
            asked,
        }));
    }
    for address in ["customer", "shipping"] {
        for field in ADDRESS_FILTERS.iter().copied() {
            let asked = query.get(&format!("{address}_{field}"));
            filters.extend(asked.map(|asked| TextFilter {
                address: Some(address),
                field,
                asked,
            }));
        }
    }
    filters
}

impl TextFilter<'_> {
    fn holds(&self, fields: &Fields) -> bool {
        let stored = match self.address {
            Some(address) => address_text(fields, address, self.field),
            None => values::str_of(fields, self.field),
        };
        assumptions::same_text(stored, self.asked)
    }
}

impl Bound {
    fn holds(&self, date: &str) -> bool {
        if self.is_lower {
            date >= self.limit.as_str()
        } else {
            date <= self.limit.as_str()
        }
    }
}

fn address_text<'a>(fields: &'a Fields, which: &str, name: &str) -> &'a str {
    fields
        .get(which)
        .and_then(|address| address.get(name))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn contains(order: &Order, wanted: &str) -> bool {
    let own = SEARCHED_FIELDS
        .iter()
        .map(|name| values::str_of(&order.fields, name));
    let addresses = ["shipping", "customer"];
    let named = addresses.iter().flat_map(|which| {
        SEARCHED_ADDRESS_FIELDS
            .iter()
            .map(|name| address_text(&order.fields, which, name))
    });
    own.chain(named)
        .any(|text| text.to_lowercase().contains(wanted))
}

fn sort(orders: &mut [&Order], query: &Query) {
    let by = query.get("order_by").unwrap_or(ORDER_BY_DEFAULT);
    // Equal keys are told apart by id, so that pages never overlap.
    orders.sort_by_cached_key(|order| (key(order, by), order.id));
    if !query
        .get("order")
        .is_some_and(|direction| direction.eq_ignore_ascii_case("ASC"))
    {
        orders.reverse();
    }
}

/// A sort key: numbers before text, so that one type serves both.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
}

fn key(order: &Order, by: &str) -> Key {
    let text = |text: &str| Key::Text(text.to_lowercase());
    match by {
        "id" => Key::Number(order.id as i64),
        "folder_id" => Key::Number(order.folder()),
        "order_total" => Key::Number((values::number_of(&order.fields, by) * 100.0).round() as i64),
        "date_updated" | "date_modified" => text(values::str_of(&order.fields, "date_updated")),
        "source_id" | "source_name" | "email" => text(values::str_of(&order.fields, by)),
        "shipping_last_name" => text(address_text(&order.fields, "shipping", "last_name")),
        "customer_last_name" => text(address_text(&order.fields, "customer", "last_name")),
        _ => text(values::str_of(&order.fields, ORDER_BY_DEFAULT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_made_to_fit() {
        assert_eq!(
            Query::parse("limit=900&offset=10").page(),
            Page {
                limit: 500,
                offset: 10
            }
        );
        assert_eq!(
            Query::parse("limit=-1").page(),
            Page {
                limit: 50,
                offset: 0
            }
        );
        assert_eq!(
            Query::parse("limit=ten&offset=x").page(),
            Page {
                limit: 50,
                offset: 0
            }
        );
    }

    #[test]
    fn the_last_of_equal_parameters_counts() {
        assert_eq!(
            Query::parse("email=a%40x&email=b%40x").get("email"),
            Some("b@x")
        );
        assert_eq!(Query::parse("email=").get("email"), None);
    }
}
