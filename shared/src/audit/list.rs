//! Records of one chain, filtered.

use super::{Chain, Record};
use crate::state::tables::audit::{self, Range};
use crate::state::{Reading, StateError};

/// Which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// Not before this moment, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Before this moment.
    pub until_ms: Option<i64>,
    /// Numbers above this one: the last of one page asks for the next.
    pub after_seq: u64,
    /// At most so many. Keep it to a page, records are read in one snapshot.
    pub limit: usize,
    /// When more than `limit` match: the newest of them instead of the oldest. They come oldest first all the same.
    pub newest: bool,
}

/// The first thousand.
impl Default for Filter {
    fn default() -> Filter {
        Filter {
            since_ms: None,
            until_ms: None,
            after_seq: 0,
            limit: 1_000,
            newest: false,
        }
    }
}

/// The records that match, oldest first. Listing checks nothing: see [`super::verify`].
///
/// # Errors
/// Why the file could not be read.
pub fn list(
    reading: &Reading<'_>,
    chain: &Chain,
    filter: &Filter,
) -> Result<Vec<Record>, StateError> {
    let range = Range {
        after_seq: i64::try_from(filter.after_seq).unwrap_or(i64::MAX),
        since_ms: filter.since_ms.unwrap_or(i64::MIN),
        until_ms: filter.until_ms.unwrap_or(i64::MAX),
        limit: filter.limit,
        newest: filter.newest,
    };
    let rows = audit::range(reading, chain.as_str(), &range)?;
    Ok(rows.into_iter().map(Record::from).collect())
}
