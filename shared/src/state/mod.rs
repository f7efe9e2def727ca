//! The state file: one SQLite database shared by every process of this home, and the only SQL of the house.
//!
//! Here: opening ([`State::open`]), reading and writing in explicit transactions ([`State::read`], [`State::write`]),
//! a place for a file that may be missing now and come back ([`Slot`]), and one module per family of tables
//! ([`tables`]). Not here: what the rows mean, when to retry, what to do without the file; callers decide that.
//!
//! Rules that keep a file shared by hundreds of processes sound, and where they are kept:
//!
//! | rule | file |
//! |---|---|
//! | every opener holds `run/gate.lock` shared; a restore takes it exclusive | `gate` |
//! | the file is replaced while nobody has it open, and is the old one or the new one at any moment | `replace` |
//! | one process at a time creates or migrates, under `run/migrate.lock`, re-reading the version inside | `migrate` |
//! | a file with something in it is copied before its schema changes | `migrate`, `kept` |
//! | no network file system, no SQLite older than 3.51.3 | `file_system`, `open` |
//! | `state.db`, `-wal` and `-shm` are touched through SQLite only; everything else is `stat` | `presence` |
//! | writers take the lock up front (`BEGIN IMMEDIATE`) and wait in short random steps | `transaction`, `busy` |
//! | a copy is the exact image of one pinned snapshot, and is opened without touching it | `pages`, `copy` |
//! | each table is decided: lost within a second, or within a minute | `ledger` |

mod busy;
mod connection;
mod copy;
mod error;
mod file_system;
mod gate;
mod holders;
mod kept;
mod ledger;
mod migrate;
mod open;
mod pages;
mod pool;
mod presence;
mod replace;
mod slot;
pub mod tables;
mod transaction;
mod upkeep;

pub use copy::{Copied, Inspected, Progress, UNFINISHED};
pub use error::StateError;
pub use holders::{Holder, holders};
pub use kept::{Before as KeptBefore, KeptCopy, kept_copies};
pub use ledger::LedgerMark;
pub use migrate::{
    Migrated, MigrationStatus, NEWEST as NEWEST_SCHEMA, migrate_to, migration_status,
};
pub use open::{Mark, State};
pub use pages::{Pages, Snapshot, Visit, lock_page};
pub use pool::PoolStatus;
pub use presence::FileSizes;
pub use replace::{Replaced, Restore, newer_than, replace, upgrade_copy};
pub use slot::Slot;
pub use transaction::{Durability, Reading, Writing};
pub use upkeep::{Checkpoint, CheckpointOutcome, Space};
