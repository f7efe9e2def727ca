//! What both binaries stand on. A room is admitted here only if `mcp-stdio` and `ops-sidecar` both use it.
//!
//! | room | keeps |
//! |---|---|
//! | [`mod@env`] | settings: every mistake at once, each value's source, secrets masked |
//! | [`paths`] | the home folder and the places in it |
//! | [`clock`] | time, handed in so that tests own it |
//! | [`completions`] | completion scripts that complete |
//! | [`fsx`] | files that appear whole or not at all |
//! | [`secret`] | a string that never prints itself |
//! | [`state`] | the shared SQLite file: open, migrate, read, write; the only SQL |
//! | [`session`] | one life of one process and the lock that proves it |
//! | [`audit`] | who did what: hash-chained, signed per tenant, checked by anyone |
//! | [`housekeeping`] | clearing away what is too old, by one process at a time |
//! | [`quota`] | one token bucket per store for all processes |
//! | [`writes`] | writes to shops: whose turn it is, what is under way, and what nobody knows the end of |
//! | [`telemetry`] | the metric catalogue, the recorder, the flush, the scrape, the log |

pub mod audit;
pub mod clock;
pub mod completions;
pub mod env;
pub mod fsx;
pub mod housekeeping;
pub mod paths;
pub mod quota;
pub mod secret;
pub mod session;
pub mod state;
pub mod telemetry;
pub mod writes;
