//! The log: lines on stderr, ours at the level that is asked for, libraries at `warn` at most.
//!
//! Libraries stay quiet whatever is asked for because at `debug` the MCP library prints whole requests and results, and
//! those hold customers' names and addresses. A panic becomes one line with its place and without its text, which may
//! hold the same.

use std::panic::{self, PanicHookInfo};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, registry};

use super::{names, stderr};

/// Our crates, as the log knows them.
const OURS: [&str; 3] = ["shared", "mcp_stdio", "ops_sidecar"];

/// The MCP library warns of every answer that is an error, an unknown tool for one. The client was told already, and
/// some editors show their user each line as a warning.
const MCP_LIBRARY: LevelFilter = LevelFilter::ERROR;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people: time, level, place, text, fields.
    Text,
    /// For programs: one JSON object per line.
    Json,
}

/// Starts the log on stderr with our own lines up to `level`, and turns panics into lines of it, each counted in
/// `unhandled_exceptions_total`. Once per process; later calls change nothing.
pub fn init(format: Format, level: LevelFilter) {
    let _ = tracing::subscriber::set_global_default(subscriber(format, level, stderr::patient));
    panic::set_hook(Box::new(note_panic));
}

fn subscriber<W>(format: Format, level: LevelFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("rmcp", level.min(MCP_LIBRARY))
        .with_targets(OURS.map(|target| (target, level)));
    let lines = fmt::layer().with_writer(writer).with_ansi(false);
    match format {
        Format::Text => Box::new(registry().with(lines.with_filter(filter))),
        Format::Json => {
            Box::new(registry().with(lines.json().flatten_event(true).with_filter(filter)))
        }
    }
}

fn note_panic(info: &PanicHookInfo<'_>) {
    metrics::counter!(names::UNHANDLED_EXCEPTIONS.name).increment(1);
    let place = info
        .location()
        .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    tracing::error!(
        "a mistake in this program: panic at {place}; hint: report this line and what was asked for"
    );
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    /// What was logged while `work` ran.
    fn logged(format: Format, level: LevelFilter, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(format, level, move || writer.clone()), work);
        String::from_utf8(lines.0.lock().clone()).unwrap()
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn speak() {
        tracing::debug!(target: "hyper::client", "a whole request");
        tracing::warn!(target: "hyper::client", "a library's warning");
        tracing::warn!(target: "rmcp::service", "response error id=15");
        tracing::debug!(target: "mcp_stdio::call", tool = "orders_get", "ours in detail");
        tracing::error!(target: "ops_sidecar", "ours in trouble");
    }

    #[test]
    fn our_lines_follow_the_setting_and_libraries_do_not() {
        let log = logged(Format::Text, LevelFilter::DEBUG, speak);
        assert!(
            log.contains("ours in detail") && log.contains("a library's warning"),
            "{log}"
        );
        assert!(
            !log.contains("a whole request") && !log.contains("id=15"),
            "{log}"
        );
    }

    #[test]
    fn a_quieter_setting_quiets_libraries_too() {
        let log = logged(Format::Text, LevelFilter::ERROR, speak);
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(logged(Format::Text, LevelFilter::OFF, speak).is_empty());
    }

    #[test]
    fn json_lines_are_objects_with_their_fields() {
        let log = logged(Format::Json, LevelFilter::DEBUG, speak);
        let lines: Vec<serde_json::Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[1]["tool"], "orders_get");
        assert_eq!(lines[1]["message"], "ours in detail");
    }

    #[test]
    fn a_panic_is_one_line_with_its_place_and_without_its_text() {
        let log = logged(Format::Text, LevelFilter::WARN, || {
            let silent = panic::take_hook();
            panic::set_hook(Box::new(note_panic));
            let _ = panic::catch_unwind(|| panic!("Jane Doe, 5 Main Street"));
            panic::set_hook(silent);
        });
        assert!(
            log.contains("telemetry/log.rs:") && !log.contains("Jane"),
            "{log}"
        );
        assert_eq!(log.lines().count(), 1, "{log}");
    }
}
