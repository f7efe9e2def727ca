//! What is remembered of the chains outside the state file: number and hash of their ends, one JSON line each, in
//! `logs/audit-checkpoints.jsonl`. A chain whose tail was cut is sound; that it once was longer is only known here. And a beginning that
//! was pruned looks like one that somebody cut off: what pruning takes is noted here before it goes, and nothing else is believed to be pruned.
//! A restore takes all chains back at once: what it takes them back to is noted here before it happens ([`note_restore`]), and from there on only
//! that counts, in a file that says itself that it was restored so often.
//!
//! Lines are only ever added, so that no later state of a chain covers up an earlier one. When the file has grown, it is
//! thinned: each chain keeps its newest lines and the first of each of its last hundred days. Processes add to the file
//! together, each with one write; nobody waits for anybody, and who finds the file being thinned leaves it to the next.

mod thinning;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entry::{hex, moment};
use super::{Chain, Head};
use crate::fsx::{self, Mode};
use crate::paths::Home;

/// Above this size the file is thinned: some 6,000 lines, read in a few milliseconds.
const THIN_ABOVE_BYTES: u64 = 1024 * 1024;

/// What is read from the end to see what moved. A chain whose line is further up is written again, which does no harm.
const RECENT_BYTES: u64 = 64 * 1024;

/// The end of a chain at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// When it was seen.
    pub at: Timestamp,
    /// Which chain.
    pub chain: Chain,
    /// Its end; or, in a line about a pruning, the last record that was to go.
    pub head: Head,
    /// Whether the line is about a pruning.
    pub pruned: bool,
    /// Which restore left the chain so, when the line is about one. Nothing above it counts in a file that was restored so often.
    pub restored: Option<u64>,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at: String,
    chain: String,
    seq: u64,
    head: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pruned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restored: Option<u64>,
}

/// The chains of a file that is about to take the live one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Which restore it is: the number that the file bears.
    pub epoch: u64,
    /// The ends of all chains.
    pub heads: Vec<(Chain, Head)>,
    /// The last record that is gone of each chain that was pruned.
    pub pruned: Vec<(Chain, Head)>,
}

/// Remembers the ends that moved since they were last remembered, at `now_ms` (since 1970). The file is made for its
/// owner only.
///
/// # Errors
/// What the file system says. The chains are sound all the same, and the next call remembers what this one could not.
pub fn note(home: &Home, heads: &[(Chain, Head)], now_ms: i64) -> io::Result<()> {
    std::fs::create_dir_all(home.logs_dir())?;
    let lock = open_lock(home)?;
    match lock.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut file = open_to_add(&home.audit_checkpoints())?;
    let lines = new_lines(&mut file, heads, moment(now_ms))?;
    if !lines.is_empty() {
        file.write_all(lines.as_bytes())?;
    }
    let size = file.metadata()?.len();
    drop(file);
    lock.unlock()?;
    if size > THIN_ABOVE_BYTES {
        thin(home, &lock)?;
    }
    Ok(())
}

/// Remembers that everything through `last` is about to be pruned from its chain; when this returns, it is on the disk.
///
/// # Errors
/// What the file system says. Then nothing may be pruned: it would look cut off.
pub fn note_pruning(home: &Home, chain: &Chain, last: &Head, now_ms: i64) -> io::Result<()> {
    std::fs::create_dir_all(home.logs_dir())?;
    let lock = open_lock(home)?;
    lock.lock_shared()?;
    let mut file = open_to_add(&home.audit_checkpoints())?;
    // An empty line is nothing, and ends a torn one.
    let point = Checkpoint {
        pruned: true,
        ..Checkpoint::end(moment(now_ms), chain, last)
    };
    let line = format!("\n{}", point.line());
    file.write_all(line.as_bytes())?;
    file.sync_data()
}

/// Remembers that a file with these chains is about to take the live one's place; when this returns, it is on the disk. Nobody may have the
/// live file open.
///
/// # Errors
/// What the file system says. Then nothing may be restored: the chains would look cut.
pub fn note_restore(home: &Home, restored: &Restored, now_ms: i64) -> io::Result<()> {
    std::fs::create_dir_all(home.logs_dir())?;
    let lock = open_lock(home)?;
    lock.lock_shared()?;
    let mut file = open_to_add(&home.audit_checkpoints())?;
    let line_of = |chain: &Chain, head: &Head, pruned| {
        let point = Checkpoint {
            at: moment(now_ms),
            chain: chain.clone(),
            head: *head,
            pruned,
            restored: Some(restored.epoch),
        };
        point.line()
    };
    let in_order = |ends: &[(Chain, Head)], pruned| -> String {
        let ends: BTreeMap<&Chain, &Head> =
            ends.iter().map(|(chain, head)| (chain, head)).collect();
        ends.into_iter()
            .map(|(chain, head)| line_of(chain, head, pruned))
            .collect()
    };
    let lines = in_order(&restored.heads, false) + &in_order(&restored.pruned, true);
    // An empty line is nothing, and ends a torn one.
    file.write_all(format!("\n{lines}").as_bytes())?;
    file.sync_data()?;
    fsx::sync_folder(&home.logs_dir())
}

/// Of what is remembered, what counts for a file that was restored so often: what was noted since the last of these restores. A restore
/// that was noted and then not done does not count.
pub(super) fn in_force(points: &[Checkpoint], epoch: u64) -> impl Iterator<Item = &Checkpoint> {
    let counts = move |point: &&Checkpoint| point.restored.is_none_or(|noted| noted <= epoch);
    points[in_force_from(points, epoch)..].iter().filter(counts)
}

/// Where the last of the restores up to `epoch` is noted. Its lines were written at one moment, ends first, chains in order: so two attempts at
/// the same restore are told apart even by a clock that stands still.
fn in_force_from(points: &[Checkpoint], epoch: u64) -> usize {
    let was_done = |point: &Checkpoint| point.restored.is_some_and(|noted| noted <= epoch);
    let Some(last) = points.iter().rposition(was_done) else {
        return 0;
    };
    let mut first = last;
    while first > 0 {
        let (before, point) = (&points[first - 1], &points[first]);
        let is_of_it = (before.restored, before.at) == (point.restored, point.at)
            && (before.pruned, &before.chain) < (point.pruned, &point.chain);
        if !is_of_it {
            break;
        }
        first -= 1;
    }
    first
}

/// Everything remembered, oldest first. A line that cannot be read, such as one that a power cut has torn, is passed by.
///
/// # Errors
/// What the file system says; a file that is not there holds nothing.
pub fn read(home: &Home) -> io::Result<Vec<Checkpoint>> {
    match std::fs::read(home.audit_checkpoints()) {
        Ok(bytes) => Ok(parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What is to be added, as one text.
fn new_lines(file: &mut File, heads: &[(Chain, Head)], at: Timestamp) -> io::Result<String> {
    let size = file.metadata()?.len();
    let mut recent = Vec::new();
    file.seek(SeekFrom::Start(size.saturating_sub(RECENT_BYTES)))?;
    file.read_to_end(&mut recent)?;
    let last: BTreeMap<Chain, Head> = parse(&recent)
        .into_iter()
        .filter(|point| !point.pruned)
        .map(|point| (point.chain, point.head))
        .collect();
    let moved = heads
        .iter()
        .filter(|(chain, head)| head.seq > 0 && last.get(chain) != Some(head));
    let mut text: String = moved
        .map(|(chain, head)| Checkpoint::end(at, chain, head).line())
        .collect();
    // A torn line must not swallow ours.
    if !text.is_empty() && recent.last().is_some_and(|byte| *byte != b'\n') {
        text.insert(0, '\n');
    }
    Ok(text)
}

impl Checkpoint {
    fn end(at: Timestamp, chain: &Chain, head: &Head) -> Checkpoint {
        Checkpoint {
            at,
            chain: chain.clone(),
            head: *head,
            pruned: false,
            restored: None,
        }
    }

    fn line(&self) -> String {
        let line = Line {
            at: self.at.to_string(),
            chain: self.chain.as_str().to_owned(),
            seq: self.head.seq,
            head: self.head.hash_hex(),
            pruned: self.pruned,
            restored: self.restored,
        };
        serde_json::to_string(&line).expect("text and numbers are JSON") + "\n"
    }
}

fn parse(bytes: &[u8]) -> Vec<Checkpoint> {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let line: Line = serde_json::from_slice(line).ok()?;
            let hash = from_hex(&line.head)?;
            Some(Checkpoint {
                at: line.at.parse().ok()?,
                chain: Chain::from_stored(&line.chain),
                head: Head {
                    seq: line.seq,
                    hash,
                },
                pruned: line.pruned,
                restored: line.restored,
            })
        })
        .collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    (hex(&hash) == text).then_some(hash)
}

/// Leaves of each chain what [`thinning::kept`] says. Nobody adds a line meanwhile; when somebody does, the next one thins.
fn thin(home: &Home, lock: &File) -> io::Result<()> {
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let kept = thinning::kept(read(home)?);
    let lines: String = kept.iter().map(Checkpoint::line).collect();
    fsx::write_atomic(&home.audit_checkpoints(), lines.as_bytes(), Mode::Private)
}

/// Adding holds it shared, thinning exclusive. It is another file because thinning replaces the one with the lines.
fn open_lock(home: &Home) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(home.run_dir().join("audit-checkpoints.lock"))
}

fn open_to_add(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests;
