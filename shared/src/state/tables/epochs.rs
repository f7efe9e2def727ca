//! A number per shop that every write to it bumps: what was cached under an older one is stale in all processes.

use rusqlite::OptionalExtension;

use crate::state::{Reading, StateError, Writing};

/// The epoch of a shop; 0 before the first bump.
///
/// # Errors
/// Why the file could not be read.
pub fn read(reading: &Reading<'_>, store_key: &str) -> Result<u64, StateError> {
    let mut query = reading
        .conn()
        .prepare_cached("SELECT epoch FROM epochs WHERE store_key = ?1")?;
    let epoch: Option<i64> = query.query_row([store_key], |row| row.get(0)).optional()?;
    Ok(epoch.unwrap_or(0).cast_unsigned())
}

/// The next epoch of a shop, which it has from the commit on.
///
/// # Errors
/// Why the file could not be written.
pub fn bump(writing: &Writing<'_>, store_key: &str) -> Result<u64, StateError> {
    let mut upsert = writing.conn().prepare_cached(
        "INSERT INTO epochs (store_key, epoch) VALUES (?1, 1)
         ON CONFLICT (store_key) DO UPDATE SET epoch = epoch + 1
         RETURNING epoch",
    )?;
    let epoch: i64 = upsert.query_row([store_key], |row| row.get(0))?;
    Ok(epoch.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::fresh;

    #[test]
    fn every_bump_is_one_more_and_shops_do_not_share() {
        let file = fresh();
        assert_eq!(file.read(|reading| read(reading, "a")), 0);
        assert_eq!(file.write(|writing| bump(writing, "a")), 1);
        assert_eq!(file.write(|writing| bump(writing, "a")), 2);
        assert_eq!(file.write(|writing| bump(writing, "b")), 1);
        assert_eq!(file.read(|reading| read(reading, "a")), 2);
    }

    #[test]
    fn a_bump_that_is_not_committed_did_not_happen() {
        let file = fresh();
        let failed =
            file.try_write(|writing| bump(writing, "a").and(Err::<(), _>(StateError::Locked)));
        assert!(failed.is_err());
        assert_eq!(file.read(|reading| read(reading, "a")), 0);
    }
}
