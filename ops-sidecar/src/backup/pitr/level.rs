//! The series of increments, from fine to coarse, and when each is due.
//!
//! Every series leads from its own last boundary to now, so that a coarse one never needs a finer one: nothing that was sealed is read
//! again to make it.

use std::time::Duration;

/// How soon a commit is captured for targets on this machine. Below the promised second, because the tick (see `run`), the scan of a large
/// file and the flush to the disk come on top.
const SECOND: Duration = Duration::from_millis(600);
/// What changes nothing but telemetry is worth an increment this often.
pub(super) const QUIET: Duration = Duration::from_secs(60);

/// One series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Each second, for targets on this machine.
    Second,
    /// Each ten seconds (the setting decides), for targets elsewhere.
    Remote,
    /// Each minute, for all targets, like the coarser ones.
    Minute,
    /// Each hour.
    Hour,
    /// Each day, and whenever nothing precedes: all pages.
    Day,
}

impl Level {
    /// From fine to coarse.
    pub const ALL: [Level; 5] = [
        Level::Second,
        Level::Remote,
        Level::Minute,
        Level::Hour,
        Level::Day,
    ];

    /// As it stands in names.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Level::Second => 's',
            Level::Remote => 't',
            Level::Minute => 'm',
            Level::Hour => 'h',
            Level::Day => 'd',
        }
    }

    /// The level of a letter.
    #[must_use]
    pub fn of_letter(letter: &str) -> Option<Level> {
        Level::ALL
            .into_iter()
            .find(|level| letter.chars().eq([level.letter()]))
    }

    /// How coarse: the two finest are alike, each for its own targets.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Level::Second | Level::Remote => 0,
            Level::Minute => 1,
            Level::Hour => 2,
            Level::Day => 3,
        }
    }

    /// Whether a target gets this series.
    #[must_use]
    pub fn is_for(self, is_remote_target: bool) -> bool {
        match self {
            Level::Second => !is_remote_target,
            Level::Remote => is_remote_target,
            Level::Minute | Level::Hour | Level::Day => true,
        }
    }
}

/// How far apart the increments of each series are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// For targets elsewhere, as set.
    pub remote: Duration,
    /// No series is cut more often than this: a large file takes long to scan.
    pub at_least: Duration,
}

impl Pace {
    /// How long after its last increment a series is due again, when something changed that matters.
    ///
    /// Targets elsewhere are promised the interval that was set, from the commit to the end of the upload: a quarter of it is left for the
    /// scan and the way.
    #[must_use]
    pub(super) fn of(&self, level: Level) -> Duration {
        let span = match level {
            Level::Second => SECOND,
            Level::Remote => self.remote.min(QUIET) * 3 / 4,
            Level::Minute => Duration::from_secs(60),
            Level::Hour => Duration::from_secs(60 * 60),
            Level::Day => Duration::from_secs(24 * 60 * 60),
        };
        span.max(self.at_least)
    }

    /// Whether a series that is behind should be cut now. `is_quiet`: nothing but telemetry has moved since its boundary.
    #[must_use]
    pub(super) fn is_due(&self, level: Level, since_last: Duration, is_quiet: bool) -> bool {
        let span = self.of(level);
        since_last >= if is_quiet { span.max(QUIET) } else { span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        remote: Duration::from_secs(10),
        at_least: Duration::ZERO,
    };

    #[test]
    fn letters_come_back() {
        for level in Level::ALL {
            assert_eq!(Level::of_letter(&level.letter().to_string()), Some(level));
        }
        assert_eq!(Level::of_letter("x"), None);
        assert_eq!(Level::of_letter("ss"), None);
        assert_eq!(Level::of_letter(""), None);
    }

    #[test]
    fn each_target_gets_one_fine_series_and_all_coarse_ones() {
        for is_remote in [false, true] {
            let levels: Vec<_> = Level::ALL
                .into_iter()
                .filter(|level| level.is_for(is_remote))
                .collect();
            assert_eq!(levels.len(), 4, "{levels:?}");
            assert_eq!(levels.iter().filter(|level| level.rank() == 0).count(), 1);
        }
    }

    #[test]
    fn what_matters_is_due_soon_and_telemetry_once_a_minute() {
        let (soon, minute) = (Duration::from_millis(600), Duration::from_secs(60));
        assert!(PACE.is_due(Level::Second, soon, false));
        assert!(!PACE.is_due(Level::Second, soon, true));
        assert!(PACE.is_due(Level::Second, minute, true));
        assert!(!PACE.is_due(Level::Remote, Duration::from_secs(7), false));
        assert!(PACE.is_due(Level::Remote, Duration::from_millis(7_500), false));
        assert!(PACE.is_due(Level::Hour, Duration::from_secs(3_600), true));
    }

    #[test]
    fn a_slow_scan_stretches_the_fine_series_only() {
        let slow = Pace {
            at_least: Duration::from_secs(9),
            ..PACE
        };
        assert_eq!(slow.of(Level::Second), Duration::from_secs(9));
        assert_eq!(slow.of(Level::Minute), Duration::from_secs(60));
    }
}
