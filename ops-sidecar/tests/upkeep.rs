//! The state file on its bad days, with the real binary: the disk is full, a page is spoilt, the file is deleted under everybody.

#![allow(
    clippy::panic,
    reason = "this is how a test fails; clippy knows that only inside of #[test]"
)]

mod support;

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use shared::audit::{self, Actor, Chain, Entry, Filter, action};
use shared::paths::Home;
use shared::state::tables::agreements;
use shared::state::{Durability, State, StateError};
use support::{Answer, Sidecar, SmallDisk, TOKEN, whole_file};

/// Nothing here is about who may read a backup.
const SETTINGS: [(&str, &str); 2] = [("ADMIN_TOKEN", TOKEN), ("BACKUP_ALLOW_UNENCRYPTED", "true")];
const BALLAST: u64 = 16 << 20;

fn start(home: &Path, more: &[(&str, &str)]) -> Sidecar {
    let settings: Vec<_> = SETTINGS.iter().chain(more).copied().collect();
    Sidecar::start_with(home, &settings)
}

/// The findings in `/health/detailed`, by id.
fn finding(answer: &Answer, id: &str) -> Option<Value> {
    let body = answer.json();
    let found = body["findings"].as_array()?.iter();
    found
        .into_iter()
        .find(|finding| finding["id"] == id)
        .cloned()
}

fn until_found(sidecar: &Sidecar, id: &str) -> Value {
    let answer =
        sidecar.until_with_token("/health/detailed", |answer| finding(answer, id).is_some());
    finding(&answer, id).expect("just seen")
}

fn until_gone(sidecar: &Sidecar, id: &str) {
    sidecar.until_with_token("/health/detailed", |answer| finding(answer, id).is_none());
}

fn until_shown(sidecar: &Sidecar, line: &str) {
    let line = format!("\n{line}\n");
    sidecar.until("/metrics", |answer| answer.body.contains(&line));
}

fn record(state: &State) -> Result<(), StateError> {
    let actor = Actor::cli();
    // A sidecar prunes what is older than the audit's retention.
    let now_ms = Timestamp::now().as_millisecond();
    let entry = Entry::done(&actor, action::CLIENT_INSTALLED, Some("zed"));
    state.write("test", Durability::Full, |writing| {
        audit::append(writing, &Chain::Env, &entry, now_ms, None).map(|_| ())
    })
}

fn records(state: &State) -> usize {
    let everything = Filter {
        limit: 100_000,
        ..Filter::default()
    };
    let listed = state.read("test", |reading| {
        audit::list(reading, &Chain::Env, &everything)
    });
    listed.expect("readable").len()
}

/// Records until the disk takes no more; gives how many were acknowledged.
fn record_until_full(state: &State) -> usize {
    for acknowledged in 0..100_000 {
        match record(state) {
            Ok(()) => {}
            Err(StateError::Full) => return acknowledged,
            Err(other) => panic!("a full disk is called something else: {other}"),
        }
    }
    panic!("the disk is larger than asked for");
}

fn fill(disk: &SmallDisk) {
    let filled = fs::write(disk.path().join("filler"), vec![1; 200 << 20]);
    assert!(filled.is_err(), "the disk is larger than asked for");
}

fn empty(disk: &SmallDisk) {
    fs::remove_file(disk.path().join("filler")).expect("removed");
}

#[test]
fn on_a_full_disk_the_reserve_is_given_back_writes_go_on_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::mount("160m") else {
        return;
    };
    let home = Home::at(disk.path().join("home"));
    let quiet = [("BACKUP_SCHEDULE", "off"), ("PITR", "false")];
    let held = format!("orderdesk_mcp_ballast_bytes {BALLAST}");
    let sidecar = start(home.root(), &quiet).ready();
    until_shown(&sidecar, &held);
    drop(sidecar);
    assert!(
        home.ballast().exists(),
        "it outlives the program that took it"
    );

    // Nobody is there to give it back: this is what a full disk is like.
    fill(&disk);
    let state = State::open(&home).expect("a full disk is no reason not to open");
    let acknowledged = record_until_full(&state);
    assert!(
        matches!(record(&state), Err(StateError::Full)),
        "and it stays full"
    );

    // The sidecar that starts on the full disk gives back what its predecessor took.
    let sidecar = start(home.root(), &quiet);
    let used = until_found(&sidecar, "disk.ballast_used");
    assert!(
        used["summary"]
            .as_str()
            .is_some_and(|words| words.contains("16 MiB")),
        "{used}"
    );
    assert!(!home.ballast().exists());
    record(&state).expect("there is room again");
    assert_eq!(
        records(&state),
        acknowledged + 1,
        "what was acknowledged, and nothing else"
    );
    until_shown(&sidecar, "orderdesk_mcp_ballast_bytes 0");

    // With room again it is taken again, and given back again by one that runs.
    empty(&disk);
    until_shown(&sidecar, &held);
    until_gone(&sidecar, "disk.ballast_used");
    fill(&disk);
    until_found(&sidecar, "disk.ballast_used");
    record(&state).expect("there is room again");
    assert_eq!(records(&state), acknowledged + 2);
    state.quick_check().expect("a sound file");
}

#[test]
fn a_reserve_that_nobody_wants_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let sidecar = start(folder.path(), &[("BALLAST", "0")]).ready();
    sidecar.until_with_token("/health/detailed", |answer| {
        answer.json()["components"]["ballast"]["wanted_bytes"] == 0
    });
    assert!(!folder.path().join("ballast").exists());
    assert!(!sidecar.get("/metrics").body.contains("ballast_bytes"));
}

/// Spoils a page that nobody who serves or watches reads.
fn spoil_a_page(home: &Home) {
    const PAGE: usize = 4096;
    const LEAVES: [u8; 2] = [10, 13];
    let state = State::open(home).expect("a fresh file");
    for number in 0..500 {
        let name = format!("{number:064x}");
        state
            .write("test", Durability::Full, |writing| {
                agreements::use_once(writing, &name, (1, i64::MAX), 2)
            })
            .expect("a sound file");
    }
    drop(state);
    let mut bytes = whole_file(home);
    let page = bytes.chunks_mut(PAGE).find(|page| {
        let holds = |word: &[u8]| page.windows(word.len()).any(|at| at == word);
        LEAVES.contains(&page[0]) && holds(b"agreed:") && !holds(b"compatible_from")
    });
    page.expect("a page of agreements")[0] = 0xEE;
    fs::write(home.state_db(), bytes).expect("written");
}

#[test]
fn a_spoilt_page_is_found_soon_after_the_start_and_said_with_the_command_that_helps() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path());
    spoil_a_page(&home);
    let sidecar = start(folder.path(), &[]).ready();
    let damaged = until_found(&sidecar, "state.damaged");
    assert_eq!(
        (&damaged["level"], &damaged["blocks_ready"]),
        (&"fail".into(), &false.into())
    );
    let hint = damaged["hint"].as_str().expect("a hint");
    assert!(
        hint.contains("`ops-sidecar backup restore --latest`"),
        "{hint}"
    );
    until_shown(&sidecar, "orderdesk_mcp_state_sound 0");
    // A backup of it is refused, so that the newest backup stays the one from before.
    let failed = until_found(&sidecar, "backup.failed");
    assert!(
        failed["summary"]
            .as_str()
            .is_some_and(|words| words.contains("(check)")),
        "{failed}"
    );
    until_shown(
        &sidecar,
        "orderdesk_mcp_backup_runs_total{outcome=\"failed\"} 1",
    );
    let made = fs::read_dir(home.backups_dir().join("snapshots"));
    assert_eq!(made.map_or(0, Iterator::count), 0);
}

#[test]
fn a_deleted_file_is_said_for_as_long_as_nobody_acts_and_backups_go_on_with_the_new_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let sidecar = start(folder.path(), &[("BACKUP_SCHEDULE", "1s")]).ready();
    let backups = |answer: &Answer| answer.json()["components"]["backups"]["runs"]["good"].as_u64();
    let pitr = |answer: &Answer| answer.json()["components"]["pitr"].clone();
    sidecar.until_with_token("/health/detailed", |answer| {
        backups(answer) > Some(0) && pitr(answer)["last_point"].is_string()
    });
    until_shown(&sidecar, "orderdesk_mcp_state_moved 0");
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("state.db{suffix}")));
    }
    let moved = until_found(&sidecar, "state.moved");
    assert_eq!(moved["level"], "fail");
    let hint = moved["hint"].as_str().expect("a hint");
    assert!(
        hint.contains("`ops-sidecar backup restore --latest`"),
        "{hint}"
    );
    until_shown(&sidecar, "orderdesk_mcp_state_moved 1");
    // Everything goes on with the file that is there now.
    sidecar.until("/health/ready", |answer| answer.status == 200);
    let then = sidecar.get_with_token("/health/detailed");
    let (made, point) = (backups(&then), pitr(&then)["last_point"].clone());
    let later = sidecar.until_with_token("/health/detailed", |answer| {
        backups(answer) > made && pitr(answer)["last_point"] != point
    });
    assert_eq!(pitr(&later)["problem"], Value::Null);
    assert!(
        finding(&later, "state.moved").is_some(),
        "nobody has acted yet"
    );
    assert!(finding(&later, "pitr.behind").is_none(), "{}", later.body);
}
