//! Giving a state back: found at whichever target works, proven, and only then put in place.
//!
//! [`bring`], or [`bring_kept`], leaves a checked database in a folder of its own and touches nothing else; an interrupted one leaves that
//! folder, which the next removes. Then [`leave`] puts it under a new name, or [`put_in_place`] makes it the state file. Here: these two. Not here: which ways
//! there are (`choice`), taking them (`bring`), and how a file is replaced (`shared::state`).

mod bring;
mod choice;
mod error;
mod kept;

use std::path::Path;
use std::time::Duration;

use shared::paths::Home;
use shared::state::{Replaced, Restore, replace};

pub use bring::{Brought, Skipped, Source, Wanted, both_of_each, bring, window_of_each};
pub use choice::{Candidate, Origin, What, Window, candidates};
pub use error::RestoreError;
pub use kept::bring_kept;

/// Leaves what was brought under the name `to`, for its owner only.
///
/// # Errors
/// [`RestoreError::Exists`] if there is something of that name; what the file system says.
pub fn leave(brought: &Brought, to: &Path) -> Result<(), RestoreError> {
    let here = |source| RestoreError::Here {
        path: to.to_owned(),
        source,
    };
    // The log of another database that lay there would be replayed onto this one.
    for companion in ["-wal", "-journal"] {
        let mut path = to.as_os_str().to_owned();
        path.push(companion);
        if Path::new(&path).symlink_metadata().is_ok() {
            return Err(RestoreError::Exists { path: path.into() });
        }
    }
    let image = tempfile::TempPath::try_from_path(&brought.image.path).map_err(here)?;
    image.persist_noclobber(to).map_err(|failed| {
        if failed.error.kind() == std::io::ErrorKind::AlreadyExists {
            return RestoreError::Exists {
                path: to.to_owned(),
            };
        }
        here(failed.error)
    })?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(here)
}

/// Makes what was brought the state file of `home`, marked as restored; the old one is kept aside. Waits `patience` for those who have it
/// open. Without `force`, a state file that has something the new one has not stays.
///
/// # Errors
/// [`RestoreError::State`]; the old file is in place then, whole.
pub fn put_in_place(
    home: &Home,
    brought: &Brought,
    now_ms: i64,
    patience: Duration,
    force: bool,
) -> Result<Replaced, RestoreError> {
    let from = brought.source();
    let restore = Restore {
        from: &from,
        reached_ms: brought.reached_ms(),
        now_ms,
        patience,
        force,
    };
    Ok(replace(home, &brought.image.path, &restore)?)
}

#[cfg(test)]
mod tests;
