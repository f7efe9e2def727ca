//! Facts about the file itself.

use rusqlite::{Connection, OptionalExtension};

use crate::state::StateError;

/// The oldest schema number whose programs may use this file; `None` when it does not say.
pub(in crate::state) fn compatible_from(
    connection: &Connection,
) -> Result<Option<u32>, StateError> {
    let found = connection
        .query_row(
            "SELECT value FROM meta WHERE key = 'compatible_from'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(found)
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
}
