//! Where it is written down what is about to be done to a shop, and how it ended.
//!
//! Here: what a write must say before it is sent, and the face of whoever keeps that. Not here: the records themselves and whose key signs
//! them (`stores`), and when they are written (`write`). Nothing of a customer ever gets into them: names and sizes of arguments only.

use std::fmt;
use std::sync::Arc;

use shared::audit::Outcome;
use shared::session::SessionId;
use shared::state::StateError;
use shared::writes::turn::Turn;
use shared::writes::{BeginError, Begun};

/// What is about to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The store's key in the state file.
    pub store_key: Arc<str>,
    /// What, one of [`shared::audit::action`].
    pub action: &'static str,
    /// To what: `order 7001001`, `100 orders`.
    pub target: String,
    /// Names and sizes of the arguments, never values.
    pub args_shape: String,
    /// What a person looks at to learn whether it was done, should nobody be able to tell.
    pub check: String,
}

/// Why something could not be written down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The turn is somebody else's by now.
    #[error("another write came in between")]
    TurnLost,
    /// Nothing can be written, or not signed.
    #[error("{why}")]
    Unwritten {
        /// A short name of the trouble.
        code: &'static str,
        /// What it is.
        why: String,
    },
}

impl From<&StateError> for JournalError {
    fn from(error: &StateError) -> JournalError {
        JournalError::Unwritten {
            code: error.code(),
            why: error.to_string(),
        }
    }
}

impl From<BeginError> for JournalError {
    fn from(error: BeginError) -> JournalError {
        match error {
            BeginError::TurnLost => JournalError::TurnLost,
            BeginError::State(error) => (&error).into(),
        }
    }
}

/// Keeps the records of one tenant's writes. Writing blocks: it is called on threads where that may take its time.
pub trait Journal: Send + Sync + fmt::Debug {
    /// The life of this process as the state file knows it, which its turns belong to; `None` while it knows none. Does not block.
    fn session(&self) -> Option<SessionId>;

    /// Writes down what is about to be done; on the disk when this returns.
    ///
    /// # Errors
    /// When the turn was lost or nothing can be written. Then nothing may be sent.
    fn begin(&self, intent: &Intent, turn: &Turn) -> Result<Begun, JournalError>;

    /// Writes down how it ended, and gives the turn back if there is one to be given.
    ///
    /// # Errors
    /// When nothing can be written. The intent stays open, and shows as unknown once this process has ended.
    fn end(&self, begun: &Begun, outcome: Outcome, turn: Option<&Turn>)
    -> Result<(), JournalError>;
}
