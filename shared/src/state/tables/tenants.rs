//! Holders of a master key. Their secrets are stored wrapped; nothing here unwraps them, and nothing here knows the key.

use rusqlite::OptionalExtension;

use super::read::{optional_text, text, version};
use crate::state::{Reading, StateError, Writing};

/// A tenant as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Random and opaque; may stand in a label.
    pub id: String,
    /// For people.
    pub name: String,
    /// What its keys are derived with: 32 random bytes, no secret.
    pub salt: Vec<u8>,
    /// How its passphrase becomes the master key, with all parameters; `None` where the master key is random.
    pub kdf: Option<String>,
    /// What tells a process that its master key is this tenant's; unique.
    pub key_id: String,
    /// The tenant's secrets, one per key version, encrypted under the master key.
    pub wrapped_key: Vec<u8>,
    /// The nonce of that encryption.
    pub wrap_nonce: Vec<u8>,
    /// Which master key, counted up by rotations.
    pub key_version: u32,
    /// The row id of the store that is meant when none is named.
    pub default_store: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

const COLUMNS: &str =
    "id, name, salt, kdf, key_id, wrapped_key, wrap_nonce, key_version, default_store, created_ms";

/// Adds a tenant. Look for its `key_id` in the same transaction first: a second one is a broken constraint.
///
/// # Errors
/// Why the file could not be written.
pub fn insert(writing: &Writing<'_>, row: &Row) -> Result<(), StateError> {
    let mut insert = writing.conn().prepare_cached(&format!(
        "INSERT INTO tenants ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    ))?;
    insert.execute((
        &row.id,
        &row.name,
        &row.salt,
        &row.kdf,
        &row.key_id,
        &row.wrapped_key,
        &row.wrap_nonce,
        row.key_version,
        &row.default_store,
        row.created_ms,
    ))?;
    Ok(())
}

/// The tenant of that id.
///
/// # Errors
/// Why the file could not be read.
pub fn by_id(reading: &Reading<'_>, id: &str) -> Result<Option<Row>, StateError> {
    one(reading, "id = ?1", id)
}

/// The tenant whose master key has that id.
///
/// # Errors
/// Why the file could not be read.
pub fn by_key_id(reading: &Reading<'_>, key_id: &str) -> Result<Option<Row>, StateError> {
    one(reading, "key_id = ?1 AND key_id <> ''", key_id)
}

/// Tenants whose master key comes from a passphrase: whoever has only that must try each. Usually there is one.
///
/// # Errors
/// Why the file could not be read.
pub fn stretched(reading: &Reading<'_>) -> Result<Vec<Row>, StateError> {
    many(reading, "kdf IS NOT NULL")
}

/// Is there a tenant at all?
///
/// # Errors
/// Why the file could not be read.
pub fn any(reading: &Reading<'_>) -> Result<bool, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM tenants)")?;
    Ok(query.query_row([], |row| row.get(0))?)
}

/// All tenants, oldest first: for the operator's programs, never for a tenant's.
///
/// # Errors
/// Why the file could not be read.
pub fn all(reading: &Reading<'_>) -> Result<Vec<Row>, StateError> {
    many(reading, "TRUE")
}

/// Puts the row's key (salt, kdf, key id, wrapped secrets, version) in place of the one of `expected_version`; `false`
/// when the tenant is gone or somebody else has rotated since.
///
/// # Errors
/// Why the file could not be written; the new key id being another tenant's included.
pub fn rewrap(writing: &Writing<'_>, expected_version: u32, row: &Row) -> Result<bool, StateError> {
    let mut update = writing.conn().prepare_cached(
        "UPDATE tenants SET salt = ?3, kdf = ?4, key_id = ?5, wrapped_key = ?6, wrap_nonce = ?7, key_version = ?8
         WHERE id = ?1 AND key_version = ?2",
    )?;
    let values = (
        &row.id,
        expected_version,
        &row.salt,
        &row.kdf,
        &row.key_id,
        &row.wrapped_key,
        &row.wrap_nonce,
        row.key_version,
    );
    Ok(update.execute(values)? == 1)
}

/// Which of its stores is meant when none is named; `false` when there is no such tenant, or no such store of it.
///
/// # Errors
/// Why the file could not be written.
pub fn set_default_store(
    writing: &Writing<'_>,
    tenant_id: &str,
    store: Option<&str>,
) -> Result<bool, StateError> {
    let mut update = writing.conn().prepare_cached(
        "UPDATE tenants SET default_store = ?2 WHERE id = ?1
         AND (?2 IS NULL OR EXISTS (SELECT 1 FROM stores WHERE tenant_id = ?1 AND id = ?2))",
    )?;
    Ok(update.execute((tenant_id, store))? == 1)
}

fn one(
    reading: &Reading<'_>,
    condition: &'static str,
    value: &str,
) -> Result<Option<Row>, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached(&format!("SELECT {COLUMNS} FROM tenants WHERE {condition}"))?;
    Ok(query.query_row([value], from_row).optional()?)
}

fn many(reading: &Reading<'_>, condition: &'static str) -> Result<Vec<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM tenants WHERE {condition} ORDER BY created_ms, id"
    ))?;
    let rows = query.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One row that somebody has edited must not keep the others from being read: what is no text or no version becomes something that
/// no seal opens with.
fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: text(row, 0)?,
        name: text(row, 1)?,
        salt: row.get(2)?,
        kdf: optional_text(row, 3)?,
        key_id: text(row, 4)?,
        wrapped_key: row.get(5)?,
        wrap_nonce: row.get(6)?,
        key_version: version(row, 7)?,
        default_store: optional_text(row, 8)?,
        created_ms: row.get(9)?,
    })
}

#[cfg(test)]
mod tests;
