//! Where output goes: results on stdout, everything else on stderr.
//!
//! Here: every write of a command to the two streams, and the exit codes. Not here: what is said. A reader that has gone away
//! (`| head`) is no error.

use std::io::Write as _;

use serde::Serialize;

/// Fine.
pub(super) const FINE: i32 = 0;
/// Neither fine nor bad usage.
pub(super) const FAILED: i32 = 1;
/// Bad usage or configuration.
pub(super) const USAGE: i32 = 2;

/// Prints a result and gives the exit code.
pub(super) fn print(text: &str) -> i32 {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to stdout: {error}"), FAILED)
        }
        _ => FINE,
    }
}

/// Says on stderr what went wrong; gives `code` back.
pub(super) fn complain(text: &str, code: i32) -> i32 {
    let _ = writeln!(std::io::stderr(), "mcp-stdio: {text}");
    code
}

/// JSON as people and programs read it: indented, with a line break at its end.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("our own answers have text keys and no failing parts");
    text.push('\n');
    text
}
