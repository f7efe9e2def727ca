//! Which tables hold what must not be lost, and a mark that moves when one of them does.
//!
//! Metrics, heartbeats and quota are written many times a second by every process, and after a disaster nobody misses the last minute of them.
//! Recovery to a moment therefore ships the seconds in which this mark moved and gathers the others. Whoever adds a table decides here which
//! it is; a test goes through the schema.

use std::hash::{DefaultHasher, Hash, Hasher};

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection};

use super::StateError;

/// What the state file knows that must not be lost, as one number; two are equal exactly when nothing of it changed (but for a chance of one
/// in 2^64). To be compared within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerMark(u64);

/// How a table takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The rows of this query.
    Rows(&'static str),
    /// Not at all; why.
    Passing(&'static str),
}

/// All tables of the schema. `*` also finds the columns of later schemas.
const TABLES: &[(&str, Part)] = &[
    // Used agreements, the vault's revision, the restore epoch: a handful of rows.
    ("meta", Part::Rows("SELECT * FROM meta")),
    // The keys of the shops, and what opens them.
    ("tenants", Part::Rows("SELECT * FROM tenants")),
    ("stores", Part::Rows("SELECT * FROM stores")),
    // The end of each chain, found by its index however long it is: records are only added. Pruning moves an anchor.
    (
        "audit",
        Part::Rows(
            "WITH RECURSIVE chains (id) AS (
                 SELECT min(tenant_id) FROM audit
                 UNION ALL
                 SELECT (SELECT min(tenant_id) FROM audit WHERE tenant_id > id) FROM chains WHERE id IS NOT NULL
             )
             SELECT id, (SELECT max(seq) FROM audit WHERE tenant_id = id) FROM chains WHERE id IS NOT NULL",
        ),
    ),
    ("audit_anchors", Part::Rows("SELECT * FROM audit_anchors")),
    // Writes whose end is not known: what a person must look after.
    ("open_writes", Part::Rows("SELECT * FROM open_writes")),
    // Whose cached orders are stale, and where a write is under way.
    ("epochs", Part::Rows("SELECT * FROM epochs")),
    // Who may write next. When a ticket was last used is left out: whoever waits says so again and again.
    (
        "turns",
        Part::Rows("SELECT store_key, thing, ticket, session_id FROM turns"),
    ),
    // Tickets are never drawn twice.
    ("turn_seq", Part::Rows("SELECT seq FROM turn_seq")),
    (
        "sessions",
        Part::Passing("one life of one process, rewritten at each heartbeat; a restore ends them all"),
    ),
    (
        "quota",
        Part::Passing("what was asked of a shop within the last minute; full again after a restore"),
    ),
    ("metric_live", Part::Passing("telemetry")),
    ("metric_retired", Part::Passing("telemetry")),
    ("metric_seq", Part::Passing("telemetry")),
];

/// The mark of what `connection` sees; to be called in a transaction. Measured: 35 µs, and one more for each tenant, shop or open write.
pub(super) fn mark(connection: &Connection) -> Result<LedgerMark, StateError> {
    let mut hasher = DefaultHasher::new();
    add(
        &mut hasher,
        connection.prepare_cached("PRAGMA schema_version")?,
    )?;
    add(
        &mut hasher,
        connection.prepare_cached("PRAGMA user_version")?,
    )?;
    for (_, part) in TABLES {
        if let Part::Rows(query) = part {
            add(&mut hasher, connection.prepare_cached(query)?)?;
        }
    }
    Ok(LedgerMark(hasher.finish()))
}

fn add(hasher: &mut DefaultHasher, mut query: CachedStatement<'_>) -> Result<(), StateError> {
    let columns = query.column_count();
    let mut rows = query.query([])?;
    let mut count = 0_u64;
    while let Some(row) = rows.next()? {
        count += 1;
        for column in 0..columns {
            hash(hasher, row.get_ref(column)?);
        }
    }
    count.hash(hasher);
    Ok(())
}

/// With its kind and its length, so that no two rows look alike.
fn hash(hasher: &mut DefaultHasher, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => 0_u8.hash(hasher),
        ValueRef::Integer(number) => (1_u8, number).hash(hasher),
        ValueRef::Real(number) => (2_u8, number.to_bits()).hash(hasher),
        ValueRef::Text(bytes) => (3_u8, bytes).hash(hasher),
        ValueRef::Blob(bytes) => (4_u8, bytes).hash(hasher),
    }
}

#[cfg(test)]
mod tests;
