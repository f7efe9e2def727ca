//! The state file is kept fit: its log stays small, its pages are checked, its statistics are fresh, and a full disk leaves a way out.
//!
//! | file | keeps |
//! |---|---|
//! | [`log`] | the write-ahead log small, without making writers wait |
//! | [`soundness`] | a look at every page, several times a day |
//! | [`space`] | room that the file no longer needs |
//! | [`ballast`] | space in reserve for the day the disk is full |
//! | [`disk`] | how much room there is |
//!
//! Each has a plan, a plain function from facts to what is to be done now, and carries it out. Nothing here judges: [`Kept`] is read by the
//! checks. Nothing here hurries either: it runs at its own pace beside them, and a failure is tried again.

pub mod ballast;
pub mod disk;
pub mod log;
pub mod soundness;
pub mod space;

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;
use shared::clock::Clock;
use shared::state::{Slot, State};

use self::log::Log;
use self::soundness::{Checked, Soundness};
use self::space::Room;

/// What is known of the file's fitness.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Kept {
    /// The last look at all pages.
    pub checked: Option<Checked>,
    /// Bytes in the file that hold nothing.
    pub free_bytes: Option<u64>,
    /// How the last checkpoint ended.
    pub checkpoint: Option<log::Outcome>,
}

/// Where to read it.
pub type Latest = Arc<Mutex<Kept>>;

/// The step of the upkeep loop.
#[derive(Debug)]
pub struct Upkeep {
    slot: Slot,
    clock: Arc<dyn Clock>,
    log: Log,
    soundness: Soundness,
    room: Room,
    latest: Latest,
}

impl Upkeep {
    /// Has not looked at anything yet.
    #[must_use]
    pub fn new(slot: Slot, clock: Arc<dyn Clock>) -> Upkeep {
        Upkeep {
            slot,
            clock,
            log: Log::default(),
            soundness: Soundness::default(),
            room: Room::default(),
            latest: Latest::default(),
        }
    }

    /// Where to read what it finds.
    #[must_use]
    pub fn latest(&self) -> Latest {
        Arc::clone(&self.latest)
    }

    /// One round; `false` if there was nothing to do, or nothing to do it on.
    ///
    /// # Errors
    /// The first of what failed; the rest was done all the same, and all of it is tried again.
    pub fn step(&mut self) -> anyhow::Result<bool> {
        // A missing file is a finding of its own already.
        let Ok(state) = self.slot.get() else {
            return Ok(false);
        };
        let now = self.clock.instant();
        let checkpointed = self.checkpoint(&state, now);
        let checked = self.check(&state, now);
        let tidied = self.tidy(&state, now);
        Ok(checkpointed? | checked? | tidied?)
    }

    fn checkpoint(&mut self, state: &State, now: Instant) -> anyhow::Result<bool> {
        let outcome = self.log.turn(state, now)?;
        if outcome.is_some() {
            self.latest.lock().checkpoint = outcome;
        }
        Ok(outcome.is_some())
    }

    fn check(&mut self, state: &State, now: Instant) -> anyhow::Result<bool> {
        let Some(checked) = self.soundness.turn(state, now, self.clock.now())? else {
            return Ok(false);
        };
        self.latest.lock().checked = Some(checked);
        Ok(true)
    }

    fn tidy(&mut self, state: &State, now: Instant) -> anyhow::Result<bool> {
        let turn = self.room.turn(state, now)?;
        if turn.free_bytes.is_some() {
            self.latest.lock().free_bytes = turn.free_bytes;
        }
        Ok(turn.did_something)
    }
}
