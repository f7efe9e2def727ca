//! A fresh state file for the tests of the table modules.

use crate::paths::Home;
use crate::state::{Durability, Reading, State, StateError, Writing};

/// A state file in a folder that goes with it.
pub(super) struct Fresh {
    state: State,
    _folder: tempfile::TempDir,
}

pub(super) fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&Home::at(folder.path())).unwrap();
    Fresh {
        state,
        _folder: folder,
    }
}

impl Fresh {
    pub(super) fn read<T>(&self, work: impl FnOnce(&Reading<'_>) -> Result<T, StateError>) -> T {
        self.state.read("test", work).unwrap()
    }

    pub(super) fn write<T>(&self, work: impl FnOnce(&Writing<'_>) -> Result<T, StateError>) -> T {
        self.try_write(work).unwrap()
    }

    pub(super) fn try_write<T>(
        &self,
        work: impl FnOnce(&Writing<'_>) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        self.state.write("test", Durability::Normal, work)
    }
}
