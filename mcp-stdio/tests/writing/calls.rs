//! Calls that work, for every tool there is.

use orderdesk_sandbox::seed;
use serde_json::{Value, json};

use crate::kit::{ORDER, Shop};

/// Calls of a tool which together reach every endpoint that it has a use for. In this order they all work.
pub(crate) fn ordinary(shop: &mut Shop, tool: &str) -> Vec<Value> {
    let parcel = || shop.order(seed::THREE_PARCELS)["order_shipments"][0]["id"].clone();
    let item = || shop.order(seed::COMPANY_ONLY)["order_items"][0]["id"].clone();
    match tool {
        "server_status" => vec![json!({}), json!({"check": true})],
        "stores_list" => vec![json!({})],
        "stores_use" => vec![json!({"store": "4242"})],
        "stores_register" => vec![json!({"store_id": 4242, "store_name": "Demo"})],
        "folders_list" | "store_settings" | "orders_list" | "inventory_list" => vec![json!({})],
        "inventory_low_stock" => vec![json!({}), json!({"needed": true})],
        "orders_summary" => vec![json!({}), json!({"code": "TOTE-NAT"})],
        "orders_find" => vec![
            json!({"query": ORDER}),
            json!({"query": "nobody@example.com"}),
            json!({"query": seed::PARCEL_NUMBERS[0]}),
        ],
        "orders_get" | "orders_history" => vec![json!({"order_id": ORDER})],
        "orders_create" => vec![
            json!({"order": {"source_id": "NEW-1", "shipping": {"last_name": "Roe"}, "order_items": [{"name": "Mug"}]}}),
        ],
        "orders_update" => vec![json!({"order_id": ORDER, "changes": {"tag_name": "info"}})],
        "orders_add_note" => vec![
            json!({"order_id": ORDER, "note": "n"}),
            json!({"order_id": ORDER, "note": "n", "kind": "history"}),
        ],
        "orders_move" => {
            let many: Vec<u64> = (0..8).map(|n| ORDER + n).collect();
            vec![
                json!({"order_ids": [ORDER], "folder": "Hold"}),
                json!({"order_ids": many, "folder": "Closed"}),
            ]
        }
        "orders_delete" => vec![json!({"order_id": ORDER})],
        "order_items_list" => vec![
            json!({"order_id": ORDER}),
            json!({"order_id": seed::COMPANY_ONLY, "order_item_id": item()}),
        ],
        "order_items_add" => {
            vec![json!({"order_id": ORDER, "item": {"name": "Mug", "quantity": 1}})]
        }
        "order_items_update" => vec![
            json!({"order_id": seed::COMPANY_ONLY, "order_item_id": item(), "changes": {"quantity": 1}}),
        ],
        "order_items_remove" => {
            vec![json!({"order_id": seed::COMPANY_ONLY, "order_item_id": item()})]
        }
        "shipments_list" => vec![
            json!({"order_id": ORDER}),
            json!({"order_id": seed::THREE_PARCELS, "shipment_id": parcel()}),
        ],
        "shipments_add" => vec![json!({"order_id": ORDER, "tracking_number": "T-1"})],
        "shipments_update" => vec![
            json!({"order_id": seed::THREE_PARCELS, "shipment_id": parcel(), "changes": {"cost": "2.50"}}),
        ],
        "shipments_remove" => {
            vec![json!({"order_id": seed::THREE_PARCELS, "shipment_id": parcel()})]
        }
        "shipments_batch_add" => {
            let many: Vec<Value> = (0..8)
                .map(|n| json!({"order_id": ORDER + n, "tracking_number": format!("T-{n}")}))
                .collect();
            vec![
                json!({"shipments": [{"order_id": ORDER, "tracking_number": "T"}]}),
                json!({ "shipments": many }),
            ]
        }
        "inventory_get" => vec![json!({"inventory_item_id": seed::FIRST_INVENTORY_ITEM})],
        "inventory_create" => vec![json!({"item": {"name": "Apron", "code": "APRON-1"}})],
        "inventory_update" => vec![
            json!({"code": "MUG-1", "changes": {"location": "B"}}),
            json!({"inventory_item_id": seed::FIRST_INVENTORY_ITEM, "changes": {"location": "B"}}),
        ],
        "inventory_adjust" => vec![
            json!({"code": "MUG-1", "delta": 1}),
            json!({"inventory_item_id": seed::FIRST_INVENTORY_ITEM, "set_to": 1}),
        ],
        "inventory_remove" => vec![
            json!({"code": "MUG-1"}),
            json!({"inventory_item_id": seed::FIRST_INVENTORY_ITEM}),
        ],
        "inventory_batch_update" => vec![
            json!({"items": [{"code": "MUG-1", "stock": 1}, {"id": seed::FIRST_INVENTORY_ITEM, "stock": 2}]}),
        ],
        other => panic!("{other} has no ordinary call: add one"),
    }
}
