//! The next record of a chain, in the transaction of the change that it describes.

use super::link::{self, Signer};
use super::{Chain, Entry, Head};
use crate::state::tables::{audit, audit_anchors};
use crate::state::{Reading, StateError, Writing};

/// Longest text of a field: a client may introduce itself with a novel.
const MOST_BYTES: usize = 2_000;

/// Adds a record to the end of a chain; gives the new end. To be called with `Durability::Full` in the transaction of
/// the change: the write lock orders the records of all processes, and neither is there without the other. A record that
/// a power cut takes back while a checkpoint remembers it would look like a cut tail.
///
/// # Errors
/// [`StateError::AuditRefused`] for a record that would make the chain unsound: unsigned in a tenant's chain, signed in
/// another, or signed with an older key than the record before it. Else why the file could not be written.
pub fn append(
    writing: &Writing<'_>,
    chain: &Chain,
    entry: &Entry<'_>,
    at_ms: i64,
    signer: Option<&dyn Signer>,
) -> Result<Head, StateError> {
    let (end, newest_key) = end(writing, chain)?;
    let key_version = key_version(chain, signer, newest_key)?;
    let mut row = audit::Row {
        chain: chain.as_str().to_owned(),
        seq: end.seq.cast_signed() + 1,
        at_ms,
        session_id: entry.actor.session.as_str().to_owned(),
        client_name: entry.actor.client.as_deref().map(clip),
        action: entry.action.to_owned(),
        target: entry.target.map(clip),
        args_shape: entry.args_shape.map(clip),
        outcome: entry.outcome.as_str().to_owned(),
        intent_seq: entry.intent_seq.map(u64::cast_signed),
        key_version: key_version.map(i64::from),
        prev_hash: end.hash.to_vec(),
        hash: Vec::new(),
        mac: None,
    };
    let hash = link::hash(&row);
    row.hash = hash.to_vec();
    if let (Some(version), Some(signer)) = (key_version, signer) {
        let mac = signer.mac(version, &hash).ok_or(refused(
            "its signer has no key of its own version",
            "report this, it is a mistake in this program",
        ))?;
        row.mac = Some(mac.to_vec());
    }
    audit::insert(writing, &row)?;
    Ok(Head {
        seq: end.seq + 1,
        hash,
    })
}

/// The end of a chain; [`Head::NONE`] for one that has not begun.
///
/// # Errors
/// Why the file could not be read.
pub fn head(reading: &Reading<'_>, chain: &Chain) -> Result<Head, StateError> {
    Ok(end(reading, chain)?.0)
}

/// The ends of all chains, for checkpoints and metrics. Takes as long as there are chains, however long they are.
///
/// # Errors
/// Why the file could not be read.
pub fn heads(reading: &Reading<'_>) -> Result<Vec<(Chain, Head)>, StateError> {
    let mut names = audit::chains(reading)?;
    names.extend(
        audit_anchors::all(reading)?
            .into_iter()
            .map(|row| row.chain),
    );
    names.sort();
    names.dedup();
    let chains = names.iter().map(|name| Chain::from_stored(name));
    chains
        .map(|chain| head(reading, &chain).map(|head| (chain, head)))
        .collect()
}

/// The last record that is gone of each chain that was pruned.
///
/// # Errors
/// Why the file could not be read.
pub fn beginnings(reading: &Reading<'_>) -> Result<Vec<(Chain, Head)>, StateError> {
    let anchors = audit_anchors::all(reading)?.into_iter();
    let last_gone = |anchor: audit_anchors::Row| {
        let head = Head {
            seq: anchor.through_seq.cast_unsigned(),
            hash: as_hash(&anchor.hash),
        };
        (Chain::from_stored(&anchor.chain), head)
    };
    Ok(anchors.map(last_gone).collect())
}

/// The end of a chain and the key that signed it. A chain whose records were all pruned ends at its anchor.
fn end(reading: &Reading<'_>, chain: &Chain) -> Result<(Head, Option<i64>), StateError> {
    if let Some(last) = audit::last(reading, chain.as_str())? {
        let head = Head {
            seq: last.seq.cast_unsigned(),
            hash: as_hash(&last.hash),
        };
        return Ok((head, last.key_version));
    }
    let anchor = audit_anchors::of(reading, chain.as_str())?;
    let head = anchor.map_or(Head::NONE, |anchor| Head {
        seq: anchor.through_seq.cast_unsigned(),
        hash: as_hash(&anchor.hash),
    });
    Ok((head, None))
}

/// Which key signs, if the chain is one that is signed.
fn key_version(
    chain: &Chain,
    signer: Option<&dyn Signer>,
    newest_key: Option<i64>,
) -> Result<Option<u32>, StateError> {
    match (chain.is_signed(), signer) {
        (true, None) => Err(refused(
            "a tenant's records are signed, and its key is not at hand",
            "give this program the tenant's master key",
        )),
        (false, Some(_)) => Err(refused(
            "this chain belongs to no tenant, and nobody signs it",
            "report this, it is a mistake in this program",
        )),
        (true, Some(signer)) if newest_key > Some(signer.key_version().into()) => Err(refused(
            "the master key was rotated, and this program still has the old one",
            "give this program the new master key and start it again",
        )),
        (_, signer) => Ok(signer.map(Signer::key_version)),
    }
}

fn refused(why: &'static str, hint: &'static str) -> StateError {
    StateError::AuditRefused { why, hint }
}

/// A stored hash of another length was not written by us. The record after it is then chained to what is there of it,
/// and verifying names the damaged one.
pub(super) fn as_hash(stored: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    let length = stored.len().min(hash.len());
    hash[..length].copy_from_slice(&stored[..length]);
    hash
}

fn clip(text: &str) -> String {
    text[..text.floor_char_boundary(MOST_BYTES)].to_owned()
}
