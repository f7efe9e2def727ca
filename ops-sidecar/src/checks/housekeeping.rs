//! Work that nobody's call depends on: the values of ended processes go into the totals, what they left in `run/` goes, and so do audit
//! records that are older than they have to be.
//!
//! Every server does the first and the last for itself once it has answered; a sidecar does all when no server is alive. What clears
//! away is done under `run/housekeeping.lock`, so that two processes never do it at once.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use parking_lot::Mutex;
use shared::audit::Actor;
use shared::clock::Clock;
use shared::housekeeping::{self, Turn};
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
    clock: Arc<dyn Clock>,
    retention: Duration,
    outcome: Outcome,
    /// Why the last attempt to clear the audit failed. It is not repeated for a day, so the next rounds must not forget it.
    audit_trouble: Mutex<Option<String>>,
}

impl Housekeeping {
    /// Has not done anything yet. `retention` is how long the audit keeps its records.
    #[must_use]
    pub fn new(slot: Slot, clock: Arc<dyn Clock>, retention: Duration) -> Housekeeping {
        Housekeeping {
            slot,
            clock,
            retention,
            outcome: Outcome::default(),
            audit_trouble: Mutex::default(),
        }
    }

    /// Where to read how it goes.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Arc::clone(&self.outcome)
    }

    /// Tidies once, in the name of this session; `false` if there was nothing to do, nothing to do it on, or somebody else is at it.
    ///
    /// # Errors
    /// The state file or the folder refuses; it is tried again at the next turn.
    pub fn tidy(&self, session: Option<SessionId>) -> anyhow::Result<bool> {
        // A missing file is a finding of its own already.
        let Ok(state) = self.slot.get() else {
            return Ok(false);
        };
        let done = self.tidy_once(&state, session);
        let trouble = done.as_ref().err().map(|error| format!("{error:#}"));
        *self.outcome.lock() = trouble.or_else(|| self.audit_trouble.lock().clone());
        done
    }

    fn tidy_once(&self, state: &State, session: Option<SessionId>) -> anyhow::Result<bool> {
        let Some(turn) = Turn::take(state.home()).context("cannot take `run/housekeeping.lock`")?
        else {
            return Ok(false);
        };
        let folded = fold::fold_dead(state).context("cannot fold ended processes")?;
        let swept = sweep(state, SystemTime::now()).context("cannot sweep `run/`")?;
        let pruned = self
            .retain_audit(state, &turn, session)
            .context("cannot remove old audit records")?;
        Ok(folded > 0 || swept > 0 || pruned > 0)
    }

    /// Gives how many audit records went.
    fn retain_audit(
        &self,
        state: &State,
        turn: &Turn,
        session: Option<SessionId>,
    ) -> anyhow::Result<u64> {
        let actor = Actor {
            session: session.unwrap_or_else(SessionId::random),
            client: Some("ops-sidecar".to_owned()),
        };
        let now_ms = self.clock.now_ms();
        let done = housekeeping::retain_audit(state, turn, self.retention, &actor, now_ms);
        match &done {
            // Not its time: what the last attempt said still holds.
            Ok(None) => {}
            Ok(Some(_)) => *self.audit_trouble.lock() = None,
            Err(error) => *self.audit_trouble.lock() = Some(error.to_string()),
        }
        Ok(done?.map_or(0, |pruned| pruned.rows))
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
            "what ended processes left, or what is too old, cannot be cleared away",
            "see the log of this sidecar and the findings about the state file",
        )
    };
    if failed { vec![draft()] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use shared::audit::{self, Chain, Entry, action};
    use shared::clock::ManualClock;
    use shared::paths::Home;
    use shared::session::{self, Kind, Session};
    use shared::state::Durability;

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

    fn housekeeping(slot: Slot, clock: &Arc<ManualClock>) -> Housekeeping {
        let clock = Arc::clone(clock) as Arc<dyn Clock>;
        Housekeeping::new(slot, clock, Duration::from_secs(90 * DAY_SECONDS))
    }

    const DAY_SECONDS: u64 = 86_400;

    #[test]
    fn while_another_process_tidies_this_one_does_not() {
        let (_folder, slot) = home();
        let held = Turn::take(slot.home()).expect("a lock").expect("free");
        let housekeeping = housekeeping(slot.clone(), &Arc::default());
        assert!(!housekeeping.tidy(None).expect("nothing to complain about"));
        drop(held);
        assert!(Turn::take(slot.home()).expect("a lock").is_some());
    }

    #[test]
    fn a_failure_is_a_finding_until_it_works_again() {
        let (_folder, slot) = home();
        let housekeeping = housekeeping(slot, &Arc::default());
        *housekeeping.outcome.lock() = Some("no".to_owned());
        assert_eq!(judge(&housekeeping.outcome())[0].id, "housekeeping.failing");
        housekeeping.tidy(None).expect("a sound file");
        assert_eq!(judge(&housekeeping.outcome()), []);
    }

    #[test]
    fn audit_records_go_once_they_are_too_old_and_the_pruning_is_recorded() {
        let (_folder, slot) = home();
        let clock = Arc::<ManualClock>::default();
        let housekeeping = housekeeping(slot.clone(), &clock);
        let state = slot.get().expect("open");
        let actor = Actor::cli();
        let entry = Entry::done(&actor, action::CLIENT_INSTALLED, Some("zed"));
        state
            .write("test", Durability::Full, |writing| {
                audit::append(writing, &Chain::Env, &entry, clock.now_ms(), None)
            })
            .expect("a record");
        assert!(!housekeeping.tidy(None).expect("a sound file"));
        clock.advance(Duration::from_secs(91 * DAY_SECONDS));
        let session = SessionId::random();
        assert!(
            housekeeping
                .tidy(Some(session.clone()))
                .expect("a sound file")
        );
        let told = state
            .read("test", |reading| {
                audit::list(reading, &Chain::System, &audit::Filter::default())
            })
            .expect("records");
        assert_eq!(
            (told.len(), told[0].action.as_str(), &told[0].session),
            (1, action::AUDIT_PRUNED, &session.to_string())
        );
    }

    #[test]
    fn an_audit_that_could_not_be_cleared_stays_a_finding_until_the_next_attempt() {
        let (_folder, slot) = home();
        let clock = Arc::<ManualClock>::default();
        let housekeeping = housekeeping(slot.clone(), &clock);
        let marker = slot.home().run_dir().join("audit-pruned");
        fs::create_dir_all(marker.join("in the way")).expect("a folder");
        housekeeping.tidy(None).expect_err("it cannot be replaced");
        fs::remove_dir_all(&marker).expect("it goes");
        fs::write(&marker, clock.now_ms().to_string()).expect("as if it were done");
        housekeeping.tidy(None).expect("not its time");
        assert_eq!(judge(&housekeeping.outcome())[0].id, "housekeeping.failing");
        clock.advance(Duration::from_secs(DAY_SECONDS));
        housekeeping.tidy(None).expect("it works");
        assert_eq!(judge(&housekeeping.outcome()), []);
    }
}
