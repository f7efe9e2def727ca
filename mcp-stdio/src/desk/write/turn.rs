//! One after the other: a place in the row for what is to be changed, over all processes of this home.
//!
//! Here: waiting for the turn, and giving it back on every way out. Not here: the row itself and who is counted as dead (`shared::writes`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shared::session::SessionId;
use shared::state::{Slot, State, StateError};
use shared::writes::turn::{self, Standing, Turn};
use tokio::time::Instant;

use super::Writer;
use crate::desk::error::DeskError;
use crate::desk::model::{InventoryItemId, OrderId};

/// The thing that creations of orders take turns on: two at once could not see each other's order number.
pub(super) const CREATIONS: &str = "create/order";

/// The name of an order in the row.
pub(super) fn order(id: &OrderId) -> String {
    format!("order/{}", id.as_str())
}

/// The name of an inventory item in the row.
pub(super) fn inventory(id: &InventoryItemId) -> String {
    format!("inventory/{}", id.as_str())
}

/// Looks follow each other after this, times a random factor between a half and two: 5 to 20 ms.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long a write waits for the state file to be opened. That takes milliseconds, but on a machine that starts a desktop full of
/// programs it may take seconds.
const OPENING_PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits for the state file to know this process.
const SESSION_PATIENCE: Duration = Duration::from_secs(2);

/// A turn that is ours. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) turn: Arc<Turn>,
    slot: Slot,
    given_back: AtomicBool,
}

impl Held {
    /// It was given back together with something else.
    pub(super) fn was_given_back(&self) {
        self.given_back.store(true, Ordering::Release);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if *self.given_back.get_mut() {
            return;
        }
        let (slot, turn) = (self.slot.clone(), Arc::clone(&self.turn));
        // Outside of a runtime the process is ending, and the turn with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || {
                // A turn that cannot be given back falls to the others when its time is over.
                let _later = slot.get().map(|state| turn::leave(&state, &turn));
            });
        }
    }
}

impl Writer {
    /// Waits for the turn on all of `things`, for at most half of the time that this write has.
    ///
    /// # Errors
    /// [`DeskError::Turn`], [`DeskError::NoRecord`].
    pub(super) async fn turn(&self, things: Vec<String>) -> Result<Held, DeskError> {
        let until = Instant::now() + self.left() / 2;
        let held = self.enqueue(things).await?;
        loop {
            let ahead = match self.standing(&held).await? {
                Standing::Ours => return Ok(held),
                Standing::Lost => return Err(DeskError::Turn { ahead: 0 }),
                Standing::Waiting { ahead } => ahead,
            };
            let pause = LOOK_EVERY.mul_f64(0.5 + 1.5 * self.shop.chance());
            if Instant::now() + pause >= until {
                return Err(DeskError::Turn { ahead });
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn enqueue(&self, things: Vec<String>) -> Result<Held, DeskError> {
        let slot = self.shop.slot().clone();
        let opening = tokio::task::spawn_blocking(move || opened(&slot));
        let state = opening.await.unwrap_or(Err(DeskError::Abandoned))?;
        let session = self.session().await?;
        let (slot, store_key) = (self.shop.slot().clone(), Arc::clone(&self.shop.store_key));
        let now_ms = self.now_ms();
        let taking = tokio::task::spawn_blocking(move || {
            let turn = turn::enqueue(&state, &session, &store_key, &things, now_ms)
                .map_err(|error| no_record(&error))?;
            // From here on whoever drops it gives it back.
            Ok(Held {
                turn: Arc::new(turn),
                slot,
                given_back: AtomicBool::new(false),
            })
        });
        taking.await.unwrap_or(Err(DeskError::Abandoned))
    }

    /// The life of this process, which the state file knows a moment after it was opened.
    async fn session(&self) -> Result<SessionId, DeskError> {
        let until = Instant::now() + SESSION_PATIENCE;
        loop {
            if let Some(session) = self.journal.session() {
                return Ok(session);
            }
            if Instant::now() >= until {
                let why = "the state file does not know this process".to_owned();
                return Err(DeskError::NoRecord { why });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// That the turn was not lost since: the machine may have slept, or waited long. Asked before whatever is sent later than right after
    /// the intent, which asks by itself.
    ///
    /// # Errors
    /// [`DeskError::Turn`], [`DeskError::NoRecord`]: nothing more may be sent.
    pub(super) async fn still_ours(&self, held: &Held) -> Result<(), DeskError> {
        match self.standing(held).await? {
            Standing::Ours => Ok(()),
            Standing::Waiting { .. } | Standing::Lost => Err(DeskError::Turn { ahead: 0 }),
        }
    }

    async fn standing(&self, held: &Held) -> Result<Standing, DeskError> {
        let (slot, turn) = (self.shop.slot().clone(), Arc::clone(&held.turn));
        let now_ms = self.now_ms();
        let looking = tokio::task::spawn_blocking(move || {
            let state = slot.get().map_err(|error| no_record(&error))?;
            turn::standing(&state, &turn, now_ms).map_err(|error| no_record(&error))
        });
        looking.await.unwrap_or(Err(DeskError::Abandoned))
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.shop.now().as_millisecond()
    }
}

/// The state file. At start it is opened beside the first calls, and a write waits for it: without it nothing is sent.
fn opened(slot: &Slot) -> Result<State, DeskError> {
    let state = match slot.get() {
        Err(error) if matches!(*error, StateError::NotYetOpened) => slot.wait(OPENING_PATIENCE),
        other => other,
    };
    state.map_err(|error| no_record(&error))
}

/// Nothing can be written down.
pub(super) fn no_record(error: &StateError) -> DeskError {
    DeskError::NoRecord {
        why: error.to_string(),
    }
}
