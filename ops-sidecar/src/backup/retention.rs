//! Which backups may go.
//!
//! Here: the rules, as arithmetic over names; nothing is read or removed. Of each hour, day, week (from Monday) and month that has a
//! backup the newest one is kept, for so many of them as the settings say, all in UTC; a backup stays as long as one rule wants it. Periods
//! without a backup do not count, so that a machine that was off for a month keeps what it had. The newest good one always stays.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::id::BackupId;

/// For how many periods the newest backup is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Hours.
    pub hourly: u64,
    /// Days.
    pub daily: u64,
    /// Weeks.
    pub weekly: u64,
    /// Months.
    pub monthly: u64,
}

impl Keep {
    /// No rule at all: then nothing is removed. Whoever wants one backup only asks for one.
    pub const EVERYTHING: Keep = Keep {
        hourly: 0,
        daily: 0,
        weekly: 0,
        monthly: 0,
    };
}

/// Names a backup's period.
type Period = fn(&BackupId) -> (i16, i16, i8, i8);

const HOUR: Period = |id| {
    let at = id.at().to_zoned(TimeZone::UTC);
    (at.year(), i16::from(at.month()), at.day(), at.hour())
};
const DAY: Period = |id| {
    let at = id.at().to_zoned(TimeZone::UTC);
    (at.year(), i16::from(at.month()), at.day(), 0)
};
const WEEK: Period = |id| {
    let week = id.at().to_zoned(TimeZone::UTC).date().iso_week_date();
    (week.year(), i16::from(week.week()), 0, 0)
};
const MONTH: Period = |id| {
    let at = id.at().to_zoned(TimeZone::UTC);
    (at.year(), i16::from(at.month()), 0, 0)
};

/// The backups that no rule wants, oldest first. `good` says whether a backup can be counted on: one that is not neither takes the place
/// of a good one, nor stays once a later good one is there.
///
/// A backup from the future (the clock was wrong when it was made) takes no good one's place either, and stays until its time has come.
#[must_use]
pub fn doomed(backups: &[(BackupId, bool)], keep: &Keep, now: Timestamp) -> Vec<BackupId> {
    let good: BTreeSet<&BackupId> = backups
        .iter()
        .filter(|(_, good)| *good)
        .map(|(id, _)| id)
        .collect();
    let past: Vec<&BackupId> = good.iter().copied().filter(|id| id.at() <= now).collect();
    let Some(newest_good) = good.last().copied() else {
        // Nothing to count on: whatever there is may be all that is left.
        return Vec::new();
    };
    if *keep == Keep::EVERYTHING {
        return Vec::new();
    }
    let mut kept: BTreeSet<&BackupId> = good.iter().copied().filter(|id| id.at() > now).collect();
    kept.insert(newest_good);
    kept.extend(past.last());
    for (count, period) in [
        (keep.hourly, HOUR),
        (keep.daily, DAY),
        (keep.weekly, WEEK),
        (keep.monthly, MONTH),
    ] {
        kept.extend(newest_of_each(&past, count, period));
    }
    let newest_past = past.last().copied();
    let is_superseded = |id: &BackupId| newest_past.is_some_and(|newest| id < newest);
    let goes = |id: &BackupId, is_good: bool| !kept.contains(id) && (is_good || is_superseded(id));
    let doomed: BTreeSet<BackupId> = backups
        .iter()
        .filter(|(id, is_good)| goes(id, *is_good))
        .map(|(id, _)| id.clone())
        .collect();
    doomed.into_iter().collect()
}

/// The newest of each of the newest `count` periods that have any.
fn newest_of_each<'a>(past: &[&'a BackupId], count: u64, period: Period) -> Vec<&'a BackupId> {
    let mut kept: Vec<&BackupId> = Vec::new();
    for id in past.iter().rev() {
        if kept.len() as u64 == count {
            break;
        }
        if kept.last().is_none_or(|later| period(later) != period(id)) {
            kept.push(id);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
