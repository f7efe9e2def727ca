//! The program: its line of JSON, its exit codes, its end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn sandbox(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orderdesk-sandbox"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn output(args: &[&str]) -> Output {
    sandbox(args).output().unwrap()
}

#[cfg(unix)]
#[test]
fn it_says_where_it_is_and_ends_cleanly_on_sigterm() {
    let mut child = sandbox(&["--port", "0", "--stores", "2", "--orders", "5"])
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert!(
        ready["base_url"].as_str().unwrap().ends_with("/api/v2"),
        "{ready}"
    );
    assert_eq!(
        (&ready["stores"][0]["store_id"], &ready["stores"][1]["name"]),
        (&"4242".into(), &"Demo Outlet".into())
    );
    assert_eq!(ready["stores"][0]["api_key"].as_str().unwrap().len(), 50);

    let killed = Command::new("kill")
        .arg("-TERM")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line is all that stdout gets");
}

#[test]
fn bad_usage_and_a_bad_fault_file_exit_with_2() {
    assert_eq!(output(&["--prot", "0"]).status.code(), Some(2));
    let bad = output(&["--port", "0", "--faults", "/nowhere/faults.json"]);
    let text = String::from_utf8(bad.stderr).unwrap();
    assert!(
        bad.status.code() == Some(2) && text.contains("hint:"),
        "{text}"
    );
}

#[test]
fn a_taken_port_exits_with_1_and_a_hint() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = output(&["--port", &port]);
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.status.code() == Some(1) && text.contains("hint:"),
        "{text}"
    );
}

#[test]
fn every_shell_can_complete_its_flags_and_nothing_is_started() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let shown = output(&["completions", shell]);
        let script = String::from_utf8(shown.stdout).unwrap();
        assert!(
            shown.status.success() && script.contains("no-rate-limit"),
            "{shell}: {script}"
        );
    }
    assert_eq!(output(&["completions", "cmd"]).status.code(), Some(2));
    assert_eq!(
        output(&["--port", "0", "completions", "bash"])
            .status
            .code(),
        Some(2)
    );
}
