//! Noise: lines and arguments that nobody would think of. Whatever comes in, the session goes on and nothing panics.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use orderdesk_sandbox::{Bucket, Options, Sandbox};
use serde_json::{Value, json};
use support::{Home, Reply, Server};

/// Random, and the same in every run.
fn random() -> fastrand::Rng {
    fastrand::Rng::with_seed(0x0DE5)
}

/// Sound lines to spoil.
const SOUND: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"n","version":"1"}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    r#"{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{"cursor":"x"}}"#,
    r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"stores_list","arguments":{},"_meta":{"progressToken":7}}}"#,
    r#"{"jsonrpc":"2.0","id":4,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#,
    r#"{"jsonrpc":"2.0","id":9,"error":{"code":-1,"message":"m"}}"#,
];

/// Cuts, doubles, swaps and replaces bytes. Never a line feed: that would make two lines of it.
fn spoil(line: &str, random: &mut fastrand::Rng) -> Vec<u8> {
    const TOKENS: &[&[u8]] = &[
        b"null",
        b"-1",
        b"1e999",
        b"18446744073709551616",
        b"\"\\ud800\"",
        b"\"\\u0000\"",
        b"{}",
        b"[[[[",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\0",
        b"\"id\":",
    ];
    let mut bytes = line.as_bytes().to_vec();
    for _ in 0..random.usize(1..5) {
        let at = random.usize(0..=bytes.len());
        let to = random.usize(at..=bytes.len().min(at + 20));
        match random.u8(0..5) {
            0 => drop(bytes.drain(at..to)),
            1 => bytes.truncate(at),
            2 => {
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            3 => drop(bytes.splice(at..to, random.choice(TOKENS).unwrap().iter().copied())),
            _ => drop(bytes.splice(at..at, [random.u8(..)])),
        }
    }
    bytes.retain(|byte| *byte != b'\n');
    bytes
}

/// That the server still answers, has not panicked, and ends well.
fn is_sound(mut server: Server) {
    server.send(&json!({"jsonrpc": "2.0", "id": 424_242, "method": "ping"}));
    // The modern era has no ping; being told so is an answer, too.
    let pong = server.answer(424_242);
    let code = pong["error"]["code"].as_i64();
    assert!(
        pong["result"].is_object() || matches!(code, Some(-32601 | -32602)),
        "{pong}"
    );
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
    let log = server.stderr();
    assert!(!log.contains("panic"), "{log}");
}

#[test]
fn spoilt_lines_never_end_a_session() {
    let mut random = random();
    for begins_well in [true, false] {
        let mut server = Home::new().server();
        if begins_well {
            server.initialize();
        }
        for _ in 0..1500 {
            let line = spoil(random.choice(SOUND).unwrap(), &mut random);
            server.send_bytes(&line);
        }
        is_sound(server);
    }
}

#[test]
fn a_line_that_is_nested_without_end_is_refused() {
    let mut server = Home::new().session();
    let deep = "[".repeat(1_000_000);
    let objects = r#"{"a":"#.repeat(200_000);
    for line in [
        deep.clone(),
        format!(r#"{{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{deep}"#),
        objects,
    ] {
        server.send_bytes(line.as_bytes());
        let code = server.frame()["error"]["code"].as_i64().unwrap();
        assert!([-32700, -32600].contains(&code), "{code}");
    }
    is_sound(server);
}

/// Values that a model, a client or an attacker could give for anything.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("7001001"),
        json!("../store"),
        json!("\u{0}\u{202e}\u{feff}"),
        json!("%00%2e%2e/"),
        json!("' OR 1=1 --"),
        json!("２０２６-01-01"),
        json!("2026-02-30"),
        json!("9999-12-31T23:59:59+23:59"),
        json!("-9999-01-01"),
        json!("#"),
        json!("@"),
        json!("+"),
        json!("x".repeat(100_000)),
        json!([]),
        json!(["id", null, 5]),
        json!({"a": {"b": [1]}}),
    ]
}

/// Whether a path is one of the API's, with digits in the places of ids.
fn is_of_the_api(path: &str) -> bool {
    mcp_stdio::tools::endpoints::API.iter().any(|endpoint| {
        let (_, route) = endpoint.split_once(' ').unwrap();
        let (wanted, given) = (route.split('/'), path.split('/'));
        wanted.clone().count() == given.clone().count()
            && wanted.zip(given).all(|(wanted, given)| {
                let is_id = wanted.starts_with('{');
                wanted == given
                    || (is_id && !given.is_empty() && given.bytes().all(|b| b.is_ascii_digit()))
            })
    })
}

/// Each tool with each argument, as the tools themselves publish them.
#[test]
fn whatever_an_argument_is_the_answer_is_good_or_says_what_is_wrong() {
    let sandbox = Sandbox::start_blocking(Options {
        bucket: Bucket::wide_open(),
        ..Options::default()
    })
    .unwrap();
    let mut server = Home::with_store(&sandbox)
        .set("STORE_BURST", "100000")
        .set("STORE_RATE_PER_SECOND", "100000")
        .set("RATE_LIMIT_RPM", "0")
        .set("HTTP_MAX_RETRIES", "0")
        .set("TOOLSETS", "all")
        .session();
    let mut calls = 0;
    for tool in mcp_stdio::tools::ALL {
        let mut sound = serde_json::Map::new();
        for argument in tool.arguments {
            match argument.name {
                "order_id" => drop(sound.insert("order_id".to_owned(), json!("7001001"))),
                "inventory_item_id" => {
                    drop(sound.insert("inventory_item_id".to_owned(), json!("61001")));
                }
                "query" => drop(sound.insert("query".to_owned(), json!("WC-20001"))),
                "limit" => drop(sound.insert("limit".to_owned(), json!(3))),
                _ => {}
            }
        }
        for argument in tool.arguments {
            for value in values() {
                let mut arguments = sound.clone();
                arguments.insert(argument.name.to_owned(), value);
                let shown = format!("{:.200}", json!(arguments));
                let reply = server.call(tool.name, Value::Object(arguments));
                calls += 1;
                assert!(
                    !reply.text.starts_with("internal: ") && !reply.text.starts_with("protocol: "),
                    "{} {shown}: {}",
                    tool.name,
                    reply.text
                );
                assert!(
                    reply.text.len() < 60_000,
                    "{} {shown}: {} bytes",
                    tool.name,
                    reply.text.len()
                );
            }
        }
    }
    assert!(calls > 500, "{calls} calls");
    for request in sandbox.requests() {
        assert!(is_of_the_api(&request.path), "{}", request.path);
    }
    is_sound(server);
}

#[test]
fn a_call_may_leave_its_arguments_out_or_give_null() {
    let mut server = Home::new().session();
    for params in [
        json!({"name": "server_status"}),
        json!({"name": "server_status", "arguments": {}}),
    ] {
        Reply::from(&server.request("tools/call", &params)).ok();
    }
    is_sound(server);
}

/// A client that means no harm may still paste a whole file.
#[cfg(target_os = "linux")]
#[test]
fn a_line_of_a_hundred_megabytes_costs_no_memory_and_is_answered() {
    let mut server = Home::new().session();
    server.send_without_line_end(br#"{"jsonrpc":"2.0","id":"huge","params":{"text":""#);
    let part = vec![b'x'; 1 << 20];
    let mut most = 0;
    for _ in 0..100 {
        server.send_without_line_end(&part);
        most = most.max(server.resident_bytes());
    }
    server.send_bytes(b"");
    let refused = server.frame();
    assert_eq!(
        (&refused["id"], refused["error"]["code"].as_i64()),
        (&json!("huge"), Some(-32600))
    );
    assert!(most < 60 << 20, "{most} bytes");
    is_sound(server);
}
