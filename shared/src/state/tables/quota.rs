//! The stored half of the token buckets; what the numbers mean is `crate::quota`'s.

use rusqlite::OptionalExtension;

use crate::state::{Reading, StateError, Writing};

/// One bucket as it was left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The shop, as an opaque key.
    pub store_key: String,
    /// When the bucket will be full again, in microseconds since 1970 (the "theoretical arrival time" of GCRA).
    pub tat_us: i64,
    /// When it was left so, in microseconds since 1970.
    pub updated_us: i64,
}

/// The bucket of a shop, if anybody has drawn from it.
///
/// # Errors
/// Why the file could not be read.
pub fn get(reading: &Reading<'_>, store_key: &str) -> Result<Option<Row>, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached("SELECT store_key, tat_us, updated_us FROM quota WHERE store_key = ?1")?;
    Ok(query.query_row([store_key], from_row).optional()?)
}

/// Leaves a bucket as `row` says.
///
/// # Errors
/// Why the file could not be written.
pub fn put(writing: &Writing<'_>, row: &Row) -> Result<(), StateError> {
    let mut upsert = writing.conn().prepare_cached(
        "INSERT INTO quota (store_key, tat_us, updated_us) VALUES (?1, ?2, ?3)
         ON CONFLICT (store_key) DO UPDATE SET tat_us = excluded.tat_us, updated_us = excluded.updated_us",
    )?;
    upsert.execute((&row.store_key, row.tat_us, row.updated_us))?;
    Ok(())
}

/// All buckets, by key.
///
/// # Errors
/// Why the file could not be read.
pub fn all(reading: &Reading<'_>) -> Result<Vec<Row>, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached("SELECT store_key, tat_us, updated_us FROM quota ORDER BY store_key")?;
    let rows = query.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        store_key: row.get(0)?,
        tat_us: row.get(1)?,
        updated_us: row.get(2)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::fresh;

    #[test]
    fn what_was_put_comes_back_once_and_in_order() {
        let file = fresh();
        let row = |key: &str, tat_us| Row {
            store_key: key.into(),
            tat_us,
            updated_us: 5,
        };
        for each in [row("b", 1), row("a", 2), row("b", i64::MAX)] {
            file.write(|writing| put(writing, &each));
        }
        assert_eq!(
            file.read(|reading| get(reading, "b")),
            Some(row("b", i64::MAX))
        );
        assert_eq!(file.read(|reading| get(reading, "c")), None);
        assert_eq!(file.read(all), [row("a", 2), row("b", i64::MAX)]);
    }
}
