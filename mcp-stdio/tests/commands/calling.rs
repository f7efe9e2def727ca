//! `call` and `doctor`: the server's own ways, from a shell.

use serde_json::Value;

use crate::kit::{add, json, ready, refused};
use crate::support::{Home, sandbox};

#[test]
fn a_call_answers_with_the_tools_own_json() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    add(&home, &sandbox, 0, "My Shop").fine();
    let listed = json(home.run(&["call", "orders_list", r#"{"limit": 2}"#]));
    assert_eq!(listed["orders"].as_array().unwrap().len(), 2);
    let from_stdin = home.run_with(&["call", "orders_list", "-"], r#"{"limit": 1}"#);
    assert_eq!(json(from_stdin)["orders"].as_array().unwrap().len(), 1);
    assert_eq!(json(home.run(&["call", "server_status"]))["stores"], 1);
}

#[test]
fn a_call_that_fails_says_so_on_stderr() {
    let sandbox = sandbox();
    let home = ready(&sandbox);
    refused(&home.run(&["call", "orders_list"]), 1, "no_store");
    add(&home, &sandbox, 0, "My Shop").fine();
    refused(
        &home.run(&["call", "orders_get", r#"{"order_id": "../store"}"#]),
        1,
        "bad_request",
    );
    refused(
        &home.run(&["call", "orders_get", r#"{"ordr_id": "1"}"#]),
        1,
        "did you mean",
    );
}

#[test]
fn a_call_that_makes_no_sense_is_refused_before_anything_is_opened() {
    let home = Home::new();
    refused(
        &home.run(&["call", "orders_lst"]),
        2,
        "did you mean `orders_list`?",
    );
    refused(&home.run(&["call", "zzzzzz"]), 2, "is no tool");
    for wrong in ["{", "[]", "7", "{\"a\": }"] {
        refused(
            &home.run(&["call", "orders_list", wrong]),
            2,
            "not a JSON object",
        );
    }
    assert!(!home.path().exists());
}

#[test]
fn the_doctor_names_what_is_wrong_and_ends_with_one() {
    let home = Home::new();
    let ill = home.run(&["doctor", "--json"]);
    assert_eq!(ill.code, Some(1), "{}", ill.stdout);
    let report: Value = serde_json::from_str(&ill.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        for field in ["id", "ok", "level", "summary", "hint"] {
            assert!(check.get(field).is_some(), "{check}");
        }
        assert!(check["ok"] == true || check["hint"].is_string(), "{check}");
    }
    home.run(&["init"]).fine();
    let well = home.run(&["doctor"]);
    assert_eq!(well.code, Some(0), "{}", well.stdout);
}

#[test]
fn the_doctor_sees_mistakes_in_the_settings_instead_of_ending_with_them() {
    let home = Home::new().set("HTTP_TIMEOUT", "soon");
    let ill = home.run(&["doctor", "--json"]);
    assert_eq!(ill.code, Some(1));
    assert!(ill.stdout.contains("HTTP_TIMEOUT"), "{}", ill.stdout);
}
