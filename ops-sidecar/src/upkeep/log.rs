//! The write-ahead log is kept small.
//!
//! SQLite checkpoints by itself when a commit finds a thousand pages in the log, so without us a writer pays for it, and a log that once was
//! large stays so. Here it is done beside the writers, whenever the log has moved; and when nobody writes, a large one is cut. What readers
//! hold on to cannot be checkpointed, and is not waited for: the next round tries again.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use metrics::counter;
use serde::Serialize;
use shared::state::{Checkpoint, State};
use shared::telemetry::names;

/// A log up to this is reused as it is; above, it is cut as soon as nobody writes.
const CUT_ABOVE_BYTES: u64 = 8 * 1024 * 1024;
/// Cutting keeps writers out for as long as it waits for readers: after an attempt that met one, not again for this long.
const CUT_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// How a checkpoint ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything in the log is in the file.
    Done,
    /// A reader, or another checkpoint, was in the way.
    Held,
}

/// The log as the file system shows it; it is never opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    bytes: u64,
    changed: Option<SystemTime>,
}

/// What to do about the log now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Nothing,
    Move,
    Cut,
}

/// Keeps the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// How it looked after the last round that did something.
    before: Option<Seen>,
    last: Option<Outcome>,
    cut_held_at: Option<Instant>,
}

impl Log {
    /// One round; `None` if there was nothing to do.
    pub(super) fn turn(&mut self, state: &State, now: Instant) -> anyhow::Result<Option<Outcome>> {
        let may_cut = self
            .cut_held_at
            .is_none_or(|at| now.saturating_duration_since(at) >= CUT_AGAIN_AFTER);
        let how = match plan(self.before, look(state), self.last, may_cut) {
            Plan::Nothing => return Ok(None),
            Plan::Move => Checkpoint::Passive,
            Plan::Cut => Checkpoint::Truncate,
        };
        let done = state.checkpoint(how).inspect_err(|_| note("failed"))?;
        let outcome = if done.busy || done.moved_frames < done.log_frames {
            Outcome::Held
        } else {
            Outcome::Done
        };
        note(match outcome {
            Outcome::Done => "done",
            Outcome::Held => "held",
        });
        if how == Checkpoint::Truncate {
            self.cut_held_at = (outcome == Outcome::Held).then_some(now);
        }
        self.before = Some(look(state));
        self.last = Some(outcome);
        Ok(Some(outcome))
    }
}

fn note(outcome: &'static str) {
    counter!(names::STATE_CHECKPOINTS.name, "outcome" => outcome).increment(1);
}

fn look(state: &State) -> Seen {
    let mut path = state.home().state_db().into_os_string();
    path.push("-wal");
    let about = std::fs::metadata(PathBuf::from(path));
    Seen {
        bytes: about.as_ref().map_or(0, std::fs::Metadata::len),
        changed: about.and_then(|about| about.modified()).ok(),
    }
}

/// A log that has moved since the last round is being written: it is moved over, not cut, because a cut keeps writers out.
fn plan(before: Option<Seen>, now: Seen, last: Option<Outcome>, may_cut: bool) -> Plan {
    if now.bytes == 0 {
        return Plan::Nothing;
    }
    if before != Some(now) {
        return Plan::Move;
    }
    if now.bytes > CUT_ABOVE_BYTES && may_cut {
        return Plan::Cut;
    }
    if last == Some(Outcome::Held) {
        return Plan::Move;
    }
    Plan::Nothing
}

#[cfg(test)]
mod tests {
    use shared::paths::Home;
    use shared::state::Durability;
    use shared::state::tables::{agreements, meta};

    use super::*;

    fn seen(bytes: u64, at: u64) -> Seen {
        Seen {
            bytes,
            changed: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(at)),
        }
    }

    #[test]
    fn a_log_that_moved_is_moved_over_and_one_that_did_not_is_left_alone() {
        let small = seen(4096, 1);
        assert_eq!(plan(None, small, None, true), Plan::Move);
        assert_eq!(plan(Some(small), seen(4096, 2), None, true), Plan::Move);
        assert_eq!(
            plan(Some(small), small, Some(Outcome::Done), true),
            Plan::Nothing
        );
        assert_eq!(plan(Some(small), seen(0, 9), None, true), Plan::Nothing);
    }

    #[test]
    fn what_a_reader_held_is_tried_again() {
        let small = seen(4096, 1);
        assert_eq!(
            plan(Some(small), small, Some(Outcome::Held), true),
            Plan::Move
        );
    }

    #[test]
    fn a_large_log_is_cut_only_when_nobody_writes() {
        let large = seen(CUT_ABOVE_BYTES + 1, 1);
        assert_eq!(plan(Some(seen(4096, 0)), large, None, true), Plan::Move);
        assert_eq!(
            plan(Some(large), large, Some(Outcome::Done), true),
            Plan::Cut
        );
        assert_eq!(
            plan(Some(large), large, Some(Outcome::Done), false),
            Plan::Nothing
        );
        assert_eq!(
            plan(Some(large), large, Some(Outcome::Held), false),
            Plan::Move
        );
        let allowed = seen(CUT_ABOVE_BYTES, 1);
        assert_eq!(
            plan(Some(allowed), allowed, Some(Outcome::Done), true),
            Plan::Nothing
        );
    }

    fn wrote(state: &State) {
        state
            .write("test", Durability::Normal, |writing| {
                meta::bump_vault_revision(writing)
            })
            .expect("a sound file");
    }

    /// One transaction of so many bytes, which the log has to hold at once.
    fn wrote_much(state: &State, bytes: u64) {
        let long = "x".repeat(60_000);
        let written = state.write("test", Durability::Normal, |writing| {
            for number in 0..bytes / 60_000 {
                let name = format!("{number}{long}");
                agreements::use_once(writing, &name, (1, i64::MAX), 2)?;
            }
            Ok(())
        });
        written.expect("a sound file");
    }

    #[test]
    fn a_log_that_has_grown_is_cut_once_nobody_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(&Home::at(folder.path())).expect("a fresh file");
        wrote_much(&state, 2 * CUT_ABOVE_BYTES);
        assert!(look(&state).bytes > CUT_ABOVE_BYTES);
        let mut log = Log::default();
        let now = Instant::now();
        for expected in [Some(Outcome::Done), Some(Outcome::Done), None] {
            assert_eq!(log.turn(&state, now).expect("a sound file"), expected);
        }
        assert_eq!(look(&state).bytes, 0);
        wrote(&state);
        assert!(look(&state).bytes > 0, "and it is used again");
    }

    #[test]
    fn what_was_written_is_moved_into_the_file_and_then_there_is_nothing_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = State::open(&Home::at(folder.path())).expect("a fresh file");
        wrote(&state);
        let mut log = Log::default();
        let now = Instant::now();
        assert_eq!(
            log.turn(&state, now).expect("a sound file"),
            Some(Outcome::Done)
        );
        assert_eq!(log.turn(&state, now).expect("a sound file"), None);
        wrote(&state);
        assert_eq!(
            log.turn(&state, now).expect("a sound file"),
            Some(Outcome::Done)
        );
    }
}
