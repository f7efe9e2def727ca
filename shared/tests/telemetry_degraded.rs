//! Telemetry without a state file: values wait in memory, the reason is told, and nothing is lost when the file comes.
//! Alone in its file: the recorder is global to a process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, too, fail by panicking"
)]

use std::thread;
use std::time::{Duration, Instant};

use shared::paths::Home;
use shared::session::Kind;
use shared::state::{Slot, State};
use shared::telemetry::{Telemetry, names, query};

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

fn errors(state: &State) -> Option<query::Value> {
    let families = state
        .read("test", |reading| query::scrape(reading, &|_| true))
        .unwrap();
    let errors = families
        .into_iter()
        .find(|family| family.metric.name == names::ERRORS.name)?;
    Some(errors.samples[0].value.clone())
}

#[test]
fn values_wait_for_a_home_that_cannot_be_made_yet() {
    let folder = tempfile::tempdir().unwrap();
    let obstacle = folder.path().join("in-the-way");
    std::fs::write(&obstacle, "").unwrap();
    let slot = Slot::new(Home::at(obstacle.join("home")));
    let telemetry = Telemetry::start(slot.clone(), Kind::McpStdio, "1.0.0");
    let handle = telemetry.handle();
    let count = || metrics::counter!(names::ERRORS.name, "error_type" => "desk").increment(1);
    count();
    eventually("the trouble is told", || handle.degraded().is_some());
    let trouble = handle.degraded().unwrap();
    assert!(trouble.contains("hint:"), "{trouble}");
    assert!(handle.session_id().is_none());
    count();

    std::fs::remove_file(&obstacle).unwrap();
    eventually("all is well again", || {
        handle.degraded().is_none() && handle.session_id().is_some()
    });
    count();
    assert!(telemetry.finish(Duration::from_secs(5)));
    let state = slot.get().unwrap();
    assert_eq!(errors(&state), Some(query::Value::Counter(3.0)));
    assert!(handle.lag() < Duration::from_secs(1));
}
