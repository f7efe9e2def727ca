//! What happened to backups on this machine: the newest runs, drills and restores, and totals that never fall.
//!
//! Here: `journal.json` in the spool, read by findings, metrics and commands, written whole each time under a lock of its own. Notes hold
//! no secrets and no file contents. A journal is a convenience: when it cannot be read, a new one begins and says so, and no backup is
//! worse for it. Not here: what is a backup, which only the manifests at the targets say.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::fsx::{self, Mode};
use shared::paths::Home;

/// Notes kept of each kind: eight days of hourly runs, in some 100 KB.
const MOST_NOTES: usize = 200;
/// A larger file is not ours.
const MOST_BYTES: u64 = 4 << 20;
/// Longer words of others are cut.
const MOST_CHARACTERS: usize = 500;

/// What happened, oldest first in each list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// The newest runs.
    pub runs: Vec<RunNote>,
    /// The newest trial restores.
    pub drills: Vec<DrillNote>,
    /// The newest restores.
    pub restores: Vec<RestoreNote>,
    /// When the very first run began, in milliseconds since 1970.
    pub first_run_at_ms: Option<i64>,
    /// The newest run that reached all targets.
    pub last_good: Option<RunNote>,
    /// The newest trial restore that succeeded.
    pub last_good_drill: Option<DrillNote>,
    /// By the target's name; those that are no longer in the settings are forgotten at the next run.
    pub targets: BTreeMap<String, TargetNote>,
    /// How often what happened, since the journal began.
    pub totals: Totals,
    /// Why the journal before this one could not be read, and when this one began, in milliseconds since 1970.
    pub began_anew: Option<BeganAnew>,
}

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

impl Journal {
    /// The journal of a home; an empty one when there is none, or when it cannot be read: then [`Journal::began_anew`] says why.
    #[must_use]
    pub fn read(home: &Home) -> Journal {
        match load(home) {
            Ok(journal) => journal,
            Err(why) => Journal {
                began_anew: Some(BeganAnew { at_ms: 0, why }),
                ..Journal::default()
            },
        }
    }

    /// Adds a run; `configured` are the names of the targets there are.
    ///
    /// # Errors
    /// The journal cannot be written. What happened has happened all the same.
    pub fn note_run(home: &Home, note: RunNote, configured: &[&str]) -> io::Result<()> {
        update(home, note.at_ms, |journal| {
            journal.add_run(note, configured)
        })
    }

    /// Adds what came of removing old backups, by target.
    ///
    /// # Errors
    /// As [`Journal::note_run`].
    pub fn note_prune(
        home: &Home,
        now_ms: i64,
        outcomes: &[(String, Option<String>)],
    ) -> io::Result<()> {
        update(home, now_ms, |journal| {
            for (name, error) in outcomes {
                let note = journal.targets.entry(name.clone()).or_default();
                note.prune_error = error.as_deref().map(shortened);
            }
        })
    }

    /// Adds a trial restore.
    ///
    /// # Errors
    /// As [`Journal::note_run`].
    pub fn note_drill(home: &Home, mut note: DrillNote) -> io::Result<()> {
        note.error = note.error.as_deref().map(shortened);
        update(home, note.at_ms, |journal| {
            if note.error.is_none() {
                journal.totals.drills_good += 1;
                journal.last_good_drill = Some(note.clone());
            } else {
                journal.totals.drills_failed += 1;
            }
            push(&mut journal.drills, note);
        })
    }

    /// Adds a restore.
    ///
    /// # Errors
    /// As [`Journal::note_run`].
    pub fn note_restore(home: &Home, note: RestoreNote) -> io::Result<()> {
        update(home, note.at_ms, |journal| {
            journal.totals.restores += 1;
            push(&mut journal.restores, note);
        })
    }

    /// Where it lies; written whole, so its time and size tell whether it has changed.
    #[must_use]
    pub fn path(home: &Home) -> PathBuf {
        path(home)
    }

    /// The newest run, whatever came of it.
    #[must_use]
    pub fn last_run(&self) -> Option<&RunNote> {
        self.runs.last()
    }

    /// How many of the newest runs in a row were not good.
    #[must_use]
    pub fn failures_in_a_row(&self) -> usize {
        self.runs
            .iter()
            .rev()
            .take_while(|run| run.outcome != Outcome::Good)
            .count()
    }

    fn add_run(&mut self, mut note: RunNote, configured: &[&str]) {
        note.error = note.error.as_deref().map(shortened);
        for target in &mut note.targets {
            target.error = target.error.as_deref().map(shortened);
        }
        let total = match note.outcome {
            Outcome::Good => &mut self.totals.good,
            Outcome::Partial => &mut self.totals.partial,
            Outcome::Failed => &mut self.totals.failed,
        };
        *total += 1;
        self.first_run_at_ms.get_or_insert(note.at_ms);
        self.targets
            .retain(|name, _| configured.contains(&name.as_str()));
        for target in &note.targets {
            let known = self.targets.entry(target.name.clone()).or_default();
            known.error.clone_from(&target.error);
            if target.error.is_none() {
                known.last_good_at_ms = Some(note.at_ms);
                known.last_good_id.clone_from(&note.id);
            }
        }
        if note.outcome == Outcome::Good {
            self.last_good = Some(note.clone());
        }
        push(&mut self.runs, note);
    }
}

fn push<T>(notes: &mut Vec<T>, note: T) {
    notes.push(note);
    let too_many = notes.len().saturating_sub(MOST_NOTES);
    notes.drain(..too_many);
}

fn shortened(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST_CHARACTERS)
        .collect()
}

fn path(home: &Home) -> PathBuf {
    home.backup_spool().join("journal.json")
}

/// Reads, or says why that cannot be done. No journal is an empty one.
fn load(home: &Home) -> Result<Journal, String> {
    let path = path(home);
    let about = match std::fs::metadata(&path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Journal::default()),
        Err(error) => return Err(error.to_string()),
    };
    if about.len() > MOST_BYTES {
        return Err(format!("it has {} bytes", about.len()));
    }
    let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// One change at a time, whichever process makes it. An unreadable journal is kept beside the new one.
fn update(home: &Home, now_ms: i64, change: impl FnOnce(&mut Journal)) -> io::Result<()> {
    make_private(&home.backup_spool())?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(home.backup_spool().join("journal.lock"))?;
    lock.lock()?;
    let mut journal = Journal::read(home);
    if let Some(lost) = &mut journal.began_anew
        && lost.at_ms == 0
    {
        lost.at_ms = now_ms;
        tracing::warn!(
            "the journal of backups could not be read and begins anew: {}",
            lost.why
        );
        std::fs::rename(path(home), home.backup_spool().join("journal.damaged"))?;
    }
    change(&mut journal);
    let bytes = serde_json::to_vec(&journal).expect("texts and numbers are JSON");
    fsx::write_atomic(&path(home), &bytes, Mode::Private)
}

fn make_private(folder: &std::path::Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests;
