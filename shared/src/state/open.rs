//! Opening the state file, and what an open one says about itself.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rusqlite::Connection;

use super::connection::Address;
use super::pool::{Pool, PoolStatus};
use super::presence::{self, FileSizes, Presence};
use super::{StateError, file_system, gate, migrate};
use crate::paths::Home;

/// The first SQLite without the bug that loses pages when a commit meets two checkpoints (sqlite.org/wal.html).
const OLDEST_SQLITE: i32 = 3_051_003;

/// The open state file. Cloning shares it; it closes with the last clone.
#[derive(Clone)]
pub struct State(Arc<Inner>);

/// One opening of the state file, remembered without keeping the file open.
#[derive(Clone)]
pub struct Mark(Weak<Inner>);

impl Mark {
    /// Whether it was taken of this very opening.
    pub fn is_of(&self, state: &State) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&state.0))
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark")
    }
}

struct Inner {
    home: Home,
    path: PathBuf,
    address: Address,
    schema: u32,
    presence: Presence,
    pool: Pool,
    // Declared last, so that it goes last: while we hold it, no restore replaces the file. A copy has none.
    _gate: Option<Arc<File>>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("home", &self.0.home.root())
            .field("schema", &self.0.schema)
            .finish_non_exhaustive()
    }
}

impl State {
    /// Opens the file of `home`, creating home, file and tables where they are missing. Well under a millisecond when
    /// the file is there.
    ///
    /// # Errors
    /// Any [`StateError`] but `NotYetOpened`; nothing is left half made.
    pub fn open(home: &Home) -> Result<State, StateError> {
        refuse_old_sqlite()?;
        make_folders(home)?;
        let gate = gate::enter(&home.gate_lock())?;
        file_system::refuse_network(home.root())?;
        let path = home.state_db();
        make_file(home, &path)?;
        let presence = Presence::of(&path)?;
        presence::writable(&path)?;
        let address = Address::live(&path);
        let mut first = address.open()?;
        let schema = migrate::bring_up(&mut first, home)?;
        presence.check()?;
        let gate = Arc::new(gate);
        let pool = Pool::starting_with(first, &address, Some(Arc::clone(&gate)));
        Ok(State(Arc::new(Inner {
            home: home.clone(),
            path,
            address,
            schema,
            presence,
            pool,
            _gate: Some(gate),
        })))
    }

    /// Opens a finished copy for reading: no gate, no migration, nothing made. What may be opened is settled by [`super::copy`].
    pub(super) fn over_copy(
        path: &Path,
        first: Connection,
        address: Address,
        schema: u32,
    ) -> Result<State, StateError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        Ok(State(Arc::new(Inner {
            home: Home::at(folder),
            path: path.to_owned(),
            presence: Presence::of(path)?,
            pool: Pool::starting_with(first, &address, None),
            address,
            schema,
            _gate: None,
        })))
    }

    /// Another connection to the file, for work that must not take one of the few that everybody shares.
    pub(super) fn own_connection(&self) -> Result<Connection, StateError> {
        self.check_in_place()?;
        Ok(self.0.address.open()?)
    }

    /// Where the database itself lies.
    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }

    /// # Errors
    /// [`StateError::ReadOnly`] for a copy: what is in it is what was backed up.
    pub(super) fn refuse_copy(&self) -> Result<(), StateError> {
        match self.0.address.is_copy() {
            true => Err(StateError::ReadOnly),
            false => Ok(()),
        }
    }

    /// Whether the other one is a clone of this one, and not the same file opened another time.
    pub fn is_same(&self, other: &State) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Which opening this is, for who remembers something about the file and must not keep it open.
    pub fn mark(&self) -> Mark {
        Mark(Arc::downgrade(&self.0))
    }

    /// Where it lies.
    pub fn home(&self) -> &Home {
        &self.0.home
    }

    /// The schema number of the file when it was opened.
    pub fn schema_version(&self) -> u32 {
        self.0.schema
    }

    /// Sizes on disk, by `stat`.
    pub fn size(&self) -> FileSizes {
        presence::sizes(&self.0.path)
    }

    /// Connections of this process.
    pub fn pool(&self) -> PoolStatus {
        self.0.pool.status()
    }

    /// Is the file that was opened still the one under its name? About a microsecond.
    ///
    /// # Errors
    /// [`StateError::Moved`] when what is written now would be lost.
    pub fn check_in_place(&self) -> Result<(), StateError> {
        self.0.presence.check()
    }

    /// [`State::check_in_place`], and may this user write to it now? The disk may have become read-only since.
    pub(super) fn check_writable(&self) -> Result<(), StateError> {
        self.refuse_copy()?;
        self.check_in_place()?;
        presence::writable(&self.0.path)
    }

    /// Shows the pool's size, when it is another than at the last look: each change of a gauge is a row to write.
    pub(super) fn note_pool(&self) {
        self.0.pool.note();
    }

    pub(super) fn connection(&self, patience: Duration) -> Result<super::pool::Pooled, StateError> {
        self.0.pool.take(patience)
    }
}

fn refuse_old_sqlite() -> Result<(), StateError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StateError::OldSqlite {
            version: rusqlite::version(),
        });
    }
    Ok(())
}

pub(super) fn make_folders(home: &Home) -> Result<(), StateError> {
    home.create().map_err(
        |source| match StateError::io("making the home folder", source) {
            StateError::Io { source, .. } => {
                let source = std::io::Error::other(source);
                StateError::MissingFolder {
                    path: home.root().to_owned(),
                    source,
                }
            }
            sorted => sorted,
        },
    )
}

/// Makes an empty file that only its owner may read, complete with that mode when it gets its name; SQLite gives its
/// companions the same mode. It is closed before it has the name, so that no lock of another thread is dropped.
fn make_file(home: &Home, path: &Path) -> Result<(), StateError> {
    match std::fs::metadata(path) {
        Ok(about) => return close_to_others(path, &about),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StateError::io("looking at `state.db`", error)),
    }
    let new = tempfile::Builder::new()
        .prefix("new-")
        .suffix(".db")
        .tempfile_in(home.run_dir());
    let new = new
        .map_err(|error| StateError::io("making `state.db`", error))?
        .into_temp_path();
    match new.persist_noclobber(path) {
        Ok(()) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StateError::io("making `state.db`", error.error)),
    }
}

/// A file that was copied here by hand is often readable for others.
#[cfg(unix)]
pub(super) fn close_to_others(path: &Path, about: &std::fs::Metadata) -> Result<(), StateError> {
    use std::os::unix::fs::PermissionsExt;
    if about.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| StateError::io("closing `state.db` to other users", error))
}

/// Windows: the folder of the user is closed to others already.
#[cfg(not(unix))]
pub(super) fn close_to_others(_path: &Path, _about: &std::fs::Metadata) -> Result<(), StateError> {
    Ok(())
}
