//! What is wrong with a call is told before anything is sent, and what a shop's strangers wrote stays fenced.

use orderdesk_sandbox::{Options, seed};
use serde_json::{Value, json};

use crate::kit::{ORDER, Shop};

/// Arguments that work but for the ids in them.
const WITH_IDS: [(&str, &str); 9] = [
    ("orders_update", "order_id"),
    ("orders_add_note", "order_id"),
    ("orders_delete", "order_id"),
    ("order_items_add", "order_id"),
    ("order_items_update", "order_item_id"),
    ("order_items_remove", "order_item_id"),
    ("shipments_add", "order_id"),
    ("shipments_update", "shipment_id"),
    ("shipments_remove", "shipment_id"),
];

fn arguments(tool: &str) -> Value {
    match tool {
        "orders_update" => json!({"order_id": ORDER, "changes": {"email": "a@example.com"}}),
        "orders_add_note" => json!({"order_id": ORDER, "note": "n"}),
        "orders_delete" => json!({"order_id": ORDER}),
        "order_items_add" => json!({"order_id": ORDER, "item": {"name": "Mug"}}),
        "order_items_update" => {
            json!({"order_id": ORDER, "order_item_id": 1, "changes": {"quantity": 1}})
        }
        "order_items_remove" => json!({"order_id": ORDER, "order_item_id": 1}),
        "shipments_add" => json!({"order_id": ORDER, "tracking_number": "T"}),
        "shipments_update" => {
            json!({"order_id": ORDER, "shipment_id": 1, "changes": {"cost": "1"}})
        }
        "shipments_remove" => json!({"order_id": ORDER, "shipment_id": 1}),
        other => panic!("no arguments for {other}"),
    }
}

#[test]
fn an_id_that_is_a_path_sends_nothing_at_all() {
    let mut shop = Shop::open();
    for (tool, name) in WITH_IDS {
        for id in [
            "../store",
            "7001001/shipments",
            "7001001?x=1",
            "%2e%2e",
            "-1",
        ] {
            let mut arguments = arguments(tool);
            arguments[name] = id.into();
            let text = shop.refused(tool, arguments);
            assert!(
                text.contains("digits") && text.contains("outcome: not_done"),
                "{tool}: {text}"
            );
            assert!(shop.sandbox.requests().is_empty(), "{tool} {id}");
        }
    }
    let text = shop.refused(
        "orders_move",
        json!({"order_ids": ["7001001", "../store"], "folder": "Hold"}),
    );
    assert!(text.contains("digits"), "{text}");
    assert!(shop.sandbox.requests().is_empty());
}

#[test]
fn every_missing_and_misspelt_argument_is_told_at_once() {
    let mut shop = Shop::open();
    for tool in [
        "orders_create",
        "orders_update",
        "orders_add_note",
        "orders_move",
        "orders_delete",
        "order_items_add",
        "order_items_update",
        "order_items_remove",
        "shipments_add",
        "shipments_update",
        "shipments_remove",
        "shipments_batch_add",
        "inventory_create",
        "inventory_batch_update",
    ] {
        let text = shop.refused(tool, json!({"dry_rum": true}));
        assert!(
            text.contains("did you mean `dry_run`") && text.contains("is missing"),
            "{tool}: {text}"
        );
        assert!(shop.sandbox.requests().is_empty(), "{tool}");
    }
}

#[test]
fn an_order_that_does_not_exist_is_not_found_and_not_written() {
    let mut shop = Shop::open();
    for (tool, _) in WITH_IDS {
        let mut arguments = arguments(tool);
        arguments["order_id"] = 999.into();
        let text = shop.refused(tool, arguments);
        assert!(
            text.starts_with("not_found") && text.contains("outcome: not_done"),
            "{tool}: {text}"
        );
    }
}

#[test]
fn too_much_and_nothing_are_refused() {
    let mut shop = Shop::open();
    let row = |n: u64| json!({"order_id": n, "tracking_number": format!("T-{n}")});
    let many: Vec<Value> = (0..501).map(row).collect();
    let text = shop.refused("shipments_batch_add", json!({ "shipments": many }));
    assert!(text.contains("500"), "{text}");
    let ids: Vec<u64> = (1..=501).collect();
    assert!(
        shop.refused("orders_move", json!({"order_ids": ids, "folder": "Hold"}))
            .contains("500")
    );
    for (tool, name) in [
        ("orders_update", "changes"),
        ("orders_create", "order"),
        ("shipments_batch_add", "shipments"),
        ("inventory_batch_update", "items"),
    ] {
        let empty = if name == "shipments" || name == "items" {
            json!([])
        } else {
            json!({})
        };
        let text = shop.refused(tool, json!({"order_id": ORDER, name: empty}));
        assert!(
            text.starts_with("bad_arguments") && text.contains("is missing"),
            "{tool}: {text}"
        );
    }
}

#[test]
fn what_strangers_wrote_stays_under_the_notice_and_nothing_hides_in_it() {
    let mut shop = Shop::open();
    let hidden = [
        '\u{202E}', '\u{202C}', '\u{200B}', '\u{200D}', '\u{FEFF}', '\u{1b}', '\u{7}',
    ];
    for (tool, arguments) in [
        (
            "orders_update",
            json!({"order_id": seed::HOSTILE, "changes": {"shipping": {"first_name": "Sam"}, "checkout_data": {"Gift Message": "Hi"}}}),
        ),
        (
            "orders_add_note",
            json!({"order_id": seed::HOSTILE, "note": "seen"}),
        ),
        ("orders_delete", json!({"order_id": seed::HOSTILE})),
    ] {
        for dry_run in [true, false] {
            let mut arguments = arguments.clone();
            arguments["dry_run"] = dry_run.into();
            let reply = shop.window.call(tool, arguments);
            assert!(
                reply.text.starts_with("{\"untrusted_data\":"),
                "{tool}: {}",
                reply.text
            );
            assert!(
                !reply.text.contains(hidden) && !reply.text.contains("\\u00"),
                "{tool}: {}",
                reply.text
            );
            for card in ["cc_number", "cc_exp", "processor_response", "xxxx"] {
                assert!(!reply.text.contains(card), "{tool}: {}", reply.text);
            }
        }
    }
}

#[test]
fn in_an_error_a_strangers_words_stay_in_quotes_and_contact_data_is_not_repeated() {
    let mut shop = Shop::with(
        Options::default(),
        &[("CONFIRM", "never"), ("MASK_PII", "true")],
    );
    let order = shop.order(seed::HOSTILE);
    let text = shop.refused(
        "orders_update",
        json!({"order_id": seed::HOSTILE, "changes": {"email": "x@example.com", "ip_address": "1.2.3.4", "shipping": {"company": "A", "phone": "1"}},
            "expected": {"email": "y@example.com", "ip_address": "4.3.2.1", "shipping": {"company": "B", "phone": "2"}}}),
    );
    assert!(text.starts_with("conflict: "), "{text}");
    for path in ["email", "ip_address", "shipping.company", "shipping.phone"] {
        assert!(text.contains(&format!("`{path}`")), "{path}: {text}");
    }
    let company = order["shipping"]["company"].as_str().unwrap();
    assert!(text.contains(&json!(company).to_string()), "{text}");
    for private in [
        &order["email"],
        &order["ip_address"],
        &order["shipping"]["phone"],
    ] {
        let private = private.as_str().unwrap();
        assert!(!text.contains(private), "{private}: {text}");
    }
}
