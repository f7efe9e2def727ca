//! What stores are called, and finding one by what somebody calls it.
//!
//! Here: which names there can be, how they are compared, and the search. Pure: it takes a list and a word.

use shared::env::nearest;
use shared::secret::looks_like_a_key;
use shared::state::tables::stores::Row;

use super::error::VaultError;
use super::stores::StoreInfo;
use crate::clean;
use crate::desk::model::StoreId;

/// The most characters of a name: it stands in tables, errors and answers.
const MOST_CHARS: usize = 60;

/// The most characters of somebody's word that an error repeats.
const MOST_REPEATED: usize = 60;

/// The name as it is stored: without white space around it, and without characters that nobody sees. Those are left out of every answer,
/// so a name that kept them could not be said again; and two names that look the same would be two stores.
///
/// # Errors
/// [`VaultError::BadStoreName`], which does not repeat it.
pub fn check(name: &str) -> Result<String, VaultError> {
    let has_controls = name.trim().chars().any(char::is_control);
    let visible = clean::text(name);
    let name = visible.trim();
    let why = if name.is_empty() {
        "it is empty"
    } else if name.chars().count() > MOST_CHARS {
        "it is longer than 60 characters"
    } else if has_controls {
        "it has control characters"
    } else if name.chars().all(|c| c.is_ascii_digit()) {
        "a name of digits alone cannot be told from an Order Desk id"
    } else {
        return Ok(name.to_owned());
    };
    Err(VaultError::BadStoreName { why })
}

/// The name as it is compared: two that differ in case only, or in what nobody sees, are the same.
pub(super) fn name_key(name: &str) -> String {
    clean::text(name).trim().to_lowercase()
}

/// The store of that name (whatever its case), Order Desk id, or row id.
///
/// # Errors
/// [`VaultError::UnknownStore`] with the nearest name; [`VaultError::AmbiguousStore`] when two stores at different addresses have
/// the id.
pub fn find<'s>(stores: &'s [StoreInfo], named: &str) -> Result<&'s StoreInfo, VaultError> {
    let key = name_key(named);
    if let Some(store) = stores.iter().find(|store| name_key(&store.name) == key) {
        return Ok(store);
    }
    if let Some(store) = stores.iter().find(|store| store.id == key) {
        return Ok(store);
    }
    let is_that = |id: &StoreId| StoreId::parse(named).is_ok_and(|named| named == *id);
    let by_id: Vec<&StoreInfo> = stores
        .iter()
        .filter(|store| is_that(&store.store_id))
        .collect();
    match by_id.as_slice() {
        [store] => Ok(store),
        [] => Err(unknown_of(
            named,
            stores.iter().map(|store| store.name.as_str()),
        )),
        several => Err(VaultError::AmbiguousStore {
            given: repeated(named),
            names: several.iter().map(|store| store.name.clone()).collect(),
        }),
    }
}

/// As [`find`] says it, from stored rows.
pub(super) fn unknown(named: &str, rows: &[Row]) -> VaultError {
    unknown_of(named, rows.iter().map(|row| row.name.as_str()))
}

fn unknown_of<'n>(named: &str, names: impl Iterator<Item = &'n str>) -> VaultError {
    let known: Vec<String> = names.map(str::to_owned).collect();
    let nearest = nearest(named.trim(), known.iter().map(String::as_str)).map(str::to_owned);
    VaultError::UnknownStore {
        given: repeated(named),
        known,
        nearest,
    }
}

/// Somebody's word, fit to stand in an error: short, on one line, and no key.
pub(super) fn repeated(word: &str) -> String {
    if looks_like_a_key(word) {
        return "…".to_owned();
    }
    let seen = clean::text(word.trim());
    let one_line = seen.chars().map(|c| match c {
        '`' => '\'',
        c if c.is_control() => ' ',
        c => c,
    });
    one_line.take(MOST_REPEATED).collect()
}

#[cfg(test)]
mod tests;
