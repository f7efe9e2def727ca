//! Every store asked once, all at the same time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use shared::clock::Clock;
use shared::state::Slot;

use super::stores::Probed;
use crate::desk::{self, Access, Desk};

/// For one store's answer. Slower ones exist; whoever waits for them has a problem worth a line.
const ANSWER: Duration = Duration::from_secs(7);

/// Stores asked at the same time.
const AT_ONCE: usize = 32;

/// What a way to Order Desk is made of, and how long it may be used.
pub(super) struct Door<'a> {
    pub(super) config: &'a desk::Config,
    pub(super) slot: &'a Slot,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) left: Duration,
}

/// Asks every store under its name. Who was not asked in time is left out: the first ones say what is wrong.
pub(super) async fn all(door: &Door<'_>, accesses: Vec<(Option<String>, Access)>) -> Vec<Probed> {
    let desk = impatient(door);
    let ask = |(name, access): (Option<String>, Access)| {
        let desk = desk.clone();
        async move {
            let access = Arc::new(access);
            let probe = desk.probe(Arc::clone(&access)).await;
            Probed::of(name, &access, probe)
        }
    };
    stream::iter(accesses)
        .map(ask)
        .buffer_unordered(AT_ONCE)
        .take_until(tokio::time::sleep(door.left))
        .collect()
        .await
}

/// A desk that waits for no longer than a person would.
fn impatient(door: &Door<'_>) -> Desk {
    let patience = ANSWER.min(door.left);
    let config = desk::Config {
        http_timeout: patience.min(door.config.http_timeout),
        http_connect_timeout: patience.min(door.config.http_connect_timeout),
        total_deadline: patience,
        max_retries: 0,
        ..door.config.clone()
    };
    Desk::new(config, door.slot.clone(), Arc::clone(door.clock))
}
