//! Clearing away what is too old, by one process at a time.
//!
//! Whoever clears away holds `run/housekeeping.lock`, so that a sidecar and a hundred servers never do the same work at once. The
//! sidecar does it in its rounds; a server does it after it has answered its client, for homes without a sidecar.
//!
//! Here: the lock, and the audit's retention. Not here: what may go from a chain (`audit`), and the folding of ended processes, which
//! needs no lock (`telemetry::fold`).

use std::fs::{File, TryLockError};
use std::io;
use std::time::Duration;

use crate::audit::{self, Actor, Held, Pruned};
use crate::fsx::{self, Mode};
use crate::paths::Home;
use crate::state::{State, StateError};

/// How often the audit is looked through for records that are too old.
const EVERY_MS: i64 = 24 * 60 * 60 * 1000;

/// The right to clear away in a home, until dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// The turn, or nothing while another process has it.
    ///
    /// # Errors
    /// The lock file cannot be made or locked.
    pub fn take(home: &Home) -> io::Result<Option<Turn>> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(home.housekeeping_lock())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Turn { _lock: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Why old audit records could not be removed.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The folder `run` refuses.
    #[error("cannot work in the home's `run` folder: {0}; hint: give this user write access to it")]
    Folder(#[from] io::Error),
    /// The state file refuses.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Removes audit records older than `retention`, at most once a day in this home, whoever asks; `None` when it is not time.
/// A failure counts as done: a hundred servers must not repeat it all day.
///
/// # Errors
/// Why nothing, or not everything, was removed. What is left is sound.
pub fn retain_audit(
    state: &State,
    _turn: &Turn,
    retention: Duration,
    actor: &Actor,
    now_ms: i64,
) -> Result<Option<Pruned>, RetentionError> {
    let marker = state.home().run_dir().join("audit-pruned");
    let last_ms = std::fs::read_to_string(&marker)
        .ok()
        .and_then(|text| text.trim().parse::<i64>().ok());
    // A time in the future was written by a clock that has been set back.
    if last_ms.is_some_and(|last_ms| (0..EVERY_MS).contains(&now_ms.saturating_sub(last_ms))) {
        return Ok(None);
    }
    fsx::write_atomic(&marker, format!("{now_ms}\n").as_bytes(), Mode::Private)?;
    let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    let pruned = audit::prune(state, now_ms.saturating_sub(retention_ms), actor, now_ms)?;
    tell(&pruned);
    Ok(Some(pruned))
}

/// [`retain_audit`] for who has no turn: takes it, or leaves the work to who has it.
///
/// # Errors
/// As [`retain_audit`].
pub fn retain_audit_in_turn(
    state: &State,
    retention: Duration,
    actor: &Actor,
    now_ms: i64,
) -> Result<Option<Pruned>, RetentionError> {
    match Turn::take(state.home())? {
        Some(turn) => retain_audit(state, &turn, retention, actor, now_ms),
        None => Ok(None),
    }
}

fn tell(pruned: &Pruned) {
    if pruned.rows > 0 {
        tracing::info!(
            rows = pruned.rows,
            "{} old audit records were removed",
            pruned.rows
        );
    }
    for (chain, held) in &pruned.held {
        let chain = chain.as_str();
        match held {
            Held::OpenIntent(seq) => tracing::warn!(
                chain,
                seq,
                "the audit of `{chain}` keeps its old records: what became of record {seq} is not known; hint: `mcp-stdio audit unsettled` says what to look at"
            ),
            Held::Unsound(bad) => tracing::warn!(
                chain,
                "the audit of `{chain}` keeps its old records, because it is not sound: {bad}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Chain, Entry, action};
    use crate::state::Durability;

    const DAY_MS: i64 = EVERY_MS;
    const RETENTION: Duration = Duration::from_secs(90 * 86_400);

    fn state() -> (tempfile::TempDir, State) {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&Home::at(folder.path())).unwrap();
        (folder, state)
    }

    fn record(state: &State, day: i64) {
        let actor = Actor::cli();
        let entry = Entry::done(&actor, action::CLIENT_INSTALLED, None);
        state
            .write("test", Durability::Full, |writing| {
                audit::append(writing, &Chain::Env, &entry, day * DAY_MS, None)
            })
            .unwrap();
    }

    fn retain(state: &State, now_ms: i64) -> Option<u64> {
        let pruned = retain_audit_in_turn(state, RETENTION, &Actor::cli(), now_ms).unwrap();
        pruned.map(|pruned| pruned.rows)
    }

    #[test]
    fn records_go_after_their_time_and_the_chain_stays_sound() {
        let (_folder, state) = state();
        for day in [1, 2, 80, 95] {
            record(&state, day);
        }
        assert_eq!(retain(&state, 100 * DAY_MS), Some(2));
        let verdict = audit::verify(&state, &Chain::Env, None, &[]).unwrap();
        assert_eq!((verdict.ok, verdict.rows, verdict.first_seq), (true, 2, 3));
    }

    #[test]
    fn once_a_day_is_enough_for_all_processes_together() {
        let (_folder, state) = state();
        record(&state, 1);
        let now_ms = 91 * DAY_MS;
        assert_eq!(retain(&state, now_ms), Some(0));
        assert_eq!(retain(&state, now_ms + DAY_MS - 1), None);
        assert_eq!(retain(&state, now_ms + DAY_MS), Some(1));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_it() {
        let (_folder, state) = state();
        assert_eq!(retain(&state, 400 * DAY_MS), Some(0));
        record(&state, 1);
        assert_eq!(retain(&state, 100 * DAY_MS), Some(1));
    }

    #[test]
    fn while_another_has_the_turn_nothing_is_done() {
        let (_folder, state) = state();
        record(&state, 1);
        let turn = Turn::take(state.home()).unwrap().unwrap();
        assert_eq!(retain(&state, 100 * DAY_MS), None);
        drop(turn);
        assert_eq!(retain(&state, 100 * DAY_MS), Some(1));
    }
}
