//! Folding: what an ended process has counted moves to the retired totals, exactly once.
//!
//! A session is dead when nobody holds the lock of its run file. The lock is tried again inside the transaction that
//! moves the rows and deletes the session, so of two who fold at once one finds nothing left, and a session that was
//! only slow to appear is left alone. Anybody may fold, at any time; nobody has to.

use crate::session::{self, SessionId};
use crate::state::tables::{metrics as rows, sessions};
use crate::state::{Durability, State, StateError, Writing};
use crate::telemetry::names;

/// Most sessions folded by one [`fold_dead`]: each is a transaction of about a millisecond, and who folds has other
/// work to do.
const SESSIONS_PER_PASS: usize = 64;

/// Folds dead sessions into the retired totals, at most 64 of them, each in its own short transaction. Gives the
/// number folded.
///
/// # Errors
/// Why the file could not be read or written; what was folded before stays folded.
pub fn fold_dead(state: &State) -> Result<u32, StateError> {
    fold_some(state, SESSIONS_PER_PASS)
}

/// Like [`fold_dead`], with another limit.
pub(crate) fn fold_some(state: &State, most: usize) -> Result<u32, StateError> {
    let is_dead = |id: &SessionId| !session::is_alive(state.home(), id);
    let known = state.read("telemetry_sessions", sessions::all)?;
    let mut folded = 0;
    for id in known
        .into_iter()
        .map(|row| row.id)
        .filter(is_dead)
        .take(most)
    {
        let did = state.write("telemetry_fold", Durability::Normal, |writing| {
            if is_dead(&id) {
                retire(writing, &id)
            } else {
                Ok(false)
            }
        })?;
        if did {
            session::remove_run_file(state.home(), &id);
            metrics::counter!(names::SESSIONS_FOLDED.name).increment(1);
            folded += 1;
        }
    }
    Ok(folded)
}

/// Moves the rows of one session to the retired totals and deletes the session; `false` when somebody else did.
pub(crate) fn retire(writing: &Writing<'_>, id: &SessionId) -> Result<bool, StateError> {
    if !sessions::delete(writing, id.as_str())? {
        return Ok(false);
    }
    rows::retire(writing, id.as_str())?;
    Ok(true)
}

#[cfg(test)]
mod tests;
