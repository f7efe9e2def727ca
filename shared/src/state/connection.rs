//! One connection to a database, set up the one way that suits it: the state file, shared by many processes, or a finished copy of it,
//! which nobody writes.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{StateError, busy};

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

/// What of that matters where nothing is written.
///
/// - `cell_size_check`: a page whose cells overlap is found when it is read.
const SETTINGS_OF_A_COPY: &str = "
    PRAGMA query_only=ON;
    PRAGMA cell_size_check=ON;
    PRAGMA mmap_size=0;
    PRAGMA trusted_schema=OFF;
    PRAGMA temp_store=MEMORY;
    PRAGMA cache_size=-1024;
";

/// An existing file only: SQLite would create one that others may read. A connection has one user at a time.
const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

const FLAGS_OF_A_COPY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY
    .union(OpenFlags::SQLITE_OPEN_URI)
    .union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Where a database is and how it is opened.
#[derive(Debug, Clone)]
pub(super) struct Address {
    name: PathBuf,
    is_copy: bool,
}

impl Address {
    /// The state file itself.
    pub(super) fn live(path: &Path) -> Address {
        Address {
            name: path.to_owned(),
            is_copy: false,
        }
    }

    /// A copy that nobody writes: SQLite takes it as it is, locks nothing and neither reads nor makes companions. On the live file that
    /// would be wrong: what is in its log would not be seen.
    pub(super) fn copy(path: &Path) -> Result<Address, StateError> {
        let full =
            std::path::absolute(path).map_err(|error| StateError::io("finding the copy", error))?;
        let unusual = || {
            StateError::io(
                "naming the copy",
                std::io::ErrorKind::InvalidFilename.into(),
            )
        };
        let mut name = url::Url::from_file_path(full).map_err(|()| unusual())?;
        name.set_query(Some("immutable=1"));
        Ok(Address {
            name: String::from(name).into(),
            is_copy: true,
        })
    }

    pub(super) fn is_copy(&self) -> bool {
        self.is_copy
    }

    /// As SQLite names it.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    pub(super) fn flags(&self) -> OpenFlags {
        match self.is_copy {
            true => FLAGS_OF_A_COPY,
            false => FLAGS,
        }
    }

    /// Makes a new connection ready for work.
    pub(super) fn set_up(&self, connection: &Connection) -> rusqlite::Result<()> {
        busy::install(connection)?;
        // SQL cannot reach around SQLite's own bookkeeping, whatever a damaged schema says.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        if self.is_copy {
            // We have none that reading needs; whoever forged a copy may have put some in.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        }
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.execute_batch(match self.is_copy {
            true => SETTINGS_OF_A_COPY,
            false => SETTINGS,
        })
    }

    pub(super) fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(&self.name, self.flags())?;
        self.set_up(&connection)?;
        Ok(connection)
    }
}

/// One connection to the state file, ready for work.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    Address::live(path).open()
}
