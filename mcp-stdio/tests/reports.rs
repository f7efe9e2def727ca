//! Reports over the wire: each figure is counted again here from what the simulated shop holds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;

use orderdesk_sandbox::{Fault, Options, Sandbox, seed};
use serde_json::{Value, json};
use support::{Home, Server, sandbox};

/// Before every seeded order.
const SINCE: &str = "2020-01-01";

fn shop() -> (Sandbox, Server) {
    let sandbox = sandbox();
    let server = Home::with_store(&sandbox).session();
    (sandbox, server)
}

fn orders(sandbox: &Sandbox) -> Vec<Value> {
    let state = sandbox.state(&sandbox.store(0).store_id).unwrap();
    state["orders"].as_array().unwrap().clone()
}

fn edit(sandbox: &Sandbox, id: u64, edit: impl FnOnce(&mut serde_json::Map<String, Value>)) {
    assert!(sandbox.edit_order(&sandbox.store(0).store_id, id, edit));
}

/// Cents, from a number or a text.
fn cents(value: &Value) -> i64 {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    (text.parse::<f64>().unwrap() * 100.0).round() as i64
}

fn summary(server: &mut Server, arguments: Value) -> Value {
    server.call("orders_summary", arguments).ok()
}

#[test]
fn the_totals_are_the_sums_of_the_fields_to_the_cent() {
    let (sandbox, mut server) = shop();
    let report = summary(&mut server, json!({ "search_start_date": SINCE }));
    let orders = orders(&sandbox);
    assert_eq!(report["orders"], orders.len());
    assert_eq!(
        (&report["complete"], &report["pages_read"]),
        (&json!(true), &json!(1))
    );
    for (name, field) in [
        ("revenue", "order_total"),
        ("products", "product_total"),
        ("tax", "tax_total"),
        ("shipping", "shipping_total"),
        ("handling", "handling_total"),
        ("discounts", "discount_total"),
        ("refunds", "refund_total"),
    ] {
        let sum: i64 = orders.iter().map(|order| cents(&order[field])).sum();
        assert_eq!(cents(&report["totals"][name]), sum, "{name}");
    }
    assert!(
        report["totals"]["refunds"].as_f64().unwrap() > 0.0,
        "the seed has a refunded order"
    );
    assert!(report["fetched_at"].as_str().unwrap().ends_with('Z'));
    assert!(report["untrusted_data"].is_string());
    assert!(report.get("currency").is_none());
}

#[test]
fn groups_add_up_to_the_totals_whatever_they_are_by() {
    let (sandbox, mut server) = shop();
    let orders = orders(&sandbox);
    for by in ["day", "channel", "folder", "payment_status"] {
        let report = summary(
            &mut server,
            json!({"search_start_date": SINCE, "group_by": by}),
        );
        let groups = report["groups"].as_array().unwrap();
        let sum = |name: &str| groups.iter().map(|group| cents(&group[name])).sum::<i64>();
        assert_eq!(sum("orders"), 100 * orders.len() as i64, "{by}");
        assert_eq!(sum("revenue"), cents(&report["totals"]["revenue"]), "{by}");
        assert!(groups.len() > 1 && report.get("others").is_none(), "{by}");
    }
}

#[test]
fn folders_are_named_and_counted_and_skus_carry_their_pieces() {
    let (sandbox, mut server) = shop();
    let orders = orders(&sandbox);
    let report = summary(
        &mut server,
        json!({"search_start_date": SINCE, "group_by": "folder"}),
    );
    let in_folder = |id: i64| {
        orders
            .iter()
            .filter(|order| order["folder_id"] == id)
            .count()
    };
    for (id, name) in [
        (seed::FOLDER_NEW, "New"),
        (seed::FOLDER_CLOSED, "Closed"),
        (seed::FOLDER_HOLD, "Hold"),
    ] {
        let group = report["groups"]
            .as_array()
            .unwrap()
            .iter()
            .find(|group| group["key"] == name)
            .unwrap();
        assert_eq!(group["orders"], in_folder(id), "{name}");
    }

    let mut pieces: BTreeMap<String, i64> = BTreeMap::new();
    for item in orders
        .iter()
        .flat_map(|order| order["order_items"].as_array().unwrap())
    {
        *pieces
            .entry(item["code"].as_str().unwrap().to_owned())
            .or_default() += item["quantity"].as_i64().unwrap();
    }
    let report = summary(
        &mut server,
        json!({"search_start_date": SINCE, "group_by": "sku"}),
    );
    let told: BTreeMap<String, i64> = report["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            (
                group["key"].as_str().unwrap().to_owned(),
                group["quantity"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, pieces);
}

#[test]
fn without_a_window_the_last_seven_days_are_summed() {
    let (sandbox, mut server) = shop();
    let report = summary(&mut server, json!({}));
    let start = report["search_start_date"].as_str().unwrap();
    assert!(start.ends_with(" 00:00:00"), "{start}");
    let within = orders(&sandbox)
        .iter()
        .filter(|order| order["date_added"].as_str().unwrap() >= start)
        .count();
    assert_eq!(report["orders"], within);
    assert!(
        (10..30).contains(&within),
        "a quarter of the seeded month: {within}"
    );
}

#[test]
fn a_day_may_be_given_in_the_stores_own_time() {
    let (sandbox, mut server) = shop();
    // The seeded store lies in Arizona: seven hours behind UTC the whole year.
    for (number, placed) in [
        (0, "2026-02-01 06:59:59"),
        (1, "2026-02-01 07:00:00"),
        (2, "2026-02-02 06:59:59"),
        (3, "2026-02-02 07:00:00"),
    ] {
        edit(&sandbox, seed::FIRST_ORDER + number, |order| {
            order.insert("date_added".to_owned(), json!(placed));
        });
    }
    let day =
        json!({"search_start_date_local": "2026-02-01", "search_end_date_local": "2026-02-01"});
    let report = summary(&mut server, day);
    assert_eq!(report["orders"], 2);
    assert_eq!(report["search_start_date_local"], "2026-02-01");
    assert!(report.get("search_start_date").is_none());
}

#[test]
fn what_was_canceled_is_named_beside_the_total() {
    let (sandbox, mut server) = shop();
    let report = summary(&mut server, json!({ "search_start_date": SINCE }));
    let canceled = orders(&sandbox)
        .iter()
        .filter(|order| order["folder_id"] == seed::FOLDER_CANCELED)
        .count();
    assert_eq!(report["not_sold"]["orders"], canceled);
}

#[test]
fn paid_orders_that_wait_are_listed_from_all_open_folders_and_the_folders_are_named() {
    let (sandbox, mut server) = shop();
    let report = summary(&mut server, json!({"unshipped_after_days": 3}));
    let mut expected: Vec<String> = orders(&sandbox)
        .iter()
        .filter(|order| {
            ![seed::FOLDER_CLOSED, seed::FOLDER_CANCELED]
                .contains(&order["folder_id"].as_i64().unwrap())
        })
        .filter(|order| {
            order["order_shipments"].as_array().unwrap().is_empty()
                && order["payment_status"] == "Captured"
        })
        .filter(|order| {
            order["order_items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|item| item["delivery_type"] != "noship")
        })
        .filter(|order| older_than_days(order, 3))
        .map(|order| order["id"].as_str().unwrap().to_owned())
        .collect();
    let rows = report["unshipped"].as_array().unwrap();
    let mut told: Vec<String> = rows
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    let by_age: Vec<i64> = rows
        .iter()
        .map(|row| row["days"].as_i64().unwrap())
        .collect();
    assert!(by_age.is_sorted_by(|a, b| a >= b), "{by_age:?}");
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    assert!(
        !told.contains(&seed::ON_HOLD.to_string()),
        "its payment is pending"
    );
    assert_eq!(
        report["open_folders"],
        json!(["New", "Prepared", "Hold", "Needs Attention"])
    );
    assert!(
        report["remarks"]
            .to_string()
            .contains("Approved, Authorized, Captured"),
        "{report}"
    );

    let hold = summary(
        &mut server,
        json!({"unshipped_after_days": 3, "open_folders": ["hold"]}),
    );
    assert_eq!(hold["open_folders"], json!(["Hold"]));
    assert!(
        hold["unshipped"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["folder"] == "Hold")
    );
}

fn older_than_days(order: &Value, days: u64) -> bool {
    let placed = order["date_added"].as_str().unwrap().replace(' ', "T") + "Z";
    let placed = std::time::Duration::from_secs(seconds(&placed));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    now - placed > std::time::Duration::from_secs(days * 86_400)
}

fn seconds(rfc3339: &str) -> u64 {
    let at: jiff::Timestamp = rfc3339.parse().unwrap();
    at.as_second().try_into().unwrap()
}

#[test]
fn a_folder_that_is_not_there_is_refused_with_those_that_are() {
    let (sandbox, mut server) = shop();
    let text = server
        .call(
            "orders_summary",
            json!({"unshipped_after_days": 3, "open_folders": "Hodl"}),
        )
        .error();
    assert!(
        text.contains("`Hodl` is no folder") && text.contains("`Hold`"),
        "{text}"
    );
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.path != "/orders"),
        "nothing was read for it"
    );
}

#[test]
fn an_order_placed_twice_is_a_pair_with_its_reason() {
    let (sandbox, mut server) = shop();
    let (first, again) = (seed::FIRST_ORDER + 40, seed::FIRST_ORDER + 41);
    let copied = sandbox.order(&sandbox.store(0).store_id, first).unwrap();
    edit(&sandbox, again, |order| {
        for field in ["email", "shipping", "order_items", "date_added"] {
            order.insert(field.to_owned(), copied[field].clone());
        }
    });
    let report = summary(
        &mut server,
        json!({"search_start_date": SINCE, "duplicates": true}),
    );
    let pairs = report["duplicates"].as_array().unwrap();
    let pair = pairs
        .iter()
        .find(|pair| pair["orders"].to_string().contains(&again.to_string()))
        .unwrap();
    assert!(
        pair["orders"].to_string().contains(&first.to_string()),
        "{pair}"
    );
    assert!(
        pair["reason"]
            .as_str()
            .unwrap()
            .contains("same items, same e-mail"),
        "{pair}"
    );
    assert!(report["remarks"].to_string().contains("guesses"));
    let without = summary(&mut server, json!({ "search_start_date": SINCE }));
    assert!(without.get("duplicates").is_none());
}

#[test]
fn two_channels_that_share_a_number_are_no_duplicate() {
    let (_sandbox, mut server) = shop();
    let report = summary(
        &mut server,
        json!({"search_start_date": SINCE, "duplicates": true}),
    );
    let twins = json!([seed::TWIN_A.to_string(), seed::TWIN_B.to_string()]);
    assert!(
        report["duplicates"]
            .as_array()
            .unwrap()
            .iter()
            .all(|pair| pair["orders"] != twins),
        "{report}"
    );
}

#[test]
fn the_open_orders_that_need_a_sku_are_listed_with_what_is_left_to_ship() {
    let (sandbox, mut server) = shop();
    let id = seed::FIRST_ORDER + 55;
    edit(&sandbox, id, |order| {
        order.insert("folder_id".to_owned(), json!(seed::FOLDER_PREPARED));
        order.insert(
            "order_items".to_owned(),
            json!([{"id": "91", "name": "Mug", "code": "mug-1", "quantity": 7, "price": 1}]),
        );
        order.insert("order_shipments".to_owned(), json!([{"id": "1", "tracking_number": "T1", "order_items": [{"code": "MUG-1", "quantity": 5}]}]));
    });
    let wanted = id.to_string();
    let report = summary(&mut server, json!({"code": "MUG-1"}));
    let demand = &report["demand"];
    assert_eq!(
        (&demand["code"], &demand["stock"], &demand["enough"]),
        (&json!("MUG-1"), &json!(120), &json!(true))
    );
    let rows = demand["orders"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["id"] == wanted.as_str())
        .unwrap();
    assert_eq!(
        (&row["ordered"], &row["quantity"], &row["folder"]),
        (&json!(7), &json!(2), &json!("Prepared"))
    );
    let sum: i64 = rows
        .iter()
        .map(|row| row["quantity"].as_i64().unwrap())
        .sum();
    assert_eq!(demand["needed"], sum);

    let short = &summary(&mut server, json!({"code": "TEE-M"}))["demand"];
    assert_eq!(
        (&short["stock"], &short["enough"]),
        (&json!(-4), &json!(false))
    );
    let unknown = &summary(&mut server, json!({"code": "NO-SUCH"}))["demand"];
    assert_eq!(
        (&unknown["needed"], &unknown["stock"], &unknown["orders"]),
        (&json!(0), &Value::Null, &json!([]))
    );
}

#[test]
fn low_stock_comes_lowest_first_and_only_what_is_low() {
    let (_sandbox, mut server) = shop();
    let report = server.call("inventory_low_stock", json!({})).ok();
    let told: Vec<(&str, i64)> = report["inventory_items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["code"].as_str().unwrap(),
                row["stock"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("TEE-M", -4),
            ("POST-1824", 0),
            ("NOTE-A5", 2),
            ("TOTE-BLK", 3)
        ]
    );
    assert_eq!(
        (&report["items_read"], &report["complete"]),
        (&json!(14), &json!(true))
    );
    let none = server
        .call(
            "inventory_low_stock",
            json!({"threshold": 0, "code": "MUG-1"}),
        )
        .ok();
    assert_eq!(none["inventory_items"], json!([]));
}

#[test]
fn what_open_orders_need_shows_shortages_of_items_that_are_not_low_yet() {
    let (sandbox, mut server) = shop();
    edit(&sandbox, seed::FIRST_ORDER + 57, |order| {
        order.insert("folder_id".to_owned(), json!(seed::FOLDER_NEW));
        let items = json!([{"id": "92", "name": "Cap", "code": "CAP-NVY", "quantity": 500}, {"id": "93", "name": "Odd", "code": "ODD-1", "quantity": 2}]);
        order.insert("order_items".to_owned(), items);
    });
    let report = server
        .call("inventory_low_stock", json!({"needed": true}))
        .ok();
    let rows = report["inventory_items"].as_array().unwrap();
    let cap = rows.iter().find(|row| row["code"] == "CAP-NVY").unwrap();
    let needed = cap["needed"].as_i64().unwrap();
    assert!(needed >= 500 && cap["shortage"] == needed - 15, "{cap}");
    assert!(
        report["not_in_inventory"].to_string().contains("ODD-1"),
        "{report}"
    );
    assert_eq!(
        report["open_folders"],
        json!(["New", "Prepared", "Hold", "Needs Attention"])
    );
}

#[test]
fn a_report_asks_only_for_what_it_needs_and_takes_nothing_from_the_cache() {
    let (sandbox, mut server) = shop();
    let sent = |sandbox: &Sandbox| {
        sandbox
            .requests()
            .iter()
            .filter(|request| request.path == "/orders")
            .count()
    };
    summary(&mut server, json!({ "search_start_date": SINCE }));
    assert_eq!(sent(&sandbox), 1);
    summary(
        &mut server,
        json!({"search_start_date": SINCE, "unshipped_after_days": 3, "duplicates": true}),
    );
    assert_eq!(
        sent(&sandbox),
        2,
        "one walk answers all questions about one window"
    );
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|request| request.method == "GET")
    );
}

#[test]
fn a_window_that_ends_before_it_begins_is_refused() {
    let (_sandbox, mut server) = shop();
    let text = server
        .call(
            "orders_summary",
            json!({"search_start_date": "2026-03-02", "search_end_date": "2026-03-01"}),
        )
        .error();
    assert!(text.contains("search_start_date"), "{text}");
    let text = server
        .call("orders_summary", json!({"search_end_date": "2026-03-01"}))
        .error();
    assert!(text.contains("without `search_start_date`"), "{text}");
    let text = server
        .call("orders_summary", json!({"group_by": "month"}))
        .error();
    assert!(text.contains("`day`"), "{text}");
}

#[test]
fn a_mistake_in_a_sku_is_told_before_any_order_is_read() {
    let (sandbox, mut server) = shop();
    let text = server
        .call("orders_summary", json!({"code": "MUG-1,TEE-M"}))
        .error();
    assert!(text.contains("comma"), "{text}");
    let read = |path: &str| {
        sandbox
            .requests()
            .iter()
            .any(|request| request.path == path)
    };
    assert!(!read("/orders") && !read("/inventory-items"));
}

#[test]
fn an_upstream_that_fails_gives_an_error_and_no_half_report() {
    let sandbox = sandbox();
    let mut server = Home::with_store(&sandbox)
        .set("HTTP_MAX_RETRIES", "0")
        .session();
    summary(&mut server, json!({}));
    sandbox.faults().next(Fault::server_error(500));
    let text = server.call("orders_summary", json!({})).error();
    assert!(text.starts_with("upstream: "), "{text}");
}

#[test]
fn a_large_shop_stays_within_an_answer_and_says_what_was_cut() {
    let sandbox = Sandbox::start_blocking(Options {
        orders: 1_200,
        bucket: orderdesk_sandbox::Bucket::wide_open(),
        ..Options::default()
    })
    .unwrap();
    for number in 0..1_200 {
        edit(&sandbox, seed::FIRST_ORDER + number, |order| {
            order.insert("folder_id".to_owned(), json!(seed::FOLDER_NEW));
            order.insert("order_shipments".to_owned(), json!([]));
            order.insert(
                "source_name".to_owned(),
                json!(format!("Channel {} {}", number % 100, "x".repeat(500))),
            );
            let item = json!({"id": "1", "code": "MUG-1", "name": "y".repeat(300), "quantity": 1, "price": 1});
            order.insert("order_items".to_owned(), json!([item]));
            order.insert("email".to_owned(), json!("same@example.com"));
        });
    }
    let mut server = Home::with_store(&sandbox).session();
    let all = json!({"search_start_date": SINCE, "group_by": "channel", "unshipped_after_days": 0, "duplicates": true, "code": "MUG-1"});
    let report = server.call("orders_summary", all);
    assert!(report.text.len() < 48_000, "{}", report.text.len());
    let tool = mcp_stdio::tools::find("orders_summary").unwrap();
    let tokens = tiktoken_rs::o200k_base()
        .unwrap()
        .encode_ordinary(&report.text)
        .len();
    println!(
        "the largest orders_summary: {tokens} of {} tokens",
        tool.most_tokens
    );
    assert!(tokens <= tool.most_tokens as usize, "{tokens}");
    let report = report.ok();
    assert_eq!(
        (&report["orders"], &report["complete"]),
        (&json!(1_200), &json!(true))
    );
    let remarks = report["remarks"].to_string();
    for list in ["groups:", "unshipped:", "duplicates:", "demand.orders:"] {
        assert!(
            remarks.contains(list) || list == "groups:",
            "{list} {remarks}"
        );
    }
    assert_eq!(report["others"]["groups"], 38);
    assert!(report["demand"]["needed"].as_i64().unwrap() > 1_000);
}
