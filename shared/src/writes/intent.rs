//! What is on the disk before a request leaves, and after it is answered: each in one transaction that is flushed before it returns.
//!
//! Before: the audit's intent, the open write, and the news to all caches that the shop is about to change. After: the outcome, the
//! open write closed (or kept, when nobody can tell), the news that it has changed, and the turn given back. A process that dies in
//! between leaves an open write and the lock of its run file free, which is how others know ([`super::unsettled`]).

use crate::audit::{self, Actor, Chain, Entry, Outcome, Signer};
use crate::state::tables::{audit as records, epochs, open_writes};
use crate::state::{Durability, Reading, State, StateError, Writing};

use super::turn::{self, Turn};

/// What is about to be done to a shop.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// Where it is recorded.
    pub chain: &'a Chain,
    /// Who does it.
    pub actor: &'a Actor,
    /// The shop, as an opaque key.
    pub store_key: &'a str,
    /// What, one of [`audit::action`].
    pub action: &'static str,
    /// To what: ids only (`order 7001001`), nothing of a customer.
    pub target: &'a str,
    /// The shape of the arguments: names and sizes.
    pub args_shape: &'a str,
    /// What a person looks at to see whether it was done, should nobody be able to tell.
    pub check: &'a str,
}

/// A write whose intent is on the disk, and whose outcome is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Where it is recorded.
    pub chain: Chain,
    /// The intent's number there.
    pub seq: u64,
    /// The shop, as an opaque key.
    pub store_key: String,
    /// What.
    pub action: &'static str,
    /// To what.
    pub target: String,
}

/// Why nothing may be sent. Nothing was written either.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The turn is not ours, or no more.
    #[error(
        "another write came in between: this one's turn was lost; hint: try again, nothing was sent"
    )]
    TurnLost,
    /// The intent cannot be recorded.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Records what is about to be done; when this returns it survives a power cut, and the request may leave. The turn is checked in the
/// same transaction, and its time begins anew. Until [`end`], but for two minutes at most, nobody keeps what is read from the shop.
///
/// # Errors
/// [`BeginError`]; nothing was written then, and nothing may be sent.
pub fn begin(
    state: &State,
    deed: &Deed<'_>,
    turn: &Turn,
    at_ms: i64,
    signer: Option<&dyn Signer>,
) -> Result<Begun, BeginError> {
    let seq = state.write("write_begin", Durability::Full, |writing| {
        if !turn::use_now(writing, turn, at_ms)? {
            return Ok(None);
        }
        let seq = record(writing, deed, at_ms, signer)?;
        epochs::bump(writing, deed.store_key)?;
        epochs::busy_until(
            writing,
            deed.store_key,
            at_ms.saturating_add(epochs::MAX_BUSY_MS),
        )?;
        Ok(Some(seq))
    })?;
    Ok(Begun {
        chain: deed.chain.clone(),
        seq: seq.ok_or(BeginError::TurnLost)?,
        store_key: deed.store_key.to_owned(),
        action: deed.action,
        target: deed.target.to_owned(),
    })
}

/// The intent in the audit, and the open write beside it.
fn record(
    writing: &Writing<'_>,
    deed: &Deed<'_>,
    at_ms: i64,
    signer: Option<&dyn Signer>,
) -> Result<u64, StateError> {
    let entry = Entry::new(deed.actor, deed.action, Some(deed.target), Outcome::Intent)
        .with_shape(deed.args_shape);
    let head = audit::append(writing, deed.chain, &entry, at_ms, signer)?;
    let row = open_writes::Row {
        chain: deed.chain.as_str().to_owned(),
        seq: head.seq.cast_signed(),
        store_key: deed.store_key.to_owned(),
        session_id: deed.actor.session.as_str().to_owned(),
        client: deed.actor.client.clone(),
        action: deed.action.to_owned(),
        target: deed.target.to_owned(),
        check_hint: deed.check.to_owned(),
        at_ms,
        state: open_writes::OPEN.to_owned(),
    };
    open_writes::insert(writing, &row)?;
    Ok(head.seq)
}

/// Records how it ended (done, failed or unknown), and gives `turn` back. [`Outcome::Unknown`] leaves the write [`unsettled`](super::unsettled) until a person
/// has looked.
///
/// # Errors
/// Why the outcome could not be recorded. Nothing was written, the turn not given back: try again while the process lives; once it has
/// ended, the write is unsettled. [`StateError::AuditRefused`] when the file is another one than the intent was recorded in.
pub fn end(
    state: &State,
    begun: &Begun,
    actor: &Actor,
    outcome: Outcome,
    turn: Option<&Turn>,
    at_ms: i64,
    signer: Option<&dyn Signer>,
) -> Result<(), StateError> {
    let (chain, seq) = (begun.chain.as_str(), begun.seq.cast_signed());
    state.write("write_end", Durability::Full, |writing| {
        check_recorded(writing, begun)?;
        let entry =
            Entry::new(actor, begun.action, Some(&begun.target), outcome).of_intent(begun.seq);
        audit::append(writing, &begun.chain, &entry, at_ms, signer)?;
        match outcome {
            Outcome::Unknown => open_writes::mark_unknown(writing, chain, seq)?,
            _ => open_writes::remove(writing, chain, seq)?,
        }
        epochs::bump(writing, &begun.store_key)?;
        no_longer_busy(writing, &begun.store_key)?;
        turn.map_or(Ok(()), |turn| turn::give_back(writing, turn))
    })
}

/// After a restore, the number may be another record's.
fn check_recorded(reading: &Reading<'_>, begun: &Begun) -> Result<(), StateError> {
    let record = records::at(reading, begun.chain.as_str(), begun.seq.cast_signed())?;
    let is_it = |row: &records::Row| {
        row.outcome == Outcome::Intent.as_str()
            && row.action == begun.action
            // A record's texts may be cut.
            && row.target.as_deref().is_some_and(|target| begun.target.starts_with(target))
    };
    match record.as_ref().is_some_and(is_it) {
        true => Ok(()),
        false => Err(StateError::AuditRefused {
            why: "the intent that it is the outcome of is not in this file",
            hint: "a backup was restored meanwhile; look at the shop whether the change was made",
        }),
    }
}

/// The shop is busy only as long as other writes to it are open.
pub(super) fn no_longer_busy(writing: &Writing<'_>, store_key: &str) -> Result<(), StateError> {
    let newest_ms = open_writes::newest_open_ms(writing, store_key)?;
    let until_ms = newest_ms.map_or(0, |at_ms| at_ms.saturating_add(epochs::MAX_BUSY_MS));
    epochs::busy_until(writing, store_key, until_ms)
}
