//! How a recorded value wakes the flusher, and why an idle process does nothing.
//!
//! The first record after a flush sets `pending` and unparks the flusher; all further ones see `pending` and go on. What
//! the flusher itself records (how long its transaction took) does not ring: it would keep itself awake for ever. Those
//! values travel with the next flush that somebody else causes, or with the heartbeat.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, whose records wake nobody: for what runs every few seconds whether or not anybody does anything. If its own time on the state
/// file were written there at once, an idle machine would write for ever. Its values travel with the next flush or the heartbeat.
pub fn quietly<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            QUIET.set(self.0);
        }
    }
    let _before = Restore(QUIET.replace(true));
    work()
}

/// Wakes one thread when something is pending. All accesses are sequentially consistent: a recorder writes its value and
/// then reads `pending`, the flusher clears `pending` and then reads values; with anything weaker both could miss each
/// other and the value would wait for the next heartbeat.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    pending: AtomicBool,
    listener: OnceLock<Thread>,
}

impl Bell {
    /// The calling thread is the one to wake, and from now on does not ring itself.
    pub(crate) fn listen_here(&self) {
        QUIET.set(true);
        let _ = self.listener.set(thread::current());
    }

    /// Something changed. A load and a branch while a flush is already due.
    #[inline]
    pub(crate) fn ring(&self) {
        if !self.pending.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    /// Something must be looked at even though nothing may have changed.
    pub(crate) fn knock(&self) {
        if let Some(listener) = self.listener.get() {
            listener.unpark();
        }
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::SeqCst)
    }

    /// Takes the pending mark; what is recorded from now on rings again.
    pub(crate) fn clear(&self) {
        self.pending.store(false, Ordering::SeqCst);
    }

    /// Puts the mark back after a flush that failed.
    pub(crate) fn keep(&self) {
        self.pending.store(true, Ordering::SeqCst);
    }

    #[cold]
    fn wake(&self) {
        if !QUIET.get() && !self.pending.swap(true, Ordering::SeqCst) {
            self.knock();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_first_ring_wakes_and_the_next_ones_are_free() {
        let bell = Bell::default();
        assert!(!bell.is_pending());
        bell.ring();
        bell.ring();
        assert!(bell.is_pending());
        bell.clear();
        assert!(!bell.is_pending());
    }

    #[test]
    fn what_is_done_quietly_wakes_nobody_and_what_comes_after_does() {
        let bell = Bell::default();
        quietly(|| {
            quietly(|| bell.ring());
            bell.ring();
        });
        assert!(!bell.is_pending());
        bell.ring();
        assert!(bell.is_pending());
    }

    #[test]
    fn a_panic_in_quiet_work_leaves_the_thread_loud() {
        let bell = Bell::default();
        std::panic::catch_unwind(|| quietly(|| panic!("as it happens"))).unwrap_err();
        bell.ring();
        assert!(bell.is_pending());
    }

    #[test]
    fn the_listener_does_not_wake_itself() {
        let bell = Arc::new(Bell::default());
        let its = Arc::clone(&bell);
        let listener = thread::spawn(move || {
            its.listen_here();
            its.ring();
            its.is_pending()
        });
        assert!(!listener.join().unwrap());
    }
}
