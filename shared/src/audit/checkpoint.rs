//! What is remembered of the chains outside the state file: number and hash of their ends, one JSON line each, in
//! `logs/audit-checkpoints.jsonl`. A chain whose tail was cut is sound; that it once was longer is only known here. And a beginning that
//! was pruned looks like one that somebody cut off: what pruning takes is noted here before it goes, and nothing else is believed to be pruned.
//!
//! Lines are only ever added, so that no later state of a chain covers up an earlier one. When the file has grown, it is
//! thinned: each chain keeps its newest lines and the first of each of its last hundred days. Processes add to the file
//! together, each with one write; nobody waits for anybody, and who finds the file being thinned leaves it to the next.

use std::collections::{BTreeMap, BTreeSet};
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

/// Lines that all chains share when the file is thinned, so that what is left is well below the size that thins.
const LINES: usize = 1_000;

/// Lines that a chain keeps whatever their age.
const NEWEST: usize = 20;

/// Days of which a chain keeps the first line: longer than records are kept by default.
const DAYS: usize = 100;

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
    let line = format!("\n{}", line(moment(now_ms), chain, last, true));
    file.write_all(line.as_bytes())?;
    file.sync_data()
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
        .map(|(chain, head)| line(at, chain, head, false))
        .collect();
    // A torn line must not swallow ours.
    if !text.is_empty() && recent.last().is_some_and(|byte| *byte != b'\n') {
        text.insert(0, '\n');
    }
    Ok(text)
}

fn line(at: Timestamp, chain: &Chain, head: &Head, pruned: bool) -> String {
    let line = Line {
        at: at.to_string(),
        chain: chain.as_str().to_owned(),
        seq: head.seq,
        head: head.hash_hex(),
        pruned,
    };
    serde_json::to_string(&line).expect("text and numbers are JSON") + "\n"
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

/// Leaves of each chain what [`kept`] says. Nobody adds a line meanwhile; when somebody does, the next one thins.
fn thin(home: &Home, lock: &File) -> io::Result<()> {
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let lines: String = kept(read(home)?)
        .iter()
        .map(|point| line(point.at, &point.chain, &point.head, point.pruned))
        .collect();
    fsx::write_atomic(&home.audit_checkpoints(), lines.as_bytes(), Mode::Private)
}

/// Of each chain the newest lines, the first of each of the last days, and those that a later one has fallen behind: that
/// is how a cut tail shows. (So do two processes that note at once, which is why there is a limit.) And how far it was pruned.
fn kept(points: Vec<Checkpoint>) -> Vec<Checkpoint> {
    let (prunings, points): (Vec<_>, Vec<_>) = points.into_iter().partition(|point| point.pruned);
    let furthest: BTreeMap<Chain, Checkpoint> = prunings
        .into_iter()
        .map(|point| (point.chain.clone(), point))
        .collect();
    let mut kept: Vec<Checkpoint> = furthest.into_values().collect();
    kept.extend(kept_ends(points));
    kept
}

fn kept_ends(points: Vec<Checkpoint>) -> Vec<Checkpoint> {
    let chains: BTreeSet<&Chain> = points.iter().map(|point| &point.chain).collect();
    let share = LINES / chains.len().max(1);
    let newest = share.clamp(1, NEWEST);
    let firsts = firsts_of_days(&points, share.clamp(1, DAYS));
    let mut later: BTreeMap<Chain, Later> = BTreeMap::new();
    let mut kept = Vec::new();
    for (point, is_first) in points.into_iter().zip(firsts).rev() {
        let later = later.entry(point.chain.clone()).or_insert(Later::NOTHING);
        later.lines += 1;
        let is_ahead = point.head.seq >= later.lowest;
        later.ahead += usize::from(is_ahead);
        later.lowest = later.lowest.min(point.head.seq);
        if later.lines <= newest || is_first || (is_ahead && later.ahead <= newest) {
            kept.push(point);
        }
    }
    kept.reverse();
    kept
}

/// What stands after a line of the same chain.
struct Later {
    lines: usize,
    /// Lines that one after them has fallen behind.
    ahead: usize,
    lowest: u64,
}

impl Later {
    const NOTHING: Later = Later {
        lines: 0,
        ahead: 0,
        lowest: u64::MAX,
    };
}

/// Which of the lines are the first of their chain and day, among the last days that the chain has lines of.
fn firsts_of_days(points: &[Checkpoint], most: usize) -> Vec<bool> {
    let mut days: BTreeMap<&Chain, BTreeSet<i64>> = BTreeMap::new();
    for point in points {
        let days = days.entry(&point.chain).or_default();
        days.insert(day(point));
        if days.len() > most {
            days.pop_first();
        }
    }
    let mut is_first = |point: &Checkpoint| {
        days.get_mut(&point.chain)
            .is_some_and(|days| days.remove(&day(point)))
    };
    points.iter().map(&mut is_first).collect()
}

fn day(point: &Checkpoint) -> i64 {
    point.at.as_second().div_euclid(86_400)
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
