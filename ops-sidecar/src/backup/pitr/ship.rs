//! From the spool to one target: sent in order, read back, compared, and only then forgotten here.
//!
//! Each target has a loop of its own, so that one that is away holds up nobody. Besides sending, the loop looks at the target now and then:
//! can it follow, is something missing, what may go. A target that cannot follow gets a step or a base cut for it; this is also how a new
//! one gets its first.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::counter;
use sha2::{Digest, Sha256};
use shared::telemetry::names;

use super::engine::{Common, Engine};
use super::gaps::{self, Context};
use super::name::{FOLDER, Line};
use super::retention::{Grace, Keep, doomed};
use super::spool::{Spool, Waiting};
use super::window::listing;
use super::{PitrError, Settings};
use crate::backup::Room;
use crate::backup::owner::{self, OwnerError};
use crate::backup::targets::{Kind, Target, TargetError};

/// How often a target is looked at when nothing is amiss: one listing each.
const LOOK_EVERY: Duration = Duration::from_secs(30 * 60);
/// After a look that failed, this many times as long as it took passes before the next: a listing without an end must not be all that a
/// target is asked for.
const FAILED_LOOK_SHARE: u32 = 10;
/// The first pause after a failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A target that comes back is noticed after this at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How many objects one look removes at most.
const REMOVED_AT_ONCE: usize = 5_000;
/// Half-stored files of killed processes go once they are this old.
const LEFTOVER_AFTER: Duration = Duration::from_secs(60 * 60);

/// Why a target did not take something.
#[derive(Debug, thiserror::Error)]
enum ShipError {
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Owner(#[from] OwnerError),
    #[error(transparent)]
    Pitr(#[from] PitrError),
    #[error(
        "target `{target}`: `{key}` was read back with other bytes than were sent; it is removed there and sent again"
    )]
    Changed { target: String, key: String },
    #[error("cannot read the spool: {0}")]
    Spool(#[from] io::Error),
    /// What the last look failed with; it is not time for another one.
    #[error("{0}")]
    Unseen(String),
}

/// Sends to one target.
#[derive(Debug)]
pub struct Shipper {
    room: Room,
    target: Target,
    slot: usize,
    keep: Keep,
    common: Arc<Common>,
    /// The line for which the target is known to be this home's: a state file that was made anew begins another.
    ours_for: Option<Line>,
    grace: Grace,
    pause: Duration,
    next_try: Option<Instant>,
    /// Why the last try failed, if it did.
    problem: Option<String>,
    next_look: Option<Instant>,
    /// Why the last look failed, if it did.
    unseen: Option<String>,
}

/// One for each target.
#[must_use]
pub fn shippers(room: &Room, settings: &Settings, engine: &Engine) -> Vec<Shipper> {
    let targets = room.targets.iter().cloned().enumerate();
    targets
        .map(|(slot, target)| Shipper {
            room: room.clone(),
            target,
            slot,
            keep: Keep::of(settings),
            common: engine.common(),
            ours_for: None,
            grace: Grace::default(),
            pause: FIRST_PAUSE,
            next_try: None,
            problem: None,
            next_look: None,
            unseen: None,
        })
        .collect()
}

impl Shipper {
    /// Sends all that waits, and looks at the target when it is time; `false` if there was nothing to do.
    ///
    /// # Errors
    /// The target refuses; what it does not have stays in the spool, and the next tries come at growing intervals. In between, the same again.
    pub fn step(&mut self) -> anyhow::Result<bool> {
        let Some(spool) = self.common.spool.lock().clone() else {
            return Ok(false);
        };
        let now = self.room.clock.instant();
        if let (Some(next), Some(problem)) = (self.next_try, &self.problem)
            && now < next
        {
            // Nobody may take the pause for the end of the trouble.
            anyhow::bail!(problem.clone());
        }
        let outcome = self.work(&spool, now);
        let problem = outcome.as_ref().err().map(ToString::to_string);
        self.problem.clone_from(&problem);
        if problem.is_some() {
            self.next_try = Some(now + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        } else {
            self.next_try = None;
            self.pause = FIRST_PAUSE;
        }
        let status = &mut self.common.latest.lock().targets[self.slot];
        status.problem = problem;
        status.show_queue(spool.view(self.slot));
        Ok(outcome?)
    }

    fn work(&mut self, spool: &Spool, now: Instant) -> Result<bool, ShipError> {
        let mut did = false;
        while let Some((waiting, path)) = spool.next(self.slot) {
            self.claim(Some(&waiting.line))?;
            self.send(spool, &waiting, &path)?;
            did = true;
        }
        let is_time = self.next_look.is_none_or(|next| next <= now);
        if is_time || (self.unseen.is_none() && spool.is_suspect(self.slot)) {
            self.claim(None)?;
            self.look_and_plan(spool)?;
            did = true;
        }
        // What was sent meanwhile makes the target no better known.
        self.unseen
            .clone()
            .map_or(Ok(did), |why| Err(ShipError::Unseen(why)))
    }

    fn look_and_plan(&mut self, spool: &Spool) -> Result<(), ShipError> {
        let clock = Arc::clone(&self.room.clock);
        let begun = clock.instant();
        let looked = self.look(spool, begun);
        let ended = clock.instant();
        let pause = match &looked {
            Ok(()) => LOOK_EVERY,
            Err(_) => (ended - begun)
                .saturating_mul(FAILED_LOOK_SHARE)
                .min(LOOK_EVERY),
        };
        self.next_look = Some(ended + pause);
        self.unseen = looked.as_ref().err().map(ToString::to_string);
        looked
    }

    /// Once is enough, and once more for each line that is sent.
    fn claim(&mut self, line: Option<&Line>) -> Result<(), ShipError> {
        let is_known = match line {
            Some(line) => self.ours_for.as_ref() == Some(line),
            None => self.ours_for.is_some(),
        };
        if !is_known {
            owner::claim(&self.room, &self.target)?;
        }
        if let Some(line) = line {
            self.ours_for = Some(line.clone());
        }
        Ok(())
    }

    fn send(&self, spool: &Spool, waiting: &Waiting, path: &Path) -> Result<(), ShipError> {
        let key = waiting.name.key(&waiting.line);
        let sha256 = match hash(path) {
            Ok(sha256) => sha256,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Dropped just now, or taken away by a hand.
                spool.give_up(self.slot, waiting);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        match self.target.put_file(&key, path, &mut |_| {}) {
            Err(error) if error.kind() == Kind::Exists => {
                tracing::warn!("{error}; this increment is left out there");
                spool.give_up(self.slot, waiting);
                return Ok(());
            }
            other => other?,
        };
        if self.target.hash(&key, &mut |_| {})?.sha256 != sha256 {
            self.target.delete(&key)?;
            return Err(ShipError::Changed {
                target: self.target.name().to_owned(),
                key,
            });
        }
        spool.done(self.slot, waiting);
        let status = &mut self.common.latest.lock().targets[self.slot];
        status.shipped += 1;
        status.shipped_bytes += waiting.bytes;
        counter!(names::PITR_SHIPPED.name, "target" => status.name.clone())
            .increment(waiting.bytes);
        status.last_shipped_ms = Some(waiting.name.to_ms);
        status.show_queue(spool.view(self.slot));
        Ok(())
    }

    /// Is everything there that should be, can the target follow, and what may go?
    fn look(&mut self, spool: &Spool, now: Instant) -> Result<(), ShipError> {
        // In this order: what is cut meanwhile is not missed, and what is sent meanwhile is found in one place or the other.
        let running = self.common.running.lock().clone();
        let pending = spool.pending(self.slot);
        let lines = listing(&self.target)?;
        let now_ms = self.room.clock.now_ms();
        let stand = running.and_then(|running| running.stand(self.target.is_remote()));
        if let Some(stand) = stand {
            let order = gaps::mend(&lines, &pending, &stand);
            if let Some(level) = order {
                let name = self.target.name();
                tracing::info!(
                    "target `{name}` cannot follow: a series `{}` is cut for it",
                    level.letter()
                );
            }
            spool.looked_at(self.slot, order);
        }
        let context = Context {
            pending,
            keep: Some(self.keep),
        };
        let gaps = gaps::judge(&lines, &context, now_ms);
        let doomed = doomed(&lines, &self.keep, now_ms);
        let ripe = self.grace.over(doomed, now, REMOVED_AT_ONCE);
        let pruned = ripe.len() as u64;
        for (line, name) in ripe {
            self.target.delete(&name.key(&line))?;
        }
        self.target.sweep(FOLDER, LEFTOVER_AFTER)?;
        let status = &mut self.common.latest.lock().targets[self.slot];
        status.gaps = Some(gaps);
        status.surveyed_ms = Some(now_ms);
        status.pruned += pruned;
        Ok(())
    }
}

/// Sends what a sidecar that is no more has left in the spool, unless another one works; gives how many increments each target got, or
/// why not all. For who wants to restore the newest moment after a crash.
#[must_use]
pub fn deliver(room: &Room) -> Vec<(String, Result<u64, String>)> {
    let Some(settings) = &room.settings.pitr else {
        return Vec::new();
    };
    let mut engine = Engine::new(room, settings);
    match engine.hold() {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(error) => {
            return vec![("spool".to_owned(), Err(format!("{error:#}")))];
        }
    }
    let Some(spool) = engine.common().spool.lock().clone() else {
        return Vec::new();
    };
    let send = |shipper: Shipper| {
        let name = shipper.target.name().to_owned();
        if let Err(error) = owner::may_deliver(&room.home, &shipper.target) {
            return (name, Err(error.to_string()));
        }
        let mut sent = 0;
        while let Some((waiting, path)) = spool.next(shipper.slot) {
            if let Err(error) = shipper.send(&spool, &waiting, &path) {
                return (name, Err(error.to_string()));
            }
            sent += 1;
        }
        (name, Ok(sent))
    };
    shippers(room, settings, &engine)
        .into_iter()
        .map(send)
        .collect()
}

fn hash(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&buffer[..read]);
    }
}
