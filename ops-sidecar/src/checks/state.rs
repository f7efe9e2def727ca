//! The state file: can it be opened, is it still in place, can it be written, how fast, how large is its log.
//!
//! A file that is moved away under its users is opened anew within seconds, and then looks sound. [`Watch`] remembers: what was in the old
//! one (the shops' keys, the audit) is not in the new one, and somebody has to know.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::Serialize;
use shared::state::tables::meta;
use shared::state::{Mark, Slot, State, StateError};

use super::{Draft, mebibytes, rfc3339};

/// A write probe slower than this makes every server's bookkeeping late; the usual is well under a millisecond.
const SLOW_PROBE: Duration = Duration::from_millis(100);
/// A log this large means that a reader keeps checkpoints from finishing; the file is allowed to grow to this and no further.
const LARGE_WAL_BYTES: u64 = 64 * 1024 * 1024;

/// What could be learnt about the state file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StateFacts {
    /// Why it cannot be used, if it cannot.
    pub problem: Option<Problem>,
    /// Schema of the open file.
    pub schema_version: Option<u32>,
    /// How long taking and returning the write lock took.
    pub write_probe_seconds: Option<f64>,
    /// Size of the database.
    pub database_bytes: Option<u64>,
    /// Size of its write-ahead log.
    pub wal_bytes: Option<u64>,
    /// Connections of this process.
    pub pool_size: Option<u32>,
    /// Those that are idle.
    pub pool_idle: Option<u32>,
    /// How often this file was restored in its history.
    pub restore_epoch: Option<u64>,
    /// When it was last seen that somebody had moved, deleted or replaced the file under this program.
    pub moved_at: Option<String>,
}

/// An error of the state file, kept as words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A word from a small closed set.
    pub code: &'static str,
    /// The whole message; may name paths, so it is shown behind the token only.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The file works, somebody else just held it.
    pub is_busy: bool,
}

impl Problem {
    fn of(error: &StateError) -> Problem {
        let text = error.to_string();
        let (message, hint) = text.split_once("hint: ").unwrap_or((&text, "see the log"));
        Problem {
            code: error.code(),
            message: message.trim_end_matches([' ', ';']).to_owned(),
            hint: hint.to_owned(),
            is_busy: error.is_busy(),
        }
    }
}

/// Looks, and remembers which file it was.
#[derive(Debug)]
pub struct Watch {
    slot: Slot,
    seen: Option<Seen>,
    moved_at: Option<Timestamp>,
}

/// One opening of one file.
#[derive(Debug)]
struct Seen {
    opening: Mark,
    file: Option<FileId>,
    epoch: Option<u64>,
}

/// Device, inode and birth: a file that is made right after another was deleted often gets its inode. Not every file system tells the birth.
type FileId = (u64, u64, Option<SystemTime>);

impl Watch {
    /// Has not seen anything yet.
    #[must_use]
    pub fn new(slot: Slot) -> Watch {
        Watch {
            slot,
            seen: None,
            moved_at: None,
        }
    }

    /// Opens the file if it is not open, and probes it. May block for as long as an open or a probe is allowed to.
    pub fn look(&mut self, now: Timestamp) -> StateFacts {
        let state = match self.slot.get().or_else(|_| self.slot.open_now()) {
            Ok(state) => state,
            Err(error) => {
                return StateFacts {
                    problem: Some(Problem::of(&error)),
                    moved_at: self.moved_at.map(rfc3339),
                    ..StateFacts::default()
                };
            }
        };
        self.recognize(&state, now);
        StateFacts {
            restore_epoch: self.seen.as_ref().and_then(|seen| seen.epoch),
            moved_at: self.moved_at.map(rfc3339),
            ..self.probe(&state)
        }
    }

    fn probe(&self, state: &State) -> StateFacts {
        let sizes = state.size();
        let pool = state.pool();
        let probe = state.write_probe();
        let facts = StateFacts {
            problem: probe.as_ref().err().map(Problem::of),
            schema_version: Some(state.schema_version()),
            write_probe_seconds: probe.as_ref().ok().map(Duration::as_secs_f64),
            database_bytes: Some(sizes.database_bytes),
            wal_bytes: Some(sizes.wal_bytes),
            pool_size: Some(pool.size),
            pool_idle: Some(pool.idle),
            ..StateFacts::default()
        };
        if let Some(error) = probe.err().filter(StateError::is_lost) {
            self.slot.mark_broken(state, error);
        }
        facts
    }

    /// Any thread of this program may have opened a new file meanwhile, so it is told by the file, not by an error that came by here.
    fn recognize(&mut self, state: &State, now: Timestamp) {
        if self
            .seen
            .as_ref()
            .is_some_and(|seen| seen.opening.is_of(state))
        {
            return;
        }
        let fresh = Seen {
            opening: state.mark(),
            file: identity(&state.home().state_db()),
            epoch: state.read("restore_epoch", meta::restore_epoch).ok(),
        };
        let before = self.seen.replace(fresh);
        let (Some(before), Some(seen)) = (before, self.seen.as_ref()) else {
            return;
        };
        if seen.epoch > before.epoch {
            // A restore puts another file in place, too, and is what helps after a loss.
            self.moved_at = None;
        } else if seen.file != before.file {
            self.moved_at = Some(now);
        }
    }
}

fn identity(path: &Path) -> Option<FileId> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.dev(), about.ino(), about.created().ok()))
}

/// What the file's facts amount to.
#[must_use]
pub fn judge(facts: &StateFacts) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if let Some(problem) = &facts.problem {
        drafts.push(judge_problem(problem));
    }
    if facts.moved_at.is_some() {
        drafts.push(Draft::fail(
            "state.moved",
            "the state file was moved, deleted or replaced while it was in use: another one is in use now, without what was in the old one",
            "put the old file back with every assistant and this sidecar ended, or run `ops-sidecar backup restore --latest`; \
             if it was on purpose, restart this sidecar",
        ));
    }
    if facts
        .write_probe_seconds
        .is_some_and(|seconds| seconds > SLOW_PROBE.as_secs_f64())
    {
        drafts.push(Draft::warn(
            "state.slow",
            format!(
                "taking the state file's write lock took more than {} ms",
                SLOW_PROBE.as_millis()
            ),
            "look for a slow disk, or for a program that keeps the file locked",
        ));
    }
    if let Some(wal_bytes) = facts.wal_bytes.filter(|bytes| *bytes > LARGE_WAL_BYTES) {
        drafts.push(Draft::warn(
            "state.log_large",
            format!("the state file's write-ahead log has grown to {}", mebibytes(wal_bytes)),
            "a process holds an old snapshot open; restart the longest-running one, or the program that has the file open",
        ));
    }
    drafts
}

fn judge_problem(problem: &Problem) -> Draft {
    let hint = problem.hint.clone();
    match problem.code {
        _ if problem.is_busy => Draft::warn(
            "state.busy",
            "the state file's write lock could not be had in time",
            hint,
        ),
        "newer" | "migration" | "not_ours" => Draft::fail(
            "state.schema",
            format!(
                "the state file's schema does not fit this program ({})",
                problem.code
            ),
            hint,
        )
        .blocking(),
        code => Draft::fail(
            "state.unusable",
            format!("the state file cannot be used ({code})"),
            hint,
        )
        .blocking(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_problem(error: &StateError) -> Draft {
        let facts = StateFacts {
            problem: Some(Problem::of(error)),
            ..StateFacts::default()
        };
        judge(&facts).remove(0)
    }

    #[test]
    fn a_file_that_cannot_be_used_keeps_this_machine_from_being_ready() {
        let draft = with_problem(&StateError::ReadOnly);
        assert_eq!((draft.id, draft.blocks_ready), ("state.unusable", true));
        assert_eq!(draft.summary, "the state file cannot be used (read_only)");
        assert!(draft.hint.starts_with("give the user"), "{}", draft.hint);
    }

    #[test]
    fn a_newer_file_is_a_matter_of_the_schema() {
        let draft = with_problem(&StateError::Newer { file: 9, ours: 1 });
        assert_eq!((draft.id, draft.blocks_ready), ("state.schema", true));
    }

    #[test]
    fn a_busy_file_is_only_a_warning() {
        let draft = with_problem(&StateError::Locked);
        assert_eq!((draft.id, draft.blocks_ready), ("state.busy", false));
    }

    #[test]
    fn a_slow_probe_and_a_large_log_are_warnings() {
        let facts = StateFacts {
            write_probe_seconds: Some(0.2),
            wal_bytes: Some(LARGE_WAL_BYTES + 1),
            ..StateFacts::default()
        };
        let ids: Vec<_> = judge(&facts).iter().map(|draft| draft.id).collect();
        assert_eq!(ids, ["state.slow", "state.log_large"]);
        assert_eq!(
            judge(&StateFacts {
                write_probe_seconds: Some(0.1),
                wal_bytes: Some(LARGE_WAL_BYTES),
                ..StateFacts::default()
            }),
            []
        );
    }

    fn ids(facts: &StateFacts) -> Vec<&'static str> {
        judge(facts).iter().map(|draft| draft.id).collect()
    }

    #[test]
    fn a_file_that_was_deleted_is_remembered_though_the_new_one_is_sound() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = shared::paths::Home::at(folder.path());
        let mut watch = Watch::new(Slot::new(home.clone()));
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(ids(&watch.look(now)), Vec::<&str>::new());
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("state.db{suffix}")));
        }
        let _ = watch.look(now);
        let facts = watch.look(now);
        assert_eq!(ids(&facts), ["state.moved"], "{facts:?}");
        assert!(home.state_db().exists());
        assert_eq!(ids(&watch.look(now)), ["state.moved"], "it stays");
    }

    #[test]
    fn the_same_file_opened_again_is_no_other_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let slot = Slot::new(shared::paths::Home::at(folder.path()));
        let mut watch = Watch::new(slot.clone());
        let _ = watch.look(Timestamp::UNIX_EPOCH);
        let state = slot.get().expect("open");
        slot.mark_broken(&state, StateError::Moved);
        drop(state);
        assert_eq!(ids(&watch.look(Timestamp::UNIX_EPOCH)), Vec::<&str>::new());
    }

    #[test]
    fn no_summary_names_a_path() {
        let error = StateError::NotOurs {
            path: "/home/alice/state.db".into(),
            application_id: 7,
        };
        let draft = with_problem(&error);
        assert!(!draft.summary.contains("alice") && !draft.hint.contains("alice"));
    }
}
