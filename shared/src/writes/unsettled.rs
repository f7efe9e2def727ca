//! Writes that a person has to look at: nobody recorded how they ended, or nobody could tell.

use std::collections::HashMap;

use jiff::Timestamp;

use super::intent::no_longer_busy;
use crate::audit::{self, Actor, Chain, Entry, Outcome, Signer, action};
use crate::session::{self, SessionId};
use crate::state::tables::open_writes::{self as table, Row};
use crate::state::{Durability, State, StateError};

/// Why nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its process ended before the outcome was recorded.
    Died,
    /// It was tried, and whether it was done could not be told.
    Unknown,
}

impl Why {
    /// A word from a small closed set, for JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Why::Died => "died",
            Why::Unknown => "unknown",
        }
    }
}

/// A write that may have been done or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Where its intent is recorded.
    pub chain: Chain,
    /// The intent's number there.
    pub seq: u64,
    /// When it was about to be sent.
    pub at: Timestamp,
    /// Which session wrote.
    pub session: String,
    /// The program that asked for it.
    pub client: Option<String>,
    /// The shop, as an opaque key.
    pub store_key: String,
    /// What was to be done.
    pub action: String,
    /// To what.
    pub target: String,
    /// What to look at.
    pub check: String,
    /// Why nobody knows.
    pub why: Why,
}

/// The writes whose end nobody knows, oldest first; of one chain, or of all. A write that a living process has under way is none.
///
/// # Errors
/// Why the file could not be read.
pub fn unsettled(state: &State, chain: Option<&Chain>) -> Result<Vec<Unsettled>, StateError> {
    let is_of_chain = |row: &Row| chain.is_none_or(|chain| row.chain == chain.as_str());
    let read = || state.read("writes_unsettled", table::all);
    let mut rows = read()?;
    let mut living: HashMap<String, bool> = HashMap::new();
    for row in rows.iter().filter(|row| row.state == table::OPEN) {
        living
            .entry(row.session_id.clone())
            .or_insert_with(|| lives(state, row));
    }
    if living.values().any(|lives| !lives) {
        // Who ended after the first look may have recorded the outcome before; the dead record nothing.
        rows = read()?;
    }
    let why = |row: &Row| match row.state.as_str() {
        table::OPEN => (living.get(&row.session_id) == Some(&false)).then_some(Why::Died),
        _ => Some(Why::Unknown),
    };
    let told = rows.into_iter().filter(is_of_chain);
    Ok(told
        .filter_map(|row| why(&row).map(|why| Unsettled::of(row, why)))
        .collect())
}

impl Unsettled {
    fn of(row: Row, why: Why) -> Unsettled {
        Unsettled {
            chain: Chain::from_stored(&row.chain),
            seq: row.seq.cast_unsigned(),
            at: audit::moment(row.at_ms),
            session: row.session_id,
            client: row.client,
            store_key: row.store_key,
            action: row.action,
            target: row.target,
            check: row.check_hint,
            why,
        }
    }
}

/// A person looked, and says whether it was done: recorded as [`action::WRITE_SETTLED`], and the write is unsettled no more. `false`
/// when there is no such write, or when a living process still has it under way.
///
/// # Errors
/// Why nothing was written.
pub fn settle(
    state: &State,
    chain: &Chain,
    seq: u64,
    as_done: bool,
    actor: &Actor,
    at_ms: i64,
    signer: Option<&dyn Signer>,
) -> Result<bool, StateError> {
    state.write("write_settle", Durability::Full, |writing| {
        let row = table::at(writing, chain.as_str(), seq.cast_signed())?;
        let Some(row) = row.filter(|row| row.state != table::OPEN || !lives(state, row)) else {
            return Ok(false);
        };
        let outcome = if as_done {
            Outcome::Done
        } else {
            Outcome::Failed
        };
        let entry = Entry::new(actor, action::WRITE_SETTLED, Some(&row.target), outcome)
            .with_shape(&row.action)
            .of_intent(seq);
        audit::append(writing, chain, &entry, at_ms, signer)?;
        table::remove(writing, &row.chain, row.seq)?;
        no_longer_busy(writing, &row.store_key)?;
        Ok(true)
    })
}

/// Whether the process that wrote still lives.
fn lives(state: &State, row: &Row) -> bool {
    SessionId::from_stored(&row.session_id).is_some_and(|id| session::is_alive(state.home(), &id))
}
