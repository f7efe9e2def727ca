//! What recording costs on the call path, while the flush thread writes to a real state file.
//!
//! `cargo bench -p shared --bench record`
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use shared::paths::Home;
use shared::session::Kind;
use shared::state::Slot;
use shared::telemetry::{Telemetry, names};

const TIMES: u32 = 2_000_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let telemetry = Telemetry::start(Slot::new(Home::at(folder.path())), Kind::McpStdio, "bench");

    let calls = metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => "orders_get", "status" => "success");
    let seconds = metrics::histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "orders_get");
    let running = metrics::gauge!(names::MCP_TOOL_CALLS_IN_PROGRESS.name);

    measure("counter, handle kept", || calls.increment(black_box(1)));
    measure("histogram, handle kept", || {
        seconds.record(black_box(0.000_09));
    });
    measure("gauge, handle kept", || running.set(black_box(1.0)));
    measure("counter!, no labels", || {
        metrics::counter!(names::DB_CONNECTIONS.name).increment(black_box(1));
    });
    measure("counter!, two fixed labels", || {
        metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => "orders_get", "status" => "success").increment(1);
    });
    let tool: &'static str = black_box("orders_get");
    measure("counter!, two labels", || {
        metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => tool, "status" => black_box("success")).increment(1);
    });
    measure("histogram!, one label", || {
        metrics::histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => tool)
            .record(black_box(0.000_09));
    });

    let is_written = telemetry.finish(Duration::from_secs(5));
    println!("all of it was in the state file at the end: {is_written}");
}

/// Prints nanoseconds per record: the best of five rounds, since other programs only ever make it slower.
fn measure(what: &str, record: impl Fn()) {
    let round = || {
        let since = Instant::now();
        for _ in 0..TIMES / 5 {
            record();
        }
        since.elapsed()
    };
    let best = (0..5).map(|_| round()).min().unwrap_or_default();
    println!(
        "{what:<28} {:>7.1} ns",
        best.as_nanos() as f64 / f64::from(TIMES / 5)
    );
}
