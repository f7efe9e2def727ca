//! Shops of tenants, their API keys sealed; nothing here opens a seal. Every query names the tenant: what belongs to
//! another one does not exist.

use rusqlite::OptionalExtension;

use super::read::{text, version};
use crate::state::{Reading, StateError, Writing};

/// A shop as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Random and opaque; may stand in a label.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What its owner calls it.
    pub name: String,
    /// The name as it is compared (trimmed, lower case); unique within the tenant.
    pub name_key: String,
    /// Where its API is.
    pub base_url: String,
    /// Order Desk's own number of it.
    pub store_id: String,
    /// The API key, encrypted under one of the tenant's secrets.
    pub sealed_key: Vec<u8>,
    /// The nonce of that encryption.
    pub seal_nonce: Vec<u8>,
    /// Which of the secrets, counted up by rotations.
    pub key_version: u32,
    /// When it was added, in milliseconds since 1970.
    pub created_ms: i64,
}

const COLUMNS: &str = "id, tenant_id, name, name_key, base_url, store_id, sealed_key, seal_nonce, key_version, created_ms";

/// Adds a shop; `false` when the tenant has one of that name or that number already.
///
/// # Errors
/// Why the file could not be written, the tenant's absence included.
pub fn insert(writing: &Writing<'_>, row: &Row) -> Result<bool, StateError> {
    let mut insert = writing.conn().prepare_cached(&format!(
        "INSERT INTO stores ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING"
    ))?;
    let values = (
        &row.id,
        &row.tenant_id,
        &row.name,
        &row.name_key,
        &row.base_url,
        &row.store_id,
        &row.sealed_key,
        &row.seal_nonce,
        row.key_version,
        row.created_ms,
    );
    Ok(insert.execute(values)? == 1)
}

/// The shops of a tenant, by name.
///
/// # Errors
/// Why the file could not be read.
pub fn of_tenant(reading: &Reading<'_>, tenant_id: &str) -> Result<Vec<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM stores WHERE tenant_id = ?1 ORDER BY name_key, id"
    ))?;
    let rows = query.query_map([tenant_id], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A tenant's shop by its row id.
///
/// # Errors
/// Why the file could not be read.
pub fn by_id(reading: &Reading<'_>, tenant_id: &str, id: &str) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM stores WHERE tenant_id = ?1 AND id = ?2"
    ))?;
    Ok(query.query_row([tenant_id, id], from_row).optional()?)
}

/// Puts the row's seal (sealed key, nonce, key version) and name in place of the stored ones; `false` when the tenant
/// has no shop of that id, address and number, which a seal is bound to, or when another of its shops has the name.
///
/// # Errors
/// Why the file could not be written.
pub fn reseal(writing: &Writing<'_>, row: &Row) -> Result<bool, StateError> {
    let mut update = writing.conn().prepare_cached(
        "UPDATE OR IGNORE stores SET name = ?5, name_key = ?6, sealed_key = ?7, seal_nonce = ?8, key_version = ?9
         WHERE tenant_id = ?1 AND id = ?2 AND base_url = ?3 AND store_id = ?4",
    )?;
    let values = (
        &row.tenant_id,
        &row.id,
        &row.base_url,
        &row.store_id,
        &row.name,
        &row.name_key,
        &row.sealed_key,
        &row.seal_nonce,
        row.key_version,
    );
    Ok(update.execute(values)? == 1)
}

/// Removes a tenant's shop with its sealed key, and as its default; `false` when there is none.
///
/// # Errors
/// Why the file could not be written.
pub fn delete(writing: &Writing<'_>, tenant_id: &str, id: &str) -> Result<bool, StateError> {
    let mut forget = writing.conn().prepare_cached(
        "UPDATE tenants SET default_store = NULL WHERE id = ?1 AND default_store = ?2",
    )?;
    forget.execute([tenant_id, id])?;
    let mut delete = writing
        .conn()
        .prepare_cached("DELETE FROM stores WHERE tenant_id = ?1 AND id = ?2")?;
    Ok(delete.execute([tenant_id, id])? == 1)
}

/// One row that somebody has edited must not keep the others from being read: what is no text or no version becomes something that
/// no seal opens with.
fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: text(row, 0)?,
        tenant_id: text(row, 1)?,
        name: text(row, 2)?,
        name_key: text(row, 3)?,
        base_url: text(row, 4)?,
        store_id: text(row, 5)?,
        sealed_key: row.get(6)?,
        seal_nonce: row.get(7)?,
        key_version: version(row, 8)?,
        created_ms: row.get(9)?,
    })
}

#[cfg(test)]
mod tests;
