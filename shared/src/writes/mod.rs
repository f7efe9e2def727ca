//! Writes to shops, as far as the processes of a home have to know of each other's: whose turn it is, what is under way, and what
//! nobody knows the end of.
//!
//! The way of a write: its process draws a ticket for the things that it will change ([`turn::enqueue`]), waits until no ticket is
//! before it ([`turn::standing`]), reads what is there now, and records what it is about to do ([`begin`]): from then on nobody can
//! forget it. It sends, and records how that ended ([`end`]). What dies between the two, or ends without anybody being able to tell
//! whether it was done, is [`unsettled`] until a person has looked ([`settle`]).
//!
//! | file | decides |
//! |---|---|
//! | [`turn`] | who may write to a thing next, across processes |
//! | `intent` | what is on the disk before a request leaves and after it is answered |
//! | `unsettled` | which writes a person has to look at, and how that ends |
//!
//! Not here: sending, comparing and repeating, which are the desk's; SQL (`shared::state::tables`).
//!
//! **Sessions that go on under a new id.** Whoever takes a living process for dead (somebody emptied the home's `run` folder) folds its
//! session, and the process goes on under a new id. The flush that registers that id hands turns and open writes over to it. Until
//! then, for a second as a rule, its turns may be taken by others, which [`begin`] notices (nothing is sent), and its open writes look
//! [`Why::Died`]. A write that ends in time takes its row away under whatever id: nothing is left to be healed.

mod intent;
pub mod turn;
mod unsettled;

#[cfg(test)]
mod tests;

pub use intent::{BeginError, Begun, Deed, begin, end};
pub use turn::{Standing, Turn};
pub use unsettled::{Unsettled, Why, settle, unsettled};

use crate::session::SessionId;
use crate::state::tables::{open_writes, turns};
use crate::state::{StateError, Writing};

/// Hands what a process holds to its new id, in the transaction that makes that id known.
pub(crate) fn hand_over(
    writing: &Writing<'_>,
    from: &SessionId,
    to: &SessionId,
) -> Result<(), StateError> {
    turns::hand_over(writing, from.as_str(), to.as_str())?;
    open_writes::hand_over(writing, from.as_str(), to.as_str())
}
