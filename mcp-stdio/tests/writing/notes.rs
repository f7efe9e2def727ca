//! Notes: for staff, and in the log.

use orderdesk_sandbox::seed;
use serde_json::json;

use crate::kit::{ORDER, Shop, changed};

#[test]
fn a_note_for_staff_stands_behind_the_others_under_the_assistants_name() {
    let mut shop = Shop::open();
    let before = shop.order(seed::ON_HOLD);
    shop.write(
        "orders_add_note",
        json!({"order_id": seed::ON_HOLD, "note": "Customer called – ships Friday"}),
    );
    let after = shop.order(seed::ON_HOLD);
    assert_eq!(changed(&before, &after), ["order_notes"]);
    assert_eq!(after["order_notes"][0], before["order_notes"][0]);
    let note = &after["order_notes"][1];
    assert_eq!(note["content"], "Customer called – ships Friday");
    assert_eq!(note["username"], "Assistant (test)");
}

#[test]
fn the_same_note_is_not_added_twice_whatever_its_letter_case() {
    for kind in ["staff", "history"] {
        let mut shop = Shop::open();
        shop.call(
            "orders_add_note",
            json!({"order_id": ORDER, "note": "Wrap as a gift", "kind": kind}),
        );
        let once = shop.order(ORDER);
        shop.sandbox.forget_requests();
        let again = shop.call(
            "orders_add_note",
            json!({"order_id": ORDER, "note": " WRAP as a  gift ", "kind": kind}),
        );
        assert_eq!(again["outcome"], "done", "{again}");
        assert!(again["remarks"][0].is_string(), "{again}");
        assert!(shop.writes().is_empty(), "{kind}: {:?}", shop.writes());
        assert_eq!(changed(&once, &shop.order(ORDER)), [""; 0]);
    }
}

#[test]
fn a_note_in_the_log_touches_nothing_else_of_the_order() {
    let mut shop = Shop::open();
    let before = shop.order(ORDER);
    let done = shop.write(
        "orders_add_note",
        json!({"order_id": ORDER, "note": "Checked the address", "kind": "history"}),
    );
    let after = shop.order(ORDER);
    assert_eq!(changed(&before, &after), [""; 0], "{done}");
    let log = after["order_history"].as_array().unwrap();
    assert_eq!(log.last().unwrap()["note"], "Checked the address");
    assert!(
        shop.writes()
            .iter()
            .all(|write| write.ends_with("/order-history"))
    );
    let seen = shop.other("orders_history", json!({"order_id": ORDER}));
    assert!(seen["history"].to_string().contains("Checked the address"));
}

#[test]
fn a_note_for_which_there_is_no_room_is_refused_with_the_numbers() {
    let mut shop = Shop::open();
    let text = shop.refused(
        "orders_add_note",
        json!({"order_id": seed::LONG_NOTES, "note": "x".repeat(600)}),
    );
    assert!(
        text.contains("history") && text.contains("outcome: not_done"),
        "{text}"
    );
    let text = shop.refused(
        "orders_add_note",
        json!({"order_id": ORDER, "note": "x".repeat(1801), "kind": "history"}),
    );
    assert!(text.contains("1800") || text.contains("1,800"), "{text}");
}
