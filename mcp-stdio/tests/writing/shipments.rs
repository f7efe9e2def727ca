//! Shipments: listed, added, corrected, removed, and added by the hundred.

use orderdesk_sandbox::seed;
use serde_json::{Value, json};

use crate::kit::{ORDER, STORE, Shop, changed};

fn parcels(shop: &Shop, id: u64) -> Vec<Value> {
    shop.order(id)["order_shipments"]
        .as_array()
        .unwrap()
        .clone()
}

/// An order without a parcel: the newest ones wait.
fn unshipped(shop: &Shop) -> u64 {
    let newest = seed::FIRST_ORDER + shop.sandbox.count_orders(STORE) as u64 - 1;
    (seed::FIRST_ORDER..=newest)
        .rev()
        .find(|id| parcels(shop, *id).is_empty())
        .unwrap()
}

#[test]
fn parcels_are_listed_with_what_a_customer_can_be_told() {
    let mut shop = Shop::open();
    let all = shop.call("shipments_list", json!({"order_id": seed::THREE_PARCELS}));
    let rows = all["shipments"].as_array().unwrap();
    assert_eq!(rows.len(), parcels(&shop, seed::THREE_PARCELS).len());
    for number in seed::PARCEL_NUMBERS {
        let row = rows
            .iter()
            .find(|row| row["tracking_number"] == number)
            .unwrap();
        assert!(
            row["tracking_url"].as_str().unwrap().contains(number),
            "{row}"
        );
        assert!(row["date_shipped"].is_string() && row["print_status"].is_null());
        let one = shop.call(
            "shipments_list",
            json!({"order_id": seed::THREE_PARCELS, "shipment_id": row["id"]}),
        );
        assert_eq!(one["shipments"], json!([row]));
    }
}

#[test]
fn a_parcel_is_added_once_and_nothing_else_changes() {
    let mut shop = Shop::open();
    let id = unshipped(&shop);
    let before = shop.order(id);
    let arguments = json!({"order_id": id, "tracking_number": "1Z999AA10123456784", "carrier_code": "UPS", "shipment_method": "Ground", "cost": 7.5,
        "order_items": [{"id": before["order_items"][0]["id"], "quantity": 1}]});
    let done = shop.write("shipments_add", arguments.clone());
    let after = shop.order(id);
    assert_eq!(changed(&before, &after), ["order_shipments"]);
    assert_eq!(
        parcels(&shop, id)[0]["tracking_number"],
        "1Z999AA10123456784"
    );
    assert_eq!(parcels(&shop, id)[0]["order_items"][0]["quantity"], 1);
    assert_eq!(done["shipment"]["id"], parcels(&shop, id)[0]["id"]);
    let again = shop.call("shipments_add", arguments);
    assert_eq!(parcels(&shop, id).len(), 1, "{again}");
    let seen = shop.other("orders_get", json!({"order_id": id}));
    assert_eq!(
        seen["order"]["order_shipments"][0]["tracking_number"],
        "1Z999AA10123456784"
    );
}

#[test]
fn a_wrong_tracking_number_is_corrected_and_a_wrong_parcel_removed() {
    let mut shop = Shop::open();
    let id = seed::THREE_PARCELS;
    let before = parcels(&shop, id);
    shop.write("shipments_update", json!({"order_id": id, "shipment_id": before[0]["id"], "changes": {"tracking_number": "1Z999DEMO00000000X"}}));
    let after = parcels(&shop, id);
    assert_eq!(after[0]["tracking_number"], "1Z999DEMO00000000X");
    assert_eq!(after[0]["order_items"], before[0]["order_items"]);
    assert_eq!(after[1..], before[1..]);
    shop.write(
        "shipments_remove",
        json!({"order_id": id, "shipment_id": before[1]["id"]}),
    );
    let left: Vec<Value> = parcels(&shop, id)
        .iter()
        .map(|row| row["id"].clone())
        .collect();
    let mut expected: Vec<Value> = before.iter().map(|row| row["id"].clone()).collect();
    expected.remove(1);
    assert_eq!(left, expected);
}

#[test]
fn a_sheet_of_parcels_is_reported_row_by_row_and_may_be_sent_again() {
    let mut shop = Shop::open();
    let id = unshipped(&shop);
    let rows = json!([
        {"order_id": id, "tracking_number": "NEW-1", "carrier_code": "UPS"},
        {"order_id": 999, "tracking_number": "NEW-2"},
        {"order_id": id.to_string(), "tracking_number": "NEW-3"},
    ]);
    let first = shop.call("shipments_batch_add", json!({ "shipments": rows }));
    assert_eq!(
        first["counts"],
        json!({"done": 2, "not_done": 1, "unknown": 0}),
        "{first}"
    );
    assert_eq!(first["outcome"], "not_done");
    assert!(
        first["rows"][1]["why"].is_string() && first["rows"][1].to_string().contains("999"),
        "{first}"
    );
    assert_eq!(parcels(&shop, id).len(), 2);
    let second = shop.call("shipments_batch_add", json!({ "shipments": rows }));
    assert_eq!(second["counts"], first["counts"], "{second}");
    assert_eq!(parcels(&shop, id).len(), 2);
}

#[test]
fn a_shipment_that_is_not_there_is_an_error_that_says_how_to_find_it() {
    let mut shop = Shop::open();
    let text = shop.refused(
        "shipments_remove",
        json!({"order_id": ORDER, "shipment_id": "1"}),
    );
    assert!(text.starts_with("not_found"), "{text}");
}
