//! The daemon makes backups by itself, and a target that never answers holds up neither it nor its end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop"
)]

mod support;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{PATIENCE, Sidecar, ops_sidecar, pause};

/// Takes connections and never says a word. Each one is told.
fn silent_server() -> (String, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    // Ends with the test's process.
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            held.push(stream);
            if tell.send(()).is_err() {
                return;
            }
        }
    });
    (address, told)
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn manifests(home: &Path) -> usize {
    let names = names(&home.join("backups/snapshots"));
    names.iter().filter(|name| name.ends_with(".json")).count()
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "never: {what}");
        pause();
    }
}

#[test]
fn the_daemon_backs_up_by_itself_and_again_after_the_interval() {
    let home = tempfile::tempdir().unwrap();
    let settings = [("BACKUP_SCHEDULE", "1s"), ("PITR", "false")];
    let _sidecar = Sidecar::start_with(home.path(), &settings);
    until("three backups", || manifests(home.path()) >= 3);
}

#[test]
fn a_backup_under_way_to_a_target_that_is_silent_holds_up_neither_checks_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let (address, connected) = silent_server();
    let mut command = ops_sidecar(&home);
    command
        .env("ORDERDESK_MCP_BACKUP_TARGETS", "local,s3://shop/backups")
        .env("ORDERDESK_MCP_BACKUP_ALLOW_UNENCRYPTED", "true")
        .env("ORDERDESK_MCP_PITR", "false")
        .env("AWS_ENDPOINT_URL", address)
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_REGION", "nowhere")
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    let sidecar = Sidecar::spawn(command).ready();
    connected.recv_timeout(PATIENCE).unwrap();
    until("a backup at the other target", || manifests(&home) == 1);
    let work = || {
        names(&home.join("backups/spool"))
            .into_iter()
            .find(|name| name.starts_with(".work-"))
    };
    assert!(work().is_some(), "it is still under way");
    assert_eq!(sidecar.get("/health").status, 200);

    sidecar.signal(Signal::TERM);
    let (status, took) = sidecar.wait();
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
    let left = work();

    // The next one removes what the first left in its middle.
    let settings = [("BACKUP_SCHEDULE", "1s"), ("PITR", "false")];
    let _next = Sidecar::start_with(&home, &settings);
    until("another backup", || manifests(&home) >= 2);
    assert!(left.is_none_or(|left| !names(&home.join("backups/spool")).contains(&left)));
}
