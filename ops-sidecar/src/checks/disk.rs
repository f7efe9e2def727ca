//! What the space on the file system of the home folder amounts to.

use super::{Draft, mebibytes, percent};
use crate::upkeep::disk::{DiskFacts, MIN_FREE_BYTES};

/// Used shares of the disk that are worth a finding, in percent as `df` counts: blocks reserved for root count for nobody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// From here someone should look this week.
    pub warn_percent: f64,
    /// From here someone should look now.
    pub fail_percent: f64,
}

/// What the space amounts to.
#[must_use]
pub fn judge(facts: Option<&DiskFacts>, thresholds: Thresholds) -> Vec<Draft> {
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
        used if used >= thresholds.fail_percent => {
            vec![Draft::fail("disk.nearly_full", summary, hint)]
        }
        used if used >= thresholds.warn_percent => {
            vec![Draft::warn("disk.filling", summary, hint)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Level;

    const GB: u64 = 1_000_000_000;

    const USUAL: Thresholds = Thresholds {
        warn_percent: 80.0,
        fail_percent: 90.0,
    };

    fn disk(used_bytes: u64, free_bytes: u64) -> Vec<Draft> {
        disk_with(USUAL, used_bytes, free_bytes)
    }

    fn disk_with(thresholds: Thresholds, used_bytes: u64, free_bytes: u64) -> Vec<Draft> {
        let facts = DiskFacts {
            size_bytes: used_bytes + free_bytes + GB,
            used_bytes,
            free_bytes,
        };
        judge(Some(&facts), thresholds)
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
    fn other_thresholds_are_obeyed_and_a_full_disk_is_told_whatever_they_are() {
        let large = Thresholds {
            warn_percent: 97.0,
            fail_percent: 100.0,
        };
        assert_eq!(disk_with(large, 96 * GB, 4 * GB), []);
        assert_eq!(disk_with(large, 99 * GB, GB)[0].id, "disk.filling");
        let full = disk_with(large, 99 * GB, MIN_FREE_BYTES - 1);
        assert_eq!(full[0].id, "disk.full");
    }

    #[test]
    fn a_folder_that_cannot_be_asked_is_a_finding() {
        assert_eq!(judge(None, USUAL)[0].id, "disk.unknown");
    }
}
