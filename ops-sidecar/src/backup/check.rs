//! Whether a copy of the state file can be counted on.
//!
//! Here: the one judgement that making, restoring, verifying and drills share: SQLite finds nothing wrong with it, it is ours, and every
//! audit chain in it is whole. Not here: where the copy comes from, and comparing it with a manifest.

use std::path::Path;

use shared::audit::checkpoint::Checkpoint;
use shared::audit::{self, Chain, Head};
use shared::state::{Inspected, NEWEST_SCHEMA, State, StateError, upgrade_copy};

use super::manifest::ChainEnd;

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
    /// An audit chain in it is not whole.
    #[error(
        "the audit chain `{chain}` in the copy is not whole: {what}; hint: `mcp-stdio audit verify` says whether the state file itself is like that"
    )]
    Chain {
        /// Which chain.
        chain: String,
        /// What is wrong with it.
        what: String,
    },
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
    if let Some(bad) = verdict.first_bad {
        return Err(CheckError::Chain {
            chain: chain.as_str().to_owned(),
            what: bad.to_string(),
        });
    }
    let head = verdict.head.unwrap_or(Head::NONE);
    Ok(ChainEnd {
        chain: chain.as_str().to_owned(),
        rows: head.seq,
        head: head.hash_hex(),
    })
}
