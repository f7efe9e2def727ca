//! Putting back what was kept when the state file was replaced, with the real binary.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use shared::audit::{self, Chain};
use shared::state::{Durability, KeptBefore, KeptCopy, NEWEST_SCHEMA, State, kept_copies, tables};
use support::backup::{Desk, golden, records_in};
use support::{Sidecar, whole_file};

/// A desk on which a backup was restored that lacked two records: what was there before is kept.
struct Undone {
    desk: Desk,
    backup: String,
    before: Content,
}

impl Undone {
    fn new() -> Undone {
        let desk = Desk::new();
        let backup = desk.run();
        desk.record(2);
        bump(&desk, "shop");
        let before = Content::of(&desk);
        desk.backup(&["restore", "--id", &backup, "--force"])
            .code(0);
        assert_eq!(desk.records(), 3);
        Undone {
            desk,
            backup,
            before,
        }
    }

    fn kept(&self) -> KeptCopy {
        kept(&self.desk).remove(0)
    }

    /// Tries to put it back, in vain; what is there stays.
    #[track_caller]
    fn refused(&self, why: &[&str]) {
        let live = whole_file(&self.desk.home());
        let name = self.kept().name;
        let said = self
            .desk
            .backup(&["restore", "--kept", &name, "--force", "--json"])
            .code(1);
        assert_eq!(said.out, "");
        said.told(why).told(&[&name, "hint:"]);
        assert!(whole_file(&self.desk.home()) == live);
        assert_eq!(scratch_folders(&self.desk), 0);
    }
}

fn kept(desk: &Desk) -> Vec<KeptCopy> {
    kept_copies(&desk.home()).expect("a folder")
}

fn scratch_folders(desk: &Desk) -> usize {
    let names = fs::read_dir(desk.home().backup_spool()).expect("the spool");
    let is_ours = |name: &str| name.starts_with(".work-");
    names
        .flatten()
        .filter(|entry| is_ours(&entry.file_name().to_string_lossy()))
        .count()
}

fn bump(desk: &Desk, scope: &str) {
    let state = State::open(&desk.home()).expect("a state file");
    let bumped = state.write("test", Durability::Full, |writing| {
        tables::epochs::bump(writing, scope)
    });
    bumped.expect("an epoch");
}

/// What a restore must bring back: how much is in each table, and the end of each audit chain.
#[derive(Debug, PartialEq)]
struct Content {
    rows: BTreeMap<String, u64>,
    ends: BTreeMap<String, (u64, String)>,
}

impl Content {
    fn of(desk: &Desk) -> Content {
        let copy = desk.path("look.db");
        let state = State::open(&desk.home()).expect("a state file");
        let all = &mut |_, _| std::ops::ControlFlow::Continue(());
        state.copy_for_now(&copy, all).expect("a copy");
        let content = Content::in_copy(&copy);
        fs::remove_file(copy).expect("a file of ours");
        content
    }

    fn in_copy(path: &Path) -> Content {
        let copy = State::open_copy(path).expect("a copy");
        let heads = copy.read("test", audit::heads).expect("heads");
        let end = |(chain, head): (Chain, audit::Head)| {
            (chain.as_str().to_owned(), (head.seq, head.hash_hex()))
        };
        Content {
            rows: copy.inspect().expect("a sound copy").rows,
            ends: heads.into_iter().map(end).collect(),
        }
    }

    /// Without the traces that a restore leaves on purpose: its record, and what `meta` says of it.
    fn but_for_restores(mut self) -> Content {
        self.rows.remove("meta");
        let (records, _) = self.ends.remove("system").unwrap_or_default();
        *self.rows.get_mut("audit").expect("a table") -= records;
        self
    }
}

#[test]
fn a_wrong_restore_is_undone_and_everything_is_as_it_was() {
    let Undone {
        desk,
        backup,
        before,
    } = Undone::new();
    let copy = kept(&desk).remove(0);
    let listed = desk.backup(&["list", "--json"]).code(0).json();
    insta::assert_json_snapshot!("listed", listed_golden(&listed));
    let text = desk.backup(&["list"]).code(0).out;
    let line = format!("{}  ", copy.name);
    assert!(
        text.contains(&line) && text.contains("before a restore, "),
        "{text}"
    );

    // What has happened since is asked about, as with every restore.
    desk.backup(&["restore", "--kept", &copy.name])
        .code(1)
        .told(&["would be lost", "--force"]);
    let said = desk
        .backup(&["restore", "--kept", &copy.name, "--force", "--json"])
        .code(0);
    insta::assert_json_snapshot!("put_back", golden(&kept_golden(&said.json(), &copy.name)));

    assert_eq!(desk.records(), 5);
    let after = Content::of(&desk);
    assert_eq!(
        after.ends["system"].0,
        before.ends.get("system").map_or(1, |end| end.0 + 1)
    );
    assert_eq!(after.but_for_restores(), before.but_for_restores());
    // The copy is still there, and so is what stood there between.
    let left = kept(&desk);
    assert_eq!(left.len(), 2);
    assert_eq!(records_in(&left[0].path), 3);
    assert_eq!(
        (left[1].name.as_str(), records_in(&left[1].path)),
        (copy.name.as_str(), 5)
    );
    // The backups go on, and this one, too, can be undone by what the restore says.
    let newer = desk.backup(&["run", "--json"]).code(0).json();
    assert_ne!(newer["id"], backup.as_str());
    let said = desk
        .backup(&[
            "restore",
            "--kept",
            &left[0].path.display().to_string(),
            "--force",
        ])
        .code(0);
    let undo = said.out.lines().find(|line| line.starts_with("undo:"));
    let undo = undo.expect("how to undo it").to_owned();
    assert_eq!(desk.records(), 3);
    let words: Vec<_> = undo.split_whitespace().skip(2).collect();
    desk.ask(desk.command(&words)).code(0);
    assert_eq!(desk.records(), 5);
}

/// Names differ each time; the backups have their own golden file.
fn listed_golden(listed: &Value) -> Value {
    let mut kept = listed["kept"].clone();
    for copy in kept.as_array_mut().expect("a list") {
        let name = copy["name"].as_str().expect("a name").to_owned();
        *copy = kept_golden(copy, &name);
    }
    golden(&kept)
}

fn kept_golden(answer: &Value, name: &str) -> Value {
    let text = answer.to_string().replace(name, "[name]");
    serde_json::from_str(&text).expect("json")
}

#[test]
fn the_audit_says_what_happened_and_the_sidecar_finds_nothing_wrong_with_it() {
    let undone = Undone::new();
    let name = undone.kept().name;
    undone
        .desk
        .backup(&["restore", "--kept", &name, "--force"])
        .code(0);
    let state = State::open(&undone.desk.home()).expect("a state file");
    let noted = state.read("test", tables::meta::restore);
    let noted = noted.expect("a note");
    assert_eq!((noted.epoch, noted.from), (2, format!("kept copy {name}")));
    let points = audit::checkpoint::read(&undone.desk.home()).expect("checkpoints");
    let chains = state.read("test", |reading| audit::chains(reading, &points));
    for chain in chains.expect("chains") {
        let verdict = audit::verify(&state, &chain, None, &points).expect("a verdict");
        assert!(verdict.first_bad.is_none(), "{chain:?}: {verdict:?}");
    }
}

#[test]
fn to_another_file_a_kept_copy_is_the_same_byte_for_byte_and_nothing_else_is_touched() {
    let undone = Undone::new();
    let (desk, copy) = (&undone.desk, undone.kept());
    let live = whole_file(&desk.home());
    let to = desk.path("as-it-was.db");
    let to_word = to.display().to_string();
    let words = ["restore", "--kept", &copy.name, "--to", &to_word];
    desk.backup(&words).code(0);
    assert!(fs::read(&to).expect("a file") == fs::read(&copy.path).expect("a copy"));
    assert!(whole_file(&desk.home()) == live);
    desk.backup(&words).code(1).told(&["is there already"]);
}

#[test]
fn what_was_kept_before_a_migration_comes_back_up_to_date() {
    let desk = Desk::new();
    desk.ask(desk.command(&["migrate", "down", "--to", "1"]))
        .code(0);
    desk.record(2);
    let copies = kept(&desk);
    let from = |schema: u32| {
        let is_it = |copy: &&KeptCopy| matches!(copy.before, KeptBefore::Migration { from, .. } if from == schema);
        copies.iter().find(is_it).expect("a copy of that schema")
    };
    let (newest, older) = (from(NEWEST_SCHEMA), from(1));
    assert_eq!(
        (newest.schema, older.schema),
        (Some(NEWEST_SCHEMA), Some(1))
    );
    for copy in [newest, older] {
        desk.backup(&["restore", "--kept", &copy.name, "--force"])
            .code(0);
        assert_eq!(desk.records(), 3);
        desk.record(1);
    }
}

#[test]
fn a_kept_copy_that_is_damaged_newer_or_gone_is_refused_and_the_file_stays() {
    let undone = Undone::new();
    let copy = undone.kept();
    let whole = fs::read(&copy.path).expect("a copy");
    let put = |bytes: &[u8]| fs::write(&copy.path, bytes).expect("a copy");
    let mut changed = whole.clone();
    changed[4096..4104].fill(0xff);
    put(&changed);
    undone.refused(&["it is damaged"]);
    for cut in [0, 100, whole.len() - 4096, whole.len() - 1] {
        put(&whole[..cut]);
        undone.refused(&["it is damaged"]);
    }
    put(&whole);
    let log = undone
        .desk
        .home()
        .kept_copies()
        .join(format!("{}-wal", copy.name));
    fs::write(&log, "what SQLite could not copy back").expect("a log");
    undone.refused(&["its log still lies beside it"]);
    fs::remove_file(log).expect("a file of ours");
    put(&of_a_newer_version(&whole));
    undone.refused(&["it has schema 1000", "or a newer one"]);
    put(&whole);
    undone
        .desk
        .backup(&["restore", "--kept", &copy.name, "--force"])
        .code(0);
    for name in [
        "before-restore-20200101T000000Z.db",
        "../../state.db",
        "",
        "/etc/passwd",
    ] {
        undone
            .desk
            .backup(&["restore", "--kept", name, "--force"])
            .code(1)
            .told(&["no copy", "ops-sidecar backup list"]);
    }
}

/// The schema number stands at byte 60 of the file's header; the key is spelt otherwise so that the file admits nobody.
fn of_a_newer_version(image: &[u8]) -> Vec<u8> {
    let mut image = image.to_vec();
    image[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    let needle = b"compatible_from";
    for at in 0..image.len() - needle.len() {
        if image[at..].starts_with(needle) {
            image[at..at + needle.len()].copy_from_slice(b"compatible_with");
        }
    }
    image
}

#[test]
fn it_stands_alone_and_takes_nothing_that_belongs_to_targets() {
    let undone = Undone::new();
    let name = undone.kept().name;
    for also in [
        vec!["--latest"],
        vec!["--id", &undone.backup],
        vec!["--identity", "x"],
        vec!["--target", "local"],
        vec!["--line", "x"],
        vec!["--to", "x", "--force"],
    ] {
        let words = [vec!["restore", "--kept", &name], also].concat();
        undone.desk.backup(&words).code(2);
    }
    assert_eq!(undone.desk.records(), 3);
}

#[test]
fn with_a_damaged_state_file_and_no_target_in_reach_it_needs_no_force() {
    let undone = Undone::new();
    let name = undone.kept().name;
    let nowhere = format!("file://{}", undone.desk.path("not-mounted").display());
    fs::write(undone.desk.home().state_db(), [7; 8192]).expect("a file");
    let mut command = undone.desk.command(&["backup", "restore", "--kept", &name]);
    command.env("ORDERDESK_MCP_BACKUP_TARGETS", nowhere);
    undone.desk.ask(command).code(0);
    assert_eq!(undone.desk.records(), 5);
}

#[test]
fn as_long_as_somebody_has_the_file_open_nothing_is_put_back() {
    let undone = Undone::new();
    let desk = &undone.desk;
    let settings = [("BACKUP_SCHEDULE", "off"), ("PITR", "false")];
    let sidecar = Sidecar::start_with(desk.home().root(), &settings).ready();
    sidecar.until("/metrics", |answer| {
        answer
            .body
            .contains("orderdesk_mcp_processes{kind=\"ops-sidecar\"} 1")
    });
    let name = undone.kept().name;
    let words = ["restore", "--kept", &name, "--force", "--wait", "0s"];
    desk.backup(&words)
        .code(1)
        .told(&["ops-sidecar", &sidecar.pid().to_string(), "hint:"]);
    assert_eq!((desk.records(), kept(desk).len()), (3, 1));
    sidecar.signal(Signal::TERM);
    sidecar.wait();
    desk.backup(&words).code(0);
    assert_eq!(desk.records(), 5);
}
