//! Copies of the state file: making one while others write, opening it, and finding out whether it is sound.
//!
//! A copy is the exact image of one snapshot, byte for byte. It is written from the pages that [`super::pages`] gives and not by SQLite's
//! online backup, which changes three numbers in the header (change counter, schema cookie, version-valid-for), begins anew at every commit of
//! another process unless it is pinned, and needs a second database open on the file that is being made. Not here: where copies go, what is
//! packed and encrypted, and when.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::connection::Address;
use super::migrate::{APPLICATION_ID, Header};
use super::pages::Reader;
use super::tables::meta;
use super::transaction::Reading;
use super::{State, StateError, file_system, migrate};
use crate::fsx;

/// How often the caller hears of progress and may stop: every 2 MiB with pages of 4 KiB, about a millisecond.
const PAGES_PER_STEP: u32 = 512;

/// How often what was written is sent to the disk. All at once at the end, and whoever commits meanwhile would wait for all of it: with
/// 200 MB the slowest commits took 40 ms, like this 15.
const FLUSHED_BYTES: u32 = 4 * 1024 * 1024;

/// What is left free on the disk of a copy: it must not take the last space from whoever writes the state file there.
const LEFT_FREE_BYTES: u64 = 8 * 1024 * 1024;

/// SQLite's smallest page.
const SMALLEST: u64 = 512;

/// The name of a copy that is not finished begins with this. Only a killed process leaves one behind.
pub const UNFINISHED: &str = ".copying-";

/// A finished copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The moment it shows, in milliseconds since 1970 by the wall clock: everything that was committed before is in it.
    pub at_ms: i64,
    /// Bytes per page.
    pub page_size: u32,
    /// How many pages; the file is exactly that long.
    pub pages: u32,
    /// How long it took, flushing included.
    pub took: Duration,
}

/// Hears how many pages of how many are done, and says whether to go on.
pub type Progress<'p> = &'p mut dyn FnMut(u32, u32) -> ControlFlow<()>;

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// Its schema number.
    pub schema: u32,
    /// The oldest schema number whose programs may use it.
    pub compatible_from: u32,
    /// Bytes per page.
    pub page_size: u32,
    /// How many pages.
    pub pages: u32,
    /// How often it was restored before.
    pub restore_epoch: u64,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
}

impl State {
    /// Writes one consistent copy to the new file `path` (0600), while others read and write: they wait for nothing, but the log grows until it
    /// is done. It is on the disk, folder included, when this returns; before that there is nothing under that name.
    ///
    /// # Errors
    /// [`StateError::Stopped`] when `progress` said so; [`StateError::Full`] when the disk would be (nearly) full with it; that the name is
    /// taken; why the state file could not be read. Nothing is left of the copy then.
    pub fn copy_to(&self, path: &Path, progress: Progress<'_>) -> Result<Copied, StateError> {
        let reader = Reader::over(self.own_connection()?)?;
        copy(&reader, path, Flush::All, progress)
    }

    /// As [`State::copy_to`], for who reads the copy at once and throws it away: nothing is sent to the disk on purpose, so that whoever commits
    /// meanwhile does not wait behind hundreds of megabytes that nobody needs there. After a power cut it is nothing.
    ///
    /// # Errors
    /// As [`State::copy_to`].
    pub fn copy_for_now(&self, path: &Path, progress: Progress<'_>) -> Result<Copied, StateError> {
        let reader = Reader::over(self.own_connection()?)?;
        copy(&reader, path, Flush::Nothing, progress)
    }

    /// Opens a copy for reading; never the live file, whose log would not be seen. Nothing is made beside it. Writing to it fails with
    /// [`StateError::ReadOnly`].
    ///
    /// # Errors
    /// [`StateError::Corrupt`] for what is no database, empty included; [`StateError::NotOurs`]; [`StateError::Newer`] for one that this
    /// program must not use; that there is no such file.
    pub fn open_copy(path: &Path) -> Result<State, StateError> {
        refuse_shapeless(path)?;
        let address = Address::copy(path)?;
        let connection = address.open()?;
        let header = Header::read(&connection)?;
        if header.application_id != APPLICATION_ID {
            return Err(StateError::NotOurs {
                path: path.to_owned(),
                application_id: header.application_id,
            });
        }
        migrate::refuse_newer(&connection, header.schema)?;
        State::over_copy(path, connection, address, header.schema)
    }

    /// Checks all of the file (structure, indexes, constraints, references, its length) and counts what is in it. Takes 0.15 s for 200 MB in
    /// memory, and reads every page: for copies.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] with the first thing that SQLite found.
    pub fn inspect(&self) -> Result<Inspected, StateError> {
        let connection = self.own_connection()?;
        let _snapshot = connection.unchecked_transaction()?;
        let inspected = inspected(&connection)?;
        sound(&connection, "integrity_check")?;
        refer_to_something(&connection)?;
        if self.refuse_copy().is_err() {
            right_length(self.path(), &inspected)?;
        }
        Ok(inspected)
    }

    /// Checks the structure of the live file in one snapshot, without indexes: 0.2 s for 200 MB in memory. Gives the time it took.
    ///
    /// # Errors
    /// [`StateError::Corrupt`] with the first thing that SQLite found.
    pub fn quick_check(&self) -> Result<Duration, StateError> {
        let since = Instant::now();
        sound(&self.own_connection()?, "quick_check")?;
        Ok(since.elapsed())
    }
}

/// Copies the file that stands at `from`, for who has no [`State`] of it: as [`State::copy_to`].
pub(super) fn copy_file(
    from: &Path,
    to: &Path,
    progress: Progress<'_>,
) -> Result<Copied, StateError> {
    let reader = Reader::over(Address::live(from).open()?)?;
    copy(&reader, to, Flush::All, progress)
}

/// Whether a copy has to survive a power cut.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flush {
    All,
    Nothing,
}

fn copy(
    reader: &Reader,
    path: &Path,
    flush: Flush,
    progress: Progress<'_>,
) -> Result<Copied, StateError> {
    let since = Instant::now();
    let failed = |error| StateError::io("writing a copy", error);
    if path.symlink_metadata().is_ok() {
        return Err(failed(io::ErrorKind::AlreadyExists.into()));
    }
    let folder = fsx::folder_of(path);
    // For its owner alone, and gone with this variable.
    let file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .map_err(failed)?;
    let mut out = BufWriter::with_capacity(256 * 1024, file);
    let mut copied = reader.snapshot(|snapshot| {
        let (page_size, pages) = (snapshot.page_size(), snapshot.pages());
        leave_space(folder, u64::from(page_size) * u64::from(pages))?;
        let hole = vec![0; page_size as usize];
        let mut next = 1;
        snapshot.each_page(&mut |number, page| {
            if next < number {
                // The page that SQLite locks by and never fills.
                out.write_all(&hole).map_err(failed)?;
            }
            out.write_all(page).map_err(failed)?;
            if flush == Flush::All && number.is_multiple_of(FLUSHED_BYTES / page_size) {
                out.flush().map_err(failed)?;
                out.get_ref().as_file().sync_data().map_err(failed)?;
            }
            next = number + 1;
            match number.is_multiple_of(PAGES_PER_STEP) && progress(number, pages).is_break() {
                true => Err(StateError::Stopped),
                false => Ok(()),
            }
        })?;
        Ok::<_, StateError>(Copied {
            at_ms: snapshot.at_ms(),
            page_size,
            pages,
            took: Duration::ZERO,
        })
    })?;
    let file = out
        .into_inner()
        .map_err(|failure| failed(failure.into_error()))?;
    if flush == Flush::All {
        file.as_file().sync_all().map_err(failed)?;
    }
    if progress(copied.pages, copied.pages).is_break() {
        return Err(StateError::Stopped);
    }
    file.persist_noclobber(path)
        .map_err(|failure| failed(failure.error))?;
    if flush == Flush::All {
        fsx::sync_folder(folder).map_err(failed)?;
    }
    copied.took = since.elapsed();
    Ok(copied)
}

/// # Errors
/// [`StateError::Full`] when the disk of `folder` would have next to nothing left with so many bytes more.
pub(super) fn leave_space(folder: &Path, needed_bytes: u64) -> Result<(), StateError> {
    match file_system::free_bytes(folder) {
        Some(free) if free < needed_bytes.saturating_add(LEFT_FREE_BYTES) => Err(StateError::Full),
        _ => Ok(()),
    }
}

/// SQLite would open a folder with a puzzling error, and take a file without a page for a database with nothing in it.
fn refuse_shapeless(path: &Path) -> Result<(), StateError> {
    let about = fs::metadata(path).map_err(|error| StateError::io("looking at the copy", error))?;
    if !about.is_file() {
        return Err(StateError::io(
            "looking at the copy",
            io::Error::other("it is not a file"),
        ));
    }
    match about.len() {
        length @ ..SMALLEST => {
            let said = format!("a file of {length} bytes is no database");
            Err(StateError::corrupt(rusqlite::ffi::SQLITE_NOTADB, &said))
        }
        _ => Ok(()),
    }
}

/// Every file of ours says so from its first schema on.
fn silent() -> StateError {
    let said = "it does not say which programs may use it";
    StateError::corrupt(rusqlite::ffi::SQLITE_CORRUPT, said)
}

fn inspected(connection: &Connection) -> Result<Inspected, StateError> {
    let reading = Reading::through(connection);
    Ok(Inspected {
        schema: Header::read(connection)?.schema,
        compatible_from: meta::compatible_from(connection)?.ok_or_else(silent)?,
        page_size: connection.pragma_query_value(None, "page_size", |row| row.get(0))?,
        pages: connection.pragma_query_value(None, "page_count", |row| row.get(0))?,
        restore_epoch: meta::restore_epoch(&reading)?,
        rows: rows(connection)?,
    })
}

fn rows(connection: &Connection) -> Result<BTreeMap<String, u64>, StateError> {
    let mut tables = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?;
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut rows = BTreeMap::new();
    for name in names {
        let count = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let count: i64 = connection.query_row(&count, [], |row| row.get(0))?;
        rows.insert(name, count.cast_unsigned());
    }
    Ok(rows)
}

/// SQLite's own checks answer with one row `ok`, or with what is wrong.
fn sound(connection: &Connection, check: &str) -> Result<(), StateError> {
    let said: String = connection.pragma_query_value(None, check, |row| row.get(0))?;
    match said.as_str() {
        "ok" => Ok(()),
        _ => Err(StateError::corrupt(rusqlite::ffi::SQLITE_CORRUPT, &said)),
    }
}

fn refer_to_something(connection: &Connection) -> Result<(), StateError> {
    let mut check = connection.prepare("PRAGMA foreign_key_check")?;
    let mut orphans = check.query([])?;
    let Some(orphan) = orphans.next()? else {
        return Ok(());
    };
    let (table, parent): (String, String) = (orphan.get(0)?, orphan.get(2)?);
    let said = format!("a row of {table} refers to a row of {parent} that is not there");
    Err(StateError::corrupt(
        rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY,
        &said,
    ))
}

/// SQLite does not look behind the last page.
fn right_length(path: &Path, inspected: &Inspected) -> Result<(), StateError> {
    let about = fs::metadata(path).map_err(|error| StateError::io("looking at the copy", error))?;
    let expected = u64::from(inspected.page_size) * u64::from(inspected.pages);
    if about.len() == expected {
        return Ok(());
    }
    let said = format!("the file has {} bytes, its pages {expected}", about.len());
    Err(StateError::corrupt(rusqlite::ffi::SQLITE_CORRUPT, &said))
}

#[cfg(test)]
mod tests;
