//! Looking at the schema of a home's file and moving it on purpose, for a person at a command line.

use std::path::PathBuf;
use std::time::Duration;

use super::{Header, NEWEST, OURS, bring_up_with, copy_before, move_to, refuse_foreign};
use crate::paths::Home;
use crate::state::{State, StateError, connection, file_system, gate, replace, tables};

/// The schema that has no way down: below it the file would be empty.
const OLDEST: u32 = 1;

/// The schema of a file and of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationStatus {
    /// The file's; `None` when there is no file yet.
    pub file: Option<u32>,
    /// The newest that this program knows.
    pub newest: u32,
    /// The oldest whose programs may use the file.
    pub compatible_from: Option<u32>,
    /// How many migrations this program would run.
    pub pending: u32,
}

/// A schema that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// What it was.
    pub from: u32,
    /// What it is.
    pub to: u32,
    /// The copy that was made before; `None` when nothing changed or nothing was in the file.
    pub kept_copy: Option<PathBuf>,
}

/// What migrations there would be to do. Changes and makes nothing.
///
/// # Errors
/// Why the file could not be read; a file newer than this program is none.
pub fn migration_status(home: &Home) -> Result<MigrationStatus, StateError> {
    let none = MigrationStatus {
        file: None,
        newest: NEWEST,
        compatible_from: None,
        pending: NEWEST,
    };
    let path = home.state_db();
    if !path.exists() {
        return Ok(none);
    }
    let _gate = gate::enter(&home.gate_lock())?;
    let connection = connection::open(&path)?;
    let header = Header::read(&connection)?;
    refuse_foreign(&connection, header, &path)?;
    if header.schema == 0 {
        return Ok(none);
    }
    Ok(MigrationStatus {
        file: Some(header.schema),
        compatible_from: tables::meta::compatible_from(&connection)?,
        pending: NEWEST.saturating_sub(header.schema),
        ..none
    })
}

/// Moves the file's schema up to the newest that this program knows (`None`), or down to an older one. Going up happens beside others, as it
/// does whenever a program opens an older file; for going down nobody may have the file open.
///
/// # Errors
/// [`StateError::InUse`] when somebody kept it open for longer than `patience`; [`StateError::NoSuchSchema`] for a schema that there is no way
/// down to; [`StateError::Newer`] for a file that only a newer program knows how to move; [`StateError::Uncopied`]. The file is as it was then.
pub fn migrate_to(
    home: &Home,
    version: Option<u32>,
    now_ms: i64,
    patience: Duration,
) -> Result<Migrated, StateError> {
    let before = migration_status(home)?;
    match (version, before.file) {
        (Some(version), Some(_)) => down(home, version, now_ms, patience),
        (Some(version), None) => Err(StateError::NoSuchSchema {
            wanted: version,
            file: 0,
        }),
        (None, file) => up(home, file.unwrap_or(0)),
    }
}

/// Beside others, by the way of every opener.
fn up(home: &Home, from: u32) -> Result<Migrated, StateError> {
    let kept_copy = match from {
        // A file that has to be made has nothing to be copied.
        0 => State::open(home).map(|_| None)?,
        _ => {
            let _gate = gate::enter(&home.gate_lock())?;
            file_system::refuse_network(home.root())?;
            let mut connection = connection::open(&home.state_db())?;
            bring_up_with(OURS, &mut connection, home)?.kept_copy
        }
    };
    let to = migration_status(home)?.file.unwrap_or(from);
    Ok(Migrated {
        from,
        to,
        kept_copy,
    })
}

/// Alone: who has the file open counts on what is about to go.
fn down(home: &Home, to: u32, now_ms: i64, patience: Duration) -> Result<Migrated, StateError> {
    let _gate = replace::alone(home, patience)?;
    let mut connection = connection::open(&home.state_db())?;
    let header = Header::read(&connection)?;
    refuse_foreign(&connection, header, &home.state_db())?;
    let from = header.schema;
    if from > NEWEST {
        return Err(StateError::Newer {
            file: from,
            ours: NEWEST,
        });
    }
    if to < OLDEST || to > from {
        return Err(StateError::NoSuchSchema {
            wanted: to,
            file: from,
        });
    }
    let kept_copy = copy_before(home, from, to, now_ms)?;
    if to < from {
        move_to(OURS, &mut connection, to)?;
    }
    Ok(Migrated {
        from,
        to,
        kept_copy,
    })
}
