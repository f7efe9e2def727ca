//! Restores under bad conditions: an older version's backup, a full disk, a target that hangs, a kill.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::state::State;
use support::backup::{Desk, records_in};
use support::{SmallDisk, pause, whole_file};

fn hex(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts this database in the place of what a backup holds, as a program that was content with it would have.
fn replace_content(desk: &Desk, id: &str, database: &Path) {
    let file = desk.file("home/backups", id);
    let image = fs::read(database).expect("a database");
    let sealed = zstd::encode_all(image.as_slice(), 3).expect("compressed");
    fs::write(&file, &sealed).expect("a file");
    let inspected = State::open_copy(database)
        .and_then(|copy| copy.inspect())
        .expect("a sound database");
    let path = desk
        .home()
        .backups_dir()
        .join(format!("snapshots/{id}.json"));
    let text = fs::read_to_string(&path).expect("a manifest");
    let mut manifest: Value = serde_json::from_str(&text).expect("json");
    manifest["file"]["bytes"] = sealed.len().into();
    manifest["file"]["sha256"] = hex(&sealed).into();
    let rows: BTreeMap<String, u64> = inspected.rows;
    manifest["database"] = json!({
        "bytes": image.len(), "sha256": hex(&image), "page_size": inspected.page_size, "pages": inspected.pages,
        "schema": inspected.schema, "compatible_from": inspected.compatible_from, "restore_epoch": 0, "rows": rows,
    });
    fs::write(&path, manifest.to_string()).expect("a manifest");
}

#[test]
fn what_an_older_version_backed_up_is_restored_and_brought_up_to_date() {
    let desk = Desk::new();
    let id = desk.run();
    let newest = State::open(&desk.home())
        .expect("a state file")
        .schema_version();
    let down = 1;
    desk.ask(desk.command(&["migrate", "down", "--to", &down.to_string()]))
        .code(0);
    let older = desk.path("older.db");
    fs::copy(desk.home().state_db(), &older).expect("a copy");
    replace_content(&desk, &id, &older);
    let to = desk.path("as-it-was.db");
    let words = [
        "restore",
        "--id",
        &id,
        "--json",
        "--to",
        to.to_str().expect("a path"),
    ];
    let said = desk.backup(&words).code(0).json();
    assert_eq!(said["schema"], down);
    assert_eq!(
        fs::read(&to).expect("a file"),
        fs::read(&older).expect("a file"),
        "to the byte"
    );
    let words = ["restore", "--id", &id, "--force"];
    desk.backup(&words).code(0);
    let state = State::open(&desk.home()).expect("a state file");
    assert_eq!(state.schema_version(), newest);
    drop(state);
    assert_eq!(desk.records(), 3);
}

#[test]
fn on_a_full_disk_nothing_is_replaced_and_the_way_out_is_named() {
    let desk = Desk::new();
    let id = desk.run();
    let Some(disk) = SmallDisk::mount("64k") else {
        return;
    };
    let live = whole_file(&desk.home());
    fs::remove_dir_all(desk.home().backup_spool()).expect("the spool");
    std::os::unix::fs::symlink(disk.path(), desk.home().backup_spool()).expect("a link");
    desk.backup(&["restore", "--id", &id, "--force"])
        .code(1)
        .told(&["hint:", "--to FILE"]);
    assert_eq!(
        fs::read(desk.home().state_db()).expect("the state file"),
        live
    );
    // Another disk has room.
    let to = desk.path("elsewhere.db");
    desk.backup(&["restore", "--id", &id, "--to", to.to_str().expect("a path")])
        .code(0);
    assert_eq!(records_in(&to), 3);
}

#[test]
fn a_restore_that_is_killed_while_a_target_hangs_leaves_everything_as_it_was() {
    let desk = Desk::new().sealed();
    let live = whole_file(&desk.home());
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    let mut command = desk.command(&["backup", "restore", "--latest", "--identity"]);
    command
        .arg(desk.path("identity"))
        .env("ORDERDESK_MCP_BACKUP_TARGETS", "s3://bucket/prefix")
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "x")
        .env("AWS_SECRET_ACCESS_KEY", "y")
        .env("AWS_REGION", "z")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary starts");
    // It asks, and nobody answers.
    let (mut stream, _) = server.accept().expect("a question");
    let mut first = [0; 1];
    stream.read_exact(&mut first).expect("the beginning of it");
    kill_process(Pid::from_child(&child), Signal::INT).expect("the process is there");
    let status = child.wait().expect("an end");
    assert!(!status.success());
    assert_eq!(
        fs::read(desk.home().state_db()).expect("the state file"),
        live
    );
}

#[test]
fn killed_at_any_moment_a_restore_leaves_the_old_state_or_the_new_one() {
    let desk = Desk::new();
    let id = desk.run();
    let mut ends = BTreeMap::new();
    for wait in 0..12 {
        desk.record(1);
        let before = desk.records();
        let mut child = desk
            .command(&["backup", "restore", "--id", &id, "--force", "--wait", "20s"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        // Each time a little later than the last.
        let until = std::time::Instant::now() + std::time::Duration::from_millis(wait * 4);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        let _ = child.kill();
        child.wait().expect("an end");
        let after = desk.records();
        assert!(after == before || after == 3, "{before} became {after}");
        *ends.entry(after == 3).or_insert(0) += 1;
        // Whole, whatever happened.
        let state = State::open(&desk.home()).expect("a state file");
        state.quick_check().expect("a sound file");
    }
    eprintln!("put in place: {ends:?}");
    while desk.backup(&["restore", "--id", &id, "--force"]).code != 0 {
        pause();
    }
    let left = fs::read_dir(desk.home().backup_spool())
        .expect("the spool")
        .flatten();
    let left: Vec<_> = left
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().starts_with(".work-"))
        .collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}
