//! The loop that captures: has anything moved, is it worth a look, and what is cut from it.
//!
//! A step that finds nothing costs some microseconds. Otherwise one snapshot is pinned, all its pages are hashed, and the series that are
//! due are cut from it into the spool. Only when they are there durably do the series move on: whatever fails in between is tried again from
//! the same boundaries, so nothing is ever left out. The engine never waits for a target.

mod point;
mod report;

use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use parking_lot::Mutex;
use shared::state::{LedgerMark, Mark, Pages, Snapshot, State};

use self::point::Cutting;
use super::Settings;
use super::cut::Scan;
use super::level::{Level, Pace};
use super::series::{self, Point, Running};
use super::spool::{Cut, Spool};
use super::status::{Doing, Latest, Status, TargetStatus};
use super::tables;
use crate::backup::{Room, owner};

/// Looking may take one in so many parts of the time, while something that matters changes without a pause. A file of 200 MB takes up to
/// 0.2 s, measured on two busy cores; the promised second then still holds. Larger files are looked at less often, and that is said.
const LOOK_SHARE: u32 = 3;
/// The first pause after a failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// A disk that has room again is noticed after this at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// What the engine and the shippers have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) latest: Latest,
    /// Open while this process is the one that works.
    pub(super) spool: Mutex<Option<Arc<Spool>>>,
    /// Where the series stand, for who wants to know whether a target can follow.
    pub(super) running: Mutex<Option<Running>>,
}

/// Captures what changes.
#[derive(Debug)]
pub struct Engine {
    room: Room,
    settings: Settings,
    levels: Vec<Level>,
    is_remote: Vec<bool>,
    common: Arc<Common>,
    /// Held for as long as this process is the one that works.
    lock: Option<File>,
    pages: Option<(Pages, Mark)>,
    running: Option<Running>,
    /// All pages as they were at the last look.
    seen: Option<Scan>,
    /// Whether the file may have changed since all pages were last looked at.
    is_unseen: bool,
    ledger: Option<LedgerMark>,
    scan: Duration,
    needs_saving: bool,
    /// After a failure; what fails may be the base of a large file.
    next_try: Option<Instant>,
    pause: Duration,
    is_finished: bool,
}

/// What came of looking at a snapshot.
struct Looked {
    ledger: LedgerMark,
    /// Why the line that ran is over, if it is.
    ended: Option<&'static str>,
    cutting: Option<Cutting>,
}

impl Engine {
    /// Has not looked yet and holds nothing.
    #[must_use]
    pub fn new(room: &Room, settings: &Settings) -> Engine {
        let is_remote: Vec<bool> = room
            .targets
            .iter()
            .map(|target| target.is_remote())
            .collect();
        let wanted = |level: &Level| is_remote.iter().any(|is_remote| level.is_for(*is_remote));
        let target = |target: &crate::backup::targets::Target| TargetStatus {
            name: target.name().to_owned(),
            is_remote: target.is_remote(),
            ..TargetStatus::default()
        };
        let status = Status {
            spool_max_bytes: settings.spool_max_bytes,
            targets: room.targets.iter().map(target).collect(),
            ..Status::default()
        };
        Engine {
            room: room.clone(),
            settings: settings.clone(),
            levels: Level::ALL.into_iter().filter(wanted).collect(),
            is_remote,
            common: Arc::new(Common {
                latest: Arc::new(Mutex::new(status)),
                spool: Mutex::default(),
                running: Mutex::default(),
            }),
            lock: None,
            pages: None,
            running: None,
            seen: None,
            is_unseen: true,
            ledger: None,
            scan: Duration::ZERO,
            needs_saving: false,
            next_try: None,
            pause: FIRST_PAUSE,
            is_finished: false,
        }
    }

    /// Where to read how it goes.
    #[must_use]
    pub fn latest(&self) -> Latest {
        Arc::clone(&self.common.latest)
    }

    pub(super) fn common(&self) -> Arc<Common> {
        Arc::clone(&self.common)
    }

    /// Takes the lock and opens the spool without looking at anything; `false` while another process works.
    pub(super) fn hold(&mut self) -> anyhow::Result<bool> {
        Ok(self.spool()?.is_some())
    }

    /// Looks once; `false` if there was nothing to capture.
    ///
    /// # Errors
    /// The state file cannot be read or the spool cannot be written; nothing is lost, the next step tries again.
    pub fn tick(&mut self) -> anyhow::Result<bool> {
        let now = self.room.clock.instant();
        if self.is_finished || self.next_try.is_some_and(|next| now < next) {
            return Ok(false);
        }
        let outcome = self.step(false);
        if outcome.is_err() {
            self.next_try = Some(now + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        } else {
            (self.next_try, self.pause) = (None, FIRST_PAUSE);
        }
        self.report(&outcome);
        outcome
    }

    /// Captures what is left, whether it is due or not, and stores where the series stand. Later steps do nothing.
    ///
    /// # Errors
    /// As [`Engine::tick`].
    pub fn finish(&mut self) -> anyhow::Result<()> {
        if std::mem::replace(&mut self.is_finished, true) {
            return Ok(());
        }
        let outcome = self.step(true);
        self.report(&outcome);
        self.pages = None;
        self.common.latest.lock().doing = Doing::Stopped;
        outcome.map(|_| ())
    }

    fn step(&mut self, is_last: bool) -> anyhow::Result<bool> {
        let Ok(state) = self.room.slot.get() else {
            // A missing file is a finding of its own already. Letting go of it lets a restore in.
            self.pages = None;
            self.common.latest.lock().doing = Doing::NoState;
            return Ok(false);
        };
        let Some(spool) = self.spool()? else {
            self.common.latest.lock().doing = Doing::Elsewhere;
            return Ok(false);
        };
        self.common.latest.lock().doing = Doing::Working;
        spool.forget_strangers();
        let mut pages = self.pages(&state)?;
        let outcome = self.look(&mut pages, &spool, is_last);
        if outcome.is_ok() {
            self.pages = Some((pages, state.mark()));
        }
        let did = outcome?;
        if self.needs_saving || (is_last && did) {
            self.save(&spool)?;
        }
        Ok(did)
    }

    /// The spool, once this process is the one that works.
    fn spool(&mut self) -> anyhow::Result<Option<Arc<Spool>>> {
        if self.lock.is_none() {
            let Some(lock) = take_lock(&self.room)? else {
                return Ok(None);
            };
            let names = self.room.target_names();
            let spool = Spool::open(&self.room.home, &names, self.settings.spool_max_bytes)
                .context("cannot open the spool of recovery to a moment")?;
            self.running = resume(&spool, &self.levels, self.room.clock.instant());
            self.is_unseen = true;
            *self.common.spool.lock() = Some(Arc::new(spool));
            self.lock = Some(lock);
        }
        Ok(self.common.spool.lock().clone())
    }

    /// The connection, opened anew after the file was.
    fn pages(&mut self, state: &State) -> anyhow::Result<Pages> {
        match self.pages.take() {
            Some((pages, mark)) if mark.is_of(state) => Ok(pages),
            _ => {
                self.is_unseen = true;
                owner::prepare(state);
                Pages::open(state).context("cannot open the state file for recovery to a moment")
            }
        }
    }

    fn look(&mut self, pages: &mut Pages, spool: &Spool, is_last: bool) -> anyhow::Result<bool> {
        let has_moved = pages
            .moved()
            .context("cannot ask the state file whether it moved")?;
        self.is_unseen |= has_moved;
        let orders = spool.orders();
        let is_due =
            self.running.is_none() || self.due(self.ledger).is_some() || !orders.is_empty();
        if !has_moved && !is_due && !is_last {
            return Ok(false);
        }
        let now_ms = self.room.clock.now_ms();
        let looked: Looked =
            pages.snapshot(|snapshot| self.look_at(snapshot, spool, &orders, now_ms, is_last))?;
        self.note_waiting(looked.ledger, now_ms);
        self.ledger = Some(looked.ledger);
        let Some(cutting) = looked.cutting else {
            return Ok(false);
        };
        self.scan = smoothed(self.scan, cutting.scan);
        let did = !cutting.cuts.is_empty();
        if did {
            self.commit(spool, &cutting.running, cutting.point, cutting.cuts)?;
            spool.ordered(&orders);
        }
        if cutting.is_new_line {
            let line = cutting.running.line.as_str();
            match looked.ended {
                Some(why) => {
                    tracing::warn!(
                        line,
                        "recovery to a moment begins a new line, `{line}`: {why}"
                    );
                }
                // The very first, or nothing is left here of the one before.
                None => tracing::info!(line, "recovery to a moment begins line `{line}`"),
            }
        }
        self.needs_saving |= cutting.needs_saving;
        self.running = Some(cutting.running);
        self.seen = Some(cutting.seen);
        self.is_unseen = false;
        self.note_waiting(looked.ledger, now_ms);
        Ok(did)
    }

    fn pace(&self) -> Pace {
        Pace {
            remote: self.settings.remote_interval,
            at_least: self.scan * LOOK_SHARE,
        }
    }

    fn due(&self, ledger: Option<LedgerMark>) -> Option<Level> {
        let clock = &self.room.clock;
        let now = (clock.now_ms(), clock.instant());
        let running = self.running.as_ref()?;
        running.due(&self.pace(), ledger, self.is_unseen, now)
    }

    fn look_at(
        &self,
        snapshot: &Snapshot<'_>,
        spool: &Spool,
        orders: &[(usize, Level)],
        now_ms: i64,
        is_last: bool,
    ) -> anyhow::Result<Looked> {
        let ledger = snapshot.ledger().context("cannot read the ledgers")?;
        let mut due = self.due(Some(ledger));
        if is_last && self.is_unseen {
            due = due.max(
                self.levels
                    .iter()
                    .copied()
                    .filter(|level| level.rank() == 0)
                    .max(),
            );
        }
        let epoch = snapshot
            .restore_epoch()
            .context("cannot read the restore epoch")?;
        let file = series::identity(&self.room.home.state_db())
            .context("cannot look at the state file")?;
        let over = |running: &Running| running.is_over(epoch, snapshot.page_size(), &file, now_ms);
        let ended = self.running.as_ref().and_then(over);
        let cutting = match &self.running {
            Some(running) if ended.is_none() => {
                if due.is_none() && orders.is_empty() {
                    None
                } else {
                    Some(self.go_on(snapshot, spool, running, ledger, (due, orders), now_ms)?)
                }
            }
            _ => Some(self.begin_line(snapshot, spool, (epoch, file), ledger, now_ms)?),
        };
        Ok(Looked {
            ledger,
            cutting,
            ended,
        })
    }

    fn commit(
        &mut self,
        spool: &Spool,
        next: &Running,
        point: Point,
        cuts: Vec<Cut>,
    ) -> anyhow::Result<()> {
        // Should this fail half-way, the time is used up all the same.
        if let Some(running) = &mut self.running
            && running.line == next.line
        {
            running.floor_ms = running.floor_ms.max(point.at_ms);
        }
        spool
            .commit(&next.line, point.at_ms, cuts)
            .context("cannot take an increment into the spool")?;
        self.common.latest.lock().points += 1;
        Ok(())
    }

    fn save(&mut self, spool: &Spool) -> anyhow::Result<()> {
        if let Some(running) = &self.running {
            tables::save(&spool.tables(), running)
                .context("cannot store where the series stand")?;
            self.needs_saving = false;
        }
        Ok(())
    }
}

/// The line that was written before, if it can go on.
fn resume(spool: &Spool, levels: &[Level], now: Instant) -> Option<Running> {
    let mut running = tables::load(&spool.tables(), now)?;
    if let Some((line, at_ms)) = spool.last() {
        if line != running.line {
            return None;
        }
        running.floor_ms = running.floor_ms.max(at_ms);
    }
    running.want(levels);
    Some(running)
}

pub(super) fn take_lock(room: &Room) -> anyhow::Result<Option<File>> {
    let path = room.home.pitr_lock();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
        }
    }
}

/// One slow look is an accident, several are a pace; one quick look shows what the file takes.
fn smoothed(before: Duration, now: Duration) -> Duration {
    if before.is_zero() || now < before {
        now
    } else {
        (before * 3 + now) / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_look_is_forgiven_and_a_quick_one_believed() {
        let ms = Duration::from_millis;
        assert_eq!(smoothed(Duration::ZERO, ms(800)), ms(800));
        assert_eq!(smoothed(ms(800), ms(100)), ms(100));
        assert_eq!(smoothed(ms(100), ms(500)), ms(200));
    }
}
