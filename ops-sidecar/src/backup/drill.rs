//! Trial restores: the only proof that a backup gives back what it took.
//!
//! The newest backup is fetched from a real target, opened, checked and compared with its manifest, then the newest moment is rebuilt; all
//! of it in a scratch folder, so that nothing in use is touched. What came of it is noted: how long a restore takes here (the RTO), and how
//! far back the newest moment was (the RPO). Not here: the schedule of other work, and what a failed drill means (`checks`).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::clock::Clock;
use shared::paths::Home;

use super::find::{self, Found};
use super::id::BackupId;
use super::journal::{DrillNote, Journal};
use super::restore::{self, Brought, Skipped, Wanted, What};
use super::seal::Identities;
use super::settings::Settings;
use super::targets::Target;
use super::turn::{Turn, TurnError};
use super::words::chain;
use super::{Progress, Quiet, Room, verify};

/// How long whoever else works on the backups is waited for: what is removed meanwhile would look lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long after a failed drill the next one waits: targets come back, and a failure is on the board meanwhile.
const AGAIN_AFTER: Duration = Duration::from_secs(3600);

/// Whether it is time for a drill: as often as the settings say, sooner after one that failed, and only if there is a backup to restore.
#[must_use]
pub fn due(journal: &Journal, settings: &Settings, now_ms: i64) -> bool {
    if journal.last_good.is_none() {
        return false;
    }
    let Some(last) = journal.drills.last() else {
        return true;
    };
    let wait = if last.error.is_none() {
        settings.drill_every
    } else {
        settings.drill_every.min(AGAIN_AFTER)
    };
    let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    // A note from the future is from before the clock was set back: it says nothing.
    last.at_ms > now_ms || now_ms - last.at_ms >= wait_ms
}

/// What a drill found.
#[derive(Debug)]
pub struct Drilled {
    /// As it was noted.
    pub note: DrillNote,
    /// The backup, if there was one to try.
    pub backup: Option<Found>,
}

impl Drilled {
    /// Whether everything came back as it was.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.note.error.is_none()
    }
}

/// There was no drill; says nothing about the backups.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// Somebody else works on the backups, and does not end in time.
    #[error(transparent)]
    Turn(#[from] TurnError),
    /// Whoever asked has forgotten the secret key.
    #[error(
        "backup `{id}` is encrypted, so it cannot be tried without a secret key; hint: say where it is with `--identity FILE`"
    )]
    NoIdentity {
        /// The newest backup.
        id: BackupId,
    },
}

/// Restores the newest backup and the newest moment into a scratch folder, compares, and notes what came of it.
///
/// # Errors
/// There was no drill; nothing is noted.
pub fn run(
    room: &Room,
    identities: Option<&Identities>,
    progress: &dyn Progress,
) -> Result<Drilled, DrillError> {
    progress.stage("waiting", 0);
    let turn = Turn::take(&room.home, PATIENCE)?;
    progress.stage("listing", 0);
    let since = room.clock.instant();
    let backup = newest(&room.targets, room.clock.now_ms());
    match backup {
        Some(found) if found.manifest.encrypted && identities.is_none() => {
            Err(DrillError::NoIdentity { id: found.id })
        }
        backup => Ok(within(&turn, room, backup, since, identities, progress)),
    }
}

fn within(
    _turn: &Turn,
    room: &Room,
    backup: Option<Found>,
    since: Instant,
    identities: Option<&Identities>,
    progress: &dyn Progress,
) -> Drilled {
    let began_ms = room.clock.now_ms();
    let mut note = DrillNote {
        id: backup.as_ref().map(|found| found.id.to_string()),
        ..nothing_yet(began_ms)
    };
    let mut problems = Vec::new();
    match &backup {
        None => problems.push("there is no backup at any target that answers".to_owned()),
        Some(found) => match try_backup(room, &found.id, identities, progress) {
            Ok((brought, damaged)) => {
                note.target = brought.target().map(str::to_owned);
                note.bytes = found.manifest.database.bytes;
                problems.extend(damaged);
            }
            Err(why) => problems.push(why),
        },
    }
    note.took_ms = millis(&room.clock, since);
    if room.settings.pitr.is_some() {
        let place = room.home.backup_spool();
        match verify::newest_point(&room.targets, identities, &place, progress) {
            Ok(reached_ms) => note.reached_ms = reached_ms,
            Err(why) => problems.push(format!("the newest moment: {why}")),
        }
    }
    note.error = (!problems.is_empty()).then(|| problems.join("; "));
    remember(&room.home, &note);
    Drilled { note, backup }
}

/// The step of the loop that makes drills when they are due.
#[derive(Debug)]
pub struct Drills {
    room: Room,
    identity_file: Option<PathBuf>,
}

impl Drills {
    /// `None` where backups are encrypted and no identity is in the settings: then a drill is made by hand, where the secret key is.
    #[must_use]
    pub fn new(room: Room) -> Option<Drills> {
        let identity_file = room.settings.identity_file.clone();
        let can_open = identity_file.is_some() || room.settings.recipients.is_empty();
        can_open.then_some(Drills {
            room,
            identity_file,
        })
    }

    /// Makes a drill if one is due; `false` if none was. What it finds is noted and is no error of the loop.
    ///
    /// # Errors
    /// The turn cannot be had, other than because somebody else has it.
    pub fn step(&mut self) -> anyhow::Result<bool> {
        if !self.is_due() {
            return Ok(false);
        }
        let turn = match Turn::take(&self.room.home, Duration::ZERO) {
            Ok(turn) => turn,
            Err(TurnError::Taken { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        // Whoever had the turn before may have made one.
        if !self.is_due() {
            return Ok(false);
        }
        let identities = self.identity_file.as_deref().map(Identities::from_file);
        match identities.transpose() {
            Ok(identities) => {
                let since = self.room.clock.instant();
                let backup = newest(&self.room.targets, self.room.clock.now_ms());
                let identities = identities.as_ref();
                let _ = within(&turn, &self.room, backup, since, identities, &Quiet);
            }
            Err(error) => {
                let note = DrillNote {
                    error: Some(chain(&error)),
                    ..nothing_yet(self.room.clock.now_ms())
                };
                remember(&self.room.home, &note);
            }
        }
        Ok(true)
    }

    fn is_due(&self) -> bool {
        let journal = Journal::read(&self.room.home);
        due(&journal, &self.room.settings, self.room.clock.now_ms())
    }
}

fn nothing_yet(at_ms: i64) -> DrillNote {
    DrillNote {
        at_ms,
        took_ms: 0,
        id: None,
        target: None,
        bytes: 0,
        reached_ms: None,
        error: None,
    }
}

/// A whole backup was opened by `verify`, which proves what a drill proves.
pub fn count(home: &Home, note: &DrillNote) {
    remember(home, note);
}

fn remember(home: &Home, note: &DrillNote) {
    if let Err(error) = Journal::note_drill(home, note.clone()) {
        tracing::warn!("what came of the trial restore could not be noted: {error}");
    }
}

fn millis(clock: &Arc<dyn Clock>, since: Instant) -> u64 {
    let took = clock.instant().saturating_duration_since(since);
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn newest(targets: &[Target], now_ms: i64) -> Option<Found> {
    let found = find::merge(&find::shelves(targets));
    find::newest(&found, now_ms).cloned()
}

/// Brings the backup from the nearest target that has it sound; also says where it is damaged.
fn try_backup(
    room: &Room,
    id: &BackupId,
    identities: Option<&Identities>,
    progress: &dyn Progress,
) -> Result<(Brought, Vec<String>), String> {
    let wanted = Wanted {
        what: What::Id(id.clone()),
        identities,
    };
    let mut damaged = Vec::new();
    let mut hear = |skipped: Skipped| {
        if skipped.is_damage {
            damaged.push(skipped.to_string());
        }
    };
    let place = room.home.backup_spool();
    match restore::bring(&room.targets, &wanted, &place, progress, &mut hear) {
        Ok(brought) => Ok((brought, damaged)),
        Err(error) => {
            damaged.insert(0, chain(&error));
            Err(damaged.join("; "))
        }
    }
}

#[cfg(test)]
mod tests;
