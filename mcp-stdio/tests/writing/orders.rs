//! Orders: created, updated, deleted.

use orderdesk_sandbox::seed;
use serde_json::json;

use crate::kit::{ORDER, STORE, Shop, changed, paths};

#[test]
fn an_update_changes_what_was_named_and_nothing_else() {
    let mut shop = Shop::open();
    let before = shop.order(ORDER);
    let done = shop.write(
        "orders_update",
        json!({"order_id": ORDER, "changes": {"shipping": {"city": "Bonn"}, "tag_name": "error", "shipping_total": "7.25"}}),
    );
    let after = shop.order(ORDER);
    assert_eq!(after["shipping"]["city"], "Bonn");
    assert_eq!(
        after["shipping"]["first_name"],
        before["shipping"]["first_name"]
    );
    assert_eq!(after["order_items"], before["order_items"]);
    let mut names = changed(&before, &after);
    names.sort();
    assert!(
        names.contains(&"tag_name".to_owned()) && names.contains(&"shipping".to_owned()),
        "{names:?}"
    );
    assert!(
        names.iter().all(
            |name| ["shipping", "tag_name", "shipping_total", "order_total"]
                .contains(&name.as_str())
        ),
        "{names:?}"
    );
    let city = done["diff"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["path"] == "shipping.city")
        .unwrap();
    assert_eq!(
        (&city["before"], &city["after"]),
        (&before["shipping"]["city"], &json!("Bonn"))
    );
    assert_eq!(done["order"]["id"], ORDER.to_string());
    assert!(
        done["order"]["ship_to"]
            .as_str()
            .unwrap()
            .starts_with("Bonn")
    );
}

#[test]
fn what_one_window_writes_the_other_reads_at_once() {
    let mut shop = Shop::open();
    let get = json!({"order_id": ORDER});
    shop.other("orders_get", get.clone());
    shop.write(
        "orders_update",
        json!({"order_id": ORDER, "changes": {"email": "new@example.com"}}),
    );
    assert_eq!(
        shop.other("orders_get", get)["order"]["email"],
        "new@example.com"
    );
}

#[test]
fn fields_that_no_documentation_names_survive_an_update() {
    let mut shop = Shop::open();
    let before = shop.order(seed::UNDOCUMENTED);
    shop.write(
        "orders_update",
        json!({"order_id": seed::UNDOCUMENTED, "changes": {"tag_name": "info"}}),
    );
    let after = shop.order(seed::UNDOCUMENTED);
    assert_eq!(changed(&before, &after), ["tag_name"]);
    assert_eq!(
        after["order_items"][0]["customs_code"],
        before["order_items"][0]["customs_code"]
    );
}

#[test]
fn what_is_already_so_is_done_without_a_request_that_writes() {
    let mut shop = Shop::open();
    let email = shop.order(ORDER)["email"].clone();
    let done = shop.call(
        "orders_update",
        json!({"order_id": ORDER, "changes": {"email": email}}),
    );
    assert_eq!(
        (done["outcome"].as_str(), &done["diff"]),
        (Some("done"), &json!([]))
    );
    assert!(
        done["remarks"][0].as_str().unwrap().contains("already"),
        "{done}"
    );
    assert!(shop.writes().is_empty());
}

#[test]
fn an_old_value_that_is_no_longer_there_stops_the_write() {
    let mut shop = Shop::open();
    let text = shop.refused(
        "orders_update",
        json!({"order_id": ORDER, "changes": {"email": "b@example.com"}, "expected": {"email": "somebody@else.example"}}),
    );
    assert!(
        text.starts_with("conflict: ") && text.contains("email"),
        "{text}"
    );
    assert!(text.contains("outcome: not_done"), "{text}");
}

#[test]
fn every_mistake_in_changes_is_told_at_once_with_what_to_do() {
    let mut shop = Shop::open();
    let text = shop.refused(
        "orders_update",
        json!({"order_id": ORDER, "changes": {"emial": "x", "order_total": 5, "order_notes": [], "folder_id": 50102, "order_items": [{"name": "new"}]}}),
    );
    for said in [
        "did you mean `email`",
        "order_total",
        "orders_add_note",
        "orders_move",
        "order_items_add",
        "outcome: not_done",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn an_existing_item_is_edited_by_its_id_and_the_others_stay() {
    let mut shop = Shop::open();
    let before = shop.order(seed::COMPANY_ONLY);
    let item = before["order_items"][0]["id"].clone();
    shop.write(
        "orders_update",
        json!({"order_id": seed::COMPANY_ONLY, "changes": {"order_items": [{"id": item, "quantity": 3}]}}),
    );
    let after = shop.order(seed::COMPANY_ONLY);
    assert_eq!(after["order_items"][0]["quantity"], 3);
    assert_eq!(
        after["order_items"][0]["variation_list"],
        before["order_items"][0]["variation_list"]
    );
    assert_eq!(after["order_items"][1], before["order_items"][1]);
}

#[test]
fn an_order_is_created_once_however_often_it_is_asked_for() {
    let mut shop = Shop::open();
    let count = shop.sandbox.count_orders(STORE);
    let order = json!({"source_id": "PHONE-7", "email": "sam.roe@example.com", "shipping": {"first_name": "Sam", "last_name": "Roe", "city": "Salem"},
        "order_items": [{"name": "Mug", "code": "MUG-1", "price": "9.50", "quantity": 2}]});
    let done = shop.write("orders_create", json!({ "order": order }));
    assert_eq!(shop.sandbox.count_orders(STORE), count + 1);
    let id: u64 = done["order"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(shop.order(id)["order_items"][0]["quantity"], 2);
    let again = shop.call("orders_create", json!({ "order": order }));
    assert_eq!(shop.sandbox.count_orders(STORE), count + 1, "{again}");
    assert!(again.to_string().contains(&id.to_string()), "{again}");
}

#[test]
fn an_order_that_lacks_what_order_desk_wants_is_refused_before_it_is_sent() {
    let mut shop = Shop::open();
    let text = shop.refused(
        "orders_create",
        json!({"order": {"email": "x@example.com", "id": "5"}}),
    );
    for said in ["order_items", "name", "`id`"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn a_deleted_order_is_gone_for_both_windows() {
    let mut shop = Shop::open();
    let get = json!({"order_id": ORDER});
    shop.other("orders_get", get.clone());
    let done = shop.write("orders_delete", get.clone());
    assert!(shop.sandbox.order(STORE, ORDER).is_none());
    assert!(!paths(&done).is_empty());
    let text = shop.window.call("orders_get", get).error();
    assert!(text.starts_with("not_found"), "{text}");
}
