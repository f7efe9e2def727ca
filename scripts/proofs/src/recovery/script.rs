//! What a writer does, one deed after the other: the name and the number say everything, so that whoever knows how far a
//! writer came knows what it has left in the file.
//!
//! Each deed is one transaction: a record in the audit, and what it speaks of (a tenant, a sealed key, an epoch). A copy that
//! holds the one without the other is torn.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use shared::audit::action;
use shared::state::tables::{epochs, stores, tenants};
use shared::state::{Reading, StateError, Writing};

/// A writer has up to so many stores at once.
const MOST_STORES: usize = 6;
/// Sizes of the sealed keys, in bytes. Real ones are at the small end; the large ones make rows that spill over pages.
const SEALED_BYTES: [usize; 5] = [48, 64, 96, 700, 5_000];

/// What a writer has left in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether its tenant is there.
    pub(super) opened: bool,
    /// Sealed keys by the store's number.
    pub(super) stores: BTreeMap<u64, Vec<u8>>,
    /// How often it bumped its epoch.
    pub(super) epoch: u64,
}

/// One deed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    Open,
    Add(u64, Vec<u8>),
    Reseal(u64, Vec<u8>),
    Remove(u64),
    Bump,
}

/// The deed with this number; the first is 0.
pub(super) fn deed(name: &str, number: u64, before: &Shape) -> Deed {
    let mut seed = DefaultHasher::new();
    (name, number).hash(&mut seed);
    let mut dice = fastrand::Rng::with_seed(seed.finish());
    let size = SEALED_BYTES[dice.usize(..SEALED_BYTES.len())];
    let mut sealed = || {
        let mut bytes = vec![0; size];
        dice.fill(&mut bytes);
        bytes
    };
    let oldest = before.stores.keys().next().copied();
    match (number, before.stores.len(), number % 4) {
        (0, ..) => Deed::Open,
        (_, 0 | 1, _) => Deed::Add(number, sealed()),
        (_, MOST_STORES.., _) | (_, _, 3) => Deed::Remove(oldest.unwrap_or_default()),
        (_, _, 1) => Deed::Reseal(oldest.unwrap_or_default(), sealed()),
        (_, _, 2) => Deed::Bump,
        _ => Deed::Add(number, sealed()),
    }
}

impl Deed {
    /// What the audit calls it.
    pub(super) fn action(&self) -> &'static str {
        match self {
            Self::Open => action::TENANT_CREATED,
            Self::Add(..) => action::STORE_ADDED,
            Self::Reseal(..) => action::STORE_REPLACED,
            Self::Remove(_) => action::STORE_REMOVED,
            Self::Bump => action::STORE_DEFAULT,
        }
    }

    /// Does it to the file, but for the record.
    pub(super) fn write(&self, writing: &Writing<'_>, name: &str) -> Result<(), StateError> {
        match self {
            Self::Open => tenants::insert(writing, &tenant(name)),
            Self::Add(number, sealed) => {
                stores::insert(writing, &store(name, *number, sealed)).map(drop)
            }
            Self::Reseal(number, sealed) => {
                stores::reseal(writing, &store(name, *number, sealed)).map(drop)
            }
            Self::Remove(number) => {
                stores::delete(writing, name, &store_id(name, *number)).map(drop)
            }
            Self::Bump => epochs::bump(writing, name).map(drop),
        }
    }
}

impl Shape {
    /// Does it here.
    pub(super) fn apply(&mut self, deed: Deed) {
        match deed {
            Deed::Open => self.opened = true,
            Deed::Add(number, sealed) | Deed::Reseal(number, sealed) => {
                self.stores.insert(number, sealed);
            }
            Deed::Remove(number) => {
                self.stores.remove(&number);
            }
            Deed::Bump => self.epoch += 1,
        }
    }

    /// What the writer has left after so many deeds.
    pub(super) fn after(name: &str, deeds: u64) -> Self {
        let mut shape = Self::default();
        for number in 0..deeds {
            let deed = deed(name, number, &shape);
            shape.apply(deed);
        }
        shape
    }

    /// What it has left in a file.
    pub(super) fn in_file(reading: &Reading<'_>, name: &str) -> Result<Self, StateError> {
        let stores = stores::of_tenant(reading, name)?;
        Ok(Self {
            opened: tenants::by_id(reading, name)?.is_some(),
            stores: stores
                .into_iter()
                .map(|row| (row.store_id.parse().unwrap_or(u64::MAX), row.sealed_key))
                .collect(),
            epoch: epochs::read(reading, name)?,
        })
    }
}

fn store_id(name: &str, number: u64) -> String {
    format!("{name}-{number}")
}

fn tenant(name: &str) -> tenants::Row {
    tenants::Row {
        id: name.to_owned(),
        name: name.to_owned(),
        salt: vec![7; 32],
        kdf: None,
        key_id: format!("key of {name}"),
        wrapped_key: vec![1; 48],
        wrap_nonce: vec![2; 24],
        key_version: 1,
        default_store: None,
        created_ms: 0,
    }
}

fn store(name: &str, number: u64, sealed: &[u8]) -> stores::Row {
    stores::Row {
        id: store_id(name, number),
        tenant_id: name.to_owned(),
        name: number.to_string(),
        name_key: number.to_string(),
        base_url: "https://shop.example/api/v2".to_owned(),
        store_id: number.to_string(),
        sealed_key: sealed.to_vec(),
        seal_nonce: vec![3; 24],
        key_version: 1,
        created_ms: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_and_number_are_the_same_deeds() {
        assert_eq!(Shape::after("w1", 60), Shape::after("w1", 60));
        assert_ne!(Shape::after("w1", 60), Shape::after("w2", 60));
        assert_ne!(Shape::after("w1", 60), Shape::after("w1", 59));
    }

    #[test]
    fn a_writer_adds_replaces_and_removes() {
        let mut shape = Shape::default();
        let (mut added, mut replaced, mut removed) = (0, 0, 0);
        for number in 0..100 {
            let deed = deed("w1", number, &shape);
            match &deed {
                Deed::Add(..) => added += 1,
                Deed::Reseal(..) => replaced += 1,
                Deed::Remove(_) => removed += 1,
                Deed::Open | Deed::Bump => {}
            }
            shape.apply(deed);
            assert!(shape.opened && shape.stores.len() <= MOST_STORES);
        }
        assert!(
            added > 10 && replaced > 10 && removed > 10,
            "{added} {replaced} {removed}"
        );
    }
}
