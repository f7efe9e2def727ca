//! A state file that may be missing now and come back: both binaries serve without it.
//!
//! [`Slot::get`] never waits. Somebody (the flush thread, in both binaries) calls [`Slot::open_now`] until it works,
//! and [`Slot::mark_broken`] when it stops working; when to try again is theirs to decide.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::{State, StateError};
use crate::paths::Home;

/// Caps [`Slot::wait`], so that no patience overflows the clock.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Where the open state file is found, if it is open. Cloning shares it.
#[derive(Clone)]
pub struct Slot(Arc<Inner>);

struct Inner {
    home: Home,
    held: Mutex<Held>,
    opened: Condvar,
    opening: Mutex<()>,
}

/// `attempts` counts the times somebody finished opening, so that who waited meanwhile takes that result.
struct Held {
    state: Result<State, Arc<StateError>>,
    attempts: u64,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("home", &self.0.home.root())
            .field("state", &self.get())
            .finish()
    }
}

impl Slot {
    /// An empty slot; nothing is opened or made yet.
    pub fn new(home: Home) -> Slot {
        let held = Held {
            state: Err(Arc::new(StateError::NotYetOpened)),
            attempts: 0,
        };
        Slot(Arc::new(Inner {
            home,
            held: Mutex::new(held),
            opened: Condvar::new(),
            opening: Mutex::new(()),
        }))
    }

    /// The home of the file.
    pub fn home(&self) -> &Home {
        &self.0.home
    }

    /// The open file, at once.
    ///
    /// # Errors
    /// Why there is none; `NotYetOpened` before the first attempt ended.
    pub fn get(&self) -> Result<State, Arc<StateError>> {
        self.0.held.lock().state.clone()
    }

    /// Opens the file unless it is open. Blocks; when several call at once, one opens and all get its result.
    ///
    /// # Errors
    /// Why it could not be opened.
    pub fn open_now(&self) -> Result<State, Arc<StateError>> {
        let seen = self.0.held.lock().attempts;
        let _one_at_a_time = self.0.opening.lock();
        {
            let held = self.0.held.lock();
            if held.state.is_ok() || held.attempts != seen {
                return held.state.clone();
            }
        }
        let state = State::open(&self.0.home).map_err(Arc::new);
        let mut held = self.0.held.lock();
        held.state = state.clone();
        held.attempts += 1;
        self.0.opened.notify_all();
        state
    }

    /// Takes `broken` out of use: `get` gives `error` until somebody opens again. Whoever still holds it may finish.
    /// Changes nothing when somebody has opened afresh meanwhile: a late complaint is about the old file.
    pub fn mark_broken(&self, broken: &State, error: impl Into<Arc<StateError>>) {
        let mut held = self.0.held.lock();
        if held.state.as_ref().is_ok_and(|open| open.is_same(broken)) {
            held.state = Err(error.into());
        }
    }

    /// The open file, waiting up to `patience` for somebody else to open it.
    ///
    /// # Errors
    /// Why there is still none.
    pub fn wait(&self, patience: Duration) -> Result<State, Arc<StateError>> {
        let until = Instant::now() + patience.min(LONGEST_WAIT);
        let mut held = self.0.held.lock();
        while held.state.is_err() && !self.0.opened.wait_until(&mut held, until).timed_out() {}
        held.state.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> (tempfile::TempDir, Slot) {
        let folder = tempfile::tempdir().unwrap();
        let slot = Slot::new(Home::at(folder.path().join("home")));
        (folder, slot)
    }

    #[test]
    fn an_untouched_slot_says_so_and_makes_nothing() {
        let (folder, slot) = slot();
        assert_eq!(slot.get().unwrap_err().code(), "not_yet_opened");
        assert_eq!(
            slot.wait(Duration::from_millis(1)).unwrap_err().code(),
            "not_yet_opened"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn who_waits_gets_the_file_as_soon_as_somebody_opened_it() {
        let (_folder, slot) = slot();
        let waiting = slot.clone();
        let waiter = std::thread::spawn(move || waiting.wait(Duration::from_secs(10)).is_ok());
        slot.open_now().unwrap();
        assert!(waiter.join().unwrap());
        assert!(slot.get().is_ok());
    }

    #[test]
    fn a_broken_file_is_out_of_use_until_opened_again() {
        let (_folder, slot) = slot();
        let first = slot.open_now().unwrap();
        let mark = first.mark();
        slot.mark_broken(&first, StateError::Moved);
        assert_eq!(slot.get().unwrap_err().code(), "moved");
        assert!(mark.is_of(&first));
        drop(first);
        assert!(!mark.is_of(&slot.open_now().unwrap()), "opened anew");
        assert!(slot.get().is_ok());
    }

    #[test]
    fn a_late_complaint_about_an_old_file_leaves_the_fresh_one_in_use() {
        let (_folder, slot) = slot();
        let first = slot.open_now().unwrap();
        slot.mark_broken(&first, StateError::Moved);
        slot.open_now().unwrap();
        slot.mark_broken(&first, StateError::Moved);
        assert!(slot.get().is_ok());
    }

    #[test]
    fn many_at_once_open_once() {
        let (_folder, slot) = slot();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| slot.open_now().unwrap());
            }
        });
        assert_eq!(slot.0.held.lock().attempts, 1);
    }
}
