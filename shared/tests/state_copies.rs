//! Copies and pages of a file that other processes write, and are killed while they do; and copies on a disk that gets full.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; a child process speaks on stdout"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use shared::paths::Home;
use shared::state::tables::{epochs, stores, tenants};
use shared::state::{Checkpoint, Durability, Pages, State, StateError};

/// The number of this writer, if this process is one of them.
const WRITER: &str = "COPIES_TEST_WRITER";
const HOME: &str = "COPIES_TEST_HOME";
const DISK: &str = "COPIES_TEST_DISK";

#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands something to the processes it starts"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Both shops of a writer are bumped together: in a torn transaction they differ. A large row comes and goes, so that pages are freed and used
/// again all the while.
fn bump(state: &State, writer: &str) -> Result<u64, StateError> {
    state.write("test", Durability::Normal, |writing| {
        epochs::bump(writing, &format!("{writer} a"))?;
        if tenants::by_id(writing, writer)?.is_none() {
            tenants::insert(writing, &tenant(writer))?;
        }
        if !stores::delete(writing, writer, writer)? {
            stores::insert(writing, &store(writer))?;
        }
        epochs::bump(writing, &format!("{writer} b"))
    })
}

fn tenant(id: &str) -> tenants::Row {
    tenants::Row {
        id: id.to_owned(),
        name: "a holder of keys".into(),
        salt: vec![],
        kdf: None,
        key_id: String::new(),
        wrapped_key: vec![7; 6_000],
        wrap_nonce: vec![],
        key_version: 1,
        default_store: None,
        created_ms: 1,
    }
}

fn store(id: &str) -> stores::Row {
    stores::Row {
        id: id.to_owned(),
        tenant_id: id.to_owned(),
        name: id.to_owned(),
        name_key: id.to_owned(),
        base_url: "https://example.org".into(),
        store_id: id.to_owned(),
        sealed_key: vec![7; 20_000],
        seal_nonce: vec![],
        key_version: 1,
        created_ms: 1,
    }
}

#[test]
fn child_writes_for_ever() {
    let (Some(writer), Some(home)) = (variable(WRITER), variable(HOME)) else {
        return;
    };
    let state = State::open(&Home::at(home)).unwrap();
    loop {
        println!("acknowledged {}", bump(&state, &writer).unwrap());
    }
}

/// A process that writes until it is killed, and what it has been told was committed.
struct Writer {
    child: Child,
    acknowledged: Arc<AtomicU64>,
    listener: Option<JoinHandle<()>>,
}

impl Writer {
    fn start(number: usize, home: &Home, acknowledged: Arc<AtomicU64>) -> Writer {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_writes_for_ever", "--nocapture"])
            .env(WRITER, number.to_string())
            .env(HOME, home.root())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let heard = Arc::clone(&acknowledged);
        let listener = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The last line of a killed process may be cut, and a cut number is a smaller one.
                if let Some(epoch) = line.split("acknowledged ").nth(1) {
                    heard.fetch_max(epoch.parse().unwrap_or(0), Ordering::SeqCst);
                }
            }
        });
        Writer {
            child,
            acknowledged,
            listener: Some(listener),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.listener.take().unwrap().join();
    }
}

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    (folder, home)
}

fn on(_done: u32, _of: u32) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Everything that was acknowledged before is in the copy, and no transaction is torn.
fn check(copy: &Path, before: &[u64]) {
    let copy = State::open_copy(copy).unwrap();
    copy.inspect().unwrap();
    for (writer, acknowledged) in before.iter().enumerate() {
        let epochs = ["a", "b"].map(|shop| {
            let shop = format!("{writer} {shop}");
            copy.read("test", |reading| epochs::read(reading, &shop))
                .unwrap()
        });
        assert_eq!(epochs[0], epochs[1], "writer {writer}");
        assert!(epochs[0] >= *acknowledged, "writer {writer}");
    }
}

#[test]
fn every_copy_is_whole_and_current_while_writers_are_killed() {
    const ROUNDS: usize = 40;
    let (folder, home) = home();
    let state = State::open(&home).unwrap();
    let start = |number: usize, heard| Writer::start(number, &home, heard);
    let mut writers: Vec<Writer> = (0..6).map(|number| start(number, Arc::default())).collect();
    let heard = |writers: &[Writer]| -> Vec<u64> {
        let each = writers.iter();
        each.map(|writer| writer.acknowledged.load(Ordering::SeqCst))
            .collect()
    };
    while heard(&writers).contains(&0) {
        std::thread::yield_now();
    }
    let mut pages = Pages::open(&state).unwrap();
    for round in 0..ROUNDS {
        let copy = folder.path().join(format!("copy {round}.db"));
        let before = heard(&writers);
        state.copy_to(&copy, &mut on).unwrap();
        check(&copy, &before);

        let before = heard(&writers);
        // Somebody always writes; on a busy machine not at once.
        while !pages.moved().unwrap() {
            std::thread::yield_now();
        }
        let image = pages.snapshot(|snapshot| {
            let mut image = Vec::new();
            snapshot.each_page(&mut |_, page| {
                image.extend_from_slice(page);
                Ok(())
            })?;
            Ok::<_, StateError>(image)
        });
        let rebuilt = folder.path().join(format!("rebuilt {round}.db"));
        fs::write(&rebuilt, image.unwrap()).unwrap();
        check(&rebuilt, &before);

        state.checkpoint(Checkpoint::Truncate).unwrap();
        let victim = fastrand::usize(..writers.len());
        let heard = Arc::clone(&writers[victim].acknowledged);
        drop(writers.remove(victim));
        writers.insert(victim, start(victim, heard));
    }
    let written: u64 = heard(&writers).iter().sum();
    assert!(written > 100, "too little went on: {written}");
    drop(writers);
    state.inspect().unwrap();
    pages.snapshot(|_| Ok::<_, StateError>(())).unwrap();
    assert!(!pages.moved().unwrap());
}

/// Debian's own SQLite is years older than ours.
#[test]
fn an_old_sqlite_command_reads_a_copy() {
    let (folder, home) = home();
    let state = State::open(&home).unwrap();
    bump(&state, "1").unwrap();
    let copy = folder.path().join("copy.db");
    state.copy_to(&copy, &mut on).unwrap();
    let ask = "PRAGMA integrity_check; SELECT epoch FROM epochs WHERE store_key = '1 a'; SELECT count(*) FROM tenants;";
    let command = Command::new("sqlite3").arg(&copy).arg(ask).output();
    let Ok(output) = command else {
        println!("SKIPPED: there is no `sqlite3` command here");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        ["ok", "1", "1"],
        "{output:?}"
    );
}

/// A disk of its own, which a copy and somebody else fill together.
#[cfg(target_os = "linux")]
#[test]
fn a_copy_on_a_disk_that_gets_full_leaves_nothing() {
    let disk = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=24m tmpfs \"${DISK}\" || exit 77\n\"$0\" --exact child_copies_to_a_disk_that_gets_full || exit 1"
    );
    let ran = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(DISK, disk.path())
        .output();
    match ran {
        Ok(output) if output.status.success() => {}
        Ok(output) if output.status.code() == Some(1) && !output.stdout.is_empty() => {
            panic!("{}", String::from_utf8_lossy(&output.stdout))
        }
        other => eprintln!("SKIPPED: no namespaces of one's own can be had here: {other:?}"),
    }
}

#[test]
fn child_copies_to_a_disk_that_gets_full() {
    let Some(disk) = variable(DISK) else { return };
    let (_folder, home) = home();
    let state = State::open(&home).unwrap();
    let filled = state.write("test", Durability::Normal, |writing| {
        (0..1_000).try_for_each(|id| tenants::insert(writing, &tenant(&id.to_string())))
    });
    filled.unwrap();
    let names = || fs::read_dir(&disk).unwrap().count();
    let copy = Path::new(&disk).join("copy.db");
    let filler = Path::new(&disk).join("filler");

    let full = state.copy_to(&copy, &mut |_, _| {
        let _ = fs::write(&filler, vec![1; 32 << 20]);
        ControlFlow::Continue(())
    });
    assert_eq!(full.unwrap_err().code(), "full");
    assert_eq!(names(), 1, "the filler alone");

    fs::write(&filler, vec![1; 10 << 20]).unwrap();
    let mut calls = 0;
    let nearly = state.copy_to(&copy, &mut |_, _| {
        calls += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(nearly.unwrap_err().code(), "full");
    assert_eq!(calls, 0, "it would take the last space");

    fs::remove_file(&filler).unwrap();
    state.copy_to(&copy, &mut on).unwrap();
    check(&copy, &[]);
    fs::remove_file(&copy).unwrap();
}
