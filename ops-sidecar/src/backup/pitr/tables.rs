//! The page hashes of each series' boundary, stored so that a line goes on after a restart.
//!
//! One line of JSON, the tables, and BLAKE3 of both; replaced whole. A file that is not exactly what was written is as good as none: a new
//! line begins then, which costs one base.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use blake3::Hash;
use serde::{Deserialize, Serialize};

use super::hashes::{Key, Table};
use super::level::Level;
use super::series::{Boundary, Point, Running};

const FORMAT: u32 = 1;
const LONGEST_HEADER: u64 = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct Wire {
    format: u32,
    line: String,
    key: String,
    restore_epoch: u64,
    page_size: u32,
    file: String,
    last_ms: i64,
    last_root: String,
    series: Vec<WireSeries>,
    /// Pages in each table that follows.
    tables: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct WireSeries {
    level: String,
    at_ms: i64,
    cut_ms: i64,
    table: Option<usize>,
}

/// Stores where a line stands, durably.
///
/// # Errors
/// What the file system says; what was stored before is still there.
pub(super) fn save(path: &Path, running: &Running) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".cutting-")
        .tempfile_in(folder)?;
    let mut tables: Vec<&Arc<Table>> = Vec::new();
    let mut series = Vec::new();
    for (level, boundary) in &running.series {
        let table = boundary.table.as_ref().map(|table| {
            // Series that were cut together share theirs.
            let known = tables.iter().position(|other| Arc::ptr_eq(other, table));
            known.unwrap_or_else(|| {
                tables.push(table);
                tables.len() - 1
            })
        });
        series.push(WireSeries {
            level: level.letter().to_string(),
            at_ms: boundary.at_ms,
            cut_ms: boundary.cut_ms,
            table,
        });
    }
    let wire = Wire {
        format: FORMAT,
        line: running.line.to_string(),
        key: running.key.to_hex(),
        restore_epoch: running.restore_epoch,
        page_size: running.page_size,
        file: running.file.clone(),
        last_ms: running.last.at_ms,
        last_root: running.last.root.to_hex().to_string(),
        series,
        tables: tables.iter().map(|table| table.pages()).collect(),
    };
    let mut header = serde_json::to_vec(&wire)?;
    header.push(b'\n');
    let mut hasher = blake3::Hasher::new();
    let mut out = BufWriter::new(file.as_file_mut());
    for part in std::iter::once(header.as_slice())
        .chain(tables.iter().map(|table| table.hashes().as_flattened()))
    {
        hasher.update(part);
        out.write_all(part)?;
    }
    out.write_all(hasher.finalize().as_bytes())?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    File::open(folder)?.sync_all()
}

/// What was stored, if it is whole. `now` is when its series count as cut by the steady clock.
#[must_use]
pub(super) fn load(path: &Path, now: Instant) -> Option<Running> {
    let file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut input = BufReader::new(file);
    let mut hasher = blake3::Hasher::new();
    let mut header = Vec::new();
    (&mut input)
        .take(LONGEST_HEADER)
        .read_until(b'\n', &mut header)
        .ok()?;
    hasher.update(&header);
    let wire: Wire = serde_json::from_slice(&header).ok()?;
    let pages: u64 = wire.tables.iter().map(|pages| u64::from(*pages)).sum();
    // Before any memory is taken for what a damaged header promises.
    (length == header.len() as u64 + pages * 16 + 32).then_some(())?;
    let mut tables = Vec::new();
    for pages in &wire.tables {
        let mut hashes = vec![[0; 16]; *pages as usize];
        input.read_exact(hashes.as_flattened_mut()).ok()?;
        hasher.update(hashes.as_flattened());
        tables.push(Arc::new(Table::of_hashes(wire.page_size, hashes)));
    }
    let mut told = [0; 32];
    input.read_exact(&mut told).ok()?;
    (hasher.finalize() == Hash::from_bytes(told)).then_some(())?;
    wire.running(&tables, now)
}

impl Wire {
    fn running(self, tables: &[Arc<Table>], now: Instant) -> Option<Running> {
        (self.format == FORMAT).then_some(())?;
        let mut running = Running {
            line: self.line.parse().ok()?,
            key: Key::from_hex(&self.key)?,
            restore_epoch: self.restore_epoch,
            page_size: self.page_size,
            file: self.file,
            last: Point {
                at_ms: self.last_ms,
                root: Hash::from_hex(&self.last_root).ok()?,
            },
            floor_ms: self.last_ms,
            series: std::collections::BTreeMap::new(),
        };
        for stored in self.series {
            let table = match stored.table {
                Some(place) => Some(Arc::clone(tables.get(place)?)),
                None => None,
            };
            let boundary = Boundary {
                at_ms: stored.at_ms,
                table,
                cut_ms: stored.cut_ms,
                cut_at: now,
                ledger: None,
            };
            running
                .series
                .insert(Level::of_letter(&stored.level)?, boundary);
        }
        Some(running)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::name::Line;
    use super::*;

    fn running() -> Running {
        let key = Key::random().unwrap();
        let table = |fill: u8| Arc::new(Table::of_hashes(4096, vec![[fill; 16]; 5]));
        let shared = table(2);
        let boundary = |at_ms, table: Option<&Arc<Table>>| Boundary {
            at_ms,
            table: table.cloned(),
            cut_ms: at_ms + 1,
            cut_at: Instant::now(),
            ledger: None,
        };
        Running {
            line: Line::start(1_795_262_400_000, None),
            key,
            restore_epoch: 2,
            page_size: 4096,
            file: "12-34".to_owned(),
            last: Point {
                at_ms: 30,
                root: shared.root(&key),
            },
            floor_ms: 30,
            series: BTreeMap::from([
                (Level::Second, boundary(30, Some(&shared))),
                (Level::Minute, boundary(30, Some(&shared))),
                (Level::Hour, boundary(20, Some(&table(1)))),
                (Level::Day, boundary(10, None)),
            ]),
        }
    }

    #[test]
    fn what_was_stored_comes_back_with_shared_tables_stored_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables");
        let stored = running();
        save(&path, &stored).unwrap();
        save(&path, &stored).unwrap();
        let loaded = load(&path, Instant::now()).unwrap();
        assert_eq!((&loaded.line, loaded.key), (&stored.line, stored.key));
        assert_eq!((loaded.last, loaded.restore_epoch), (stored.last, 2));
        assert_eq!(loaded.file, stored.file);
        for (level, boundary) in &stored.series {
            let other = &loaded.series[level];
            assert_eq!(
                (other.at_ms, other.cut_ms),
                (boundary.at_ms, boundary.cut_ms)
            );
            assert_eq!(other.table, boundary.table);
        }
        let table = |level| loaded.series[&level].table.as_ref().unwrap();
        assert!(Arc::ptr_eq(table(Level::Second), table(Level::Minute)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn any_changed_byte_and_any_cut_is_as_good_as_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables");
        save(&path, &running()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            assert!(load(&path, Instant::now()).is_none(), "byte {place}");
            std::fs::write(&path, &bytes[..place]).unwrap();
            assert!(load(&path, Instant::now()).is_none(), "cut at {place}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(load(&path, Instant::now()).is_none());
    }
}
