//! Whether a copy of the state file can be counted on.
//!
//! Here: the one judgement that making, restoring, verifying and drills share: SQLite finds nothing wrong with it, it is ours, and how each
//! audit chain in it ends, and whether that is whole. A chain that is not whole is told and no error: the keys of shops and everything else
//! in the file are worth keeping all the same, most of all then. Not here: where the copy comes from, and comparing it with a manifest.

use std::path::Path;

use shared::audit::checkpoint::Checkpoint;
use shared::audit::{self, Chain};
use shared::state::{Inspected, NEWEST_SCHEMA, State, StateError, upgrade_copy};

use super::manifest::{self, ChainEnd};

/// What was found in a sound copy.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Pages, schema, rows.
    pub inspected: Inspected,
    /// How far each audit chain had come, by name.
    pub chains: Vec<ChainEnd>,
}

/// A copy cannot be counted on.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It cannot be opened, or SQLite finds it damaged.
    #[error("the copy is not sound")]
    State(#[from] StateError),
    /// There is no place to bring an older copy up to date.
    #[error(
        "cannot work beside the copy; hint: this user needs write access there, and the disk some space"
    )]
    Io(#[from] std::io::Error),
}

impl Checked {
    /// The audit chains that are not whole, in words for people; `None` when all are.
    #[must_use]
    pub fn broken_chains(&self) -> Option<String> {
        manifest::broken(&self.chains)
    }
}

/// Reads all of the copy at `path`, which nobody has open. The `checkpoints` are what is remembered of chains outside of the state file;
/// none for an old copy, whose chains are legitimately shorter than what is remembered.
///
/// # Errors
/// What is wrong with it first.
pub fn check_copy(path: &Path, checkpoints: &[Checkpoint]) -> Result<Checked, CheckError> {
    let copy = State::open_copy(path)?;
    let inspected = copy.inspect()?;
    let chains = if inspected.schema < NEWEST_SCHEMA {
        drop(copy);
        chains_of_older(path, checkpoints)?
    } else {
        chains_of(&copy, checkpoints)?
    };
    Ok(Checked { inspected, chains })
}

fn chains_of(copy: &State, checkpoints: &[Checkpoint]) -> Result<Vec<ChainEnd>, CheckError> {
    let all = copy.read("audit_heads", |reading| audit::chains(reading, checkpoints))?;
    all.iter()
        .map(|chain| chain_end(copy, chain, checkpoints))
        .collect()
}

/// What an older program backed up has to be brought up to date before this one can read its chains; in a file of its own, because the copy is
/// compared with what it was.
fn chains_of_older(path: &Path, checkpoints: &[Checkpoint]) -> Result<Vec<ChainEnd>, CheckError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let place = tempfile::Builder::new()
        .prefix(".older-")
        .tempdir_in(folder)?;
    let newer = place.path().join("state.db");
    std::fs::copy(path, &newer)?;
    upgrade_copy(&newer)?;
    chains_of(&State::open_copy(&newer)?, checkpoints)
}

fn chain_end(
    copy: &State,
    chain: &Chain,
    checkpoints: &[Checkpoint],
) -> Result<ChainEnd, CheckError> {
    let verdict = audit::verify(copy, chain, None, checkpoints)?;
    let head = copy.read("audit_head", |reading| audit::head(reading, chain))?;
    Ok(ChainEnd {
        chain: chain.as_str().to_owned(),
        rows: head.seq,
        head: head.hash_hex(),
        problem: verdict.first_bad.map(|bad| bad.to_string()),
    })
}
