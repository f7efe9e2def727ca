//! The client's file: read, locked, backed up and replaced.
//!
//! Here: what no format cares about: the byte order mark, the size, links, permissions, and other programs at the same file. Two of us
//! exclude each other with a lock that leaves nothing behind. A client that writes the same file knows nothing of that lock (Claude Code
//! rewrites its file while it runs), so the file is compared with what was read immediately before it is replaced: what remains is the
//! instant between that comparison and the rename.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use shared::fsx::{self, Mode};

use super::error::HostError;

/// No client's configuration comes near this; something that long is something else.
const LARGEST_BYTES: u64 = 10 * 1024 * 1024;

/// How long we wait for another of us to be done. Its work takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause between two tries for the lock.
const PACE: Duration = Duration::from_millis(10);

/// What some editors on Windows put in front of UTF-8.
const MARK: &str = "\u{feff}";

/// What stood in a file.
#[derive(Debug)]
pub(super) struct Found {
    /// The text, without a byte order mark.
    pub(super) text: String,
    bytes: Vec<u8>,
    marked: bool,
}

/// Reads a client's file; `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Found>, HostError> {
    let failed = |source| HostError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match fs::metadata(path) {
        Ok(about) if !about.is_file() => {
            return Err(HostError::NotAFile {
                path: path.to_owned(),
            });
        }
        Ok(_) => fs::File::open(path).map_err(failed)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return if path.is_symlink() {
                Err(HostError::DanglingLink {
                    path: path.to_owned(),
                })
            } else {
                Ok(None)
            };
        }
        Err(error) => return Err(failed(error)),
    };
    let size_bytes = file.metadata().map_err(failed)?.len();
    if size_bytes > LARGEST_BYTES {
        return Err(HostError::TooLarge {
            path: path.to_owned(),
            size_bytes,
        });
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let text = str::from_utf8(&bytes).map_err(|_| HostError::NotUtf8 {
        path: path.to_owned(),
    })?;
    let marked = text.starts_with(MARK);
    let text = text.strip_prefix(MARK).unwrap_or(text).to_owned();
    Ok(Some(Found {
        text,
        bytes,
        marked,
    }))
}

/// Makes the folder that a client's file stands in.
pub(super) fn make_folder(file: &Path) -> Result<(), HostError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|source| HostError::Write {
        path: folder.to_owned(),
        source,
    })
}

/// How a replacement went.
#[derive(Debug)]
pub(super) enum Replaced {
    /// The new text stands there; `backup` is the copy of what stood there before.
    Done { backup: Option<PathBuf> },
    /// Something else stands there than what was read; nothing was done.
    MovedOn,
}

/// A client's file that no other of us changes meanwhile.
#[derive(Debug)]
pub(super) struct Held<'a> {
    path: &'a Path,
    _lock: Option<fs::File>,
}

impl<'a> Held<'a> {
    /// Waits for another of us to be done, a few seconds at most.
    pub(super) fn lock(path: &'a Path) -> Result<Held<'a>, HostError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let deadline = Instant::now() + PATIENCE;
        loop {
            match try_lock(folder) {
                Ok(Some(lock)) => {
                    return Ok(Held {
                        path,
                        _lock: Some(lock),
                    });
                }
                Ok(None) if Instant::now() < deadline => pause(),
                Ok(None) => {
                    return Err(HostError::Busy {
                        path: path.to_owned(),
                    });
                }
                // A file system without locks: the comparison before the rename is what is left.
                Err(_) => return Ok(Held { path, _lock: None }),
            }
        }
    }

    /// What stands in the file now.
    pub(super) fn read(&self) -> Result<Option<Found>, HostError> {
        read(self.path)
    }

    /// Replaces what was found by a new text, after a copy of it was put beside it.
    pub(super) fn replace(
        &self,
        found: Option<&Found>,
        text: &str,
        now: Timestamp,
    ) -> Result<Replaced, HostError> {
        let target = self.target()?;
        let backup = match found {
            Some(found) => Some(self.back_up(&target, &found.bytes, now)?),
            None => None,
        };
        let mark = if found.is_some_and(|found| found.marked) {
            MARK
        } else {
            ""
        };
        let bytes = [mark.as_bytes(), text.as_bytes()].concat();
        let current = read(self.path)?;
        if current.map(|current| current.bytes).as_deref()
            != found.map(|found| found.bytes.as_slice())
        {
            if let Some(stale) = backup {
                let _ = fs::remove_file(stale);
            }
            return Ok(Replaced::MovedOn);
        }
        fsx::write_atomic(&target, &bytes, Mode::Kept).map_err(|source| HostError::Write {
            path: target,
            source,
        })?;
        Ok(Replaced::Done { backup })
    }

    /// The file itself, where the client's path is a link to it: people keep such files elsewhere and link them in.
    fn target(&self) -> Result<PathBuf, HostError> {
        if !self.path.is_symlink() {
            return Ok(self.path.to_owned());
        }
        fs::canonicalize(self.path).map_err(|source| HostError::Read {
            path: self.path.to_owned(),
            source,
        })
    }

    /// A copy beside the client's path, readable by whoever may read the original.
    fn back_up(&self, original: &Path, bytes: &[u8], now: Timestamp) -> Result<PathBuf, HostError> {
        let path = backup_path(self.path, now);
        let written = fsx::write_new(&path, bytes, Mode::Private).and_then(|()| {
            let permissions = fs::metadata(original)?.permissions();
            fs::set_permissions(&path, permissions)
        });
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(HostError::Write { path, source }),
        }
    }
}

/// `settings.json.backup-20261121T153000Z`; a second one in the same second gets a number.
fn backup_path(path: &Path, now: Timestamp) -> PathBuf {
    let stamp = now.strftime("%Y%m%dT%H%M%SZ");
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let first = path.with_file_name(format!("{name}.backup-{stamp}"));
    let more = (2..).map(|number| path.with_file_name(format!("{name}.backup-{stamp}-{number}")));
    let mut names = std::iter::once(first).chain(more);
    names
        .find(|name| !name.exists())
        .expect("the numbers do not end")
}

#[expect(
    clippy::disallowed_methods,
    reason = "locks have no wake-up; the wait ends at a deadline"
)]
fn pause() {
    std::thread::sleep(PACE);
}

/// A lock on the folder itself: no lock file is left in it.
#[cfg(unix)]
fn try_lock(folder: &Path) -> io::Result<Option<fs::File>> {
    let folder = fs::File::open(folder)?;
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Windows has no handle for that: a file that nobody else can open, which goes away with its handle, however we end.
#[cfg(windows)]
fn try_lock(folder: &Path) -> io::Result<Option<fs::File>> {
    use std::os::windows::fs::OpenOptionsExt;
    /// `FILE_FLAG_DELETE_ON_CLOSE`.
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    /// `ERROR_SHARING_VIOLATION`.
    const SHARING_VIOLATION: i32 = 32;
    let mut options = fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .share_mode(0)
        .custom_flags(DELETE_ON_CLOSE);
    match options.open(folder.join(".orderdesk-mcp-install.lock")) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error),
    }
}
