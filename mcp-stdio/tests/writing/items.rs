//! Items of an order.

use orderdesk_sandbox::seed;
use serde_json::json;

use crate::kit::{ORDER, Shop, changed};

const ORDER_WITH_TWO: u64 = seed::COMPANY_ONLY;

#[test]
fn items_are_listed_all_or_one() {
    let mut shop = Shop::open();
    let all = shop.call("order_items_list", json!({"order_id": ORDER_WITH_TWO}));
    assert_eq!(all["order_items"].as_array().unwrap().len(), 2);
    assert_eq!(all["has_more"], false);
    let id = all["order_items"][1]["id"].clone();
    let one = shop.call(
        "order_items_list",
        json!({"order_id": ORDER_WITH_TWO, "order_item_id": id}),
    );
    assert_eq!(one["order_items"], json!([all["order_items"][1]]));
    let named = shop.call(
        "order_items_list",
        json!({"order_id": ORDER_WITH_TWO, "fields": "id, quantity"}),
    );
    assert_eq!(named["order_items"][0].as_object().unwrap().len(), 2);
}

#[test]
fn an_item_is_added_behind_the_others_and_its_new_id_is_told() {
    let mut shop = Shop::open();
    let before = shop.order(ORDER);
    let count = before["order_items"].as_array().unwrap().len();
    let done = shop.write("order_items_add", json!({"order_id": ORDER, "item": {"name": "Mug", "code": "MUG-1", "price": "9.50", "quantity": "2"}}));
    let after = shop.order(ORDER);
    assert_eq!(after["order_items"].as_array().unwrap().len(), count + 1);
    assert_eq!(after["order_items"][0], before["order_items"][0]);
    assert_eq!(after["order_items"][count]["id"], done["order_item"]["id"]);
    assert_eq!(done["order_item"]["code"], "MUG-1");
    assert_eq!(
        shop.other("orders_get", json!({"order_id": ORDER}))["order"]["order_items"]
            .as_array()
            .unwrap()
            .len(),
        count + 1
    );
}

#[test]
fn an_items_change_leaves_its_other_fields_and_the_other_items() {
    let mut shop = Shop::open();
    let before = shop.order(ORDER_WITH_TWO);
    let item = before["order_items"][0]["id"].clone();
    shop.write(
        "order_items_update",
        json!({"order_id": ORDER_WITH_TWO, "order_item_id": item, "changes": {"quantity": 5, "variation_list": {"Size": "L", "Print": null}}}),
    );
    let after = shop.order(ORDER_WITH_TWO);
    let (was, is) = (&before["order_items"][0], &after["order_items"][0]);
    assert_eq!(is["quantity"], 5);
    assert_eq!(is["variation_list"], json!({"Size": "L"}));
    for kept in [
        "name",
        "price",
        "weight",
        "code",
        "category_code",
        "metadata",
    ] {
        assert_eq!(is[kept], was[kept], "{kept}");
    }
    assert_eq!(after["order_items"][1], before["order_items"][1]);
}

#[test]
fn only_the_named_item_is_removed() {
    let mut shop = Shop::open();
    let before = shop.order(ORDER_WITH_TWO);
    let item = before["order_items"][0]["id"].clone();
    let done = shop.write(
        "order_items_remove",
        json!({"order_id": ORDER_WITH_TWO, "order_item_id": item}),
    );
    let after = shop.order(ORDER_WITH_TWO);
    assert_eq!(after["order_items"], json!([before["order_items"][1]]));
    assert!(changed(&before, &after).contains(&"order_items".to_owned()));
    assert!(
        done["diff"].to_string().contains("TEE-M")
            || done["diff"].to_string().contains("Organic Tee"),
        "{done}"
    );
}

#[test]
fn an_item_that_is_not_there_is_an_error_that_says_how_to_find_it() {
    let mut shop = Shop::open();
    for (tool, changes) in [
        ("order_items_update", json!({"quantity": 1})),
        ("order_items_remove", json!(null)),
    ] {
        let text = shop.refused(
            tool,
            json!({"order_id": ORDER, "order_item_id": "1", "changes": changes}),
        );
        assert!(
            text.contains("order_items_list") || text.contains("order_id"),
            "{text}"
        );
    }
}
