//! Backups and recovery to a moment, while many processes write and anybody may be killed.
//!
//! | file | decides |
//! |---|---|
//! | `script`, `writer`, `crew` | writers whose every deed can be told again, and their killing |
//! | `servers` | real servers that write beside them |
//! | `content`, `model` | what a restored file holds, and what it must hold |
//! | `keeper` | the sidecar, its restarts, its clock, and the operator's commands |
//! | `cycle` | backups every few seconds, everybody killed at random, every backup restored |
//! | `story`, `pitr` | restarts, outages and clock jumps, and restoring to random moments of that time |
//! | `target`, `gate` | the folder or bucket that increments go to, and how it goes away |
//! | `figures` | the numbers, on a file of 200 MB |
//!
//! Half of the writers of `cycle` are real servers. The other half writes through the products' own rooms in processes of this
//! program: a change to a shop is two transactions and some requests, which two cores do a hundred times a second at best, while
//! a copy is put to the test by many small transactions that each touch several tables, and by a model that knows every byte.

mod content;
mod crew;
mod cycle;
mod figures;
mod gate;
mod keeper;
mod model;
mod pitr;
mod script;
mod servers;
mod story;
mod target;
pub(crate) mod writer;

pub(crate) use cycle::{Plan as BackupPlan, prove as backups};
pub(crate) use figures::{Amount, measure};
pub(crate) use pitr::{Plan as PitrPlan, prove as pitr};

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// This machine's wall clock in microseconds since 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "a proof has no clock to be handed"
)]
fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}

/// A moment as the programs print it, in microseconds since 1970.
fn moment_us(text: &str) -> anyhow::Result<i64> {
    Ok(text.parse::<jiff::Timestamp>()?.as_microsecond())
}

/// A folder as a target.
fn file_url(folder: &Path) -> String {
    format!("file://{}", folder.display())
}
