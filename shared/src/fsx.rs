//! Files that appear whole or not at all.
//!
//! Here: [`write_atomic`], the only way this house replaces a file that someone may read meanwhile or that must survive a power cut, and
//! [`write_new`], which replaces nothing.
//! Not here: the state file, which belongs to SQLite alone.

use std::io::{self, Write};
use std::path::Path;

/// Who may read a file that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The owner only (0600 on unix; on Windows what the folder grants).
    Private,
    /// Everybody on the machine (0644 on unix): for files that hold nothing about a shop.
    Public,
    /// Whoever may read the file that is replaced; the owner only where there is none: for files of other programs, whose readers are not
    /// ours to choose.
    Kept,
}

/// Replaces `path` by `bytes`: a reader, and a machine that loses power, sees the old file or the new one, never a part.
///
/// The steps: a temporary file in the same folder (a rename across file systems would be a copy), written, flushed to disk, renamed
/// over the old one, and the folder flushed so that the rename itself survives. A symbolic link at `path` is replaced, not followed.
///
/// # Errors
/// Whatever the file system says; the old file is then untouched and the temporary one removed.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let folder = folder_of(path);
    let file = written(folder, bytes, mode)?;
    if mode == Mode::Kept
        && let Ok(replaced) = std::fs::metadata(path)
    {
        file.as_file().set_permissions(replaced.permissions())?;
    }
    file.persist(path).map_err(|failed| failed.error)?;
    sync_folder(folder)
}

/// Makes `path`, whole like [`write_atomic`], unless something of that name is there already: two who try at once cannot both succeed.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when the name is taken; else as [`write_atomic`].
pub fn write_new(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let folder = folder_of(path);
    let file = written(folder, bytes, mode)?;
    file.persist_noclobber(path)
        .map_err(|failed| failed.error)?;
    sync_folder(folder)
}

/// A temporary file with these bytes, on the disk.
fn written(folder: &Path, bytes: &[u8], mode: Mode) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    builder.permissions(unix_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The folder a path stands in; a bare file name stands in the current one.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn unix_mode(mode: Mode) -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(match mode {
        Mode::Private | Mode::Kept => 0o600,
        Mode::Public => 0o644,
    })
}

/// Makes the names in a folder survive a power cut.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Windows has no handle for this; NTFS journals the rename.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_new_file_never_replaces_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_new(&path, b"one", Mode::Private).unwrap();
        let refused = write_new(&path, b"two", Mode::Private).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_written_file_holds_the_bytes_and_leaves_no_other_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomic(&path, b"one", Mode::Private).unwrap();
        write_atomic(&path, b"two", Mode::Private).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_bare_name_stands_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("a.json")), Path::new("."));
        assert_eq!(folder_of(Path::new("/x/a.json")), Path::new("/x"));
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_state_and_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        fs::write(taken.join("inside"), b"x").unwrap();
        write_atomic(&taken, b"bytes", Mode::Private).unwrap_err();
        assert!(taken.join("inside").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        write_atomic(&folder.path().join("missing/a"), b"bytes", Mode::Private).unwrap_err();
    }

    #[test]
    fn a_reader_never_sees_a_part() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let (small, large) = (vec![b'a'; 10], vec![b'b'; 300_000]);
        write_atomic(&path, &small, Mode::Private).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for round in 0..40 {
                    write_atomic(
                        &path,
                        if round % 2 == 0 { &large } else { &small },
                        Mode::Private,
                    )
                    .unwrap();
                }
            });
            while !writer.is_finished() {
                let seen = fs::read(&path).unwrap();
                assert!(
                    seen == small || seen == large,
                    "a part of {} bytes",
                    seen.len()
                );
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_kept_file_is_for_whom_the_old_one_was() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let bits = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        write_atomic(&path, b"x", Mode::Kept).unwrap();
        assert_eq!(bits(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        write_atomic(&path, b"y", Mode::Kept).unwrap();
        assert_eq!(bits(&path), 0o664);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_for_its_owner_and_a_public_one_for_all() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (mode, bits) in [(Mode::Public, 0o644), (Mode::Private, 0o600)] {
            write_atomic(&path, b"x", mode).unwrap();
            let seen = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            // A stricter umask of the machine may take bits away, never add any.
            assert_eq!(seen & !bits, 0, "{seen:o}");
            assert_eq!(seen & 0o600, 0o600);
        }
    }
}
