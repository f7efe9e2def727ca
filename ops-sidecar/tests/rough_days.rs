//! Days on which the system itself is unkind: limits, closed streams, a file from the future.

mod support;

use std::fs;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use shared::paths::Home;
use support::{ANY_DISK, Sidecar, ops_sidecar, pause, whole_file};

/// A limit on file sizes sends a signal whose default action kills.
#[test]
fn a_file_size_limit_is_reported_and_does_not_kill() {
    let home = tempfile::tempdir().expect("a home");
    drop(Sidecar::start(home.path()).ready());
    let mut limited = Command::new("sh");
    limited
        .args([
            "-c",
            "ulimit -f 1; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_ops-sidecar"),
        ])
        .env_clear()
        .envs(ANY_DISK)
        .env("ORDERDESK_MCP_HOME", home.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let sidecar = Sidecar::spawn(limited);
    sidecar.until("/health", |answer| answer.json()["status"] != "ok");
    assert_eq!(sidecar.get("/health/live").status, 200);
    assert_eq!(sidecar.get("/metrics").status, 200);
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.wait().0.code(), Some(0));
}

/// The schema number stands at byte 60 of the file's header: what a version of the future would leave there.
#[test]
fn a_file_of_a_newer_version_is_reported_and_left_alone() {
    let folder = tempfile::tempdir().expect("a home");
    let home = Home::at(folder.path());
    let mut bytes = whole_file(&home);
    bytes[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    let needle = b"compatible_from";
    for at in 0..bytes.len() - needle.len() {
        if bytes[at..].starts_with(needle) {
            bytes[at..at + needle.len()].copy_from_slice(b"compatible_with");
        }
    }
    fs::write(home.state_db(), &bytes).expect("written");
    let sidecar = Sidecar::start(folder.path());
    let answer = sidecar.until("/health/ready", |answer| {
        answer.reasons() == ["state.schema"]
    });
    assert!(answer.body.contains("(newer)"), "{}", answer.body);
    let metrics = sidecar.get("/metrics").body;
    assert!(
        metrics.contains("\norderdesk_mcp_state_up 0\n"),
        "{metrics}"
    );
    sidecar.signal(Signal::TERM);
    assert_eq!(sidecar.wait().0.code(), Some(0));
    assert_eq!(fs::read(home.state_db()).expect("the file"), bytes);
}

/// Whoever starts it by hand may close the terminal.
#[test]
fn closed_streams_do_not_keep_it_from_serving() {
    let home = tempfile::tempdir().expect("a home");
    // The port is known to nobody but the process when its stdout is closed, so one is taken and given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let mut child = ops_sidecar(home.path())
        .args(["serve", "--log", "trace", "--listen", &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop((child.stdout.take(), child.stderr.take()));
    let is_up = || {
        let asked = ops_sidecar(home.path())
            .args(["health", "--listen", &port.to_string()])
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    };
    let since = std::time::Instant::now();
    let up = loop {
        if is_up() {
            break true;
        }
        if since.elapsed() > support::PATIENCE || child.try_wait().expect("ours").is_some() {
            break false;
        }
        pause();
    };
    let _ = child.kill();
    let _ = child.wait();
    assert!(up, "it did not serve");
}
