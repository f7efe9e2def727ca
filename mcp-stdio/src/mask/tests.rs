//! What is hidden, what stays, and that nothing gets around it.

use super::{marked, sentence, text as mask_text, value as mask_value};
use proptest::prelude::*;
use serde_json::{Value, json};

fn masked(given: Value) -> Value {
    let mut masked = given;
    mask_value(&mut masked);
    masked
}

#[test]
fn addresses_numbers_and_ips_keep_only_what_tells_them_apart() {
    let order = json!({
        "id": "7001001",
        "email": "rosa@example.com",
        "ip_address": "203.0.113.7",
        "shipping": {"name": "Rosa Diaz", "phone": "+1 (555) 555-0100", "address1": "1 Main St"},
        "customer": {"phone": 5_555_550_100_u64, "ip_address": "2001:db8::1"},
        "return_email": "back@example.org",
        "order_notes": [{"content": "Call rosa@example.com, or ben.k+x@shop.example!"}],
    });
    assert_eq!(
        masked(order),
        json!({
            "id": "7001001",
            "email": "r•••@example.com",
            "ip_address": "203.•••",
            "shipping": {"name": "Rosa Diaz", "phone": "•••0100", "address1": "1 Main St"},
            "customer": {"phone": "•••0100", "ip_address": "2001:•••"},
            "return_email": "b•••@example.org",
            "order_notes": [{"content": "Call r•••@example.com, or b•••@shop.example!"}],
        })
    );
}

#[test]
fn a_line_of_a_diff_is_masked_by_what_it_is_about() {
    let diff = json!({"path": "shipping.phone", "before": "555-555-0100", "after": null});
    assert_eq!(
        masked(diff),
        json!({"path": "shipping.phone", "before": "•••0100", "after": null})
    );
    let diff = json!({"path": "order_items[7].quantity", "before": "5555550100", "after": 2});
    assert_eq!(masked(diff.clone()), diff);
}

#[test]
fn a_sentence_about_a_number_keeps_only_what_it_is_about() {
    assert_eq!(
        sentence("`shipping.phone` was `555-555-0100` and is `1` now"),
        "`shipping.phone` is not what it was"
    );
    assert_eq!(
        sentence("`email` was `rosa@example.com` and is nothing now"),
        "`email` was `r•••@example.com` and is nothing now"
    );
    assert_eq!(sentence("order 7 is different"), "order 7 is different");
}

#[test]
fn short_numbers_and_what_is_no_address_are_hidden_whole() {
    assert_eq!(
        masked(json!({"phone": "0100", "email": "none", "ip_address": "localhost"})),
        json!({"phone": "•••", "email": "•••", "ip_address": "•••"})
    );
    assert_eq!(
        masked(json!({"phone": "", "email": "", "ip_address": ""})),
        json!({"phone": "", "email": "", "ip_address": ""})
    );
}

#[test]
fn numbers_are_hidden_under_the_names_that_sales_channels_make_up() {
    for name in [
        "Customer Phone Number",
        "phone_number",
        "customerPhone",
        "Mobile",
        "buyer-tel",
        "FAX no.",
    ] {
        assert_eq!(
            masked(json!({name: "+1 (201) 555-0177", "x": {name: 2015550177_u64}})),
            json!({name: "•••0177", "x": {name: "•••0177"}}),
            "{name}"
        );
    }
    for name in ["ip", "Buyer IP", "clientIp"] {
        assert_eq!(
            masked(json!({ name: "198.51.100.77" })),
            json!({ name: "198.•••" }),
            "{name}"
        );
    }
}

#[test]
fn what_only_speaks_of_a_telephone_and_is_none_stays() {
    for (name, value) in [
        ("Phone Model", "Pixel 9 Pro 256"),
        ("phone_case_colour", "navy"),
        ("cell count", "12"),
        ("tip", "4.50"),
        ("hotel", "2015550177"),
        ("ip", "none"),
    ] {
        assert_eq!(masked(json!({name: value})), json!({name: value}), "{name}");
    }
}

#[test]
fn what_is_no_address_stays() {
    for text in ["@home", "5 @ 3.00", "a @ b", "@", "", "@@", "no sign"] {
        assert_eq!(mask_text(text), text);
    }
    assert_eq!(mask_text("a@b@c.com"), "a•••@b•••@c.com");
    assert_eq!(mask_text("ébert@exämple.com"), "é•••@exämple.com");
}

#[test]
fn a_mark_that_comes_back_is_found_wherever_it_stands() {
    let find = |given: Value| marked(given.as_object().unwrap());
    assert_eq!(
        find(json!({"changes": {"shipping": {"phone": "•••0100"}}})).as_deref(),
        Some("changes.shipping.phone")
    );
    assert_eq!(
        find(json!({"items": [{"a": 1}, {"b": "•••"}]})).as_deref(),
        Some("items.b")
    );
    assert_eq!(find(json!({"note": "• one •• two"})), None);
}

proptest! {
    #[test]
    fn no_text_keeps_an_address_and_twice_is_once(before in ".{0,20}", local in "[a-z]{2,9}", after in "( .{0,20})?") {
        let given = format!("{before} {local}@example.com{after}");
        let once = mask_text(&given).into_owned();
        let whole = format!("{local}@example.com");
        prop_assert!(!once.contains(&whole), "{}", once);
        let twice = mask_text(&once).into_owned();
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn nothing_makes_it_panic(text in "\\PC*", field in "(phone|email|ip_address|x)") {
        let mut value = json!({field: text});
        mask_value(&mut value);
    }
}
