//! Where the admin token and what callers send must not be: on the disk, in the log, in any page.

mod support;

use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;
use support::{Sidecar, ops_sidecar};

const TOKEN: &str = "CANARY-ADMIN-TOKEN-0123456789";
const GUESS: &str = "CANARY-GUESSED-TOKEN-0123456789";
const PERSON: &str = "canary.person@example.com";

fn request(target: &str, line: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{line}\r\n\r\n")
}

fn holds_none(place: &str, text: &str) {
    for word in [TOKEN, GUESS, PERSON, "CANARY-API-KEY"] {
        assert!(!text.contains(word), "`{word}` is in {place}: {text}");
    }
}

/// Gives how many bytes it has looked at.
fn sweep(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                return sweep(&path);
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            holds_none(
                &path.display().to_string(),
                &String::from_utf8_lossy(&bytes),
            );
            bytes.len()
        })
        .sum()
}

#[test]
fn no_token_and_nothing_a_caller_sent_is_kept_logged_or_shown() {
    let home = tempfile::tempdir().expect("a home");
    let log = tempfile::tempfile().expect("a file");
    let mut command = ops_sidecar(home.path());
    command
        .env("ORDERDESK_MCP_ADMIN_TOKEN", TOKEN)
        .env("ORDERDESK_MCP_STORE_ID", "1")
        .env("ORDERDESK_MCP_API_KEY", "CANARY-API-KEY")
        .env("ORDERDESK_MCP_LOG", "trace")
        .env("RUST_LOG", "trace")
        .stderr(Stdio::from(log.try_clone().expect("a second handle")));
    let sidecar = Sidecar::spawn(command).ready();

    let mut pages = String::new();
    for (target, line) in [
        ("/health/detailed", format!("Authorization: Bearer {TOKEN}")),
        ("/health/detailed", format!("Authorization: Bearer {GUESS}")),
        ("/health/detailed", format!("Authorization: Basic {GUESS}")),
        ("/metrics", format!("Cookie: token={GUESS}")),
        ("/", format!("User-Agent: {PERSON}")),
    ] {
        pages += &sidecar.ask(&request(target, &line)).body;
    }
    // Where an earlier product took its key: in the address, which every log on the way keeps.
    let in_the_address = sidecar.ask(&request(
        &format!("/health/detailed?token={TOKEN}&access_token={TOKEN}&email={PERSON}"),
        "Accept: */*",
    ));
    assert_eq!(in_the_address.status, 401);
    pages += &in_the_address.body;
    pages += &sidecar
        .ask(&request(&format!("/{GUESS}/{PERSON}"), "Accept: */*"))
        .body;
    pages += &sidecar
        .until("/metrics", |answer| {
            answer.body.contains("auth_attempts_total")
        })
        .body;
    holds_none("a page", &pages);

    assert!(sweep(home.path()) > 10_000, "there was nothing to sweep");
    sidecar.signal(Signal::KILL);
    sidecar.wait();
    sweep(home.path());
    let mut text = String::new();
    let mut log = log;
    std::io::Seek::rewind(&mut log).expect("a file can be rewound");
    log.read_to_string(&mut text).expect("text");
    holds_none("the log", &text);
}
