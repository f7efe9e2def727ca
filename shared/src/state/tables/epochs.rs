//! A number per shop that every write to it bumps: what was cached under an older one is stale in all processes.
//!
//! While a write is under way, what is read from the shop may be what was before it or what is after it: the shop is busy, and nothing
//! is to be cached under any number.

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

/// The furthest that the end of a write may be ahead. A stored time beyond it was written by a clock that has been set back.
pub const MAX_BUSY_MS: i64 = 2 * 60 * 1000;

/// What tells for who keeps what it reads whether that is still current: the shop's epoch and how often the file was restored, in one number,
/// because a restore takes epochs back. `None` while a write to the shop is under way.
///
/// # Errors
/// Why the file could not be read.
pub fn settled(
    reading: &Reading<'_>,
    store_key: &str,
    now_ms: i64,
) -> Result<Option<u64>, StateError> {
    let mut query = reading.conn().prepare_cached(
        "SELECT coalesce((SELECT value FROM meta WHERE key = 'restore_epoch'), 0), epoch, busy_until_ms
         FROM (SELECT 1) LEFT JOIN epochs ON store_key = ?1",
    )?;
    let (restores, epoch, busy_until_ms): (i64, Option<i64>, Option<i64>) = query
        .query_row([store_key], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let left_ms = busy_until_ms.unwrap_or(0).saturating_sub(now_ms);
    // No shop is written to 2^44 times.
    let current = (restores.cast_unsigned() << 44) + epoch.unwrap_or(0).cast_unsigned();
    Ok((!(1..=MAX_BUSY_MS).contains(&left_ms)).then_some(current))
}

/// Notes until when a write to the shop may be under way, in milliseconds since 1970; 0 for none. The shop must have an epoch: bump it
/// first.
///
/// # Errors
/// Why the file could not be written.
pub fn busy_until(writing: &Writing<'_>, store_key: &str, until_ms: i64) -> Result<(), StateError> {
    let mut update = writing
        .conn()
        .prepare_cached("UPDATE epochs SET busy_until_ms = ?2 WHERE store_key = ?1")?;
    update.execute((store_key, until_ms))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::{meta, testing::fresh};

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

    #[test]
    fn what_was_kept_before_a_restore_is_never_current_again() {
        let file = fresh();
        let now = || file.read(|reading| settled(reading, "a", 0)).unwrap();
        file.write(|writing| bump(writing, "a"));
        let kept = now();
        let restore = meta::Restore {
            epoch: 1,
            ..meta::Restore::default()
        };
        file.write(|writing| {
            meta::set_restore(writing, &restore)?;
            // The restored file is from before the bump.
            Ok(writing.conn().execute("DELETE FROM epochs", [])?)
        });
        for _ in 0..3 {
            assert_ne!(now(), kept);
            file.write(|writing| bump(writing, "a"));
        }
    }

    #[test]
    fn a_shop_is_settled_but_while_a_write_is_under_way() {
        let file = fresh();
        let settled = |now_ms| file.read(|reading| settled(reading, "a", now_ms));
        assert_eq!(settled(1_000), Some(0));
        file.write(|writing| bump(writing, "a").and(busy_until(writing, "a", 2_000)));
        assert_eq!(settled(1_999), None);
        assert_eq!(settled(2_000), Some(1));
        assert_eq!(
            settled(2_000 - MAX_BUSY_MS - 1),
            Some(1),
            "a clock that was set back"
        );
        file.write(|writing| bump(writing, "a").and(busy_until(writing, "a", 0)));
        assert_eq!(settled(1_999), Some(2));
    }
}
