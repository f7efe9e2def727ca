//! Stock: created, changed, counted, removed.

use orderdesk_sandbox::seed;
use serde_json::{Value, json};

use crate::kit::Shop;

fn item(shop: &mut Shop, code: &str) -> Value {
    let list = shop.other(
        "inventory_list",
        json!({"code": code, "detail": "full", "fresh": true}),
    );
    list["inventory_items"][0].clone()
}

/// The same without what follows from any change.
fn kept(item: &Value, changed: &[&str]) -> Value {
    let mut item = item.as_object().unwrap().clone();
    item.retain(|name, _| {
        !changed.contains(&name.as_str()) && name != "date_updated" && name != "update_source"
    });
    item.into()
}

#[test]
fn stock_is_set_or_changed_by_sku_or_id_and_nothing_else_is() {
    let mut shop = Shop::open();
    let before = item(&mut shop, "TOTE-NAT");
    let stock = before["stock"].as_i64().unwrap();
    let done = shop.write("inventory_adjust", json!({"code": "TOTE-NAT", "delta": -4}));
    assert_eq!(done["inventory_item"]["stock"], stock - 4);
    assert_eq!(
        done["diff"],
        json!([{"path": "stock", "before": stock, "after": stock - 4}])
    );
    shop.write(
        "inventory_adjust",
        json!({"inventory_item_id": seed::FIRST_INVENTORY_ITEM, "set_to": "40"}),
    );
    let after = item(&mut shop, "TOTE-NAT");
    assert_eq!(after["stock"], 40);
    assert_eq!(kept(&after, &["stock"]), kept(&before, &["stock"]));
}

#[test]
fn an_adjustment_is_one_thing_of_one_item() {
    let mut shop = Shop::open();
    let text = shop.refused(
        "inventory_adjust",
        json!({"code": "TOTE-NAT", "inventory_item_id": 61001, "delta": 1, "set_to": 2}),
    );
    assert!(
        text.contains("`code`") && text.contains("`set_to`"),
        "{text}"
    );
    let text = shop.refused("inventory_adjust", json!({}));
    assert!(
        text.contains("`code`") && text.contains("`delta`"),
        "{text}"
    );
    let text = shop.refused("inventory_adjust", json!({"code": "NO-SUCH", "delta": 1}));
    assert!(text.contains("NO-SUCH"), "{text}");
}

#[test]
fn an_item_is_created_changed_and_removed() {
    let mut shop = Shop::open();
    let created = shop.write(
        "inventory_create",
        json!({"item": {"name": "Apron", "code": "APRON-1", "price": "22.50", "stock": 4}}),
    );
    let id = created["inventory_item"]["id"].clone();
    assert!(!id.is_null(), "{created}");
    let before = item(&mut shop, "APRON-1");
    shop.write("inventory_update", json!({"code": "APRON-1", "changes": {"location": "B-7", "metadata": {"print_sku": "P-1"}}}));
    let after = item(&mut shop, "APRON-1");
    assert_eq!(
        (&after["location"], &after["stock"]),
        (&json!("B-7"), &before["stock"])
    );
    assert_eq!(
        kept(&after, &["location", "metadata"]),
        kept(&before, &["location", "metadata"])
    );
    shop.write("inventory_remove", json!({"inventory_item_id": id}));
    assert_eq!(item(&mut shop, "APRON-1"), Value::Null);
}

#[test]
fn a_sku_that_exists_is_not_created_again() {
    let mut shop = Shop::open();
    let answer = shop.window.call(
        "inventory_create",
        json!({"item": {"name": "Another mug", "code": "MUG-1"}}),
    );
    assert!(answer.text.contains("MUG-1"), "{}", answer.text);
    assert!(
        answer.is_error || answer.structured["outcome"] == "not_done",
        "{}",
        answer.text
    );
}

#[test]
fn a_whole_count_is_written_row_by_row_and_may_be_sent_again() {
    let mut shop = Shop::open();
    let mug = item(&mut shop, "MUG-1");
    let rows = json!([
        {"code": "MUG-1", "stock": 7},
        {"code": "NO-SUCH", "stock": 1},
        {"id": seed::FIRST_INVENTORY_ITEM, "stock": "9", "location": "A-1"},
    ]);
    for _ in 0..2 {
        let answer = shop.call("inventory_batch_update", json!({ "items": rows }));
        assert_eq!(
            answer["counts"],
            json!({"done": 2, "not_done": 1, "unknown": 0}),
            "{answer}"
        );
        assert!(
            answer["rows"][1].to_string().contains("NO-SUCH"),
            "{answer}"
        );
    }
    let after = item(&mut shop, "MUG-1");
    assert_eq!(after["stock"], 7);
    assert_eq!(kept(&after, &["stock"]), kept(&mug, &["stock"]));
    assert_eq!(item(&mut shop, "TOTE-NAT")["location"], "A-1");
}
