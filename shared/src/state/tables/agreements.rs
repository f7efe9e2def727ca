//! Agreements that were used: what one process has acted on, no other may act on again.
//!
//! They stand among the facts about the file until they would have expired anyway, which is minutes. Who agreed to what is not here: only
//! the random name of each agreement.
//!
//! A restored file has forgotten those that were used after it was copied. So none counts that was made before the restore.

use super::meta;
use crate::state::{StateError, Writing};

/// Names of rows begin with this; the next character after `:` ends the range.
const FROM: &str = "agreed:";
const TO: &str = "agreed;";

/// Notes that an agreement is used; `false` when it was before, or may have been. Those that have expired by `now_ms` (milliseconds since 1970)
/// go.
///
/// # Errors
/// Why the file could not be written.
pub fn use_once(
    writing: &Writing<'_>,
    name: &str,
    (made_ms, expires_ms): (i64, i64),
    now_ms: i64,
) -> Result<bool, StateError> {
    let restore = meta::restore(writing)?;
    // A restore in the future was dated by a clock that has been set back.
    if restore.epoch > 0 && made_ms <= restore.at_ms && restore.at_ms <= now_ms {
        return Ok(false);
    }
    let conn = writing.conn();
    conn.prepare_cached("DELETE FROM meta WHERE key >= ?1 AND key < ?2 AND value <= ?3")?
        .execute((FROM, TO, now_ms))?;
    let mut note = conn.prepare_cached(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
    )?;
    Ok(note.execute((format!("{FROM}{name}"), expires_ms))? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tables::{meta, testing::fresh};

    #[test]
    fn an_agreement_is_used_once_and_forgotten_when_it_has_expired() {
        let file = fresh();
        let used = |name: &str, now_ms| {
            file.write(|writing| use_once(writing, name, (now_ms, now_ms + 300_000), now_ms))
        };
        assert!(used("aa", 1_000));
        assert!(!used("aa", 2_000));
        assert!(used("bb", 2_000));
        assert!(used("cc", 600_000));
        let left = |writing: &Writing<'_>| {
            let count = "SELECT count(*) FROM meta WHERE key LIKE 'agreed:%'";
            Ok(writing
                .conn()
                .query_row(count, [], |row| row.get::<_, u32>(0))?)
        };
        assert_eq!(file.write(left), 1);
    }

    #[test]
    fn what_was_agreed_to_before_a_restore_counts_no_more() {
        let file = fresh();
        let restore = meta::Restore {
            epoch: 1,
            at_ms: 5_000,
            ..meta::Restore::default()
        };
        file.write(|writing| meta::set_restore(writing, &restore));
        let counts = |name: &str, made_ms, now_ms| {
            file.write(|writing| use_once(writing, name, (made_ms, made_ms + 300_000), now_ms))
        };
        assert!(!counts("before", 4_000, 6_000));
        assert!(!counts("at", 5_000, 6_000));
        assert!(counts("after", 5_001, 6_000));
        assert!(counts("by a clock that was set back", 1_000, 2_000));
    }

    #[test]
    fn other_facts_about_the_file_stay() {
        let file = fresh();
        file.write(meta::bump_vault_revision);
        file.write(|writing| use_once(writing, "aa", (1, i64::MAX), i64::MAX - 1));
        assert_eq!(file.read(meta::vault_revision), 1);
    }
}
