//! Retention: what may go, and what is left in its place so that the rest can still be checked.
//!
//! Only a chain's beginning goes. The anchor keeps the number and hash of the last record that is gone, and a record in the
//! system chain tells of the pruning: an anchor that somebody else wrote has none. An intent stays as long as a record
//! that tells its outcome, and for ever while none does: what became of it is not known yet. So does everything after it.
//! A chain that is not sound is left alone, what is wrong with it must not be swept away.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::hex;
use super::{Actor, Bad, Chain, Entry, Outcome, action, append, heads, verify};
use crate::state::tables::audit::{self, Row};
use crate::state::tables::audit_anchors::{self, Row as Anchor};
use crate::state::{Durability, Reading, State, StateError, Writing};

/// Records that go in one transaction: others wait for the write lock meanwhile, some tens of milliseconds.
const BATCH: i64 = 2_000;

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
    /// What became of the intent of this number was never recorded.
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

/// What a record says about what may go.
#[derive(Debug, Clone, Copy)]
struct Fact {
    seq: i64,
    at_ms: i64,
    is_intent: bool,
    intent_seq: Option<i64>,
}

fn facts(state: &State, chain: &Chain) -> Result<Vec<Fact>, StateError> {
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
            intent_seq: row.intent_seq,
        }));
        if rows.len() < PAGE {
            return Ok(facts);
        }
    }
}

/// Where to cut, one cut after the other.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    cuts: Vec<i64>,
    /// What kept the last cut from coming later, for ever.
    open_intent: Option<u64>,
}

/// The oldest records that are all older than the limit may go, as far as no intent is parted from its outcomes. A record
/// dated later than its neighbours keeps what follows it: clocks jump, and what is kept too long does no harm.
fn plan(facts: &[Fact], older_than_ms: i64) -> Plan {
    // The last record that tells what became of an intent.
    let mut told_at: BTreeMap<i64, i64> = BTreeMap::new();
    for fact in facts {
        if let Some(intent) = fact.intent_seq {
            told_at.insert(intent, fact.seq);
        }
    }
    let mut plan = Plan {
        cuts: Vec::new(),
        open_intent: None,
    };
    let mut uncut_from = facts.first().map_or(0, |fact| fact.seq);
    let mut last_safe = None;
    let mut told_through = 0;
    for fact in facts.iter().take_while(|fact| fact.at_ms < older_than_ms) {
        if fact.is_intent {
            let Some(told) = told_at.get(&fact.seq) else {
                plan.open_intent = Some(fact.seq.cast_unsigned());
                break;
            };
            told_through = told_through.max(*told);
        }
        if told_through <= fact.seq {
            last_safe = Some(fact.seq);
            if fact.seq - uncut_from >= BATCH - 1 {
                plan.cuts.push(fact.seq);
                uncut_from = fact.seq + 1;
            }
        }
    }
    plan.cuts
        .extend(last_safe.filter(|safe| *safe >= uncut_from));
    plan
}

/// One cut: anchor, deletion and the record of it are there together or not at all.
fn cut_one(
    state: &State,
    chain: &Chain,
    cut: i64,
    actor: &Actor,
    now_ms: i64,
) -> Result<u64, StateError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seq: i64, at_ms: i64) -> Fact {
        Fact {
            seq,
            at_ms,
            is_intent: false,
            intent_seq: None,
        }
    }

    fn intent(seq: i64) -> Fact {
        Fact {
            is_intent: true,
            ..at(seq, 0)
        }
    }

    fn outcome(seq: i64, of: i64) -> Fact {
        Fact {
            intent_seq: Some(of),
            ..at(seq, 0)
        }
    }

    #[track_caller]
    fn planned(facts: &[Fact], cuts: &[i64], open_intent: Option<u64>) {
        let plan = plan(facts, 100);
        assert_eq!(
            (plan.cuts.as_slice(), plan.open_intent),
            (cuts, open_intent)
        );
    }

    #[test]
    fn the_old_beginning_goes() {
        planned(&[at(4, 1), at(5, 99), at(6, 100), at(7, 200)], &[5], None);
        planned(&[at(1, 100)], &[], None);
        planned(&[], &[], None);
        planned(&[at(1, 1), at(2, 2)], &[2], None);
    }

    #[test]
    fn a_record_dated_later_keeps_what_follows_it() {
        planned(&[at(1, 1), at(2, 500), at(3, 2)], &[1], None);
    }

    #[test]
    fn an_intent_stays_with_each_of_its_outcomes() {
        planned(&[at(1, 1), intent(2), at(3, 1), outcome(4, 2)], &[4], None);
        let kept = Fact {
            at_ms: 200,
            ..outcome(4, 2)
        };
        planned(&[at(1, 1), intent(2), at(3, 1), kept], &[1], None);
        let second = Fact {
            at_ms: 200,
            ..outcome(5, 2)
        };
        planned(
            &[at(1, 1), intent(2), outcome(3, 2), at(4, 1), second],
            &[1],
            None,
        );
    }

    #[test]
    fn intents_that_overlap_hold_each_other() {
        planned(
            &[
                intent(1),
                intent(2),
                outcome(3, 1),
                at(4, 1),
                outcome(5, 2),
                at(6, 100),
            ],
            &[5],
            None,
        );
    }

    #[test]
    fn an_intent_of_unknown_fate_stays_and_all_after_it() {
        planned(&[at(1, 1), intent(2), at(3, 1), at(4, 200)], &[1], Some(2));
        planned(&[intent(1), at(2, 1)], &[], Some(1));
    }

    #[test]
    fn a_long_beginning_goes_in_steps() {
        let facts: Vec<Fact> = (11..=10 + 2 * BATCH + 5).map(|seq| at(seq, 1)).collect();
        planned(&facts, &[10 + BATCH, 10 + 2 * BATCH, 15 + 2 * BATCH], None);
    }
}
