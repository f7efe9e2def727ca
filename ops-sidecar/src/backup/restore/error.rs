//! Why a state could not be given back, said for people.

use std::io;
use std::path::PathBuf;

use shared::state::StateError;

use super::Candidate;
use crate::backup::fetch::FetchError;
use crate::backup::id::BackupId;
use crate::backup::pitr::PitrError;
use crate::backup::words::{chain, moment};

/// Why a restore did not happen. Whatever it is, the state file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// No target could be asked.
    #[error(
        "no backup target answers; hint: the lines above say why, `ops-sidecar check-config` shows BACKUP_TARGETS"
    )]
    NobodyAnswers,
    /// Targets answer and have nothing.
    #[error(
        "there is no backup at any target that answers; hint: `ops-sidecar check-config` shows BACKUP_TARGETS, `ops-sidecar backup run` makes the first backup"
    )]
    NoBackups,
    /// There are backups, but not this one.
    #[error(
        "no target that answers has backup `{id}`; hint: `ops-sidecar backup list` shows those there are"
    )]
    NoSuchBackup {
        /// The one that was asked for.
        id: BackupId,
    },
    /// Everything there is begins later.
    #[error(
        "nothing reaches back to {}: the earliest moment that can be restored is {}; hint: `ops-sidecar backup list --points` shows all of them",
        moment(*asked_ms), moment(*earliest_ms)
    )]
    BeforeEverything {
        /// What was asked for, in milliseconds since 1970.
        asked_ms: i64,
        /// The first moment there is.
        earliest_ms: i64,
    },
    /// The line that was asked for does not reach the moment.
    #[error(
        "no target that answers has a moment at or before {} in line `{line}`; hint: `ops-sidecar backup list --points` shows lines and moments",
        moment(*at_ms)
    )]
    NotInLine {
        /// The line.
        line: String,
        /// What was asked for.
        at_ms: i64,
    },
    /// Each way was tried and each failed.
    #[error(
        "nothing that could be restored is sound: {tried} {} tried; hint: the lines above say what is wrong with each, `ops-sidecar backup list` shows what else there is",
        if *tried == 1 { "way was" } else { "ways were" }
    )]
    NothingWorked {
        /// How many were tried.
        tried: usize,
    },
    /// It is there, and this machine or this key cannot open it.
    #[error("`{what}` at target `{target}` cannot be restored: {why}")]
    CannotOpen {
        /// What it was.
        what: String,
        /// Where it lies.
        target: String,
        /// Why.
        why: String,
    },
    /// No copy of that name is kept.
    #[error(
        "no copy `{name}` is kept on this machine; hint: `ops-sidecar backup list` shows those there are"
    )]
    NoSuchCopy {
        /// The one that was asked for.
        name: String,
    },
    /// It is kept, and cannot be used.
    #[error("the kept copy `{name}` cannot be put back: {why}")]
    CannotPutBack {
        /// Which one.
        name: String,
        /// Why.
        why: String,
    },
    /// Something of that name is there already.
    #[error("`{}` is there already and is not overwritten; hint: choose another name, or move it away", path.display())]
    Exists {
        /// The name.
        path: PathBuf,
    },
    /// The disk on this side.
    #[error("cannot write to `{}`: {source}", path.display())]
    Here {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state file could not be replaced.
    #[error(transparent)]
    State(#[from] StateError),
}

impl RestoreError {
    pub(super) fn cannot_open(way: &Candidate, why: &WayError) -> RestoreError {
        RestoreError::CannotOpen {
            what: way.source(),
            target: way.target.name().to_owned(),
            why: chain(why),
        }
    }
}

/// Why one way did not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum WayError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Pitr(#[from] PitrError),
}

impl WayError {
    /// What is there is not sound, or is missing where it should be.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            WayError::Fetch(error) => error.is_damage(),
            WayError::Pitr(error) => error.is_damage(),
        }
    }

    /// Every other way would fail in the same manner.
    pub(super) fn is_ours(&self) -> bool {
        match self {
            WayError::Fetch(error) => error.is_ours(),
            WayError::Pitr(error) => error.is_ours(),
        }
    }
}
