//! The state file on bad days: damaged, foreign, moved, locked, on a full or read-only disk. Every one is an error
//! that says what to do, and ends when the cause ends.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; a child process speaks on stdout"
)]

use std::fs;
use std::path::Path;

use shared::audit::{Actor, Chain, Outcome, action, head, verify};
use shared::paths::Home;
use shared::session::{Kind, Session};
use shared::state::tables::{epochs, open_writes, tenants};
use shared::state::{Checkpoint, Durability, Slot, State, StateError};
use shared::writes::{BeginError, Deed, begin, end, turn};

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    (folder, home)
}

fn bump(state: &State) -> Result<u64, StateError> {
    state.write("test", Durability::Normal, |writing| {
        epochs::bump(writing, "shop")
    })
}

fn epoch(state: &State) -> Result<u64, StateError> {
    state.read("test", |reading| epochs::read(reading, "shop"))
}

fn code_of_opening(home: &Home) -> &'static str {
    State::open(home).map_or_else(|error| error.code(), |_| "opened")
}

/// Fills the file beyond its first pages.
fn grow(state: &State, rows: u8) -> Result<(), StateError> {
    state.write("test", Durability::Full, |writing| {
        for row in 0..rows {
            let tenant = tenants::Row {
                id: fastrand::u64(..).to_string(),
                name: "a large one".into(),
                salt: vec![],
                kdf: None,
                key_id: String::new(),
                wrapped_key: vec![row; 50_000],
                wrap_nonce: vec![],
                key_version: 1,
                default_store: None,
                created_ms: 1,
            };
            tenants::insert(writing, &tenant)?;
        }
        Ok(())
    })
}

#[test]
fn a_missing_home_is_made_with_everything_in_it() {
    let (_folder, home) = home();
    let state = State::open(&home).unwrap();
    assert_eq!(bump(&state).unwrap(), 1);
    assert!(state.size().database_bytes > 0);
    drop(state);
    assert_eq!(epoch(&State::open(&home).unwrap()).unwrap(), 1);
    assert_eq!(
        fs::read_dir(home.run_dir()).unwrap().count(),
        2,
        "two lock files and no leftovers"
    );
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file_or_its_companions() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, home) = home();
    let mode = |name: &str| {
        let about = fs::metadata(home.root().join(name)).unwrap();
        about.permissions().mode() & 0o777
    };
    let state = State::open(&home).unwrap();
    bump(&state).unwrap();
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    drop(state);
    fs::set_permissions(home.state_db(), fs::Permissions::from_mode(0o644)).unwrap();
    State::open(&home).unwrap();
    assert_eq!(
        mode("state.db"),
        0o600,
        "a copy that others could read is closed to them"
    );
}

#[test]
fn a_home_that_cannot_be_made_is_said_so() {
    let (folder, _) = home();
    fs::write(folder.path().join("file"), "in the way").unwrap();
    let error = State::open(&Home::at(folder.path().join("file/home"))).unwrap_err();
    assert_eq!(error.code(), "missing_folder", "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let (_folder, home) = home();
    home.create().unwrap();
    let text = "these are not the pages you are looking for ".repeat(100);
    fs::write(home.state_db(), &text).unwrap();
    assert_eq!(code_of_opening(&home), "corrupt");
    assert_eq!(fs::read_to_string(home.state_db()).unwrap(), text);
}

#[test]
fn a_damaged_page_is_found_when_it_is_read() {
    let (_folder, home) = home();
    let state = State::open(&home).unwrap();
    grow(&state, 4).unwrap();
    state.checkpoint(Checkpoint::Truncate).unwrap();
    drop(state);
    let mut bytes = fs::read(home.state_db()).unwrap();
    // Everything but the first page, which holds the header and the schema.
    bytes[4096..].fill(0xa5);
    fs::write(home.state_db(), bytes).unwrap();
    let opened = State::open(&home).and_then(|state| state.read("test", tenants::all));
    let error = opened.unwrap_err();
    assert_eq!(error.code(), "corrupt", "{error}");
    assert!(!error.is_transient());
}

#[test]
fn the_database_of_another_program_is_refused_and_left_alone() {
    let (_folder, home) = home();
    let state = State::open(&home).unwrap();
    state.checkpoint(Checkpoint::Truncate).unwrap();
    drop(state);
    let mut bytes = fs::read(home.state_db()).unwrap();
    // The application id stands at byte 68 of the header (sqlite.org/fileformat.html).
    bytes[68..72].copy_from_slice(&0x0f05_5112_u32.to_be_bytes());
    fs::write(home.state_db(), &bytes).unwrap();
    let error = State::open(&home).unwrap_err();
    assert!(
        matches!(
            error,
            StateError::NotOurs {
                application_id: 0x0f05_5112,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(fs::read(home.state_db()).unwrap(), bytes);
}

#[test]
fn nobody_opens_while_a_restore_holds_the_gate_and_nobody_restores_while_it_is_open() {
    let (_folder, home) = home();
    let state = State::open(&home).unwrap();
    let restore = fs::File::open(home.gate_lock()).unwrap();
    assert!(restore.try_lock().is_err());
    drop(state);
    restore.try_lock().unwrap();
    assert_eq!(code_of_opening(&home), "being_restored");
    restore.unlock().unwrap();
    assert_eq!(code_of_opening(&home), "opened");
}

#[cfg(unix)]
#[test]
fn a_file_that_was_moved_takes_no_writes_and_a_new_one_is_opened() {
    let (_folder, home) = home();
    let slot = Slot::new(home.clone());
    let state = slot.open_now().unwrap();
    bump(&state).unwrap();
    fs::rename(home.state_db(), home.root().join("elsewhere")).unwrap();
    for _ in 0..2 {
        assert!(matches!(bump(&state), Err(StateError::Moved)));
    }
    assert!(matches!(state.write_probe(), Err(StateError::Moved)));
    slot.mark_broken(&state, StateError::Moved);
    for companion in ["state.db-wal", "state.db-shm"] {
        fs::rename(
            home.root().join(companion),
            home.root().join(format!("{companion}.old")),
        )
        .unwrap();
    }
    assert_eq!(bump(&slot.open_now().unwrap()).unwrap(), 1);
}

/// Runs tests of this file in processes that see a disk of their own: a tmpfs with `options`, gone with them.
#[cfg(target_os = "linux")]
fn on_a_disk_of_their_own(options: &str, first: &str, between: &str, second: &str) {
    let script = format!(
        "mount -t tmpfs -o {options} tmpfs \"$STATE_TEST_DISK\" || exit 77\n\
         \"$0\" --exact {first} || exit 1\n{between}\n\"$0\" --exact {second} || exit 1"
    );
    let disk = tempfile::tempdir().unwrap();
    set_apart(
        &["--user", "--map-root-user", "--mount"],
        &script,
        disk.path(),
    );
}

/// Runs a script in namespaces of its own; `$0` is this file's tests. Skips, and says so, where that cannot be had.
#[cfg(target_os = "linux")]
fn set_apart(namespaces: &[&str], script: &str, disk: &Path) {
    let ran = std::process::Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .env("STATE_TEST_DISK", disk)
        .output();
    match ran {
        Ok(output) if output.status.success() => {}
        Ok(output) if output.status.code() == Some(1) && !output.stdout.is_empty() => {
            panic!("{}", String::from_utf8_lossy(&output.stdout))
        }
        other => eprintln!("SKIPPED: no namespaces of one's own can be had here: {other:?}"),
    }
}

/// The disk of a test that `set_apart` started; `None` when the test runner did.
#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the process it starts"
)]
fn disk() -> Option<Home> {
    let disk = std::env::var("STATE_TEST_DISK").ok()?;
    Some(Home::at(Path::new(&disk).join("home")))
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_so_loses_nothing_and_ends_when_there_is_space() {
    on_a_disk_of_their_own(
        "size=1m",
        "child_fills_the_disk_of_an_open_file",
        "",
        "child_opens_on_a_full_disk",
    );
}

#[test]
fn child_fills_the_disk_of_an_open_file() {
    let Some(home) = disk() else { return };
    let state = State::open(&home).unwrap();
    bump(&state).unwrap();
    let filler = home.root().join("filler");
    fs::write(&filler, vec![0; 2 << 20]).unwrap_err();
    let error = grow(&state, 4).unwrap_err();
    assert_eq!(error.code(), "full", "{error}");
    assert!(error.is_transient());
    assert_eq!(epoch(&state).unwrap(), 1);
    assert!(state.read("test", tenants::all).unwrap().is_empty());
    fs::remove_file(&filler).unwrap();
    grow(&state, 1).unwrap();
    assert_eq!(bump(&state).unwrap(), 2);
    drop(state);
    fs::remove_dir_all(home.root()).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_to_a_shop_is_recorded_wholly_or_not_at_all_when_the_disk_is_full() {
    on_a_disk_of_their_own(
        "size=1m",
        "child_writes_to_a_shop_on_a_full_disk",
        "",
        "child_opens_on_a_full_disk",
    );
}

#[test]
fn child_writes_to_a_shop_on_a_full_disk() {
    let Some(home) = disk() else { return };
    let state = State::open(&home).unwrap();
    let session = Session::begin(&home, Kind::McpStdio, "1").unwrap();
    let filler = home.root().join("filler");
    let fill = || fs::write(&filler, vec![0; 2 << 20]).unwrap_err();
    let free = || fs::remove_file(&filler).unwrap();
    let actor = Actor {
        session: session.id().clone(),
        client: None,
    };
    let deed = Deed {
        chain: &Chain::Env,
        actor: &actor,
        store_key: "shop",
        action: action::ORDER_UPDATED,
        target: "order 1",
        args_shape: "changes: email",
        check: "look at order 1",
    };
    let turn = turn::enqueue(&state, session.id(), "shop", &["order/1".into()], 1).unwrap();
    let records = || {
        state
            .read("test", |reading| head(reading, &Chain::Env))
            .unwrap()
            .seq
    };
    let open = || state.read("test", open_writes::all).unwrap().len();

    fill();
    let refused = begin(&state, &deed, &turn, 1, None);
    assert!(
        matches!(refused, Err(BeginError::State(StateError::Full))),
        "{refused:?}"
    );
    assert_eq!((records(), open(), epoch(&state).unwrap()), (0, 0, 0));
    free();
    let begun = begin(&state, &deed, &turn, 1, None).unwrap();
    fill();
    for _ in 0..2 {
        let refused = end(&state, &begun, &actor, Outcome::Done, Some(&turn), 2, None);
        assert!(matches!(refused, Err(StateError::Full)), "{refused:?}");
        assert_eq!((records(), open(), epoch(&state).unwrap()), (1, 1, 1));
    }
    free();
    end(&state, &begun, &actor, Outcome::Done, Some(&turn), 2, None).unwrap();
    assert_eq!((records(), open(), epoch(&state).unwrap()), (2, 0, 2));
    assert!(verify(&state, &Chain::Env, None, &[]).unwrap().ok);
    drop((state, session));
    fs::remove_dir_all(home.root()).unwrap();
}

#[test]
fn child_opens_on_a_full_disk() {
    let Some(home) = disk() else { return };
    home.create().unwrap();
    let filler = home.root().join("filler");
    fs::write(&filler, vec![0; 2 << 20]).unwrap_err();
    for _ in 0..2 {
        assert_eq!(code_of_opening(&home), "full");
    }
    fs::remove_file(&filler).unwrap();
    assert_eq!(code_of_opening(&home), "opened");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_disk_is_said_so() {
    on_a_disk_of_their_own(
        "size=8m",
        "child_makes_a_file",
        "mount -o remount,ro \"$STATE_TEST_DISK\" || exit 77",
        "child_opens_a_read_only_file",
    );
}

#[test]
fn child_makes_a_file() {
    let Some(home) = disk() else { return };
    assert_eq!(code_of_opening(&home), "opened");
}

#[test]
fn child_opens_a_read_only_file() {
    let Some(home) = disk() else { return };
    assert_eq!(code_of_opening(&home), "read_only");
    let missing = Home::at(home.root().join("missing"));
    assert_eq!(code_of_opening(&missing), "read_only");
}

/// In a user namespace without a mapping even root is an ordinary user, and permissions count.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_be_touched_is_said_so() {
    use std::os::unix::fs::PermissionsExt;
    let disk = tempfile::tempdir().unwrap();
    let home = Home::at(disk.path().join("home"));
    bump(&State::open(&home).unwrap()).unwrap();
    let to = |mode, test: &str| {
        fs::set_permissions(home.state_db(), fs::Permissions::from_mode(mode)).unwrap();
        let script = format!("\"$0\" --exact {test} || exit 1");
        set_apart(&["--user"], &script, disk.path());
    };
    to(0o000, "child_opens_an_untouchable_file");
    to(0o400, "child_opens_an_untouchable_file");
    to(0o600, "child_loses_the_right_to_write");
}

#[test]
fn child_opens_an_untouchable_file() {
    let Some(home) = disk() else { return };
    assert_eq!(code_of_opening(&home), "read_only");
}

#[cfg(unix)]
#[test]
fn child_loses_the_right_to_write() {
    use std::os::unix::fs::PermissionsExt;
    let Some(home) = disk() else { return };
    let allow = |mode| fs::set_permissions(home.state_db(), fs::Permissions::from_mode(mode));
    let state = State::open(&home).unwrap();
    state.write_probe().unwrap();
    allow(0o400).unwrap();
    assert_eq!(state.write_probe().unwrap_err().code(), "read_only");
    allow(0o600).unwrap();
    state.write_probe().unwrap();
}
