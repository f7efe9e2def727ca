//! What is noted, field by field.

use serde::{Deserialize, Serialize};

/// A journal was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeganAnew {
    /// When the new one began; 0 while nothing is written into it.
    pub at_ms: i64,
    /// What was wrong with the old one, which lies beside it as `journal.damaged`.
    pub why: String,
}

/// Counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Runs that reached all targets.
    pub good: u64,
    /// Runs that reached some.
    pub partial: u64,
    /// Runs that reached none.
    pub failed: u64,
    /// Trial restores that succeeded.
    pub drills_good: u64,
    /// Trial restores that did not.
    pub drills_failed: u64,
    /// Restores.
    pub restores: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Read back and compared at all targets.
    Good,
    /// At some.
    Partial,
    /// At none.
    Failed,
}

impl Outcome {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Good => "good",
            Outcome::Partial => "partial",
            Outcome::Failed => "failed",
        }
    }
}

/// The steps of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Getting ready: the lock, a folder to work in, the state file.
    Begin,
    /// Copying the state file.
    Copy,
    /// Opening and checking the copy.
    Check,
    /// Compressing and encrypting.
    Seal,
    /// Sending it to a target.
    Ship,
    /// Reading it back there and comparing.
    Compare,
    /// Writing the manifest.
    Manifest,
    /// Removing old backups.
    Prune,
}

impl Step {
    /// The word used everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Begin => "begin",
            Step::Copy => "copy",
            Step::Check => "check",
            Step::Seal => "seal",
            Step::Ship => "ship",
            Step::Compare => "compare",
            Step::Manifest => "manifest",
            Step::Prune => "prune",
        }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunNote {
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// How long it took.
    pub took_ms: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The backup that it made, if it came that far.
    #[serde(default)]
    pub id: Option<String>,
    /// Size of the file, 0 if there is none.
    #[serde(default)]
    pub bytes: u64,
    /// Whether it is encrypted.
    #[serde(default)]
    pub encrypted: bool,
    /// Where it failed; for a failure at a target see there.
    #[serde(default)]
    pub step: Option<Step>,
    /// Why.
    #[serde(default)]
    pub error: Option<String>,
    /// Each target.
    #[serde(default)]
    pub targets: Vec<TargetOutcome>,
}

/// What a run achieved at one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetOutcome {
    /// The target.
    pub name: String,
    /// Where it failed; `None` if the backup is there.
    #[serde(default)]
    pub step: Option<Step>,
    /// Why; `None` if the backup is there.
    #[serde(default)]
    pub error: Option<String>,
}

/// What is known of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetNote {
    /// When the newest backup that is there began, in milliseconds since 1970; `None` if none was ever made.
    pub last_good_at_ms: Option<i64>,
    /// Its name.
    pub last_good_id: Option<String>,
    /// Why the newest run failed there, if it did.
    pub error: Option<String>,
    /// Why old backups could not be removed there the last time, if so.
    pub prune_error: Option<String>,
}

/// One trial restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillNote {
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// How long a restore takes: fetching, opening and checking.
    pub took_ms: u64,
    /// Which backup.
    #[serde(default)]
    pub id: Option<String>,
    /// From which target.
    #[serde(default)]
    pub target: Option<String>,
    /// Size of the database that came out.
    #[serde(default)]
    pub bytes: u64,
    /// The newest moment that could be restored, in milliseconds since 1970, when that was tried, too.
    #[serde(default)]
    pub reached_ms: Option<i64>,
    /// Why it failed; `None` if it did not.
    #[serde(default)]
    pub error: Option<String>,
}

/// One restore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreNote {
    /// When it ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// How long it took.
    pub took_ms: u64,
    /// A backup's name, or the moment that was asked for.
    pub from: String,
    /// The moment whose state came back, in milliseconds since 1970.
    pub reached_ms: i64,
    /// Whether the live file was replaced, as opposed to another one written.
    pub live: bool,
}
