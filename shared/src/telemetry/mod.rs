//! Metrics that outlive the process that counted them, and the log.
//!
//! Processes that live for minutes and cannot be scraped write what they count to the shared state file; the sidecar
//! merges it. A value goes this way:
//!
//! | step | file |
//! |---|---|
//! | a call site takes a name from the catalogue and records | [`names`] |
//! | the facade finds the cell of the series; atomics only | `recorder`, `book`, `labels`, `series` |
//! | the first record rings; an idle process does nothing | `bell` |
//! | a thread writes what changed, at most 250 ms later | `process`, `runner`, `flush`, `ledger` |
//! | a dead process's values join the retired totals, once | [`fold`] |
//! | a scrape adds up retired, living and dead | [`query`] |
//!
//! Telemetry never delays or fails a call: while the state file cannot be had, values wait in memory, complete.
//! Rendering for Prometheus is not here; the sidecar does it.

mod bell;
mod book;
mod flush;
pub mod fold;
mod labels;
mod ledger;
pub mod log;
pub mod names;
mod process;
pub mod query;
mod recorder;
mod runner;
mod series;
mod stderr;
#[cfg(test)]
mod testing;

pub use bell::quietly;
pub use process::{Handle, Telemetry};
