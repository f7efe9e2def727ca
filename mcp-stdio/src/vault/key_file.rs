//! Files that hold a master key.
//!
//! Here: the check of who may read one, reading and writing. Not here: which file it is (`source`). `master.key` in the home must be a
//! regular file of ours that nobody else can read; a file that the operator named (`--master-key-file`, `…_FILE`) may have another
//! owner and mode, because container secrets do, but it, too, is no pipe and no device.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;

use shared::fsx::{self, Mode};
use shared::secret::Secret;
use zeroize::Zeroizing;

use super::error::VaultError;
use super::key::secret_text;
use crate::shell::shell_word;

/// The largest file that is read for a key; the longest passphrase anyone types is shorter.
const MAX_BYTES: u64 = 64 * 1024;

/// Whether `path` may hold a key of ours, without reading it: `Ok(false)` when there is nothing.
///
/// # Errors
/// [`VaultError::KeyFile`] with the command that mends it: a link, no regular file, another owner, or open to others (unix).
pub fn check(path: &Path) -> Result<bool, VaultError> {
    match std::fs::symlink_metadata(path) {
        Ok(about) => private(path, &about).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The text in a file of our own, checked as [`check`] does it; `None` when there is no such file.
///
/// # Errors
/// As [`check`]; and when it cannot be read, is empty, too large or no text.
pub fn read(path: &Path) -> Result<Option<Secret>, VaultError> {
    if !check(path)? {
        return Ok(None);
    }
    let file = match open_no_follow(path) {
        Ok(file) => file,
        // Renamed away between the two looks.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error)),
    };
    // Asked again of what was opened: the name may have got another file since.
    let about = file.metadata().map_err(|error| unreadable(path, &error))?;
    private(path, &about)?;
    content(path, file).map(Some)
}

/// The text in a file that the operator named.
///
/// # Errors
/// When it does not exist, is no regular file, cannot be read, is empty, too large or no text.
pub(super) fn read_named(path: &Path) -> Result<Secret, VaultError> {
    // Asked before opening: opening a pipe waits for its other end.
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !about.is_file() {
        return Err(refuse(
            path,
            "is not a regular file",
            "name a file that holds the key and nothing else",
        ));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    content(path, file)
}

/// Writes a key: the file appears whole, on the disk, for its owner alone (0600), or not at all. What stood there is replaced.
///
/// # Errors
/// [`VaultError::KeyFile`] with what the file system said.
pub fn write(path: &Path, text: &Secret) -> Result<(), VaultError> {
    fsx::write_atomic(path, line(text).as_bytes(), Mode::Private)
        .map_err(|error| unwritable(path, &error))
}

/// The same where nothing stands yet; `false` when something does, which stays as it is: two who make a key at once end with one.
///
/// # Errors
/// As [`write()`].
pub fn write_new(path: &Path, text: &Secret) -> Result<bool, VaultError> {
    match fsx::write_new(path, line(text).as_bytes(), Mode::Private) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(unwritable(path, &error)),
    }
}

fn line(text: &Secret) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(text.expose().len() + 1));
    line.push_str(text.expose());
    line.push('\n');
    line
}

fn unwritable(path: &Path, error: &std::io::Error) -> VaultError {
    VaultError::file(
        path,
        "written",
        error,
        "see that its folder is writable and the disk not full",
    )
}

/// Puts `next` in place of `path`, durably.
pub(super) fn rename(next: &Path, path: &Path) -> Result<(), VaultError> {
    let done = std::fs::rename(next, path).and_then(|()| sync_folder(path));
    done.map_err(|error| {
        let fix = format!(
            "the new key works from where it is; put it in place with `mv {} {}`",
            shell_word(&next.to_string_lossy()),
            shell_word(&path.to_string_lossy())
        );
        VaultError::file(path, "replaced", &error, &fix)
    })
}

fn content(path: &Path, file: File) -> Result<Secret, VaultError> {
    // Of its final size from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    let only_a_key = "write the key, and nothing else, into it";
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refuse(path, "is larger than 64 KiB", only_a_key));
    }
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Err(refuse(path, "is empty", only_a_key));
    }
    secret_text(text).ok_or_else(|| refuse(path, "is not valid UTF-8", only_a_key))
}

#[cfg(unix)]
fn private(path: &Path, about: &std::fs::Metadata) -> Result<(), VaultError> {
    use std::os::unix::fs::MetadataExt;
    a_file(path, about)?;
    let shown = shell_word(&path.to_string_lossy());
    let me = rustix::process::geteuid().as_raw();
    if about.uid() != me {
        return Err(refuse(
            path,
            &format!(
                "belongs to another user (uid {}, this process is {me})",
                about.uid()
            ),
            &if me == 0 {
                "run this as the user whose key it is: as the superuser nothing of another user's is opened".to_owned()
            } else {
                format!("sudo chown {me} {shown}")
            },
        ));
    }
    if about.mode() & 0o077 != 0 {
        return Err(refuse(
            path,
            &format!("can be read by others (mode {:04o})", about.mode() & 0o7777),
            &format!("chmod 600 {shown}"),
        ));
    }
    Ok(())
}

/// Windows: the folder of the user is closed to others already.
#[cfg(not(unix))]
fn private(path: &Path, about: &std::fs::Metadata) -> Result<(), VaultError> {
    a_file(path, about)
}

fn a_file(path: &Path, about: &std::fs::Metadata) -> Result<(), VaultError> {
    let fix = format!(
        "put the key file itself there, or name the place where it is with ORDERDESK_MCP_MASTER_KEY_FILE; remove this one with `rm {}`",
        shell_word(&path.to_string_lossy())
    );
    if about.file_type().is_symlink() {
        return Err(refuse(path, "is a symbolic link", &fix));
    }
    if !about.is_file() {
        return Err(refuse(path, "is not a regular file", &fix));
    }
    Ok(())
}

#[cfg(unix)]
fn open_no_follow(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without waiting for the other end, should a pipe have taken the place.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_no_follow(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Windows has no handle for this; NTFS journals the rename.
#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

fn refuse(path: &Path, why: &str, fix: &str) -> VaultError {
    VaultError::KeyFile {
        path: path.to_owned(),
        why: why.to_owned(),
        fix: fix.to_owned(),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> VaultError {
    let fix = "name a file that this user can read";
    match error.kind() {
        ErrorKind::NotFound => refuse(path, "does not exist", fix),
        _ => VaultError::file(path, "read", error, fix),
    }
}

#[cfg(test)]
mod tests;
