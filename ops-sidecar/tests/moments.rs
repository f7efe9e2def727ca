//! Recovery to a moment with the real binaries: what a running sidecar ships is given back by the commands.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use support::backup::{Desk, golden, records_in};
use support::{PATIENCE, Sidecar, pause};

/// A desk whose sidecar ships to folder `one`, encrypted, and makes no whole backups.
fn desk() -> Desk {
    Desk::new()
        .sealed()
        .with_targets(&["one"])
        .with("BACKUP_SCHEDULE", "off")
}

fn sidecar(desk: &Desk) -> Sidecar {
    Sidecar::spawn(desk.command(&[])).ready()
}

fn lines(desk: &Desk) -> Vec<Value> {
    let listed = desk.backup(&["list", "--points", "--json"]).code(0).json();
    listed["points"].as_array().cloned().unwrap_or_default()
}

/// Waits until some moment can be restored.
fn until_shipped(desk: &Desk) {
    let since = std::time::Instant::now();
    while lines(desk).is_empty() {
        assert!(since.elapsed() < PATIENCE, "nothing is shipped");
        pause();
    }
}

/// Waits until the newest moment has so many records, and gives it. Its time alone would not tell: what was recorded just before a moment is
/// in it, and so is what nothing follows.
fn until_it_holds(desk: &Desk, records: usize) -> Timestamp {
    until_shipped(desk);
    let since = std::time::Instant::now();
    loop {
        let (said, file) = restore(desk, &["--latest"], "newest.db");
        let held = records_in(&file);
        fs::remove_file(&file).expect("our file");
        if held == records {
            return moment(&said["reached_at"]);
        }
        assert!(
            since.elapsed() < PATIENCE,
            "{held} records instead of {records}: {:?}",
            lines(desk)
        );
        pause();
    }
}

fn moment(value: &Value) -> Timestamp {
    let text = value.as_str().expect("a moment");
    text.parse().expect("a moment")
}

/// Restores what these words name into a file of this name.
fn restore(desk: &Desk, what: &[&str], name: &str) -> (Value, PathBuf) {
    let (to, identity) = (desk.path(name), desk.path("identity"));
    let into = ["--json", "--to", path(&to), "--identity", path(&identity)];
    let words = [&["restore"], what, &into].concat();
    let said = desk.backup(&words).code(0);
    assert_eq!(said.err, "");
    (said.json(), to)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

#[test]
fn any_moment_that_was_shipped_comes_back_as_it_was() {
    let desk = desk();
    let sidecar = sidecar(&desk);
    let mut history = Vec::new();
    for records in [3, 5, 9] {
        desk.record(records - desk.records());
        history.push((until_it_holds(&desk, records), records));
    }
    for (moment, records) in &history {
        let at = moment.to_string();
        let (said, file) = restore(&desk, &["--at", &at], &format!("{records}.db"));
        assert_eq!(records_in(&file), *records, "{said}");
        assert_eq!(said["reached_at"], moment.to_string());
    }
    let identity = desk.path("identity");
    let proven = desk.backup(&["verify", "--pitr", "--json", "--identity", path(&identity)]);
    let proven = proven.code(0).json();
    assert_eq!(proven["targets"][0]["opened"], true, "{proven}");
    drop(sidecar);
}

#[test]
fn a_moment_before_everything_is_refused_with_the_first_there_is() {
    let desk = desk();
    let sidecar = sidecar(&desk);
    until_shipped(&desk);
    drop(sidecar);
    let identity = desk.path("identity");
    desk.backup(&["restore", "--at", "1d", "--identity", path(&identity)])
        .code(1)
        .told(&[
            "nothing reaches back to",
            "the earliest moment that can be restored is 20",
        ]);
}

#[test]
fn without_the_secret_key_the_increments_are_counted_and_none_is_opened() {
    let desk = desk();
    let sidecar = sidecar(&desk);
    until_shipped(&desk);
    drop(sidecar);
    let said = desk.backup(&["verify", "--pitr"]).code(0);
    assert!(
        said.out.contains(" found, ") && said.out.contains("no moment was opened"),
        "{}",
        said.out
    );
    desk.backup(&["restore", "--latest"])
        .code(1)
        .told(&["encrypted", "--identity FILE"]);
}

#[test]
fn where_an_increment_is_damaged_the_moment_before_it_comes_back_and_that_is_said() {
    let desk = desk();
    let sidecar = sidecar(&desk);
    until_shipped(&desk);
    desk.record(2);
    let moment = until_it_holds(&desk, 5);
    drop(sidecar);
    let line = lines(&desk)[0]["line"].as_str().expect("a line").to_owned();
    let folder = desk.path("one").join("pitr").join(line);
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a line")
        .flatten()
        .map(|name| name.path())
        .collect();
    names.sort();
    for name in names.iter().filter(|name| !path(name).contains("-base-")) {
        desk.flip(name);
    }
    let to = desk.path("as-it-was.db");
    let identity = desk.path("identity");
    let words = [
        "restore",
        "--latest",
        "--json",
        "--to",
        path(&to),
        "--identity",
        path(&identity),
    ];
    let said = desk.backup(&words).code(0).told(&["passed by", "damaged"]);
    assert_eq!(records_in(&to), 3);
    let reached: Timestamp = said.json()["reached_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("a moment");
    assert!(reached < moment);
    let shape = golden(&said.json());
    assert_eq!(
        (&shape["id"], &shape["line"]),
        (&Value::Null, &"[id]".into())
    );
    // What was damaged is damaged for a proof as well.
    desk.backup(&["verify", "--pitr", "--identity", path(&identity)])
        .code(1);
    desk.backup(&["drill", "--identity", path(&identity)])
        .code(1);
}

#[test]
fn a_moment_goes_in_place_and_what_is_shipped_afterwards_is_a_line_of_its_own() {
    let desk = desk();
    let first = sidecar(&desk);
    until_shipped(&desk);
    let moment = lines(&desk)[0]["to"].as_str().expect("a moment").to_owned();
    desk.record(4);
    until_it_holds(&desk, 7);
    first.signal(rustix::process::Signal::TERM);
    first.wait();
    let identity = desk.path("identity");
    let words = [
        "restore",
        "--at",
        &moment,
        "--force",
        "--json",
        "--identity",
        path(&identity),
    ];
    let said = desk.backup(&words).code(0).json();
    assert_eq!(
        (&said["reached_at"], &said["restore_epoch"]),
        (&moment.clone().into(), &1.into())
    );
    assert_eq!(desk.records(), 3);
    let again = sidecar(&desk);
    let since = std::time::Instant::now();
    while lines(&desk).len() < 2 {
        assert!(since.elapsed() < PATIENCE, "{:?}", lines(&desk));
        pause();
    }
    drop(again);
}

#[test]
fn what_a_killed_sidecar_had_not_shipped_is_sent_before_the_newest_state_is_chosen() {
    let desk = desk();
    let sidecar = sidecar(&desk);
    until_shipped(&desk);
    // The disk of the target goes away; what is captured from now on waits.
    let (there, away) = (desk.path("one"), desk.path("away"));
    fs::rename(&there, &away).expect("the disk is gone");
    desk.record(4);
    let spool = desk.home().backup_spool().join("pitr");
    let since = std::time::Instant::now();
    let waiting = || {
        let names = fs::read_dir(&spool).expect("the spool").flatten();
        names
            .filter(|name| name.file_name().to_string_lossy().contains("-s.inc."))
            .count()
    };
    let captured = Timestamp::now();
    while waiting() == 0 {
        assert!(since.elapsed() < PATIENCE, "nothing is captured");
        pause();
    }
    assert!(Timestamp::now() >= captured);
    sidecar.signal(rustix::process::Signal::KILL);
    sidecar.wait();
    fs::rename(&away, &there).expect("the disk is back");
    let (to, identity) = (desk.path("as-it-was.db"), desk.path("identity"));
    let words = [
        "restore",
        "--latest",
        "--to",
        path(&to),
        "--identity",
        path(&identity),
    ];
    desk.backup(&words).code(0);
    assert_eq!(records_in(&to), 7);
}
