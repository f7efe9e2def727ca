//! What a restored file says of itself: how often it has been restored, from what, and to which moment.
//!
//! It is written into the copy before that takes the live file's place, so that no process ever sees a restored file without it.

use std::path::Path;

use rusqlite::{Transaction, TransactionBehavior};
use serde_json::json;

use super::Restore;
use crate::audit::checkpoint::Restored;
use crate::audit::{self, Actor, Chain, Entry, action};
use crate::state::tables::meta;
use crate::state::transaction::Writing;
use crate::state::{StateError, connection, migrate, presence};

/// Brings the file at `path` to this program's schema and marks it. Its epoch is above its own and the live file's, so that nothing that
/// belongs to an older one is taken for current.
pub(super) fn mark(
    path: &Path,
    live_epoch: u64,
    restore: &Restore<'_>,
) -> Result<Restored, StateError> {
    let mut connection = connection::open(path)?;
    migrate::bring_copy_up(&mut connection, path)?;
    connection.execute_batch("PRAGMA synchronous=FULL")?;
    let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
    let writing = Writing::through(&transaction);
    let marked = write(&writing, live_epoch, restore)?;
    transaction.commit()?;
    close(connection, path)?;
    Ok(marked)
}

/// Brings a copy that nobody has open to this program's schema: what an older program backed up can then be read like any other. Its content
/// is no longer what the backup was, so this is for a copy of a copy.
///
/// # Errors
/// It is not one of ours, it is newer than this program, or it cannot be changed.
pub fn upgrade_copy(path: &Path) -> Result<(), StateError> {
    let mut connection = connection::open(path)?;
    migrate::bring_copy_up(&mut connection, path)?;
    close(connection, path)
}

fn write(
    writing: &Writing<'_>,
    live_epoch: u64,
    restore: &Restore<'_>,
) -> Result<Restored, StateError> {
    let epoch = meta::restore(writing)?.epoch.max(live_epoch) + 1;
    let noted = meta::Restore {
        epoch,
        at_ms: restore.now_ms,
        from: restore.from.to_owned(),
        reached_ms: restore.reached_ms,
    };
    meta::set_restore(writing, &noted)?;
    let reached = audit::moment(restore.reached_ms).to_string();
    let shape = json!({"epoch": epoch, "reached": reached}).to_string();
    let actor = Actor::cli();
    let entry = Entry::done(&actor, action::STATE_RESTORED, Some(restore.from)).with_shape(&shape);
    audit::append(writing, &Chain::System, &entry, restore.now_ms, None)?;
    Ok(Restored {
        epoch,
        heads: audit::heads(writing)?,
        pruned: audit::beginnings(writing)?,
    })
}

/// With its log copied back and gone: only the file itself takes the live one's place.
pub(super) fn close(connection: rusqlite::Connection, path: &Path) -> Result<(), StateError> {
    connection.close().map_err(|(_, error)| error)?;
    if presence::companion(path, "-wal").exists() {
        return Err(StateError::Moved);
    }
    Ok(())
}
