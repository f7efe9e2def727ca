//! Retention: what may go, and what is left in its place so that the rest can still be checked.
//!
//! Only a chain's beginning goes. The anchor keeps the number and hash of the last record that is gone, and a record in the
//! system chain tells of the pruning: an anchor that somebody else wrote has none. An intent stays as long as a record
//! that tells its outcome, and for ever while none does, or while a person has still to look what became of it
//! ([`crate::writes::settle`]). So does everything after it.
//! A chain that is not sound is left alone, what is wrong with it must not be swept away.

mod plan;

use serde::{Deserialize, Serialize};

use self::plan::{Fact, plan};
use super::append::as_hash;
use super::entry::hex;
use super::{Actor, Bad, Chain, Entry, Head, Outcome, action, append, checkpoint, heads, verify};
use crate::state::tables::audit::{self, Row};
use crate::state::tables::audit_anchors::{self, Row as Anchor};
use crate::state::tables::open_writes;
use crate::state::{Durability, Reading, State, StateError, Writing};

/// Records per snapshot while looking.
const PAGE: usize = 1_000;

/// What a pruning did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// How many records went.
    pub rows: u64,
    /// Chains that keep more than they should, and why.
    pub held: Vec<(Chain, Held)>,
}

/// Why a chain keeps records that are old enough to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// What became of the intent of this number was never recorded, or nobody could tell.
    OpenIntent(u64),
    /// The chain is not sound.
    Unsound(Bad),
}

/// Removes from the beginning of every chain what is older than `older_than_ms` (since 1970). The caller holds
/// `run/housekeeping.lock`, so that one process prunes. Chains are pruned one after the other, the system's last; what
/// fails in between leaves each chain sound.
///
/// # Errors
/// Why the file could not be read or written.
pub fn prune(
    state: &State,
    older_than_ms: i64,
    actor: &Actor,
    now_ms: i64,
) -> Result<Pruned, StateError> {
    let mut chains: Vec<Chain> = state
        .read("audit_prune", heads)?
        .into_iter()
        .map(|(chain, _)| chain)
        .collect();
    chains.sort_by_key(|chain| *chain == Chain::System);
    let mut pruned = Pruned::default();
    for chain in chains {
        if !begins_before(state, &chain, older_than_ms)? {
            continue;
        }
        let verdict = verify(state, &chain, None, &[])?;
        if let Some(bad) = verdict.first_bad {
            pruned.held.push((chain, Held::Unsound(bad)));
            continue;
        }
        let plan = plan(&facts(state, &chain)?, older_than_ms);
        for cut in plan.cuts {
            pruned.rows += cut_one(state, &chain, cut, actor, now_ms)?;
        }
        let held = plan.open_intent.map(Held::OpenIntent);
        pruned.held.extend(held.map(|held| (chain, held)));
    }
    Ok(pruned)
}

fn begins_before(state: &State, chain: &Chain, older_than_ms: i64) -> Result<bool, StateError> {
    let first = state.read("audit_prune", |reading| {
        audit::page(reading, chain.as_str(), 0, 1)
    })?;
    Ok(first.iter().any(|row| row.at_ms < older_than_ms))
}

fn facts(state: &State, chain: &Chain) -> Result<Vec<Fact>, StateError> {
    let unsettled = state.read("audit_prune", |reading| {
        open_writes::seqs(reading, chain.as_str())
    })?;
    let mut facts: Vec<Fact> = Vec::new();
    loop {
        let after = facts.last().map_or(0, |fact| fact.seq);
        let rows = state.read("audit_prune", |reading| {
            audit::page(reading, chain.as_str(), after, PAGE)
        })?;
        facts.extend(rows.iter().map(|row| Fact {
            seq: row.seq,
            at_ms: row.at_ms,
            is_intent: row.outcome == Outcome::Intent.as_str(),
            is_unsettled: unsettled.contains(&row.seq),
            intent_seq: row.intent_seq,
        }));
        if rows.len() < PAGE {
            return Ok(facts);
        }
    }
}

/// One cut: noted outside of the file first; then anchor, deletion and the record of it are there together or not at all.
fn cut_one(
    state: &State,
    chain: &Chain,
    cut: i64,
    actor: &Actor,
    now_ms: i64,
) -> Result<u64, StateError> {
    let last = state.read("audit_prune", |reading| {
        audit::at(reading, chain.as_str(), cut)
    })?;
    if let Some(last) = last {
        let head = Head {
            seq: cut.cast_unsigned(),
            hash: as_hash(&last.hash),
        };
        checkpoint::note_pruning(state.home(), chain, &head, now_ms)
            .map_err(|_| StateError::AuditRefused {
                why: "what is to be pruned cannot be noted in logs/audit-checkpoints.jsonl, and would look cut off",
                hint: "see that the home folder is writable and its disk not full",
            })?;
    }
    state.write("audit_prune", Durability::Full, |writing| {
        let Some(last) = audit::at(writing, chain.as_str(), cut)? else {
            return Ok(0);
        };
        let losing = anchors_recorded_before(writing, chain, cut)?;
        let anchor = Anchor {
            chain: chain.as_str().to_owned(),
            through_seq: cut,
            hash: last.hash,
            pruned_ms: now_ms,
        };
        audit_anchors::set(writing, &anchor)?;
        let rows = audit::delete_through(writing, chain.as_str(), cut)? as u64;
        record(writing, &anchor, rows, actor, now_ms)?;
        for anchor in &losing {
            record(writing, anchor, 0, actor, now_ms)?;
        }
        Ok(rows)
    })
}

/// Anchors whose records go with the beginning of the system chain; they are told of again.
fn anchors_recorded_before(
    reading: &Reading<'_>,
    chain: &Chain,
    cut: i64,
) -> Result<Vec<Anchor>, StateError> {
    if *chain != Chain::System {
        return Ok(Vec::new());
    }
    let mut losing = Vec::new();
    for anchor in audit_anchors::all(reading)? {
        let is_own = anchor.chain == chain.as_str();
        let row = record_of(reading, &anchor)?;
        if !is_own && row.is_some_and(|row| row.seq <= cut) {
            losing.push(anchor);
        }
    }
    Ok(losing)
}

/// What the system chain says of a pruning, as the shape of its arguments.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct Shape {
    rows: u64,
    through_seq: i64,
    hash: String,
}

fn record(
    writing: &Writing<'_>,
    anchor: &Anchor,
    rows: u64,
    actor: &Actor,
    now_ms: i64,
) -> Result<(), StateError> {
    let shape = Shape {
        rows,
        through_seq: anchor.through_seq,
        hash: hex(&anchor.hash),
    };
    let shape = serde_json::to_string(&shape).expect("numbers and text are JSON");
    let entry = Entry::done(actor, action::AUDIT_PRUNED, Some(&anchor.chain)).with_shape(&shape);
    append(writing, &Chain::System, &entry, now_ms, None).map(|_| ())
}

/// The newest record of a pruning of the anchor's chain, if it tells of this anchor.
fn record_of(reading: &Reading<'_>, anchor: &Anchor) -> Result<Option<Row>, StateError> {
    let system = Chain::System;
    let newest = audit::last_of(
        reading,
        system.as_str(),
        action::AUDIT_PRUNED,
        &anchor.chain,
    )?;
    let tells_of_it = |row: &Row| {
        let shape = row.args_shape.as_deref().unwrap_or_default();
        serde_json::from_str(shape).is_ok_and(|shape: Shape| {
            shape.through_seq == anchor.through_seq && shape.hash == hex(&anchor.hash)
        })
    };
    Ok(newest.filter(tells_of_it))
}

/// Whether the system chain tells that a pruning has left this anchor.
pub(super) fn is_recorded(reading: &Reading<'_>, anchor: &Anchor) -> Result<bool, StateError> {
    Ok(record_of(reading, anchor)?.is_some())
}
