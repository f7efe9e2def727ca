//! Holders of a master key. Their data key is stored wrapped; nothing here unwraps it.

use crate::state::{Reading, StateError, Writing};

/// A tenant as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Random and opaque; may stand in a label.
    pub id: String,
    /// For people.
    pub name: String,
    /// The tenant's data key, encrypted under the master key.
    pub wrapped_key: Vec<u8>,
    /// The nonce of that encryption.
    pub wrap_nonce: Vec<u8>,
    /// Which master key, counted up by rotations.
    pub key_version: u32,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// Adds a tenant.
///
/// # Errors
/// Why the file could not be written.
pub fn insert(writing: &Writing<'_>, row: &Row) -> Result<(), StateError> {
    let mut insert = writing.conn().prepare_cached(
        "INSERT INTO tenants (id, name, wrapped_key, wrap_nonce, key_version, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute((
        &row.id,
        &row.name,
        &row.wrapped_key,
        &row.wrap_nonce,
        row.key_version,
        row.created_ms,
    ))?;
    Ok(())
}

/// All tenants, oldest first.
///
/// # Errors
/// Why the file could not be read.
pub fn all(reading: &Reading<'_>) -> Result<Vec<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(
        "SELECT id, name, wrapped_key, wrap_nonce, key_version, created_ms FROM tenants ORDER BY created_ms, id",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Row {
            id: row.get(0)?,
            name: row.get(1)?,
            wrapped_key: row.get(2)?,
            wrap_nonce: row.get(3)?,
            key_version: row.get(4)?,
            created_ms: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::fresh;

    #[test]
    fn a_tenant_comes_back_as_it_went_in() {
        let file = fresh();
        let row = Row {
            id: "t1".into(),
            name: "Ann's shops".into(),
            wrapped_key: vec![0, 255],
            wrap_nonce: vec![1; 24],
            key_version: 3,
            created_ms: 9,
        };
        file.write(|writing| insert(writing, &row));
        assert_eq!(file.read(all), [row]);
    }
}
