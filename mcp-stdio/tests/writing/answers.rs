//! What an answer costs: every tool's ordinary and largest answers, counted in tokens and held to the cap that the tool declares.

use mcp_stdio::tools::{self, Effect};
use orderdesk_sandbox::{Options, seed};
use serde_json::{Value, json};

use crate::calls;
use crate::kit::{ORDER, STORE, Shop};

/// A client in wide use moves larger results out of the model's sight.
const MOST_OF_ALL: u32 = 25_000;

/// An order with more items than an answer holds.
const HUGE: u64 = seed::FIRST_ORDER + 300;

/// An order that fills an answer.
const LARGE: u64 = seed::FIRST_ORDER + 301;

/// Fills a shop: an order of 500 items and many shipments, one with 250 entries of history, long texts, a large catalogue of orders.
fn full_shop() -> Shop {
    let shop = Shop::with(
        Options {
            orders: 600,
            ..Options::default()
        },
        &[("CONFIRM", "never")],
    );
    shop.sandbox.edit_order(STORE, HUGE, |order| {
        let item = |n: u64| json!({"id": (9_900_000 + n).to_string(), "name": format!("Poster {n} „Nachtzug“, matt"), "code": format!("POST-{n:04}"), "price": 22.5,
            "quantity": 2, "weight": 0.35, "delivery_type": "ship", "category_code": "PRINTS", "variation_list": {"Size": "18x24", "Paper": "matt"},
            "metadata": {"print_url": format!("https://files.example.com/2026/11/{n:08x}.pdf")}});
        order.insert("order_items".to_owned(), (0..500).map(item).collect());
        let parcel = |n: u64| json!({"id": (8_000_000 + n).to_string(), "order_id": HUGE.to_string(), "tracking_number": format!("1Z999AA1{n:010}"), "carrier_code": "UPS",
            "shipment_method": "Ground", "tracking_url": format!("https://www.ups.com/track?tracknum=1Z999AA1{n:010}"), "date_shipped": "2026-03-03",
            "label_image": picture(n), "order_items": [{"id": (9_900_000 + n).to_string(), "quantity": 2}]});
        order.insert("order_shipments".to_owned(), (0..500).map(parcel).collect());
        order.insert("checkout_data".to_owned(), json!({"Gift Message": "Alles Gute zum Geburtstag, liebe Åsa! ".repeat(90)}));
    });
    shop.sandbox.edit_order(STORE, LARGE, |order| {
        let item = |n: u64| json!({"id": (9_800_000 + n).to_string(), "name": "Poster „Nachtzug“, 夜行列車, матовый", "code": format!("POST-{n:04}"), "price": 22.5, "quantity": 2,
            "variation_list": {"Size": "18x24"}});
        order.insert("order_items".to_owned(), (0..240).map(item).collect());
    });
    for n in 0..250 {
        shop.sandbox.edit_order(STORE, ORDER, |order| {
            order.insert("tag_name".to_owned(), json!(format!("{n}")));
        });
    }
    shop.sandbox.forget_requests();
    shop
}

/// Something like an encoded picture.
fn picture(n: u64) -> String {
    let mut random = fastrand::Rng::with_seed(n);
    std::iter::repeat_with(|| random.alphanumeric())
        .take(9_000)
        .collect()
}

/// The largest answers that somebody can ask of a tool; none for tools whose ordinary answer is the largest.
fn largest(tool: &str) -> Vec<Value> {
    let ids: Vec<u64> = (0..500).map(|n| seed::FIRST_ORDER + n).collect();
    match tool {
        "orders_list" => vec![
            json!({"limit": 500}),
            json!({"limit": 500, "detail": "full"}),
            json!({"limit": 500, "fields": "id, source_id, date_added"}),
        ],
        "orders_find" => vec![json!({"query": "Lind", "detail": "full"})],
        "orders_get" | "orders_delete" => {
            vec![json!({"order_id": HUGE}), json!({"order_id": LARGE})]
        }
        "orders_history" => vec![json!({"order_id": ORDER})],
        "order_items_list" => vec![json!({"order_id": HUGE})],
        "shipments_list" => vec![
            json!({"order_id": HUGE}),
            json!({"order_id": HUGE, "fields": "label_image"}),
        ],
        "orders_update" => vec![
            json!({"order_id": HUGE, "changes": {"order_items": (0..60).map(|n| json!({"id": 9_900_000 + n, "name": "Плакат «Ночной поезд» ".repeat(12)})).collect::<Vec<_>>()}}),
            json!({"order_id": HUGE, "changes": {"order_items": (0..500).map(|n| json!({"id": 9_900_000 + n, "quantity": 1})).collect::<Vec<_>>()}}),
        ],
        "orders_move" => vec![
            json!({"order_ids": ids, "folder": "Hold", "dry_run": true}),
            json!({"order_ids": ids, "folder": "Hold"}),
        ],
        "shipments_batch_add" => {
            let row = |id: &u64| json!({"order_id": id, "tracking_number": format!("1Z999BB{id:011}"), "carrier_code": "UPS"});
            let rows: Vec<Value> = ids.iter().map(row).collect();
            let bad: Vec<Value> = (1..=50)
                .map(|n| json!({"order_id": n, "tracking_number": format!("1Z999CC{n:011}")}))
                .collect();
            vec![
                json!({"shipments": rows, "dry_run": true}),
                json!({ "shipments": rows }),
                json!({ "shipments": bad }),
            ]
        }
        "inventory_batch_update" => {
            let bad: Vec<Value> = (0..500)
                .map(|n| json!({"code": format!("NO-SUCH-SKU-{n:06}"), "stock": n}))
                .collect();
            vec![
                json!({"items": bad, "dry_run": true}),
                json!({ "items": bad }),
            ]
        }
        "order_items_remove" => vec![json!({"order_id": HUGE, "order_item_id": 9_900_001})],
        "shipments_remove" => vec![json!({"order_id": HUGE, "shipment_id": 8_000_001})],
        "inventory_list" => vec![json!({"limit": 500, "detail": "full"})],
        "orders_summary" => vec![
            json!({"search_start_date": "2000-01-01", "group_by": "sku", "duplicates": true, "unshipped_after_days": 1}),
        ],
        "inventory_low_stock" => vec![json!({"threshold": 100_000, "needed": true})],
        _ => Vec::new(),
    }
}

#[test]
fn an_answer_holds_what_the_tools_schema_says() {
    for tool in tools::ALL
        .into_iter()
        .filter(|tool| tool.name != "stores_remove")
    {
        let schema = json!(tool.definition())["outputSchema"].clone();
        let mut shop = Shop::open();
        let calls = calls::ordinary(&mut shop, tool.name);
        let writes = matches!(tool.effect, Effect::Writes(_));
        let dry = calls.iter().filter(|_| writes).map(|call| {
            let mut call = call.clone();
            call["dry_run"] = true.into();
            call
        });
        let all: Vec<Value> = dry.chain(calls.iter().cloned()).collect();
        for arguments in all {
            let answer = shop.call(tool.name, arguments);
            let answer = answer.as_object().unwrap();
            for name in answer.keys() {
                assert!(
                    schema["properties"][name].is_object(),
                    "{}: {name}",
                    tool.name
                );
            }
            for name in schema["required"].as_array().unwrap() {
                assert!(
                    answer.contains_key(name.as_str().unwrap()),
                    "{}: {name}",
                    tool.name
                );
            }
        }
    }
}

#[test]
fn no_answer_costs_more_than_its_tool_declares() {
    let bpe = tiktoken_rs::o200k_base().unwrap();
    let cost = |shop: &mut Shop, tool: &str, calls: Vec<Value>| {
        let cost = |arguments| {
            let reply = shop.window.call(tool, arguments);
            bpe.encode_ordinary(&reply.text).len()
        };
        calls.into_iter().map(cost).max().unwrap_or_default()
    };
    println!(
        "{:<24} {:>8} {:>8} {:>8}",
        "tool", "ordinary", "largest", "cap"
    );
    let mut wrong = Vec::new();
    let mut read_only = full_shop();
    let called = tools::ALL
        .into_iter()
        .filter(|tool| tool.name != "stores_remove");
    for tool in called {
        let mut shop = Shop::open();
        let calls = calls::ordinary(&mut shop, tool.name);
        let ordinary = cost(&mut shop, tool.name, calls);
        let calls = largest(tool.name);
        let largest = if calls.is_empty() {
            ordinary
        } else if matches!(tool.effect, Effect::Writes(_)) {
            cost(&mut full_shop(), tool.name, calls).max(ordinary)
        } else {
            cost(&mut read_only, tool.name, calls).max(ordinary)
        };
        println!(
            "{:<24} {ordinary:>8} {largest:>8} {:>8}",
            tool.name, tool.most_tokens
        );
        if largest > tool.most_tokens as usize || tool.most_tokens > MOST_OF_ALL {
            wrong.push(format!("{}: {largest} of {}", tool.name, tool.most_tokens));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
