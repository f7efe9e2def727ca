//! Copies of the state file that are kept on this machine: what there was before a migration or a restore.
//!
//! Plain databases in `backups/kept/`, for their owner only, named by what they precede and when. A copy gets its name when it is whole,
//! checked and on the disk. Of each kind the newest three stay, the one that was just made whatever the clock says, and what preceded the
//! restores of the last week: who tries several moments after each other goes back to the file before the first.

mod listing;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use listing::{KeptCopy, kept_copies};

use super::{State, StateError, copy, presence};
use crate::fsx;
use crate::paths::Home;

/// How many of each kind stay.
const STAY: usize = 3;

/// What preceded a restore stays so long in any case. Restores are rare, and each may be a wrong guess.
const STAY_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// A copy that is whole and not yet checked.
const UNCHECKED: &str = ".unchecked.db";

/// The name of what is not whole yet begins with this.
pub(super) const UNFINISHED: &str = copy::UNFINISHED;

/// What a copy precedes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// The schema was about to be moved.
    Migration {
        /// The schema of the copy.
        from: u32,
        /// The one that was wanted.
        to: u32,
    },
    /// Another file was about to take the place of this one.
    Restore,
}

impl Before {
    /// How the names of all copies of this kind begin.
    fn kind(self) -> &'static str {
        match self {
            Before::Migration { .. } => "before-migration-",
            Before::Restore => "before-restore-",
        }
    }

    /// From when on all copies of this kind stay, as their names say it; `None` when only their number counts.
    fn all_since(self, now_ms: i64) -> Option<String> {
        match self {
            Before::Migration { .. } => None,
            Before::Restore => Some(stamp(now_ms.saturating_sub(STAY_MS))),
        }
    }

    fn stem(self, now_ms: i64) -> String {
        let at = stamp(now_ms);
        match self {
            Before::Migration { from, to } => format!("{}{from}-to-{to}-{at}", self.kind()),
            Before::Restore => format!("{}{at}", self.kind()),
        }
    }
}

/// `20261121T214011Z`: sorts by time.
const STAMP: &str = "%Y%m%dT%H%M%SZ";

fn stamp(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime(STAMP).to_string()
}

/// A name that nothing has yet, in a folder that is there.
pub(super) fn place(home: &Home, before: Before, now_ms: i64) -> Result<PathBuf, StateError> {
    make_folder(home).map_err(|error| StateError::io("making `backups/kept`", error))?;
    let stem = before.stem(now_ms);
    let free = |path: &PathBuf| !path.exists();
    let numbered = (2..).map(|number| format!("{stem}-{number}.db"));
    let mut names = std::iter::once(format!("{stem}.db")).chain(numbered);
    let path = names.find_map(|name| Some(home.kept_copies().join(name)).filter(free));
    Ok(path.expect("numbers do not run out"))
}

/// A checked copy of everything that is committed in the live file, which others may go on writing to. One process makes one at a time.
///
/// # Errors
/// Why there is none; nothing half made is left, and the live file is untouched. [`StateError::Corrupt`] when the copy is not sound: then
/// neither is the live file.
pub(super) fn copy(home: &Home, before: Before, now_ms: i64) -> Result<PathBuf, StateError> {
    let path = place(home, before, now_ms)?;
    clear_unfinished(home);
    let unchecked = home.kept_copies().join(UNCHECKED);
    let checked = copy::copy_file(&home.state_db(), &unchecked, &mut |_, _| {
        ControlFlow::Continue(())
    })
    .and_then(|_| State::open_copy(&unchecked)?.inspect())
    .and_then(|_| {
        fs::rename(&unchecked, &path)
            .map_err(|error| StateError::io("naming a copy of `state.db`", error))
    });
    if let Err(error) = checked {
        let _ = fs::remove_file(&unchecked);
        return Err(error);
    }
    sync_folder(&home.kept_copies());
    prune(home, before, &path, now_ms);
    Ok(path)
}

/// What a killed process has left.
fn clear_unfinished(home: &Home) {
    let Ok(files) = fs::read_dir(home.kept_copies()) else {
        return;
    };
    for file in files.flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name == UNCHECKED || name.starts_with(UNFINISHED) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Removes what no longer has to stay of a kind; never `made`, which is newer than a clock that was set back since makes it look. What cannot
/// be removed stays.
pub(super) fn prune(home: &Home, before: Before, made: &Path, now_ms: i64) {
    let all_since = before.all_since(now_ms);
    let must_stay = |at: &String, copy: &Path| {
        copy == made || all_since.as_ref().is_some_and(|since| at >= since)
    };
    for (at, copy) in of_kind(home, before).iter().rev().skip(STAY) {
        if must_stay(at, copy) {
            continue;
        }
        for path in [presence::companion(copy, "-wal"), copy.clone()] {
            let _ = fs::remove_file(path);
        }
    }
}

/// Removes names among the kept copies that are still the live file's own: a restore died before the new file took the other name. Left
/// there, the live file could be opened under two names, and its log under neither.
pub(super) fn unlink_aliases(home: &Home) {
    for path in of_kind(home, Before::Restore).into_values() {
        if presence::is_same_file(&path, &home.state_db()) {
            let _ = fs::remove_file(path);
        }
    }
}

/// The copies of a kind by the time in their names. Of a file that was gone there may be a log alone.
fn of_kind(home: &Home, before: Before) -> BTreeMap<String, PathBuf> {
    let Ok(files) = fs::read_dir(home.kept_copies()) else {
        return BTreeMap::new();
    };
    let files = files.flatten().filter_map(|file| {
        let name = file.file_name().into_string().ok()?;
        let name = name.strip_suffix("-wal").unwrap_or(&name);
        let rest = name.strip_prefix(before.kind())?.strip_suffix(".db")?;
        // Eight digits, `T`, six digits, `Z`, and a number if there are several of that second.
        let at = rest.find('T')?.checked_sub(8)?;
        Some((rest.get(at..)?.to_owned(), home.kept_copies().join(name)))
    });
    files.collect()
}

fn make_folder(home: &Home) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home.kept_copies())
}

/// To the disk, whole.
pub(super) fn sync(path: &Path) -> Result<(), StateError> {
    File::options()
        .read(true)
        .write(true)
        .open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| StateError::io("writing a database to the disk", error))
}

/// The name to the disk; where that cannot be done the file is there all the same until the power fails.
pub(super) fn sync_folder(folder: &Path) {
    let _ = fsx::sync_folder(folder);
}

#[cfg(test)]
mod tests;
