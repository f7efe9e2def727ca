//! Where the keys of sealed shops must not be: in the home, in the log, in what commands and tools say, in a core dump.
//!
//! `secrets.rs` does the same for a shop from the environment and for customers' data. The whole product on one machine, the
//! sidecar and clients' files included, is swept by `scripts/e2e/canaries.py`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod support;

use std::process::Command;

use orderdesk_sandbox::{Options, Sandbox, seed};
use serde_json::{Value, json};
use support::sweep::{holds, sweep};
use support::{Home, Output, Server};

const PASSPHRASE: &str = "canary badgers under every hedge";
const PASTED: &str = "cAnAry7pQ9vZ2mX5tB4wL6hJ1dF0gS8eU7iY3oRk";

fn two_shops() -> Sandbox {
    Sandbox::start_blocking(Options {
        stores: 2,
        ..Options::default()
    })
    .unwrap()
}

/// The keys in the forms in which a careless line could hold them.
fn keys(sandbox: &Sandbox, home: &Home) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(home.path().join("master.key")).unwrap();
    let text = text.trim();
    let (_, raw) = bech32::decode(text).unwrap();
    assert_eq!(raw.len(), 32);
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let decimal = format!("{raw:?}");
    let mut words = vec![
        text.as_bytes().to_vec(),
        text.to_uppercase().into_bytes(),
        // Without its head and its checksum it is still the key.
        text.as_bytes()[8..48].to_vec(),
        raw,
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        // How a derived `Debug` would show it.
        decimal.into_bytes(),
        PASSPHRASE.as_bytes().to_vec(),
        PASTED.as_bytes().to_vec(),
    ];
    words.extend(
        sandbox
            .stores()
            .into_iter()
            .map(|store| store.api_key.into_bytes()),
    );
    words
}

/// The commands, with what they want and with what they do not.
fn run_everything(sandbox: &Sandbox, home: &Home) -> Vec<Output> {
    let second = sandbox.store(1);
    let export = home.path().join("../moved.age");
    let export = export.to_str().unwrap();
    let odd_id = ["store", "add", "--name", "Odd", "--id", PASTED];
    let wrong_key = ["store", "add", "--name", "Odd", "--id", &second.store_id];
    let order = json!({"order_id": seed::FIRST_ORDER}).to_string();
    vec![
        home.run(&["init"]).fine(),
        home.run(&["store", "list", "--json"]).fine(),
        home.run(&["store", "test"]).fine(),
        home.run(&["store", "test", "no such shop"]),
        home.run_with(&wrong_key, PASTED),
        home.run_with(&wrong_key, &format!("{PASTED} {PASTED}")),
        home.run_with(&odd_id, PASTED),
        home.run(&[wrong_key.as_slice(), &["--key", PASTED]].concat()),
        home.run(&[wrong_key.as_slice(), &[PASTED]].concat()),
        home.run(&["key", "show-id"]).fine(),
        home.run_with(&["key", "export", "--to", export], PASSPHRASE)
            .fine(),
        home.run_with(&["key", "import", export], &format!("{PASSPHRASE}s")),
        home.run(&["config"]).fine(),
        home.run(&["config", "--json"]).fine(),
        home.run(&["call", "orders_get", &order]).fine(),
        home.run(&["doctor"]),
        home.run(&["doctor", "--json"]),
        home.run(&["audit", "list", "--json"]).fine(),
        home.run(&["audit", "verify"]).fine(),
    ]
}

/// The tools, likewise.
fn call_everything(server: &mut Server) {
    let listed = server.request("tools/list", &json!({}));
    let tools: Vec<Value> = listed["result"]["tools"].as_array().unwrap().clone();
    for tool in &tools {
        for arguments in [
            json!({}),
            json!({"store": PASTED}),
            json!({"api_key": PASTED}),
            json!({"store_id": PASTED, "store_name": PASTED}),
            json!({"order_id": PASTED}),
        ] {
            server.request(
                "tools/call",
                &json!({"name": tool["name"], "arguments": arguments}),
            );
        }
    }
    server
        .call("orders_get", json!({"order_id": seed::FIRST_ORDER}))
        .ok();
    let asked = json!({"store_id": "4711", "store_name": "Third"});
    server.call("stores_register", asked).ok();
}

#[test]
fn keys_of_sealed_shops_are_nowhere_but_where_they_belong() {
    let sandbox = two_shops();
    let home = Home::with_sealed_stores(&sandbox)
        .set("LOG", "trace")
        .set("RATE_LIMIT_RPM", "0")
        .set("STORE_BURST", "1000")
        .set("STORE_RATE_PER_SECOND", "1000");
    home.run(&["store", "use", &sandbox.store(0).name]).fine();
    let words = keys(&sandbox, &home);
    let mut said = run_everything(&sandbox, &home);

    let mut server = Server::spawn(home.command().env("RUST_BACKTRACE", "full"));
    server.initialize();
    call_everything(&mut server);
    sweep(&home.path(), &words, &["master.key"]);
    server.signal("KILL");
    server.exit();
    // After a kill the write-ahead log is still there.
    let swept = sweep(&home.path(), &words, &["master.key"]);
    assert!(swept > 100_000, "only {swept} bytes to sweep");

    said.push(home.run(&["key", "rotate", "--yes"]).fine());
    said.push(Output {
        code: None,
        stdout: String::new(),
        stderr: server.stderr(),
    });
    for output in said {
        let text = output.said();
        for word in &words {
            assert!(!holds(text.as_bytes(), word), "a key is in: {text}");
        }
    }
    // The export is sealed.
    sweep(home.path().parent().unwrap(), &words, &["master.key"]);
}

#[test]
fn the_sweep_finds_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep/er");
    std::fs::create_dir_all(&file).unwrap();
    std::fs::write(file.join("log"), format!("\0\u{1}ca{PASTED}\n")).unwrap();
    let swept = |but: &[&str]| std::panic::catch_unwind(|| sweep(folder.path(), &[PASTED], but));
    assert!(swept(&[]).is_err());
    assert!(swept(&["log"]).is_ok());
    assert!(!holds(b"canary", b"canaries") && holds(b"cacanary", b"canary"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_leaves_no_core_dump() {
    let server = Home::new().session();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"]
    );
}

/// The part of the next test that runs in a process of its own.
#[test]
#[ignore = "panics; run by the test that follows"]
fn helper_panics_with_a_key() {
    mcp_stdio::harden::process();
    shared::telemetry::log::init(
        shared::telemetry::log::Format::Text,
        tracing::level_filters::LevelFilter::TRACE,
    );
    let key = shared::secret::Secret::new(PASTED.to_owned());
    panic!("{key:?} {}", key.expose());
}

#[test]
fn a_panic_says_where_and_not_what() {
    let ran = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "helper_panics_with_a_key",
            "--ignored",
            "--nocapture",
        ])
        .env("RUST_BACKTRACE", "full")
        .env("RUST_LOG", "trace")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(!ran.status.success(), "{said}");
    assert!(said.contains("sealed_secrets.rs"), "no place: {said}");
    assert!(!said.contains(PASTED), "{said}");
}
