//! What `POST`, `PUT` and `DELETE` do to items, shipments and stock.

use orderdesk_sandbox::seed;
use serde_json::{Value, json};

use crate::client::Desk;

#[tokio::test]
async fn items_change_the_totals_and_the_history() {
    let desk = Desk::open().await;
    let path = format!("/orders/{}/order-items", seed::COMPANY_ONLY);
    let added = desk
        .call(
            "POST",
            &path,
            &json!({"name": "Cap", "price": 21, "quantity": 2}),
        )
        .await;
    assert!(
        added.json.get("order_item").is_none(),
        "the new id is not promised"
    );
    assert_eq!(added.ok()["message"], "Order Item Added");
    let order = desk.order(seed::COMPANY_ONLY).await;
    assert_eq!(
        (
            &order["product_total"],
            order["order_items"].as_array().unwrap().len()
        ),
        (&json!(396), 3)
    );
    let item = order["order_items"][2]["id"].as_str().unwrap().to_owned();
    let one = format!("{path}/{item}");
    desk.call("PUT", &one, &json!({"name": "Cap", "price": 20}))
        .await
        .ok();
    assert_eq!(
        desk.order(seed::COMPANY_ONLY).await["product_total"],
        374,
        "quantity went back to its default"
    );
    assert_eq!(
        desk.call("DELETE", &one, &Value::Null).await.ok()["message"],
        format!("Order Item {item} Deleted")
    );
    assert_eq!(
        desk.call("DELETE", &one, &Value::Null).await.refused(),
        (404, "Order Item Not Found")
    );
    let history =
        desk.sandbox.order("4242", seed::COMPANY_ONLY).unwrap()["order_history"].to_string();
    assert!(
        history.contains("Order Item Added") && history.contains("Deleted"),
        "{history}"
    );
}

#[tokio::test]
async fn a_shipment_is_added_once_changed_and_deleted() {
    let desk = Desk::open().await;
    let path = format!("/orders/{}/shipments", seed::FIRST_ORDER + 59);
    let parcel = json!({"tracking_number": "1ZNEW0001", "shipment_date": "2026-03-05", "order_items": [{"code": "MUG-1", "quantity": 1}]});
    assert_eq!(
        desk.call("POST", &path, &parcel).await.ok()["message"],
        "Shipment Added"
    );
    assert_eq!(
        desk.call("POST", &path, &parcel).await.refused(),
        (200, "Shipment Not Added")
    );
    assert_eq!(
        desk.call("POST", &path, &json!({"carrier_code": "UPS"}))
            .await
            .refused(),
        (200, "Shipment Not Added")
    );
    let list = desk.get(&path).await.ok();
    let shipment = &list["shipments"][0];
    assert_eq!(
        (
            &shipment["carrier_code"],
            &shipment["date_shipped"],
            &shipment["store_id"]
        ),
        (&json!("UPS"), &json!("2026-03-05"), &json!("4242"))
    );
    assert!(
        shipment["tracking_url"]
            .as_str()
            .unwrap()
            .contains("1ZNEW0001")
    );
    let one = format!("{path}/{}", shipment["id"].as_str().unwrap());
    desk.call(
        "PUT",
        &one,
        &json!({"tracking_number": "1ZNEW0002", "cost": 8.4}),
    )
    .await
    .ok();
    let changed = desk.get(&one).await.ok()["shipment"].clone();
    assert_eq!(
        (
            &changed["tracking_number"],
            &changed["cost"],
            &changed["order_items"]
        ),
        (&json!("1ZNEW0002"), &json!("8.4"), &json!(""))
    );
    assert!(
        desk.call("DELETE", &one, &Value::Null).await.ok()["message"]
            .as_str()
            .unwrap()
            .ends_with("Deleted")
    );
    let events = desk.sandbox.events("4242");
    assert!(
        events
            .iter()
            .any(|event| event.event == "Shipment is Added"),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_batch_of_shipments_succeeds_as_a_whole_and_fails_by_row() {
    let desk = Desk::open().await;
    let order = seed::FIRST_ORDER + 59;
    let rows = json!([{"order_id": order, "tracking_number": "1ZB1"}, {"order_id": 1, "tracking_number": "1ZB2"}, {"order_id": order.to_string()}]);
    let reply = desk.call("POST", "/batch-shipments", &rows).await.ok();
    assert_eq!(reply["message"], "1 Shipments Added");
    let outcomes: Vec<&str> = reply["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        ["Shipment Added", "Order Not Found", "Shipment Not Added"]
    );
    let again = desk
        .call("POST", "/batch-shipments", &json!({"shipments": rows}))
        .await
        .ok();
    assert_eq!(
        again["message"], "0 Shipments Added",
        "success, and nothing was added"
    );
}

#[tokio::test]
async fn stock_is_created_once_replaced_whole_and_deleted() {
    let desk = Desk::open().await;
    let added = desk
        .call(
            "POST",
            "/inventory-items",
            &json!({"name": "Scarf", "code": "SCARF", "stock": "7", "price": 30}),
        )
        .await;
    assert_eq!(added.status, 201);
    let item = added.ok()["inventory_item"].clone();
    assert_eq!(
        (&item["stock"], &item["manufacturer_sku"]),
        (&json!(7), &Value::Null)
    );
    let twin = desk
        .call(
            "POST",
            "/inventory-items",
            &json!({"name": "Other", "code": "SCARF"}),
        )
        .await;
    assert_eq!(twin.refused(), (400, "Inventory Item Not Added"));
    let path = format!("/inventory-items/{}", item["id"]);
    desk.call(
        "PUT",
        &path,
        &json!({"name": "Scarf", "code": "SCARF", "stock": -2}),
    )
    .await
    .ok();
    let after = desk.get(&path).await.ok()["inventory_item"].clone();
    assert_eq!(
        (&after["stock"], &after["price"]),
        (&json!(-2), &json!(0)),
        "the price was left out"
    );
    assert_eq!(
        desk.call("PUT", &path, &json!({"name": "Scarf", "code": "MUG-1"}))
            .await
            .refused()
            .0,
        400
    );
    desk.call("DELETE", &path, &Value::Null).await.ok();
    assert_eq!(desk.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_batch_of_stock_counts_what_it_changed() {
    let desk = Desk::open().await;
    let rows = json!([{"id": 61001, "name": "Tote", "code": "TOTE-NAT", "price": 16, "stock": 5}, {"id": 1, "name": "x", "code": "x"}, {"id": 61002}]);
    assert_eq!(
        desk.call("PUT", "/batch-inventory-items", &rows).await.ok()["message"],
        "1 Inventory Items Updated"
    );
    assert_eq!(
        desk.get("/inventory-items/61001").await.ok()["inventory_item"]["stock"],
        5
    );
}
