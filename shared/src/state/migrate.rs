//! The schema's history, and bringing a file up to date without two processes doing it at once.
//!
//! Migrations are appended, never edited, each with its way back. All pending ones run in one transaction, so that a
//! failed or killed one leaves the file as it was, and is not recorded.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use rusqlite_migration::{M, Migrations};

use super::{StateError, gate, tables};
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
pub(super) const NEWEST: u32 = HISTORY.len() as u32;

/// How long one process waits while another creates or migrates the file; 200 newcomers need well under a second.
const PATIENCE: Duration = Duration::from_secs(30);

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

    /// Nothing to do for this program. A newer schema is settled by [`refuse_newer`].
    fn is_ready(self) -> bool {
        self.application_id == APPLICATION_ID && self.schema >= NEWEST && self.write_ahead
    }
}

/// Brings the file behind `connection` to [`NEWEST`], unless somebody else has; gives the schema it has then.
///
/// # Errors
/// [`StateError::NotOurs`] and [`StateError::Newer`] for files to keep away from; [`StateError::Migration`].
pub(super) fn bring_up(connection: &mut Connection, home: &Home) -> Result<u32, StateError> {
    let mut header = Header::read(connection)?;
    if !header.is_ready() {
        let is_needed = || Ok(!Header::read(connection)?.is_ready());
        let alone = gate::alone(&home.migrate_lock(), PATIENCE, is_needed)?;
        // Whoever had the lock before us may have done it all.
        header = Header::read(connection)?;
        refuse_foreign(connection, header, home)?;
        if alone.is_some() && !header.is_ready() {
            header = prepare(connection, header)?;
        }
    }
    refuse_newer(connection, header.schema)?;
    Ok(header.schema)
}

/// Runs alone. The journal mode is kept in the file, so it is set here and nowhere else; it cannot be part of the
/// transaction, and is harmless without it.
fn prepare(connection: &mut Connection, header: Header) -> Result<Header, StateError> {
    if !header.write_ahead {
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    }
    if header.schema < NEWEST {
        to(connection, NEWEST)?;
    }
    Header::read(connection)
}

/// Moves the schema up or down to `version`, in one transaction.
pub(super) fn to(connection: &mut Connection, version: u32) -> Result<(), StateError> {
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    let moved = Migrations::from_slice(HISTORY).to_version(connection, version as usize);
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
fn refuse_foreign(connection: &Connection, header: Header, home: &Home) -> Result<(), StateError> {
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
    Err(StateError::NotOurs {
        path: home.state_db(),
        application_id: header.application_id,
    })
}

/// Not the schema number decides but what its author wrote into the file: additive steps do not lock older programs out.
fn refuse_newer(connection: &Connection, schema: u32) -> Result<(), StateError> {
    if schema <= NEWEST {
        return Ok(());
    }
    match tables::meta::compatible_from(connection) {
        Ok(Some(oldest)) if oldest <= NEWEST => Ok(()),
        Ok(_) => Err(StateError::Newer {
            file: schema,
            ours: NEWEST,
        }),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
