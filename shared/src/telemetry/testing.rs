//! A small language for tests: a house with a state file, and processes that live in it without being processes.

use std::sync::Arc;

use jiff::Timestamp;
use metrics::with_local_recorder;

use super::bell::Bell;
use super::flush::{FlushError, Flusher, Serves};
use super::query::{self, Family, Value};
use super::recorder::Recorder;
use crate::paths::Home;
use crate::session::{self, Kind, SessionId};
use crate::state::{State, StateError};

/// A fresh state file in a folder that goes with it.
pub(super) struct House {
    pub(super) state: State,
    folder: tempfile::TempDir,
}

impl House {
    pub(super) fn new() -> House {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        home.create().unwrap();
        House {
            state: State::open(&home).unwrap(),
            folder,
        }
    }

    pub(super) fn process(&self) -> Process {
        self.process_of(Kind::McpStdio)
    }

    pub(super) fn process_of(&self, kind: Kind) -> Process {
        let recorder = Recorder::new(Arc::new(Bell::default()));
        let flusher = Flusher::new(recorder.clone(), kind, "1.0.0");
        Process {
            recorder,
            flusher,
            state: self.state.clone(),
            serves: Serves::default(),
        }
    }

    /// A process that others can see.
    pub(super) fn process_with_session(&self) -> Process {
        let mut process = self.process();
        process.flush();
        process
    }

    pub(super) fn is_alive(&self, id: &SessionId) -> bool {
        session::is_alive(self.state.home(), id)
    }

    /// Makes others take a living process for dead.
    pub(super) fn lose_run_file(&self, process: &Process) {
        session::remove_run_file(self.state.home(), &process.id());
    }

    pub(super) fn run_files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("run"))
            .unwrap()
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|kind| kind == "lock")
            })
            .filter(|entry| entry.as_ref().unwrap().file_name().len() > 32)
            .count()
    }

    pub(super) fn scrape(&self) -> Vec<Family> {
        self.state
            .read("test", |reading| {
                query::scrape(reading, &|id| self.is_alive(id))
            })
            .unwrap()
    }

    /// The values of all series of a metric, in their order.
    pub(super) fn values(&self, name: &str) -> Vec<Value> {
        let family = self
            .scrape()
            .into_iter()
            .find(|family| family.metric.name == name);
        family
            .map(|family| {
                family
                    .samples
                    .into_iter()
                    .map(|sample| sample.value)
                    .collect()
            })
            .unwrap_or_default()
    }

    /// The sum over all series of a counter, or of the counts of a histogram.
    pub(super) fn total(&self, name: &str) -> f64 {
        let total = |value| match value {
            Value::Counter(total) => total,
            Value::Gauge(level) => level,
            Value::Histogram { counts, .. } => counts.iter().sum::<u64>() as f64,
        };
        self.values(name).into_iter().map(total).sum()
    }
}

/// One process: it records and flushes; dropped, it is dead.
pub(super) struct Process {
    pub(super) recorder: Recorder,
    pub(super) flusher: Flusher,
    pub(super) serves: Serves,
    state: State,
}

impl Process {
    pub(super) fn does(&self, work: impl FnOnce()) -> &Process {
        with_local_recorder(&self.recorder, work);
        self
    }

    pub(super) fn try_flush(&mut self) -> Result<(), FlushError> {
        let Process {
            recorder,
            flusher,
            serves,
            state,
        } = self;
        with_local_recorder(&*recorder, || {
            flusher.flush(state, serves, Timestamp::UNIX_EPOCH)
        })
    }

    pub(super) fn flush(&mut self) {
        self.try_flush().unwrap();
    }

    pub(super) fn finish(self) {
        let Process {
            recorder,
            flusher,
            serves,
            state,
        } = self;
        with_local_recorder(&recorder, || {
            flusher.finish(&state, &serves, Timestamp::UNIX_EPOCH)
        })
        .unwrap();
    }

    pub(super) fn id(&self) -> SessionId {
        self.flusher.session_id().unwrap().clone()
    }
}

/// Folds until nothing dead is left.
pub(super) fn fold_all(house: &House) -> Result<u32, StateError> {
    super::fold::fold_dead(&house.state)
}
