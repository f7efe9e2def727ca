//! Giving the state file back with the real binary.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use support::backup::{Desk, golden, records_in};
use support::{PATIENCE, Sidecar, whole_file};

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

/// Every file below the home, with its size and when it was changed.
fn everything(root: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let about = entry.metadata().expect("a file");
            if about.is_dir() {
                folders.push(entry.path());
            } else {
                found.push((entry.path().display().to_string(), about.len()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_lost_machine_is_restored_from_a_target_and_a_secret_key_alone() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    let mut command = desk.lost();
    command
        .env("ORDERDESK_MCP_BACKUP_TARGETS", desk.target("one"))
        .args(["backup", "restore", "--latest", "--json", "--identity"])
        .arg(desk.path("identity"));
    let said = desk.ask(command).code(0);
    assert_eq!(said.err, "");
    insta::assert_json_snapshot!("in_place", golden(&said.json()));
    let file = desk.path("another-home").join("state.db");
    assert_eq!(records_in(&file), 3);
    assert_eq!(
        fs::metadata(&file).expect("a file").permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn from_a_target_on_another_machine_no_public_key_is_asked_for() {
    let desk = Desk::new();
    let mut command = desk.lost();
    // Nobody answers there; that it is asked at all is what is tested.
    command
        .env("ORDERDESK_MCP_BACKUP_TARGETS", "s3://nobody/here")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "y")
        .env("AWS_REGION", "z")
        .args(["backup", "list"]);
    let said = desk.ask(command).code(1);
    assert!(!said.err.contains("BACKUP_RECIPIENTS"), "{}", said.err);
    said.told(&["s3://nobody/here"]);
}

#[test]
fn a_restored_file_is_marked_and_the_old_one_is_kept_aside() {
    let desk = Desk::new();
    desk.run();
    let said = desk.backup(&["restore", "--latest"]).code(0);
    for words in [
        "restored for the 1st time",
        "old file: [here]/home/backups/kept/before-restore-",
        "next:",
    ] {
        assert!(said.out.contains(words), "{}", said.out);
    }
    let kept: Vec<_> = fs::read_dir(desk.home().kept_copies())
        .expect("kept")
        .flatten()
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(records_in(&kept[0].path()), 3);
    // The restore itself stands in the audit, which is sound.
    assert_eq!(desk.records(), 3);
    let listed = desk.run();
    let epoch = desk.backup(&["list", "--json"]).json();
    assert_eq!(epoch["backups"][0]["id"], listed.as_str());
    assert_eq!(epoch["backups"][0]["restore_epoch"], 1);
}

#[test]
fn a_state_with_something_newer_is_not_overwritten_unless_forced() {
    let desk = Desk::new();
    desk.run();
    desk.record(2);
    let said = desk.backup(&["restore", "--latest", "--json"]).code(1);
    assert_eq!(said.out, "");
    said.told(&["audit", "hint:", "--force"]);
    assert_eq!(desk.records(), 5);
    let said = desk.backup(&["restore", "--latest", "--force"]).code(0);
    said.told(&["note: not in what is restored:"]);
    assert_eq!(desk.records(), 3);
}

#[test]
fn as_long_as_somebody_has_the_file_open_it_stays_and_they_are_named() {
    let desk = Desk::new()
        .with("BACKUP_SCHEDULE", "off")
        .with("PITR", "false");
    desk.run();
    let settings = [("BACKUP_SCHEDULE", "off"), ("PITR", "false")];
    let sidecar = Sidecar::start_with(desk.home().root(), &settings).ready();
    sidecar.until("/metrics", |answer| {
        answer
            .body
            .contains("orderdesk_mcp_processes{kind=\"ops-sidecar\"} 1")
    });
    let said = desk
        .backup(&["restore", "--latest", "--wait", "0s"])
        .code(1);
    said.told(&["ops-sidecar", &sidecar.pid().to_string(), "hint:"]);
    // Who waits gets it when the last one has gone.
    let waiting = desk
        .command(&["backup", "restore", "--latest", "--force", "--wait", "20s"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    sidecar.signal(Signal::TERM);
    let (_, took) = sidecar.wait();
    assert!(took < PATIENCE);
    let done = waiting.wait_with_output().expect("an end");
    assert!(done.status.success());
}

#[test]
fn to_another_file_leaves_that_file_and_touches_nothing_else() {
    let desk = Desk::new();
    desk.run();
    let before = everything(desk.home().root());
    let to = desk.path("as-it-was.db");
    let said = desk
        .backup(&["restore", "--latest", "--json", "--to", text(&to)])
        .code(0);
    insta::assert_json_snapshot!("to_a_file", golden(&said.json()));
    assert_eq!(everything(desk.home().root()), before);
    assert_eq!(records_in(&to), 3);
    assert_eq!(
        fs::metadata(&to).expect("a file").permissions().mode() & 0o777,
        0o600
    );
    let beside: Vec<_> = fs::read_dir(desk.path(""))
        .expect("a folder")
        .flatten()
        .collect();
    assert_eq!(beside.len(), 2, "the home and the file: {beside:?}");
    desk.backup(&["restore", "--latest", "--to", text(&to)])
        .code(1)
        .told(&["is there already", "hint:"]);
    assert_eq!(records_in(&to), 3);
}

#[test]
fn to_a_name_beside_the_log_of_another_database_nothing_is_restored() {
    let desk = Desk::new();
    desk.run();
    let (to, log) = (desk.path("other.db"), desk.path("other.db-wal"));
    fs::write(&log, "what SQLite would replay").expect("a file");
    desk.backup(&["restore", "--latest", "--to", text(&to)])
        .code(1)
        .told(&["other.db-wal", "is there already", "hint:"]);
    assert!(!to.exists() && log.exists());
}

#[test]
fn a_damaged_copy_is_passed_by_and_the_next_target_gives_the_same_backup() {
    let desk = Desk::new().sealed().with_targets(&["one", "two"]);
    let id = desk.run();
    desk.flip(&desk.file("one", &id));
    let to = desk.path("as-it-was.db");
    let identity = desk.path("identity");
    let words = [
        "restore",
        "--id",
        &id,
        "--json",
        "--to",
        text(&to),
        "--identity",
        text(&identity),
    ];
    let said = desk.backup(&words).code(0);
    assert_eq!(
        said.json()["targets"],
        serde_json::json!(["file://[here]/two"])
    );
    said.told(&["passed by", &id, "[here]/one", "another hash"]);
    assert_eq!(records_in(&to), 3);
}

#[test]
fn the_newest_that_is_damaged_everywhere_gives_way_to_the_one_before_and_says_so() {
    let desk = Desk::new()
        .with("BACKUP_KEEP_HOURLY", "0")
        .with("BACKUP_KEEP_DAILY", "0");
    let desk = desk
        .with("BACKUP_KEEP_WEEKLY", "0")
        .with("BACKUP_KEEP_MONTHLY", "0");
    let older = desk.run();
    desk.record(1);
    let newest = desk.run();
    desk.flip(&desk.file("home/backups", &newest));
    let to = desk.path("as-it-was.db");
    let said = desk
        .backup(&["restore", "--latest", "--json", "--to", text(&to)])
        .code(0);
    assert_eq!(said.json()["id"], older.as_str());
    said.told(&["passed by", &newest]);
    assert_eq!(records_in(&to), 3);
    // The one that was asked for by name is that one or none.
    let other = desk.path("other.db");
    desk.backup(&["restore", "--id", &newest, "--to", text(&other)])
        .code(1)
        .told(&["nothing that could be restored is sound", "hint:"]);
    assert!(!other.exists());
}

#[test]
fn every_region_of_a_backup_can_be_damaged_and_none_is_put_in_place() {
    let desk = Desk::new();
    let id = desk.run();
    let file = desk.file("home/backups", &id);
    let whole = fs::read(&file).expect("a file");
    let live = whole_file(&desk.home());
    let regions = (0..12).map(|part| part * (whole.len() - 1) / 11);
    for place in regions {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x80;
        fs::write(&file, &bytes).expect("a file");
        desk.backup(&["restore", "--id", &id, "--force"]).code(1);
    }
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..cut]).expect("a file");
        desk.backup(&["restore", "--id", &id, "--force"]).code(1);
    }
    assert_eq!(
        fs::read(desk.home().state_db()).expect("the state file"),
        live
    );
    fs::write(&file, &whole).expect("a file");
    desk.backup(&["restore", "--id", &id, "--force"]).code(0);
}

#[test]
fn without_the_right_key_nothing_is_restored_and_the_key_is_asked_for() {
    let desk = Desk::new().sealed().with_targets(&["one"]);
    desk.run();
    desk.backup(&["restore", "--latest"])
        .code(1)
        .told(&["encrypted", "--identity FILE"]);
    desk.key("other");
    let wrong = desk.path("other");
    let refused = desk
        .backup(&["restore", "--latest", "--identity", text(&wrong)])
        .code(1)
        .told(&["encrypted to other keys", "hint:"]);
    // No other backup, from no other target, is fetched with a key that opens none.
    assert!(!refused.err.contains("passed by"), "{}", refused.err);
    let setting = desk.path("identity");
    let mut command = desk.command(&["backup", "restore", "--latest"]);
    command.env("ORDERDESK_MCP_BACKUP_IDENTITY_FILE", setting);
    desk.ask(command).code(0);
}

#[test]
fn what_cannot_be_meant_is_bad_usage_and_what_is_not_there_is_said() {
    let desk = Desk::new();
    desk.run();
    for words in [
        vec!["restore"],
        vec!["restore", "--latest", "--at", "10m"],
        vec!["restore", "--id", "../../etc/passwd"],
        vec!["restore", "--at", "yesterday"],
        vec!["restore", "--at", "2999-01-01T00:00:00Z"],
        vec!["restore", "--latest", "--to", "x", "--force"],
        vec!["restore", "--latest", "--wait", "-5s"],
        vec!["restore", "--latest", "--target", "s3://elsewhere"],
        vec!["restore", "--latest", "--line", "x"],
        vec!["verify"],
    ] {
        let said = desk.backup(&words).code(2);
        assert!(!said.err.is_empty() && said.out.is_empty(), "{words:?}");
    }
    desk.backup(&["restore", "--id", "20200101T000000Z-00000a"])
        .code(1)
        .told(&["no target that answers has backup", "backup list"]);
    desk.backup(&["restore", "--at", "-30m"])
        .code(1)
        .told(&["nothing reaches back to", "the earliest moment"]);
    let empty = Desk::empty();
    empty
        .backup(&["restore", "--latest"])
        .code(1)
        .told(&["no backup at any target", "hint:"]);
    assert!(!empty.home().state_db().exists());
}

#[test]
fn a_state_file_that_is_damaged_or_gone_needs_no_force() {
    let desk = Desk::new();
    desk.run();
    for suffix in ["", "-wal", "-shm"] {
        let path = desk.path(&format!("home/state.db{suffix}"));
        if path.exists() {
            fs::remove_file(&path).expect("a file of ours");
        }
    }
    let said = desk.backup(&["restore", "--latest"]).code(0);
    assert!(said.out.contains("mcp-stdio key import"), "{}", said.out);
    assert_eq!(desk.records(), 3);
    fs::write(desk.home().state_db(), [7; 8192]).expect("a file");
    desk.backup(&["restore", "--latest"]).code(0);
    assert_eq!(desk.records(), 3);
    let kept = fs::read_dir(desk.home().kept_copies())
        .expect("kept")
        .flatten()
        .count();
    assert_eq!(
        kept, 1,
        "the damaged file is kept for whoever wants to look at it"
    );
}

#[test]
fn what_a_killed_restore_left_goes_with_the_next_one() {
    let desk = Desk::new();
    desk.run();
    let left = desk.home().backup_spool().join(".work-abcdefgh");
    fs::create_dir_all(&left).expect("a folder");
    fs::write(left.join("lock"), "").expect("a file");
    fs::write(left.join("state.db"), [0; 100_000]).expect("a file");
    desk.backup(&["restore", "--latest"]).code(0);
    let names: Vec<_> = fs::read_dir(desk.home().backup_spool())
        .expect("the spool")
        .flatten()
        .collect();
    assert!(
        names
            .iter()
            .all(|name| !name.file_name().to_string_lossy().starts_with(".work-")),
        "{names:?}"
    );
}
