//! A fresh state file for the tests of the table modules.

use crate::paths::Home;
use crate::state::tables::{stores, tenants};
use crate::state::{Durability, Reading, State, StateError, Writing};

/// A state file in a folder that goes with it.
pub(in crate::state) struct Fresh {
    pub(in crate::state) state: State,
    pub(in crate::state) folder: tempfile::TempDir,
}

pub(in crate::state) fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&Home::at(folder.path())).unwrap();
    Fresh { state, folder }
}

impl Fresh {
    pub(in crate::state) fn read<T>(
        &self,
        work: impl FnOnce(&Reading<'_>) -> Result<T, StateError>,
    ) -> T {
        self.state.read("test", work).unwrap()
    }

    pub(in crate::state) fn write<T>(
        &self,
        work: impl FnOnce(&Writing<'_>) -> Result<T, StateError>,
    ) -> T {
        self.try_write(work).unwrap()
    }

    pub(in crate::state) fn try_write<T>(
        &self,
        work: impl FnOnce(&Writing<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        self.state.write("test", Durability::Normal, work)
    }
}

/// A tenant of that id with plausible content.
pub(in crate::state) fn tenant(id: &str) -> tenants::Row {
    tenants::Row {
        id: id.into(),
        name: format!("the shops of {id}"),
        salt: vec![3; 32],
        kdf: None,
        key_id: format!("key of {id}"),
        wrapped_key: vec![0, 255],
        wrap_nonce: vec![1; 24],
        key_version: 1,
        default_store: None,
        created_ms: 9,
    }
}

/// A shop of that id and name; its Order Desk number is its id.
pub(in crate::state) fn store(id: &str, tenant_id: &str, name: &str) -> stores::Row {
    stores::Row {
        id: id.into(),
        tenant_id: tenant_id.into(),
        name: name.into(),
        name_key: name.to_lowercase(),
        base_url: "https://app.orderdesk.me/api/v2".into(),
        store_id: id.into(),
        sealed_key: vec![7; 56],
        seal_nonce: vec![1; 24],
        key_version: 1,
        created_ms: 9,
    }
}
