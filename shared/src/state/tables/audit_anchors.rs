//! Where audit chains begin once their oldest records were pruned.

use rusqlite::OptionalExtension;

use crate::state::{Reading, StateError, Writing};

/// The last pruned record of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which chain.
    pub chain: String,
    /// The number of the last record that is gone.
    pub through_seq: i64,
    /// Its hash, which the first kept record continues.
    pub hash: Vec<u8>,
    /// When it was pruned, in milliseconds since 1970.
    pub pruned_ms: i64,
}

/// Where a chain begins; `None` for one that was never pruned.
///
/// # Errors
/// Why the file could not be read.
pub fn of(reading: &Reading<'_>, chain: &str) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(
        "SELECT tenant_id, through_seq, hash, pruned_ms FROM audit_anchors WHERE tenant_id = ?1",
    )?;
    Ok(query.query_row([chain], from_row).optional()?)
}

/// All of them, by chain.
///
/// # Errors
/// Why the file could not be read.
pub fn all(reading: &Reading<'_>) -> Result<Vec<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(
        "SELECT tenant_id, through_seq, hash, pruned_ms FROM audit_anchors ORDER BY tenant_id",
    )?;
    let rows = query.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes where a chain begins now.
///
/// # Errors
/// Why the file could not be written.
pub fn set(writing: &Writing<'_>, row: &Row) -> Result<(), StateError> {
    let mut upsert = writing.conn().prepare_cached(
        "INSERT INTO audit_anchors (tenant_id, through_seq, hash, pruned_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (tenant_id) DO UPDATE
         SET through_seq = excluded.through_seq, hash = excluded.hash, pruned_ms = excluded.pruned_ms",
    )?;
    upsert.execute((&row.chain, row.through_seq, &row.hash, row.pruned_ms))?;
    Ok(())
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        chain: row.get(0)?,
        through_seq: row.get(1)?,
        hash: row.get(2)?,
        pruned_ms: row.get(3)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::fresh;

    #[test]
    fn a_chain_has_one_anchor_and_it_moves() {
        let file = fresh();
        assert_eq!(file.read(|reading| of(reading, "t1")), None);
        let mut row = Row {
            chain: "t1".into(),
            through_seq: 3,
            hash: vec![1; 32],
            pruned_ms: 7,
        };
        file.write(|writing| set(writing, &row));
        row.through_seq = 9;
        file.write(|writing| set(writing, &row));
        assert_eq!(file.read(|reading| of(reading, "t1")), Some(row.clone()));
        assert_eq!(file.read(all), [row]);
    }
}
