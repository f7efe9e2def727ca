//! Making a backup: copy, check, seal, ship, compare, and only then claim that it exists.
//!
//! Here: the order of the steps, what each failure means, and what is noted. Not here: the steps themselves (`image` up to the sealed file,
//! `ship` for one target), and removing old backups (`prune`).
//!
//! Until its manifest is written a backup does not exist. Whatever fails before, or kills the process, leaves old backups as they were and
//! nothing that could be taken for a new one: a folder in the spool that the next run removes, at most a file without a manifest at a
//! target, which pruning removes.

mod hashing;
mod image;
mod ship;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use shared::paths::Home;
use shared::state::StateError;

use super::check::CheckError;
use super::id::BackupId;
use super::journal::{Journal, Outcome, RunNote, Step, TargetOutcome};
use super::manifest::{self, Manifest};
use super::prune::{self, Pruned};
use super::scratch::Scratch;
use super::seal::SealError;
use super::turn::{Turn, TurnError};
use super::words::chain;
use super::{Progress, Room};
use image::Sealed;

/// How long whoever else makes a backup is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A backup that exists.
#[derive(Debug)]
pub struct Made {
    /// All about it.
    pub manifest: Manifest,
    /// Good, or partial: then it exists at some targets.
    pub outcome: Outcome,
    /// What came of it at each target.
    pub targets: Vec<TargetOutcome>,
    /// What was removed afterwards.
    pub pruned: Vec<Pruned>,
    /// How long all of it took.
    pub took: Duration,
}

/// There is no new backup.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// There is none, or an empty one: what opening makes of it is not backed up.
    #[error(
        "the state file `{}` is missing or empty, so there is nothing to back up; hint: is this the home folder? say which with `--home`", path.display()
    )]
    NoState {
        /// Where it should be.
        path: PathBuf,
    },
    /// Somebody else makes one.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// There is no place to work in.
    #[error("cannot work in `{}`; hint: this user needs write access to it, and the disk some space", path.display())]
    Scratch {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is remembered of the audit chains cannot be read.
    #[error("cannot read `logs/audit-checkpoints.jsonl` in the home folder")]
    Checkpoints(#[source] std::io::Error),
    /// The state file cannot be opened or copied.
    #[error("cannot copy the state file")]
    Copy(#[source] std::sync::Arc<StateError>),
    /// The copy is not sound; so may be the file.
    #[error("the copy of the state file was refused")]
    Check(#[from] CheckError),
    /// The copy could not be packed.
    #[error("cannot compress and encrypt the copy")]
    Seal(#[from] SealError),
    /// What was packed does not come out again as it went in.
    #[error(
        "what was written to the spool is not what came out of the state file; hint: the disk or the memory of this machine fails"
    )]
    Differs,
    /// No target has it.
    #[error("no target has the backup: {}", reasons(.0))]
    NoTarget(Vec<TargetOutcome>),
    /// The process is asked to end.
    #[error("stopped before the backup was made")]
    Stopped,
}

impl MakeError {
    /// The step that failed.
    #[must_use]
    pub fn step(&self) -> Step {
        match self {
            MakeError::NoState { .. }
            | MakeError::Turn(_)
            | MakeError::Scratch { .. }
            | MakeError::Stopped => Step::Begin,
            MakeError::Copy(_) => Step::Copy,
            MakeError::Checkpoints(_) | MakeError::Check(_) => Step::Check,
            MakeError::Seal(_) | MakeError::Differs => Step::Seal,
            MakeError::NoTarget(targets) => targets
                .iter()
                .find_map(|target| target.step)
                .unwrap_or(Step::Ship),
        }
    }
}

fn reasons(targets: &[TargetOutcome]) -> String {
    let errors: Vec<&str> = targets
        .iter()
        .filter_map(|target| target.error.as_deref())
        .collect();
    errors.join("; ")
}

/// Makes one backup, notes it in the journal, and removes what no rule keeps. Works with the daemon down.
///
/// # Errors
/// There is no new backup at any target, and why. Old ones are as they were.
pub fn make(room: &Room, progress: &dyn Progress) -> Result<Made, MakeError> {
    make_within(room, PATIENCE, progress)
}

/// As [`make`], for who has another patience with somebody else who makes one.
///
/// # Errors
/// As [`make`].
pub fn make_within(
    room: &Room,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<Made, MakeError> {
    if !has_state(&room.home) {
        let path = room.home.state_db();
        let error = MakeError::NoState { path };
        note_failure(room, room.clock.now_ms(), Duration::ZERO, None, &error);
        return Err(error);
    }
    let turn = Turn::take(&room.home, patience)?;
    let (began_ms, began) = (room.clock.now_ms(), Instant::now());
    let id = BackupId::new(began_ms);
    let sealed_and_sent = seal_and_send(room, &id, progress);
    let (manifest, targets) = match sealed_and_sent {
        Ok(sent) => sent,
        Err(error) => {
            note_failure(room, began_ms, began.elapsed(), Some(&id), &error);
            return Err(error);
        }
    };
    let pruned = prune::after_making(&turn, room, &id, &targets);
    let made = Made {
        outcome: if manifest.is_whole() && targets.iter().all(|target| target.error.is_none()) {
            Outcome::Good
        } else {
            Outcome::Partial
        },
        manifest,
        targets,
        pruned,
        took: began.elapsed(),
    };
    note(room, made.note(began_ms));
    note_pruned(room, &made.pruned);
    progress.done();
    Ok(made)
}

/// Whether there is a state file with something in it, so that opening it does not make one. A database whose first pages are still in its
/// log has something in it, too.
pub(super) fn has_state(home: &Home) -> bool {
    let log = home.root().join("state.db-wal");
    let is_filled =
        |path: &Path| std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() > 0);
    let path = home.state_db();
    is_filled(&path) || (path.is_file() && is_filled(&log))
}

/// Everything between the lock and the journal. The scratch folder goes with the end of this function, however it ends.
fn seal_and_send(
    room: &Room,
    id: &BackupId,
    progress: &dyn Progress,
) -> Result<(Manifest, Vec<TargetOutcome>), MakeError> {
    let scratch = Scratch::new(&room.home.backup_spool()).map_err(|source| MakeError::Scratch {
        path: room.home.backup_spool(),
        source,
    })?;
    let Sealed { file, manifest } = image::sealed(room, id, &scratch, progress)?;
    progress.stage("ship", 2 * manifest.file.bytes * room.targets.len() as u64);
    let targets = ship::to_all(room, id, &file, &manifest, progress);
    if targets.iter().all(|target| target.error.is_some()) {
        return Err(MakeError::NoTarget(targets));
    }
    Ok((manifest, targets))
}

impl Made {
    /// What is wrong with the audit in it, in words for people. The backup is made all the same, and is not a good one.
    #[must_use]
    pub fn broken_chains(&self) -> Option<String> {
        manifest::broken(&self.manifest.chains)
    }

    fn note(&self, began_ms: i64) -> RunNote {
        let prune_error = self.pruned.iter().find_map(|pruned| pruned.error.clone());
        let failed = self.targets.iter().find(|target| target.error.is_some());
        let (step, error) = match (failed, self.broken_chains(), prune_error) {
            (Some(target), ..) => (target.step, target.error.clone()),
            (None, Some(broken), _) => (Some(Step::Check), Some(broken)),
            (None, None, Some(error)) => (Some(Step::Prune), Some(error)),
            (None, None, None) => (None, None),
        };
        RunNote {
            at_ms: began_ms,
            took_ms: millis(self.took),
            outcome: self.outcome,
            id: Some(self.manifest.id.clone()),
            bytes: self.manifest.file.bytes,
            encrypted: self.manifest.encrypted,
            step,
            error,
            targets: self.targets.clone(),
        }
    }
}

/// A run that somebody else's prevented, or that was asked to end, is no failure.
fn note_failure(
    room: &Room,
    began_ms: i64,
    took: Duration,
    id: Option<&BackupId>,
    error: &MakeError,
) {
    let is_no_failure = matches!(error, MakeError::Stopped | MakeError::Turn(_));
    if is_no_failure || !room.home.root().is_dir() {
        return;
    }
    let targets = match error {
        MakeError::NoTarget(targets) => targets.clone(),
        _ => Vec::new(),
    };
    note(
        room,
        RunNote {
            at_ms: began_ms,
            took_ms: millis(took),
            outcome: Outcome::Failed,
            id: id.map(ToString::to_string),
            bytes: 0,
            encrypted: !room.settings.recipients.is_empty(),
            step: Some(error.step()),
            error: Some(chain(error)),
            targets,
        },
    );
}

/// The journal is for people and metrics; a backup is good without it.
fn note(room: &Room, note: RunNote) {
    if let Err(error) = Journal::note_run(&room.home, note, &room.target_names()) {
        tracing::warn!("what came of the backup cannot be noted in the journal: {error}");
    }
}

fn note_pruned(room: &Room, pruned: &[Pruned]) {
    let outcomes: Vec<(String, Option<String>)> = pruned
        .iter()
        .map(|pruned| (pruned.target.clone(), pruned.error.clone()))
        .collect();
    if let Err(error) = Journal::note_prune(&room.home, room.clock.now_ms(), &outcomes) {
        tracing::warn!("what came of pruning cannot be noted in the journal: {error}");
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(in crate::backup) mod tests;
