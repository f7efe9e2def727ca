//! Space on the file system of the home folder.
//!
//! Asked with `statvfs` on the folder itself: that answers for quotas, bind mounts and memory file systems, and never touches another
//! mount (listing all of them would hang on a dead network share that has nothing to do with us).

use std::path::Path;

use serde::Serialize;

use super::{Draft, mebibytes, percent};

/// Used share from which someone should look this week, in percent.
const WARN_PERCENT: f64 = 80.0;
/// Used share from which someone should look now, in percent.
const FAIL_PERCENT: f64 = 90.0;
/// Under this the state file's log may not be able to grow: SQLite can then neither commit nor checkpoint. 64 MB is the size its
/// log is allowed to reach.
pub const MIN_FREE_BYTES: u64 = 64 * 1000 * 1000;

/// Space on one file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DiskFacts {
    /// Size of the file system.
    pub size_bytes: u64,
    /// In use.
    pub used_bytes: u64,
    /// What an unprivileged user can still write.
    pub free_bytes: u64,
}

/// Looks at the file system of `folder`; `None` if that cannot be asked (the folder is gone, say).
#[must_use]
pub fn look(folder: &Path) -> Option<DiskFacts> {
    let about = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(about.f_frsize);
    Some(DiskFacts {
        size_bytes: bytes(about.f_blocks),
        used_bytes: bytes(about.f_blocks.saturating_sub(about.f_bfree)),
        free_bytes: bytes(about.f_bavail),
    })
}

/// What the space amounts to. The share is `df`'s: blocks reserved for root count for nobody.
#[must_use]
pub fn judge(facts: Option<&DiskFacts>) -> Vec<Draft> {
    let Some(disk) = facts else {
        return vec![Draft::warn(
            "disk.unknown",
            "the space on the disk cannot be asked",
            "see the findings about the state file",
        )];
    };
    let hint = "free space on the disk of the home folder, or move the home to a larger one";
    let used = percent(
        disk.used_bytes,
        disk.used_bytes.saturating_add(disk.free_bytes),
    );
    if disk.free_bytes < MIN_FREE_BYTES {
        let summary = format!(
            "only {} are free on the disk of the home folder",
            mebibytes(disk.free_bytes)
        );
        return vec![Draft::fail("disk.full", summary, hint).blocking()];
    }
    let summary = format!("the disk of the home folder is {used:.0} % full");
    match used {
        used if used >= FAIL_PERCENT => vec![Draft::fail("disk.nearly_full", summary, hint)],
        used if used >= WARN_PERCENT => vec![Draft::warn("disk.filling", summary, hint)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Level;

    const GB: u64 = 1_000_000_000;

    fn disk(used_bytes: u64, free_bytes: u64) -> Vec<Draft> {
        judge(Some(&DiskFacts {
            size_bytes: used_bytes + free_bytes + GB,
            used_bytes,
            free_bytes,
        }))
    }

    #[test]
    fn a_disk_warns_at_eighty_percent_and_fails_at_ninety_but_stays_ready() {
        assert_eq!(disk(79 * GB, 21 * GB), []);
        assert_eq!(
            (
                disk(80 * GB, 20 * GB)[0].id,
                disk(80 * GB, 20 * GB)[0].level
            ),
            ("disk.filling", Level::Warn)
        );
        let nearly = disk(90 * GB, 10 * GB);
        assert_eq!(
            (nearly[0].id, nearly[0].level, nearly[0].blocks_ready),
            ("disk.nearly_full", Level::Fail, false)
        );
    }

    #[test]
    fn under_sixty_four_megabytes_this_machine_is_not_ready() {
        assert_eq!(disk(0, MIN_FREE_BYTES), []);
        let full = disk(0, MIN_FREE_BYTES - 1);
        assert_eq!((full[0].id, full[0].blocks_ready), ("disk.full", true));
    }

    #[test]
    fn a_missing_folder_is_a_finding_and_a_real_one_has_a_size() {
        assert_eq!(look(Path::new("/nonexistent/folder")), None);
        assert_eq!(judge(None)[0].id, "disk.unknown");
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(look(folder.path()).expect("facts").size_bytes > 0);
    }
}
