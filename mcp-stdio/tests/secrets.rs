//! Where secrets and customers' data must not be: on the disk, in the log, in errors, in what the commands print.
//!
//! Each test lets a server do everything it can, well and badly, and then sweeps all it left behind for words that only a shop,
//! a client or a key could have said.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod support;

use std::process::Stdio;

use orderdesk_sandbox::{Fault, Sandbox, seed};
use serde_json::{Value, json};
use support::sweep::sweep;
use support::{Home, Reply, Server, sandbox};

/// What a client says that may be about a person.
const ASKED_FOR: [&str; 3] = [
    "canary.person@example.com",
    "Canary Q. Person",
    "CANARY-TRACKING-1",
];

/// Words that must be nowhere but in a good answer: the key, the shop's own secrets, the people of an order, what was asked for.
fn canaries(sandbox: &Sandbox) -> Vec<String> {
    let order = sandbox.order("4242", seed::FIRST_ORDER).unwrap();
    let said_by_the_shop = [
        &order["email"],
        &order["source_id"],
        &order["ip_address"],
        &order["shipping"]["last_name"],
        &order["shipping"]["address1"],
        &order["shipping"]["phone"],
        &order["order_shipments"][0]["tracking_number"],
    ];
    let mut words: Vec<String> = said_by_the_shop
        .map(|value| value.as_str().unwrap().to_owned())
        .into();
    words.extend(ASKED_FOR.map(str::to_owned));
    words.extend([seed::SMTP_PASSWORD, seed::SMTP_USERNAME].map(str::to_owned));
    words.push(sandbox.store(0).api_key);
    for word in &words {
        assert!(word.len() >= 5, "`{word}` would be found by chance");
    }
    words
}

/// Everything a server can be asked, with answers and with errors; gives the errors' texts.
fn do_everything(sandbox: &Sandbox, server: &mut Server) -> Vec<String> {
    let order = sandbox.order("4242", seed::FIRST_ORDER).unwrap();
    for (tool, arguments) in [
        ("server_status", json!({})),
        ("stores_list", json!({})),
        ("stores_use", json!({"store": "4242"})),
        ("folders_list", json!({})),
        ("store_settings", json!({})),
        ("orders_get", json!({"order_id": "7001001"})),
        ("orders_history", json!({"order_id": "7001001"})),
        ("orders_list", json!({"email": order["email"]})),
        ("orders_find", json!({"query": order["email"]})),
        ("orders_find", json!({"query": ASKED_FOR[1]})),
        ("inventory_list", json!({"limit": 2})),
        ("inventory_get", json!({"inventory_item_id": "61001"})),
    ] {
        server.call(tool, arguments).ok();
    }
    let key = sandbox.store(0).api_key;
    let leaky =
        json!({"status": "error", "message": format!("{key} may not read {}", sandbox.base_url())});
    let mut errors = Vec::new();
    for fault in [
        Fault::answer(401, &leaky.to_string()),
        Fault::answer(200, &leaky.to_string()),
        Fault::answer(422, &leaky.to_string()),
        Fault::WrongTypes,
        Fault::redirect(&format!("http://127.0.0.1:9/?key={key}")),
    ] {
        let ticket = sandbox.faults().next(fault);
        errors.push(
            server
                .call("orders_get", json!({"order_id": "7001002", "fresh": true}))
                .error(),
        );
        assert_eq!(ticket.fired(), 1);
    }
    for arguments in [
        json!({"emial": ASKED_FOR[0]}),
        json!({"cursor": ASKED_FOR[1]}),
        json!({"limit": ASKED_FOR[2]}),
    ] {
        server.call("orders_list", arguments).error();
    }
    server.request("tools/call", &json!({"name": ASKED_FOR[2]}));
    server.request(ASKED_FOR[2], &json!({"email": ASKED_FOR[0]}));
    server.send_bytes(format!("{} is no message", ASKED_FOR[0]).as_bytes());
    server.frame();
    errors
}

#[test]
fn nothing_secret_or_personal_reaches_the_disk_the_log_or_an_error() {
    let sandbox = sandbox();
    let words = canaries(&sandbox);
    let home = Home::with_store(&sandbox)
        .set("LOG", "trace")
        .set("STORE_BURST", "1000")
        .set("STORE_RATE_PER_SECOND", "1000");
    let mut command = home.command();
    // What developers leave set: neither makes a library talkative.
    command
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    let mut server = Server::spawn(&mut command);
    server.initialize();
    let key = words.last().unwrap();
    for text in do_everything(&sandbox, &mut server) {
        assert!(
            !text.contains(key) && !text.contains("127.0.0.1") && !text.contains("http"),
            "{text}"
        );
    }
    support::wait_for("the counters", || home.state_db().exists().then_some(()));
    // While it lives and, as the write-ahead log of a graceful end is gone, after it was killed.
    sweep(&home.path(), &words, &[]);
    server.signal("KILL");
    assert_eq!(server.exit().0, None);
    assert!(
        sweep(&home.path(), &words, &[]) > 10_000,
        "there was nothing to sweep"
    );
    let log = server.stderr();
    for word in &words {
        assert!(
            !log.contains(word.as_str()),
            "`{word}` is in the log:\n{log}"
        );
    }
}

#[test]
fn the_log_says_which_tools_ran_and_how_they_ended() {
    let sandbox = sandbox();
    let mut server = Home::with_store(&sandbox).set("LOG", "debug").session();
    server
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
    server
        .call("orders_history", json!({"order_id": "x"}))
        .error();
    server.close_stdin();
    server.exit();
    let log = server.stderr();
    let line = |words: [&str; 2]| {
        log.lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(line(["orders_get", "answered"]), "{log}");
    assert!(line(["orders_history", "bad_request"]), "{log}");
}

#[test]
fn a_key_that_was_pasted_with_its_line_break_works() {
    let sandbox = sandbox();
    let store = sandbox.store(0);
    let home = Home::new()
        .set("API_BASE_URL", &sandbox.base_url())
        .set("STORE_ID", &store.store_id)
        .set("API_KEY", &format!(" {}\r\n", store.api_key));
    home.session()
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
}

#[test]
fn a_key_with_a_line_break_inside_is_refused_and_shown_nowhere() {
    let home = Home::new()
        .set("STORE_ID", "4242")
        .set("API_KEY", "CANARYHEAD\nCANARYTAIL")
        .set("LOG", "trace")
        .set("API_BASE_URL", "http://127.0.0.1:9/api/v2");
    let mut server = home.session();
    let text = server.call("orders_list", json!({})).error();
    assert!(text.contains("API_KEY") || text.contains("key"), "{text}");
    server.close_stdin();
    server.exit();
    let config = home.run(&["config"]);
    let shown = format!(
        "{text}{}{}{}{}",
        server.stderr(),
        config.stdout,
        config.stderr,
        home.run(&["config", "--json"]).stdout
    );
    assert!(!shown.contains("CANARY"), "{shown}");
}

/// A client that starts a server and never looks at its stderr fills that pipe; the server must not stop answering for it.
#[test]
fn a_log_that_nobody_reads_does_not_stop_the_server() {
    let home = Home::new().set("LOG", "trace");
    let mut child = home
        .command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let (answer, answers) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(stdout).map_while(Result::ok) {
            if answer
                .send(serde_json::from_str::<Value>(&line).unwrap())
                .is_err()
            {
                return;
            }
        }
    });
    let writer = std::thread::spawn(move || {
        use std::io::Write as _;
        // Each bad line is a line of log, about 90 bytes: three times what a pipe holds.
        for _ in 0..2000 {
            if writeln!(stdin, "no message").is_err() {
                break;
            }
        }
        let _ = writeln!(stdin, r#"{{"jsonrpc":"2.0","id":1,"method":"ping"}}"#);
        stdin
    });
    let pong = loop {
        match answers.recv_timeout(support::PATIENCE) {
            Ok(frame) if frame["id"] == 1 => break Some(frame),
            Ok(_) => {}
            Err(_) => break None,
        }
    };
    let _ = child.kill();
    let _ = child.wait();
    drop(writer.join().unwrap());
    assert!(pong.is_some(), "the server waits for a reader of its log");
}

/// The same for a client that closed it.
#[test]
fn a_closed_stderr_does_not_end_the_server() {
    let home = Home::new().set("LOG", "trace");
    let mut child = home
        .command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    for line in ["no message", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#] {
        use std::io::{BufRead as _, Write as _};
        writeln!(stdin, "{line}").unwrap();
        let mut frame = String::new();
        stdout.read_line(&mut frame).unwrap();
        assert!(frame.contains("jsonrpc"), "no answer to {line}");
    }
    drop(stdin);
    let status = support::wait_for("the end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

/// Errors are text only, so this is all a model can get to see of one.
#[test]
fn the_texts_of_errors_name_no_library() {
    let mut server = Home::new().session();
    let mut said = Vec::new();
    for params in [
        json!({"name": 5}),
        json!({"name": "server_status", "arguments": [1]}),
        json!({"name": "orders_get", "arguments": {"order_id": {"a": [1]}}}),
        json!({"name": "orders_list", "arguments": {"limit": 1e300}}),
    ] {
        let answer = server.request("tools/call", &params);
        said.push(if answer["error"].is_object() {
            answer["error"].to_string()
        } else {
            Reply::from(&answer).error()
        });
    }
    server.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\"a\",");
    said.push(server.frame()["error"].to_string());
    for text in said {
        for word in [
            "serde", "rmcp", "reqwest", "hyper", "rusqlite", ".rs:", "untagged",
        ] {
            assert!(!text.contains(word), "`{word}` in {text}");
        }
    }
}
