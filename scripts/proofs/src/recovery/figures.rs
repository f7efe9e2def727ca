//! The numbers of backups and of recovery to a moment, on a state file of 200 MB that a hundred processes write to.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use shared::audit::{self, Actor, Chain, Entry, action};
use shared::paths::Home;
use shared::session::SessionId;
use shared::state::{Durability, State};

use super::crew::{Crew, Habits};
use super::keeper::{Keeper, Keys};
use super::model::Life;
use super::pitr::{increments_in, wait_until_shipped};
use super::{file_url, now_us};
use crate::procfs::resident_bytes;
use crate::stage::{Sidecar, Stage, pause};
use crate::stats::Samples;

/// How large the file is.
const FILE_BYTES: u64 = 200_000_000;
/// Records per transaction while it is filled.
const BATCH: usize = 5_000;
const WRITERS: usize = 100;
/// Four deeds a second each, as a server with something to do.
const DEED_EVERY_MS: std::ops::Range<u64> = 150..350;
const IDLE_SERVERS: usize = 10;
/// A hundred writers have started, and a hundred servers have had their first flush, by then.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
/// A base of 200 MB is cut and shipped by then.
const FIRST_BASE_WITHIN: Duration = Duration::from_secs(60);
/// What changes nothing but telemetry is shipped once a minute.
const QUIET: Duration = Duration::from_secs(65);
const LOOKS_EVERY: Duration = Duration::from_millis(5);

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount {
    /// Copies of the file, one after the other.
    pub(crate) copies: usize,
    /// How long the lag is watched.
    pub(crate) lag: Duration,
    /// How long nothing is done, to be scaled to an hour. Some times the minute after which telemetry is shipped.
    pub(crate) idle: Duration,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Figures {
    /// One consistent copy.
    pub(crate) copy: Samples,
    /// A deed of a writer, while no copy was made and while one was.
    pub(crate) deed_before: Samples,
    pub(crate) deed_during: Samples,
    /// `backup run`, encrypted, to its end.
    pub(crate) backup: Duration,
    /// `backup restore --latest` on a machine that has nothing else.
    pub(crate) restore: Duration,
    /// `backup restore --at` likewise.
    pub(crate) restore_at: Duration,
    /// From the sidecar's first start on this home until the base of its line is at the target: until then there is nothing to follow.
    pub(crate) first_base: Duration,
    /// From a commit until an increment that has it is on the disk.
    pub(crate) lag: Samples,
    /// Shipped per hour while ten servers are open and nobody asks them anything.
    pub(crate) idle_bytes_per_hour: u64,
    /// The most that the sidecar held in all this.
    pub(crate) resident: u64,
}

/// Measures it all.
pub(crate) fn measure(stage: &Stage, amount: Amount) -> anyhow::Result<Figures> {
    let folder = stage.folder().join("large");
    let (home, target) = (folder.join("home"), folder.join("target"));
    std::fs::create_dir_all(&target)?;
    fill(&home)?;
    let keys = Keys::make(&folder)?;
    let settings = [
        ("BACKUP_TARGETS", file_url(&target)),
        ("BACKUP_SCHEDULE", "off".to_owned()),
    ];
    let keeper = Keeper::new(stage, &home, &settings, Some(&keys));
    let habits = Habits {
        home: home.clone(),
        pause_ms: DEED_EVERY_MS,
        checkpoints: None,
    };
    let crew = Crew::start(habits, WRITERS)?;
    pause(SETTLED_AFTER);
    let (copies, copy) = copy_often(&home, &folder, amount.copies)?;
    let (backup, _) = timed(|| keeper.ask(&["backup", "run"]))?;

    let sidecar = keeper.start(&[])?;
    let (first_base, ()) = timed(|| wait_for_the_base(&target))?;
    let (points, mut resident) = watch_points(&sidecar, &keeper, &target, amount.lag)?;
    let lives = crew.finish()?;
    wait_until_shipped(&keeper)?;
    let idle = shipped_while_idle(stage, &home, &target, amount.idle)?;
    resident = resident.max(resident_bytes(sidecar.process.0.id())?);
    drop(sidecar);

    let restore = restore_bare(stage, &folder, &settings, &keys, "--latest", None)?;
    let last = points.last().context("no increment was seen")?;
    let at = jiff::Timestamp::from_millisecond(last.to_us / 1000)?.to_string();
    let restore_at = restore_bare(stage, &folder, &settings, &keys, "--at", Some(&at))?;
    let (deed_before, deed_during) = deeds(&lives, &copies);
    Ok(Figures {
        copy,
        deed_before,
        deed_during,
        backup,
        restore,
        restore_at,
        first_base,
        lag: lag(&lives, &points),
        idle_bytes_per_hour: (idle as f64 * 3_600.0 / amount.idle.as_secs_f64()) as u64,
        resident,
    })
}

/// A file as a few years leave it: records of the size that a change to an order has.
fn fill(home: &Path) -> anyhow::Result<()> {
    let state = State::open(&Home::at(home))?;
    let actor = Actor {
        session: SessionId::random(),
        client: Some("Claude Desktop".to_owned()),
    };
    let shape = r#"{"order_id":7,"changes":{"shipping":{"address1":21,"city":7,"postal_code":5}}}"#;
    while state.size().database_bytes < FILE_BYTES {
        state.write("proof", Durability::Normal, |writing| {
            for _ in 0..BATCH {
                let order = format!("order {}", fastrand::u32(1_000_000..9_999_999));
                let entry =
                    Entry::done(&actor, action::ORDER_UPDATED, Some(&order)).with_shape(shape);
                audit::append(writing, &Chain::System, &entry, now_us() / 1000, None)?;
            }
            Ok(())
        })?;
        state.checkpoint(shared::state::Checkpoint::Truncate)?;
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let began = Instant::now();
    let done = work()?;
    Ok((began.elapsed(), done))
}

/// Copies the file again and again, with as long between as each takes. Gives when each was made, and how long it took.
fn copy_often(
    home: &Path,
    folder: &Path,
    copies: usize,
) -> anyhow::Result<(Vec<(i64, i64)>, Samples)> {
    let state = State::open(&Home::at(home))?;
    let (mut when, mut took) = (Vec::new(), Samples::default());
    for number in 0..copies {
        let file = folder.join(format!("copy-{number}.db"));
        let began = now_us();
        let copied = state.copy_for_now(&file, &mut |_, _| std::ops::ControlFlow::Continue(()))?;
        when.push((began, now_us()));
        took.push(copied.took);
        std::fs::remove_file(&file)?;
        pause(copied.took);
    }
    Ok((when, took))
}

/// How long deeds took, outside of all copies and inside of one.
fn deeds(lives: &[Life], copies: &[(i64, i64)]) -> (Samples, Samples) {
    let (mut before, mut during) = (Samples::default(), Samples::default());
    let until = copies.last().map_or(0, |(_, until)| *until);
    for (begun, took) in lives.iter().flat_map(Life::took) {
        let ended = begun + took.as_micros() as i64;
        let overlaps = |(from, until): &(i64, i64)| begun < *until && *from < ended;
        if copies.iter().any(overlaps) {
            during.push(took);
        } else if begun < until {
            before.push(took);
        }
    }
    (before, during)
}

/// An increment: the moment it shows, and when it was seen.
#[derive(Debug, Clone, Copy)]
struct Point {
    to_us: i64,
    seen_us: i64,
}

fn wait_for_the_base(target: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    while increments_in(&target.join("pitr"))?.is_empty() {
        ensure!(
            began.elapsed() < FIRST_BASE_WITHIN,
            "no base was shipped within {FIRST_BASE_WITHIN:?}"
        );
        pause(LOOKS_EVERY);
    }
    Ok(())
}

/// Watches increments appear, in the spool or, when it was faster, at the target. Also the most that the sidecar held.
fn watch_points(
    sidecar: &Sidecar,
    keeper: &Keeper<'_>,
    target: &Path,
    time: Duration,
) -> anyhow::Result<(Vec<Point>, u64)> {
    let (spool, target) = (keeper.home.backup_spool(), target.join("pitr"));
    let over = AtomicBool::new(false);
    let mut resident = 0;
    let points = scope(|scope| {
        let watcher = scope.spawn(|| watch([&spool, &target], &over));
        let began = Instant::now();
        while began.elapsed() < time {
            resident = resident.max(resident_bytes(sidecar.process.0.id()).unwrap_or_default());
            pause(Duration::from_millis(200));
        }
        over.store(true, Ordering::Relaxed);
        watcher
            .join()
            .map_err(|_| anyhow::anyhow!("the watcher panicked"))?
    })?;
    Ok((points, resident))
}

fn watch(folders: [&Path; 2], over: &AtomicBool) -> anyhow::Result<Vec<Point>> {
    let mut points: Vec<Point> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let newest = points.last().map_or(0, |point| point.to_us);
        let seen_us = now_us();
        let mut new: Vec<i64> = Vec::new();
        for folder in folders {
            new.extend(
                increments_in(folder)?
                    .iter()
                    .filter_map(|path| shown_us(path)),
            );
        }
        new.retain(|to_us| *to_us > newest);
        new.sort_unstable();
        new.dedup();
        points.extend(new.into_iter().map(|to_us| Point { to_us, seen_us }));
        pause(LOOKS_EVERY);
    }
    Ok(points)
}

/// The moment that an increment shows, from its name.
fn shown_us(increment: &Path) -> Option<i64> {
    let name = increment.file_name()?.to_str()?;
    let to_ms: i64 = name.split('-').next()?.parse().ok()?;
    Some(to_ms * 1000)
}

/// From each deed's confirmation until an increment with it was seen. What was done before the line's base was there is left out.
fn lag(lives: &[Life], points: &[Point]) -> Samples {
    let mut lag = Samples::default();
    let Some(first) = points.first() else {
        return lag;
    };
    for (begun, took) in lives.iter().flat_map(Life::took) {
        let done = begun + took.as_micros() as i64;
        let has_it = points.iter().find(|point| point.to_us > done);
        if let Some(point) = has_it
            && done > first.seen_us
        {
            let us = (point.seen_us - done).max(0);
            lag.push(Duration::from_micros(us.cast_unsigned()));
        }
    }
    lag
}

fn shipped_while_idle(
    stage: &Stage,
    home: &Path,
    target: &Path,
    time: Duration,
) -> anyhow::Result<u64> {
    let home = home.to_str().context("the folder's name is no text")?;
    let mut servers = Vec::new();
    for _ in 0..IDLE_SERVERS {
        let mut server = stage.server_on(home)?;
        server.pipes.initialize()?;
        servers.push(server);
    }
    // That they have started is shipped within a minute; what comes after it is idleness.
    pause(QUIET);
    let before = shipped(target)?;
    pause(time);
    let after = shipped(target)?;
    for server in servers {
        server.close(SETTLED_AFTER)?;
    }
    Ok(after - before)
}

fn shipped(target: &Path) -> anyhow::Result<u64> {
    let increments = increments_in(&target.join("pitr"))?;
    let sizes = increments.iter().map(|path| Ok(path.metadata()?.len()));
    sizes.sum()
}

/// Restores in place where nothing is but the settings and the identity, as after a lost disk.
fn restore_bare(
    stage: &Stage,
    folder: &Path,
    settings: &[(&str, String)],
    keys: &Keys,
    what: &str,
    at: Option<&str>,
) -> anyhow::Result<Duration> {
    let bare = folder.join("bare");
    let _ = std::fs::remove_dir_all(&bare);
    let keeper = Keeper::new(stage, &bare, settings, Some(keys));
    let identity = keys
        .identity
        .to_str()
        .context("the file's name is no text")?;
    let mut arguments = vec!["backup", "restore", what];
    arguments.extend(at);
    arguments.extend(["--identity", identity]);
    let (took, _) = timed(|| keeper.ask(&arguments))?;
    let size = bare.join("state.db").metadata()?.len();
    ensure!(size >= FILE_BYTES, "restored were {size} bytes");
    std::fs::remove_dir_all(&bare)?;
    Ok(took)
}
