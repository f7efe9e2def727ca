//! Whether a copy of the state file can be counted on.
//!
//! Here: the one judgement that making, restoring, verifying and drills share: SQLite finds nothing wrong with it, it is ours, and every
//! audit chain in it is whole. Not here: where the copy comes from, and comparing it with a manifest.

use std::path::Path;

use shared::audit::checkpoint::Checkpoint;
use shared::audit::{self, Chain, Head};
use shared::state::{Inspected, State, StateError};

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
    let all = copy.read("audit_heads", |reading| audit::chains(reading, checkpoints))?;
    let chains = all
        .iter()
        .map(|chain| chain_end(&copy, chain, checkpoints))
        .collect::<Result<_, _>>()?;
    Ok(Checked { inspected, chains })
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
