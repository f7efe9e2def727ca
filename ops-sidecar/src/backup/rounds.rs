//! The daemon's part: making a backup when one is due.
//!
//! Here: the step of a loop, and when a failure is tried again. The step is asked every second and looks at nothing but the clock until
//! something is due. A backup takes long, so the loop has a thread of its own; when the process is to end, what is being made is given up,
//! and a killed one leaves only a folder that the next one removes. Not here: what a schedule means (`schedule`) and the backup (`make`).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;

use super::journal::{Journal, Outcome};
use super::make::{Made, MakeError, make_within};
use super::schedule::Schedule;
use super::words::chain;
use super::{Progress, Room};

/// After the first failure it is tried again this soon; each further one doubles it,
const RETRY_FIRST_MS: i64 = 60 * 1000;
/// up to this.
const RETRY_MOST_MS: i64 = 60 * 60 * 1000;
/// How long after the start of the daemon a state file that cannot be opened is no failed backup yet.
const OPENING: Duration = Duration::from_secs(30);
/// How long to leave somebody else who makes a backup.
const TAKEN_MS: i64 = 5 * 1000;

/// Whether the process is to end.
pub type IsStopped = Arc<dyn Fn() -> bool + Send + Sync>;

/// The step of the backup loop.
pub struct Rounds {
    room: Room,
    zone: TimeZone,
    seed: u64,
    stop: Stopping,
    started: Instant,
    /// The newest attempt of this process, in case it could not be noted.
    own: Option<Attempt>,
    /// When to look again, and the clock when that was decided: an earlier one was set back.
    next: Option<(i64, i64)>,
}

/// The newest run there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attempt {
    at_ms: i64,
    /// How many in a row were not good, this one included.
    failures: u32,
}

impl Rounds {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(room: Room, is_stopped: IsStopped) -> Rounds {
        Rounds {
            seed: seed(&room),
            zone: TimeZone::system(),
            stop: Stopping(is_stopped),
            started: room.clock.instant(),
            own: None,
            next: None,
            room,
        }
    }

    /// Makes a backup if one is due; `false` if none was. What fails is noted and tried again, and is no error of the loop.
    ///
    /// # Errors
    /// None; the loop wants it so.
    pub fn step(&mut self) -> anyhow::Result<bool> {
        let now_ms = self.room.clock.now_ms();
        if self.is_waiting(now_ms) || self.is_still_opening() {
            return Ok(false);
        }
        let last = self.last();
        let due_ms = due_ms(
            &self.room.settings.schedule,
            last,
            now_ms,
            self.seed,
            &self.zone,
        )
        .unwrap_or(i64::MAX);
        if due_ms > now_ms {
            self.next = Some((due_ms, now_ms));
            return Ok(false);
        }
        self.attempt(now_ms, last);
        Ok(true)
    }

    fn is_waiting(&self, now_ms: i64) -> bool {
        self.next
            .is_some_and(|(until_ms, since_ms)| (since_ms..until_ms).contains(&now_ms))
    }

    fn is_still_opening(&self) -> bool {
        let up = self
            .room
            .clock
            .instant()
            .saturating_duration_since(self.started);
        up < OPENING && self.room.slot.get().is_err()
    }

    /// From the journal, where the runs of commands stand as well, or from memory.
    fn last(&self) -> Option<Attempt> {
        let journal = Journal::read(&self.room.home);
        let noted = journal.last_run().map(|run| Attempt {
            at_ms: run.at_ms,
            failures: u32::try_from(journal.failures_in_a_row()).unwrap_or(u32::MAX),
        });
        match (noted, self.own) {
            (Some(noted), Some(own)) if own.at_ms > noted.at_ms => Some(own),
            (None, own) => own,
            (noted, _) => noted,
        }
    }

    fn attempt(&mut self, now_ms: i64, last: Option<Attempt>) {
        self.next = None;
        let outcome = make_within(&self.room, Duration::ZERO, &self.stop);
        report(&outcome);
        let is_good = match &outcome {
            Ok(made) => made.outcome == Outcome::Good,
            Err(MakeError::Turn(_)) => {
                self.next = Some((now_ms.saturating_add(TAKEN_MS), now_ms));
                return;
            }
            Err(MakeError::Stopped) => return,
            Err(_) => false,
        };
        let before = last.map_or(0, |last| last.failures);
        self.own = Some(Attempt {
            at_ms: now_ms,
            failures: if is_good { 0 } else { before.saturating_add(1) },
        });
    }
}

impl fmt::Debug for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rounds")
            .field("room", &self.room)
            .field("own", &self.own)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// When the next attempt is due: as planned, or sooner after one that was not good.
fn due_ms(
    schedule: &Schedule,
    last: Option<Attempt>,
    now_ms: i64,
    seed: u64,
    zone: &TimeZone,
) -> Option<i64> {
    let planned_ms = schedule.next_after(last.map(|last| last.at_ms), now_ms, seed, zone)?;
    let again_ms = last
        .filter(|last| last.failures > 0)
        .map(|last| last.at_ms.saturating_add(retry_ms(last.failures)));
    Some(again_ms.map_or(planned_ms, |again_ms| again_ms.min(planned_ms)))
}

fn retry_ms(failures: u32) -> i64 {
    let doublings = failures.saturating_sub(1).min(10);
    (RETRY_FIRST_MS << doublings).min(RETRY_MOST_MS)
}

/// The same in every run of a home, and another in every other home.
fn seed(room: &Room) -> u64 {
    let mut hash = blake3::Hasher::new();
    hash.update(room.home.root().as_os_str().as_encoded_bytes());
    hash.update(sysinfo::System::host_name().unwrap_or_default().as_bytes());
    let bytes = *hash.finalize().as_bytes();
    u64::from_le_bytes(bytes[..8].try_into().expect("eight of thirty-two bytes"))
}

fn report(outcome: &Result<Made, MakeError>) {
    match outcome {
        Ok(made) if made.outcome == Outcome::Good => {
            tracing::info!(id = made.manifest.id, "backup {} is good", made.manifest.id);
        }
        Ok(made) => tracing::error!(
            id = made.manifest.id,
            "backup {} did not reach all targets; `ops-sidecar backup list` shows where it is",
            made.manifest.id
        ),
        Err(MakeError::Stopped) => {
            tracing::info!("a backup was given up, because the sidecar ends");
        }
        Err(error @ MakeError::Turn(_)) => tracing::info!("no backup was made: {}", chain(error)),
        Err(error) => tracing::error!("no backup was made: {}", chain(error)),
    }
}

/// Nobody looks on; only the end is of interest.
struct Stopping(IsStopped);

impl Progress for Stopping {
    fn stage(&self, _name: &'static str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn done(&self) {}
    fn is_stopped(&self) -> bool {
        (self.0)()
    }
}

#[cfg(test)]
mod tests;
