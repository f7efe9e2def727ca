//! The reports over made-up orders: totals, and laws that hold for any orders. The lists have tables of their own (`lists`).

#![allow(
    clippy::needless_pass_by_value,
    reason = "json!(..) is written in place"
)]

mod lists;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::desk::model::{Folder, Order};

fn order(value: Value) -> Order {
    let Value::Object(object) = value else {
        unreachable!("the literal is an object")
    };
    Order::from_object(object)
}

/// 1 New, 2 Closed, 3 Canceled, 4 Hold.
fn folders() -> Folders {
    let all = ["New", "Closed", "Canceled", "Hold"];
    let all = (1..).zip(all).map(|(id, name): (u32, &str)| Folder {
        id: id.to_string(),
        name: name.to_owned(),
    });
    Folders::choose(all.collect(), &[]).unwrap()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

fn totals(by: Option<GroupBy>, orders: &[Value]) -> Totals {
    let mut totals = Totals::new(by);
    for row in orders {
        totals.add(&order(row.clone()), &folders());
    }
    totals
}

/// Group, orders, revenue.
fn shown(by: GroupBy, orders: &[Value], most: usize) -> Vec<(String, u64, String)> {
    let (groups, _) = totals(Some(by), orders).groups(most);
    groups
        .into_iter()
        .map(|group| {
            (
                group.key,
                group.figures.orders,
                group.figures.revenue.to_string(),
            )
        })
        .collect()
}

fn row(group: &str, orders: u64, revenue: &str) -> (String, u64, String) {
    (group.to_owned(), orders, revenue.to_owned())
}

#[test]
fn every_figure_is_added_exactly_from_numbers_and_texts_and_what_is_missing_is_nothing() {
    let all = totals(
        None,
        &[
            json!({"order_total": 53.4, "product_total": 48, "tax_total": "3.90", "shipping_total": 6.5, "handling_total": "0", "discount_total": "5.00",
                   "refund_total": 0, "order_items": [{"quantity": 3}]}),
            json!({"order_total": "0.10", "product_total": "0.1", "tax_total": null, "shipping_total": "", "refund_total": "0.10", "order_items": [{"quantity": "2"}, {}]}),
            json!({"order_items": []}),
        ],
    );
    let figures = all.all();
    assert_eq!(
        (figures.orders, figures.items, figures.revenue),
        (3, amount("6"), amount("53.5"))
    );
    assert_eq!(
        (figures.products, figures.tax, figures.shipping),
        (amount("48.1"), amount("3.9"), amount("6.5"))
    );
    assert_eq!(
        (figures.handling, figures.discounts, figures.refunds),
        (Amount::ZERO, amount("5"), amount("0.1"))
    );
    assert_eq!(all.without_total(), 1);
}

#[test]
fn what_was_canceled_rejected_or_voided_is_named_as_part_of_the_total() {
    let all = totals(
        None,
        &[
            json!({"order_total": 10, "folder_id": 1, "payment_status": "Captured"}),
            json!({"order_total": 20, "folder_id": "3"}),
            json!({"order_total": 40, "folder_id": 1, "payment_status": "rejected"}),
            json!({"order_total": 80, "folder_id": 3, "payment_status": "Voided"}),
        ],
    );
    assert_eq!(all.all().revenue, amount("150"));
    assert_eq!(
        (all.not_sold().orders, all.not_sold().revenue),
        (3, amount("140"))
    );
}

#[test]
fn groups_are_named_by_what_the_shop_calls_them() {
    let orders = [
        json!({"order_total": 1, "folder_id": 1, "source_name": "Etsy", "payment_status": "Captured", "date_added": "2026-03-02 23:59:59"}),
        json!({"order_total": 2, "folder_id": "1", "source_name": " Etsy ", "payment_status": "Pending", "date_added": "2026-03-02 00:00:00"}),
        json!({"order_total": 4, "folder_id": 99, "source_name": "", "date_added": "2026-03-03 00:00:00"}),
        json!({"order_total": 0, "date_added": "soon"}),
    ];
    assert_eq!(
        shown(GroupBy::Day, &orders, 9),
        [
            row(NONE, 1, "0"),
            row("2026-03-02", 2, "3"),
            row("2026-03-03", 1, "4")
        ]
    );
    assert_eq!(
        shown(GroupBy::Channel, &orders, 9),
        [row(NONE, 2, "4"), row("Etsy", 2, "3")]
    );
    assert_eq!(
        shown(GroupBy::Folder, &orders, 9),
        [row("99", 1, "4"), row("New", 2, "3"), row(NONE, 1, "0")]
    );
    assert_eq!(
        shown(GroupBy::PaymentStatus, &orders, 9),
        [
            row(NONE, 2, "4"),
            row("Pending", 1, "2"),
            row("Captured", 1, "1")
        ]
    );
}

#[test]
fn items_are_grouped_by_sku_and_an_order_counts_once_for_each() {
    let orders = [
        json!({"order_items": [{"code": "MUG", "price": "9.50", "quantity": 2}, {"code": "MUG", "price": 9.5, "quantity": 1}, {"name": "Wrap", "price": 1}]}),
        json!({"order_items": [{"code": "MUG", "price": 10, "quantity": 1}]}),
    ];
    let (groups, others) = totals(Some(GroupBy::Sku), &orders).groups(9);
    let told: Vec<(String, u64, String, String)> = groups
        .into_iter()
        .map(|group| {
            let figures = group.figures;
            (
                group.key,
                figures.orders,
                figures.items.to_string(),
                figures.products.to_string(),
            )
        })
        .collect();
    let expected = |key: &str, orders, items: &str, products: &str| {
        (
            key.to_owned(),
            orders,
            items.to_owned(),
            products.to_owned(),
        )
    };
    assert_eq!(
        told,
        [
            expected("MUG", 2, "4", "38.5"),
            expected("Wrap", 1, "1", "1")
        ]
    );
    assert_eq!(others, None);
}

#[test]
fn too_many_groups_become_one_and_of_days_the_latest_are_kept() {
    let orders: Vec<Value> = (10..20)
        .map(|day| json!({"order_total": 30 - day, "date_added": format!("2026-03-{day} 12:00:00"), "source_name": format!("c{day}")}))
        .collect();
    let (days, others) = totals(Some(GroupBy::Day), &orders).groups(2);
    let keys: Vec<&str> = days.iter().map(|day| day.key.as_str()).collect();
    assert_eq!(keys, ["2026-03-18", "2026-03-19"]);
    assert_eq!(
        (others.unwrap().groups, others.unwrap().figures.orders),
        (8, 8)
    );
    assert_eq!(
        shown(GroupBy::Channel, &orders, 2),
        [row("c10", 1, "20"), row("c11", 1, "19")]
    );
}

fn any_money() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-100_000_i64..10_000_000).prop_map(|cents| json!(format!(
            "{}.{:02}",
            cents / 100,
            (cents % 100).abs()
        ))),
        (0_u32..10_000_000).prop_map(|cents| json!(f64::from(cents) / 100.0)),
        any::<i32>().prop_map(|whole| json!(whole)),
        prop_oneof![
            Just(json!("")),
            Just(json!(null)),
            Just(json!([])),
            Just(json!("n/a"))
        ],
    ]
}

fn any_order() -> impl Strategy<Value = Value> {
    let item = ("[A-D]{0,1}", 0_u8..9, any_money()).prop_map(|(code, quantity, price)| json!({"code": code, "name": "x", "quantity": quantity, "price": price}));
    let items = proptest::collection::vec(item, 0..4);
    let texts = (
        "[a-c]{0,1}",
        0_u8..6,
        "2026-03-0[1-9] 12:00:0[0-9]|never",
        "(Captured|Pending|Voided)?",
    );
    (proptest::collection::vec(any_money(), 7), items, texts).prop_map(|(money, items, (channel, folder, placed, payment))| {
        json!({
            "order_total": money[0], "product_total": money[1], "tax_total": money[2], "shipping_total": money[3], "handling_total": money[4],
            "discount_total": money[5], "refund_total": money[6], "order_items": items, "source_name": channel, "folder_id": folder,
            "date_added": placed, "payment_status": payment,
        })
    })
}

proptest! {
    #[test]
    fn the_groups_and_the_others_add_up_to_the_totals(orders in proptest::collection::vec(any_order(), 0..40), most in 0_usize..6) {
        for by in [GroupBy::Day, GroupBy::Channel, GroupBy::Folder, GroupBy::PaymentStatus] {
            let totals = totals(Some(by), &orders);
            let all = totals.all();
            let (groups, others) = totals.groups(most);
            prop_assert!(groups.len() <= most);
            let mut sum = others.unwrap_or_default().figures;
            groups.iter().for_each(|group| sum += group.figures);
            prop_assert_eq!(sum, all);
        }
    }

    #[test]
    fn the_pieces_by_sku_add_up_to_all_pieces(orders in proptest::collection::vec(any_order(), 0..40), most in 0_usize..6) {
        let totals = totals(Some(GroupBy::Sku), &orders);
        let all = totals.all();
        let (groups, others) = totals.groups(most);
        let pieces: Amount = groups.iter().map(|group| group.figures.items).sum();
        prop_assert_eq!(pieces + others.unwrap_or_default().figures.items, all.items);
    }

    #[test]
    fn what_is_needed_is_never_more_than_was_ordered(orders in proptest::collection::vec(any_order(), 0..20), packed in 0_i64..20) {
        let mut needed = NeedOf::new("a");
        for mut row in orders {
            row["order_shipments"] = json!([{"order_items": [{"code": "A", "quantity": packed}]}]);
            needed.add(&order(row), &folders());
        }
        for order in needed.finish().0 {
            prop_assert!(order.needed > Amount::ZERO && order.needed <= order.ordered);
        }
    }
}
