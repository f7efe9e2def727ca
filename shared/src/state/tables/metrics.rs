//! Metric rows: what living sessions have counted, and what the ended ones have left behind.
//!
//! A living session's rows hold its own cumulative values and are replaced by each flush, so that a repeated flush
//! changes nothing. `retire` adds the rows of an ended session to the retired ones and deletes them; run in one
//! transaction with the deletion of the session, it happens exactly once. Merging for a scrape is not here.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, OptionalExtension as _, params};

use crate::state::{Reading, StateError, Writing};

/// Most retired series of one metric; what comes beyond is added to its overflow series.
pub(crate) const RETIRED_PER_METRIC: i64 = 2000;

/// The labels of the overflow series, as `telemetry::labels` spells them.
const OVERFLOW: &str = r#"{"overflow":"true"}"#;

/// How a row is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const ALL: [(Kind, &'static str); 3] = [
        (Kind::Counter, "counter"),
        (Kind::Gauge, "gauge"),
        (Kind::Histogram, "histogram"),
    ];

    fn text(self) -> &'static str {
        Kind::ALL[self as usize].1
    }

    fn from_text(text: &str) -> Option<Kind> {
        Kind::ALL
            .iter()
            .find(|(_, name)| *name == text)
            .map(|(kind, _)| *kind)
    }
}

/// One series of one session, or of all that have ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    /// Canonical labels.
    pub(crate) labels: &'a str,
    /// Upper bounds of a histogram's buckets, else empty. Part of the key: other bounds are another series.
    pub(crate) bounds: &'a str,
    pub(crate) kind: Kind,
    /// A counter's total, a gauge's level, a histogram's sum.
    pub(crate) value: f64,
    /// A histogram's counts, see [`encode`].
    pub(crate) counts: Option<&'a [u8]>,
    /// Orders gauges by the commit that wrote them; 0 elsewhere.
    pub(crate) seq: i64,
}

/// Counts per bucket as bytes: each eight, little end first.
pub(crate) fn encode(counts: &[u64]) -> Vec<u8> {
    counts
        .iter()
        .flat_map(|count| count.to_le_bytes())
        .collect()
}

/// The counts that [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|eight| u64::from_le_bytes(*eight))
}

/// A number larger than all given before.
pub(crate) fn next_seq(writing: &Writing<'_>) -> Result<i64, StateError> {
    let sql = "UPDATE metric_seq SET seq = seq + 1 WHERE one = 1 RETURNING seq";
    Ok(writing
        .conn()
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?)
}

/// Puts rows of a living session in the place of its former ones.
pub(crate) fn put<'a>(
    writing: &Writing<'_>,
    session: &str,
    rows: impl Iterator<Item = Row<'a>>,
) -> Result<(), StateError> {
    let mut statement = writing.conn().prepare_cached(
        "INSERT INTO metric_live (session_id, name, labels, bounds, kind, value, counts, seq)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO UPDATE SET value = excluded.value, counts = excluded.counts, seq = excluded.seq",
    )?;
    for row in rows {
        let kind = row.kind.text();
        statement.execute(params![
            session, row.name, row.labels, row.bounds, kind, row.value, row.counts, row.seq
        ])?;
    }
    Ok(())
}

/// Shows the rows of one living session to `see`.
pub(crate) fn each_live(
    reading: &Reading<'_>,
    session: &str,
    see: impl FnMut(Row<'_>),
) -> Result<(), StateError> {
    let sql = "SELECT name, labels, bounds, kind, value, counts, seq FROM metric_live WHERE session_id = ?1";
    each(reading.conn().prepare_cached(sql)?, [session], see)
}

/// Shows the rows that ended sessions have left to `see`, in the order of their keys, which is that of the table.
pub(crate) fn each_retired(
    reading: &Reading<'_>,
    see: impl FnMut(Row<'_>),
) -> Result<(), StateError> {
    let sql = "SELECT name, labels, bounds, kind, value, counts, 0 FROM metric_retired ORDER BY name, labels, bounds";
    each(reading.conn().prepare_cached(sql)?, [], see)
}

fn each(
    mut statement: CachedStatement<'_>,
    params: impl rusqlite::Params,
    mut see: impl FnMut(Row<'_>),
) -> Result<(), StateError> {
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        let text = |index| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
        // A kind that this version does not know was written by a newer one, which will show it.
        let Some(kind) = Kind::from_text(text(3)?) else {
            continue;
        };
        let counts = match row.get_ref(5)? {
            ValueRef::Blob(bytes) => Some(bytes),
            _ => None,
        };
        let (value, seq) = (row.get(4)?, row.get(6)?);
        see(Row {
            name: text(0)?,
            labels: text(1)?,
            bounds: text(2)?,
            kind,
            value,
            counts,
            seq,
        });
    }
    Ok(())
}

/// Adds the counters and histograms of a session to the retired ones and deletes all its rows. Its gauges vanish: a
/// process that is no more holds nothing.
pub(crate) fn retire(writing: &Writing<'_>, session: &str) -> Result<(), StateError> {
    let mut kept: Vec<Kept> = Vec::new();
    each_live(writing, session, |row| {
        if row.kind != Kind::Gauge {
            kept.push(Kept::from(row));
        }
    })?;
    for row in &kept {
        add(writing, row)?;
    }
    writing
        .conn()
        .prepare_cached("DELETE FROM metric_live WHERE session_id = ?1")?
        .execute([session])?;
    Ok(())
}

/// A row on its way from one table to the other.
struct Kept {
    name: String,
    labels: String,
    bounds: String,
    kind: Kind,
    value: f64,
    counts: Option<Vec<u8>>,
}

impl From<Row<'_>> for Kept {
    fn from(row: Row<'_>) -> Kept {
        Kept {
            name: row.name.to_owned(),
            labels: row.labels.to_owned(),
            bounds: row.bounds.to_owned(),
            kind: row.kind,
            value: row.value,
            counts: row.counts.map(<[u8]>::to_vec),
        }
    }
}

fn add(writing: &Writing<'_>, row: &Kept) -> Result<(), StateError> {
    let labels = if has_place(writing, row)? {
        row.labels.as_str()
    } else {
        OVERFLOW
    };
    let counts = match &row.counts {
        Some(counts) => Some(added_counts(writing, row, labels, counts)?),
        None => None,
    };
    writing
        .conn()
        .prepare_cached(
            "INSERT INTO metric_retired (name, labels, bounds, kind, value, counts) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET value = value + excluded.value, counts = excluded.counts",
        )?
        .execute(params![row.name, labels, row.bounds, row.kind.text(), row.value, counts])?;
    Ok(())
}

/// Whether this series is retired already, or its metric has fewer than [`RETIRED_PER_METRIC`].
fn has_place(writing: &Writing<'_>, row: &Kept) -> Result<bool, StateError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM metric_retired WHERE name = ?1 AND labels = ?2 AND bounds = ?3)
                   OR (SELECT count(*) FROM metric_retired WHERE name = ?1 AND labels <> ?5) < ?4";
    let params = params![
        row.name,
        row.labels,
        row.bounds,
        RETIRED_PER_METRIC,
        OVERFLOW
    ];
    Ok(writing
        .conn()
        .prepare_cached(sql)?
        .query_row(params, |row| row.get(0))?)
}

/// The retired counts of this series, if there are any, plus these.
fn added_counts(
    writing: &Writing<'_>,
    row: &Kept,
    labels: &str,
    counts: &[u8],
) -> Result<Vec<u8>, StateError> {
    let sql = "SELECT counts FROM metric_retired WHERE name = ?1 AND labels = ?2 AND bounds = ?3";
    let mut statement = writing.conn().prepare_cached(sql)?;
    let retired: Option<Vec<u8>> = statement
        .query_row(params![row.name, labels, row.bounds], |row| row.get(0))
        .optional()?;
    let Some(retired) = retired else {
        return Ok(counts.to_vec());
    };
    let sums: Vec<u64> = decode(&retired)
        .zip(decode(counts))
        .map(|(a, b)| a + b)
        .collect();
    Ok(encode(&sums))
}

#[cfg(test)]
mod tests;
