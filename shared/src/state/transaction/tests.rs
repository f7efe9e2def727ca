//! Transactions are whole, ordered and bounded.

use std::sync::mpsc;

use super::*;
use crate::paths::Home;
use crate::state::tables::epochs;

fn state() -> (tempfile::TempDir, State) {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&Home::at(folder.path())).unwrap();
    (folder, state)
}

fn bump(state: &State) -> Result<u64, StateError> {
    state.write("test", Durability::Normal, |writing| {
        epochs::bump(writing, "shop")
    })
}

fn epoch(state: &State) -> u64 {
    state
        .read("test", |reading| epochs::read(reading, "shop"))
        .unwrap()
}

fn synchronous(reading: &Reading<'_>) -> i64 {
    reading
        .conn()
        .pragma_query_value(None, "synchronous", |row| row.get(0))
        .unwrap()
}

#[test]
fn what_fails_or_panics_was_never_written() {
    let (_folder, state) = state();
    let failed = state.write("test", Durability::Normal, |writing| {
        epochs::bump(writing, "shop")?;
        Err::<(), _>(StateError::Moved)
    });
    assert!(matches!(failed, Err(StateError::Moved)));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        state.write("test", Durability::Normal, |writing| {
            epochs::bump(writing, "shop")?;
            panic!("on purpose");
            #[allow(unreachable_code)]
            Ok(())
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(epoch(&state), 0);
    assert_eq!(bump(&state).unwrap(), 1, "the lock is free again");
}

#[test]
fn a_snapshot_does_not_move_while_others_write() {
    let (_folder, state) = state();
    let writer = state.clone();
    state
        .read("test", |reading| {
            assert_eq!(epochs::read(reading, "shop")?, 0);
            bump(&writer)?;
            assert_eq!(epochs::read(reading, "shop")?, 0);
            Ok(())
        })
        .unwrap();
    assert_eq!(epoch(&state), 1);
}

#[test]
fn what_must_not_be_lost_is_flushed_to_the_disk_and_only_that() {
    let (_folder, state) = state();
    let (full, normal) = (2, 1);
    let within = |durability| {
        state
            .write("test", durability, |writing| Ok(synchronous(writing)))
            .unwrap()
    };
    assert_eq!(within(Durability::Full), full);
    assert_eq!(within(Durability::Normal), normal);
    let failed = state.write("test", Durability::Full, |_| {
        Err::<(), _>(StateError::Moved)
    });
    assert!(failed.is_err());
    assert_eq!(within(Durability::Normal), normal);
}

#[test]
fn a_probe_says_soon_that_the_lock_is_held_and_reads_go_on() {
    let (_folder, state) = state();
    state.write_probe().unwrap();
    let (held, release) = (mpsc::channel(), mpsc::channel::<()>());
    let writer = state.clone();
    let writing = std::thread::spawn(move || {
        writer.write("test", Durability::Normal, |_| {
            held.0.send(()).unwrap();
            release.1.recv().unwrap();
            Ok(())
        })
    });
    held.1.recv().unwrap();
    let since = Instant::now();
    let error = state.write_probe().unwrap_err();
    assert!(error.is_busy(), "{error}");
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "{:?}",
        since.elapsed()
    );
    assert_eq!(epoch(&state), 0);
    release.0.send(()).unwrap();
    writing.join().unwrap().unwrap();
    state.write_probe().unwrap();
}

#[test]
fn more_callers_than_connections_take_turns() {
    let (_folder, state) = state();
    std::thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                for _ in 0..20 {
                    bump(&state).unwrap();
                }
            });
        }
    });
    assert_eq!(epoch(&state), 32 * 20);
    let status = state.pool();
    assert_eq!(status.size, status.idle);
    assert!(status.size <= 4, "{status:?}");
}

#[test]
fn every_operation_is_measured_under_its_name() {
    let (_folder, state) = state();
    let recorder = Recorder::default();
    metrics::with_local_recorder(&recorder, || {
        let _ = state.read("reading", |_| Err::<(), _>(StateError::Moved));
        bump(&state).unwrap();
    });
    let seen = recorder.0.lock().clone();
    assert_eq!(
        seen,
        [
            "db_query_duration_seconds reading",
            "db_pool_size ",
            "db_pool_available ",
            "db_query_duration_seconds test",
        ]
    );
}

/// Notes which metrics were asked for.
#[derive(Default)]
struct Recorder(parking_lot::Mutex<Vec<String>>);

impl Recorder {
    fn note(&self, key: &metrics::Key) {
        let label = key.labels().next().map_or("", |label| label.value());
        self.0.lock().push(format!("{} {label}", key.name()));
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }
    fn describe_gauge(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }
    fn describe_histogram(
        &self,
        _: metrics::KeyName,
        _: Option<metrics::Unit>,
        _: metrics::SharedString,
    ) {
    }
    fn register_counter(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Counter {
        self.note(key);
        metrics::Counter::noop()
    }
    fn register_gauge(&self, key: &metrics::Key, _: &metrics::Metadata<'_>) -> metrics::Gauge {
        self.note(key);
        metrics::Gauge::noop()
    }
    fn register_histogram(
        &self,
        key: &metrics::Key,
        _: &metrics::Metadata<'_>,
    ) -> metrics::Histogram {
        self.note(key);
        metrics::Histogram::noop()
    }
}
