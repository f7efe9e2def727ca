//! A write outlives its caller, but only once it has begun.
//!
//! Here: the task that carries a change out, what a caller's leaving does to it, and how many writes of this process are under way.
//! Before the intent is written down a caller that leaves stops the task, and nothing is sent. From then on it goes on to its outcome,
//! whoever listens. Not here: what a change does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::desk::error::DeskError;

/// How many writes of a process have begun and not ended.
#[derive(Debug)]
pub struct UnderWay {
    count: watch::Sender<usize>,
    closed: AtomicBool,
}

impl Default for UnderWay {
    fn default() -> UnderWay {
        UnderWay {
            count: watch::Sender::new(0),
            closed: AtomicBool::new(false),
        }
    }
}

impl UnderWay {
    /// How many there are now.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// The process is ending: no further write begins. What has not begun is refused, and nothing of it was sent.
    pub fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Waits until there is none, for at most `patience`. Says whether there is none.
    pub async fn settled(&self, patience: Duration) -> bool {
        let mut count = self.count.subscribe();
        let none = count.wait_for(|count| *count == 0);
        tokio::time::timeout(patience, none).await.is_ok()
    }
}

/// How far one write has come, and whether anybody still wants it.
#[derive(Debug, Default)]
pub(super) struct Stage {
    now: Mutex<Now>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Now {
    /// Whoever asked for it has left.
    left: bool,
    /// How many intents are written down whose outcome is not.
    open: u32,
}

impl Stage {
    /// From here on the write goes on by itself.
    ///
    /// # Errors
    /// [`DeskError::Abandoned`] when nobody wants it any more.
    pub(super) fn commit(&self, under_way: &Arc<UnderWay>) -> Result<(), DeskError> {
        let mut now = self.now.lock();
        if now.left {
            return Err(DeskError::Abandoned);
        }
        // Counted before the door is looked at: whoever has closed it and counts none knows that there will be none.
        under_way.count.send_modify(|count| *count += 1);
        if under_way.closed.load(Ordering::SeqCst) {
            under_way.count.send_modify(|count| *count -= 1);
            return Err(DeskError::Abandoned);
        }
        now.open += 1;
        Ok(())
    }

    /// The outcome is written down, or nothing was sent after all.
    pub(super) fn release(&self, under_way: &Arc<UnderWay>) {
        let mut now = self.now.lock();
        now.open -= 1;
        under_way.count.send_modify(|count| *count -= 1);
        if now.left {
            self.left.notify_one();
        }
    }

    fn leave(&self) {
        let mut now = self.now.lock();
        now.left = true;
        if now.open == 0 {
            self.left.notify_one();
        }
    }

    /// Resolves when the caller has left and nothing is open.
    async fn deserted(&self) {
        loop {
            let told = self.left.notified();
            {
                let now = self.now.lock();
                if now.left && now.open == 0 {
                    return;
                }
            }
            told.await;
        }
    }
}

/// Tells the stage that its caller has left, whichever way it goes.
struct Caller(Arc<Stage>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Carries `work` out in a task of its own.
///
/// # Errors
/// What `work` gives; [`DeskError::Abandoned`] when the process is ending.
pub(super) async fn carry_out<T: Send + 'static>(
    stage: Arc<Stage>,
    work: impl Future<Output = Result<T, DeskError>> + Send + 'static,
) -> Result<T, DeskError> {
    let caller = Caller(Arc::clone(&stage));
    let task = tokio::spawn(async move {
        tokio::select! {
            biased;
            done = work => done,
            () = stage.deserted() => Err(DeskError::Abandoned),
        }
    });
    let done = match task.await {
        Ok(done) => done,
        Err(died) => match died.try_into_panic() {
            // A bug of ours; the corridor answers it like one of its own.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => Err(DeskError::Abandoned),
        },
    };
    drop(caller);
    done
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// A write that waits, begins, waits and ends; and its three switches.
    fn write(
        stage: &Arc<Stage>,
        under_way: &Arc<UnderWay>,
    ) -> (
        oneshot::Sender<()>,
        oneshot::Sender<()>,
        oneshot::Receiver<()>,
        impl Future<Output = Result<u32, DeskError>> + Send + 'static,
    ) {
        let (begin, begun) = oneshot::channel::<()>();
        let (answer, answered) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let (inner, under_way) = (Arc::clone(stage), Arc::clone(under_way));
        let work = async move {
            begun.await.unwrap();
            inner.commit(&under_way)?;
            answered.await.unwrap();
            inner.release(&under_way);
            end.send(()).unwrap();
            Ok(7)
        };
        (begin, answer, ended, work)
    }

    #[tokio::test]
    async fn a_caller_that_leaves_before_the_intent_stops_the_write() {
        let (stage, under_way) = (Arc::new(Stage::default()), Arc::new(UnderWay::default()));
        let (begin, _answer, ended, work) = write(&stage, &under_way);
        let mut call = Box::pin(carry_out(Arc::clone(&stage), work));
        assert!(futures_util::poll!(&mut call).is_pending());
        drop(call);
        assert!(ended.await.is_err(), "the task was dropped");
        assert!(begin.send(()).is_err() && under_way.count() == 0);
        assert_eq!(stage.commit(&under_way), Err(DeskError::Abandoned));
    }

    #[tokio::test]
    async fn a_caller_that_leaves_after_the_intent_changes_nothing() {
        let (stage, under_way) = (Arc::new(Stage::default()), Arc::new(UnderWay::default()));
        let (begin, answer, ended, work) = write(&stage, &under_way);
        let mut call = Box::pin(carry_out(stage, work));
        begin.send(()).unwrap();
        while under_way.count() == 0 {
            assert!(futures_util::poll!(&mut call).is_pending());
            tokio::task::yield_now().await;
        }
        drop(call);
        assert!(!under_way.settled(Duration::from_millis(1)).await);
        answer.send(()).unwrap();
        ended.await.expect("the write went on to its end");
        assert!(under_way.settled(Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn a_process_that_ends_begins_no_further_write() {
        let (stage, under_way) = (Stage::default(), Arc::new(UnderWay::default()));
        stage.commit(&under_way).unwrap();
        under_way.close();
        let late = Stage::default();
        assert_eq!(late.commit(&under_way), Err(DeskError::Abandoned));
        assert_eq!(under_way.count(), 1, "the one that had begun goes on");
        stage.release(&under_way);
        assert!(under_way.settled(Duration::from_secs(10)).await);
    }

    #[tokio::test]
    async fn a_caller_that_stays_gets_what_was_done() {
        let (stage, under_way) = (Arc::new(Stage::default()), Arc::new(UnderWay::default()));
        let (begin, answer, _ended, work) = write(&stage, &under_way);
        begin.send(()).unwrap();
        answer.send(()).unwrap();
        assert_eq!(carry_out(stage, work).await, Ok(7));
    }
}
