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

/// One process at a time, waiting up to `patience`; dropping the file lets the next one in. `None` as soon as
/// `is_needed` says no: hundreds of processes that wait for one of them to make the file must not pass through one by
/// one when it is made. On a busy machine that queue takes longer than anybody's patience.
///
/// # Errors
/// [`StateError::Locked`] when it took too long; what `is_needed` fails with.
pub(super) fn alone(
    path: &Path,
    patience: Duration,
    mut is_needed: impl FnMut() -> Result<bool, StateError>,
) -> Result<Option<File>, StateError> {
    let file = lock_file(path)?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if since.elapsed() < patience => busy::pause(),
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked),
            Err(TryLockError::Error(error)) => {
                return Err(StateError::io("locking a lock file", error));
            }
        }
        if !is_needed()? {
            return Ok(None);
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
        let within = |patience| alone(&path, patience, || Ok(true));
        let first = within(Duration::ZERO).unwrap();
        let late = within(Duration::from_millis(20));
        assert!(matches!(late, Err(StateError::Locked)));
        drop(first);
        assert!(within(Duration::ZERO).unwrap().is_some());
    }

    #[test]
    fn nobody_waits_for_what_another_has_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("migrate.lock");
        let _first = alone(&path, Duration::ZERO, || Ok(true)).unwrap();
        let mut looks = 0;
        let second = alone(&path, Duration::from_secs(60), || {
            looks += 1;
            Ok(looks < 3)
        });
        assert!(second.unwrap().is_none());
        assert_eq!(looks, 3);
    }
}
