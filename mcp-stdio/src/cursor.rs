//! Where a list goes on.
//!
//! Here: the opaque `next_cursor`, which is a row number bound to the query that gave it out. Paging is by row number because the API
//! has nothing better; a cursor used with other filters would silently skip rows, so it is refused. Not here: deciding whether
//! there are more rows.

use crate::error::ToolError;

/// The cursor for row `offset` of `query`, any text that tells queries apart.
#[must_use]
pub fn encode(offset: u64, query: &str) -> String {
    format!("{offset}-{:08x}", fingerprint(query))
}

/// The row that a cursor of `query` stands for.
///
/// # Errors
/// [`ToolError::Cursor`] for anything that [`encode`] did not make for this query.
pub fn decode(cursor: &str, query: &str) -> Result<u64, ToolError> {
    let (offset, print) = cursor.split_once('-').ok_or(ToolError::Cursor)?;
    let offset = offset.parse().map_err(|_| ToolError::Cursor)?;
    if print == format!("{:08x}", fingerprint(query)) {
        Ok(offset)
    } else {
        Err(ToolError::Cursor)
    }
}

/// FNV-1a: a checksum against mistakes, not against anybody; it must only be the same in every process and version.
fn fingerprint(query: &str) -> u32 {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    query.bytes().fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row() {
        assert_eq!(decode(&encode(40, "folder=1"), "folder=1").unwrap(), 40);
    }

    #[test]
    fn a_cursor_of_another_query_is_refused() {
        assert!(matches!(
            decode(&encode(40, "folder=1"), "folder=2"),
            Err(ToolError::Cursor)
        ));
        for nonsense in [
            "",
            "40",
            "-",
            "x-00000000",
            "40-",
            "-1-00000000",
            "99999999999999999999-0",
        ] {
            assert!(decode(nonsense, "folder=1").is_err(), "{nonsense}");
        }
    }

    #[test]
    fn the_fingerprint_is_the_same_in_every_build() {
        assert_eq!(encode(0, "a"), "0-e40c292c");
    }
}
