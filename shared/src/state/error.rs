//! What can go wrong with the state file, said for people: what, why, and `hint:` what to do.
//!
//! SQLite's answers are sorted by their extended code, never by their text. The questions a caller may ask are
//! methods ([`StateError::is_busy`], [`StateError::is_transient`], [`StateError::code`]).

use std::error::Error;
use std::io;
use std::path::PathBuf;

use rusqlite::ffi;

/// Why the state file could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Nobody has tried to open the file yet; see [`super::Slot`].
    #[error(
        "the state file is not open yet: it is opened in the background; hint: try again in a moment"
    )]
    NotYetOpened,
    /// A newer version of this program wrote the file and says that this one must not touch it.
    #[error(
        "the state file is newer than this program: it has schema {file}, this program knows {ours}; \
         hint: update this program; or, to stay with this one, stop everything that uses the file and run the newer \
         program's `ops-sidecar migrate down --to {ours}`"
    )]
    Newer {
        /// Schema of the file.
        file: u32,
        /// Newest schema this program knows.
        ours: u32,
    },
    /// The file is a database of some other program.
    #[error(
        "`{}` belongs to another program: its application id is {application_id:#010x}; \
         hint: give this program another home with `ORDERDESK_MCP_HOME`", path.display()
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What its header says instead of ours.
        application_id: u32,
    },
    /// The file, or a page of it, is not what SQLite wrote.
    #[error(
        "the state file is damaged: its content is not a sound database (SQLite code {sqlite_code}: {said}); \
         hint: restore a backup, or move `state.db`, `state.db-wal` and `state.db-shm` away and start afresh"
    )]
    Corrupt {
        /// SQLite's extended result code.
        sqlite_code: i32,
        /// What SQLite said, on one line.
        said: String,
    },
    /// The file or its folder may not be written.
    #[error(
        "the state file cannot be written: the file or its folder is read-only or belongs to another user; \
         hint: give the user that runs this program write access to the home folder"
    )]
    ReadOnly,
    /// No space left.
    #[error(
        "the state file cannot grow: the disk or a quota is full; hint: free space on the disk of the home folder"
    )]
    Full,
    /// Other processes held the write lock, or all connections were in use, for longer than this call would wait.
    #[error(
        "the state file is busy: other processes kept it locked longer than this call waits; hint: try again"
    )]
    Locked,
    /// The home folder lies where SQLite's shared memory does not work between processes.
    #[error(
        "the home folder is on a network file system (`{kind}`): a database shared by processes is not safe there; \
         hint: put the home on a local disk with `ORDERDESK_MCP_HOME`"
    )]
    NetworkFileSystem {
        /// The kind of file system, as the operating system names it.
        kind: String,
    },
    /// A restore, or a way back to an older schema, holds the gate.
    #[error(
        "the state file is being restored or taken back to an older schema: nobody may open it until that ends; \
         hint: try again in a moment"
    )]
    BeingRestored,
    /// The home folder is missing and could not be made.
    #[error("the home folder `{}` cannot be made: {source}; hint: make it, or choose another with `ORDERDESK_MCP_HOME`", path.display())]
    MissingFolder {
        /// The home folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file under the path is no longer the one that was opened: writes would be lost.
    #[error(
        "the state file was moved, deleted or replaced while it was open: what is written now would be lost; \
         hint: put it back, or let this program open the new one"
    )]
    Moved,
    /// The SQLite in this program can corrupt a file that is shared by processes.
    #[error(
        "the SQLite in this program is {version}: versions before 3.51.3 can damage a file shared by processes; \
         hint: build with the bundled SQLite"
    )]
    OldSqlite {
        /// Version of the linked library.
        version: &'static str,
    },
    /// Whoever has the file open did not let go of it in time.
    #[error(
        "the state file is in use by {holders}; hint: end what uses it (a client ends its servers when it is closed) and \
         try again; nothing was changed"
    )]
    InUse {
        /// Who, in words: kind, process id, since when, for which client.
        holders: String,
    },
    /// The live file has what the one that would take its place has not.
    #[error(
        "the state file has what its replacement has not, and this would be lost: {what}; \
         hint: take a later backup, or add `--force` if it may go; the present file is kept aside in any case"
    )]
    WouldLose {
        /// What, in words.
        what: String,
    },
    /// There is no way down to that schema.
    #[error(
        "there is no way down to schema {wanted}: the state file has schema {file}; \
         hint: `ops-sidecar migrate status` says what there is, and 1 is the lowest"
    )]
    NoSuchSchema {
        /// The schema that was wanted.
        wanted: u32,
        /// The file's; 0 when there is no file.
        file: u32,
    },
    /// No copy of the file could be made, so that its schema was left as it is.
    #[error(
        "the state file was not brought to schema {to}, because the copy that is made before could not be: {source}"
    )]
    Uncopied {
        /// The schema that was wanted.
        to: u32,
        /// Why there is no copy.
        source: Box<StateError>,
    },
    /// A migration of the file failed and left it as it was.
    #[error(
        "the state file could not be brought to schema {to}: {source}; hint: the file is unchanged, report this with the versions involved"
    )]
    Migration {
        /// The schema that was wanted.
        to: u32,
        /// What SQLite said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An audit record that would make its chain unsound; nothing was written.
    #[error("the audit record was not written: {why}; hint: {hint}")]
    AuditRefused {
        /// What is wrong with it.
        why: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// Whoever asked for a copy of the file did not wait for its end; nothing of it is left.
    #[error("the copy of the state file was not finished: it was stopped; hint: start it again")]
    Stopped,
    /// The operating system refused something.
    #[error(
        "the state file cannot be used: {doing} failed: {source}; hint: check the home folder and its disk"
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the operating system or SQLite said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A stored value or a statement is not what this program expects.
    #[error(
        "the state file gave an unexpected answer: {source}; hint: report this, it is a mistake in this program"
    )]
    Unexpected {
        /// What SQLite said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StateError {
    /// Somebody else held the lock; the same call may work at once.
    pub fn is_busy(&self) -> bool {
        matches!(self, StateError::Locked)
    }

    /// This may go away without anybody repairing anything. The others need a person, but no restart: opening again
    /// works as soon as the cause is gone.
    pub fn is_transient(&self) -> bool {
        if let StateError::Uncopied { source, .. } = self {
            return source.is_transient();
        }
        matches!(
            self,
            StateError::NotYetOpened
                | StateError::Locked
                | StateError::BeingRestored
                | StateError::Full
                | StateError::Moved
                | StateError::InUse { .. }
                | StateError::Io { .. }
        )
    }

    /// An open file that says this is damaged or no longer the one under its name: it is to be let go, so that the next
    /// attempt opens what stands there now. A file that is only full, read-only or busy stays open: reads go on.
    pub fn is_lost(&self) -> bool {
        matches!(
            self,
            StateError::Moved | StateError::Corrupt { .. } | StateError::NotOurs { .. }
        )
    }

    /// A word from a small closed set, for labels and status pages.
    pub fn code(&self) -> &'static str {
        match self {
            StateError::NotYetOpened => "not_yet_opened",
            StateError::Newer { .. } => "newer",
            StateError::NotOurs { .. } => "not_ours",
            StateError::Corrupt { .. } => "corrupt",
            StateError::ReadOnly => "read_only",
            StateError::Full => "full",
            StateError::Locked => "busy",
            StateError::NetworkFileSystem { .. } => "network_file_system",
            StateError::BeingRestored => "being_restored",
            StateError::MissingFolder { .. } => "missing_folder",
            StateError::Moved => "moved",
            StateError::OldSqlite { .. } => "old_sqlite",
            StateError::InUse { .. } => "in_use",
            StateError::WouldLose { .. } => "would_lose",
            StateError::NoSuchSchema { .. } => "no_such_schema",
            StateError::Uncopied { .. } => "uncopied",
            StateError::Migration { .. } => "migration",
            StateError::AuditRefused { .. } => "audit_refused",
            StateError::Stopped => "stopped",
            StateError::Io { .. } => "io",
            StateError::Unexpected { .. } => "unexpected",
        }
    }

    /// Damage; SQLite's words may come with line breaks.
    pub(super) fn corrupt(sqlite_code: i32, said: &str) -> StateError {
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        StateError::Corrupt { sqlite_code, said }
    }

    /// An error of the operating system, sorted by its kind.
    pub(crate) fn io(doing: &'static str, error: io::Error) -> StateError {
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StateError::ReadOnly
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StateError::Full,
            _ => StateError::Io {
                doing,
                source: error.into(),
            },
        }
    }
}

impl From<rusqlite::Error> for StateError {
    fn from(error: rusqlite::Error) -> StateError {
        match error.sqlite_error() {
            Some(failure) => by_code(failure.extended_code, error),
            None => StateError::Unexpected {
                source: error.into(),
            },
        }
    }
}

/// The primary code is the low byte of the extended one (sqlite.org/rescode.html).
fn by_code(extended: i32, error: rusqlite::Error) -> StateError {
    match (extended & 0xff, extended) {
        (_, ffi::SQLITE_READONLY_DBMOVED) => StateError::Moved,
        (ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB, _) | (_, ffi::SQLITE_IOERR_CORRUPTFS) => {
            StateError::corrupt(extended, &error.to_string())
        }
        (ffi::SQLITE_READONLY | ffi::SQLITE_PERM | ffi::SQLITE_AUTH, _) => StateError::ReadOnly,
        (ffi::SQLITE_FULL, _) => StateError::Full,
        (ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL, _) => StateError::Locked,
        (ffi::SQLITE_IOERR, _) => StateError::Io {
            doing: "reading or writing",
            source: error.into(),
        },
        (ffi::SQLITE_CANTOPEN, _) => StateError::Io {
            doing: "opening",
            source: error.into(),
        },
        _ => StateError::Unexpected {
            source: error.into(),
        },
    }
}

#[cfg(test)]
mod tests;
