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
    for word in [TOKEN, GUESS, PERSON, "CANARY-API-KEY", "CANARY-MASTER-KEY"] {
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
        .env("ORDERDESK_MCP_MASTER_KEY", "passphrase:CANARY-MASTER-KEY")
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

/// Whether a process's writable memory holds these bytes; `None`, said aloud, where the system does not let us look.
#[cfg(target_os = "linux")]
fn memory_holds(pid: u32, bytes: &[u8]) -> Option<bool> {
    use std::os::unix::fs::FileExt;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let Ok(memory) = std::fs::File::open(format!("/proc/{pid}/mem")) else {
        eprintln!("SKIPPED: this user may not look into another process's memory");
        return None;
    };
    let region = |line: &str| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let hex = |text| u64::from_str_radix(text, 16).ok();
        line.contains(" rw").then_some((hex(from)?, hex(to)?))
    };
    let holds = maps.lines().filter_map(region).any(|(from, to)| {
        let mut content = vec![0; usize::try_from(to - from).unwrap_or_default()];
        let read = memory.read_at(&mut content, from).unwrap_or_default();
        content[..read]
            .windows(bytes.len())
            .any(|window| window == bytes)
    });
    Some(holds)
}

#[cfg(target_os = "linux")]
#[test]
fn the_keys_of_the_servers_never_come_into_this_programs_memory() {
    let home = tempfile::tempdir().expect("a home");
    std::fs::create_dir(home.path().join("home")).expect("a folder");
    let place = |name: &str, content: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    };
    let master = place("master", "passphrase:CANARY of the master key");
    let api = place("api", "CANARY-OF-THE-API-KEY");
    let admin = place("admin", "CANARY-OF-THE-ADMIN-TOKEN");
    place("home/master.key", "passphrase:CANARY of the home's key");
    let mut command = ops_sidecar(&home.path().join("home"));
    command
        .env("ORDERDESK_MCP_MASTER_KEY_FILE", master)
        .env("ORDERDESK_MCP_STORE_ID", "1")
        .env("ORDERDESK_MCP_API_KEY_FILE", api)
        .env("ORDERDESK_MCP_ADMIN_TOKEN_FILE", admin);
    let sidecar = Sidecar::spawn(command).ready();
    let holds = |words: &str| memory_holds(sidecar.pid(), words.as_bytes());
    for words in [
        "CANARY of the master",
        "CANARY-OF-THE-API",
        "CANARY of the home",
    ] {
        assert_ne!(holds(words), Some(true), "{words}");
    }
    assert_ne!(
        holds("CANARY-OF-THE-ADMIN-TOKEN"),
        Some(false),
        "the search finds what is there"
    );
}
