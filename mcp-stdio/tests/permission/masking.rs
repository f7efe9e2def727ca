//! What is hidden of people when `MASK_PII` is on.

use serde_json::{Value, json};

use crate::kit::{ORDER, home, shops, writes};

/// Every e-mail address in a text that is not masked.
fn addresses(text: &str) -> Vec<&str> {
    text.match_indices('@')
        .filter(|(at, _)| {
            text[..*at]
                .chars()
                .next_back()
                .is_some_and(char::is_alphanumeric)
        })
        .map(|(at, _)| {
            &text[at
                .saturating_sub(10)
                .max(text[..at].rfind('"').unwrap_or(0))..at]
        })
        .collect()
}

fn strings_under(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                if field == name {
                    found.extend(inner.as_str().map(str::to_owned));
                }
                strings_under(inner, name, found);
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| strings_under(value, name, found)),
        _ => {}
    }
}

#[test]
fn no_answer_holds_a_whole_address_or_number() {
    let sandbox = shops();
    let mut open = home(&sandbox).session();
    let whole = open.call("orders_get", json!({"order_id": ORDER})).ok();
    let email = whole["order"]["email"].as_str().unwrap().to_owned();
    assert!(email.contains('@'));

    let mut whole_phones = Vec::new();
    strings_under(&whole, "phone", &mut whole_phones);
    whole_phones.retain(|phone| !phone.is_empty());
    assert!(!whole_phones.is_empty());
    let ip = whole["order"]["ip_address"].as_str().unwrap().to_owned();

    let mut server = home(&sandbox).set("MASK_PII", "true").session();
    for (tool, arguments) in [
        ("orders_get", json!({"order_id": ORDER})),
        ("orders_list", json!({"detail": "full", "limit": 20})),
        ("orders_find", json!({"query": email})),
        ("orders_history", json!({"order_id": ORDER})),
        ("store_settings", json!({})),
        (
            "orders_update",
            json!({"order_id": ORDER, "dry_run": true, "changes": {"email": "new.one@example.com", "shipping": {"phone": "+1 555 555 0199"}}}),
        ),
        ("orders_delete", json!({"order_id": ORDER})),
    ] {
        let reply = server.call(tool, arguments);
        assert!(!reply.is_error, "{tool}: {}", reply.text);
        assert_eq!(addresses(&reply.text), [""; 0], "{tool}: {}", reply.text);
        assert!(
            !reply.text.contains(&email) && !reply.text.contains("555 0199"),
            "{tool}"
        );
        for hidden in whole_phones.iter().chain([&ip]) {
            assert!(!reply.text.contains(hidden.as_str()), "{tool}: {hidden}");
        }
        let mut phones = Vec::new();
        strings_under(&reply.structured, "phone", &mut phones);
        assert!(
            phones
                .iter()
                .all(|phone| phone.is_empty() || phone.starts_with("•••")),
            "{tool}: {phones:?}"
        );
    }
}

#[test]
fn what_was_hidden_is_not_written_back() {
    let sandbox = shops();
    let mut server = home(&sandbox).set("MASK_PII", "true").session();
    let shown = server.call("orders_get", json!({"order_id": ORDER})).ok();
    let masked = shown["order"]["email"].clone();
    assert!(masked.as_str().unwrap().contains("•••"), "{masked}");
    let changes = json!({"order_id": ORDER, "changes": {"email": masked}});
    let text = server.call("orders_update", changes).error();
    assert!(
        text.starts_with("masked_value: `changes.email`") && text.contains("outcome: not_done"),
        "{text}"
    );
    assert_eq!(writes(&sandbox), [""; 0]);
}

#[test]
fn an_error_holds_no_address_either() {
    let sandbox = shops();
    let mut server = home(&sandbox).set("MASK_PII", "true").session();
    let text = server
        .call("orders_get", json!({"order_id": "rosa@example.com"}))
        .error();
    assert_eq!(addresses(&text), [""; 0], "{text}");
}
