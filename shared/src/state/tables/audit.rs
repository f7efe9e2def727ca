//! Rows of the audit chains, as they are stored. What a row means, how rows are chained and checked is
//! [`crate::audit`]'s business; nothing but pruning deletes one, and a trigger keeps them from being updated.

use rusqlite::OptionalExtension;

use super::read::{optional_text, text};
use crate::state::{Reading, StateError, Writing};

/// One record as stored. Numbers are SQLite's own: whatever somebody wrote into the file can be read and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which chain: a tenant's id, or the name of one of the chains that no tenant owns.
    pub chain: String,
    /// Its place in the chain, from 1 without gaps.
    pub seq: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Which session did it.
    pub session_id: String,
    /// The program that asked for it.
    pub client_name: Option<String>,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub target: Option<String>,
    /// The shape of the arguments, never their content.
    pub args_shape: Option<String>,
    /// How it ended.
    pub outcome: String,
    /// The record that this one is the outcome of.
    pub intent_seq: Option<i64>,
    /// Which of the tenant's keys signed it.
    pub key_version: Option<i64>,
    /// The hash of the record before it.
    pub prev_hash: Vec<u8>,
    /// The hash of this record.
    pub hash: Vec<u8>,
    /// The tenant's signature of that hash.
    pub mac: Option<Vec<u8>>,
}

/// Which records of a chain.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// Numbers above this one.
    pub after_seq: i64,
    /// Not before this moment, in milliseconds since 1970.
    pub since_ms: i64,
    /// Before this moment.
    pub until_ms: i64,
    /// At most so many.
    pub limit: usize,
    /// The newest ones that match, when there are more than `limit`; else the oldest.
    pub newest: bool,
}

const COLUMNS: &str = "tenant_id, seq, at_ms, session_id, client_name, action, target, args_shape, outcome, intent_seq, \
     key_version, prev_hash, hash, mac";

/// Adds a record.
///
/// # Errors
/// Why the file could not be written; a number that is taken included.
pub fn insert(writing: &Writing<'_>, row: &Row) -> Result<(), StateError> {
    let mut insert = writing.conn().prepare_cached(&format!(
        "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    ))?;
    insert.execute((
        &row.chain,
        row.seq,
        row.at_ms,
        &row.session_id,
        &row.client_name,
        &row.action,
        &row.target,
        &row.args_shape,
        &row.outcome,
        row.intent_seq,
        row.key_version,
        &row.prev_hash,
        &row.hash,
        &row.mac,
    ))?;
    Ok(())
}

/// The newest record of a chain.
///
/// # Errors
/// Why the file could not be read.
pub fn last(reading: &Reading<'_>, chain: &str) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE tenant_id = ?1 ORDER BY seq DESC LIMIT 1"
    ))?;
    Ok(query.query_row([chain], from_row).optional()?)
}

/// One record.
///
/// # Errors
/// Why the file could not be read.
pub fn at(reading: &Reading<'_>, chain: &str, seq: i64) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE tenant_id = ?1 AND seq = ?2"
    ))?;
    Ok(query.query_row((chain, seq), from_row).optional()?)
}

/// The newest record whose arguments' shape begins so.
///
/// # Errors
/// Why the file could not be read.
pub fn last_with_shape(
    reading: &Reading<'_>,
    chain: &str,
    beginning: &str,
) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE tenant_id = ?1 AND substr(args_shape, 1, length(?2)) = ?2 ORDER BY seq DESC LIMIT 1"
    ))?;
    Ok(query.query_row([chain, beginning], from_row).optional()?)
}

/// The newest record of that action on that target.
///
/// # Errors
/// Why the file could not be read.
pub fn last_of(
    reading: &Reading<'_>,
    chain: &str,
    action: &str,
    target: &str,
) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE tenant_id = ?1 AND action = ?2 AND target = ?3 ORDER BY seq DESC LIMIT 1"
    ))?;
    Ok(query
        .query_row([chain, action, target], from_row)
        .optional()?)
}

/// The chain's first records after `after_seq`, oldest first.
///
/// # Errors
/// Why the file could not be read.
pub fn page(
    reading: &Reading<'_>,
    chain: &str,
    after_seq: i64,
    limit: usize,
) -> Result<Vec<Row>, StateError> {
    let everything = Range {
        after_seq,
        since_ms: i64::MIN,
        until_ms: i64::MAX,
        limit,
        newest: false,
    };
    range(reading, chain, &everything)
}

/// The chain's records that match, oldest first.
///
/// # Errors
/// Why the file could not be read.
pub fn range(reading: &Reading<'_>, chain: &str, range: &Range) -> Result<Vec<Row>, StateError> {
    let order = if range.newest { "DESC" } else { "ASC" };
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE tenant_id = ?1 AND seq > ?2 AND at_ms >= ?3 AND at_ms < ?4
         ORDER BY seq {order} LIMIT ?5"
    ))?;
    let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
    let values = (
        chain,
        range.after_seq,
        range.since_ms,
        range.until_ms,
        limit,
    );
    let mut rows = query
        .query_map(values, from_row)?
        .collect::<Result<Vec<_>, _>>()?;
    if range.newest {
        rows.reverse();
    }
    Ok(rows)
}

/// The names of all chains that have a record. Skips from one to the next, however long they are.
///
/// # Errors
/// Why the file could not be read.
pub fn chains(reading: &Reading<'_>) -> Result<Vec<String>, StateError> {
    let mut next = reading
        .conn()
        .prepare_cached("SELECT min(tenant_id) FROM audit WHERE tenant_id > ?1")?;
    let mut found: Vec<String> = Vec::new();
    loop {
        let last = found.last().map_or("", String::as_str);
        match next.query_row([last], |row| row.get::<_, Option<String>>(0))? {
            Some(chain) => found.push(chain),
            None => return Ok(found),
        }
    }
}

/// Removes a chain's records up to and with `seq`; gives how many there were.
///
/// # Errors
/// Why the file could not be written.
pub fn delete_through(writing: &Writing<'_>, chain: &str, seq: i64) -> Result<usize, StateError> {
    let mut delete = writing
        .conn()
        .prepare_cached("DELETE FROM audit WHERE tenant_id = ?1 AND seq <= ?2")?;
    Ok(delete.execute((chain, seq))?)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        chain: text(row, 0)?,
        seq: row.get(1)?,
        at_ms: row.get(2)?,
        session_id: text(row, 3)?,
        client_name: optional_text(row, 4)?,
        action: text(row, 5)?,
        target: optional_text(row, 6)?,
        args_shape: optional_text(row, 7)?,
        outcome: text(row, 8)?,
        intent_seq: row.get(9)?,
        key_version: row.get(10)?,
        prev_hash: row.get(11)?,
        hash: row.get(12)?,
        mac: row.get(13)?,
    })
}

#[cfg(test)]
mod tests;
