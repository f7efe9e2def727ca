//! What `POST`, `PUT` and `DELETE` do to orders; and moves.

use std::time::Duration;

use orderdesk_sandbox::{Bucket, Clock, MoveRule, Options, seed};
use serde_json::{Value, json};

use crate::client::Desk;

fn mug_order(source_id: &str) -> Value {
    json!({
        "source_name": "Demo Shop", "source_id": source_id, "email": "sam.roe@example.com", "shipping_total": 5,
        "shipping": {"first_name": "Sam", "last_name": "Roe", "address1": "4 Quay St", "city": "Salem", "state": "MA", "country": "US"},
        "order_items": [{"name": "Mug", "code": "MUG-1", "price": 9.5, "quantity": 2}],
    })
}

#[tokio::test]
async fn a_new_order_gets_its_defaults() {
    let desk = Desk::open().await;
    let order = desk
        .call("POST", "/orders", &mug_order("DEMO-1"))
        .await
        .ok()["order"]
        .clone();
    assert_eq!(
        (
            &order["order_total"],
            &order["processor_balance"],
            &order["quantity_total"]
        ),
        (&json!(24), &json!(24), &json!(2))
    );
    assert_eq!(
        (&order["folder_id"], &order["payment_status"]),
        (&json!(seed::FOLDER_NEW), &json!("Captured"))
    );
    assert_eq!(
        order["customer"]["last_name"], "Roe",
        "the missing address is copied"
    );
    assert_eq!(order["order_items"][0]["delivery_type"], "ship");

    let mut bare = mug_order("");
    bare.as_object_mut()
        .unwrap()
        .retain(|key, _| key == "order_items");
    bare["customer_company"] = json!("Flat Form Ltd");
    let order = desk.call("POST", "/orders", &bare).await.ok()["order"].clone();
    assert_eq!(
        (&order["source_id"], &order["source_name"]),
        (&order["id"], &json!("Order Desk"))
    );
    assert_eq!(order["shipping"]["company"], "Flat Form Ltd");
}

#[tokio::test]
async fn the_same_order_twice_is_refused_and_names_the_first() {
    let desk = Desk::open().await;
    let id = desk
        .call("POST", "/orders", &mug_order("DEMO-2"))
        .await
        .ok()["order"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let again = desk.call("POST", "/orders", &mug_order("DEMO-2")).await;
    assert_eq!(
        again.refused(),
        (
            400,
            format!("Order Not Added. Order Already Exists: {id}").as_str()
        )
    );
    assert_eq!(desk.sandbox.count_orders("4242"), 61);
}

#[tokio::test]
async fn an_order_without_items_or_name_is_refused_with_reasons() {
    let desk = Desk::open().await;
    let reply = desk
        .call("POST", "/orders", &json!({"email": "x@example.com"}))
        .await;
    assert_eq!(reply.refused(), (400, "Order Not Added"));
    assert_eq!(reply.json["errors"].as_array().unwrap().len(), 2);
    let wrong = json!({"shipping": "Sam Roe", "order_items": [{"price": 1}], "company": ""});
    assert_eq!(desk.call("POST", "/orders", &wrong).await.refused().0, 400);
    assert_eq!(
        desk.sandbox.count_orders("4242"),
        60,
        "nothing was half done"
    );
}

#[tokio::test]
async fn put_blanks_what_is_left_out() {
    let desk = Desk::open().await;
    let before = desk.order(seed::UNDOCUMENTED).await;
    let path = format!("/orders/{}", seed::UNDOCUMENTED);
    let patch = json!({"shipping": {"first_name": "Only"}});
    let after = desk.call("PUT", &path, &patch).await.ok()["order"].clone();
    assert_eq!(
        (
            &after["email"],
            &after["source_id"],
            &after["customer"]["last_name"]
        ),
        (&json!(""), &json!(""), &json!(""))
    );
    assert_eq!(
        (&after["shipping"]["first_name"], &after["shipping"]["city"]),
        (&json!("Only"), &json!(""))
    );
    assert!(
        after.get("carbon_neutral").is_none(),
        "unknown fields are blanked as well"
    );
    for kept in [
        "order_items",
        "folder_id",
        "cc_number_masked",
        "date_added",
        "id",
    ] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
}

#[tokio::test]
async fn strict_put_deletes_items_and_falls_back_to_the_first_folder() {
    let desk = Desk::with(Options {
        strict: true,
        bucket: Bucket::wide_open(),
        ..Options::default()
    })
    .await;
    let after = desk
        .call(
            "PUT",
            &format!("/orders/{}", seed::ON_HOLD),
            &json!({"email": "x@example.com"}),
        )
        .await
        .ok();
    assert_eq!(
        (
            &after["order"]["order_items"],
            &after["order"]["order_total"]
        ),
        (&json!([]), &json!(0))
    );
    assert_eq!(after["order"]["folder_id"], seed::FOLDER_NEW);
    assert_eq!(after["order"]["cc_number_masked"], "");
}

#[tokio::test]
async fn every_order_put_back_whole_is_unchanged() {
    let desk = Desk::open().await;
    for id in seed::FIRST_ORDER..seed::FIRST_ORDER + 60 {
        let before = desk.order(id).await;
        let after = desk
            .call("PUT", &format!("/orders/{id}"), &before)
            .await
            .ok()["order"]
            .clone();
        for (key, value) in before.as_object().unwrap() {
            if key != "date_updated" {
                assert_eq!(&after[key], value, "{id} {key}");
            }
        }
    }
}

#[tokio::test]
async fn put_adds_changes_and_removes_items() {
    let desk = Desk::open().await;
    let mut order = desk.order(seed::COMPANY_ONLY).await;
    let kept = order["order_items"][1]["id"].clone();
    order["order_items"] = json!([{"id": kept, "name": "Mug", "price": 10, "quantity": 1}, {"name": "Cap", "price": 21}]);
    let after = desk
        .call("PUT", &format!("/orders/{}", seed::COMPANY_ONLY), &order)
        .await
        .ok()["order"]
        .clone();
    let items = after["order_items"].as_array().unwrap();
    assert_eq!(
        (items.len(), &items[0]["id"], &items[0]["code"]),
        (2, &kept, &json!(""))
    );
    assert_ne!(items[1]["id"], kept);
    assert_eq!(after["product_total"], 31);
}

#[tokio::test]
async fn put_can_move_and_refuses_unknown_folders() {
    let desk = Desk::open().await;
    let mut order = desk.order(seed::ON_HOLD).await;
    let path = format!("/orders/{}", seed::ON_HOLD);
    order["folder_id"] = json!(seed::FOLDER_PREPARED);
    assert_eq!(
        desk.call("PUT", &path, &order).await.ok()["order"]["folder_id"],
        seed::FOLDER_PREPARED
    );
    order["folder_id"] = json!(1);
    assert_eq!(
        desk.call("PUT", &path, &order).await.refused(),
        (200, "Folder Not Found")
    );
    assert_eq!(
        desk.order(seed::ON_HOLD).await["folder_id"],
        seed::FOLDER_PREPARED
    );
}

#[tokio::test]
async fn notes_beyond_what_an_order_holds_are_lost() {
    let desk = Desk::open().await;
    let mut order = desk.order(seed::LONG_NOTES).await;
    let notes = order["order_notes"].as_array_mut().unwrap();
    let before = notes.len();
    notes.push(json!({"username": "Kim", "content": "x".repeat(400)}));
    let after = desk
        .call("PUT", &format!("/orders/{}", seed::LONG_NOTES), &order)
        .await
        .ok();
    assert_eq!(
        after["order"]["order_notes"].as_array().unwrap().len(),
        before
    );
    order["checkout_data"] = json!({"Essay": "x".repeat(4_000)});
    assert_eq!(
        desk.call("PUT", &format!("/orders/{}", seed::LONG_NOTES), &order)
            .await
            .refused(),
        (400, "Order Not Updated")
    );
}

#[tokio::test]
async fn a_deleted_order_is_gone_and_no_longer_counted() {
    let desk = Desk::open().await;
    desk.call("POST", "/orders", &mug_order("DEMO-3"))
        .await
        .ok();
    let twin = desk
        .call("POST", "/orders", &mug_order("DEMO-4"))
        .await
        .ok()["order"]
        .clone();
    assert_eq!(twin["email_count"], "2");
    let first = twin["id"].as_str().unwrap().parse::<u64>().unwrap() - 1;
    let reply = desk
        .call("DELETE", &format!("/orders/{first}"), &Value::Null)
        .await
        .ok();
    assert_eq!(reply["message"], format!("Order {first} Deleted"));
    assert_eq!(
        desk.get(&format!("/orders/{first}")).await.refused(),
        (404, "Order Not Found")
    );
    assert_eq!(desk.order(first + 1).await["email_count"], "1");
}

#[tokio::test]
async fn history_only_grows_and_holds_250_entries() {
    let desk = Desk::open().await;
    let path = format!("/orders/{}/order-history", seed::FIRST_ORDER);
    for number in 0..260 {
        desk.call("POST", &path, &json!({"note": format!("entry {number}")}))
            .await
            .ok();
    }
    let last = desk
        .call(
            "POST",
            &path,
            &json!({"note": "the end", "source_name": "Assistant"}),
        )
        .await
        .ok();
    let history = last["order"]["order_history"].as_array().unwrap();
    assert_eq!((history.len(), &last["total_records"]), (250, &json!(250)));
    assert_eq!(
        (&history[249]["note"], &history[249]["source_name"]),
        (&json!("the end"), &json!("Assistant"))
    );
    assert_eq!(history[248]["source_name"], "API");
    assert_eq!(
        desk.call("POST", &path, &json!({"note": "x".repeat(1_801)}))
            .await
            .refused()
            .0,
        400
    );
}

#[tokio::test]
async fn orders_move_by_id_or_name_and_say_where_they_were() {
    let desk = Desk::open().await;
    let ids = json!([seed::ON_HOLD, seed::ON_HOLD.to_string(), 1]);
    let body = json!({"order_id_list": ids, "destination_folder_name": "Prepared"});
    let reply = desk.call("POST", "/move-orders", &body).await.ok();
    assert_eq!(reply["message"], "2 Orders Moved");
    assert_eq!(reply["results"][0]["order_id"], seed::ON_HOLD);
    assert_eq!(
        (
            &reply["results"][0]["original_folder_id"],
            &reply["results"][0]["message"]
        ),
        (
            &json!(seed::FOLDER_HOLD),
            &json!("Order Moved to Prepared Folder")
        )
    );
    assert_eq!(reply["results"][2]["message"], "Order Not Found");
    let history = desk.sandbox.order("4242", seed::ON_HOLD).unwrap()["order_history"].to_string();
    assert_eq!(
        history.matches("Moved to Prepared").count(),
        1,
        "a move to where it is leaves no trace"
    );

    for wrong in [
        json!({"destination_folder_name": "prepared"}),
        json!({"destination_folder_id": 1}),
        json!({}),
        json!({"destination_folder_id": seed::FOLDER_NEW, "destination_folder_name": "New"}),
    ] {
        let mut body = wrong;
        body["order_id_list"] = json!([seed::ON_HOLD]);
        assert_eq!(
            desk.call("POST", "/move-orders", &body).await.refused(),
            (200, "Folder Not Found"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_rule_moves_an_order_on_behind_the_clients_back() {
    let clock = Clock::manual("2026-03-02T12:00:00Z".parse().unwrap());
    let rule = MoveRule {
        into: seed::FOLDER_PREPARED,
        then: seed::FOLDER_CLOSED,
        after_ms: 500,
    };
    let options = Options {
        clock: clock.clone(),
        rules: vec![rule],
        bucket: Bucket::wide_open(),
        ..Options::default()
    };
    let desk = Desk::with(options).await;
    let body =
        json!({"order_id_list": [seed::ON_HOLD], "destination_folder_id": seed::FOLDER_PREPARED});
    desk.call("POST", "/move-orders", &body).await.ok();
    assert_eq!(
        desk.order(seed::ON_HOLD).await["folder_id"],
        seed::FOLDER_PREPARED
    );
    clock.advance(Duration::from_millis(600));
    assert_eq!(
        desk.order(seed::ON_HOLD).await["folder_id"],
        seed::FOLDER_CLOSED
    );
    let history = desk.sandbox.order("4242", seed::ON_HOLD).unwrap()["order_history"].clone();
    assert_eq!(
        history.as_array().unwrap().last().unwrap()["source_name"],
        "Auto"
    );
}

#[tokio::test]
async fn an_edit_in_the_app_shows_at_the_next_read() {
    let desk = Desk::open().await;
    let before = desk.order(seed::FIRST_ORDER).await;
    let edited = desk
        .sandbox
        .edit_order("4242", seed::FIRST_ORDER, |fields| {
            fields["shipping_total"] = json!(100);
            fields["email"] = json!("new@example.com");
        });
    let after = desk.order(seed::FIRST_ORDER).await;
    assert!(edited && after["order_total"] != before["order_total"]);
    assert_eq!(after["email_count"], "1");
    assert!(!desk.sandbox.edit_order("4242", 1, |_| {}));
}
