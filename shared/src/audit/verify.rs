//! Is a chain sound? Read from its beginning in pages, each in a snapshot of its own: a hundred thousand records take a
//! while, and a snapshot held that long would keep the write-ahead log from being emptied. Records are never updated, so
//! pages of different moments fit together; only a pruning in between moves the beginning, and that is noticed.

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{self, Checkpoint};
use super::link::{self, Signer};
use super::{Bad, Chain, Fault, Head, Verdict, append, prune};
use crate::state::tables::audit::{self, Row};
use crate::state::tables::{audit_anchors, meta};
use crate::state::{Reading, State, StateError};

/// Records per snapshot: a few milliseconds, well under a megabyte.
const PAGE: usize = 1_000;

/// All chains there should be: those of the file and those that a checkpoint remembers. A chain that is gone as a whole
/// is then verified, and found cut.
///
/// # Errors
/// Why the file could not be read.
pub fn chains(reading: &Reading<'_>, checkpoints: &[Checkpoint]) -> Result<Vec<Chain>, StateError> {
    let stored = append::heads(reading)?.into_iter().map(|(chain, _)| chain);
    let epoch = meta::restore_epoch(reading)?;
    let remembered = checkpoint::in_force(checkpoints, epoch).map(|point| point.chain.clone());
    let all: BTreeSet<Chain> = stored.chain(remembered).collect();
    Ok(all.into_iter().collect())
}

/// Checks a chain: dense numbers, hashes, links, signatures, its beginning, and its end against the checkpoints, which are
/// to be read before this is called: those from before the file's last restore do not count. Without a signer, that each of a tenant's records has a signature is checked, but
/// not whether it is right.
///
/// # Errors
/// Why the file could not be read. A chain that is not sound is no error but a verdict.
pub fn verify(
    state: &State,
    chain: &Chain,
    signer: Option<&dyn Signer>,
    checkpoints: &[Checkpoint],
) -> Result<Verdict, StateError> {
    let epoch = restore_epoch(state)?;
    let checkpoints = checkpoint::in_force(checkpoints, epoch);
    follow(state, Walk::new(chain, signer, checkpoints))
}

/// Checks what was added to a chain since its end was found sound at `after`, and that this record is still there; cheap for who
/// looks often. The verdict counts the new records only, and does not know where the chain begins. Signatures are not checked.
///
/// # Errors
/// Why the file could not be read. A chain that is not sound is no error but a verdict.
pub fn verify_after(
    state: &State,
    chain: &Chain,
    after: &Head,
    checkpoints: &[Checkpoint],
) -> Result<Verdict, StateError> {
    let epoch = restore_epoch(state)?;
    let mut walk = Walk::new(chain, None, checkpoint::in_force(checkpoints, epoch));
    if *after == Head::NONE {
        return follow(state, walk);
    }
    walk.last = *after;
    walk.first_seq = after.seq + 1;
    match state.read("audit_verify", |reading| Known::read(reading, chain, after))? {
        Known::AsItWas { key_version } => walk.last_key = key_version,
        Known::Pruned => {}
        Known::Not(what) => return Ok(walk.verdict(Some(bad(after.seq, what)))),
    }
    follow(state, walk)
}

/// How often the file was restored: tells which checkpoints count.
fn restore_epoch(state: &State) -> Result<u64, StateError> {
    state.read("audit_verify", meta::restore_epoch)
}

/// What became of a record that was found sound before.
enum Known {
    AsItWas { key_version: Option<i64> },
    Pruned,
    Not(Fault),
}

impl Known {
    fn read(reading: &Reading<'_>, chain: &Chain, head: &Head) -> Result<Known, StateError> {
        let (name, seq) = (chain.as_str(), head.seq.cast_signed());
        if let Some(row) = audit::at(reading, name, seq)? {
            return Ok(if link::hash(&row) != head.hash || row.hash != head.hash {
                Known::Not(Fault::Changed)
            } else {
                Known::AsItWas {
                    key_version: row.key_version,
                }
            });
        }
        let anchor = audit_anchors::of(reading, name)?;
        Ok(match anchor {
            Some(anchor) if anchor.through_seq >= seq => Known::Pruned,
            _ => Known::Not(Fault::TailCut),
        })
    }
}

fn follow(state: &State, mut walk: Walk<'_>) -> Result<Verdict, StateError> {
    loop {
        let page = state.read("audit_verify", |reading| Page::read(reading, &walk))?;
        match walk.take(&page) {
            Ok(true) => {}
            Ok(false) => return Ok(walk.verdict(None)),
            Err(bad) => return Ok(walk.verdict(Some(bad))),
        }
    }
}

/// What one snapshot shows.
struct Page {
    /// The beginning, when it is not where the walk last saw it.
    moved: Option<Beginning>,
    rows: Vec<Row>,
}

struct Beginning {
    anchor: audit_anchors::Row,
    /// Whether the system chain tells of a pruning that ended there.
    is_recorded: bool,
}

impl Page {
    fn read(reading: &Reading<'_>, walk: &Walk<'_>) -> Result<Page, StateError> {
        let name = walk.chain.as_str();
        let mut after = walk.last.seq.cast_signed();
        let anchor = audit_anchors::of(reading, name)?.filter(|found| found.through_seq > after);
        let moved = match anchor {
            None => None,
            Some(anchor) => {
                after = anchor.through_seq;
                let is_recorded = prune::is_recorded(reading, &anchor)?;
                Some(Beginning {
                    anchor,
                    is_recorded,
                })
            }
        };
        // From the very beginning, not from the anchor: records below it should not be there.
        let from = if walk.last == Head::NONE { 0 } else { after };
        let rows = audit::page(reading, name, from, PAGE)?;
        Ok(Page { moved, rows })
    }
}

/// How far the check has come.
struct Walk<'a> {
    chain: &'a Chain,
    signer: Option<&'a dyn Signer>,
    remembered: BTreeMap<u64, Vec<[u8; 32]>>,
    /// How far a pruning was noted outside of the file.
    pruning: Option<Head>,
    /// The last record that was found sound, or where the chain begins.
    last: Head,
    last_key: Option<i64>,
    first_seq: u64,
    rows: u64,
    signed: u64,
    signatures_checked: u64,
    compared: u64,
}

impl<'a> Walk<'a> {
    fn new<'p>(
        chain: &'a Chain,
        signer: Option<&'a dyn Signer>,
        checkpoints: impl IntoIterator<Item = &'p Checkpoint>,
    ) -> Walk<'a> {
        let mut remembered: BTreeMap<u64, Vec<[u8; 32]>> = BTreeMap::new();
        let mut pruning: Option<Head> = None;
        let own = checkpoints
            .into_iter()
            .filter(|point| point.chain == *chain);
        for point in own {
            if point.pruned {
                pruning = pruning
                    .filter(|known| known.seq > point.head.seq)
                    .or(Some(point.head));
                continue;
            }
            remembered
                .entry(point.head.seq)
                .or_default()
                .push(point.head.hash);
        }
        Walk {
            chain,
            signer,
            remembered,
            pruning,
            last: Head::NONE,
            last_key: None,
            first_seq: 1,
            rows: 0,
            signed: 0,
            signatures_checked: 0,
            compared: 0,
        }
    }

    /// Checks a page; `false` when it was the last one.
    fn take(&mut self, page: &Page) -> Result<bool, Bad> {
        if let Some(beginning) = &page.moved {
            self.begin_at(beginning)?;
        }
        for row in &page.rows {
            self.step(row)?;
        }
        if page.rows.len() == PAGE {
            return Ok(true);
        }
        self.end().map(|()| false)
    }

    /// Everything before the anchor was pruned, maybe while we were reading it.
    fn begin_at(&mut self, beginning: &Beginning) -> Result<(), Bad> {
        let anchor = &beginning.anchor;
        let seq = anchor.through_seq.cast_unsigned();
        let head = Head {
            seq,
            hash: append::as_hash(&anchor.hash),
        };
        if !beginning.is_recorded || anchor.hash.len() != 32 || !self.may_have_gone(head) {
            return Err(bad(seq, Fault::AnchorForged));
        }
        self.last = head;
        self.first_seq = seq + 1;
        self.compare(seq)
    }

    /// Whether everything through `last` may have been pruned, as far as is known outside of the file: it was noted (a pruning further on
    /// may have been noted and then not done), or this home has never seen the records.
    fn may_have_gone(&self, last: Head) -> bool {
        match self.pruning {
            Some(noted) => noted.seq > last.seq || noted == last,
            None => self.remembered.range(..=last.seq).next().is_none(),
        }
    }

    /// Checks the next record.
    fn step(&mut self, row: &Row) -> Result<(), Bad> {
        let seq = row.seq.cast_unsigned();
        let fault = |what| Err(bad(seq, what));
        if seq != self.last.seq + 1 {
            return Err(self.out_of_place(seq));
        }
        if row.prev_hash != self.last.hash {
            return fault(Fault::Unlinked);
        }
        let hash = link::hash(row);
        if row.hash != hash {
            return fault(Fault::Changed);
        }
        self.check_signature(row, &hash)
            .map_err(|what| bad(seq, what))?;
        self.last = Head { seq, hash };
        self.last_key = row.key_version;
        self.rows += 1;
        self.compare(seq)
    }

    /// The number is not the next one.
    fn out_of_place(&self, seq: u64) -> Bad {
        match (self.rows, self.last.seq) {
            // An anchor that says more was pruned than is gone.
            (_, last) if seq <= last => bad(seq, Fault::AnchorForged),
            (0, 0) => bad(seq, Fault::HeadCut),
            (_, last) => bad(last + 1, Fault::Missing),
        }
    }

    fn check_signature(&mut self, row: &Row, hash: &[u8; 32]) -> Result<(), Fault> {
        if !self.chain.is_signed() {
            // Nobody's key has made it, whatever it is.
            let none = row.mac.is_none() && row.key_version.is_none();
            return none.then_some(()).ok_or(Fault::WrongSignature);
        }
        let (Some(mac), Some(version)) = (&row.mac, row.key_version) else {
            return Err(Fault::Unsigned);
        };
        if Some(version) < self.last_key {
            return Err(Fault::OlderKey);
        }
        self.signed += 1;
        let Some(signer) = self.signer else {
            // The shape at least.
            return (mac.len() == 32).then_some(()).ok_or(Fault::WrongSignature);
        };
        let version = u32::try_from(version).map_err(|_| Fault::UnknownKey)?;
        let right = signer.mac(version, hash).ok_or(Fault::UnknownKey)?;
        self.signatures_checked += 1;
        // Not a secret to whoever can read the file: the usual comparison in constant time would hide nothing.
        (*mac == right).then_some(()).ok_or(Fault::WrongSignature)
    }

    /// Is this the record that the checkpoints remember?
    fn compare(&mut self, seq: u64) -> Result<(), Bad> {
        let Some(hashes) = self.remembered.get(&seq) else {
            return Ok(());
        };
        self.compared += hashes.len() as u64;
        if hashes.iter().all(|hash| *hash == self.last.hash) {
            Ok(())
        } else {
            Err(bad(seq, Fault::CheckpointDiffers))
        }
    }

    /// No checkpoint remembers more than there is.
    fn end(&self) -> Result<(), Bad> {
        match self.remembered.last_key_value() {
            Some((seq, _)) if *seq > self.last.seq => Err(bad(self.last.seq + 1, Fault::TailCut)),
            _ => Ok(()),
        }
    }

    fn verdict(&self, first_bad: Option<Bad>) -> Verdict {
        Verdict {
            ok: first_bad.is_none(),
            rows: self.rows,
            first_seq: self.first_seq,
            head: (self.last != Head::NONE).then_some(self.last),
            first_bad,
            signed: self.signed,
            signatures_checked: self.signatures_checked,
            checkpoints: self.compared,
        }
    }
}

fn bad(seq: u64, what: Fault) -> Bad {
    Bad { seq, what }
}

#[cfg(test)]
mod tests;
