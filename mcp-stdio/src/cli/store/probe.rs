//! Asking Order Desk whether a store's id and key are right.
//!
//! One request, past every cache, through the quota that all windows share.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::cli::call::runtime;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::line;
use crate::cli::setup::Setup;
use crate::desk::{Access, Desk, DeskError};

/// How long a person waits for the answer. A tool call may take longer, because nobody sits before it.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the shop says about itself. Its words are a stranger's: cleaned, so that they do nothing to a terminal.
#[derive(Debug, Serialize)]
pub(super) struct Shop {
    /// Its name.
    pub(super) name: String,
    /// Its folders, in its own order.
    pub(super) folders: Vec<Folder>,
}

/// A folder: Order Desk's word for a status.
#[derive(Debug, Serialize)]
pub(super) struct Folder {
    id: String,
    pub(super) name: String,
}

/// What came of it, and how long it took.
pub(super) struct Probe {
    pub(super) answer: Result<Shop, DeskError>,
    pub(super) took: Duration,
}

/// Asks for the store's settings.
///
/// # Errors
/// When nothing can be asked at all. What Order Desk says is in the [`Probe`]. Ctrl-C ends it.
pub(super) fn ask(setup: &Setup, access: &Access) -> Outcome<Probe> {
    let mut config = setup.config()?;
    config.desk.total_deadline = PATIENCE;
    let runtime = runtime()?;
    let desk = Desk::new(config.desk, setup.slot.clone(), Arc::clone(&setup.clock));
    let began = setup.clock.instant();
    let answer = runtime.block_on(async {
        let shop = desk.shop(access.clone());
        tokio::select! {
            answer = shop.settings(true) => Ok(answer),
            _ = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
        }
    })?;
    runtime.shutdown_background();
    let answer = answer.map(|settings| Shop {
        name: line(&settings.value.name()),
        folders: settings
            .value
            .folders()
            .into_iter()
            .map(|folder| Folder {
                id: line(&folder.id),
                name: line(&folder.name),
            })
            .collect(),
    });
    Ok(Probe {
        answer,
        took: setup.clock.instant().saturating_duration_since(began),
    })
}
