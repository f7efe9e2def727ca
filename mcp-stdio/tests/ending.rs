//! How a serving process ends: by its client, by a signal, by a closed pipe, and never by hanging.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use orderdesk_sandbox::{Fault, Rule};
use serde_json::json;
use support::{Home, Server, sandbox, wait_for};

/// Twice the promise plus start-up noise of a busy test machine.
const SOON: Duration = Duration::from_millis(1000);

#[test]
fn the_end_of_input_ends_an_idle_server_at_once_with_success() {
    let mut server = Home::new().session();
    server.close_stdin();
    let (code, took) = server.exit();
    assert_eq!(code, Some(0));
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_client_that_only_looks_whether_somebody_is_there_is_fine() {
    let mut empty = Home::new().server();
    empty.close_stdin();
    assert_eq!(empty.exit().0, Some(0));

    let mut probe = Home::new().server();
    probe.modern("server/discover", json!({}));
    probe.close_stdin();
    assert_eq!(probe.exit().0, Some(0));
}

#[test]
fn what_was_accepted_is_answered_after_the_end_of_input() {
    let sandbox = sandbox();
    sandbox.faults().next(Fault::Delay { ms: 500 });
    let mut server = Home::with_store(&sandbox).session();
    let id = server.ask(
        "tools/call",
        &json!({"name": "orders_get", "arguments": {"order_id": "7001001"}}),
    );
    server.close_stdin();
    assert_eq!(
        server.answer(id)["result"]["structuredContent"]["order"]["id"],
        "7001001"
    );
    assert_eq!(server.exit().0, Some(0));
}

/// Has the server change an order while `fault` strikes the request that changes it, and waits until that request is there.
fn begin_a_change(
    home: &Home,
    sandbox: &orderdesk_sandbox::Sandbox,
    fault: Fault,
) -> (Server, i64) {
    sandbox
        .faults()
        .add(Rule::new(fault).on("PUT", "/orders/*"));
    let mut server = home.session();
    let id = server.ask(
        "tools/call",
        &json!({"name": "orders_update", "arguments": {"order_id": "7001001", "changes": {"email": "new@example.com"}}}),
    );
    wait_for("the change to be sent", || {
        let requests = sandbox.requests();
        requests
            .iter()
            .any(|request| request.method == "PUT")
            .then_some(())
    });
    (server, id)
}

/// The changes that a person must look at, as `audit unsettled --json` tells them.
fn unsettled(home: &Home) -> Vec<serde_json::Value> {
    let said = home.run(&["audit", "unsettled", "--json"]).said();
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    told["unsettled"].as_array().unwrap().clone()
}

#[test]
fn a_change_that_was_begun_ends_well_although_its_call_was_cancelled() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    let (mut server, id) = begin_a_change(&home, &sandbox, Fault::Delay { ms: 700 });
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "reason": "enough"}}));
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
    let store = sandbox.store(0).store_id;
    assert_eq!(
        sandbox.order(&store, 7_001_001).unwrap()["email"],
        "new@example.com"
    );
    assert_eq!(unsettled(&home), Vec::<serde_json::Value>::new());
}

#[test]
fn a_change_that_a_signal_cuts_off_is_left_for_a_person_to_look_at() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    let (mut server, _) = begin_a_change(&home, &sandbox, Fault::HangAfter);
    server.signal("INT");
    let (code, took) = server.exit();
    assert_eq!(code, Some(0));
    assert!(took < SOON, "{took:?}");
    let left = unsettled(&home);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["target"], "order 7001001");
}

#[test]
fn the_last_line_counts_without_its_line_feed() {
    let mut server = Home::new().session();
    server.send_without_line_end(br#"{"jsonrpc":"2.0","id":900,"method":"ping"}"#);
    server.close_stdin();
    assert!(server.answer(900)["result"].is_object());
    assert_eq!(server.exit().0, Some(0));
}

#[test]
fn a_call_that_takes_too_long_does_not_keep_the_process_after_the_end_of_input() {
    let sandbox = sandbox();
    sandbox.faults().add(Rule::new(Fault::HangBefore).always());
    let mut server = Home::with_store(&sandbox).session();
    server.ask(
        "tools/call",
        &json!({"name": "orders_get", "arguments": {"order_id": "7001001"}}),
    );
    wait_for("the request", || {
        (!sandbox.requests().is_empty()).then_some(())
    });
    server.close_stdin();
    let (code, took) = server.exit();
    assert_eq!(code, Some(0));
    assert!(
        took > Duration::from_millis(1000) && took < Duration::from_millis(2600),
        "{took:?}"
    );
}

#[test]
fn every_ending_signal_ends_the_process_with_success_while_stdin_stays_open() {
    for signal in ["INT", "TERM", "HUP"] {
        let mut server = Home::new().session();
        server.signal(signal);
        let (code, took) = server.exit();
        assert_eq!(code, Some(0), "{signal}");
        assert!(took < SOON, "{signal} {took:?}");
    }
}

#[test]
fn a_signal_ends_the_process_although_a_call_hangs() {
    let sandbox = sandbox();
    sandbox.faults().add(Rule::new(Fault::HangBefore).always());
    let mut server = Home::with_store(&sandbox).session();
    server.ask(
        "tools/call",
        &json!({"name": "orders_get", "arguments": {"order_id": "7001001"}}),
    );
    wait_for("the request", || {
        (!sandbox.requests().is_empty()).then_some(())
    });
    server.signal("INT");
    let (code, took) = server.exit();
    assert_eq!(code, Some(0));
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_signal_before_the_handshake_ends_the_process_with_success() {
    let mut server = Home::new().server();
    server.request("ping", &json!({}));
    server.signal("TERM");
    assert_eq!(server.exit().0, Some(0));
}

#[test]
fn a_closed_stdout_ends_the_process_although_stdin_stays_open() {
    let home = Home::new();
    let mut child = home
        .command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n")
        .unwrap();
    let status = wait_for("the end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    drop(stdin);
}

#[test]
fn a_killed_client_takes_the_server_with_it() {
    let home = Home::new();
    // The shell is the client: it holds the only other end of the server's stdin.
    let mut shell = Command::new("sh")
        .args([
            "-c",
            "sleep 60 | \"$0\" & echo $!; wait",
            env!("CARGO_BIN_EXE_mcp-stdio"),
        ])
        .env("ORDERDESK_MCP_HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(shell.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    let server = line.trim().to_owned();
    let alive = || {
        Command::new("kill")
            .args(["-0", &server])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    };
    wait_for("the server to be up", || run_files(&home).pop());
    assert!(alive());
    shell.kill().unwrap();
    shell.wait().unwrap();
    wait_for("the server to end after its parent", || {
        (!alive()).then_some(())
    });
}

#[test]
fn a_client_that_writes_and_never_reads_cannot_make_the_server_grow() {
    let home = Home::new().set("MAX_IN_FLIGHT", "16");
    let mut child = home
        .command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let (progress, written) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let line = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}\n";
        let mut sent = stdin.write_all(line).is_ok();
        for id in 2_u32.. {
            sent = sent
                && writeln!(
                    stdin,
                    "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/list\"}}"
                )
                .is_ok();
            if !sent || progress.send(id).is_err() {
                return;
            }
        }
    });
    let mut accepted = 0;
    while let Ok(id) = written.recv_timeout(Duration::from_secs(1)) {
        accepted = id;
        assert!(accepted < 50_000, "the server takes lines without bound");
    }
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    if let Some(line) = status.lines().find(|line| line.starts_with("VmRSS:")) {
        let resident_kb: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(
            resident_kb < 60_000,
            "{resident_kb} kB after {accepted} requests"
        );
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn counters_are_in_the_state_file_when_the_process_has_ended() {
    let home = Home::new();
    let mut server = home.session();
    for _ in 0..5 {
        server.call("server_status", json!({})).ok();
    }
    server.close_stdin();
    server.exit();
    let state = shared::state::State::open(&shared::paths::Home::at(home.path())).unwrap();
    let families = state
        .read("test", |reading| {
            shared::telemetry::query::scrape(reading, &|_| false)
        })
        .unwrap();
    let shown = format!("{families:?}");
    assert!(
        shown.contains("mcp_tool_calls_total") && shown.contains("server_status"),
        "{shown}"
    );
}

#[test]
fn starting_and_ending_leave_no_run_file_behind() {
    let home = Home::new();
    let mut server = home.session();
    server.call("server_status", json!({})).ok();
    wait_for("the run file", || run_files(&home).pop());
    server.close_stdin();
    server.exit();
    assert_eq!(run_files(&home), Vec::<String>::new());
}

/// The files of living processes.
fn run_files(home: &Home) -> Vec<String> {
    const RULES: [&str; 3] = ["gate.lock", "migrate.lock", "housekeeping.lock"];
    let entries = std::fs::read_dir(home.path().join("run"))
        .into_iter()
        .flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| {
            name.ends_with(".lock") && !name.starts_with('.') && !RULES.contains(&name.as_str())
        })
        .collect()
}

/// A server that handles a signal must not lose its handler to a second one: one client sends two, 100 ms apart.
#[test]
fn a_second_signal_changes_nothing() {
    let mut server: Server = Home::new().session();
    server.signal("INT");
    let _ = Command::new("kill")
        .args(["-TERM", &server.pid().to_string()])
        .stderr(Stdio::null())
        .status();
    assert_eq!(server.exit().0, Some(0));
}
