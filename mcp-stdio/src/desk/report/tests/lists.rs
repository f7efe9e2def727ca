//! What waits, what may be double and what is needed: a table of cases each.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{amount, folders, order};
use crate::desk::report::{Amount, Demand, Duplicates, NeedOf, Reason, Unshipped};

fn waits(extra: Value) -> bool {
    let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
    let mut basis = json!({"id": "1", "folder_id": 1, "payment_status": "Captured", "date_added": "2026-03-05 11:59:59", "order_items": [{"delivery_type": "ship"}]});
    for (key, value) in extra.as_object().unwrap() {
        basis[key] = value.clone();
    }
    let mut unshipped = Unshipped::new(5, now);
    unshipped.add(&order(basis), &folders());
    !unshipped.finish().is_empty()
}

#[test]
fn an_order_waits_when_it_is_paid_open_old_enough_and_has_something_to_ship() {
    assert!(waits(json!({})));
    for waiting in [
        json!({"payment_status": "Approved"}),
        json!({"payment_status": "authorized"}),
        json!({"payment_status": "Partially Refunded"}),
        json!({"folder_id": "4"}),
        json!({"order_items": [{"delivery_type": "download"}, {}]}),
        json!({"order_items": []}),
        json!({"order_shipments": ""}),
    ] {
        assert!(waits(waiting.clone()), "{waiting}");
    }
    for fine in [
        json!({"date_added": "2026-03-05 12:00:00"}),
        json!({"date_added": ""}),
        json!({"payment_status": "Pending"}),
        json!({"payment_status": "Fully Refunded"}),
        json!({"payment_status": ""}),
        json!({"folder_id": 2}),
        json!({"folder_id": 77}),
        json!({"order_shipments": [{"tracking_number": "n/a"}]}),
        json!({"order_items": [{"delivery_type": "download"}, {"delivery_type": "noship"}]}),
    ] {
        assert!(!waits(fine.clone()), "{fine}");
    }
}

#[test]
fn those_that_wait_longest_come_first_with_their_days() {
    let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
    let mut unshipped = Unshipped::new(0, now);
    for (id, placed) in [
        ("2", "2026-03-09 11:00:00"),
        ("1", "2026-03-01 12:00:01"),
        ("3", "2026-03-10 11:59:59"),
    ] {
        let row =
            json!({"id": id, "folder_id": 1, "payment_status": "Captured", "date_added": placed});
        unshipped.add(&order(row), &folders());
    }
    let told: Vec<(String, i64)> = unshipped
        .finish()
        .into_iter()
        .map(|row| (row.id, row.days))
        .collect();
    assert_eq!(
        told,
        [
            ("1".to_owned(), 8),
            ("2".to_owned(), 1),
            ("3".to_owned(), 0)
        ]
    );
}

fn bought(id: u32, placed: &str, extra: Value) -> Value {
    let mut basis = json!({
        "id": id.to_string(), "source_id": format!("S{id}"), "source_name": "Etsy", "date_added": placed, "email": format!("{id}@example.com"),
        "shipping": {"first_name": "Rosa", "address1": format!("{id} Mill Lane"), "postal_code": "19901"},
        "order_items": [{"code": "MUG", "quantity": 2}, {"code": "TOTE", "quantity": 1}],
    });
    for (key, value) in extra.as_object().unwrap() {
        basis[key] = value.clone();
    }
    basis
}

fn pairs(orders: &[Value]) -> Vec<(String, String, Vec<Reason>)> {
    let mut duplicates = Duplicates::new();
    for row in orders {
        duplicates.add(&order(row.clone()));
    }
    duplicates
        .finish()
        .into_iter()
        .map(|pair| (pair.earlier.id, pair.later.id, pair.reasons))
        .collect()
}

fn pair(earlier: u32, later: u32, reasons: &[Reason]) -> (String, String, Vec<Reason>) {
    (earlier.to_string(), later.to_string(), reasons.to_vec())
}

#[test]
fn the_same_items_for_the_same_person_within_days_are_a_pair_with_its_reasons() {
    let first = bought(
        1,
        "2026-03-01 12:00:00",
        json!({"email": "rosa@example.com"}),
    );
    let again = |extra| bought(2, "2026-03-04 12:00:00", extra);
    let cases = [
        (
            json!({"email": " Rosa@Example.COM"}),
            vec![pair(1, 2, &[Reason::Email])],
        ),
        (
            json!({"email": "", "shipping": {"first_name": "ROSA", "address1": "1, mill lane.", "postal_code": "19901"}}),
            vec![pair(1, 2, &[Reason::ShipTo])],
        ),
        (
            json!({"email": "rosa@example.com", "source_id": "s1", "order_items": [{"code": "tote", "quantity": "1"}, {"code": "mug", "quantity": 2.0}]}),
            vec![pair(1, 2, &[Reason::SourceId, Reason::Email])],
        ),
        (
            json!({"email": "rosa@example.com", "order_items": [{"code": "MUG", "quantity": 2}]}),
            vec![],
        ),
        (
            json!({"email": "rosa@example.com", "date_added": "2026-03-04 12:00:01"}),
            vec![],
        ),
        (json!({"source_id": "S1", "source_name": "Shopify"}), vec![]),
        (
            json!({"source_id": "S1", "date_added": "2026-05-01 12:00:00"}),
            vec![pair(1, 2, &[Reason::SourceId])],
        ),
    ];
    for (extra, expected) in cases {
        assert_eq!(
            pairs(&[first.clone(), again(extra.clone())]),
            expected,
            "{extra}"
        );
    }
}

#[test]
fn empty_fields_make_no_pair_and_equal_orders_are_a_chain() {
    let empty = |id: u32| json!({"id": id.to_string(), "source_id": "", "email": "", "date_added": "2026-03-01 12:00:00", "order_items": [{"code": "MUG"}]});
    assert_eq!(pairs(&[empty(1), empty(2)]), []);
    let same = |id| {
        bought(
            id,
            "2026-03-01 12:00:00",
            json!({"email": "rosa@example.com"}),
        )
    };
    let chain = pairs(&[same(1), same(2), same(3)]);
    assert_eq!(
        chain,
        [pair(2, 3, &[Reason::Email]), pair(1, 2, &[Reason::Email])]
    );
}

/// What an order needs of `MUG`, and of which it had how many.
fn need(extra: Value) -> Option<(String, String)> {
    let mut basis = json!({"id": "1", "folder_id": 1, "payment_status": "Captured", "order_items": [
        {"id": "11", "code": "MUG", "quantity": 5}, {"id": "12", "code": "TOTE", "quantity": 1}, {"id": "13", "code": "mug ", "quantity": 2}]});
    for (key, value) in extra.as_object().unwrap() {
        basis[key] = value.clone();
    }
    let mut needed = NeedOf::new(" Mug");
    needed.add(&order(basis), &folders());
    let (orders, sum) = needed.finish();
    assert_eq!(sum, orders.iter().map(|order| order.needed).sum());
    orders
        .first()
        .map(|order| (order.ordered.to_string(), order.needed.to_string()))
}

#[test]
fn what_is_in_a_parcel_is_needed_no_more() {
    let of = |ordered: &str, needed: &str| Some((ordered.to_owned(), needed.to_owned()));
    let parcel = |items: Value| json!({"order_shipments": [{"order_items": items}]});
    let cases = [
        (json!({}), of("7", "7")),
        (parcel(json!([{"id": 11, "quantity": "3"}])), of("7", "4")),
        (parcel(json!([{"id": "012", "quantity": 1}])), of("7", "7")),
        (
            parcel(json!([{"code": "MUG", "quantity": 6}])),
            of("7", "1"),
        ),
        (
            parcel(json!([{"code": "MUG", "quantity": 6}, {"id": "13", "quantity": 9}])),
            None,
        ),
        (parcel(json!([{"id": "11", "code": "TOTE"}])), of("7", "6")),
        (parcel(json!([{"id": "99", "quantity": 9}])), of("7", "7")),
        (parcel(json!([{"id": "11", "quantity": -3}])), of("7", "7")),
        (parcel(json!("")), None),
        (
            json!({"order_shipments": [{"order_items": [{"id": "11", "quantity": 1}]}, {"order_items": ""}]}),
            None,
        ),
        (json!({"folder_id": 2}), None),
        (json!({"payment_status": "fully refunded"}), None),
        (json!({"payment_status": "Pending"}), of("7", "7")),
        (
            json!({"order_items": [{"code": "MUGS", "quantity": 5}, {"name": "MUG"}]}),
            None,
        ),
    ];
    for (extra, expected) in cases {
        assert_eq!(need(extra.clone()), expected, "{extra}");
    }
}

#[test]
fn the_demand_of_all_skus_is_the_sum_over_open_orders() {
    let mut demand = Demand::new();
    for row in [
        json!({"folder_id": 1, "order_items": [{"code": "Mug", "quantity": 2}, {"code": "", "quantity": 9}]}),
        json!({"folder_id": 4, "order_items": [{"code": "MUG", "quantity": 3}, {"code": "TOTE"}]}),
        json!({"folder_id": 2, "order_items": [{"code": "MUG", "quantity": 100}]}),
    ] {
        demand.add(&order(row), &folders());
    }
    assert_eq!(demand.take(" mug "), amount("5"));
    assert_eq!(demand.take("mug"), Amount::ZERO);
    assert_eq!(demand.rest(), [("TOTE".to_owned(), amount("1"))]);
}
