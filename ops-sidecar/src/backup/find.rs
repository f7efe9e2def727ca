//! What there is to restore: the backups at every target, as their manifests tell.
//!
//! Targets are asked at the same time, so that one that does not answer costs its own patience and nobody else's. What a target says is
//! not believed further than it can be checked here: a manifest that contradicts itself, or whose file is missing or of another size, is
//! shown as unusable and stops nothing. Not here: whether the content is what the manifest says (`fetch`).

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::id::{self, BackupId};
use super::manifest::Manifest;
use super::targets::{Item, Target};
use super::words::chain;

/// How long one of several targets may take to say what it has: many times what a listing of a month takes over a slow line, and far less than
/// a target takes to give up on a network that swallows everything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one target has.
#[derive(Debug)]
pub struct Shelf {
    /// The target.
    pub target: Target,
    /// Why nothing is known of it.
    pub away: Option<String>,
    /// What can be restored from it.
    pub backups: BTreeMap<BackupId, Manifest>,
    /// What looks like a backup and is none, each with the reason.
    pub unusable: Vec<Unusable>,
}

/// Something that cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// Its id.
    pub id: BackupId,
    /// Why.
    pub why: String,
}

/// One backup and the targets that have it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its name.
    pub id: BackupId,
    /// What is known of it.
    pub manifest: Manifest,
    /// Where it lies, the nearest first.
    pub targets: Vec<String>,
}

/// Asks every target at once; in the order of the settings, those on this machine first.
#[must_use]
pub fn shelves(targets: &[Target]) -> Vec<Shelf> {
    let mut shelves = on_each(targets, shelf, Shelf::away);
    shelves.sort_by_key(|shelf| shelf.target.is_remote());
    shelves
}

/// Asks each target at the same time. Where there are several, one that has not answered after [`PATIENCE`] is `silent`, so that the others can
/// be used: it is asked on until it gives up by itself, for nobody.
pub(super) fn on_each<T: Send + 'static>(
    targets: &[Target],
    ask: fn(&Target) -> T,
    silent: fn(&Target, String) -> T,
) -> Vec<T> {
    let until = Instant::now() + PATIENCE;
    let asked: Vec<_> = targets
        .iter()
        .map(|target| {
            let (sender, answer) = mpsc::channel();
            let target = target.clone();
            // Nobody may be listening any more.
            std::thread::spawn(move || sender.send(ask(&target)).is_ok());
            answer
        })
        .collect();
    let is_only = targets.len() == 1;
    let answers = targets.iter().zip(asked).map(|(target, answer)| {
        let answered = if is_only {
            answer.recv().ok()
        } else {
            let left = until.saturating_duration_since(Instant::now());
            answer.recv_timeout(left).ok()
        };
        answered.unwrap_or_else(|| silent(target, no_answer(target)))
    });
    answers.collect()
}

fn no_answer(target: &Target) -> String {
    let (name, seconds) = (target.name(), PATIENCE.as_secs());
    format!(
        "target `{name}` has not answered for {seconds} s; hint: `--target {name}` waits longer, for that one alone"
    )
}

/// The backups of several shelves, newest first. Where two manifests of one name differ, the first shelf's is shown.
#[must_use]
pub fn merge(shelves: &[Shelf]) -> Vec<Found> {
    let mut merged: BTreeMap<BackupId, Found> = BTreeMap::new();
    for shelf in shelves {
        for (id, manifest) in &shelf.backups {
            let found = merged.entry(id.clone()).or_insert_with(|| Found {
                id: id.clone(),
                manifest: manifest.clone(),
                targets: Vec::new(),
            });
            found.targets.push(shelf.target.name().to_owned());
        }
    }
    let mut newest_first: Vec<Found> = merged.into_values().collect();
    newest_first.sort_by_key(|found| {
        (
            std::cmp::Reverse(found.manifest.at_ms()),
            std::cmp::Reverse(found.id.clone()),
        )
    });
    newest_first
}

/// Clocks of machines differ by minutes; a day is a mistake, and what such a clock has named says nothing about what is newest.
pub const AHEAD_MS: i64 = 24 * 60 * 60 * 1000;

/// The newest of what is sorted so, on a machine whose clock shows `now_ms`: what is named far ahead of it counts only where there is nothing
/// else.
#[must_use]
pub fn newest(newest_first: &[Found], now_ms: i64) -> Option<&Found> {
    let until_ms = now_ms.saturating_add(AHEAD_MS);
    let sane = |found: &&Found| found.manifest.at_ms() <= until_ms;
    newest_first.iter().find(sane).or(newest_first.first())
}

impl Shelf {
    fn empty(target: &Target) -> Shelf {
        Shelf {
            target: target.clone(),
            away: None,
            backups: BTreeMap::new(),
            unusable: Vec::new(),
        }
    }

    pub(super) fn away(target: &Target, why: String) -> Shelf {
        Shelf {
            away: Some(why),
            ..Shelf::empty(target)
        }
    }
}

/// What one target has.
pub(super) fn shelf(target: &Target) -> Shelf {
    let items = match target.list(id::FOLDER) {
        Ok(items) => items,
        Err(error) => return Shelf::away(target, error.to_string()),
    };
    let mut shelf = Shelf::empty(target);
    let sizes: BTreeMap<&str, u64> = items
        .iter()
        .map(|Item { key, bytes, .. }| (key.as_str(), *bytes))
        .collect();
    for id in items
        .iter()
        .filter_map(|item| BackupId::of_manifest_key(&item.key))
    {
        match read(target, &id, &sizes) {
            Ok(manifest) => {
                shelf.backups.insert(id, manifest);
            }
            Err(why) => shelf.unusable.push(Unusable { id, why }),
        }
    }
    shelf
}

/// The manifest of `id`, if the file it speaks of is there.
fn read(target: &Target, id: &BackupId, sizes: &BTreeMap<&str, u64>) -> Result<Manifest, String> {
    let bytes = target
        .get(&id.manifest_key())
        .map_err(|error| error.to_string())?;
    let manifest = Manifest::parse(id, &bytes).map_err(|error| chain(&error))?;
    match sizes.get(manifest.file_key().as_str()) {
        None => Err("its file is missing".to_owned()),
        Some(size) if *size != manifest.file.bytes => Err(format!(
            "its file has {size} bytes instead of {}",
            manifest.file.bytes
        )),
        Some(_) => Ok(manifest),
    }
}
