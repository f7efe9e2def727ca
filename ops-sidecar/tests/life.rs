//! Start, stop, and the command line.

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::Output;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{PATIENCE, Sidecar, TOKEN, broken_home, ops_sidecar};

/// Runs a command that ends by itself.
fn say(arguments: &[&str], settings: &[(&str, &str)]) -> (i32, String, String) {
    let home = tempfile::tempdir().expect("a home");
    let Output {
        status,
        stdout,
        stderr,
    } = ops_sidecar(home.path())
        .args(arguments)
        .envs(settings.iter().copied())
        .output()
        .expect("the binary starts");
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes)
            .expect("text")
            .replace(&home.path().display().to_string(), "[home]")
    };
    (
        status.code().expect("an exit code"),
        text(stdout),
        text(stderr),
    )
}

#[test]
fn each_signal_ends_it_at_once_and_cleanly_and_leaves_no_session_behind() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let home = tempfile::tempdir().expect("a home");
        let sidecar = Sidecar::start(home.path()).ready();
        sidecar.until("/metrics", |answer| {
            answer
                .body
                .contains("orderdesk_mcp_processes{kind=\"ops-sidecar\"} 1")
        });
        sidecar.signal(signal);
        let (status, took) = sidecar.wait();
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert!(took < Duration::from_secs(2), "{took:?}");
        let left = std::fs::read_dir(home.path().join("run"))
            .expect("run")
            .flatten();
        let ids: Vec<_> = left
            .map(|entry| entry.file_name())
            .filter(|name| name.len() > 30)
            .collect();
        assert_eq!(ids, Vec::<std::ffi::OsString>::new());
    }
}

#[test]
fn a_client_that_never_finishes_its_request_delays_a_stop_by_the_drain_at_most() {
    let home = tempfile::tempdir().expect("a home");
    let sidecar = Sidecar::start(home.path()).ready();
    let mut half = sidecar.connect();
    half.write_all(b"GET /health HTTP/1.1\r\nHost: local")
        .expect("the server reads");
    assert_eq!(sidecar.get("/health").status, 200);
    sidecar.signal(Signal::TERM);
    let (status, took) = sidecar.wait();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn the_service_manager_hears_ready_alive_and_stopping() {
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let hear = |word: &str| {
        let (since, mut bytes, mut heard) = (Instant::now(), [0; 4096], String::new());
        // It says that it lives every two seconds, so a wait for each message would never end.
        while since.elapsed() < PATIENCE {
            let length = socket.recv(&mut bytes).expect("a message");
            heard = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if heard.contains(word) {
                return;
            }
        }
        panic!("`{word}` was never said; last: `{heard}`");
    };
    let mut command = ops_sidecar(&home.path().join("home"));
    command.env("NOTIFY_SOCKET", &path);
    let sidecar = Sidecar::spawn(command);
    hear("READY=1");
    hear("WATCHDOG=1\nSTATUS=ok");
    hear("WATCHDOG=1");
    sidecar.signal(Signal::TERM);
    hear("STOPPING=1");
}

#[test]
fn a_broken_home_does_not_keep_the_service_manager_waiting() {
    let home = broken_home();
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut command = ops_sidecar(home.path());
    command.env("NOTIFY_SOCKET", &path);
    let _sidecar = Sidecar::spawn(command);
    let mut bytes = [0; 4096];
    let length = socket.recv(&mut bytes).expect("a message");
    assert_eq!(&bytes[..length], b"READY=1\n");
    let length = socket.recv(&mut bytes).expect("a message");
    assert!(String::from_utf8_lossy(&bytes[..length]).contains("STATUS=state.unusable"));
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let (code, _, said) = say(&["serve", "--listen", &address], &[]);
    assert_eq!(code, 1);
    assert!(said.contains(&address) && said.contains("hint:"), "{said}");
}

#[test]
fn mistakes_in_the_settings_are_all_told_and_cost_exit_code_2() {
    let wrong = [
        ("ORDERDESK_MCP_LISTEN", "nowhere"),
        ("ORDERDESK_MCP_ADMIN_TOKN", "x"),
    ];
    let (code, _, said) = say(&["serve"], &wrong);
    assert_eq!((code, said.lines().count()), (2, 2), "{said}");
    assert!(said.contains("ORDERDESK_MCP_ADMIN_TOKEN"), "{said}");
    let (code, shown, said) = say(&["check-config"], &wrong);
    assert_eq!((code, said.lines().count()), (2, 2), "{said}");
    assert!(shown.contains("listen"), "{shown}");
    assert_eq!(say(&["serve", "--lisen", "x"], &[]).0, 2);
    assert_eq!(say(&["dance"], &[]).0, 2);
    assert_eq!(say(&[], &[]).0, 2);
}

#[test]
fn the_effective_settings_are_shown_with_their_sources_and_masked() {
    let settings = [("ORDERDESK_MCP_ADMIN_TOKEN", TOKEN)];
    let (code, shown, _) = say(&["check-config", "--listen", "127.0.0.1:1"], &settings);
    assert_eq!(code, 0);
    insta::assert_snapshot!("check_config", shown);
    let (code, shown, _) = say(&["check-config", "--json"], &settings);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("json");
    assert_eq!((code, &shown["ok"]), (0, &serde_json::json!(true)));
    let token = shown["settings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|line| line["key"] == "admin_token");
    assert_eq!(token.expect("shown")["value"], "[secret]");
}

#[test]
fn the_health_command_answers_with_its_exit_code() {
    let home = tempfile::tempdir().expect("a home");
    let sidecar = Sidecar::start(home.path()).ready();
    let address = sidecar.address.to_string();
    assert_eq!(
        say(&["health", "--listen", &address], &[]),
        (0, "ok\n".to_owned(), String::new())
    );
    assert_eq!(
        say(&["health", "--ready", "--listen", &address], &[]).1,
        "ready\n"
    );
    let (code, shown, _) = say(&["health", "--json", "--listen", &address], &[]);
    assert!(
        code == 0 && shown.starts_with("{\"status\":\"ok\""),
        "{shown}"
    );
    drop(sidecar);
    let (code, _, said) = say(&["health", "--listen", &address], &[]);
    assert_eq!(code, 1);
    assert!(said.contains("hint:"), "{said}");
}

#[test]
fn the_health_command_fails_while_the_sidecar_is_not_ready() {
    let home = broken_home();
    let sidecar = Sidecar::start(home.path());
    sidecar.until("/health/ready", |answer| {
        answer.reasons() == ["state.unusable"]
    });
    let address = sidecar.address.to_string();
    let (code, shown, _) = say(&["health", "--ready", "--listen", &address], &[]);
    assert_eq!(code, 1);
    assert!(
        shown.starts_with("not_ready: the state file cannot be used"),
        "{shown}"
    );
    assert_eq!(say(&["health", "--listen", &address], &[]).1, "fail\n");
}

#[test]
fn help_and_version_are_as_agreed() {
    assert_eq!(
        say(&["--version"], &[]),
        (
            0,
            format!("ops-sidecar {}\n", env!("CARGO_PKG_VERSION")),
            String::new()
        )
    );
    for words in [
        vec!["--help"],
        vec!["serve", "--help"],
        vec!["health", "--help"],
        vec!["check-config", "--help"],
        vec!["backup", "--help"],
        vec!["backup", "run", "--help"],
        vec!["backup", "list", "--help"],
        vec!["backup", "verify", "--help"],
        vec!["backup", "restore", "--help"],
        vec!["backup", "prune", "--help"],
        vec!["backup", "drill", "--help"],
        vec!["metrics", "--help"],
        vec!["completions", "--help"],
    ] {
        let (code, shown, _) = say(&words, &[]);
        assert_eq!(code, 0);
        insta::assert_snapshot!(format!("help_{}", words.join("_").replace("--", "")), shown);
    }
}

#[test]
fn every_shell_can_complete_our_commands_and_an_unknown_one_is_bad_usage() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, script, said) = say(&["completions", shell], &[]);
        assert_eq!((code, said.as_str()), (0, ""), "{shell}");
        assert!(script.contains("check-config"), "{shell}: {script}");
    }
    assert_eq!(say(&["completions", "cmd"], &[]).0, 2);
}

#[test]
fn the_reference_of_metrics_names_those_that_matter() {
    let (code, page, _) = say(&["metrics", "--markdown"], &[]);
    assert_eq!(code, 0);
    for name in [
        "mcp_tool_calls_total",
        "http_requests_total",
        "orderdesk_mcp_state_up",
    ] {
        assert!(page.contains(name), "{name}");
    }
}
