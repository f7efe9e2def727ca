//! Reading and writing, always in an explicit transaction.

use std::ops::Deref;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{State, StateError, busy, file_system};
use crate::telemetry::names;

/// How long `write_probe` waits: a health check must answer while something is wrong.
const PROBE_PATIENCE: Duration = Duration::from_millis(250);

/// Below this much free space an I/O error is taken for a full disk.
const FULL_BELOW_BYTES: u64 = 64 * 1024;

/// What a commit means when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives any death of a process; a power cut may lose the last commits. For telemetry, quota and epochs, which
    /// are worth nothing after a power cut and are written many times a second: no commit waits for the disk.
    Normal,
    /// On the disk before the call returns. For intents, outcomes and keys: what is sent to a shop must not be known
    /// to the shop alone. Costs a disk flush inside the write lock.
    Full,
}

/// One snapshot of the file.
#[derive(Debug)]
pub struct Reading<'c> {
    connection: &'c Connection,
}

impl<'c> Reading<'c> {
    /// Reads through a connection that no pool has: files that are not the live one.
    pub(in crate::state) fn through(connection: &'c Connection) -> Reading<'c> {
        Reading { connection }
    }

    /// For the table modules.
    pub(in crate::state) fn conn(&self) -> &'c Connection {
        self.connection
    }
}

/// The only writer of the file for now; reads through it see what it wrote.
#[derive(Debug)]
pub struct Writing<'c>(Reading<'c>);

impl<'c> Writing<'c> {
    /// Writes through a transaction that is open on a connection that no pool has.
    pub(in crate::state) fn through(transaction: &'c Transaction<'_>) -> Writing<'c> {
        Writing(Reading::through(transaction))
    }
}

impl<'c> Deref for Writing<'c> {
    type Target = Reading<'c>;
    fn deref(&self) -> &Reading<'c> {
        &self.0
    }
}

impl State {
    /// Runs `work` on one snapshot: it never waits for writers and sees no half of their transactions. Keep it to
    /// milliseconds, the log cannot be emptied meanwhile. `operation` is a metric label from a small closed set.
    ///
    /// # Errors
    /// What `work` returns, or why there is no snapshot.
    pub fn read<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Reading<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let _timing = Timing::of(self, operation);
        self.reading(work).map_err(|error| self.look_again(error))
    }

    /// Runs `work` as the only writer and commits when it returns `Ok`; `Err` means that nothing was written. Waits up
    /// to five seconds for other writers. Not to be nested. `operation` is a metric label from a small closed set.
    ///
    /// # Errors
    /// What `work` returns; [`StateError::Locked`]; [`StateError::Moved`] before anything is written to a lost file.
    pub fn write<T>(
        &self,
        operation: &'static str,
        durability: Durability,
        work: impl FnOnce(&Writing<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let _timing = Timing::of(self, operation);
        self.writing(durability, work)
            .map_err(|error| self.look_again(error))
    }

    /// Can the write lock be had now? Takes it and lets go, writing nothing; gives the time it took. Waits a quarter
    /// of a second at most.
    ///
    /// # Errors
    /// Why a write would fail now.
    pub fn write_probe(&self) -> Result<Duration, StateError> {
        self.check_writable()?;
        let connection = self.connection(PROBE_PATIENCE)?;
        let since = Instant::now();
        let begun = busy::with_limit(PROBE_PATIENCE, || {
            begin(&connection, TransactionBehavior::Immediate)
        });
        begun
            .map_err(StateError::from)
            .and_then(|probe| Ok(probe.rollback()?))
            .map_err(|error| self.look_again(error))?;
        Ok(since.elapsed())
    }

    fn reading<T>(
        &self,
        work: impl FnOnce(&Reading<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let connection = self.connection(busy::PATIENCE)?;
        let snapshot = begin(&connection, TransactionBehavior::Deferred)?;
        work(&Reading {
            connection: &snapshot,
        })
        // Dropping the snapshot ends it.
    }

    fn writing<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Writing<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        self.refuse_copy()?;
        self.check_in_place()?;
        let connection = self.connection(busy::PATIENCE)?;
        let _synchronous = Synchronous::of(&connection, durability)?;
        let transaction = begin(&connection, TransactionBehavior::Immediate)?;
        let value = work(&Writing(Reading {
            connection: &transaction,
        }))?;
        transaction.commit()?;
        Ok(value)
    }

    /// SQLite reports some writes that found no space as plain I/O errors.
    pub(super) fn look_again(&self, error: StateError) -> StateError {
        let full = || {
            file_system::free_bytes(self.home().root()).is_some_and(|free| free < FULL_BELOW_BYTES)
        };
        if matches!(error, StateError::Io { .. }) && full() {
            StateError::Full
        } else {
            error
        }
    }
}

/// `Connection::transaction` wants `&mut`, which a pooled connection gives only while nothing else borrows it.
pub(super) fn begin(
    connection: &Connection,
    behavior: TransactionBehavior,
) -> rusqlite::Result<Transaction<'_>> {
    Transaction::new_unchecked(connection, behavior)
}

/// `synchronous=FULL` for one transaction; it cannot be changed inside of it.
struct Synchronous<'c>(Option<&'c Connection>);

impl Synchronous<'_> {
    fn of(connection: &Connection, durability: Durability) -> Result<Synchronous<'_>, StateError> {
        if durability == Durability::Normal {
            return Ok(Synchronous(None));
        }
        connection.execute_batch("PRAGMA synchronous=FULL")?;
        Ok(Synchronous(Some(connection)))
    }
}

impl Drop for Synchronous<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.0 {
            // Left at FULL, later commits of this connection would be slower, not less safe.
            let _ = connection.execute_batch("PRAGMA synchronous=NORMAL");
        }
    }
}

/// Measures one operation from asking for a connection to giving it back, however it ends.
struct Timing<'s> {
    state: &'s State,
    operation: &'static str,
    since: Instant,
}

impl Timing<'_> {
    fn of<'s>(state: &'s State, operation: &'static str) -> Timing<'s> {
        Timing {
            state,
            operation,
            since: Instant::now(),
        }
    }
}

impl Drop for Timing<'_> {
    fn drop(&mut self) {
        metrics::histogram!(names::DB_QUERY_DURATION.name, "operation" => self.operation)
            .record(self.since.elapsed());
        self.state.note_pool();
    }
}

#[cfg(test)]
mod tests;
