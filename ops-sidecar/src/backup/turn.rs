//! One at a time: who makes, prunes or tries out backups of a home holds `run/backup.lock`.
//!
//! The kernel gives the lock back when its holder dies, however it dies. The holder's process id stands in the file, for people only.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use shared::paths::Home;

/// How often a taken lock is tried again.
const TRY_EVERY: Duration = Duration::from_millis(50);
/// More than any process id has digits.
const PID_DIGITS: u64 = 20;

/// The right to work on the backups of a home, until dropped.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

/// The turn could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// Somebody else has it.
    #[error("another backup is being made by pid {pid}; hint: wait for it, or stop that process")]
    Taken {
        /// Who, `unknown` if that cannot be read.
        pid: String,
    },
    /// The lock file cannot be made or locked.
    #[error(
        "cannot lock `run/backup.lock` in the home folder; hint: this user needs write access to it"
    )]
    Io(#[from] io::Error),
}

impl Turn {
    /// Takes the turn, waiting up to `patience` for whoever has it.
    ///
    /// # Errors
    /// Somebody still has it, or the lock file refuses.
    pub fn take(home: &Home, patience: Duration) -> Result<Turn, TurnError> {
        home.create()?;
        let until = Instant::now() + patience;
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(home.backup_lock())?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                    return Err(TurnError::Taken {
                        pid: holder(&mut file),
                    });
                }
                Err(TryLockError::WouldBlock) => pause(),
            }
        }
        // Who cannot be named holds the lock all the same: on a full disk a backup to elsewhere is worth most.
        let _ = sign(&mut file);
        Ok(Turn { _lock: file })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file lock cannot be waited for with a deadline, so it is asked for again at a pace"
)]
fn pause() {
    std::thread::sleep(TRY_EVERY);
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(PID_DIGITS).read_to_string(&mut text);
    let pid = text.trim();
    if read.is_ok() && !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()) {
        pid.to_owned()
    } else {
        "unknown".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_who_waits_in_vain_is_told_for_whom() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let turn = Turn::take(&home, Duration::ZERO).unwrap();
        let refused = Turn::take(&home, Duration::ZERO).unwrap_err();
        let expected = format!("pid {}", std::process::id());
        assert!(refused.to_string().contains(&expected), "{refused}");
        drop(turn);
        Turn::take(&home, Duration::ZERO).unwrap();
    }

    #[test]
    fn who_waits_gets_the_turn_when_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let turn = Turn::take(&home, Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| Turn::take(&home, Duration::from_secs(30)));
            drop(turn);
            waiting.join().unwrap().unwrap();
        });
    }
}
