//! What can be proven of a backup without restoring it, target by target.
//!
//! Two depths, never mixed up. *Read back*: every byte is there and is what was written; that is all that can be known without the secret
//! key. *Opened*: it was decrypted, decompressed, checked and compared with its manifest, as a restore would. Here: both, for backups and for
//! what recovery to a moment stands on. Nothing that is in use is touched.

use std::path::Path;

use super::Progress;
use super::fetch::{self, FetchError};
use super::manifest::Manifest;
use super::pitr::{self, Context, Gaps};
use super::restore::{self, What};
use super::scratch::Scratch;
use super::seal::Identities;
use super::targets::Target;
use super::words::chain;

/// What was proven of a backup at one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The target.
    pub target: String,
    /// Whether it was opened, checked and compared, besides being read back.
    pub opened: bool,
    /// What is wrong with it.
    pub problem: Option<String>,
}

/// Reads a backup back from `target`; opens it, too, if it can be opened: with the right identity, or without one if it is not encrypted.
#[must_use]
pub fn prove(
    target: &Target,
    manifest: &Manifest,
    identities: Option<&Identities>,
    place: &Path,
    progress: &dyn Progress,
) -> Proof {
    let can_open = !manifest.encrypted || identities.is_some();
    let outcome = if can_open {
        open(target, manifest, identities, place, progress)
    } else {
        read_back(target, manifest, progress)
    };
    Proof {
        target: target.name().to_owned(),
        opened: can_open && outcome.is_ok(),
        problem: outcome.err().map(|error| chain(&error)),
    }
}

fn read_back(
    target: &Target,
    manifest: &Manifest,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    progress.stage("reading", manifest.file.bytes);
    let fetched = target.hash(&manifest.file_key(), &mut |bytes| progress.advance(bytes))?;
    fetch::same_file(manifest, &fetched)
}

fn open(
    target: &Target,
    manifest: &Manifest,
    identities: Option<&Identities>,
    place: &Path,
    progress: &dyn Progress,
) -> Result<(), FetchError> {
    let scratch = Scratch::new(place).map_err(|source| FetchError::Here {
        path: place.to_owned(),
        source,
    })?;
    fetch::fetch(target, manifest, identities, &scratch, progress)?;
    Ok(())
}

/// What was proven of recovery to a moment at one target.
#[derive(Debug)]
pub struct PointProof {
    /// The target.
    pub target: String,
    /// What is there and what is not.
    pub gaps: Option<Gaps>,
    /// The newest moment, rebuilt and checked (milliseconds since 1970), if it could be opened.
    pub rebuilt_ms: Option<i64>,
    /// What is wrong.
    pub problem: Option<String>,
}

/// Looks whether what `target` has fits together without a gap; rebuilds the newest moment, too, if that can be opened.
#[must_use]
pub fn prove_points(
    target: &Target,
    identities: Option<&Identities>,
    context: &Context,
    now_ms: i64,
    place: &Path,
    progress: &dyn Progress,
) -> PointProof {
    let mut proof = PointProof {
        target: target.name().to_owned(),
        gaps: None,
        rebuilt_ms: None,
        problem: None,
    };
    progress.stage("looking", 0);
    match pitr::survey(target, now_ms, context) {
        Err(error) => {
            proof.problem = Some(chain(&error));
            return proof;
        }
        Ok(gaps) => {
            if gaps.lost > 0 {
                proof.problem = Some(lost(&gaps));
            }
            proof.gaps = Some(gaps);
        }
    }
    match newest_point(std::slice::from_ref(target), identities, place, progress) {
        Ok(reached) => proof.rebuilt_ms = reached,
        Err(why) => {
            proof.problem = Some(match proof.problem {
                Some(also) => format!("{also}; {why}"),
                None => why,
            });
        }
    }
    proof
}

fn lost(gaps: &Gaps) -> String {
    let cut_off = gaps.lost - gaps.covered;
    format!(
        "{} increments are lost: behind {} of them only moments are gone that a coarser step leads over, behind {cut_off} what follows cannot be reached",
        gaps.lost, gaps.covered
    )
}

/// Rebuilds the newest moment of these targets in a scratch file and checks it; `None` if there is none, or none that could be opened.
pub(super) fn newest_point(
    targets: &[Target],
    identities: Option<&Identities>,
    place: &Path,
    progress: &dyn Progress,
) -> Result<Option<i64>, String> {
    let windows = restore::window_of_each(targets);
    let ways = restore::candidates(&What::LatestPoint, &[], &windows);
    let Some(way) = ways.first() else {
        return Ok(None);
    };
    if way.encrypted() && identities.is_none() {
        return Ok(None);
    }
    let wanted = restore::Wanted {
        what: What::LatestPoint,
        identities,
    };
    let mut damage = Vec::new();
    let brought = restore::bring(targets, &wanted, place, progress, &mut |skipped| {
        if skipped.is_damage {
            damage.push(skipped.to_string());
        }
    });
    match brought {
        Ok(brought) if damage.is_empty() => Ok(Some(brought.reached_ms())),
        Ok(_) => Err(damage.join("; ")),
        Err(error) => Err(std::iter::once(chain(&error))
            .chain(damage)
            .collect::<Vec<_>>()
            .join("; ")),
    }
}
