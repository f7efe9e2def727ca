//! Work that nobody's call depends on: the values of ended processes go into the totals, and what they left in `run/` goes.
//!
//! Every server does the first for itself once it has answered; a sidecar does both when no server is alive, under
//! `run/housekeeping.lock`, so that two sidecars never do it twice at once.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use parking_lot::Mutex;
use shared::session::SessionId;
use shared::state::tables::sessions;
use shared::state::{Slot, State};
use shared::telemetry::fold;

use super::Draft;

/// A run file without a session row is one of a process that is just starting, until it is this old.
const NEWBORN_FOR: Duration = Duration::from_secs(60 * 60);

/// How the last attempt went: the message of its failure, if it failed.
pub type Outcome = Arc<Mutex<Option<String>>>;

/// The step of the housekeeping loop.
#[derive(Debug)]
pub struct Housekeeping {
    slot: Slot,
    outcome: Outcome,
}

impl Housekeeping {
    /// Has not done anything yet.
    #[must_use]
    pub fn new(slot: Slot) -> Housekeeping {
        Housekeeping {
            slot,
            outcome: Outcome::default(),
        }
    }

    /// Where to read how it goes.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Arc::clone(&self.outcome)
    }

    /// Tidies once; `false` if there was nothing to do, nothing to do it on, or somebody else is at it.
    ///
    /// # Errors
    /// The state file or the folder refuses; it is tried again at the next turn.
    pub fn tidy(&self) -> anyhow::Result<bool> {
        // A missing file is a finding of its own already.
        let Ok(state) = self.slot.get() else {
            return Ok(false);
        };
        let done = tidy_once(&state);
        *self.outcome.lock() = done.as_ref().err().map(|error| format!("{error:#}"));
        done
    }
}

fn tidy_once(state: &State) -> anyhow::Result<bool> {
    let Some(_lock) = try_lock(&state.home().housekeeping_lock())
        .context("cannot take `run/housekeeping.lock`")?
    else {
        return Ok(false);
    };
    let folded = fold::fold_dead(state).context("cannot fold ended processes")?;
    let swept = sweep(state, SystemTime::now()).context("cannot sweep `run/`")?;
    Ok(folded > 0 || swept > 0)
}

/// The lock until dropped, or nothing while another process holds it.
fn try_lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes the run files of processes that died before they wrote a session row: nothing else would ever find them.
fn sweep(state: &State, now: SystemTime) -> anyhow::Result<u32> {
    let known = state.read("sessions_list", sessions::all)?;
    let mut swept = 0;
    for entry in fs::read_dir(state.home().run_dir())? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(run_file_id) else {
            continue;
        };
        let is_old = entry
            .metadata()
            .and_then(|about| about.modified())
            .is_ok_and(|made| is_older(made, now));
        let has_row = known.iter().any(|row| row.id == id);
        if is_old && !has_row && !is_locked(&entry.path()) {
            fs::remove_file(entry.path()).or_else(ignore_missing)?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn run_file_id(name: &str) -> Option<SessionId> {
    let stem = name
        .strip_suffix(".lock")
        .or_else(|| name.strip_suffix(".new"))?;
    SessionId::from_stored(stem)
}

fn is_older(made: SystemTime, now: SystemTime) -> bool {
    now.duration_since(made).is_ok_and(|age| age > NEWBORN_FOR)
}

fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock_shared().is_err())
}

fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

/// A failing housekeeping costs nothing today and fills the file in weeks.
#[must_use]
pub fn judge(outcome: &Outcome) -> Vec<Draft> {
    let failed = outcome.lock().is_some();
    let draft = || {
        Draft::warn(
            "housekeeping.failing",
            "ended processes cannot be folded into the totals",
            "see the log of this sidecar and the findings about the state file",
        )
    };
    if failed { vec![draft()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use shared::paths::Home;
    use shared::session::{self, Kind, Session};

    use super::*;

    fn home() -> (tempfile::TempDir, Slot) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let slot = Slot::new(Home::at(folder.path()));
        slot.open_now().expect("a fresh state file");
        (folder, slot)
    }

    fn later() -> SystemTime {
        SystemTime::now() + NEWBORN_FOR + Duration::from_secs(1)
    }

    #[test]
    fn a_run_file_that_nobody_holds_and_no_row_names_goes_once_it_is_old() {
        let (_folder, slot) = home();
        let state = slot.get().expect("open");
        let orphan = state
            .home()
            .run_dir()
            .join(format!("{}.lock", SessionId::random()));
        fs::write(&orphan, "").expect("a file");
        assert_eq!(sweep(&state, SystemTime::now()).expect("a sweep"), 0);
        assert_eq!(sweep(&state, later()).expect("a sweep"), 1);
        assert!(!orphan.exists());
    }

    #[test]
    fn the_run_file_of_a_living_process_and_every_other_file_stay() {
        let (_folder, slot) = home();
        let state = slot.get().expect("open");
        let session = Session::begin(state.home(), Kind::McpStdio, "1").expect("a session");
        assert_eq!(sweep(&state, later()).expect("a sweep"), 0);
        assert!(session::is_alive(state.home(), session.id()));
        assert!(state.home().gate_lock().exists());
    }

    #[test]
    fn while_another_process_tidies_this_one_does_not() {
        let (_folder, slot) = home();
        let lock = slot.home().housekeeping_lock();
        let held = try_lock(&lock).expect("a lock").expect("free");
        assert!(
            !Housekeeping::new(slot)
                .tidy()
                .expect("nothing to complain about")
        );
        drop(held);
        assert!(try_lock(&lock).expect("a lock").is_some());
    }

    #[test]
    fn a_failure_is_a_finding_until_it_works_again() {
        let (_folder, slot) = home();
        let housekeeping = Housekeeping::new(slot);
        *housekeeping.outcome.lock() = Some("no".to_owned());
        assert_eq!(judge(&housekeeping.outcome())[0].id, "housekeeping.failing");
        housekeeping.tidy().expect("a sound file");
        assert_eq!(judge(&housekeeping.outcome()), []);
    }
}
