//! Which of a tenant's stores is meant.
//!
//! Here: the order of wishes. Whoever wished for a store that is not there is told so: a call must never silently reach another shop than
//! the one that was meant. Not here: what counts as a store's name (`vault::find`).

use super::unless_a_key;
use crate::error::{NamedBy, ToolError};
use crate::vault::{self, StoreInfo};

/// What was wished for, the strongest first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes<'a> {
    /// In the call itself.
    pub(super) named: Option<&'a str>,
    /// With `stores_use`: the row, and its name then.
    pub(super) chosen: Option<(&'a str, &'a str)>,
    /// With the setting `STORE`.
    pub(super) wanted: Option<&'a str>,
}

/// The store meant: the one named, chosen, set, the default, or the only one.
///
/// # Errors
/// [`ToolError::NoStoreYet`], [`ToolError::UnknownStore`], [`ToolError::NoActiveStore`].
pub(super) fn select<'s>(
    stores: &'s [StoreInfo],
    wishes: Wishes<'_>,
) -> Result<&'s StoreInfo, ToolError> {
    if stores.is_empty() {
        return Err(ToolError::NoStoreYet);
    }
    if let Some(named) = wishes.named {
        return named_so(stores, named, NamedBy::Argument);
    }
    if let Some((id, name)) = wishes.chosen {
        let still_there = stores.iter().find(|store| store.id == id);
        return still_there.ok_or_else(|| unknown(stores, name, NamedBy::Session));
    }
    if let Some(wanted) = wishes.wanted {
        return named_so(stores, wanted, NamedBy::Setting);
    }
    match (stores.iter().find(|store| store.is_default), stores) {
        (Some(default), _) => Ok(default),
        (None, [only]) => Ok(only),
        (None, several) => Err(ToolError::NoActiveStore(names(several))),
    }
}

fn named_so<'s>(
    stores: &'s [StoreInfo],
    named: &str,
    by: NamedBy,
) -> Result<&'s StoreInfo, ToolError> {
    vault::find(stores, named).map_err(|error| {
        let error = match error {
            vault::VaultError::UnknownStore {
                given,
                known,
                nearest,
            } => ToolError::UnknownStore {
                given,
                known,
                nearest,
                by,
            },
            other => other.into(),
        };
        unless_a_key(named, error)
    })
}

fn unknown(stores: &[StoreInfo], name: &str, by: NamedBy) -> ToolError {
    ToolError::UnknownStore {
        given: name.to_owned(),
        known: names(stores),
        nearest: None,
        by,
    }
}

fn names(stores: &[StoreInfo]) -> Vec<String> {
    stores.iter().map(|store| store.name.clone()).collect()
}
