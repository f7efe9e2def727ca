//! What the file system says about the state file, by `stat` alone.
//!
//! Opening the database or its `-wal` and `-shm` files by any means but SQLite is forbidden in the whole house: the
//! operating system drops all of a process's locks on a file when any handle of it is closed, and committed rows are
//! lost without an error.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::StateError;

/// Sizes on disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSizes {
    /// The database itself.
    pub database_bytes: u64,
    /// The write-ahead log; 0 when there is none.
    pub wal_bytes: u64,
}

/// Which file was opened, so that a moved, deleted or replaced one is noticed: SQLite goes on committing to a file
/// without a name, and everything written is lost.
#[derive(Debug)]
pub(super) struct Presence {
    path: PathBuf,
    identity: Identity,
}

impl Presence {
    /// Remembers the file at `path`.
    pub(super) fn of(path: &Path) -> Result<Presence, StateError> {
        let identity =
            identity(path).map_err(|error| StateError::io("looking at `state.db`", error))?;
        Ok(Presence {
            path: path.to_owned(),
            identity,
        })
    }

    /// About a microsecond: cheap enough to ask before every write.
    pub(super) fn check(&self) -> Result<(), StateError> {
        match identity(&self.path) {
            Ok(now) if now == self.identity => Ok(()),
            Ok(_) => Err(StateError::Moved),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StateError::Moved),
            Err(error) => Err(StateError::io("looking at `state.db`", error)),
        }
    }
}

/// A file that cannot be looked at counts as empty: sizes are for a gauge.
pub(super) fn sizes(database: &Path) -> FileSizes {
    let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    FileSizes {
        database_bytes: size(database),
        wal_bytes: size(&companion(database, "-wal")),
    }
}

/// May this user write the file and, where they exist, its companions? Asked before SQLite opens them: it opens what it
/// may not write for reading without a word, and then makes companions that nobody may write either, for good.
pub(super) fn writable(database: &Path) -> Result<(), StateError> {
    for suffix in ["", "-wal", "-shm"] {
        match writable_one(&companion(database, suffix)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            asked => asked.map_err(|error| StateError::io("looking at `state.db`", error))?,
        }
    }
    Ok(())
}

/// `state.db` → `state.db-wal`.
pub(super) fn companion(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Asks for the permissions of this user and of the disk.
#[cfg(unix)]
fn writable_one(path: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};
    Ok(access(path, Access::READ_OK | Access::WRITE_OK)?)
}

/// The attribute that Windows has for it.
#[cfg(not(unix))]
fn writable_one(path: &Path) -> io::Result<()> {
    match fs::metadata(path)?.permissions().readonly() {
        true => Err(io::ErrorKind::PermissionDenied.into()),
        false => Ok(()),
    }
}

/// Whether a file can be renamed into a folder: both are on one file system.
#[cfg(unix)]
pub(super) fn is_same_disk(one: &Path, other: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(one)?.dev() == fs::metadata(other)?.dev())
}

/// Windows: a rename moves within a drive, and copies between drives.
#[cfg(not(unix))]
pub(super) fn is_same_disk(one: &Path, _other: &Path) -> io::Result<bool> {
    fs::metadata(one).map(|_| true)
}

/// Whether two names are of one file.
#[cfg(unix)]
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

/// Windows: what a file is called by is not asked for; a second name of the live file cannot be left there, because it cannot be renamed
/// away while it is open.
#[cfg(not(unix))]
pub(super) fn is_same_file(_one: &Path, _other: &Path) -> bool {
    false
}

#[cfg(unix)]
type Identity = (u64, u64);

/// Device and inode.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map(|about| (about.dev(), about.ino()))
}

#[cfg(not(unix))]
type Identity = ();

/// Windows does not let an open database be moved or replaced; that it exists is enough.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        fs::write(&path, "one").unwrap();
        let presence = Presence::of(&path).unwrap();
        presence.check().unwrap();
        fs::write(folder.path().join("other"), "two").unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        #[cfg(unix)]
        assert!(matches!(presence.check(), Err(StateError::Moved)));
        fs::remove_file(&path).unwrap();
        assert!(matches!(presence.check(), Err(StateError::Moved)));
    }

    #[test]
    fn sizes_come_without_opening_and_a_missing_log_is_zero() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        fs::write(&path, "four").unwrap();
        assert_eq!(
            sizes(&path),
            FileSizes {
                database_bytes: 4,
                wal_bytes: 0
            }
        );
        fs::write(folder.path().join("state.db-wal"), "eleven more").unwrap();
        assert_eq!(sizes(&path).wal_bytes, 11);
    }
}
