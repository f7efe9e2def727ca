//! Which kept copies there are, for whoever wants one back.

use std::fs;
use std::io;
use std::path::PathBuf;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Before, STAMP};
use crate::paths::Home;
use crate::state::connection::Address;
use crate::state::migrate::Header;
use crate::state::{StateError, presence};

/// A copy of the state file that is kept on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCopy {
    /// What it is called in `backups/kept`.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Why it was kept.
    pub before: Before,
    /// When; everything that was acknowledged before is in it. Milliseconds since 1970, whole seconds.
    pub at_ms: i64,
    /// How large it is.
    pub bytes: u64,
    /// Its schema; `None` when SQLite cannot read even that.
    pub schema: Option<u32>,
    /// A log lies beside it, which could not be copied into it: SQLite could not open the file when it was put aside.
    pub has_log: bool,
    /// Which of several copies of one second.
    number: u32,
}

/// The kept copies of a home, the newest first; none where there is no such folder. Files that are called otherwise are somebody else's.
/// Nothing is changed, and no copy is checked.
///
/// # Errors
/// The folder cannot be read.
pub fn kept_copies(home: &Home) -> Result<Vec<KeptCopy>, StateError> {
    let files = match fs::read_dir(home.kept_copies()) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StateError::io("looking at `backups/kept`", error)),
    };
    let mut copies: Vec<KeptCopy> = files
        .flatten()
        .filter_map(|file| look(home, file.file_name().to_str()?))
        .collect();
    // Of two kinds in one second nobody knows which came first; that they stand in the same order each time is all that can be had.
    copies.sort_by(|one, other| {
        let key = |copy: &KeptCopy| (copy.at_ms, copy.number);
        key(other).cmp(&key(one)).then(one.name.cmp(&other.name))
    });
    Ok(copies)
}

fn look(home: &Home, name: &str) -> Option<KeptCopy> {
    let (before, at_ms, number) = parse(name)?;
    let path = home.kept_copies().join(name);
    let about = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
    // A restore that died before the new file had its name leaves the live one with two.
    if presence::is_same_file(&path, &home.state_db()) {
        return None;
    }
    let header = Address::copy(&path)
        .and_then(|address| Ok(address.open()?))
        .and_then(|connection| Header::read(&connection));
    let log = fs::metadata(presence::companion(&path, "-wal"));
    Some(KeptCopy {
        name: name.to_owned(),
        before,
        at_ms,
        bytes: about.len(),
        schema: header.ok().map(|header| header.schema),
        has_log: log.is_ok_and(|log| log.len() > 0),
        number,
        path,
    })
}

/// What a name says: what the copy precedes, when that was, and which of that second it is.
fn parse(name: &str) -> Option<(Before, i64, u32)> {
    let stem = name.strip_suffix(".db")?;
    let (before, rest) = match stem.strip_prefix("before-restore-") {
        Some(rest) => (Before::Restore, rest),
        None => {
            let (from, rest) = stem.strip_prefix("before-migration-")?.split_once("-to-")?;
            let (to, rest) = rest.split_once('-')?;
            let (from, to) = (from.parse().ok()?, to.parse().ok()?);
            (Before::Migration { from, to }, rest)
        }
    };
    let (at, number) = match rest.split_once('-') {
        Some((at, number)) => (at, number.parse().ok()?),
        None => (rest, 1),
    };
    let at = DateTime::strptime(STAMP, at).ok()?;
    let at = TimeZone::UTC.to_timestamp(at).ok()?;
    Some((before, at.as_millisecond(), number))
}
