//! The line that is written now: where each of its series stands.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use blake3::Hash;
use shared::state::LedgerMark;

use super::gaps::Stand;
use super::hashes::{Key, Table};
use super::level::{Level, Pace};
use super::name::Line;

/// How far the wall clock may go back without a new line: what a time server corrects in one step. Points then follow each other by a
/// millisecond.
const STEP_BACK_MS: i64 = 1000;

/// A moment of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Point {
    /// When it was, in milliseconds since 1970.
    pub at_ms: i64,
    /// What it was.
    pub root: Hash,
}

/// Where a series stands.
#[derive(Clone, Debug)]
pub(super) struct Boundary {
    /// The point that its last increment led to.
    pub at_ms: i64,
    /// The pages of that point; bases do not need them.
    pub table: Option<Arc<Table>>,
    /// When it was cut, by the wall clock, which goes on over a restart.
    pub cut_ms: i64,
    /// The same by the steady clock, which nobody sets.
    pub cut_at: Instant,
    /// What stood in the ledgers then; unknown after a restart.
    pub ledger: Option<LedgerMark>,
}

/// A line and its series.
#[derive(Clone, Debug)]
pub(super) struct Running {
    /// Which line.
    pub line: Line,
    /// The key of its hashes.
    pub key: Key,
    /// The restore epoch of the file; another one is another line.
    pub restore_epoch: u64,
    /// Bytes per page; another size is another line.
    pub page_size: u32,
    /// Which file it is the line of; another one under the same name is another line.
    pub file: String,
    /// Its newest point.
    pub last: Point,
    /// No new point may have a time at or before this.
    pub floor_ms: i64,
    /// All series that some target wants.
    pub series: BTreeMap<Level, Boundary>,
}

impl Running {
    /// Takes up series that are wanted now and were not before, and leaves those that nobody wants. A new fine series begins where the
    /// minutes stand.
    pub(super) fn want(&mut self, levels: &[Level]) {
        self.series.retain(|level, _| levels.contains(level));
        for level in levels {
            if let Some(minutes) = self.series.get(&Level::Minute).cloned() {
                self.series.entry(*level).or_insert(minutes);
            }
        }
    }

    /// Whether the file belongs to another line than this, and why.
    #[must_use]
    pub(super) fn is_over(
        &self,
        restore_epoch: u64,
        page_size: u32,
        file: &str,
        at_ms: i64,
    ) -> Option<&'static str> {
        if restore_epoch > self.restore_epoch {
            Some("the state file was restored")
        } else if page_size != self.page_size {
            Some("the state file has another page size")
        } else if file != self.file || restore_epoch < self.restore_epoch {
            // Made anew, or put there by a hand.
            Some("another file stands in place of the state file")
        } else if at_ms < self.floor_ms - STEP_BACK_MS {
            Some("the clock was set back")
        } else {
            None
        }
    }

    /// The point of a snapshot taken at `at_ms`: the last one if nothing differs, else a new one behind it.
    #[must_use]
    pub(super) fn point(&self, at_ms: i64, root: Hash) -> Point {
        if root == self.last.root {
            return self.last;
        }
        Point {
            at_ms: at_ms.max(self.floor_ms + 1),
            root,
        }
    }

    /// How long ago a series was cut, by whichever clock says more: one may have been set, the other stands still while the machine sleeps.
    fn since(boundary: &Boundary, now_ms: i64, now: Instant) -> Duration {
        let wall = now_ms.saturating_sub(boundary.cut_ms);
        let wall = Duration::from_millis(u64::try_from(wall).unwrap_or(0));
        wall.max(now.saturating_duration_since(boundary.cut_at))
    }

    /// The coarsest series that should be cut now, if any. `is_unseen`: the file may have changed since the last point.
    #[must_use]
    pub(super) fn due(
        &self,
        pace: &Pace,
        ledger: Option<LedgerMark>,
        is_unseen: bool,
        (now_ms, now): (i64, Instant),
    ) -> Option<Level> {
        let due = self.series.iter().rev().find(|(level, boundary)| {
            let may_be_behind = is_unseen || boundary.at_ms != self.last.at_ms;
            let is_quiet = boundary.ledger.is_some() && boundary.ledger == ledger;
            may_be_behind && pace.is_due(**level, Running::since(boundary, now_ms, now), is_quiet)
        });
        due.map(|(level, _)| *level)
    }

    /// Whether something that matters has moved since a series was cut.
    #[must_use]
    pub(super) fn is_waiting(&self, level: Level, ledger: LedgerMark) -> bool {
        let boundary = self.series.get(&level);
        boundary
            .and_then(|boundary| boundary.ledger)
            .is_some_and(|known| known != ledger)
    }

    /// Where a target has to be able to follow.
    #[must_use]
    pub(super) fn stand(&self, is_remote_target: bool) -> Option<Stand> {
        let at = |level| self.series.get(&level).map(|boundary| boundary.at_ms);
        let fine = if is_remote_target {
            Level::Remote
        } else {
            Level::Second
        };
        Some(Stand {
            line: self.line.clone(),
            fine_ms: at(fine)?,
            minute_ms: at(Level::Minute)?,
            hour_ms: at(Level::Hour)?,
        })
    }
}

/// Which file stands at `path`: its number and when it was made, because numbers are used again. The same after a restart of the machine, and
/// whatever is written into the file; nothing is opened.
pub(super) fn identity(path: &Path) -> io::Result<String> {
    let about = std::fs::metadata(path)?;
    let born = about.created().ok();
    let born = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    // Some file systems do not know when.
    let born = born.map_or(0, |born| born.as_nanos());
    Ok(format!("{}-{born}", about.ino()))
}

#[cfg(test)]
mod tests;
