//! What the engine shows of itself.

use shared::state::LedgerMark;

use super::Engine;
use crate::backup::pitr::level::Level;

impl Engine {
    /// Notes since when something that matters waits to be cut.
    pub(super) fn note_waiting(&self, ledger: LedgerMark, now_ms: i64) {
        let mut status = self.common.latest.lock();
        let waits = |level| {
            let running = self.running.as_ref();
            running.is_none_or(|running| running.is_waiting(level, ledger))
        };
        let note = |since: &mut Option<i64>, waits: bool| match (waits, *since) {
            (true, None) => *since = Some(now_ms),
            (false, _) => *since = None,
            (true, Some(_)) => {}
        };
        let finest = self.levels.first().copied().unwrap_or(Level::Second);
        note(&mut status.waiting_since_ms, waits(finest));
        for target in &mut status.targets {
            let level = if target.is_remote {
                Level::Remote
            } else {
                Level::Second
            };
            note(&mut target.uncut_since_ms, waits(level));
        }
    }

    pub(super) fn report(&self, outcome: &anyhow::Result<bool>) {
        (*self.common.running.lock()).clone_from(&self.running);
        let spool = self.common.spool.lock().clone();
        let mut status = self.common.latest.lock();
        status.problem = outcome.as_ref().err().map(|error| format!("{error:#}"));
        status.line = self
            .running
            .as_ref()
            .map(|running| running.line.to_string());
        status.last_point_ms = self.running.as_ref().map(|running| running.last.at_ms);
        status.scan_seconds = self.scan.as_secs_f64();
        status.pace_seconds = self.pace().of(Level::Second).as_secs_f64();
        if let Some(spool) = spool {
            status.spool_bytes = spool.bytes();
            for (slot, target) in status.targets.iter_mut().enumerate() {
                target.show_queue(spool.view(slot));
            }
        }
    }
}
