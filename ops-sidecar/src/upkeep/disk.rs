//! Space on the file system of the home folder.
//!
//! Asked with `statvfs` on the folder itself: that answers for quotas, bind mounts and memory file systems, and never touches another
//! mount (listing all of them would hang on a dead network share that has nothing to do with us).

use std::path::Path;

use serde::Serialize;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_unknown_and_a_real_one_has_a_size() {
        assert_eq!(look(Path::new("/nonexistent/folder")), None);
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(look(folder.path()).expect("facts").size_bytes > 0);
    }
}
