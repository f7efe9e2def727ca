//! Looking after the live file: its log, its statistics, its free pages.
//!
//! Here: doing each of it so that writers hardly notice. Not here: when it pays, which whoever runs for long decides.

use std::time::Duration;

use super::copy::leave_space;
use super::{State, StateError, busy};

/// How long emptying the log may keep writers waiting for readers that are in the way; another moment will be quieter.
const TRUNCATE_PATIENCE: Duration = Duration::from_millis(20);

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoint {
    /// Copies back what nobody needs in the log any more. Nobody waits.
    Passive,
    /// Also makes the log empty, so that its space is free. Writers wait while the last commits are copied, and up to 20 ms for readers.
    Truncate,
}

/// What a checkpoint could do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointOutcome {
    /// Somebody was in the way: another checkpoint, or for [`Checkpoint::Truncate`] a reader or a writer.
    pub busy: bool,
    /// Pages in the log.
    pub log_frames: u32,
    /// Of these, copied into the database.
    pub moved_frames: u32,
}

/// How much of the database is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes per page.
    pub page_size: u32,
    /// All pages.
    pub pages: u32,
    /// Of these, free: they are used before the file grows, and only [`State::vacuum`] gives them back.
    pub free_pages: u32,
}

impl State {
    /// Copies the log back into the database.
    ///
    /// # Errors
    /// Why that failed; that somebody was in the way is no error.
    pub fn checkpoint(&self, how: Checkpoint) -> Result<CheckpointOutcome, StateError> {
        self.refuse_copy()?;
        self.check_in_place()?;
        let connection = self.connection(busy::PATIENCE)?;
        let run = |pragma| {
            connection.query_row(pragma, [], |row| {
                let frames = |column| {
                    row.get::<_, i64>(column)
                        .map(|count| u32::try_from(count).unwrap_or(0))
                };
                Ok(CheckpointOutcome {
                    busy: row.get(0)?,
                    log_frames: frames(1)?,
                    moved_frames: frames(2)?,
                })
            })
        };
        // First without the write lock, which truncating holds all the while: little is left to do under it then.
        let done = run("PRAGMA wal_checkpoint(PASSIVE)").and_then(|passive| match how {
            Checkpoint::Passive => Ok(passive),
            Checkpoint::Truncate => {
                busy::with_limit(TRUNCATE_PATIENCE, || run("PRAGMA wal_checkpoint(TRUNCATE)"))
            }
        });
        done.map_err(|error| self.look_again(error.into()))
    }

    /// Lets SQLite look at tables whose statistics are missing or old, so that it goes on finding the right index. It limits itself to some
    /// tens of milliseconds.
    ///
    /// # Errors
    /// Why that failed; [`StateError::Locked`] after five seconds.
    pub fn optimize(&self) -> Result<(), StateError> {
        self.refuse_copy()?;
        self.check_in_place()?;
        // 0x10000: all tables, not only those this connection has used; 2: analyse.
        let done = self
            .connection(busy::PATIENCE)?
            .execute_batch("PRAGMA optimize=0x10002");
        done.map_err(|error| self.look_again(error.into()))
    }

    /// How much of the file is in use.
    ///
    /// # Errors
    /// Why the file could not be read.
    pub fn space(&self) -> Result<Space, StateError> {
        self.read("space", |reading| {
            let number = |pragma| {
                reading
                    .conn()
                    .pragma_query_value(None, pragma, |row| row.get(0))
            };
            Ok(Space {
                page_size: number("page_size")?,
                pages: number("page_count")?,
                free_pages: number("freelist_count")?,
            })
        })
    }

    /// Writes the whole file anew without its free pages, and empties the log, which grows by the size of the file. Writers wait meanwhile:
    /// 0.8 s for 230 MB were measured, and they give up after five. Pages change their places: what changed is then nearly everything. Needs as
    /// much space as the file has, on its own disk and once more where temporary files are (`TMPDIR`, else `/var/tmp`).
    ///
    /// # Errors
    /// Why that failed, the file being as it was: [`StateError::Full`], [`StateError::Locked`] after five seconds.
    pub fn vacuum(&self) -> Result<(), StateError> {
        self.refuse_copy()?;
        leave_space(self.home().root(), self.size().database_bytes)?;
        let connection = self.own_connection()?;
        // The new file is built on the disk, not in memory; it has no name there.
        let done = connection.execute_batch("PRAGMA temp_store=FILE; VACUUM");
        done.map_err(|error| self.look_again(error.into()))?;
        drop(connection);
        self.checkpoint(Checkpoint::Truncate).map(|_| ())
    }
}

#[cfg(test)]
mod tests;
