//! What `GET` shows: shapes, quirks, filters, pages.

use std::time::Duration;

use orderdesk_sandbox::{Options, seed};
use serde_json::{Value, json};

use crate::client::{Desk, ids};

#[tokio::test]
async fn an_order_has_php_shapes_and_mixed_types() {
    let desk = Desk::open().await;
    let reply = desk.get(&format!("/orders/{}", seed::UNICODE)).await;
    assert!(
        reply.text.is_ascii() && reply.text.contains(r"https:\/\/files.example.com\/2026"),
        "slashes and letters are escaped"
    );
    let order = &reply.json["order"];
    assert_eq!(order["id"], seed::UNICODE.to_string());
    assert!(
        order["folder_id"].is_i64()
            && order["email_count"].is_string()
            && order["order_total"].is_number()
    );
    assert_eq!(
        order["order_metadata"],
        json!([]),
        "an empty map is an empty list"
    );
    assert_eq!(order["shipping"]["last_name"], "Łukasik-Čapek");
    assert!(
        order.get("order_history").is_none(),
        "history only when asked for"
    );
    let with = desk
        .get(&format!("/orders/{}?get_order_history=1", seed::UNICODE))
        .await
        .ok();
    assert!(
        with["order"]["order_history"][0]["note"]
            .as_str()
            .unwrap()
            .starts_with("Order Imported from")
    );
}

#[tokio::test]
async fn totals_add_up() {
    let desk = Desk::open().await;
    let order = desk.order(seed::COMPANY_ONLY).await;
    assert_eq!(
        (
            &order["quantity_total"],
            &order["product_total"],
            &order["discount_total"]
        ),
        (&json!(22), &json!(354), &json!(5))
    );
    let number = |name: &str| order[name].as_f64().unwrap();
    let total = number("product_total")
        + number("shipping_total")
        + number("handling_total")
        + number("tax_total")
        - number("discount_total");
    assert!((number("order_total") - total).abs() < 0.005, "{order}");
    assert_eq!(
        order["order_items"][0]["price"], "24",
        "a price written as text is read as text"
    );
}

#[tokio::test]
async fn the_store_gives_its_secrets_away_as_the_real_one_does() {
    let desk = Desk::open().await;
    let store = desk.get("/store").await.ok()["store"].clone();
    assert_eq!(store["settings"]["api_key"], desk.access.api_key.as_str());
    assert_eq!(store["settings"]["smtp_password"], seed::SMTP_PASSWORD);
    let names: Vec<&str> = store["folders"]
        .as_object()
        .unwrap()
        .values()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "New",
            "Prepared",
            "Closed",
            "Canceled",
            "Hold",
            "Needs Attention"
        ]
    );
    assert_eq!(store["folders"][seed::FOLDER_NEW.to_string()], "New");
}

#[tokio::test]
async fn pages_follow_one_another_and_end_short() {
    let desk = Desk::open().await;
    let mut seen: Vec<u64> = Vec::new();
    loop {
        let page = desk
            .get(&format!(
                "/orders?limit=25&order_by=date_added&order=asc&offset={}",
                seen.len()
            ))
            .await
            .ok();
        assert_eq!(page["total_records"], 60);
        let rows = ids(&page);
        assert_eq!(page["records_returned"], rows.len());
        seen.extend(&rows);
        if rows.len() < 25 {
            break;
        }
    }
    assert_eq!(
        seen,
        (seed::FIRST_ORDER..seed::FIRST_ORDER + 60).collect::<Vec<u64>>()
    );
}

#[tokio::test]
async fn the_newest_fifty_come_first_when_nothing_is_asked() {
    let desk = Desk::open().await;
    let page = desk
        .get("/orders?limit=nonsense&order_by=nonsense")
        .await
        .ok();
    assert_eq!(
        (&page["limit"], &page["offset"], ids(&page)[0]),
        (&json!(50), &json!(0), seed::FIRST_ORDER + 59)
    );
    assert_eq!(desk.get("/orders?limit=9000").await.ok()["limit"], 500);
}

#[tokio::test]
async fn every_text_filter_compares_whole_values_without_case() {
    let desk = Desk::open().await;
    let order = desk.order(seed::COMPANY_ONLY).await;
    let twins = desk
        .get(&format!("/orders?source_id={}", seed::TWIN_SOURCE_ID))
        .await
        .ok();
    assert_eq!(ids(&twins), [seed::TWIN_B, seed::TWIN_A]);
    let one = desk
        .get(&format!(
            "/orders?source_id={}&source_name=etsy",
            seed::TWIN_SOURCE_ID
        ))
        .await
        .ok();
    assert_eq!(ids(&one), [seed::TWIN_B]);
    for (parameter, value) in [
        ("email", order["email"].as_str().unwrap().to_uppercase()),
        (
            "customer_id",
            order["customer_id"].as_str().unwrap().to_owned(),
        ),
        ("customer_company", "brightfield %26 sons ltd".to_owned()),
        ("shipping_address1", "Unit 9".replace(' ', "%20")),
        ("shipping_phone", "%2B44%201632%20960001".to_owned()),
    ] {
        let found = desk.get(&format!("/orders?{parameter}={value}")).await.ok();
        assert!(ids(&found).contains(&seed::COMPANY_ONLY), "{parameter}");
    }
    let none = desk.get("/orders?shipping_company=Brightfield").await.ok();
    assert_eq!(
        (&none["orders"], &none["total_records"]),
        (&json!([]), &json!(0)),
        "a part is not the whole"
    );
}

#[tokio::test]
async fn folders_are_asked_for_by_id_by_list_or_by_name() {
    let desk = Desk::open().await;
    let count = |list: Value| list["total_records"].as_u64().unwrap();
    let hold = count(
        desk.get(&format!("/orders?folder_id={}", seed::FOLDER_HOLD))
            .await
            .ok(),
    );
    let closed = count(desk.get("/orders?folder_name=Closed").await.ok());
    let both = count(
        desk.get(&format!(
            "/orders?folder_id={},{}",
            seed::FOLDER_HOLD,
            seed::FOLDER_CLOSED
        ))
        .await
        .ok(),
    );
    assert!(hold > 0 && closed > 0);
    assert_eq!(both, hold + closed);
    assert_eq!(count(desk.get("/orders?folder_name=Shipped").await.ok()), 0);
}

#[tokio::test]
async fn date_bounds_are_inclusive_and_a_bare_end_date_loses_its_day() {
    let desk = Desk::open().await;
    let order = desk.order(seed::FIRST_ORDER + 30).await;
    let added = order["date_added"].as_str().unwrap();
    let at = |start: &str, end: &str| {
        format!("/orders?search_start_date={start}&search_end_date={end}").replace(' ', "%20")
    };
    assert_eq!(
        ids(&desk.get(&at(added, added)).await.ok()),
        [seed::FIRST_ORDER + 30]
    );
    let day = &added[..10];
    let bare = desk.get(&at(day, day)).await.ok();
    assert!(
        !ids(&bare).contains(&(seed::FIRST_ORDER + 30)),
        "a bare date is midnight"
    );
    let iso = format!("{}Z", added.replace(' ', "T"));
    assert_eq!(
        ids(&desk.get(&at(&iso, &iso)).await.ok()),
        [seed::FIRST_ORDER + 30]
    );
}

#[tokio::test]
async fn local_dates_are_in_the_stores_zone() {
    let desk = Desk::open().await;
    let added = desk.order(seed::FIRST_ORDER + 30).await["date_added"]
        .as_str()
        .unwrap()
        .replace(' ', "T");
    // Phoenix is seven hours behind UTC all year.
    let local =
        format!("{added}Z").parse::<jiff::Timestamp>().unwrap() - Duration::from_secs(7 * 3600);
    let local = local.strftime("%Y-%m-%d%%20%H:%M:%S").to_string();
    let found = desk
        .get(&format!(
            "/orders?search_start_date_local={local}&search_end_date_local={local}"
        ))
        .await
        .ok();
    assert_eq!(ids(&found), [seed::FIRST_ORDER + 30]);
}

#[tokio::test]
async fn orders_sort_by_number_or_text_as_the_field_is() {
    let desk = Desk::open().await;
    let list = desk
        .get("/orders?order_by=order_total&order=ASC&limit=500")
        .await
        .ok();
    let totals: Vec<f64> = list["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["order_total"].as_f64().unwrap())
        .collect();
    assert!(totals.is_sorted(), "{totals:?}");
    let list = desk
        .get("/orders?order_by=shipping_last_name&order=DESC&limit=500")
        .await
        .ok();
    let names: Vec<String> = list["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| {
            order["shipping"]["last_name"]
                .as_str()
                .unwrap()
                .to_lowercase()
        })
        .collect();
    assert!(names.is_sorted_by(|one, two| one >= two), "{names:?}");
}

#[tokio::test]
async fn free_search_finds_numbers_and_names_but_no_tracking_numbers() {
    let desk = Desk::open().await;
    assert_eq!(
        ids(&desk
            .get(&format!("/orders?search={}", seed::HOSTILE))
            .await
            .ok()),
        [seed::HOSTILE]
    );
    assert_eq!(ids(&desk.get("/orders?search=twin-10").await.ok()).len(), 2);
    assert!(
        ids(&desk
            .get(&format!("/orders?search={}", seed::PARCEL_NUMBERS[0]))
            .await
            .ok())
        .is_empty()
    );
}

#[tokio::test]
async fn stock_is_listed_by_code_and_counted_in_text() {
    let desk = Desk::open().await;
    let list = desk.get("/inventory-items?code=TOTE-NAT,MUG-1").await.ok();
    assert_eq!(
        (&list["total_records"], &list["records_returned"]),
        (&json!("2"), &json!(2))
    );
    let first = &list["inventory_items"][0];
    assert_eq!(
        (&first["id"], &first["code"], &first["metadata"]),
        (&json!(61001), &json!("TOTE-NAT"), &json!([]))
    );
    let page = desk.get("/inventory-items?limit=10&offset=10").await.ok();
    assert_eq!(page["inventory_items"].as_array().unwrap().len(), 4);
    assert_eq!(
        desk.get("/inventory-items/99").await.refused(),
        (404, "Inventory Item Not Found")
    );
}

#[tokio::test]
async fn items_and_shipments_can_be_read_alone() {
    let desk = Desk::open().await;
    let path = format!("/orders/{}", seed::THREE_PARCELS);
    let items = desk.get(&format!("{path}/order-items")).await.ok();
    let item = items["order_items"][0]["id"].as_str().unwrap();
    assert_eq!(
        desk.get(&format!("{path}/order-items/{item}")).await.ok()["order_item"]["id"],
        item
    );
    let shipments = desk.get(&format!("{path}/shipments")).await.ok();
    assert_eq!(
        shipments["total_records"],
        shipments["shipments"].as_array().unwrap().len()
    );
    let numbers: Vec<&str> = shipments["shipments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parcel| parcel["tracking_number"].as_str().unwrap())
        .collect();
    assert!(
        seed::PARCEL_NUMBERS
            .iter()
            .all(|number| numbers.contains(number)),
        "{numbers:?}"
    );
    assert_eq!(
        desk.get(&format!("{path}/shipments/1")).await.refused(),
        (404, "Shipment Not Found")
    );
    assert_eq!(
        desk.get(&format!("{path}/order-items/1")).await.refused(),
        (404, "Order Item Not Found")
    );
}

#[tokio::test]
async fn a_shop_can_be_empty_or_large() {
    let empty = Desk::with(Options {
        orders: 0,
        ..Options::default()
    })
    .await;
    assert_eq!(empty.get("/orders").await.ok()["total_records"], 0);
    let large = Desk::with(Options {
        orders: 2_000,
        ..Options::default()
    })
    .await;
    assert_eq!(
        ids(&large.get("/orders?limit=500&offset=1500").await.ok()).len(),
        500
    );
}
