//! To each target: the file, read back and compared; then the manifest, which makes it a backup.
//!
//! All targets at once, each on a thread of its own: a slow one does not hold up the others, and what one fails at is its own matter.

use std::path::Path;

use crate::backup::id::BackupId;
use crate::backup::journal::{Step, TargetOutcome};
use crate::backup::manifest::Manifest;
use crate::backup::owner;
use crate::backup::targets::{Target, TargetError};
use crate::backup::words::{chain, hex};
use crate::backup::{Progress, Room};

/// What failed at a target, and at which step.
struct Failure {
    step: Step,
    error: String,
}

impl Failure {
    fn at(step: Step) -> impl Fn(TargetError) -> Failure {
        move |error| Failure {
            step,
            error: chain(&error),
        }
    }

    fn differs(step: Step, target: &Target) -> Failure {
        Failure {
            step,
            error: format!(
                "target `{}`: what it gives back is not what it was given; hint: its disk or the way there changes data",
                target.name()
            ),
        }
    }
}

/// What came of it at each target, in the order of the settings.
pub(super) fn to_all(
    room: &Room,
    id: &BackupId,
    file: &Path,
    manifest: &Manifest,
    progress: &dyn Progress,
) -> Vec<TargetOutcome> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = room
            .targets
            .iter()
            .map(|target| scope.spawn(move || to_one(room, target, id, file, manifest, progress)))
            .collect();
        let outcome = |(target, thread): (&Target, std::thread::ScopedJoinHandle<'_, _>)| {
            let failure = match thread.join() {
                Ok(Ok(())) => None,
                Ok(Err(failure)) => Some(failure),
                Err(_) => Some(Failure {
                    step: Step::Ship,
                    error:
                        "shipping panicked; hint: this is a defect, please report it with the log"
                            .to_owned(),
                }),
            };
            TargetOutcome {
                name: target.name().to_owned(),
                step: failure.as_ref().map(|failure| failure.step),
                error: failure.map(|failure| failure.error),
            }
        };
        room.targets.iter().zip(threads).map(outcome).collect()
    })
}

fn to_one(
    room: &Room,
    target: &Target,
    id: &BackupId,
    file: &Path,
    manifest: &Manifest,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    owner::claim(room, target).map_err(|error| Failure {
        step: Step::Ship,
        error: chain(&error),
    })?;
    let key = manifest.file_key();
    let mut advance = |bytes| progress.advance(bytes);
    target
        .put_file(&key, file, &mut advance)
        .map_err(Failure::at(Step::Ship))?;
    compare(target, &key, manifest, &mut advance).inspect_err(|_| {
        // Nobody counts it: there is no manifest. What cannot be removed now, pruning removes.
        let _ = target.delete(&key);
    })?;
    claim(target, id, manifest).inspect_err(|_| {
        // Nobody knows whether the manifest arrived: the file may go only when that has gone.
        let _ = target
            .delete(&id.manifest_key())
            .and_then(|()| target.delete(&key));
    })
}

fn compare(
    target: &Target,
    key: &str,
    manifest: &Manifest,
    advance: &mut dyn FnMut(u64),
) -> Result<(), Failure> {
    let there = target
        .hash(key, advance)
        .map_err(Failure::at(Step::Compare))?;
    let expected = (manifest.file.bytes, &manifest.file.sha256);
    if (there.bytes, &hex(&there.sha256)) != expected {
        return Err(Failure::differs(Step::Compare, target));
    }
    Ok(())
}

/// The manifest, read back as well.
fn claim(target: &Target, id: &BackupId, manifest: &Manifest) -> Result<(), Failure> {
    let (key, bytes) = (id.manifest_key(), manifest.to_bytes());
    target
        .put(&key, bytes.clone())
        .map_err(Failure::at(Step::Manifest))?;
    let there = target.get(&key).map_err(Failure::at(Step::Manifest))?;
    if there != bytes {
        return Err(Failure::differs(Step::Manifest, target));
    }
    Ok(())
}
