//! Fault rules from a file: a JSON list of [`Rule`]s, read at start and again whenever the file's time or size changes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Rule;

/// Why a fault file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FaultFileError {
    /// It cannot be read.
    #[error("cannot read the fault file `{}`; hint: give --faults the path of a JSON file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a list of rules.
    #[error("the fault file `{}` is not a list of rules: {source}; hint: [{{\"fault\": {{\"kind\": \"server_error\"}}, \"path\": \"/orders/*\", \"times\": 2}}]", path.display())]
    NotRules {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
}

#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

impl Watched {
    pub(super) fn open(path: PathBuf) -> Result<(Self, Vec<Rule>), FaultFileError> {
        let seen = look(&path);
        let rules = read(&path)?;
        Ok((Self { path, seen }, rules))
    }

    /// The rules, if the file is another than at the last look. A bad file is reported once per change.
    pub(super) fn changed(&mut self) -> Result<Option<Vec<Rule>>, FaultFileError> {
        let now = look(&self.path);
        if now == self.seen {
            return Ok(None);
        }
        self.seen = now;
        read(&self.path).map(Some)
    }
}

fn look(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

fn read(path: &Path) -> Result<Vec<Rule>, FaultFileError> {
    let text = fs::read(path).map_err(|source| FaultFileError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| FaultFileError::NotRules {
        path: path.to_owned(),
        source,
    })
}
