//! Putting another file in the place of the state file: the one thing in the house that replaces it.
//!
//! The steps, each of which leaves the old file or the new one whole under its name, whenever the process dies:
//!
//! 1. `run/gate.lock` exclusively: nobody has the file open, and nobody opens it until this ends.
//! 2. The new file is one of ours, lies on the same disk, is marked as restored and is on the disk.
//! 3. The old one is compared with it, and its log is copied back into it: no `-wal` is left that SQLite would replay onto the new file.
//! 4. A line outside of the file says that the audit goes back (`audit::checkpoint`).
//! 5. The old file gets a second name in `backups/kept/`, and the new one is renamed over the first.
//!
//! Here: these steps. Not here: what a restored file says of itself (`mark`), what the old one has that the new one has not (`compare`), and where
//! the new file comes from.

mod compare;
mod mark;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use compare::newer_than;
pub use mark::upgrade_copy;

use self::compare::Live;
use super::kept::{self, Before};
use super::{StateError, file_system, gate, holders, open, presence};
use crate::audit::checkpoint;
use crate::fsx;
use crate::paths::Home;

/// A restore that is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Restore<'a> {
    /// What is restored: a backup's id, or the moment that was asked for. For people; it stands in the audit.
    pub from: &'a str,
    /// The moment up to which the new file has everything, in milliseconds since 1970.
    pub reached_ms: i64,
    /// Now.
    pub now_ms: i64,
    /// How long to wait for those who have the file open.
    pub patience: Duration,
    /// Whether what only the old file has may go.
    pub force: bool,
}

/// A restore that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Where the old file is kept; `None` when there was none.
    pub kept: Option<PathBuf>,
    /// How often this state has been restored, this time included.
    pub epoch: u64,
}

/// Puts the database at `new`, which nobody has open, in the place of the state file, marked as restored. The old file is kept aside. A home
/// that does not exist is made. `new` is gone afterwards, unless it lies on another disk.
///
/// # Errors
/// [`StateError::InUse`] when somebody kept the file open for longer than the patience; [`StateError::WouldLose`] without force;
/// [`StateError::NotOurs`] and [`StateError::Newer`] about the new file. The live file is the old one then, whole.
pub fn replace(home: &Home, new: &Path, restore: &Restore<'_>) -> Result<Replaced, StateError> {
    open::make_folders(home)?;
    file_system::refuse_network(home.root())?;
    let _gate = alone(home, restore.patience)?;
    kept::unlink_aliases(home);
    let new = Newcomer::bring_near(home, new)?;
    let epoch = {
        let live = Live::look(home)?;
        if let (Some(live), false) = (&live, restore.force) {
            live.refuse_to_lose(&new.path)?;
        }
        let live_epoch = live.as_ref().map_or(0, Live::restore_epoch);
        let marked = mark::mark(&new.path, live_epoch, restore)?;
        new.settle()?;
        checkpoint::note_restore(home, &marked, restore.now_ms).map_err(|error| {
            StateError::io("noting the restore outside of the state file", error)
        })?;
        live.map_or(Ok(()), Live::empty_log)?;
        marked.epoch
    };
    let kept = keep_old(home, restore.now_ms)?;
    new.take_the_name(home)?;
    if let Some(kept) = &kept {
        kept::prune(home, Before::Restore, kept, restore.now_ms);
    }
    Ok(Replaced { kept, epoch })
}

/// Nobody else has the file open while this is held.
pub(super) fn alone(home: &Home, patience: Duration) -> Result<File, StateError> {
    match gate::alone(&home.gate_lock(), patience, || Ok(true)) {
        Ok(Some(gate)) => Ok(gate),
        Ok(None) | Err(StateError::Locked) => Err(StateError::InUse {
            holders: holders::in_words(home),
        }),
        Err(error) => Err(error),
    }
}

/// Gives the old file its name among the kept ones, beside the one it has. What is left of its log goes with it.
fn keep_old(home: &Home, now_ms: i64) -> Result<Option<PathBuf>, StateError> {
    let old = home.state_db();
    let log = presence::companion(&old, "-wal");
    let is_there = has_content(&old)?;
    let kept = if is_there || has_content(&log)? {
        Some(kept::place(home, Before::Restore, now_ms)?)
    } else {
        None
    };
    if let Some(kept) = &kept {
        let keep = |from: &Path, to: &Path| {
            second_name(from, to)
                .map_err(|error| StateError::io("keeping the old `state.db`", error))
        };
        if is_there {
            keep(&old, kept)?;
        }
        // Only a file that SQLite could not open, or that is gone, still has one.
        if has_content(&log)? {
            keep(&log, &presence::companion(kept, "-wal"))?;
        }
        kept::sync_folder(&home.kept_copies());
    }
    for suffix in ["-wal", "-shm"] {
        gone(&presence::companion(&old, suffix))?;
    }
    kept::sync_folder(home.root());
    Ok(kept.filter(|_| is_there))
}

fn has_content(path: &Path) -> Result<bool, StateError> {
    match fs::metadata(path) {
        Ok(about) => Ok(about.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StateError::io("looking at `state.db`", error)),
    }
}

/// A hard link; a copy, which has its name when it is whole, where the folder is on another disk.
fn second_name(from: &Path, to: &Path) -> io::Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let folder = fsx::folder_of(to);
    let half = tempfile::Builder::new()
        .prefix(kept::UNFINISHED)
        .tempfile_in(folder)?;
    fs::copy(from, half.path())?;
    half.as_file().sync_all()?;
    half.persist_noclobber(to)?;
    Ok(())
}

fn gone(path: &Path) -> Result<(), StateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StateError::io(
            "removing the log of the old `state.db`",
            error,
        )),
        _ => Ok(()),
    }
}

/// The new file, on the disk of the home; removed when the restore does not happen and the file is a copy of ours.
struct Newcomer {
    path: PathBuf,
    copy: Option<tempfile::TempPath>,
}

impl Newcomer {
    /// A rename works within a disk only, and `backups` may lie on another.
    fn bring_near(home: &Home, new: &Path) -> Result<Newcomer, StateError> {
        let copying = |error| StateError::io("copying the new file to the home's disk", error);
        if presence::is_same_disk(new, home.root()).map_err(copying)? {
            return Ok(Newcomer {
                path: new.to_owned(),
                copy: None,
            });
        }
        let near = tempfile::Builder::new()
            .prefix("new-")
            .suffix(".db")
            .tempfile_in(home.run_dir());
        let near = near.map_err(copying)?.into_temp_path();
        fs::copy(new, &near).map_err(copying)?;
        Ok(Newcomer {
            path: near.to_path_buf(),
            copy: Some(near),
        })
    }

    /// Closed, without companions, for its owner only, on the disk.
    fn settle(&self) -> Result<(), StateError> {
        let about = fs::metadata(&self.path)
            .map_err(|error| StateError::io("looking at the new `state.db`", error))?;
        open::close_to_others(&self.path, &about)?;
        kept::sync(&self.path)
    }

    fn take_the_name(self, home: &Home) -> Result<(), StateError> {
        let renaming = |error| StateError::io("putting the new `state.db` in place", error);
        fs::rename(&self.path, home.state_db()).map_err(renaming)?;
        kept::sync_folder(home.root());
        if let Some(copy) = self.copy {
            // Nothing has that name any more.
            let _ = copy.keep();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
