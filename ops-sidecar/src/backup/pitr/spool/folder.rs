//! The folder of a spool: what its files are called, and who may read them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use shared::paths::Home;

use crate::backup::pitr::name::{Line, Name};

/// How the name of the newest point's mark begins.
pub(super) const LAST: &str = "last";

/// What waits for a target on this machine, read without being its owner.
#[must_use]
pub(in crate::backup::pitr) fn pending_for(home: &Home, target: &str) -> Vec<(Line, Name)> {
    let slot = slot(target);
    let Ok(files) = files(&folder_of(home)) else {
        return Vec::new();
    };
    let waiting = files.into_iter().filter_map(|(_, file_name, _)| {
        let (of, line, name) = parse(&file_name)?;
        (of == slot).then_some((line, name))
    });
    waiting.collect()
}

pub(super) fn folder_of(home: &Home) -> PathBuf {
    home.backup_spool().join("pitr")
}

/// A name of a target that can stand in the name of a file.
pub(super) fn slot(target: &str) -> String {
    blake3::hash(target.as_bytes()).to_hex()[..8].to_owned()
}

pub(super) fn files(folder: &Path) -> io::Result<Vec<(PathBuf, String, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Sent and removed since the folder was read.
        let Ok(about) = entry.metadata() else {
            continue;
        };
        files.push((entry.path(), name, about.len()));
    }
    Ok(files)
}

pub(super) fn parse(file_name: &str) -> Option<(&str, Line, Name)> {
    let mut parts = file_name.splitn(3, '_');
    let (slot, line, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((slot, line.parse().ok()?, name.parse().ok()?))
}

pub(super) fn parse_last(file_name: &str) -> Option<(Line, i64)> {
    let (line, at_ms) = file_name
        .strip_prefix(LAST)?
        .strip_prefix('_')?
        .split_once('_')?;
    Some((line.parse().ok()?, at_ms.parse().ok()?))
}

/// The same file under a second name; a copy where the file system has no such thing.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        // Left from a try that failed half-way, at the same millisecond; it is the one that is sent.
        _ => Ok(()),
    }
}
