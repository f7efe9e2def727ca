//! Why and when the process ends.
//!
//! Here: one place where every reason to stop is reported and everybody who must react is told, the signals, the watch over
//! the parent process, and the hard exit behind it all. Not here: what is finished first; `run` does that within the times
//! below. Clients end servers in different ways: most close stdin and wait two seconds, one sends SIGINT and SIGKILL half a
//! second later without ever closing stdin, and some simply die.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;

/// How long accepted calls may still be answered after the client closed stdin. Clients wait 0.7 to 10 s before they send a
/// signal, most of them 2 s.
const DRAIN_AFTER_INPUT_ENDED: Duration = Duration::from_millis(1500);

/// The same after a signal. The strictest client kills 400 ms after its first signal; the flush needs its share of that.
const DRAIN_AFTER_SIGNAL: Duration = Duration::from_millis(150);

/// How long after the time it had for flushing a process is ended by force. Flushing keeps to its time by itself; this is for a
/// process that is stuck.
const LEAVE_WITHIN: Duration = Duration::from_millis(100);

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The client closed stdin: the normal end.
    InputEnded,
    /// SIGINT, SIGTERM, SIGHUP or Ctrl-C.
    Signal,
    /// Nobody reads stdout any more.
    OutputClosed,
    /// The process that spawned this one is gone.
    ParentGone,
}

impl Cause {
    /// How long accepted calls may still be answered.
    #[must_use]
    pub fn drain(self) -> Duration {
        match self {
            Cause::InputEnded => DRAIN_AFTER_INPUT_ENDED,
            Cause::Signal => DRAIN_AFTER_SIGNAL,
            Cause::OutputClosed | Cause::ParentGone => Duration::ZERO,
        }
    }

    /// How long after the cause writes to shops that have begun may still come to their outcome: what is cut off shows as unknown, and a
    /// person has to look. It ends where writing the last counters must begin.
    fn writes_until(self) -> Duration {
        match self {
            Cause::InputEnded => Duration::from_millis(1700),
            Cause::Signal => Duration::from_millis(200),
            Cause::OutputClosed | Cause::ParentGone => Duration::from_millis(800),
        }
    }

    /// How long after the cause the last counters may still be written. What the drain leaves of it is the flush's.
    fn flush_until(self) -> Duration {
        match self {
            Cause::InputEnded => Duration::from_millis(1900),
            Cause::Signal => Duration::from_millis(280),
            Cause::OutputClosed | Cause::ParentGone => Duration::from_millis(1000),
        }
    }

    /// After this long the process is ended by force.
    fn at_most(self) -> Duration {
        self.flush_until() + LEAVE_WITHIN
    }
}

/// The switch that ends the process. Clones turn the same switch; the first cause counts.
#[derive(Clone, Debug)]
pub struct Stop {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    first: Mutex<Option<(Cause, Instant)>>,
    turned: Condvar,
    tasks: watch::Sender<Option<Cause>>,
}

impl Default for Stop {
    fn default() -> Stop {
        let inner = Inner {
            first: Mutex::new(None),
            turned: Condvar::new(),
            tasks: watch::Sender::new(None),
        };
        Stop {
            inner: Arc::new(inner),
        }
    }
}

impl Stop {
    /// Turns the switch. Later causes change nothing.
    pub fn now(&self, cause: Cause) {
        let mut first = self.inner.first.lock();
        if first.is_none() {
            *first = Some((cause, Instant::now()));
            self.inner.turned.notify_all();
            self.inner.tasks.send_replace(Some(cause));
        }
    }

    /// The first cause, once there is one.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.inner.first.lock().map(|(cause, _)| cause)
    }

    /// How long writes that have begun may still come to their outcome.
    #[must_use]
    pub fn time_for_writes(&self) -> Duration {
        let first = *self.inner.first.lock();
        first.map_or(Duration::ZERO, |(cause, at)| {
            cause.writes_until().saturating_sub(at.elapsed())
        })
    }

    /// How long the last counters may still be written.
    #[must_use]
    pub fn time_to_flush(&self) -> Duration {
        let first = *self.inner.first.lock();
        first.map_or(Duration::ZERO, |(cause, at)| {
            cause.flush_until().saturating_sub(at.elapsed())
        })
    }

    /// Waits for the first cause. May be cancelled and called again.
    pub async fn requested(&self) -> Cause {
        let mut tasks = self.inner.tasks.subscribe();
        let cause = tasks
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|cause| *cause);
        cause.expect("the sender lives in self and the condition was Some")
    }

    fn wait_on_thread(&self) -> Cause {
        let mut first = self.inner.first.lock();
        loop {
            match *first {
                Some((cause, _)) => return cause,
                None => self.inner.turned.wait(&mut first),
            }
        }
    }

    /// Ends the process by force when it has not ended in time after the switch was turned: a thread, because a runtime that is
    /// stuck runs no timers. Only `main` calls this.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn exit_by_force_when_late(&self) -> std::io::Result<()> {
        let stop = self.clone();
        std::thread::Builder::new()
            .name("exit".to_owned())
            .spawn(move || {
                let cause = stop.wait_on_thread();
                let (_open, nothing) = std::sync::mpsc::channel::<()>();
                let _ = nothing.recv_timeout(cause.at_most());
                std::process::exit(0);
            })?;
        Ok(())
    }

    /// Listens for signals and watches the parent, from the runtime this is called in. Call it before serving: a signal that
    /// comes before its handler kills the process without a flush.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub fn listen(&self) -> std::io::Result<()> {
        #[cfg(unix)]
        unix::listen(self)?;
        #[cfg(not(unix))]
        {
            let stop = self.clone();
            tokio::spawn(async move {
                if tokio::signal::ctrl_c().await.is_ok() {
                    stop.now(Cause::Signal);
                }
            });
        }
        Ok(())
    }
}

#[cfg(unix)]
mod unix {
    use super::{Cause, Duration, Stop};
    use std::os::unix::process::parent_id;
    use tokio::signal::unix::{SignalKind, signal};

    /// How often the parent is looked at. A look costs one system call.
    const PARENT_CHECK_INTERVAL: Duration = Duration::from_secs(3);

    /// Sent when a file would grow beyond the user's limit; its default action kills. With a handler the write fails instead and
    /// the state file reports it. The number is the same on Linux and macOS.
    const SIGXFSZ: i32 = 25;

    pub(super) fn listen(stop: &Stop) -> std::io::Result<()> {
        for kind in [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ] {
            let mut signals = signal(kind)?;
            let stop = stop.clone();
            tokio::spawn(async move {
                if signals.recv().await.is_some() {
                    stop.now(Cause::Signal);
                }
            });
        }
        // Dropping the listener leaves the handler in place.
        drop(signal(SignalKind::from_raw(SIGXFSZ))?);
        watch_parent(stop.clone());
        Ok(())
    }

    /// Stops when the parent changes, that is when it died and somebody else inherited us. For a client that is killed stdin ends
    /// too, unless another process inherited the pipe's other end. Off in a container, where the parent is process 1 from the
    /// start.
    fn watch_parent(stop: Stop) {
        let parent = parent_id();
        if parent <= 1 {
            return;
        }
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PARENT_CHECK_INTERVAL);
            loop {
                ticks.tick().await;
                if parent_id() != parent {
                    return stop.now(Cause::ParentGone);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_cause_counts() {
        let stop = Stop::default();
        assert_eq!(stop.cause(), None);
        stop.now(Cause::Signal);
        stop.now(Cause::InputEnded);
        assert_eq!(stop.requested().await, Cause::Signal);
        assert_eq!(stop.clone().cause(), Some(Cause::Signal));
    }

    #[tokio::test]
    async fn whoever_waits_is_told() {
        let stop = Stop::default();
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.requested().await }
        });
        tokio::task::yield_now().await;
        stop.now(Cause::OutputClosed);
        assert_eq!(waiting.await.unwrap(), Cause::OutputClosed);
    }

    #[test]
    fn a_signal_leaves_less_time_than_the_strictest_client_gives() {
        assert!(Cause::Signal.at_most() <= Duration::from_millis(400));
        assert!(Cause::InputEnded.drain() <= Duration::from_millis(1500));
        for cause in [
            Cause::InputEnded,
            Cause::Signal,
            Cause::OutputClosed,
            Cause::ParentGone,
        ] {
            assert!(
                cause.drain() + Duration::from_millis(100) <= cause.flush_until(),
                "{cause:?}"
            );
            assert!(
                cause.writes_until() + Duration::from_millis(80) <= cause.flush_until(),
                "{cause:?}"
            );
        }
    }
}
