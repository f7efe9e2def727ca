//! An order as Order Desk holds it.
//!
//! Here: the order with every field it came with, and names for the fields that this program itself looks at. There is no status
//! field: the folder an order lies in is its status. Not here: how orders are asked for (`query`) or searched (`search`).

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::fields::{Fields, Object, mend_maps};

/// One order; every field it came with is kept, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Order(Object);

/// A page of orders, newest first unless asked otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct OrdersPage {
    /// The orders of this page.
    pub orders: Vec<Order>,
    /// How many rows were skipped before this page.
    pub offset: u64,
    /// How many rows a full page has.
    pub limit: u64,
    /// How many rows Order Desk says there are. A hint only: it is known to be wrong at times.
    pub total_records: Option<u64>,
    /// Whether a next page may hold rows: this page was full.
    pub has_more: bool,
}

impl AsRef<Order> for Order {
    fn as_ref(&self) -> &Order {
        self
    }
}

impl Order {
    /// Takes one object over. Empty maps that came as `[]` become `{}`.
    #[must_use]
    pub fn from_object(mut object: Object) -> Order {
        mend_maps(
            &mut object,
            &[
                "checkout_data",
                "order_metadata",
                "shipping",
                "customer",
                "return_address",
            ],
        );
        if let Some(Value::Array(items)) = object.get_mut("order_items") {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                mend_maps(item, &["variation_list", "metadata"]);
            }
        }
        Order(object)
    }

    /// Every field, for whoever shows or merges the whole.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// A forgiving view on the fields.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.0)
    }

    /// Order Desk's own id.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        self.fields().text("id")
    }

    /// The order number of the sales channel. Not guaranteed to be unique.
    #[must_use]
    pub fn source_id(&self) -> Cow<'_, str> {
        self.fields().text("source_id")
    }

    /// The sales channel.
    #[must_use]
    pub fn source_name(&self) -> Cow<'_, str> {
        self.fields().text("source_name")
    }

    /// The customer's e-mail address.
    #[must_use]
    pub fn email(&self) -> Cow<'_, str> {
        self.fields().text("email")
    }

    /// The folder the order lies in: its status.
    #[must_use]
    pub fn folder_id(&self) -> Cow<'_, str> {
        self.fields().text("folder_id")
    }

    /// When the order was placed: `YYYY-MM-DD HH:MM:SS`, UTC.
    #[must_use]
    pub fn date_added(&self) -> Cow<'_, str> {
        self.fields().text("date_added")
    }

    /// When the order last changed: `YYYY-MM-DD HH:MM:SS`, UTC.
    #[must_use]
    pub fn date_updated(&self) -> Cow<'_, str> {
        self.fields().text("date_updated")
    }

    /// Products + shipping + handling + tax − discounts. The API names no currency.
    #[must_use]
    pub fn order_total(&self) -> Option<Number> {
        self.fields().number("order_total")
    }

    /// Where the parcel goes.
    #[must_use]
    pub fn shipping(&self) -> Fields<'_> {
        self.fields().nested("shipping")
    }

    /// Who pays.
    #[must_use]
    pub fn customer(&self) -> Fields<'_> {
        self.fields().nested("customer")
    }

    /// What was bought.
    #[must_use]
    pub fn items(&self) -> Vec<Fields<'_>> {
        self.fields().rows("order_items")
    }

    /// The parcels sent so far.
    #[must_use]
    pub fn shipments(&self) -> Vec<Fields<'_>> {
        self.fields().rows("order_shipments")
    }

    /// What staff wrote on the order.
    #[must_use]
    pub fn notes(&self) -> Vec<Fields<'_>> {
        self.fields().rows("order_notes")
    }

    /// The log of what happened to the order; `None` when it was not asked for or not given.
    #[must_use]
    pub fn history(&self) -> Option<Vec<Fields<'_>>> {
        self.0
            .contains_key("order_history")
            .then(|| self.fields().rows("order_history"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(value: Value) -> Order {
        let Value::Object(object) = value else {
            unreachable!("the literal is an object")
        };
        Order::from_object(object)
    }

    #[test]
    fn unknown_fields_and_their_order_are_kept() {
        let told = json!({"zeta": 1, "id": "7001001", "alpha": {"deep": [1, 2]}, "email": "a@example.com"});
        let kept = order(told.clone());
        assert_eq!(
            Value::Object(kept.object().clone()).to_string(),
            told.to_string()
        );
    }

    #[test]
    fn empty_maps_of_the_order_and_of_its_items_become_maps() {
        let kept = order(
            json!({"checkout_data": [], "order_metadata": "", "order_items": [{"id": "1", "variation_list": [], "metadata": null}]}),
        );
        assert_eq!(
            Value::Object(kept.object().clone()),
            json!({"checkout_data": {}, "order_metadata": {}, "order_items": [{"id": "1", "variation_list": {}, "metadata": {}}]})
        );
    }

    #[test]
    fn the_same_facts_are_read_from_strings_and_numbers() {
        let strings = order(json!({"id": "7001001", "folder_id": "50101", "order_total": "53.40"}));
        let numbers = order(json!({"id": 7_001_001, "folder_id": 50101, "order_total": 53.4}));
        assert_eq!(strings.id(), numbers.id());
        assert_eq!(strings.folder_id(), numbers.folder_id());
        assert_eq!(strings.order_total(), numbers.order_total());
    }

    #[test]
    fn a_history_that_was_not_asked_for_is_none_and_an_empty_one_is_empty() {
        assert!(order(json!({"id": "1"})).history().is_none());
        assert!(
            order(json!({"id": "1", "order_history": []}))
                .history()
                .is_some_and(|rows| rows.is_empty())
        );
    }
}
