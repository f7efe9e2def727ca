//! What verifying a chain says: that it is sound, or where it is not and how.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Head;

/// What is wrong at a place of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A number is missing.
    Missing,
    /// What the record says is not what was hashed.
    Changed,
    /// The record continues another one than the one before it.
    Unlinked,
    /// A tenant's record without a signature.
    Unsigned,
    /// A signature that the tenant's key did not make, or one where nobody signs.
    WrongSignature,
    /// A signature by a key version that the tenant's key does not have.
    UnknownKey,
    /// A signature by an older key than the record before it.
    OlderKey,
    /// The oldest records are gone, and nothing says that they were pruned.
    HeadCut,
    /// Where the chain is said to begin is not where a pruning has left it.
    AnchorForged,
    /// Records that a checkpoint remembers are gone from the end.
    TailCut,
    /// A checkpoint remembers another record here.
    CheckpointDiffers,
    /// The record, the newest about the tenant's stores, has left other stores than there are now.
    StoresDiffer,
}

impl Fault {
    /// A word from a small closed set, for labels and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Fault::Missing => "missing",
            Fault::Changed => "changed",
            Fault::Unlinked => "unlinked",
            Fault::Unsigned => "unsigned",
            Fault::WrongSignature => "wrong_signature",
            Fault::UnknownKey => "unknown_key",
            Fault::OlderKey => "older_key",
            Fault::HeadCut => "head_cut",
            Fault::AnchorForged => "anchor_forged",
            Fault::TailCut => "tail_cut",
            Fault::CheckpointDiffers => "checkpoint_differs",
            Fault::StoresDiffer => "stores_differ",
        }
    }
}

/// For people: goes after `record 7 `.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Missing => "is missing",
            Fault::Changed => "was changed after it was written",
            Fault::Unlinked => "does not continue the one before it",
            Fault::Unsigned => "is not signed",
            Fault::WrongSignature => "carries a signature that the tenant's key did not make",
            Fault::UnknownKey => "is signed by a key that this tenant does not have",
            Fault::OlderKey => "is signed by an older key than the one before it",
            Fault::HeadCut => "is the first, and nothing says that older ones were pruned",
            Fault::AnchorForged => {
                "is where the chain is said to begin, and no pruning has left it there"
            }
            Fault::TailCut => "and maybe more are gone from the end: a checkpoint remembers them",
            Fault::CheckpointDiffers => "is another than the one that a checkpoint remembers",
            Fault::StoresDiffer => {
                "has left other stores than there are now: rows were put back, removed or edited behind this program"
            }
        })
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The first place where a chain is not sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// The number of the record.
    pub seq: u64,
    /// What is wrong with it.
    pub what: Fault,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} {}", self.seq, self.what)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The chain is sound, as far as could be checked.
    pub ok: bool,
    /// How many records were checked.
    pub rows: u64,
    /// The first number that is kept; older ones were pruned. 1 for a chain that never was, also before its first record.
    pub first_seq: u64,
    /// The newest record that was found sound; `None` when there is no record.
    pub head: Option<Head>,
    /// Where it stops being sound.
    pub first_bad: Option<Bad>,
    /// How many records carry a signature.
    pub signed: u64,
    /// How many signatures were checked: none without the tenant's key.
    pub signatures_checked: u64,
    /// How many checkpoints of this chain were compared.
    pub checkpoints: u64,
}
