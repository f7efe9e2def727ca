//! Space on the disk of the home folder.
//!
//! Only the point from which things fail is judged; a disk that slowly fills is the sidecar's to watch.

use std::path::Path;

use shared::paths::Home;

use super::typed::path;
use super::{Check, Hint};

const ID: &str = "disk";

/// The state file's log may grow to this size: with less space SQLite can fail in the middle of things. The same number makes the
/// sidecar report that it is not ready.
const MIN_FREE_BYTES: u64 = 64 * 1000 * 1000;

/// What the file system says; `None` for what it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DiskFacts {
    free_bytes: u64,
    /// How many more files there may be; some file systems have no such limit.
    free_files: Option<u64>,
}

/// Looks at the file system of the home, or of where it will be.
#[cfg(unix)]
pub(super) fn look(home: &Home) -> Option<DiskFacts> {
    let folder = home.root().ancestors().find(|folder| folder.exists())?;
    let about = rustix::fs::statvfs(folder).ok()?;
    Some(DiskFacts {
        free_bytes: about.f_bavail.saturating_mul(about.f_frsize),
        free_files: (about.f_files > 0).then_some(about.f_favail),
    })
}

/// Windows reports a full disk with the write that fails; the check `state` shows it.
#[cfg(not(unix))]
pub(super) fn look(_home: &Home) -> Option<DiskFacts> {
    None
}

pub(super) fn judge(facts: Option<&DiskFacts>, home: &Home) -> Check {
    let Some(disk) = facts else {
        return Check::fine(ID, "the free space cannot be asked on this system");
    };
    if disk.free_bytes < MIN_FREE_BYTES {
        let summary = format!(
            "only {} MB are free on the disk of the home folder, {} MB are needed",
            disk.free_bytes / 1_000_000,
            MIN_FREE_BYTES / 1_000_000
        );
        return Check::error(ID, summary, largest(home.root()));
    }
    if disk.free_files == Some(0) {
        let summary =
            "the disk of the home folder has no room for another file (its inodes are used up)";
        return Check::error(ID, summary, largest(home.root()));
    }
    Check::fine(
        ID,
        format!("{} GB free", tenths(disk.free_bytes / 100_000_000)),
    )
}

fn largest(home: &Path) -> Hint {
    let home = path(home);
    if cfg!(windows) {
        return Hint::run(
            "remove what is not needed on that disk, or move the home to a larger one",
            format!("dir /s {home}"),
        );
    }
    Hint::run(
        "remove what is not needed on that disk, or move the home to a larger one; how full it is, and the largest things in the home",
        format!("df -h {home} && du -xak {home} | sort -rn | head -n 15"),
    )
}

fn tenths(count: u64) -> String {
    format!("{}.{}", count / 10, count % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(free_bytes: u64, free_files: Option<u64>) -> Check {
        let facts = DiskFacts {
            free_bytes,
            free_files,
        };
        judge(Some(&facts), &Home::at("/h"))
    }

    #[test]
    fn a_disk_fails_where_the_state_file_could_no_longer_grow() {
        assert!(judged(MIN_FREE_BYTES, None).ok);
        let full = judged(MIN_FREE_BYTES - 1, None);
        assert!(!full.ok && full.summary.contains("63 MB"), "{full:?}");
        assert_eq!(judged(12_345_678_901, Some(1)).summary, "12.3 GB free");
    }

    #[test]
    fn a_disk_without_inodes_is_full_too() {
        assert!(!judged(MIN_FREE_BYTES, Some(0)).ok);
    }

    #[cfg(unix)]
    #[test]
    fn a_home_that_is_not_there_yet_has_a_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert!(look(&Home::at(folder.path().join("not/yet"))).is_some());
    }
}
