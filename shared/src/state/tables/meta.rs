//! Facts about the file itself.

use rusqlite::{Connection, OptionalExtension};

use crate::state::{Reading, StateError, Writing};

const VAULT_REVISION: &str = "vault_revision";

/// The oldest schema number whose programs may use this file; `None` when it does not say.
pub(in crate::state) fn compatible_from(
    connection: &Connection,
) -> Result<Option<u32>, StateError> {
    Ok(number(connection, "compatible_from")?)
}

/// How often tenants or stores have changed; 0 before the first change. Whoever keeps what it unlocked reads this
/// before it trusts that.
///
/// # Errors
/// Why the file could not be read.
pub fn vault_revision(reading: &Reading<'_>) -> Result<u64, StateError> {
    let revision: Option<i64> = number(reading.conn(), VAULT_REVISION)?;
    Ok(revision.map_or(0, i64::cast_unsigned))
}

/// Counts a change of tenants or stores, in the transaction that makes it; gives the new number.
///
/// # Errors
/// Why the file could not be written.
pub fn bump_vault_revision(writing: &Writing<'_>) -> Result<u64, StateError> {
    let mut bump = writing.conn().prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value",
    )?;
    let revision: i64 = bump.query_row([VAULT_REVISION], |row| row.get(0))?;
    Ok(revision.cast_unsigned())
}

/// What a file says of its last restore.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restore {
    /// How often the state has been restored; 0 for never.
    pub epoch: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// From what: a backup's id, or the moment that was asked for.
    pub from: String,
    /// Up to which moment it had everything, in milliseconds since 1970.
    pub reached_ms: i64,
}

const RESTORE_EPOCH: &str = "restore_epoch";
const RESTORED_AT: &str = "restored_at_ms";
const RESTORED_FROM: &str = "restored_from";
const RESTORED_TO: &str = "restored_to_ms";

/// The last restore; epoch 0 and nothing else for a file that never was.
///
/// # Errors
/// Why the file could not be read.
pub fn restore(reading: &Reading<'_>) -> Result<Restore, StateError> {
    let conn = reading.conn();
    Ok(Restore {
        epoch: restore_epoch(reading)?,
        at_ms: number(conn, RESTORED_AT)?.unwrap_or_default(),
        from: number(conn, RESTORED_FROM)?.unwrap_or_default(),
        reached_ms: number(conn, RESTORED_TO)?.unwrap_or_default(),
    })
}

/// How often the state has been restored.
///
/// # Errors
/// Why the file could not be read.
pub fn restore_epoch(reading: &Reading<'_>) -> Result<u64, StateError> {
    let epoch: Option<i64> = number(reading.conn(), RESTORE_EPOCH)?;
    Ok(epoch.map_or(0, i64::cast_unsigned))
}

/// Notes a restore in the file that takes the live one's place.
pub(in crate::state) fn set_restore(
    writing: &Writing<'_>,
    restore: &Restore,
) -> Result<(), StateError> {
    let mut set = writing.conn().prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )?;
    set.execute((RESTORE_EPOCH, restore.epoch.cast_signed()))?;
    set.execute((RESTORED_AT, restore.at_ms))?;
    set.execute((RESTORED_FROM, &restore.from))?;
    set.execute((RESTORED_TO, restore.reached_ms))?;
    Ok(())
}

const STATE_ID: &str = "state_id";

/// The name that tells this state from those of other homes; it goes with the file, into backups and back out of them. `None` until somebody
/// needed one.
///
/// # Errors
/// Why the file could not be read.
pub fn state_id(reading: &Reading<'_>) -> Result<Option<String>, StateError> {
    Ok(number(reading.conn(), STATE_ID)?)
}

/// Gives the state the name `new`, unless it has one; its name.
///
/// # Errors
/// Why the file could not be written.
pub fn name_state(writing: &Writing<'_>, new: &str) -> Result<String, StateError> {
    let mut name = writing.conn().prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = value RETURNING value",
    )?;
    Ok(name.query_row((STATE_ID, new), |row| row.get(0))?)
}

fn number<T: rusqlite::types::FromSql>(
    connection: &Connection,
    key: &str,
) -> rusqlite::Result<Option<T>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::testing::fresh;

    #[test]
    fn a_fresh_file_admits_every_program() {
        assert_eq!(
            fresh().read(|reading| compatible_from(reading.conn())),
            Some(1)
        );
    }

    #[test]
    fn a_file_that_does_not_say_is_told_apart() {
        let file = fresh();
        file.write(|writing| Ok(writing.conn().execute("DELETE FROM meta", [])?));
        assert_eq!(file.read(|reading| compatible_from(reading.conn())), None);
    }

    #[test]
    fn a_state_keeps_the_first_name_it_was_given() {
        let file = fresh();
        assert_eq!(file.read(state_id), None);
        assert_eq!(file.write(|writing| name_state(writing, "a1")), "a1");
        assert_eq!(file.write(|writing| name_state(writing, "b2")), "a1");
        assert_eq!(file.read(state_id).as_deref(), Some("a1"));
    }

    #[test]
    fn the_vaults_revision_begins_at_nothing_and_counts_up() {
        let file = fresh();
        assert_eq!(file.read(vault_revision), 0);
        assert_eq!(file.write(bump_vault_revision), 1);
        assert_eq!(file.write(bump_vault_revision), 2);
        assert_eq!(file.read(vault_revision), 2);
    }

    #[test]
    fn a_change_that_is_not_committed_leaves_the_revision() {
        let file = fresh();
        let failed: Result<(), _> = file.try_write(|writing| {
            bump_vault_revision(writing)?;
            Err(StateError::Locked)
        });
        failed.unwrap_err();
        assert_eq!(file.read(vault_revision), 0);
    }
}
