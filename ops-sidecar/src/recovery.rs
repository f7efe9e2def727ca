//! The loops of recovery to a moment, and their end.
//!
//! One loop captures, one for each target sends: a target that is away holds up nobody. At the end of the process, what was not captured is,
//! and what targets take at once is sent, so that a restore that follows finds everything where it looks.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::backup::Room;
use crate::backup::pitr::{Engine, Latest, Shipper, shippers};
use crate::tasks::Tasks;

/// How often the engine asks whether anything moved. With the pace of the finest series, 0.6 s, and the scan of a file of 200 MB, a commit
/// is in the spool within a second.
const TICK: Duration = Duration::from_millis(100);
/// How often each target's queue is looked at, when nothing waited.
const SHIP_EVERY: Duration = Duration::from_millis(250);

/// Recovery to a moment, running.
#[derive(Debug)]
pub(crate) struct Recovery {
    engine: Arc<Mutex<Engine>>,
    shippers: Vec<Arc<Mutex<Shipper>>>,
    latest: Latest,
}

impl Recovery {
    /// Starts the loops, unless it is switched off.
    pub(crate) fn begin(tasks: &mut Tasks, room: &Room) -> Option<Recovery> {
        let settings = room.settings.pitr.as_ref()?;
        let engine = Engine::new(room, settings);
        let latest = engine.latest();
        let shippers: Vec<_> = shippers(room, settings, &engine)
            .into_iter()
            .map(|shipper| Arc::new(Mutex::new(shipper)))
            .collect();
        let engine = Arc::new(Mutex::new(engine));
        let ticking = Arc::clone(&engine);
        tasks.every("pitr", TICK, move || ticking.lock().tick());
        for shipper in &shippers {
            let shipper = Arc::clone(shipper);
            tasks.every("pitr-ship", SHIP_EVERY, move || shipper.lock().step());
        }
        Some(Recovery {
            engine,
            shippers,
            latest,
        })
    }

    /// Where to read how it goes.
    pub(crate) fn latest(&self) -> Latest {
        Arc::clone(&self.latest)
    }

    /// Captures what is left and sends what can be sent; blocks for as long as the slowest target does.
    pub(crate) fn finish(&self) {
        if let Err(error) = self.engine.lock().finish() {
            tracing::warn!(
                "the last changes could not be captured; the next start does it: {error:#}"
            );
        }
        std::thread::scope(|scope| {
            for shipper in &self.shippers {
                // What is not sent now waits in the spool.
                scope.spawn(|| shipper.lock().step());
            }
        });
    }
}
