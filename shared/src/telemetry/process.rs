//! Telemetry of one process as the rest of the program sees it: start it, tell it a few things, end it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::bell::Bell;
use super::flush::{Flusher, Serves};
use super::recorder::Recorder;
use super::runner::Runner;
use super::{labels, names};
use crate::session::{Kind, SessionId};
use crate::state::Slot;
use crate::state::tables::sessions::Client;

/// What the program and the flush thread tell each other.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) bell: Arc<Bell>,
    pub(super) stop: AtomicBool,
    pub(super) answered: AtomicBool,
    pub(super) serves: Mutex<Serves>,
    pub(super) session_id: Mutex<Option<SessionId>>,
    pub(super) trouble: Mutex<Option<String>>,
    /// Since when a value waits to be written.
    pub(super) waiting_since: Mutex<Option<Instant>>,
}

/// Counts what this process does and writes it to the state file from a thread of its own. Dropping it writes once more
/// without waiting; [`Telemetry::finish`] waits.
#[derive(Debug)]
pub struct Telemetry {
    handle: Handle,
    /// Gives whether the last flush worked; closed early when the thread is no more.
    finished: Receiver<bool>,
}

impl Telemetry {
    /// Installs the process's metrics recorder and starts the thread that opens `slot`, begins the session and writes.
    /// Returns at once and never fails: without a state file the values wait in memory, and [`Handle::degraded`] says
    /// why. To be called once per process, before anything is recorded.
    #[must_use]
    pub fn start(slot: Slot, kind: Kind, version: &'static str) -> Telemetry {
        let handle = Handle(Arc::default());
        let recorder = Recorder::new(Arc::clone(&handle.0.bell));
        metrics::with_local_recorder(&recorder, || {
            metrics::gauge!(names::BUILD_INFO.name, "kind" => kind.as_str(), "version" => version)
                .set(1.0);
        });
        if metrics::set_global_recorder(recorder.clone()).is_err() {
            tracing::warn!(
                "another metrics recorder is installed; what this process does is not counted"
            );
        }
        let (finish, finished) = mpsc::sync_channel(1);
        let runner = Runner::new(
            slot,
            Flusher::new(recorder, kind, version),
            Arc::clone(&handle.0),
        );
        let body = move || {
            let _ = finish.send(runner.run());
        };
        if let Err(error) = thread::Builder::new().name("telemetry".into()).spawn(body) {
            *handle.0.trouble.lock() = Some(format!(
                "metrics are not written: no thread could be started: {error}"
            ));
        }
        Telemetry { handle, finished }
    }

    /// What other parts of the program talk to.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Writes what is left, hands everything over to the retired totals and ends the session. Waits at most `within`;
    /// `false` means that this did not happen in time, and that somebody else will fold what was written before. What is
    /// recorded after this call is lost.
    #[must_use]
    pub fn finish(self, within: Duration) -> bool {
        self.handle.stop();
        self.finished.recv_timeout(within).unwrap_or(false)
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.handle.stop();
    }
}

/// Speaks to this process's telemetry. Cheap to clone; every call returns at once.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Shared>);

impl Handle {
    /// The id under which this process is known in the state file; `None` until the file could be written.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        self.0.session_id.lock().clone()
    }

    /// Notes who the client is, for people who look at the sessions. The words are the client's own: they are cleaned
    /// and cut.
    pub fn describe_client(&self, name: &str, version: &str, protocol: &str) {
        let clean = |text| labels::clean(text).into_owned();
        let client = Client {
            name: clean(name),
            version: clean(version),
            protocol: clean(protocol),
        };
        self.0.serves.lock().client = Some(client);
        self.0.bell.ring();
    }

    /// Notes whose stores this process works on: a tenant's opaque id, or `env`. Saying the same again costs nothing.
    pub fn belongs_to(&self, tenant_id: &str) {
        let mut serves = self.0.serves.lock();
        if serves.tenant_id.as_deref() == Some(tenant_id) {
            return;
        }
        serves.tenant_id = Some(labels::clean(tenant_id).into_owned());
        drop(serves);
        self.0.bell.ring();
    }

    /// This process has answered somebody, so it may now spend time on folding what dead processes have left.
    pub fn answered(&self) {
        if !self.0.answered.swap(true, Ordering::SeqCst) {
            self.0.bell.ring();
        }
    }

    /// Why values wait in memory instead of being in the state file; `None` when all is well.
    #[must_use]
    pub fn degraded(&self) -> Option<String> {
        self.0.trouble.lock().clone()
    }

    /// How long the oldest value that is not in the state file has been waiting. Below 250 ms when all is well.
    #[must_use]
    pub fn lag(&self) -> Duration {
        self.0
            .waiting_since
            .lock()
            .map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn stop(&self) {
        self.0.stop.store(true, Ordering::SeqCst);
        self.0.bell.knock();
    }
}
