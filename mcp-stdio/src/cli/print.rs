//! Where output goes: results on stdout, everything else on stderr.
//!
//! Here: every write of a command to the two streams, and the exit codes. Not here: what is said. A reader that has gone away
//! (`| head`) is no error.

use std::io::{IsTerminal as _, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::failure::{Failure, Outcome};

/// The binary's name, as a person types it.
pub(super) const NAME: &str = "mcp-stdio";
/// Fine.
pub(super) const FINE: i32 = 0;
/// Neither fine nor bad usage.
pub(super) const FAILED: i32 = 1;
/// Bad usage or configuration.
pub(super) const USAGE: i32 = 2;

/// Prints a result.
///
/// # Errors
/// If stdout takes nothing, for example because its disk is full.
pub(super) fn show(text: &str) -> Outcome {
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::failed(
            format!("cannot write to stdout: {error}"),
            "check where the output goes",
        )),
        _ => Ok(()),
    }
}

/// Prints what is lost for ever if nobody gets it: unlike [`show`], a reader that has gone away is an error, and so is an output that
/// leads nowhere.
///
/// # Errors
/// If stdout is `/dev/null` (where a closed one leads, too), or does not take all of it.
pub(super) fn hand_out(text: &str) -> Outcome {
    let nobody = |why: &str| {
        Failure::failed(
            format!("nobody would get what has to be shown: {why}; nothing was changed"),
            "run the command where its output is seen, or send it into a file that only you can read",
        )
    };
    if leads_nowhere() {
        return Err(nobody("stdout is closed or `/dev/null`"));
    }
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| nobody(&error.to_string()))
}

/// Whether stdout is the device that swallows everything. The runtime puts it in the place of a stdout that was closed.
#[cfg(unix)]
fn leads_nowhere() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let stdout = std::io::stdout().as_fd().try_clone_to_owned();
    let stdout = stdout.and_then(|stdout| std::fs::File::from(stdout).metadata());
    let (Ok(stdout), Ok(null)) = (stdout, std::fs::metadata("/dev/null")) else {
        return false;
    };
    stdout.file_type().is_char_device() && stdout.rdev() == null.rdev()
}

/// Windows gives a program without a stdout none to write to, which is an error by itself.
#[cfg(not(unix))]
fn leads_nowhere() -> bool {
    false
}

/// Prints a result as JSON.
///
/// # Errors
/// As [`show`].
pub(super) fn show_json(value: &impl Serialize) -> Outcome {
    show(&pretty(value))
}

/// A remark for a person at a terminal: in a pipe nothing is said that nobody asked for.
pub(super) fn remark(text: &str) {
    if std::io::stderr().is_terminal() {
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// Something a person has to know, terminal or not.
pub(super) fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "{NAME}: {text}");
}

/// Says on stderr what went wrong; gives `code` back.
pub(super) fn complain(text: &str, code: i32) -> i32 {
    warn(text);
    code
}

/// Whether stdout is a terminal that shows colours.
pub(super) fn in_colour() -> bool {
    std::io::stdout().is_terminal()
}

/// JSON as people and programs read it: indented, with a line break at its end.
pub(super) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value)
        .expect("our own answers have text keys and no failing parts");
    text.push('\n');
    text
}

/// Rows as columns, two blanks apart; an empty last column leaves nothing behind.
pub(super) fn table<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = rows.collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let line: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A time of the state file, RFC 3339 in whole seconds.
pub(super) fn time(ms: i64) -> String {
    Timestamp::from_second(ms.div_euclid(1000))
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [["My Shop", "1", "default"], ["B", "4242", ""]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(
            table(rows.into_iter()),
            "My Shop  1     default\nB        4242\n"
        );
        assert_eq!(table::<2>(std::iter::empty()), "");
    }

    #[test]
    fn times_are_rfc_3339_in_whole_seconds() {
        assert_eq!(time(1_767_225_600_999), "2026-01-01T00:00:00Z");
        assert_eq!(time(-1), "1969-12-31T23:59:59Z");
    }
}
