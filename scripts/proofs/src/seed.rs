//! A state file with as many series as a long-lived fleet leaves behind.
//!
//! Recorded through the products' own telemetry, in a process of its own, since a process has one recorder.

use anyhow::ensure;
use shared::paths::Home;
use shared::session::Kind;
use shared::state::Slot;
use shared::telemetry::{Telemetry, names};
use std::path::Path;
use std::time::Duration;

/// The final flush of a few thousand series.
const FLUSHED_WITHIN: Duration = Duration::from_secs(20);

/// Records `series` series, spread evenly over four counters, as one process that lives and ends on `home`.
pub(crate) fn run(home: &Path, series: usize) -> anyhow::Result<()> {
    let home = Home::at(home);
    home.create()?;
    let telemetry = Telemetry::start(Slot::new(home), Kind::McpStdio, "seed");
    for number in 0..series / 4 {
        let code = format!("seed-{number}");
        metrics::counter!(names::ERRORS.name, "error_type" => "seed", "error_code" => code.clone(), "endpoint" => "seed")
            .increment(1);
        metrics::counter!(names::ORDERDESK_API_CALLS.name, "endpoint" => code.clone(), "method" => "GET", "status_code" => "200")
            .increment(1);
        metrics::counter!(names::CACHE_OPERATIONS.name, "operation" => "hit", "resource_type" => code.clone()).increment(1);
        metrics::counter!(names::HTTP_REQUESTS.name, "method" => "GET", "endpoint" => code, "status_code" => "200").increment(1);
    }
    ensure!(
        telemetry.finish(FLUSHED_WITHIN),
        "the series were not written within {FLUSHED_WITHIN:?}"
    );
    Ok(())
}
