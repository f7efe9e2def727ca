//! Shops of tenants: an Order Desk store id and its API key, sealed. Nothing here opens the seal.

use rusqlite::OptionalExtension;

use crate::state::{Reading, StateError, Writing};

/// A shop as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Random and opaque.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// What its owner calls it; unique within the tenant.
    pub name: String,
    /// Where its API is.
    pub base_url: String,
    /// Order Desk's own number of it.
    pub store_id: String,
    /// The API key, encrypted under the tenant's data key.
    pub sealed_key: Vec<u8>,
    /// The nonce of that encryption.
    pub seal_nonce: Vec<u8>,
    /// Which data key, counted up by rotations.
    pub key_version: u32,
    /// When it was added, in milliseconds since 1970.
    pub created_ms: i64,
}

const COLUMNS: &str =
    "id, tenant_id, name, base_url, store_id, sealed_key, seal_nonce, key_version, created_ms";

/// Adds a shop; `false` when the tenant has one of that name or that number already.
///
/// # Errors
/// Why the file could not be written, the tenant's absence included.
pub fn insert(writing: &Writing<'_>, row: &Row) -> Result<bool, StateError> {
    let mut insert = writing.conn().prepare_cached(&format!(
        "INSERT INTO stores ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING"
    ))?;
    let values = (
        &row.id,
        &row.tenant_id,
        &row.name,
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
        "SELECT {COLUMNS} FROM stores WHERE tenant_id = ?1 ORDER BY name"
    ))?;
    let rows = query.query_map([tenant_id], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A tenant's shop by the name its owner gave it.
///
/// # Errors
/// Why the file could not be read.
pub fn by_name(
    reading: &Reading<'_>,
    tenant_id: &str,
    name: &str,
) -> Result<Option<Row>, StateError> {
    let mut query = reading.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM stores WHERE tenant_id = ?1 AND name = ?2"
    ))?;
    Ok(query.query_row([tenant_id, name], from_row).optional()?)
}

/// Removes a shop with its sealed key; `false` when there is none.
///
/// # Errors
/// Why the file could not be written.
pub fn delete(writing: &Writing<'_>, id: &str) -> Result<bool, StateError> {
    let mut delete = writing
        .conn()
        .prepare_cached("DELETE FROM stores WHERE id = ?1")?;
    Ok(delete.execute([id])? == 1)
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        tenant_id: row.get(1)?,
        name: row.get(2)?,
        base_url: row.get(3)?,
        store_id: row.get(4)?,
        sealed_key: row.get(5)?,
        seal_nonce: row.get(6)?,
        key_version: row.get(7)?,
        created_ms: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::tenants;
    use crate::state::tables::testing::{Fresh, fresh};

    fn shop(id: &str, name: &str) -> Row {
        Row {
            id: id.into(),
            tenant_id: "t1".into(),
            name: name.into(),
            base_url: "https://app.orderdesk.me/api/v2".into(),
            store_id: id.into(),
            sealed_key: vec![7; 56],
            seal_nonce: vec![1; 24],
            key_version: 1,
            created_ms: 9,
        }
    }

    fn with_tenant() -> Fresh {
        let file = fresh();
        let tenant = tenants::Row {
            id: "t1".into(),
            name: "Ann".into(),
            wrapped_key: vec![],
            wrap_nonce: vec![],
            key_version: 1,
            created_ms: 1,
        };
        file.write(|writing| tenants::insert(writing, &tenant));
        file
    }

    #[test]
    fn shops_come_back_by_name_and_go_for_good() {
        let file = with_tenant();
        for row in [shop("2", "Tea"), shop("1", "Coffee")] {
            assert!(file.write(|writing| insert(writing, &row)));
        }
        assert_eq!(
            file.read(|reading| of_tenant(reading, "t1")),
            [shop("1", "Coffee"), shop("2", "Tea")]
        );
        assert_eq!(
            file.read(|reading| by_name(reading, "t1", "Tea")),
            Some(shop("2", "Tea"))
        );
        assert!(file.write(|writing| delete(writing, "2")));
        assert!(!file.write(|writing| delete(writing, "2")));
        assert_eq!(file.read(|reading| by_name(reading, "t1", "Tea")), None);
    }

    #[test]
    fn two_shops_of_one_name_are_refused() {
        let file = with_tenant();
        assert!(file.write(|writing| insert(writing, &shop("1", "Tea"))));
        assert!(!file.write(|writing| insert(writing, &shop("2", "Tea"))));
    }

    #[test]
    fn a_shop_without_its_tenant_is_refused() {
        assert!(
            fresh()
                .try_write(|writing| insert(writing, &shop("1", "Tea")))
                .is_err()
        );
    }
}
