//! Why a moment could not be rebuilt.

use std::io;

use super::increment::Unusable;
use crate::backup::seal::SealError;
use crate::backup::targets::{Kind, TargetError};
use crate::backup::words::moment;

/// What can go wrong between a wish for a moment and a file.
#[derive(Debug, thiserror::Error)]
pub enum PitrError {
    /// The line that was asked for is not there.
    #[error(
        "the target has no line `{line}`; hint: `ops-sidecar backup list --points` shows those it has"
    )]
    NoLine {
        /// Which.
        line: String,
    },
    /// Nothing leads to the moment or to one before it.
    #[error(
        "nothing at the target leads to {} or a moment before it{}; hint: `ops-sidecar backup list --points` shows what can be reached",
        moment(*.at_ms), .damaged.as_ref().map_or_else(String::new, |why| format!(" (passed by as damaged: {why})"))
    )]
    NothingReaches {
        /// What was asked for.
        at_ms: i64,
        /// The last object that was found damaged on the way, if any.
        damaged: Option<String>,
    },
    /// An object is not what its name says. The search goes round it; this is what is left when that fails.
    #[error("`{key}` is damaged: {why}")]
    Damaged {
        /// Which one.
        key: String,
        /// In which way.
        why: String,
    },
    /// It is encrypted, and no key or not the right one is at hand.
    #[error("`{key}` cannot be opened: {source}")]
    Locked {
        /// Which one.
        key: String,
        /// Why.
        source: SealError,
    },
    /// The target refuses.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The file cannot be written here.
    #[error(
        "cannot work on `{path}`: {source}; hint: is there space, and may this user write there?"
    )]
    Here {
        /// Where.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody asked to stop.
    #[error("it was stopped before it was done")]
    Stopped,
}

impl PitrError {
    /// What is at the target is not sound, or is missing where it should be.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            PitrError::Damaged { .. } => true,
            PitrError::NothingReaches { damaged, .. } => damaged.is_some(),
            _ => false,
        }
    }

    /// Every other target would fail in the same manner: the key, the disk, or the person here.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(
            self,
            PitrError::Locked { .. } | PitrError::Here { .. } | PitrError::Stopped
        )
    }

    /// Whether the search should go round the object.
    pub(super) fn can_be_gone_round(&self) -> bool {
        match self {
            PitrError::Damaged { .. } => true,
            // Deleted since it was listed.
            PitrError::Target(error) => error.kind() == Kind::Missing,
            _ => false,
        }
    }

    pub(super) fn here(path: &std::path::Path) -> impl FnOnce(io::Error) -> PitrError {
        let path = path.display().to_string();
        move |source| PitrError::Here { path, source }
    }

    /// What reading an object came to.
    pub(super) fn of_reading(key: &str, error: Unusable) -> PitrError {
        match error {
            Unusable::Bad(why) => PitrError::Damaged {
                key: key.to_owned(),
                why: why.to_owned(),
            },
            Unusable::Unreadable(error) => {
                PitrError::of_seal(key, crate::backup::seal::read_error(error))
            }
        }
    }

    pub(super) fn of_seal(key: &str, error: SealError) -> PitrError {
        let key = key.to_owned();
        match error {
            SealError::Damaged(why) => PitrError::Damaged { key, why },
            SealError::Io(source) => PitrError::Here { path: key, source },
            source => PitrError::Locked { key, source },
        }
    }
}
