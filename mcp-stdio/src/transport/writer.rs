//! Frames to stdout, one after the other.
//!
//! Here: the only code that writes to stdout. Not here: what a frame says. A plain thread writes, so that a client that does not
//! read blocks this thread and not the runtime, which must still see signals. What waits to be written is bounded by the slots
//! that frames hold until they are on their way (see `transport`).

use std::io::Write;
use std::sync::mpsc;

use super::meter::Reply;
use crate::stop::{Cause, Stop};

/// One line for the client, and what is noted when it has been sent.
pub(super) struct Frame {
    pub(super) bytes: Vec<u8>,
    /// Holds the slot of the request that this frame answers.
    pub(super) reply: Option<Reply>,
}

/// The way to the writing thread.
#[derive(Clone)]
pub(super) struct Writer {
    frames: mpsc::Sender<Frame>,
}

impl Writer {
    /// Starts the thread. `on_first_frame` is called once, after the client got its first answer. When nobody reads stdout any
    /// more, `stop` is told.
    pub(super) fn spawn(
        mut output: Box<dyn Write + Send>,
        stop: Stop,
        on_first_frame: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Writer> {
        let (frames, queue) = mpsc::channel::<Frame>();
        std::thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(move || {
                let mut on_first_frame = Some(on_first_frame);
                for frame in queue {
                    if output
                        .write_all(&frame.bytes)
                        .and_then(|()| output.flush())
                        .is_err()
                    {
                        stop.now(Cause::OutputClosed);
                        return;
                    }
                    if let Some(reply) = frame.reply {
                        reply.sent();
                    }
                    if let Some(tell) = on_first_frame.take() {
                        tell();
                    }
                }
            })?;
        Ok(Writer { frames })
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// If the thread has given up because nobody reads.
    pub(super) fn send(&self, frame: Frame) -> std::io::Result<()> {
        self.frames
            .send(frame)
            .map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn frame() -> Frame {
        Frame {
            bytes: b"{}\n".to_vec(),
            reply: None,
        }
    }

    #[tokio::test]
    async fn a_closed_output_stops_the_process() {
        let stop = Stop::default();
        let writer = Writer::spawn(Box::new(Closed), stop.clone(), || {}).unwrap();
        writer.send(frame()).unwrap();
        assert_eq!(stop.requested().await, Cause::OutputClosed);
    }

    #[test]
    fn the_first_frame_is_told_once() {
        let told = Arc::new(AtomicUsize::new(0));
        let (done, wait) = mpsc::channel();
        let count = Arc::clone(&told);
        let writer = Writer::spawn(Box::new(std::io::sink()), Stop::default(), move || {
            count.fetch_add(1, Ordering::SeqCst);
            done.send(()).unwrap();
        })
        .unwrap();
        writer.send(frame()).unwrap();
        writer.send(frame()).unwrap();
        wait.recv().unwrap();
        assert!(wait.recv().is_err(), "the closure is gone after one call");
        assert_eq!(told.load(Ordering::SeqCst), 1);
    }
}
