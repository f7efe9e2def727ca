//! The pages of one snapshot: what copies are made of, and what recovery to a moment compares from second to second.
//!
//! They are read through SQLite alone: reading the files would drop the locks of this process on them, and what stands in the log would be
//! missing. A build whose SQLite has the table `sqlite_dbpage` reads page by page; one that has not (`cargo install` does not see our build
//! flags) lets SQLite write the whole snapshot into memory first, up to 2 GB. Not here: what changed since when, that is the caller's memory.

use std::cell::OnceCell;
use std::fmt;

use rusqlite::serialize::Data;
use rusqlite::{Connection, MAIN_DB, Transaction, TransactionBehavior};

use super::ledger::LedgerMark;
use super::tables::meta;
use super::transaction::{Reading, begin};
use super::{State, StateError, ledger};
use crate::clock::{Clock, SystemClock};

/// Where SQLite's locks are, so that the page there holds nothing (sqlite.org/fileformat2.html, "The Lock-Byte Page").
const LOCK_BYTE: u32 = 0x4000_0000;

/// Takes a page and its number.
pub type Visit<'v> = &'v mut dyn FnMut(u32, &[u8]) -> Result<(), StateError>;

/// Reads the pages of the state file, again and again. It holds the file open, so that no restore replaces it meanwhile.
#[derive(Debug)]
pub struct Pages {
    reader: Reader,
    // After the reader, so that the gate is held until that is closed.
    state: State,
    /// What SQLite said of the last snapshot that was worked through: another number means that somebody has committed since.
    seen: Option<i64>,
}

impl Pages {
    /// Opens a connection of its own.
    ///
    /// # Errors
    /// Why there is none.
    pub fn open(state: &State) -> Result<Pages, StateError> {
        Ok(Pages {
            reader: Reader::over(state.own_connection()?)?,
            state: state.clone(),
            seen: None,
        })
    }

    /// Has anybody committed since the last snapshot whose work succeeded? Any connection but this one counts, of this process too. A few
    /// microseconds. A checkpoint may count as a commit, now and then; the other way round never.
    ///
    /// # Errors
    /// [`StateError::Moved`] when another file stands under the name, or none; why the file could not be read.
    pub fn moved(&mut self) -> Result<bool, StateError> {
        self.state.check_in_place()?;
        Ok(self.seen != Some(self.reader.data_version()?))
    }

    /// Runs `work` on one snapshot; what others commit meanwhile is not in it. The log cannot be emptied until it ends: keep it short. Only when
    /// `work` succeeds does [`Pages::moved`] ask for what came after.
    ///
    /// # Errors
    /// What `work` returns; [`StateError::Moved`]; why there is no snapshot.
    pub fn snapshot<T, E: From<StateError>>(
        &mut self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.state.check_in_place()?;
        let (value, version) = self.reader.snapshot(|snapshot| {
            let value = work(snapshot)?;
            Ok::<_, E>((value, snapshot.version))
        })?;
        self.seen = Some(version);
        Ok(value)
    }

    /// Whether pages are read one by one. If not, each look takes as much memory as the file is large.
    pub fn are_read_singly(&self) -> bool {
        self.reader.source == Source::Table
    }
}

/// How pages are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Each by itself, from the table `sqlite_dbpage`.
    Table,
    /// All at once, in memory.
    Image,
}

impl Source {
    fn of(connection: &Connection) -> rusqlite::Result<Source> {
        let has_table = "SELECT sqlite_compileoption_used('ENABLE_DBPAGE_VTAB')";
        Ok(
            match connection.query_row(has_table, [], |row| row.get(0))? {
                true => Source::Table,
                false => Source::Image,
            },
        )
    }
}

/// A connection that reads pages.
#[derive(Debug)]
pub(super) struct Reader {
    connection: Connection,
    source: Source,
}

impl Reader {
    pub(super) fn over(connection: Connection) -> Result<Reader, StateError> {
        connection.execute_batch("PRAGMA query_only=ON")?;
        let source = Source::of(&connection)?;
        Ok(Reader { connection, source })
    }

    fn data_version(&self) -> rusqlite::Result<i64> {
        let mut ask = self.connection.prepare_cached("PRAGMA data_version")?;
        ask.query_row([], |row| row.get(0))
    }

    pub(super) fn snapshot<T, E: From<StateError>>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let pinned = Snapshot::pin(self).map_err(E::from)?;
        work(&pinned)
        // Dropping the snapshot ends it.
    }
}

/// One moment of the file; dropping it ends the reading.
pub struct Snapshot<'p> {
    connection: &'p Connection,
    _pin: Transaction<'p>,
    source: Source,
    at_ms: i64,
    page_size: u32,
    pages: u32,
    version: i64,
    image: OnceCell<Data<'p>>,
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("at_ms", &self.at_ms)
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}

impl<'p> Snapshot<'p> {
    fn pin(reader: &'p Reader) -> Result<Snapshot<'p>, StateError> {
        let connection = &reader.connection;
        let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
        // Before anything is read: what anybody was told is committed by then is in the snapshot.
        let at_ms = SystemClock.now_ms();
        let pin = begin(connection, TransactionBehavior::Deferred)?;
        Ok(Snapshot {
            // The first read pins the snapshot; beginning does not.
            pages: number("page_count")?,
            page_size: number("page_size")?,
            version: reader.data_version()?,
            at_ms,
            source: reader.source,
            image: OnceCell::new(),
            connection,
            _pin: pin,
        })
    }

    /// When it was pinned, in milliseconds since 1970 by the wall clock: everything that was committed before is in it.
    pub fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// Bytes per page.
    pub fn page_size(&self) -> u32 {
        self.page_size
    }

    /// How many pages, the lock page included.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// How often the file has been restored.
    ///
    /// # Errors
    /// Why the file could not be read.
    pub fn restore_epoch(&self) -> Result<u64, StateError> {
        meta::restore_epoch(&Reading::through(self.connection))
    }

    /// Stands still while nothing but telemetry and other passing things changes; see [`LedgerMark`]. Tens of microseconds,
    /// and about one for each tenant and shop.
    ///
    /// # Errors
    /// Why the file could not be read.
    pub fn ledger(&self) -> Result<LedgerMark, StateError> {
        ledger::mark(self.connection)
    }

    /// Shows each page with its number, from 1 upwards without the lock page.
    ///
    /// # Errors
    /// What `visit` returns; why a page could not be read.
    pub fn each_page(&self, visit: Visit<'_>) -> Result<(), StateError> {
        let lock_page = lock_page(self.page_size);
        let mut visit = |number, page: &[u8]| match number == lock_page {
            true => Ok(()),
            false => visit(number, page),
        };
        if self.source == Source::Image {
            let image = self.image()?.chunks_exact(self.page_size as usize);
            return (1..)
                .zip(image)
                .try_for_each(|(number, page)| visit(number, page));
        }
        let mut pages = self
            .connection
            .prepare_cached("SELECT pgno, data FROM sqlite_dbpage ORDER BY pgno")?;
        let mut rows = pages.query([])?;
        while let Some(row) = rows.next()? {
            visit(row.get(0)?, as_page(row, 1)?)?;
        }
        Ok(())
    }

    /// Puts one page into `into`, in place of what is there.
    ///
    /// # Errors
    /// [`StateError::Unexpected`] for a number that is none of [`Snapshot::pages`]; why it could not be read.
    pub fn page(&self, number: u32, into: &mut Vec<u8>) -> Result<(), StateError> {
        into.clear();
        if self.source == Source::Image {
            let size = self.page_size as usize;
            let page = self
                .image()?
                .chunks_exact(size)
                .nth((number as usize).wrapping_sub(1));
            into.extend_from_slice(page.ok_or(rusqlite::Error::QueryReturnedNoRows)?);
            return Ok(());
        }
        let mut page = self
            .connection
            .prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
        let mut rows = page.query([number])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        into.extend_from_slice(as_page(row, 0)?);
        Ok(())
    }

    fn image(&self) -> Result<&[u8], StateError> {
        if self.image.get().is_none() {
            // Within the transaction, so that it is of this moment.
            let taken = self.connection.serialize(MAIN_DB)?;
            let _ = self.image.set(taken);
        }
        Ok(self.image.get().map_or(&[], |image| image))
    }
}

fn as_page<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<&'r [u8], StateError> {
    let page = row.get_ref(column)?.as_blob();
    page.map_err(|error| StateError::Unexpected {
        source: error.into(),
    })
}

/// The number of the page that holds nothing; files that are smaller have none.
pub fn lock_page(page_size: u32) -> u32 {
    LOCK_BYTE / page_size.max(512) + 1
}

#[cfg(test)]
mod tests;
