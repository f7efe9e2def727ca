//! Results that may go into a file.
//!
//! Here: writing one whole, for its owner only, and never over another one unasked; and words of others made fit for a line.

use std::io;
use std::path::Path;

use shared::fsx::{self, Mode};

use crate::clean;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::show;

/// Prints the bytes, or writes them into `to`, which only its owner can read. A file that is there is replaced only by `force`.
///
/// # Errors
/// When the file is there, or cannot be written; nothing is then left of it.
pub(super) fn deliver(to: Option<&Path>, bytes: &[u8], force: bool) -> Outcome {
    let Some(path) = to else {
        return show(&String::from_utf8_lossy(bytes));
    };
    let written = if force {
        fsx::write_atomic(path, bytes, Mode::Private)
    } else {
        fsx::write_new(path, bytes, Mode::Private)
    };
    match written {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(path)),
        Err(error) => Err(Failure::file("writing", path, &error)),
    }
}

/// Refuses before anybody is asked for anything what [`deliver`] would refuse in the end.
///
/// # Errors
/// When the file is there and must not be replaced.
pub(super) fn refuse_taken(to: Option<&Path>, force: bool) -> Outcome {
    match to {
        Some(path) if !force && path.symlink_metadata().is_ok() => Err(taken(path)),
        _ => Ok(()),
    }
}

fn taken(path: &Path) -> Failure {
    Failure::usage(
        format!("`{}` is there already; nothing was written", path.display()),
        "choose another name, or add `--force` to replace it",
    )
}

/// Words of others on one line, without what does something to a terminal.
pub(super) fn line(text: &str) -> String {
    clean::text(text).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_stays_unless_it_may_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        deliver(Some(&path), b"one", false).unwrap();
        let told = deliver(Some(&path), b"two", false).unwrap_err().to_string();
        assert!(told.contains("is there already"), "{told}");
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        deliver(Some(&path), b"two", true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_strangers_words_stay_on_their_line() {
        assert_eq!(line("a\nb\u{1b}[31mc"), "a b[31mc");
    }
}
