//! `run/key.lock`: who may change the master key of a home.
//!
//! Here: taking it, and saying who has it. The lock is the kernel's and goes with its process; what stands in the file is only for the
//! message. The file stays for ever: deleting a lock file lets two processes lock two files of one name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use shared::paths::Home;

use super::error::VaultError;

/// Held while a master key is made, rotated, imported, or a rotation ended; let go when dropped.
#[derive(Debug)]
pub struct KeyLock(File);

impl KeyLock {
    /// Takes the lock or says at once who has it. `what` is told to whoever comes second: the command, say.
    ///
    /// # Errors
    /// [`VaultError::KeyLocked`]; [`VaultError::KeyFile`] when there can be no lock file.
    pub fn take(home: &Home, what: &str) -> Result<KeyLock, VaultError> {
        let path = home.key_lock();
        let failed = |error: std::io::Error| {
            VaultError::file(
                &path,
                "locked",
                &error,
                "see that the home folder is writable",
            )
        };
        home.create().map_err(failed)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = KeyLock(file);
                lock.sign(what);
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(VaultError::KeyLocked { who: holder(file) }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Leaves a note for whoever comes second; without it they wait just the same.
    fn sign(&mut self, what: &str) {
        let note = format!("{what}, process {}\n", std::process::id());
        let _ = self
            .0
            .set_len(0)
            .and_then(|()| self.0.rewind())
            .and_then(|()| self.0.write_all(note.as_bytes()));
    }
}

/// Closing would do, but for a child that is being started just then and has inherited the file for a moment.
impl Drop for KeyLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// What the holder wrote; Windows lets nobody read a locked file.
fn holder(file: File) -> String {
    let mut note = String::new();
    let read = file.take(200).read_to_string(&mut note);
    match note.trim() {
        words if read.is_ok() && !words.is_empty() => words.to_owned(),
        _ => "another process of this home".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_who_has_the_lock_and_the_next_one_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let first = KeyLock::take(&home, "key rotate").unwrap();
        let error = KeyLock::take(&home, "init").unwrap_err();
        assert_eq!(error.code(), "key_locked");
        #[cfg(unix)]
        assert!(
            error
                .to_string()
                .contains(&format!("key rotate, process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        KeyLock::take(&home, "init").unwrap();
    }
}
