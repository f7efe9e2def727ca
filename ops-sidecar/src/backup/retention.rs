//! Which backups may go.
//!
//! Here: the rules, as arithmetic over moments; nothing is read or removed. The newest few are kept, and of each hour, day, week (from
//! Monday) and month that has a backup the newest one, for so many of them as the settings say, all in UTC; a backup stays as long as one
//! rule wants it. Periods without a backup do not count, so that a machine that was off for a month keeps what it had. The newest good one
//! always stays.
//!
//! A clock that is years ahead gives a backup an hour, a day, a week and a month of its own, and looks like a machine that was off for years.
//! So the first period after such a leap takes nobody's place: it is kept in addition, up to as many times as the rule counts.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::id::BackupId;

/// How many backups are kept: the newest ones, and the newest of so many periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The newest, whatever their hour.
    pub last: u64,
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
        last: 0,
        hourly: 0,
        daily: 0,
        weekly: 0,
        monthly: 0,
    };
}

/// What lies further apart is a leap. Backups of two months in a row never do.
const LEAP: SignedDuration = SignedDuration::from_hours(62 * 24);

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

/// A backup at a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name, which says when it was begun, to the second.
    pub id: BackupId,
    /// The moment it shows, in milliseconds since 1970: tells two of one second apart.
    pub at_ms: i64,
    /// Whether it can be counted on.
    pub good: bool,
}

impl Candidate {
    fn age(&self) -> (Timestamp, i64, &BackupId) {
        (self.id.at(), self.at_ms, &self.id)
    }
}

/// The backups that no rule wants, oldest first. One that cannot be counted on neither takes the place of a good one, nor stays once a later
/// good one is there.
///
/// A backup from the future (the clock was wrong when it was made) takes no good one's place either, and stays until its time has come.
#[must_use]
pub fn doomed(backups: &[Candidate], keep: &Keep, now: Timestamp) -> Vec<BackupId> {
    let mut sorted: Vec<&Candidate> = backups.iter().collect();
    sorted.sort_by_key(|backup| backup.age());
    let good = || sorted.iter().copied().filter(|backup| backup.good);
    let past: Vec<&Candidate> = good().filter(|backup| backup.id.at() <= now).collect();
    let Some(newest_good) = good().next_back() else {
        // Nothing to count on: whatever there is may be all that is left.
        return Vec::new();
    };
    if *keep == Keep::EVERYTHING {
        return Vec::new();
    }
    let newest_past = past.last().copied();
    let mut kept: BTreeSet<&BackupId> = BTreeSet::from([&newest_good.id]);
    kept.extend(newest_past.map(|backup| &backup.id));
    kept.extend(
        good()
            .filter(|backup| backup.id.at() > now)
            .map(|backup| &backup.id),
    );
    kept.extend(newest(&past, keep.last).map(|backup| &backup.id));
    for (count, period) in [
        (keep.hourly, HOUR),
        (keep.daily, DAY),
        (keep.weekly, WEEK),
        (keep.monthly, MONTH),
    ] {
        kept.extend(newest_of_each(&past, count, period));
    }
    let is_superseded =
        |backup: &Candidate| newest_past.is_some_and(|newest| backup.age() < newest.age());
    sorted
        .into_iter()
        .filter(|backup| !kept.contains(&backup.id) && (backup.good || is_superseded(backup)))
        .map(|backup| backup.id.clone())
        .collect()
}

/// The newest `count`.
fn newest<'a>(past: &[&'a Candidate], count: u64) -> impl Iterator<Item = &'a Candidate> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    past.iter().rev().take(count).copied()
}

/// The newest of each of the newest `count` periods that have any; those that begin with a leap do not count, if they are not more.
fn newest_of_each<'a>(past: &[&'a Candidate], count: u64, period: Period) -> Vec<&'a BackupId> {
    let mut kept: Vec<&BackupId> = Vec::new();
    let (mut counted, mut leaps) = (0, 0);
    for of_one in past
        .chunk_by(|one, next| period(&one.id) == period(&next.id))
        .rev()
    {
        if counted == count {
            break;
        }
        kept.extend(of_one.last().map(|newest| &newest.id));
        if leaps < count && begins_with_leap(past, of_one) {
            leaps += 1;
        } else {
            counted += 1;
        }
    }
    kept
}

/// Whether there was nothing for long before the first of a period.
fn begins_with_leap(past: &[&Candidate], of_one: &[&Candidate]) -> bool {
    let Some(first) = of_one.first().map(|backup| backup.age()) else {
        return false;
    };
    let before = past.partition_point(|backup| backup.age() < first);
    before
        .checked_sub(1)
        .is_some_and(|at| first.0.duration_since(past[at].id.at()) > LEAP)
}

#[cfg(test)]
mod tests;
