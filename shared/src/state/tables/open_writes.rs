//! Intents of the audit chains that wait for their outcome. What they mean is [`crate::writes`]'s business.

use std::collections::BTreeSet;

use rusqlite::OptionalExtension;

use super::read::{optional_text, text};
use crate::state::{Reading, StateError, Writing};

/// The outcome is not recorded: the write is under way, or its process died.
pub const OPEN: &str = "open";
/// The write was tried, and whether it was done cannot be told.
pub const UNKNOWN: &str = "unknown";

/// A write as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The chain that its intent is recorded in.
    pub chain: String,
    /// The intent's number.
    pub seq: i64,
    /// The shop, as an opaque key.
    pub store_key: String,
    /// Which session wrote.
    pub session_id: String,
    /// The program that asked for it.
    pub client: Option<String>,
    /// What was to be done.
    pub action: String,
    /// To what.
    pub target: String,
    /// What a person looks at to see whether it was done.
    pub check_hint: String,
    /// When the intent was recorded, in milliseconds since 1970.
    pub at_ms: i64,
    /// [`OPEN`] or [`UNKNOWN`].
    pub state: String,
}

const COLUMNS: &str =
    "chain, seq, store_key, session_id, client, action, target, check_hint, at_ms, state";

/// Adds a write.
///
/// # Errors
/// Why the file could not be written.
pub fn insert(writing: &Writing<'_>, row: &Row) -> Result<(), StateError> {
    let mut insert = writing.conn().prepare_cached(&format!(
        "INSERT INTO open_writes ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    ))?;
    insert.execute((
        &row.chain,
        row.seq,
        &row.store_key,
        &row.session_id,
        &row.client,
        &row.action,
        &row.target,
        &row.check_hint,
        row.at_ms,
        &row.state,
    ))?;
    Ok(())
}

/// All of them, oldest first.
///
/// # Errors
/// Why the file could not be read.
pub fn all(reading: &Reading<'_>) -> Result<Vec<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM open_writes ORDER BY at_ms, chain, seq"
    ))?;
    let rows = query.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One of them.
///
/// # Errors
/// Why the file could not be read.
pub fn at(reading: &Reading<'_>, chain: &str, seq: i64) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM open_writes WHERE chain = ?1 AND seq = ?2"
    ))?;
    Ok(query.query_row((chain, seq), from_row).optional()?)
}

/// The numbers of a chain's intents that are here.
///
/// # Errors
/// Why the file could not be read.
pub fn seqs(reading: &Reading<'_>, chain: &str) -> Result<BTreeSet<i64>, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached("SELECT seq FROM open_writes WHERE chain = ?1")?;
    let rows = query.query_map([chain], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the newest write to a shop began that is still [`OPEN`], in milliseconds since 1970.
///
/// # Errors
/// Why the file could not be read.
pub fn newest_open_ms(reading: &Reading<'_>, store_key: &str) -> Result<Option<i64>, StateError> {
    let mut query = reading.conn().prepare_cached(
        "SELECT max(at_ms) FROM open_writes WHERE store_key = ?1 AND state = 'open'",
    )?;
    Ok(query.query_row([store_key], |row| row.get(0))?)
}

/// Notes that nobody can tell how a write ended; nothing happens when there is no such write.
///
/// # Errors
/// Why the file could not be written.
pub fn mark_unknown(writing: &Writing<'_>, chain: &str, seq: i64) -> Result<(), StateError> {
    let mut update = writing
        .conn()
        .prepare_cached("UPDATE open_writes SET state = 'unknown' WHERE chain = ?1 AND seq = ?2")?;
    update.execute((chain, seq))?;
    Ok(())
}

/// Removes a write; nothing happens when there is no such write.
///
/// # Errors
/// Why the file could not be written.
pub fn remove(writing: &Writing<'_>, chain: &str, seq: i64) -> Result<(), StateError> {
    let mut delete = writing
        .conn()
        .prepare_cached("DELETE FROM open_writes WHERE chain = ?1 AND seq = ?2")?;
    delete.execute((chain, seq))?;
    Ok(())
}

/// Hands the writes of one session to another: the same process under its new id.
///
/// # Errors
/// Why the file could not be written.
pub fn hand_over(writing: &Writing<'_>, from: &str, to: &str) -> Result<(), StateError> {
    let mut update = writing
        .conn()
        .prepare_cached("UPDATE open_writes SET session_id = ?2 WHERE session_id = ?1")?;
    update.execute([from, to])?;
    Ok(())
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        chain: text(row, 0)?,
        seq: row.get(1)?,
        store_key: text(row, 2)?,
        session_id: text(row, 3)?,
        client: optional_text(row, 4)?,
        action: text(row, 5)?,
        target: text(row, 6)?,
        check_hint: text(row, 7)?,
        at_ms: row.get(8)?,
        state: text(row, 9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::fresh;

    fn row(seq: i64, at_ms: i64) -> Row {
        Row {
            chain: "t1".into(),
            seq,
            store_key: "shop".into(),
            session_id: "a".into(),
            client: None,
            action: "order.updated".into(),
            target: "order 7".into(),
            check_hint: "look at order 7".into(),
            at_ms,
            state: OPEN.into(),
        }
    }

    #[test]
    fn a_write_is_added_found_marked_and_removed() {
        let file = fresh();
        let (late, early) = (row(1, 20), row(2, 10));
        file.write(|writing| insert(writing, &late).and(insert(writing, &early)));
        assert_eq!(file.read(all), [early, late.clone()]);
        assert_eq!(file.read(|reading| at(reading, "t1", 1)), Some(late));
        assert_eq!(file.read(|reading| at(reading, "t2", 1)), None);
        assert_eq!(file.read(|reading| seqs(reading, "t1")), [1, 2].into());
        assert_eq!(file.read(|reading| seqs(reading, "t2")), [].into());
        file.write(|writing| mark_unknown(writing, "t1", 1));
        assert_eq!(
            file.read(|reading| newest_open_ms(reading, "shop")),
            Some(10)
        );
        file.write(|writing| remove(writing, "t1", 2));
        assert_eq!(file.read(|reading| newest_open_ms(reading, "shop")), None);
        assert_eq!(file.read(all)[0].state, UNKNOWN);
    }

    #[test]
    fn a_process_keeps_its_writes_under_its_new_id() {
        let file = fresh();
        file.write(|writing| insert(writing, &row(1, 20)));
        file.write(|writing| hand_over(writing, "a", "b"));
        assert_eq!(file.read(all)[0].session_id, "b");
    }
}
