//! The steps on this machine: copy, check, seal.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shared::paths::Home;

use super::*;
use crate::backup::Progress;
use crate::backup::retention::Keep;

/// Does something when a stage begins, once.
struct At<F: Fn(&Home)> {
    stage: &'static str,
    home: Home,
    act: F,
    stop: AtomicBool,
    stops: bool,
}

impl<F: Fn(&Home) + Sync> Progress for At<F> {
    fn stage(&self, name: &'static str, _total: u64) {
        if name == self.stage {
            (self.act)(&self.home);
            self.stop.store(self.stops, Ordering::Relaxed);
        }
    }
    fn advance(&self, _by: u64) {}
    fn done(&self) {}
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn at<F: Fn(&Home)>(desk: &Desk, stage: &'static str, act: F) -> At<F> {
    At {
        stage,
        home: desk.room.home.clone(),
        act,
        stop: AtomicBool::new(false),
        stops: false,
    }
}

/// The one file in the scratch folder whose name ends so.
fn in_scratch(home: &Home, suffix: &str) -> PathBuf {
    let folders = fs::read_dir(home.backup_spool()).unwrap().flatten();
    let files = folders
        .filter(|entry| entry.path().is_dir())
        .flat_map(|entry| fs::read_dir(entry.path()).unwrap().flatten());
    let mut found = files.filter(|file| file.path().to_string_lossy().ends_with(suffix));
    found.next().unwrap().path()
}

fn change_a_byte(path: &Path, place: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let place = place(bytes.len());
    bytes[place] ^= 0x01;
    fs::write(path, bytes).unwrap();
}

/// A run that fails on this machine, after a good one.
fn fails_at(desk: &Desk, step: Step, progress: &dyn Progress) -> MakeError {
    let old = desk.good();
    let error = make(&desk.room, progress).unwrap_err();
    assert_eq!(error.step(), step, "{error}");
    assert_eq!(desk.noted_step(), Some(step));
    desk.nothing_new(&[old]);
    let journal = Journal::read(&desk.room.home);
    assert_eq!((journal.totals.good, journal.totals.failed), (1, 1));
    assert_eq!(journal.last_run().unwrap().outcome, Outcome::Failed);
    error
}

#[test]
fn an_empty_file_is_never_made_a_database_only_to_back_it_up() {
    let desk = Desk::without_state();
    fs::write(desk.room.home.state_db(), b"").unwrap();
    let error = make(&desk.room, &Quiet).unwrap_err();
    assert!(matches!(error, MakeError::NoState { .. }), "{error}");
    assert_eq!(fs::metadata(desk.room.home.state_db()).unwrap().len(), 0);
    desk.nothing_new(&[]);
}

#[test]
fn a_file_that_is_no_database_is_never_backed_up() {
    let desk = Desk::without_state();
    fs::write(desk.room.home.state_db(), [7; 20_000]).unwrap();
    let error = make(&desk.room, &Quiet).unwrap_err();
    assert_eq!(error.step(), Step::Copy, "{}", chain(&error));
    assert_eq!(desk.noted_step(), Some(Step::Copy));
    desk.nothing_new(&[]);
}

#[test]
fn a_copy_that_cannot_be_made_is_no_backup() {
    let desk = Desk::new();
    // The scratch folder goes while it is copied into.
    let progress = at(&desk, "copy", |home| {
        let folder = fs::read_dir(home.backup_spool())
            .unwrap()
            .flatten()
            .find(|entry| entry.path().is_dir())
            .unwrap();
        fs::remove_dir_all(folder.path()).unwrap();
    });
    fails_at(&desk, Step::Copy, &progress);
}

#[test]
fn a_copy_that_is_damaged_is_no_backup() {
    let desk = Desk::new();
    let progress = at(&desk, "check", |home| {
        // In the middle of the schema table's page.
        change_a_byte(&in_scratch(home, "state.db"), |_| 105);
    });
    let error = fails_at(&desk, Step::Check, &progress);
    assert!(chain(&error).contains("copy"), "{}", chain(&error));
}

#[test]
fn a_sealed_file_that_does_not_open_again_is_no_backup() {
    for desk in [Desk::new(), Desk::encrypted()] {
        let progress = at(&desk, "open", |home| {
            let file = fs::read_dir(in_scratch(home, "state.db").parent().unwrap())
                .unwrap()
                .flatten()
                .find(|file| file.file_name().to_string_lossy().contains(".db.zst"))
                .unwrap();
            change_a_byte(&file.path(), |length| length / 2);
        });
        fails_at(&desk, Step::Seal, &progress);
    }
}

#[test]
fn a_sealed_file_that_holds_something_else_is_no_backup() {
    let desk = Desk::new();
    let progress = at(&desk, "open", |home| {
        let other = zstd::encode_all(&b"another, and sound"[..], 0).unwrap();
        fs::write(in_scratch(home, ".db.zst"), other).unwrap();
    });
    let error = fails_at(&desk, Step::Seal, &progress);
    assert!(matches!(error, MakeError::Differs), "{error}");
}

#[test]
fn what_a_run_has_made_it_does_not_remove_whatever_the_clock_does_meanwhile() {
    let mut desk = Desk::new();
    let now = desk.room.clock.now();
    let minutes = |count: u64| now + Duration::from_secs(60 * count);
    desk.clock.jump_to(minutes(10));
    desk.good();
    desk.room.settings.keep = Keep {
        hourly: 1,
        ..Keep::EVERYTHING
    };
    // Ten minutes slow when the run begins, and corrected before it ends: by name it is older than the other of its hour.
    desk.clock.jump_to(now);
    let clock = Arc::clone(&desk.clock);
    let progress = at(&desk, "ship", move |_| clock.jump_to(minutes(20)));
    let made = make(&desk.room, &progress).unwrap();
    for target in &desk.room.targets {
        let there = desk.claimed(target);
        assert!(there.contains(&made.manifest.backup_id()), "{there:?}");
    }
}

#[test]
fn a_spool_that_cannot_be_written_is_no_backup() {
    let desk = Desk::new();
    let progress = at(&desk, "seal", |home| {
        // The name that the sealed file is to have is taken: its id stands in no other place yet.
        let folder = in_scratch(home, "state.db").parent().unwrap().to_owned();
        fs::remove_dir_all(folder).unwrap();
    });
    fails_at(&desk, Step::Seal, &progress);
}

#[test]
fn a_run_that_is_asked_to_end_leaves_nothing_and_is_no_failure() {
    for stage in ["copy", "check", "seal", "open"] {
        let desk = Desk::new();
        let old = desk.good();
        let mut progress = at(&desk, stage, |_| {});
        progress.stops = true;
        let error = make(&desk.room, &progress).unwrap_err();
        assert!(matches!(error, MakeError::Stopped), "{stage}: {error}");
        desk.nothing_new(&[old]);
        assert_eq!(Journal::read(&desk.room.home).runs.len(), 1);
    }
}

#[test]
fn a_state_file_that_was_deleted_under_us_is_not_backed_up() {
    let desk = Desk::new();
    let old = desk.good();
    // Whoever has it open would go on reading a file without a name.
    fs::remove_file(desk.room.home.state_db()).unwrap();
    let error = make(&desk.room, &Quiet).unwrap_err();
    assert!(matches!(error, MakeError::NoState { .. }), "{error}");
    fs::write(desk.room.home.state_db(), b"another").unwrap();
    let error = make(&desk.room, &Quiet).unwrap_err();
    assert_eq!(error.step(), Step::Copy, "{}", chain(&error));
    desk.nothing_new(&[old]);
}
