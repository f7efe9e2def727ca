//! How an order is shown.
//!
//! Here: the summary and the names of an order's fields. Not here: choosing and cleaning (`rows`).

use serde_json::{Map, Value};

use super::rows::{self, View};
use crate::desk::model::{Fields, Order};

/// The fields of an order as Order Desk documents them. Others that an order has may be asked for, too.
pub(super) const FIELDS: [&str; 40] = [
    "id",
    "source_id",
    "source_name",
    "email",
    "shipping_method",
    "quantity_total",
    "weight_total",
    "product_total",
    "shipping_total",
    "handling_total",
    "tax_total",
    "discount_total",
    "order_total",
    "payment_type",
    "payment_status",
    "processor_balance",
    "refund_total",
    "customer_id",
    "email_count",
    "ip_address",
    "tag_color",
    "tag_name",
    "fulfillment_name",
    "fulfillment_id",
    "folder_id",
    "date_added",
    "date_updated",
    "shipping",
    "customer",
    "return_address",
    "checkout_data",
    "order_metadata",
    "discount_list",
    "order_notes",
    "order_items",
    "order_shipments",
    "order_history",
    "initial_folder_id",
    "store_id",
    "currency",
];

/// An order as `view` wants it.
pub(super) fn show(order: &Order, view: &View) -> Value {
    rows::show(order.object(), view, || summary(order))
}

/// What an overview needs: who, what, how much, where it stands.
fn summary(order: &Order) -> Map<String, Value> {
    const COPIED: [&str; 11] = [
        "id",
        "source_id",
        "source_name",
        "date_added",
        "folder_id",
        "email",
        "order_total",
        "quantity_total",
        "payment_status",
        "shipping_method",
        "tag_name",
    ];
    let object = order.object();
    let mut summary: Map<String, Value> = COPIED
        .iter()
        .filter_map(|field| {
            object
                .get(*field)
                .map(|value| ((*field).to_owned(), value.clone()))
        })
        .collect();
    summary.insert("name".to_owned(), name(order).into());
    summary.insert("ship_to".to_owned(), place(order.shipping()).into());
    summary.insert("items".to_owned(), items(order).into());
    summary.insert(
        "tracking_numbers".to_owned(),
        order
            .shipments()
            .into_iter()
            .map(|parcel| text(parcel, "tracking_number"))
            .collect(),
    );
    summary
}

fn name(order: &Order) -> String {
    [order.shipping(), order.customer()]
        .into_iter()
        .map(full_name)
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

fn full_name(address: Fields<'_>) -> String {
    let name = format!(
        "{} {}",
        text(address, "first_name"),
        text(address, "last_name")
    );
    if name.trim().is_empty() {
        text(address, "company")
    } else {
        name.trim().to_owned()
    }
}

fn place(address: Fields<'_>) -> String {
    let parts = ["city", "state", "country"].map(|key| text(address, key));
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// `2 × Canvas Tote (TOTE-NAT)`, at most five; the rest as a number.
fn items(order: &Order) -> Vec<String> {
    const MOST: usize = 5;
    let items = order.items();
    let mut lines: Vec<String> = items.iter().take(MOST).map(|item| line(*item)).collect();
    if items.len() > MOST {
        lines.push(format!("and {} more", items.len() - MOST));
    }
    lines
}

fn line(item: Fields<'_>) -> String {
    let (quantity, name, code) = (
        text(item, "quantity"),
        text(item, "name"),
        text(item, "code"),
    );
    let code = if code.is_empty() {
        String::new()
    } else {
        format!(" ({code})")
    };
    format!("{quantity} × {name}{code}")
}

fn text(fields: Fields<'_>, key: &str) -> String {
    fields.text(key).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn order(value: &Value) -> Order {
        Order::from_object(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_summary_says_who_what_and_where() {
        let order = order(&json!({
            "id": "7001001", "source_id": "DEMO-1042", "email": "rosa@example.com", "order_total": 53.4, "folder_id": 50101,
            "shipping": {"first_name": "Rosa", "last_name": "Lind", "city": "Dover", "state": "DE", "country": "US"},
            "order_items": [{"name": "Canvas Tote", "quantity": 3, "code": "TOTE-NAT"}],
            "order_shipments": [{"tracking_number": "9400"}], "cc_exp": "09/2029", "ip_address": "203.0.113.9",
        }));
        assert_eq!(
            show(&order, &View::Summary),
            json!({
                "id": "7001001", "source_id": "DEMO-1042", "folder_id": 50101, "email": "rosa@example.com", "order_total": 53.4,
                "name": "Rosa Lind", "ship_to": "Dover, DE, US", "items": ["3 × Canvas Tote (TOTE-NAT)"], "tracking_numbers": ["9400"],
            })
        );
    }

    #[test]
    fn a_company_stands_in_for_a_missing_name_and_the_payer_for_a_missing_recipient() {
        let company = order(&json!({"id": "1", "shipping": {"company": "Acme"}}));
        assert_eq!(show(&company, &View::Summary)["name"], "Acme");
        let payer = order(&json!({"id": "1", "customer": {"first_name": "Sam"}}));
        assert_eq!(show(&payer, &View::Summary)["name"], "Sam");
    }

    #[test]
    fn many_items_are_counted_and_not_listed() {
        let items: Vec<Value> = (0..9)
            .map(|n| json!({"name": format!("Mug {n}"), "quantity": 1}))
            .collect();
        let shown = show(
            &order(&json!({"id": "1", "order_items": items})),
            &View::Summary,
        );
        assert_eq!(shown["items"].as_array().unwrap().len(), 6);
        assert_eq!(shown["items"][5], "and 4 more");
    }
}
