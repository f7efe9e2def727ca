//! Which questions a text leads to, and which answers count as a match.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn plan(text: &str) -> Plan {
    Plan::for_text(text).unwrap()
}

fn order(value: Value) -> Order {
    let Value::Object(object) = value else {
        unreachable!("the literal is an object")
    };
    Order::from_object(object)
}

fn rosa() -> Order {
    order(json!({
        "id": "7001001", "source_id": "DEMO-1042", "email": "Rosa.Lind@example.com",
        "shipping": {"first_name": "Rosa", "last_name": "Lind", "company": "Blue Crane Ltd.", "phone": "+1 (555) 010-0123"},
        "customer": {"first_name": "Karl", "last_name": "van der  Berg", "phone": "555-0199"},
        "order_shipments": [{"tracking_number": "9400 1000 0000 0000 0000 01"}, {"tracking_number": "1Z999AA10123456784"}]
    }))
}

fn by(text: &str) -> Vec<&'static str> {
    plan(text)
        .matched_by(&rosa())
        .into_iter()
        .map(MatchedBy::as_str)
        .collect()
}

fn asked(text: &str) -> Vec<String> {
    plan(text).stages().iter().flatten().map(filters).collect()
}

fn filters(query: &OrdersQuery) -> String {
    let pairs = query.pairs().unwrap();
    let filters = pairs
        .iter()
        .filter(|(name, _)| !["limit", "offset"].contains(name));
    filters
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

#[test]
fn an_order_matches_by_what_the_text_is() {
    assert_eq!(by("7001001"), ["order_id"]);
    assert_eq!(by("#7001001"), ["order_id"]);
    assert_eq!(by("DEMO-1042"), ["source_id"]);
    assert_eq!(by("rosa.LIND@example.com"), ["email"]);
    assert_eq!(by("rosa  lind"), ["name"]);
    assert_eq!(by("Lind, Rosa"), ["name"]);
    assert_eq!(by("lind"), ["name"]);
    assert_eq!(by("Karl van der Berg"), ["name"]);
    assert_eq!(by("blue crane ltd."), ["company"]);
    assert_eq!(by("555-0199"), ["phone"]);
    assert_eq!(by("5550199"), ["phone"]);
    assert_eq!(by("(555) 010-0123"), ["phone"]);
    assert_eq!(by("+1 555 010 0123"), ["phone"]);
    assert_eq!(by("9400100000000000000001"), ["tracking_number"]);
    assert_eq!(by("1z 999 aa1 0123456784"), ["tracking_number"]);
}

#[test]
fn what_only_resembles_an_order_does_not_match() {
    for text in [
        "700100",
        "17001001",
        "DEMO-104",
        "demo-10422",
        "lind@example.com",
        "xrosa.lind@example.com",
        "Lind Rosa",
        "Ros Lind",
        "Blue Crane",
        "Rosa Berg",
        "0100123",
        "555-019",
        "1Z999AA1012345678",
    ] {
        assert_eq!(by(text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn digits_are_asked_for_as_number_with_and_without_its_sign_and_as_phone() {
    assert_eq!(plan("5550199").id.unwrap().as_str(), "5550199");
    assert_eq!(
        asked("5550199"),
        [
            "source_id=5550199",
            "source_id=#5550199",
            "shipping_phone=5550199",
            "customer_phone=5550199"
        ]
    );
    assert_eq!(asked("1042"), ["source_id=1042", "source_id=#1042"]);
    assert_eq!(asked("#1042"), ["source_id=#1042", "source_id=1042"]);
    assert!(!plan("1042").needs_window());
    assert!(plan("9400100000000000000001").needs_window());
}

#[test]
fn an_email_is_asked_for_as_nothing_else() {
    assert_eq!(asked(" a.b@example.com "), ["email=a.b@example.com"]);
    assert!(plan("a.b@example.com").id.is_none() && !plan("a.b@example.com").needs_window());
}

#[test]
fn names_are_asked_for_in_both_addresses_and_split_in_every_sensible_way() {
    assert_eq!(
        asked("Rosa Lind"),
        [
            "source_id=Rosa Lind",
            "shipping_first_name=Rosa&shipping_last_name=Lind",
            "customer_first_name=Rosa&customer_last_name=Lind",
            "shipping_company=Rosa Lind",
            "customer_company=Rosa Lind"
        ]
    );
    assert_eq!(asked("Lind").len(), 7);
    assert_eq!(asked("Ana Maria Cruz").len(), 7);
    assert!(
        asked("Ana Maria Cruz")
            .contains(&"shipping_first_name=Ana Maria&shipping_last_name=Cruz".to_owned())
    );
    assert!(
        asked("Ana Maria Cruz")
            .contains(&"shipping_first_name=Ana&shipping_last_name=Maria Cruz".to_owned())
    );
}

#[test]
fn a_search_costs_few_requests_whatever_the_text() {
    for text in [
        "1042",
        "Rosa Lind",
        "Lind",
        "Ana Maria de la Cruz",
        "+1 555 010 0123",
        "1Z999AA10123456784",
        "a@b.c",
        "112-1234567-1234567",
    ] {
        assert!(asked(text).len() <= 7, "{text}");
    }
}

#[test]
fn a_number_sign_alone_does_not_ask_for_every_order() {
    assert_eq!(asked("#"), ["source_id=#"]);
    assert!(plan("##").matched_by(&order(json!({"id": "1"}))).is_empty());
}

#[test]
fn an_empty_or_endless_text_is_refused() {
    for text in ["", "  \n ", &"x".repeat(201), "a\u{0}b"] {
        assert_eq!(Plan::for_text(text).unwrap_err().code(), "bad_request");
    }
}

proptest! {
    #[test]
    fn any_text_is_planned_or_refused_and_what_is_asked_can_be_sent(text in "\\PC{0,60}|[0-9#+() -]{0,30}|[#,.]{0,3}|[A-Za-z,. ']{0,40}") {
        if let Ok(plan) = Plan::for_text(&text) {
            for query in plan.stages().iter().flatten() {
                prop_assert!(query.pairs().is_ok());
                prop_assert!(!filters(query).is_empty(), "an empty filter would mean every order");
            }
            prop_assert!(plan.matched_by(&order(json!({}))).is_empty(), "an order without facts matches nothing");
        }
    }
}
