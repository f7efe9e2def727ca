//! What there is to restore: the backups at every target, as their manifests tell.
//!
//! Targets are asked at the same time, so that one that does not answer costs its own patience and nobody else's. What a target says is
//! not believed further than it can be checked here: a manifest that contradicts itself, or whose file is missing or of another size, is
//! shown as unusable and stops nothing. Not here: whether the content is what the manifest says (`fetch`).

use std::collections::BTreeMap;

use super::id::{self, BackupId};
use super::make::chain;
use super::manifest::Manifest;
use super::targets::{Item, Target};

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
    let mut shelves = on_each(targets, shelf);
    shelves.sort_by_key(|shelf| shelf.target.is_remote());
    shelves
}

/// Does the same at each target, at the same time.
pub(super) fn on_each<T: Send>(targets: &[Target], ask: impl Fn(&Target) -> T + Sync) -> Vec<T> {
    let ask = &ask;
    std::thread::scope(|scope| {
        let asked: Vec<_> = targets
            .iter()
            .map(|target| scope.spawn(move || ask(target)))
            .collect();
        asked
            .into_iter()
            .map(|asked| match asked.join() {
                Ok(answer) => answer,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
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

fn shelf(target: &Target) -> Shelf {
    let mut shelf = Shelf {
        target: target.clone(),
        away: None,
        backups: BTreeMap::new(),
        unusable: Vec::new(),
    };
    let items = match target.list(id::FOLDER) {
        Ok(items) => items,
        Err(error) => {
            shelf.away = Some(error.to_string());
            return shelf;
        }
    };
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
