//! What a chain's reader must know of a file that was restored: from where it went on.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::entry::moment;
use crate::state::tables::meta;
use crate::state::{State, StateError};

/// The last restore of the state file. Records that were written after `reached` and before `at` are not in it, and that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastRestore {
    /// How often the state has been restored.
    pub epoch: u64,
    /// When.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// A backup's id, or the moment that was asked for.
    pub from: String,
    /// Up to which moment it had everything.
    #[serde(serialize_with = "as_text")]
    pub reached_at: Timestamp,
}

/// For people: goes after `the state file was `.
impl fmt::Display for LastRestore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "restored at {:.0} from {}, to what it was at {:.3}",
            self.at, self.from, self.reached_at
        )
    }
}

/// What the file says of its last restore; `None` when it never was restored.
///
/// # Errors
/// Why the file could not be read.
pub fn last_restore(state: &State) -> Result<Option<LastRestore>, StateError> {
    let said = state.read("audit_verify", meta::restore)?;
    Ok((said.epoch > 0).then(|| LastRestore {
        epoch: said.epoch,
        at: moment(said.at_ms),
        from: said.from,
        reached_at: moment(said.reached_ms),
    }))
}

/// RFC 3339.
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
