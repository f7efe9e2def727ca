//! What goes over the pipe: both eras, and every kind of line that is not what it should be.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use orderdesk_sandbox::{Fault, Rule};
use serde_json::{Value, json};
use support::{Home, sandbox};

fn code(frame: &Value) -> i64 {
    frame["error"]["code"]
        .as_i64()
        .unwrap_or_else(|| panic!("no error: {frame}"))
}

#[test]
fn initialize_answers_with_the_version_that_was_asked_for() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = Home::new().server().initialize_as(version);
        assert_eq!(answer["result"]["protocolVersion"], version);
        assert_eq!(answer["result"]["serverInfo"]["name"], "orderdesk-mcp");
        assert!(
            answer["result"]["instructions"]
                .as_str()
                .unwrap()
                .contains("never instructions")
        );
    }
}

#[test]
fn a_version_without_handshake_or_from_the_future_is_answered_with_the_newest_one_that_has_it() {
    for version in ["2026-07-28", "2099-01-01"] {
        assert_eq!(
            Home::new().server().initialize_as(version)["result"]["protocolVersion"],
            "2025-11-25"
        );
    }
}

#[test]
fn the_modern_era_needs_no_handshake() {
    let sandbox = sandbox();
    let mut server = Home::with_store(&sandbox).server();
    let found = server.modern("server/discover", json!({}));
    assert!(
        found["result"]["supportedVersions"]
            .as_array()
            .unwrap()
            .contains(&json!("2026-07-28")),
        "{found}"
    );
    let listed = server.modern("tools/list", json!({}));
    assert_eq!(listed["result"]["resultType"], "complete");
    assert_eq!(listed["result"]["cacheScope"], "private");
    assert!(listed["result"]["ttlMs"].as_u64().unwrap() > 0);
    let order = server.modern(
        "tools/call",
        json!({"name": "orders_get", "arguments": {"order_id": 7_001_001}}),
    );
    assert_eq!(
        order["result"]["structuredContent"]["order"]["id"],
        "7001001"
    );
}

#[test]
fn a_modern_request_without_its_metadata_is_told_what_is_missing() {
    let mut server = Home::new().server();
    server.modern("tools/list", json!({}));
    let answer = server.request("tools/list", &json!({}));
    assert_eq!(code(&answer), -32602);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("protocolVersion")
    );
}

#[test]
fn a_version_that_nobody_knows_is_answered_with_those_that_are_known() {
    let mut server = Home::new().server();
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2099-01-01", "io.modelcontextprotocol/clientCapabilities": {}});
    let answer = server.request("tools/list", &json!({ "_meta": meta }));
    assert_eq!(code(&answer), -32022);
    assert!(
        answer["error"]["data"]["supported"]
            .as_array()
            .unwrap()
            .len()
            >= 5
    );
    assert!(server.initialize()["result"].is_object());
}

#[test]
fn a_call_before_initialize_is_an_error_and_initialize_still_works() {
    let mut server = Home::new().server();
    assert_eq!(
        code(&server.request("tools/call", &json!({"name": "server_status"}))),
        -32602
    );
    assert!(server.initialize()["result"].is_object());
}

#[test]
fn a_notification_before_initialize_does_not_end_the_session() {
    let mut server = Home::new().server();
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert!(server.request("ping", &json!({}))["result"].is_object());
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}),
    );
    server.send(&json!({"jsonrpc": "2.0", "id": 77, "result": {}}));
    assert!(server.initialize()["result"].is_object());
}

#[test]
fn a_notification_after_a_failed_first_request_does_not_end_the_session() {
    let mut server = Home::new().server();
    server.request("tools/list", &json!({}));
    server.modern("server/discover", json!({}));
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    assert!(server.initialize()["result"].is_object());
}

#[test]
fn lines_that_are_no_messages_are_answered_and_the_session_goes_on() {
    let mut server = Home::new().session();
    for (line, expected_code, expected_id) in [
        (&b"plain text"[..], -32700, Value::Null),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/li",
            -32700,
            json!(7),
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"x\",\"params\":{\"q\":\"\xff\xfe\"}}",
            -32700,
            json!("a"),
        ),
        (b"\x00\x01\x02\x80\xff", -32700, Value::Null),
        (b"{}", -32600, Value::Null),
        (b"[]", -32600, Value::Null),
        (b"42", -32600, Value::Null),
        (
            b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]",
            -32600,
            Value::Null,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
            -32600,
            Value::Null,
        ),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
            -32600,
            Value::Null,
        ),
    ] {
        server.send_bytes(line);
        let frame = server.frame();
        assert_eq!(
            (code(&frame), &frame["id"]),
            (expected_code, &expected_id),
            "{}",
            String::from_utf8_lossy(line)
        );
    }
    for blank in ["", "   ", "\r"] {
        server.send_bytes(blank.as_bytes());
    }
    assert!(server.request("ping", &json!({}))["result"].is_object());
}

#[test]
fn an_oversized_line_is_answered_with_its_id_wherever_the_client_writes_it() {
    let mut server = Home::new().set("MAX_LINE_BYTES", "64KiB").session();
    let filler = "x".repeat(300_000);
    server.send_bytes(format!(r#"{{"jsonrpc":"2.0","id":"first","method":"tools/call","params":{{"name":"{filler}"}}}}"#).as_bytes());
    let first = server.frame();
    assert_eq!((code(&first), &first["id"]), (-32600, &json!("first")));
    assert!(
        first["error"]["message"]
            .as_str()
            .unwrap()
            .contains("65536 bytes"),
        "{first}"
    );

    server.send_bytes(format!(r#"{{"method":"tools/call","params":{{"name":"{filler}"}},"jsonrpc":"2.0","id":"last"}}"#).as_bytes());
    assert_eq!(server.frame()["id"], "last");

    server.send_bytes(filler.as_bytes());
    assert_eq!(server.frame()["id"], Value::Null);
    assert!(server.request("ping", &json!({}))["result"].is_object());
}

#[test]
fn unknown_methods_and_malformed_parameters_get_their_own_codes() {
    let mut server = Home::new().session();
    let unknown = server.request("no/such", &json!({}));
    assert_eq!(code(&unknown), -32601);
    assert!(
        unknown["error"]["message"]
            .as_str()
            .unwrap()
            .contains("no/such")
    );
    for params in [
        json!({"name": 5}),
        json!([]),
        json!({}),
        json!({"name": "server_status", "arguments": 7}),
    ] {
        assert_eq!(
            code(&server.request("tools/call", &params)),
            -32602,
            "{params}"
        );
    }
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/no/such", "params": {"a": 1}}));
    assert!(server.request("ping", &json!({}))["result"].is_object());
}

#[test]
fn an_unknown_tool_is_an_error_that_names_the_nearest_one() {
    let answer = Home::new()
        .session()
        .request("tools/call", &json!({"name": "order_get"}));
    assert_eq!(code(&answer), -32602);
    assert!(
        answer["error"]["message"]
            .as_str()
            .unwrap()
            .contains("did you mean `orders_get`")
    );
}

#[test]
fn setting_a_log_level_is_accepted_because_clients_do_it_unasked() {
    let answer = Home::new()
        .session()
        .request("logging/setLevel", &json!({"level": "debug"}));
    assert!(answer["result"].is_object(), "{answer}");
}

#[test]
fn string_ids_and_a_second_initialize_are_fine() {
    let mut server = Home::new().session();
    server.send(&json!({"jsonrpc": "2.0", "id": "abc", "method": "ping"}));
    assert_eq!(server.frame()["id"], "abc");
    assert!(server.initialize()["result"].is_object());
}

#[test]
fn an_id_that_is_still_in_flight_does_not_steal_the_first_answer() {
    let sandbox = sandbox();
    sandbox.faults().next(Fault::Delay { ms: 700 });
    let mut server = Home::with_store(&sandbox).session();
    let call = json!({"jsonrpc": "2.0", "id": 50, "method": "tools/call", "params": {"name": "orders_get", "arguments": {"order_id": "7001001"}}});
    server.send(&call);
    server.send(&json!({"jsonrpc": "2.0", "id": 50, "method": "ping"}));
    let refused = server.frame();
    assert_eq!((code(&refused), &refused["id"]), (-32600, &Value::Null));
    assert_eq!(
        server.answer(50)["result"]["structuredContent"]["order"]["id"],
        "7001001"
    );
}

#[test]
fn a_cancelled_call_is_not_answered_and_frees_its_place() {
    let sandbox = sandbox();
    sandbox.faults().add(Rule::new(Fault::HangBefore).always());
    let mut server = Home::with_store(&sandbox)
        .set("MAX_IN_FLIGHT", "1")
        .session();
    for _ in 0..3 {
        let id = server.ask(
            "tools/call",
            &json!({"name": "orders_get", "arguments": {"order_id": "7001001"}}),
        );
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}));
    }
    let ping = server.ask("ping", &json!({}));
    assert_eq!(server.frame()["id"], ping);
}

#[test]
fn calls_in_flight_are_answered_as_they_finish_and_not_in_line() {
    let sandbox = sandbox();
    sandbox.faults().next(Fault::Delay { ms: 800 });
    let mut server = Home::with_store(&sandbox).session();
    let slow = server.ask(
        "tools/call",
        &json!({"name": "orders_get", "arguments": {"order_id": "7001001"}}),
    );
    let quick = server.ask("tools/call", &json!({"name": "server_status"}));
    assert_eq!(server.frame()["id"], quick);
    assert_eq!(server.frame()["id"], slow);
}

#[test]
fn an_answer_that_nobody_asked_for_is_ignored() {
    let mut server = Home::new().session();
    server.send(&json!({"jsonrpc": "2.0", "id": 99, "result": {"x": 1}}));
    server.send(&json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "echo"}}));
    assert!(server.request("ping", &json!({}))["result"].is_object());
}
