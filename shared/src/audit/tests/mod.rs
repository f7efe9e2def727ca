//! The audit room as its callers use it; and as somebody with a SQL shell misuses it.

mod chain;
pub(crate) mod kit;
mod pruning;
mod tampering;
