//! What an assistant gets from a shop: each tool against the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use orderdesk_sandbox::{Fault, Rule, Sandbox, seed};
use serde_json::{Value, json};
use support::{Home, Server, sandbox};

fn shop() -> (Sandbox, Server) {
    let sandbox = sandbox();
    let server = Home::with_store(&sandbox).session();
    (sandbox, server)
}

fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect()
}

#[test]
fn an_order_is_found_by_id_whether_the_id_is_text_or_a_number() {
    let (_sandbox, mut server) = shop();
    for id in [json!("7001001"), json!(7_001_001)] {
        let answer = server.call("orders_get", json!({ "order_id": id })).ok();
        assert_eq!(answer["order"]["id"], "7001001");
        assert!(answer["order"]["order_items"][0]["name"].is_string());
        assert!(answer["fetched_at"].as_str().unwrap().ends_with('Z'));
    }
}

#[test]
fn an_order_that_does_not_exist_is_an_error_with_a_way_out() {
    let (_sandbox, mut server) = shop();
    let text = server
        .call("orders_get", json!({"order_id": "999"}))
        .error();
    assert!(
        text.starts_with("not_found: order `999`") && text.contains("orders_find"),
        "{text}"
    );
}

#[test]
fn an_id_that_is_a_path_reaches_no_other_endpoint() {
    let (sandbox, mut server) = shop();
    for id in [
        "../store",
        "7001001/shipments",
        "7001001?x=1",
        "%2e%2e",
        "-1",
    ] {
        let text = server.call("orders_get", json!({ "order_id": id })).error();
        assert!(text.contains("digits"), "{text}");
        server
            .call("inventory_get", json!({ "inventory_item_id": id }))
            .error();
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn fields_and_detail_choose_what_an_order_shows() {
    let (_sandbox, mut server) = shop();
    let two = server
        .call(
            "orders_get",
            json!({"order_id": "7001001", "fields": ["id", "email"]}),
        )
        .ok();
    assert_eq!(two["order"].as_object().unwrap().len(), 2);
    let summary = server
        .call(
            "orders_get",
            json!({"order_id": "7001001", "detail": "summary"}),
        )
        .ok();
    assert!(summary["order"]["name"].is_string() && summary["order"]["order_items"].is_null());
    let text = server
        .call(
            "orders_get",
            json!({"order_id": "7001001", "fields": "emial"}),
        )
        .error();
    assert!(text.contains("did you mean `email`"), "{text}");
}

#[test]
fn a_field_that_no_documentation_names_is_shown_and_can_be_asked_for() {
    let (sandbox, mut server) = shop();
    let id = seed::UNDOCUMENTED.to_string();
    let raw = sandbox.order("4242", seed::UNDOCUMENTED).unwrap();
    let shown = server.call("orders_get", json!({ "order_id": id })).ok()["order"].clone();
    let known: Vec<&String> = raw
        .as_object()
        .unwrap()
        .iter()
        .filter(|(key, value)| {
            !key.starts_with("cc_")
                && !["processor_response", "order_history"].contains(&key.as_str())
                && is_full(value)
        })
        .map(|(key, _)| key)
        .collect();
    for key in known {
        assert!(!shown[key].is_null(), "{key} is missing");
    }
}

fn is_full(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_full),
        Value::Object(object) => object.values().any(is_full),
        _ => true,
    }
}

#[test]
fn pages_give_every_order_once() {
    let (sandbox, mut server) = shop();
    let mut seen = Vec::new();
    let mut arguments =
        json!({"limit": 25, "fields": ["id"], "order_by": "date_added", "order": "ASC"});
    loop {
        let page = server.call("orders_list", arguments.clone()).ok();
        seen.extend(ids(&page["orders"]).into_iter().map(str::to_owned));
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_more"], false);
            break;
        };
        assert_eq!(page["has_more"], true);
        arguments["cursor"] = cursor.into();
    }
    let total = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(
        (seen.len(), total),
        (sandbox.count_orders("4242"), sandbox.count_orders("4242"))
    );
}

#[test]
fn a_page_that_is_cut_for_size_goes_on_exactly_where_it_stopped() {
    let (sandbox, mut server) = shop();
    let mut seen = 0;
    let mut cuts = 0;
    let mut arguments = json!({"limit": 500, "detail": "full"});
    loop {
        let reply = server.call("orders_list", arguments.clone());
        assert!(reply.text.len() < 50_000, "{} bytes", reply.text.len());
        let page = reply.ok();
        seen += page["orders"].as_array().unwrap().len();
        cuts += usize::from(page["truncated"].is_string());
        match page["next_cursor"].as_str() {
            Some(cursor) => arguments["cursor"] = cursor.into(),
            None => break,
        }
    }
    assert_eq!(seen, sandbox.count_orders("4242"));
    assert!(cuts > 0, "the data was too small to be cut");
}

#[test]
fn a_cursor_belongs_to_its_query() {
    let (_sandbox, mut server) = shop();
    let cursor = server.call("orders_list", json!({"limit": 5})).ok()["next_cursor"].clone();
    let text = server
        .call(
            "orders_list",
            json!({"limit": 5, "cursor": cursor, "folder_id": "50101"}),
        )
        .error();
    assert!(text.starts_with("bad_cursor"), "{text}");
    assert!(
        server
            .call(
                "orders_list",
                json!({"limit": 9, "cursor": cursor, "fields": "id"})
            )
            .ok()["orders"]
            .is_array()
    );
}

#[test]
fn every_filter_reaches_order_desk_and_two_queries_never_share_an_answer() {
    let (sandbox, mut server) = shop();
    let first = sandbox.order("4242", 7_001_001).unwrap();
    let second = sandbox.order("4242", 7_001_002).unwrap();
    for order in [&first, &second] {
        let page = server
            .call(
                "orders_list",
                json!({"email": order["email"], "fields": ["id", "email"]}),
            )
            .ok();
        for row in page["orders"].as_array().unwrap() {
            assert_eq!(row["email"], order["email"]);
        }
        assert!(ids(&page["orders"]).contains(&order["id"].as_str().unwrap()));
    }
    sandbox.forget_requests();
    let dates = json!({"search_start_date": "2026-01-01", "search_end_date": "2026-01-31", "modified_start_date": "2026-01-02T03:04:05Z"});
    server.call("orders_list", dates).ok();
    let request = &sandbox.requests()[0];
    assert_eq!(
        request.parameter("search_start_date").unwrap(),
        "2026-01-01 00:00:00"
    );
    assert_eq!(
        request.parameter("search_end_date").unwrap(),
        "2026-01-31 23:59:59"
    );
    assert_eq!(
        request.parameter("modified_start_date").unwrap(),
        "2026-01-02 03:04:05"
    );
}

#[test]
fn orders_are_found_by_number_id_e_mail_and_tracking_number() {
    let (sandbox, mut server) = shop();
    let order = sandbox.order("4242", seed::THREE_PARCELS).unwrap();
    let queries = [
        order["source_id"].as_str().unwrap(),
        order["id"].as_str().unwrap(),
        seed::PARCEL_NUMBERS[0],
    ];
    for query in queries {
        let found = server.call("orders_find", json!({ "query": query })).ok();
        assert_eq!(
            (found["match"].as_str(), ids(&found["orders"])),
            (Some("one"), vec![order["id"].as_str().unwrap()]),
            "{query}"
        );
        assert!(found["orders"][0]["matched_by"][0].is_string());
    }
    let by_mail = server
        .call("orders_find", json!({"query": order["email"]}))
        .ok();
    assert!(ids(&by_mail["orders"]).contains(&order["id"].as_str().unwrap()));
}

#[test]
fn none_and_many_are_said() {
    let (_sandbox, mut server) = shop();
    let many = server
        .call("orders_find", json!({"query": seed::TWIN_SOURCE_ID}))
        .ok();
    assert_eq!(
        (
            many["match"].as_str(),
            many["orders"].as_array().unwrap().len()
        ),
        (Some("many"), 2)
    );
    let none = server
        .call("orders_find", json!({"query": "NO-SUCH-1"}))
        .ok();
    assert_eq!(
        (
            none["match"].as_str(),
            none["orders"].as_array().unwrap().len()
        ),
        (Some("none"), 0)
    );
}

#[test]
fn folders_and_settings_are_shown_without_the_shops_secrets() {
    let (sandbox, mut server) = shop();
    let folders = server.call("folders_list", json!({})).ok();
    assert_eq!(folders["folders"][0], json!({"id": "50101", "name": "New"}));
    let settings = server.call("store_settings", json!({}));
    assert!(
        !settings.text.contains(seed::SMTP_PASSWORD),
        "{}",
        settings.text
    );
    assert!(!settings.text.contains(&sandbox.store(0).api_key));
    assert!(settings.ok()["settings"]["name"].is_string());
}

#[test]
fn a_store_is_known_by_id_and_once_its_settings_were_read_by_name() {
    let (sandbox, mut server) = shop();
    let store = sandbox.store(0);
    assert_eq!(
        server.call("stores_list", json!({})).ok()["stores"][0],
        json!({"store_id": "4242", "active": true})
    );
    let chosen = server.call("stores_use", json!({"store": store.name})).ok();
    assert_eq!(
        chosen["store"],
        json!({"store_id": "4242", "name": store.name, "active": true})
    );
    server
        .call(
            "orders_list",
            json!({"store": store.name.to_uppercase(), "limit": 1}),
        )
        .ok();
    server
        .call("orders_list", json!({"store": 4242, "limit": 1}))
        .ok();
    let text = server
        .call("orders_list", json!({"store": "Other"}))
        .error();
    assert!(
        text.starts_with("unknown_store: `Other`") && text.contains("`4242`"),
        "{text}"
    );
}

#[test]
fn stock_is_listed_by_sku_and_shown_by_id() {
    let (_sandbox, mut server) = shop();
    let list = server.call("inventory_list", json!({"limit": 3})).ok();
    let first = list["inventory_items"][0].clone();
    assert_eq!(list["has_more"], true);
    let by_code = server
        .call("inventory_list", json!({"code": first["code"]}))
        .ok();
    assert_eq!(by_code["inventory_items"], json!([first]));
    let one = server
        .call("inventory_get", json!({"inventory_item_id": first["id"]}))
        .ok();
    assert_eq!(one["inventory_item"]["code"], first["code"]);
}

#[test]
fn history_is_shown_on_request() {
    let (_sandbox, mut server) = shop();
    let answer = server
        .call("orders_history", json!({"order_id": "7001001"}))
        .ok();
    assert!(answer["history"].is_array(), "{answer}");
}

#[test]
fn hostile_text_comes_out_visible_and_under_a_notice() {
    let (_sandbox, mut server) = shop();
    let reply = server.call("orders_get", json!({"order_id": seed::HOSTILE}));
    assert!(reply.text.starts_with("{\"untrusted_data\":"));
    let hidden = [
        '\u{202E}', '\u{2066}', '\u{2069}', '\u{200B}', '\u{200D}', '\u{FEFF}',
    ];
    assert!(!reply.text.contains(hidden), "{}", reply.text);
    assert!(!reply.text.contains("\\u20"), "{}", reply.text);
}

#[test]
fn nothing_about_a_payment_card_is_ever_shown() {
    let (_sandbox, mut server) = shop();
    for arguments in [
        json!({"order_id": "7001001"}),
        json!({"order_id": "7001001", "fields": ["id", "cc_number_masked", "cc_exp", "processor_response"]}),
    ] {
        let reply = server.call("orders_get", arguments);
        assert!(
            !reply.text.contains("\"cc_") && !reply.text.contains("processor_response\":"),
            "{}",
            reply.text
        );
    }
}

#[test]
fn a_second_read_comes_from_the_cache_and_fresh_goes_past_it() {
    let (sandbox, mut server) = shop();
    let arguments = json!({"order_id": "7001001"});
    let first = server.call("orders_get", arguments.clone()).ok();
    assert_eq!(server.call("orders_get", arguments).ok(), first);
    assert_eq!(sandbox.requests().len(), 1);
    server
        .call("orders_get", json!({"order_id": "7001001", "fresh": true}))
        .ok();
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn what_order_desk_does_wrong_becomes_an_error_that_says_so_and_is_not_kept() {
    let (sandbox, mut server) = shop();
    for (fault, code) in [
        (
            Fault::answer(401, r#"{"status":"error","message":"Invalid"}"#),
            "auth",
        ),
        (Fault::answer(404, "{}"), "not_found"),
        (Fault::error_on_200("Something is off"), "rejected"),
        (Fault::WrongTypes, "protocol"),
        (Fault::MissingData, "protocol"),
    ] {
        let ticket = sandbox.faults().next(fault);
        let text = server
            .call("orders_get", json!({"order_id": "7001001"}))
            .error();
        assert!(text.starts_with(code), "{text}");
        assert!(
            !text.contains("http") && !text.contains(&sandbox.store(0).api_key),
            "{text}"
        );
        assert_eq!(ticket.fired(), 1);
    }
    assert_eq!(
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .ok()["order"]["id"],
        "7001001"
    );
}

#[test]
fn what_passes_is_tried_again_and_the_caller_never_knows() {
    let (sandbox, mut server) = shop();
    let faults = [
        Fault::too_many_requests(0),
        Fault::server_error(502),
        Fault::CutBody,
        Fault::TruncatedJson,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let ticket = sandbox.faults().next(fault);
        let answer = server
            .call(
                "orders_get",
                json!({"order_id": (7_001_001 + number).to_string()}),
            )
            .ok();
        assert!(answer["order"].is_object());
        assert_eq!(ticket.fired(), 1);
    }
}

#[test]
fn a_shop_that_cannot_be_reached_or_stays_broken_is_said_in_words() {
    let sandbox = sandbox();
    let mut server = Home::with_store(&sandbox)
        .set("HTTP_MAX_RETRIES", "0")
        .set("HTTP_TIMEOUT", "300ms")
        .session();
    sandbox
        .faults()
        .add(Rule::new(Fault::server_error(500)).times(1));
    assert!(
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .error()
            .starts_with("upstream: ")
    );
    sandbox.faults().add(Rule::new(Fault::HangBefore).times(1));
    assert!(
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .error()
            .starts_with("timeout: ")
    );
    sandbox.stop();
    let text = server
        .call("orders_get", json!({"order_id": "7001001"}))
        .error();
    assert!(
        text.starts_with("unreachable: ") && text.contains("connection"),
        "{text}"
    );
}
