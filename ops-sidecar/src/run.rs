//! The program: start, serve, stop.
//!
//! Order at start: telemetry and the checks begin, then HTTP answers, then the service manager is told. A broken state file stops none of
//! that. Order at stop: no new connections, answers under way finish, the last metrics are written; each step has a bound.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use shared::clock::{Clock, SystemClock};
use shared::session;
use shared::state::Slot;
use shared::telemetry::Telemetry;
use tokio::net::TcpListener;

use crate::backup::Room;
use crate::backup::drill::Drills;
use crate::backup::rounds::Rounds;
use crate::checks::audit::Auditor;
use crate::checks::board::Board;
use crate::checks::gather::{Gatherer, Others};
use crate::checks::housekeeping::Housekeeping;
use crate::config::Config;
use crate::http::{self, Rooms, serve};
use crate::recovery::Recovery;
use crate::tasks::{Stop, Tasks, stop_pair};
use crate::upkeep::Upkeep;
use crate::upkeep::ballast::Ballast;
use crate::{VERSION, notify};

/// How often the checks run. Probes and pages read the result, so this is also how old it may be; a look costs well under a millisecond.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// How often ended processes are folded into the totals and their leftover run files removed, if nobody else did.
const TIDY_EVERY: Duration = Duration::from_secs(5);
/// How often the ends of the audit chains are looked at: one small read while nothing was recorded.
const AUDIT_EVERY: Duration = Duration::from_secs(2);
/// How often the state file's log is looked at, and what else is due for the file is done.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// How often the end of the disk is looked for: one call, and in a second even a fast writer does not fill what is left then.
const BALLAST_EVERY: Duration = Duration::from_secs(1);
/// How often the clock is looked at for a backup that is due; nothing else is looked at until then.
const BACKUP_EVERY: Duration = Duration::from_secs(1);
/// How often the journal is looked at for a trial restore that is due.
const DRILL_EVERY: Duration = Duration::from_secs(15);
/// How long the last metrics may take at exit: less than any supervisor waits before it kills.
const LAST_FLUSH: Duration = Duration::from_secs(1);
/// How long the last capture and its way to the targets may take at exit. What is not done then waits in the spool for the next start.
const LAST_CAPTURE: Duration = Duration::from_secs(3);
/// Threads that answer HTTP; the work behind an answer is milliseconds.
const WORKERS: usize = 2;
/// Loops that keep a thread each, besides one for each target: what they do may block on the disk or a target.
const LOOPS: usize = 8;
/// Further threads, for scrapes and what else waits for the disk. They come when needed and go when idle.
const BLOCKING_THREADS: usize = 24;

/// Serves until SIGTERM, SIGINT or SIGHUP; `announce` is told the address once it listens.
///
/// # Errors
/// The address cannot be had, or a loop of this program ended.
pub fn until_signal(
    config: Config,
    announce: impl FnOnce(SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(BLOCKING_THREADS + LOOPS + config.backup.targets.len())
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(async {
        let (stopper, stop) = stop_pair();
        let mut signals = Signals::install()?;
        let listener = bind(config.listen).await?;
        announce(listener.local_addr()?)?;
        tokio::spawn(async move {
            signals.wait().await;
            stopper.stop();
        });
        run(config, listener, stop).await
    });
    // A check that hangs on a dead disk must not keep the process from ending.
    runtime.shutdown_background();
    result
}

/// The program itself: serves on `listener` until `stop` is asked for.
///
/// # Errors
/// A loop that should run for ever ended; the process should end, too, and be started afresh.
pub async fn run(config: Config, listener: TcpListener, stop: Stop) -> anyhow::Result<()> {
    let slot = Slot::new(config.home.clone());
    let telemetry = Telemetry::start(slot.clone(), session::Kind::OpsSidecar, VERSION);
    // No client waits for this process: it may look after ended siblings from the start.
    telemetry.handle().answered();
    let clock = SystemClock::shared();
    let board = Arc::new(Board::new(Arc::clone(&clock)));
    let mut tasks = Tasks::default();
    let handle = tokio::runtime::Handle::current();
    let room = Room::open(&slot, &config.backup, &handle, Arc::clone(&clock))
        .context("a target of backups cannot be used")?;
    let mut others = begin_rounds(&mut tasks, &config, &slot, &telemetry, &clock);
    let recovery = Recovery::begin(&mut tasks, &room);
    others.pitr = recovery.as_ref().map(Recovery::latest);
    let gatherer = Gatherer::new(
        slot.clone(),
        Arc::clone(&clock),
        telemetry.handle(),
        config.quota_limits(),
        config.disk_thresholds(),
        config.backup.clone(),
        others,
    );
    begin_checks(&mut tasks, gatherer, &board);
    begin_backups(&mut tasks, room, &stop);

    let rooms = Rooms::new(&config, listener.local_addr()?, slot, board);
    let serving = serve::serve(listener, http::router(rooms), &config.limits, stop.clone());
    let outcome = tokio::select! {
        served = serving => served.context("the HTTP server failed"),
        ended = tasks.first_end() => Err(ended.into()),
    };
    notify::stopping();
    if !tokio::task::spawn_blocking(move || telemetry.finish(LAST_FLUSH))
        .await
        .unwrap_or(false)
    {
        tracing::warn!("the last metrics of this process could not be written");
    }
    if let Some(recovery) = recovery {
        let last = tokio::task::spawn_blocking(move || recovery.finish());
        if tokio::time::timeout(LAST_CAPTURE, last).await.is_err() {
            tracing::warn!(
                "not every target took the last changes in time; they wait in the spool for the next start"
            );
        }
    }
    outcome
}

/// The loops that work at their own pace; the checks read what they leave.
fn begin_rounds(
    tasks: &mut Tasks,
    config: &Config,
    slot: &Slot,
    telemetry: &Telemetry,
    clock: &Arc<dyn Clock>,
) -> Others {
    let housekeeping = Housekeeping::new(slot.clone(), Arc::clone(clock), config.audit_retention());
    let mut auditor = Auditor::new(slot.clone(), Arc::clone(clock));
    let mut upkeep = Upkeep::new(slot.clone(), Arc::clone(clock));
    let mut ballast = Ballast::new(slot.clone(), config.ballast_bytes());
    let others = Others {
        housekeeping: housekeeping.outcome(),
        audit: auditor.latest(),
        upkeep: upkeep.latest(),
        ballast: ballast.latest(),
        pitr: None,
    };
    tasks.every("upkeep", UPKEEP_EVERY, move || upkeep.step());
    let own = telemetry.handle();
    tasks.every("ballast", BALLAST_EVERY, move || {
        ballast.step(own.degraded().is_some())
    });
    let handle = telemetry.handle();
    tasks.every("housekeeping", TIDY_EVERY, move || {
        housekeeping.tidy(handle.session_id())
    });
    tasks.every("audit", AUDIT_EVERY, move || auditor.look());
    others
}

/// Backups take long and wait for networks: each loop has a thread of its own, and none is waited for at the end. What is given up in its
/// middle was claimed by nobody, and the next run removes what is left of it.
fn begin_backups(tasks: &mut Tasks, room: Room, stop: &Stop) {
    let stop = stop.clone();
    if let Some(mut drills) = Drills::new(room.clone()) {
        tasks.every("drill", DRILL_EVERY, move || drills.step());
    }
    let mut rounds = Rounds::new(room, Arc::new(move || stop.is_asked()));
    tasks.every("backup", BACKUP_EVERY, move || rounds.step());
}

fn begin_checks(tasks: &mut Tasks, mut gatherer: Gatherer, board: &Arc<Board>) {
    let board = Arc::clone(board);
    let mut is_first = true;
    tasks.every("checks", CHECK_EVERY, move || {
        let (facts, drafts) = gatherer.gather();
        board.post(facts, drafts);
        if std::mem::take(&mut is_first) {
            notify::ready();
        }
        notify::alive(&board.report().headline());
        Ok(true)
    });
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on `{listen}`; hint: another sidecar may run already, or choose an address with `--listen`"))
}

/// What asks this program to stop.
#[derive(Debug)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    /// Held so that it is caught: a file-size limit or quota would otherwise kill the process instead of failing the write.
    _file_size: tokio::signal::unix::Signal,
}

impl Signals {
    fn install() -> anyhow::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        /// SIGXFSZ, 25 on Linux and macOS.
        const FILE_SIZE: i32 = 25;
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Signals {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
            _file_size: listen(SignalKind::from_raw(FILE_SIZE))?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
