//! Who did what: dense chains of records that anyone can check, and that only the holder of a tenant's key can sign.
//!
//! Each tenant has a chain, and there is one for the system and one for the store from the environment. A record carries
//! the hash of the one before it, so that a changed, removed, moved or inserted record breaks the chain from there on.
//! Hashes alone can be computed again by whoever can write the file; in a tenant's chain each is therefore signed (a MAC
//! made with a key that only the tenant has). A cut tail leaves a sound chain; it shows by the [`checkpoint`]s, which are
//! kept outside the file.
//!
//! | file | decides |
//! |---|---|
//! | `entry` | what a record says |
//! | `link` | the bytes that are hashed: fixed for ever, checked by a chain of known hashes |
//! | `append` | the next record, in the transaction of the change it describes |
//! | `list`, [`export`] | records for people and other programs |
//! | `verify`, `verdict` | what a sound chain is, and what is wrong with one that is not |
//! | `prune` | what may go, and what is left in its place |
//! | `restored` | from where a restored file goes on |
//! | [`checkpoint`] | what is remembered outside the file |
//!
//! Not here: SQL (`shared::state::tables`), keys (whoever signs hands in a [`Signer`]), and when any of this is done.
//!
//! What this cannot show: somebody with write access to the whole home *and* the tenant's key can write a new history.
//! Without the key, a chain's beginning can be made to look pruned by whoever also rewrites the system chain (which nobody
//! signs) and the checkpoints (which are outside of the file, and note a pruning before it is done). A copy of a checkpoint
//! on another machine (a metric, a backup) shows both.

mod append;
pub mod checkpoint;
mod entry;
pub mod export;
mod link;
mod list;
mod prune;
mod restored;
mod verdict;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

pub use append::{append, beginnings, head, heads};
pub(crate) use entry::moment;
pub use entry::{Actor, Chain, Entry, Head, Outcome, Record, action};
pub use link::Signer;
pub use list::{Filter, list};
pub use prune::{Held, Pruned, prune};
pub use restored::{LastRestore, last_restore};
pub use verdict::{Bad, Fault, Verdict};
pub use verify::{chains, verify, verify_after};
