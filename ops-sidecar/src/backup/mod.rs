//! Backups that are known to restore, and recovery to a moment.
//!
//! A backup is a consistent copy of the state file that was opened, checked, compressed, encrypted, shipped to every target, read back and
//! compared; only then does its manifest say that it exists. Beside it, recovery to a moment ships what changed, second by second.
//!
//! | file | decides |
//! |---|---|
//! | [`settings`] | what a person asked for, every mistake at once |
//! | [`targets`] | where things go: folders and buckets, behind one interface |
//! | [`id`], [`manifest`] | what a backup is called, and what is known of it |
//! | [`seal`] | compressed and encrypted; the only cryptography here |
//! | [`owner`] | whose a target is |
//! | [`check`] | whether a copy of the state file can be counted on |
//! | [`make`] | the order of the steps, and what each failure means |
//! | [`turn`], [`scratch`] | one at a time, in a folder that goes with the work |
//! | [`journal`] | what happened on this machine, for findings and metrics |
//! | [`schedule`], [`retention`] | when one is due, and which may go: arithmetic |
//! | [`prune`], [`rounds`] | carrying that out: removing old ones, and the daemon's part |
//!
//! All of it blocks and runs on threads that may; only `targets` knows that stores answer asynchronously. Not here: who shows it (`cli`,
//! `http`) and who judges it (`checks`).

pub mod check;
pub mod drill;
pub mod fetch;
pub mod find;
pub mod id;
pub mod journal;
pub mod make;
pub mod manifest;
pub mod owner;
pub mod pitr;
pub mod prune;
pub mod restore;
pub mod retention;
pub mod rounds;
pub mod schedule;
pub mod scratch;
pub mod seal;
pub mod settings;
pub mod targets;
pub mod turn;
pub mod verify;
mod words;

use std::fmt;
use std::sync::Arc;

use shared::clock::Clock;
use shared::paths::Home;
use shared::state::Slot;
use tokio::runtime::Handle;

pub use id::BackupId;
pub use journal::Journal;
pub use manifest::Manifest;
pub use settings::Settings;
use targets::{Target, TargetError};

/// What everybody who works with backups needs.
#[derive(Clone)]
pub struct Room {
    /// Whose backups.
    pub home: Home,
    /// Where the state file is found.
    pub slot: Slot,
    /// What a person asked for.
    pub settings: Settings,
    /// Where backups go, in the order of the settings.
    pub targets: Vec<Target>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Room {
    /// Opens the targets; no network is touched and no folder is made.
    ///
    /// # Errors
    /// A target whose options in the environment are wrong.
    pub fn open(
        slot: &Slot,
        settings: &Settings,
        handle: &Handle,
        clock: Arc<dyn Clock>,
    ) -> Result<Room, TargetError> {
        let open = |spec| Target::open(spec, handle.clone());
        Ok(Room {
            home: slot.home().clone(),
            slot: slot.clone(),
            settings: settings.clone(),
            targets: settings
                .targets
                .iter()
                .map(open)
                .collect::<Result<_, _>>()?,
            clock,
        })
    }

    /// The names of the targets.
    #[must_use]
    pub fn target_names(&self) -> Vec<&str> {
        self.targets.iter().map(Target::name).collect()
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room")
            .field("home", &self.home.root())
            .field("targets", &self.target_names())
            .finish_non_exhaustive()
    }
}

/// Hears how far a long piece of work has come, and may ask it to end.
pub trait Progress: Sync {
    /// A stage begins; `total` is in bytes, 0 when nobody knows.
    fn stage(&self, name: &'static str, total: u64);
    /// So many more bytes are done.
    fn advance(&self, by: u64);
    /// Everything is done.
    fn done(&self);
    /// Whether the work should end before it is done.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Says nothing and never stops anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn done(&self) {}
}
