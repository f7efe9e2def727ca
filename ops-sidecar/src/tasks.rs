//! Supervision: what runs for ever, how it is stopped, and what it means when one of them ends.
//!
//! A job is a step that says whether it did anything, and a dumb loop around it. A failing step is logged once when it begins to fail and
//! once when it recovers, and is tried again; a loop that *ends* (a panic, say) is a defect: it has a name and a cause, and the process
//! ends with both, so that the supervisor above (systemd, a container) starts it afresh instead of running half of it.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

/// Asks everything that holds the matching [`Stop`] to end. Dropping it asks as well.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Whether it is time to end.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// A fresh pair.
#[must_use]
pub fn stop_pair() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Asks; asking again changes nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Whether a stop was asked for; for work that looks up now and then.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        // Without a stopper nobody could ask any more, which is the same.
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns once a stop is asked for, at once if it was before.
    pub async fn asked(&mut self) {
        // An error means that the stopper is gone: nobody could ask any more, which is the same.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

/// A loop ended that should have run for ever.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{name}` ended and should not have: {cause}; hint: this is a defect, please report it with the log"
)]
pub struct Ended {
    /// Which loop.
    pub name: &'static str,
    /// Why, as far as it can be told.
    pub cause: String,
}

/// The loops of this process.
#[derive(Debug, Default)]
pub struct Tasks {
    set: JoinSet<Ended>,
}

impl Tasks {
    /// Runs `step` every `pace`, on a thread of its own where it may block; always the same one, because the allocator keeps what a step
    /// once needed for its thread, and would keep it for each of many. A step still running when its turn comes again is waited for. What it
    /// records is written when something else is, or within a minute: loops that look do not keep an idle machine writing.
    pub fn every<S>(&mut self, name: &'static str, pace: Duration, step: S)
    where
        S: FnMut() -> anyhow::Result<bool> + Send + 'static,
    {
        self.spawn(name, repeat(name, pace, step));
    }

    /// Runs a future that should not end before the process does; its result is the cause if it does.
    pub fn spawn<F>(&mut self, name: &'static str, future: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.set.spawn(async move {
            let cause = match tokio::spawn(future).await {
                Ok(Ok(())) => "it returned".to_owned(),
                Ok(Err(cause)) => format!("{cause:#}"),
                Err(cause) => describe(&cause),
            };
            Ended { name, cause }
        });
    }

    /// The first loop that ends.
    pub async fn first_end(&mut self) -> Ended {
        match self.set.join_next().await {
            Some(Ok(ended)) => ended,
            Some(Err(cause)) => Ended {
                name: "supervision",
                cause: describe(&cause),
            },
            None => Ended {
                name: "supervision",
                cause: "there was nothing to supervise".to_owned(),
            },
        }
    }
}

/// What is known about a task that did not return. The panic's own words went to the log through the hook, cleaned.
fn describe(cause: &JoinError) -> String {
    if cause.is_panic() {
        "it panicked".to_owned()
    } else {
        "it was cancelled".to_owned()
    }
}

async fn repeat<S>(name: &'static str, pace: Duration, mut step: S) -> anyhow::Result<()>
where
    S: FnMut() -> anyhow::Result<bool> + Send + 'static,
{
    let mut ticks = tokio::time::interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    let (ask, asked) = std::sync::mpsc::channel();
    let (answer, mut answers) = tokio::sync::mpsc::channel(1);
    let thread = tokio::task::spawn_blocking(move || {
        // Whoever asks is gone when the process ends.
        while asked.recv().is_ok() {
            let outcome = shared::telemetry::quietly(&mut step);
            if answer.blocking_send(outcome).is_err() {
                return;
            }
        }
    });
    loop {
        ticks.tick().await;
        let outcome = match ask.send(()) {
            Ok(()) => answers.recv().await,
            Err(_) => None,
        };
        let Some(outcome) = outcome else {
            break;
        };
        failing = note(name, failing, &outcome);
    }
    thread
        .await
        .map_err(|cause| anyhow::Error::msg(describe(&cause)))
}

/// Logs the beginning and the end of a failure, not each of its repetitions. Returns whether it fails now. A step that had nothing to do, or
/// that waits before it tries again, has not shown that it works.
fn note(name: &str, was_failing: bool, outcome: &anyhow::Result<bool>) -> bool {
    match outcome {
        Err(cause) if !was_failing => {
            tracing::warn!("`{name}` fails and is tried again: {cause:#}");
        }
        Ok(true) if was_failing => tracing::warn!("`{name}` works again"),
        _ => {}
    }
    match outcome {
        Err(_) => true,
        Ok(did_something) => was_failing && !did_something,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn a_pause_is_not_taken_for_the_end_of_a_failure() {
        let failing = note("wobbly", false, &Err(anyhow::anyhow!("full")));
        assert!(failing && note("wobbly", failing, &Ok(false)));
        assert!(!note("wobbly", failing, &Ok(true)));
        assert!(!note("steady", false, &Ok(false)));
    }

    #[tokio::test]
    async fn a_step_that_fails_is_tried_again() {
        let seen = Arc::new(AtomicU32::new(0));
        let (reached, mut wait) = watch::channel(false);
        let mut tasks = Tasks::default();
        let count = Arc::clone(&seen);
        tasks.every("wobbly", Duration::from_millis(1), move || {
            if count.fetch_add(1, Ordering::Relaxed) >= 3 {
                reached.send_replace(true);
                return Ok(true);
            }
            anyhow::bail!("not yet")
        });
        wait.wait_for(|reached| *reached)
            .await
            .expect("the step runs until it succeeds");
    }

    #[tokio::test]
    async fn a_loop_stays_on_its_thread_while_others_come_and_go() {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let mut tasks = Tasks::default();
        tasks.every("steady", Duration::from_millis(1), move || {
            Ok(tell.send(std::thread::current().id()).is_ok())
        });
        let first = told.recv().await.expect("the step runs");
        for _ in 0..20 {
            let other = tokio::task::spawn_blocking(|| std::thread::current().id());
            assert_ne!(other.await.expect("it returns"), first);
            assert_eq!(told.recv().await, Some(first));
        }
    }

    #[tokio::test]
    async fn a_loop_that_panics_is_a_failure_with_its_name() {
        let mut tasks = Tasks::default();
        tasks.every("brittle", Duration::from_millis(1), || panic!("glass"));
        tasks.spawn("steady", std::future::pending());
        let ended = tasks.first_end().await;
        assert_eq!(ended.name, "brittle");
        assert!(!ended.to_string().contains("glass"), "{ended}");
    }

    #[tokio::test]
    async fn a_future_that_returns_is_a_failure_with_its_cause() {
        let mut tasks = Tasks::default();
        tasks.spawn("listener", async { anyhow::bail!("the socket is gone") });
        assert_eq!(tasks.first_end().await.cause, "the socket is gone");
    }

    #[tokio::test]
    async fn everyone_who_waits_is_asked_to_stop_and_a_lost_stopper_asks_too() {
        let (stopper, mut stop) = stop_pair();
        let mut other = stop.clone();
        assert!(!stop.is_asked());
        stopper.stop();
        assert!(stop.is_asked());
        stop.asked().await;
        drop(stopper);
        assert!(other.is_asked());
        other.asked().await;
    }
}
