//! One connection to the state file, set up the one way that suits a file shared by many processes.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::busy;

/// Prepared statements kept per connection; every table module together uses fewer.
const STATEMENTS: usize = 64;

/// Each setting with its reason; all but the journal mode (see `migrate`) belong to a connection, not to the file.
///
/// - `synchronous=NORMAL`: a commit does not wait for the disk. A killed process loses nothing, a power cut may lose
///   the last commits. What must not be lost asks for more: see `Durability`.
/// - `mmap_size=0`: a mapped database turned a race of checkpoints into real damage in the field.
/// - `journal_size_limit`: after a burst the log shrinks to 64 MiB; `wal_autocheckpoint`: the log is copied back every
///   1000 pages (4 MB), measured no slower than ten times as many.
/// - `secure_delete`: deleted keys and rows are overwritten, not left in free pages.
/// - `cache_size`: 1 MiB per connection, for the promise of a small process.
const SETTINGS: &str = "
    PRAGMA synchronous=NORMAL;
    PRAGMA mmap_size=0;
    PRAGMA journal_size_limit=67108864;
    PRAGMA wal_autocheckpoint=1000;
    PRAGMA foreign_keys=ON;
    PRAGMA trusted_schema=OFF;
    PRAGMA secure_delete=ON;
    PRAGMA temp_store=MEMORY;
    PRAGMA cache_size=-1024;
";

/// An existing file only: SQLite would create one that others may read. A connection has one user at a time.
pub(super) const FLAGS: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// One connection, ready for work.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, FLAGS)?;
    set_up(&connection)?;
    Ok(connection)
}

pub(super) fn set_up(connection: &Connection) -> rusqlite::Result<()> {
    busy::install(connection)?;
    // SQL cannot reach around SQLite's own bookkeeping, whatever a damaged schema says.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(SETTINGS)
}
