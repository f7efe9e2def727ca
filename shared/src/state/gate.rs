//! The two lock files that order openers: `run/gate.lock` and `run/migrate.lock`.
//!
//! Locks are the kernel's, on files that hold nothing: they vanish with the process, however it dies. The files stay
//! for ever, because deleting a lock file lets two processes lock two different files of the same name.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{StateError, busy};

/// Everybody who has the state file open holds this shared.
///
/// # Errors
/// [`StateError::BeingRestored`] while a restore holds it exclusive.
pub(super) fn enter(path: &Path) -> Result<File, StateError> {
    let file = lock_file(path)?;
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StateError::BeingRestored),
        Err(TryLockError::Error(error)) => Err(StateError::io("locking `gate.lock`", error)),
    }
}

/// One process at a time, waiting up to `patience`; dropping the file lets the next one in.
///
/// # Errors
/// [`StateError::Locked`] when it took too long.
pub(super) fn alone(path: &Path, patience: Duration) -> Result<File, StateError> {
    let file = lock_file(path)?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if since.elapsed() < patience => busy::pause(),
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked),
            Err(TryLockError::Error(error)) => {
                return Err(StateError::io("locking `migrate.lock`", error));
            }
        }
    }
}

fn lock_file(path: &Path) -> Result<File, StateError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| StateError::io("opening a lock file", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_enter_together_and_nobody_while_a_restore_is_inside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.lock");
        let (one, two) = (enter(&path).unwrap(), enter(&path).unwrap());
        let restore = lock_file(&path).unwrap();
        assert!(matches!(restore.try_lock(), Err(TryLockError::WouldBlock)));
        drop((one, two));
        restore.try_lock().unwrap();
        assert!(matches!(enter(&path), Err(StateError::BeingRestored)));
    }

    #[test]
    fn the_second_one_waits_no_longer_than_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("migrate.lock");
        let first = alone(&path, Duration::ZERO).unwrap();
        assert!(matches!(
            alone(&path, Duration::from_millis(20)),
            Err(StateError::Locked)
        ));
        drop(first);
        alone(&path, Duration::ZERO).unwrap();
    }
}
