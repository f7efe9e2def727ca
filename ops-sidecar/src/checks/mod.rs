//! Facts about this home and its machine, and what they amount to.
//!
//! Each subject is a file with two halves: a *look* that gathers facts (it may block, it never fails: what cannot be learnt is a fact
//! too), and a *judgement* that turns facts into findings without looking at anything else. [`board::Board`] keeps the latest of both.
//! Health, readiness, metrics and later alerts render findings; none of them decides by itself what "healthy" means.

pub mod audit;
pub mod awake;
pub mod backups;
pub mod board;
pub mod disk;
pub mod gather;
pub mod home;
pub mod housekeeping;
pub mod memory;
pub mod pitr;
pub mod processes;
pub mod quota;
pub mod state;
pub mod telemetry;
pub mod upkeep;
pub mod writes;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Someone should look this week.
    Warn,
    /// Someone should look now.
    Fail,
}

impl Level {
    /// The word used in JSON and as a label.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Level::Warn => "warn",
            Level::Fail => "fail",
        }
    }
}

/// Something is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Stable name, subject first: `disk.nearly_full`.
    pub id: &'static str,
    /// How bad.
    pub level: Level,
    /// Whether this machine should get no traffic until it is gone (`/health/ready`).
    pub blocks_ready: bool,
    /// What is wrong, in one line without paths or names.
    pub summary: String,
    /// What to do.
    pub hint: String,
    /// When it was first seen without a break since.
    #[serde(serialize_with = "as_rfc3339")]
    pub since: Timestamp,
}

/// A judgement before the board knows since when it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    id: &'static str,
    level: Level,
    blocks_ready: bool,
    summary: String,
    hint: String,
}

impl Draft {
    fn warn(id: &'static str, summary: impl Into<String>, hint: impl Into<String>) -> Draft {
        Draft {
            id,
            level: Level::Warn,
            blocks_ready: false,
            summary: summary.into(),
            hint: hint.into(),
        }
    }

    fn fail(id: &'static str, summary: impl Into<String>, hint: impl Into<String>) -> Draft {
        Draft {
            level: Level::Fail,
            ..Draft::warn(id, summary, hint)
        }
    }

    fn blocking(self) -> Draft {
        Draft {
            blocks_ready: true,
            ..self
        }
    }

    fn since(self, since: Timestamp) -> Finding {
        let Draft {
            id,
            level,
            blocks_ready,
            summary,
            hint,
        } = self;
        Finding {
            id,
            level,
            blocks_ready,
            summary,
            hint,
            since,
        }
    }
}

/// All findings in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing found.
    Ok,
    /// At least a warning.
    Degraded,
    /// At least one failure.
    Fail,
}

impl Status {
    /// The worst level decides.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Status {
        match findings.iter().map(|finding| finding.level).max() {
            None => Status::Ok,
            Some(Level::Warn) => Status::Degraded,
            Some(Level::Fail) => Status::Fail,
        }
    }
}

/// A time as JSON has it; milliseconds are all that the checks can tell apart.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn as_rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*time))
}

/// A share of a whole in percent, for summaries; 0 of 0 is 0.
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
    let share = part as f64 / whole as f64;
    share * 100.0
}

/// Bytes as people read them: whole mebibytes.
fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes / (1024 * 1024))
}
