//! What happened to backups on this machine: the newest runs, drills and restores, and totals that never fall.
//!
//! Here: `journal.json` in the spool, read by findings, metrics and commands, written whole each time under a lock of its own. Notes hold
//! no secrets and no file contents. A journal is a convenience: when it cannot be read, a new one begins and says so, and no backup is
//! worse for it. Not here: what is a backup, which only the manifests at the targets say.

mod notes;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use shared::fsx::{self, Mode};
use shared::paths::Home;

pub use notes::{
    BeganAnew, DrillNote, Outcome, RestoreNote, RunNote, Step, TargetNote, TargetOutcome, Totals,
};

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

    /// Where it lies; written whole, so its time and size tell whether it has changed.
    #[must_use]
    pub fn path(home: &Home) -> PathBuf {
        home.backup_spool().join("journal.json")
    }

    /// Adds a run; `configured` are the names of the targets there are.
    ///
    /// # Errors
    /// The journal cannot be written. What happened has happened all the same.
    pub fn note_run(home: &Home, note: RunNote, configured: &[&str]) -> io::Result<()> {
        update(home, note.at_ms, |journal| {
            journal.add_run(note, configured);
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

/// Reads, or says why that cannot be done. No journal is an empty one.
fn load(home: &Home) -> Result<Journal, String> {
    let path = Journal::path(home);
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
        std::fs::rename(
            Journal::path(home),
            home.backup_spool().join("journal.damaged"),
        )?;
    }
    change(&mut journal);
    let bytes = serde_json::to_vec(&journal).expect("texts and numbers are JSON");
    fsx::write_atomic(&Journal::path(home), &bytes, Mode::Private)
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
