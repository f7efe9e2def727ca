//! Values of rows that somebody may have edited by hand.
//!
//! SQLite lets text be any bytes and numbers be any size. Such a value must not keep its row, or the rows beside it, from being read and
//! judged by who can tell (a seal, a hash): what is read in its place is never what was sealed or hashed.

use rusqlite::Row;
use rusqlite::types::ValueRef;

/// Text; bytes that are none show as U+FFFD.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(optional_text(row, column)?.unwrap_or_default())
}

/// The same, or NULL.
pub(super) fn optional_text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) => Ok(Some(String::from_utf8_lossy(bytes).into_owned())),
        _ => row.get(column),
    }
}

/// A key's version; 0, which no key has, for a number that cannot be one.
pub(super) fn version(row: &Row<'_>, column: usize) -> rusqlite::Result<u32> {
    let number: i64 = row.get(column)?;
    Ok(u32::try_from(number).unwrap_or(0))
}
