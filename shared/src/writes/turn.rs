//! Turns: who may write to a thing next, first come, first served, across all processes of a home.
//!
//! A turn is one ticket that stands in the queue of every thing that it is for, all of them joined in one transaction. Numbers grow, so
//! of two turns that share things one is before the other everywhere: nobody waits in a circle, and nobody is overtaken.
//!
//! These are advisory locks between writers of this program; a shop's own page asks nobody. They hold no matter how long the network
//! takes, and go in three ways: they are given back ([`leave`]), their process dies (the lock of its run file is free), or they are
//! older than [`MAX_HOLD`]. A turn that went without its owner's doing is noticed before anything is sent: [`super::begin`] asks again,
//! in the transaction that records the intent.
//!
//! Not here: how often to ask, and for how long; that is the caller's patience.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::session::{self, SessionId};
use crate::state::tables::turns::{self as table, Ahead};
use crate::state::{Durability, Reading, State, StateError, Writing};

/// The longest that a turn is waited for, and that it is held after it was last used (drawn, or an intent recorded under it). No call
/// of a client lasts that long; what does is stuck, and others go on.
pub const MAX_HOLD: Duration = Duration::from_secs(3 * 60);

/// Metric label of the transactions here.
const OPERATION: &str = "write_turn";

/// A ticket. Plain data: dropping it gives nothing back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// `None` for a turn at nothing, which nobody has to wait for.
    ticket: Option<i64>,
    /// In how many queues it stands.
    things: u32,
}

/// Where a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody is before it.
    Ours,
    /// Others are.
    Waiting {
        /// How many, over all its queues.
        ahead: u32,
    },
    /// It was given back, is too old, or was taken away because its process seemed dead. Enqueue anew.
    Lost,
}

/// Joins the queues before `things` (`order/7001001`; twice the same counts once) of a shop, all of them at once. `session` is the
/// living process's own, as its telemetry knows it: under any other id the ticket is taken for a dead one's.
///
/// # Errors
/// Why the file could not be written; no queue was joined then.
pub fn enqueue(
    state: &State,
    session: &SessionId,
    store_key: &str,
    things: &[String],
    now_ms: i64,
) -> Result<Turn, StateError> {
    let things: BTreeSet<&str> = things.iter().map(String::as_str).collect();
    if things.is_empty() {
        return Ok(Turn {
            ticket: None,
            things: 0,
        });
    }
    let ticket = state.write(OPERATION, Durability::Normal, |writing| {
        // Whatever nobody waits behind would stay for ever.
        let hold_ms = hold_ms();
        table::remove_outside(
            writing,
            now_ms.saturating_sub(hold_ms),
            now_ms.saturating_add(hold_ms),
        )?;
        let ticket = Ahead {
            ticket: table::draw(writing)?,
            session_id: session.as_str().to_owned(),
            since_ms: now_ms,
        };
        for thing in &things {
            table::insert(writing, &ticket, store_key, thing)?;
        }
        Ok(ticket.ticket)
    })?;
    Ok(Turn {
        ticket: Some(ticket),
        things: u32::try_from(things.len()).unwrap_or(u32::MAX),
    })
}

/// Where the turn stands now. Reads only, unless whoever is next before it is dead or too old: then those who are go.
///
/// # Errors
/// Why the file could not be read or written.
pub fn standing(state: &State, turn: &Turn, now_ms: i64) -> Result<Standing, StateError> {
    let Some(ticket) = turn.ticket else {
        return Ok(Standing::Ours);
    };
    let is_gone = |other: &Ahead| is_old(other.since_ms, now_ms) || is_dead(state, other);
    let (seen, first) = state.read(OPERATION, |reading| look(reading, turn, now_ms))?;
    // Only the first is asked for, which costs a file opened: the others move up, and will be asked then.
    if !first.as_ref().is_some_and(is_gone) {
        return Ok(seen);
    }
    state.write(OPERATION, Durability::Normal, |writing| {
        for other in table::ahead(writing, ticket)?.iter().filter(|o| is_gone(o)) {
            table::remove(writing, other.ticket)?;
        }
        Ok(look(writing, turn, now_ms)?.0)
    })
}

/// Gives the turn back, or gives up waiting for it. One that is lost already is no error.
///
/// # Errors
/// Why the file could not be written; the turn goes with its process then, or with its age.
pub fn leave(state: &State, turn: &Turn) -> Result<(), StateError> {
    if turn.ticket.is_none() {
        return Ok(());
    }
    state.write(OPERATION, Durability::Normal, |writing| {
        give_back(writing, turn)
    })
}

/// [`leave`] in a transaction of the caller's.
pub(super) fn give_back(writing: &Writing<'_>, turn: &Turn) -> Result<(), StateError> {
    match turn.ticket {
        Some(ticket) => table::remove(writing, ticket),
        None => Ok(()),
    }
}

/// Whether the turn is ours in this very transaction; if so, its time begins anew.
pub(super) fn use_now(writing: &Writing<'_>, turn: &Turn, now_ms: i64) -> Result<bool, StateError> {
    if look(writing, turn, now_ms)?.0 != Standing::Ours {
        return Ok(false);
    }
    if let Some(ticket) = turn.ticket {
        table::touch(writing, ticket, now_ms)?;
    }
    Ok(true)
}

/// Where the turn stands by the rows alone, and who is the first before it.
fn look(
    reading: &Reading<'_>,
    turn: &Turn,
    now_ms: i64,
) -> Result<(Standing, Option<Ahead>), StateError> {
    let Some(ticket) = turn.ticket else {
        return Ok((Standing::Ours, None));
    };
    let own = table::own(reading, ticket)?;
    if !own.is_some_and(|own| own.things == turn.things && !is_old(own.since_ms, now_ms)) {
        return Ok((Standing::Lost, None));
    }
    let mut ahead = table::ahead(reading, ticket)?.into_iter();
    let others = u32::try_from(ahead.len()).unwrap_or(u32::MAX);
    Ok(match ahead.next() {
        None => (Standing::Ours, None),
        first => (Standing::Waiting { ahead: others }, first),
    })
}

/// Too long ago, or so far ahead that the clock must have been set back since.
fn is_old(since_ms: i64, now_ms: i64) -> bool {
    now_ms.saturating_sub(since_ms).saturating_abs() > hold_ms()
}

fn is_dead(state: &State, other: &Ahead) -> bool {
    match SessionId::from_stored(&other.session_id) {
        Some(id) => !session::is_alive(state.home(), &id),
        // Nobody could ever prove to be this one.
        None => true,
    }
}

fn hold_ms() -> i64 {
    i64::try_from(MAX_HOLD.as_millis()).expect("three minutes fit")
}
