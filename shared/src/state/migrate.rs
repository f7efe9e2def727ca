//! The schema's history, and bringing a file up to date without two processes doing it at once.
//!
//! Migrations are appended, never edited, each with its way back. All pending ones run in one transaction, so that a
//! failed or killed one leaves the file as it was, and is not recorded. A file with something in it is copied before, by whoever migrates it
//! ([`super::kept`]); without a copy it stays as it is.
//!
//! New programs run beside old ones for a while: a migration that only adds leaves `meta.compatible_from` alone, and old programs go on. One that
//! takes away what they need raises it to its own number, in a later release than the one that stopped needing it.

mod command;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

pub use self::command::{Migrated, MigrationStatus, migrate_to, migration_status};
use super::kept::{self, Before};
use super::{StateError, gate, tables};
use crate::clock::{Clock, SystemClock};
use crate::paths::Home;

/// `application_id` in the file's header: "ODMC".
pub(super) const APPLICATION_ID: u32 = 0x4f44_4d43;

/// The history. Its length is the newest schema number.
const HISTORY: &[M<'_>] = &[
    M::up(include_str!("migrations/001_first.up.sql"))
        .down(include_str!("migrations/001_first.down.sql")),
    M::up(include_str!("migrations/002_vault_and_chain.up.sql"))
        .down(include_str!("migrations/002_vault_and_chain.down.sql")),
    M::up(include_str!("migrations/003_writes.up.sql"))
        .down(include_str!("migrations/003_writes.down.sql")),
];

/// The newest schema this program knows.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a history of four thousand million migrations is not expected"
)]
pub const NEWEST: u32 = HISTORY.len() as u32;

/// How long one process waits while another creates or migrates the file; 200 newcomers need well under a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// A history, and the newest schema it leads to. There is one in a program ([`OURS`]); tests play the next release with a longer one.
#[derive(Debug, Clone, Copy)]
struct History<'m>(&'m [M<'m>]);

/// The history of this program.
const OURS: History<'static> = History(HISTORY);

impl History<'_> {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a history of four thousand million migrations is not expected"
    )]
    fn newest(self) -> u32 {
        self.0.len() as u32
    }
}

/// What a file is, by its header alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) application_id: u32,
    pub(super) schema: u32,
    write_ahead: bool,
}

impl Header {
    /// Reads it; on a file that is no database this is where it shows.
    pub(super) fn read(connection: &Connection) -> Result<Header, StateError> {
        let number =
            |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        let journal: String =
            connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok(Header {
            application_id: number("application_id")?.cast_unsigned(),
            schema: number("user_version")?.cast_unsigned(),
            write_ahead: journal == "wal",
        })
    }

    /// Nothing to do for a program that knows this history. A newer schema is settled by [`refuse_newer`].
    fn is_ready(self, history: History<'_>) -> bool {
        self.application_id == APPLICATION_ID && self.schema >= history.newest() && self.write_ahead
    }
}

/// Brings the file behind `connection` to [`NEWEST`], unless somebody else has; gives the schema it has then.
///
/// # Errors
/// [`StateError::NotOurs`] and [`StateError::Newer`] for files to keep away from; [`StateError::Migration`], [`StateError::Uncopied`].
pub(super) fn bring_up(connection: &mut Connection, home: &Home) -> Result<u32, StateError> {
    Ok(bring_up_with(OURS, connection, home)?.schema)
}

/// A file as it was left for whoever opens it.
struct Brought {
    schema: u32,
    /// The copy that was made before, if it was us who migrated.
    kept_copy: Option<PathBuf>,
}

fn bring_up_with(
    history: History<'_>,
    connection: &mut Connection,
    home: &Home,
) -> Result<Brought, StateError> {
    let mut header = Header::read(connection)?;
    let mut kept_copy = None;
    if !header.is_ready(history) {
        let is_needed = || Ok(!Header::read(connection)?.is_ready(history));
        let alone = gate::alone(&home.migrate_lock(), PATIENCE, is_needed)?;
        // Whoever had the lock before us may have done it all.
        header = Header::read(connection)?;
        refuse_foreign(connection, header, &home.state_db())?;
        if alone.is_some() && !header.is_ready(history) {
            set_journal(connection, header)?;
            let (from, to) = (header.schema, history.newest());
            kept_copy = copy_before(home, from, to, SystemClock.now_ms())?;
            advance(history, connection, header)?;
            header = Header::read(connection)?;
        }
    }
    refuse_newer_than(history, connection, header.schema)?;
    Ok(Brought {
        schema: header.schema,
        kept_copy,
    })
}

/// The same for a file that nobody has open and that is a copy itself, on its way to the live one's place.
pub(super) fn bring_copy_up(connection: &mut Connection, path: &Path) -> Result<(), StateError> {
    let header = refuse_not_ours(connection, path)?;
    refuse_newer(connection, header.schema)?;
    set_journal(connection, header)?;
    advance(OURS, connection, header)
}

/// # Errors
/// [`StateError::NotOurs`], also for a file with nothing in it: no backup is empty.
pub(super) fn refuse_not_ours(connection: &Connection, path: &Path) -> Result<Header, StateError> {
    let header = Header::read(connection)?;
    match header.application_id == APPLICATION_ID {
        true => Ok(header),
        false => Err(not_ours(path, header)),
    }
}

/// The journal mode is kept in the file, so it is set here and nowhere else; it cannot be part of the transaction, and is harmless without it.
fn set_journal(connection: &Connection, header: Header) -> Result<(), StateError> {
    if !header.write_ahead {
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    }
    Ok(())
}

fn advance(
    history: History<'_>,
    connection: &mut Connection,
    header: Header,
) -> Result<(), StateError> {
    if header.schema < history.newest() {
        move_to(history, connection, history.newest())?;
    }
    Ok(())
}

/// Keeps a copy of a file that has something in it; a new one has schema 0.
fn copy_before(
    home: &Home,
    from: u32,
    to: u32,
    now_ms: i64,
) -> Result<Option<PathBuf>, StateError> {
    if from == 0 || from == to {
        return Ok(None);
    }
    match kept::copy(home, Before::Migration { from, to }, now_ms) {
        Ok(copy) => {
            tracing::info!(from, to, copy = %copy.display(), "a copy of the state file was made before its schema changes");
            Ok(Some(copy))
        }
        Err(source) => Err(StateError::Uncopied {
            to,
            source: source.into(),
        }),
    }
}

/// Moves the schema up or down to `version`, in one transaction.
fn move_to(
    history: History<'_>,
    connection: &mut Connection,
    version: u32,
) -> Result<(), StateError> {
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let moved = Migrations::from_slice(history.0).to_version(connection, version as usize);
    connection.set_transaction_behavior(TransactionBehavior::Deferred);
    moved.map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, query } => match StateError::from(err) {
            StateError::Unexpected { source } => StateError::Migration {
                to: version,
                source: format!("{source} in `{query}`").into(),
            },
            sorted => sorted,
        },
        other => StateError::Migration {
            to: version,
            source: other.into(),
        },
    })
}

/// A file without our mark is ours to fill only when there is nothing in it.
fn refuse_foreign(connection: &Connection, header: Header, path: &Path) -> Result<(), StateError> {
    let empty = || {
        connection.query_row(
            "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)",
            [],
            |row| row.get::<_, bool>(0),
        )
    };
    if header.application_id == APPLICATION_ID || (header.application_id == 0 && empty()?) {
        return Ok(());
    }
    Err(not_ours(path, header))
}

fn not_ours(path: &Path, header: Header) -> StateError {
    StateError::NotOurs {
        path: path.to_owned(),
        application_id: header.application_id,
    }
}

/// Not the schema number decides but what its author wrote into the file: additive steps do not lock older programs out.
pub(super) fn refuse_newer(connection: &Connection, schema: u32) -> Result<(), StateError> {
    refuse_newer_than(OURS, connection, schema)
}

fn refuse_newer_than(
    history: History<'_>,
    connection: &Connection,
    schema: u32,
) -> Result<(), StateError> {
    let ours = history.newest();
    if schema <= ours {
        return Ok(());
    }
    match tables::meta::compatible_from(connection) {
        Ok(Some(oldest)) if oldest <= ours => Ok(()),
        Ok(_) => Err(StateError::Newer { file: schema, ours }),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
pub(super) mod tests;
