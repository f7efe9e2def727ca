//! Which places can give back what is wanted, the best first. Pure: from what the targets said to a list.
//!
//! Later beats earlier, near beats far, a whole backup beats a chain of increments that reaches the same moment.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::backup::find::{AHEAD_MS, Shelf};
use crate::backup::id::BackupId;
use crate::backup::manifest::Manifest;
use crate::backup::pitr::LineView;
use crate::backup::targets::Target;

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// This backup and no other.
    Id(BackupId),
    /// The newest state at or before this moment (milliseconds since 1970), whatever it comes from.
    At(i64),
    /// The newest state there is.
    Latest {
        /// What the clock of this machine shows, in milliseconds since 1970: tells what another clock has named far ahead.
        now_ms: i64,
    },
    /// The newest moment that increments reach, whatever whole backups there are.
    LatestPoint,
    /// The newest state at or before a moment as this line of increments counts them: for moments that a wrong clock named.
    InLine {
        /// The line.
        line: String,
        /// The moment, in milliseconds since 1970.
        at_ms: i64,
    },
}

impl What {
    /// The last moment that will do.
    fn until_ms(&self) -> i64 {
        match self {
            What::At(at_ms) | What::InLine { at_ms, .. } => *at_ms,
            What::Id(_) | What::Latest { .. } | What::LatestPoint => i64::MAX,
        }
    }
}

/// What a target has for recovery to a moment.
#[derive(Debug)]
pub struct Window {
    /// The target.
    pub target: Target,
    /// Why nothing is known of it.
    pub away: Option<String>,
    /// Its lines.
    pub lines: Vec<LineView>,
}

/// A way to get what is wanted.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// From where.
    pub target: Target,
    /// From what.
    pub origin: Origin,
    /// Everything that was acknowledged before this moment will be inside; milliseconds since 1970.
    pub reaches_ms: i64,
    /// Whether that moment is so far ahead of this machine's clock that one of the two clocks was wrong. Then it says nothing about what is
    /// newest, and whatever has a sane moment comes first.
    pub is_ahead: bool,
}

/// What a state is rebuilt from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A whole backup.
    Backup(Box<Manifest>),
    /// Increments.
    Line {
        /// Which line of them.
        line: String,
        /// Whether a secret key is needed.
        encrypted: bool,
    },
}

impl Candidate {
    /// Whether a secret key is needed.
    #[must_use]
    pub fn encrypted(&self) -> bool {
        match &self.origin {
            Origin::Backup(manifest) => manifest.encrypted,
            Origin::Line { encrypted, .. } => *encrypted,
        }
    }

    fn is_line(&self) -> bool {
        matches!(self.origin, Origin::Line { .. })
    }
}

/// All ways, the best first.
#[must_use]
pub fn candidates(what: &What, shelves: &[Shelf], windows: &[Window]) -> Vec<Candidate> {
    let mut all = match what {
        What::Id(_) => backups(what, shelves),
        What::LatestPoint => points(i64::MAX, windows),
        What::InLine { line, at_ms } => in_line(line, *at_ms, windows),
        What::At(_) | What::Latest { .. } => {
            let mut all = backups(what, shelves);
            all.extend(points(what.until_ms(), windows));
            all
        }
    };
    if let What::Latest { now_ms } = what {
        for way in &mut all {
            way.is_ahead = way.reaches_ms > now_ms.saturating_add(AHEAD_MS);
        }
    }
    rank(&mut all);
    all
}

/// Puts the best first. Targets come nearest first already, and the sort keeps that.
pub(super) fn rank(candidates: &mut [Candidate]) {
    candidates.sort_by_key(|candidate| {
        (
            candidate.is_ahead,
            std::cmp::Reverse(candidate.reaches_ms),
            candidate.target.is_remote(),
            candidate.is_line(),
        )
    });
}

fn backups(what: &What, shelves: &[Shelf]) -> Vec<Candidate> {
    let fits = |id: &BackupId, manifest: &Manifest| match what {
        What::Id(wanted) => id == wanted,
        _ => manifest.at_ms() <= what.until_ms(),
    };
    let mut found = Vec::new();
    for shelf in shelves {
        for (id, manifest) in &shelf.backups {
            if fits(id, manifest) {
                found.push(Candidate {
                    target: shelf.target.clone(),
                    origin: Origin::Backup(Box::new(manifest.clone())),
                    reaches_ms: manifest.at_ms(),
                    is_ahead: false,
                });
            }
        }
    }
    found
}

fn points(until_ms: i64, windows: &[Window]) -> Vec<Candidate> {
    let starts = starts(windows);
    let mut found = Vec::new();
    for window in windows {
        for line in &window.lines {
            let until_ms = until_ms.min(superseded_ms(&line.line, &starts));
            found.extend(point(window, line, until_ms));
        }
    }
    found
}

fn in_line(wanted: &str, at_ms: i64, windows: &[Window]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for window in windows {
        for line in window.lines.iter().filter(|line| line.line == wanted) {
            found.extend(point(window, line, at_ms));
        }
    }
    found
}

fn point(window: &Window, line: &LineView, until_ms: i64) -> Option<Candidate> {
    Some(Candidate {
        target: window.target.clone(),
        origin: Origin::Line {
            line: line.line.clone(),
            encrypted: line.encrypted,
        },
        reaches_ms: line.newest_at_or_before(until_ms)?,
        is_ahead: false,
    })
}

/// When each line began, wherever it is kept.
fn starts(windows: &[Window]) -> BTreeMap<&str, i64> {
    let mut starts = BTreeMap::new();
    for line in windows.iter().flat_map(|window| &window.lines) {
        let start = starts.entry(line.line.as_str()).or_insert(line.from_ms);
        *start = line.from_ms.min(*start);
    }
    starts
}

/// The last moment that a line answers for. A later line takes over where it begins: when a clock was set back, both have points of that
/// hour, and the later ones are what really came last. Names of lines sort by when they began.
fn superseded_ms(line: &str, starts: &BTreeMap<&str, i64>) -> i64 {
    let after = (Bound::Excluded(line), Bound::Unbounded);
    let next = starts.range::<str, _>(after).map(|(_, start)| *start).min();
    next.map_or(i64::MAX, |start| start - 1)
}

/// The earliest moment that anything reaches.
#[must_use]
pub(super) fn earliest_ms(shelves: &[Shelf], windows: &[Window]) -> Option<i64> {
    let backups = shelves
        .iter()
        .flat_map(|shelf| shelf.backups.values().map(Manifest::at_ms));
    let lines = windows
        .iter()
        .flat_map(|window| window.lines.iter().map(|line| line.from_ms));
    backups.chain(lines).min()
}
