//! Moves: orders into folders, and back.

use orderdesk_sandbox::seed;
use serde_json::{Value, json};

use crate::kit::{ORDER, Shop};

fn folder(shop: &Shop, id: u64) -> i64 {
    shop.order(id)["folder_id"].as_i64().unwrap()
}

#[test]
fn orders_are_moved_by_the_folders_name_and_the_way_back_is_told() {
    let mut shop = Shop::open();
    let ids = [ORDER, ORDER + 1, seed::ON_HOLD];
    let were: Vec<i64> = ids.iter().map(|id| folder(&shop, *id)).collect();
    let done = shop.write(
        "orders_move",
        json!({"order_ids": ids, "folder": "needs attention"}),
    );
    for id in ids {
        assert_eq!(folder(&shop, id), seed::FOLDER_NEEDS_ATTENTION);
    }
    assert_eq!(
        done["counts"],
        json!({"done": 3, "not_done": 0, "unknown": 0})
    );
    for back in done["undo"].as_array().unwrap() {
        shop.call(
            "orders_move",
            json!({"order_ids": back["order_ids"], "folder": back["folder"]}),
        );
    }
    let are: Vec<i64> = ids.iter().map(|id| folder(&shop, *id)).collect();
    assert_eq!(are, were);
}

#[test]
fn an_unknown_folder_is_refused_with_the_names_there_are() {
    let mut shop = Shop::open();
    let text = shop.refused(
        "orders_move",
        json!({"order_ids": [ORDER], "folder": "Preparred"}),
    );
    for said in ["Prepared", "Hold", "outcome: not_done"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn an_order_that_does_not_exist_fails_alone() {
    let mut shop = Shop::open();
    let done = shop.call(
        "orders_move",
        json!({"order_ids": [ORDER, 999], "folder": "Hold"}),
    );
    assert_eq!(folder(&shop, ORDER), seed::FOLDER_HOLD);
    assert_eq!(done["outcome"], "not_done", "{done}");
    assert_eq!(
        done["counts"],
        json!({"done": 1, "not_done": 1, "unknown": 0})
    );
    let first = &done["rows"][1];
    assert_eq!(
        (id_of(first), &first["outcome"]),
        ("999".to_owned(), &json!("not_done"))
    );
    assert!(first["why"].is_string(), "{first}");
}

#[test]
fn an_order_that_is_there_already_is_done() {
    let mut shop = Shop::open();
    let done = shop.call(
        "orders_move",
        json!({"order_ids": [seed::ON_HOLD], "folder": seed::FOLDER_HOLD}),
    );
    assert_eq!(done["outcome"], "done", "{done}");
    assert_eq!(done["diff"], json!([]));
}

fn id_of(row: &Value) -> String {
    let id = &row["order_id"];
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
