//! Removing old backups.
//!
//! Here: what is at each target, which of it may go, and removing it: the manifest first, so that whatever is interrupted leaves no claim
//! without a file. Each target is judged by what it holds itself, and one that does not answer does not hold up the others. Not here: the
//! rules (`retention`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::Room;
use super::id::{BackupId, FOLDER};
use super::journal::TargetOutcome;
use super::manifest::{Manifest, ManifestError};
use super::owner::{self, OwnerError};
use super::retention::{self, Candidate};
use super::targets::{Item, Kind, Target, TargetError};
use super::turn::{Turn, TurnError};

/// A file without a manifest may be on its way from another machine for so long; afterwards it is a leftover.
const UPLOADING_MS: i64 = 24 * 60 * 60 * 1000;
/// The same for the half-written files of killed processes in folders.
const UPLOADING: Duration = Duration::from_secs(24 * 60 * 60);
/// How long whoever else works on backups is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was done at one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// The target.
    pub target: String,
    /// Backups that went (or would go), oldest first.
    pub removed: Vec<String>,
    /// Keys of leftovers without a manifest that went (or would go).
    pub leftovers: Vec<String>,
    /// How many bytes that frees.
    pub bytes: u64,
    /// How many backups stay.
    pub kept: usize,
    /// Why not all of that could be done.
    pub error: Option<String>,
}

/// Removes at every target what no rule keeps; with `dry_run` only says what that would be.
///
/// # Errors
/// Somebody else works on the backups. What fails at a target stands in its [`Pruned::error`].
pub fn prune(room: &Room, dry_run: bool) -> Result<Vec<Pruned>, TurnError> {
    if dry_run {
        return Ok(all(room, true));
    }
    let _turn = Turn::take(&room.home, PATIENCE)?;
    Ok(all(room, false))
}

/// As [`prune`], for who has the turn already and has just made a backup: whatever the clock says, that one stays. A target that did not
/// take it is not asked: what is old there may be all that it has, and one that is away would be waited for again.
pub(super) fn after_making(
    _turn: &Turn,
    room: &Room,
    made: &BackupId,
    outcomes: &[TargetOutcome],
) -> Vec<Pruned> {
    let took_it = |(_, outcome): &(&Target, &TargetOutcome)| outcome.error.is_none();
    room.targets
        .iter()
        .zip(outcomes)
        .filter(took_it)
        .map(|(target, _)| one(room, target, false, Some(made)))
        .collect()
}

fn all(room: &Room, dry_run: bool) -> Vec<Pruned> {
    room.targets
        .iter()
        .map(|target| one(room, target, dry_run, None))
        .collect()
}

fn one(room: &Room, target: &Target, dry_run: bool, spared: Option<&BackupId>) -> Pruned {
    let mut pruned = Pruned {
        target: target.name().to_owned(),
        ..Pruned::default()
    };
    if let Err(error) = at(room, target, dry_run, spared, &mut pruned) {
        pruned.error = Some(error.to_string());
    }
    pruned
}

fn at(
    room: &Room,
    target: &Target,
    dry_run: bool,
    spared: Option<&BackupId>,
    pruned: &mut Pruned,
) -> Result<(), OwnerError> {
    if dry_run {
        owner::may_deliver(&room.home, target)?;
    } else {
        owner::claim(room, target)?;
    }
    let shelf = Shelf::of(target)?;
    let now = room.clock.now();
    let mut doomed = retention::doomed(&shelf.judged(target)?, &room.settings.keep, now);
    doomed.retain(|id| Some(id) != spared);
    pruned.kept = shelf.claimed().count() - doomed.len();
    for id in doomed {
        let parts = &shelf.backups[&id];
        for item in parts.manifest.iter().chain(&parts.files) {
            remove(target, item, dry_run)?;
            pruned.bytes += item.bytes;
        }
        pruned.removed.push(id.to_string());
    }
    let is_old =
        |item: &&Item| now.as_millisecond().saturating_sub(item.modified_ms) > UPLOADING_MS;
    for item in shelf.unclaimed().filter(is_old) {
        remove(target, item, dry_run)?;
        pruned.bytes += item.bytes;
        pruned.leftovers.push(item.key.clone());
    }
    if !dry_run {
        target.sweep(FOLDER, UPLOADING)?;
    }
    Ok(())
}

fn remove(target: &Target, item: &Item, dry_run: bool) -> Result<(), TargetError> {
    if dry_run {
        return Ok(());
    }
    target.delete(&item.key)
}

/// What a target holds.
struct Shelf {
    backups: BTreeMap<BackupId, Parts>,
}

#[derive(Default)]
struct Parts {
    manifest: Option<Item>,
    files: Vec<Item>,
}

impl Shelf {
    /// What is called otherwise than ours is not looked at.
    fn of(target: &Target) -> Result<Shelf, TargetError> {
        let mut backups: BTreeMap<BackupId, Parts> = BTreeMap::new();
        target.each(FOLDER, &mut |item| {
            let Some(id) = BackupId::of_key(&item.key) else {
                return;
            };
            let is_manifest = item.key == id.manifest_key();
            let parts = backups.entry(id).or_default();
            if is_manifest {
                parts.manifest = Some(item);
            } else {
                parts.files.push(item);
            }
        })?;
        Ok(Shelf { backups })
    }

    fn claimed(&self) -> impl Iterator<Item = (&BackupId, &Parts)> {
        self.backups
            .iter()
            .filter(|(_, parts)| parts.manifest.is_some())
    }

    fn unclaimed(&self) -> impl Iterator<Item = &Item> {
        self.backups
            .values()
            .filter(|parts| parts.manifest.is_none())
            .flat_map(|parts| &parts.files)
    }

    /// Each backup, and whether it can be counted on.
    fn judged(&self, target: &Target) -> Result<Vec<Candidate>, TargetError> {
        self.claimed()
            .map(|(id, parts)| parts.judged(id, target))
            .collect()
    }
}

impl Parts {
    /// Good is one whose manifest can be believed, whose audit was whole, and whose file is there in full length. What a later version of this program made is
    /// counted on unread.
    fn judged(&self, id: &BackupId, target: &Target) -> Result<Candidate, TargetError> {
        let candidate = |good, at_ms| Candidate {
            id: id.clone(),
            at_ms,
            good,
        };
        let began_ms = id.at().as_millisecond();
        let bytes = match target.get(&id.manifest_key()) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == Kind::Missing => return Ok(candidate(false, began_ms)),
            Err(error) => return Err(error),
        };
        Ok(match Manifest::parse(id, &bytes) {
            Ok(manifest) => {
                let good = manifest.is_whole() && self.has_file_of(&manifest);
                candidate(good, manifest.at_ms())
            }
            Err(ManifestError::Newer { .. }) => candidate(true, began_ms),
            Err(ManifestError::Unreadable(_) | ManifestError::Odd(_)) => candidate(false, began_ms),
        })
    }

    fn has_file_of(&self, manifest: &Manifest) -> bool {
        let key = manifest.file_key();
        self.files
            .iter()
            .any(|file| file.key == key && file.bytes == manifest.file.bytes)
    }
}

#[cfg(test)]
mod tests;
