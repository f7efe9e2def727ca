//! Who is killed when: writers of both kinds, the operator's command, the sidecar.

use std::ops::Range;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::place::Place;
use crate::recovery::crew::Crew;
use crate::recovery::keeper::Keeper;
use crate::recovery::servers::Servers;
use crate::stage::pause;

/// A writer of each kind is killed so often, in milliseconds.
const WRITER_KILLED_EVERY_MS: Range<u64> = 150..600;
/// Of the commands one in so many is left alone.
const SPARED: u64 = 3;
/// How often the archive looks for new manifests.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// What was done to whom.
#[derive(Debug, Default)]
pub(super) struct Blows {
    /// Backups by the command that ended well.
    pub(super) ran: usize,
    /// That ended badly without having been killed.
    pub(super) refused: Vec<String>,
    /// Killed while they ran.
    pub(super) commands: usize,
    /// The sidecar, killed while it made a backup, and at other moments.
    pub(super) sidecar_at_work: usize,
    pub(super) sidecar: usize,
    pub(super) writers: usize,
    /// Deeds that were told to try again, since others wrote for too long.
    pub(super) busy: usize,
}

pub(super) fn kill_writers(
    crew: &mut Crew,
    servers: &mut Servers<'_>,
    time: Duration,
) -> anyhow::Result<usize> {
    let began = Instant::now();
    let mut killed = 0;
    while began.elapsed() < time {
        pause(Duration::from_millis(fastrand::u64(WRITER_KILLED_EVERY_MS)));
        crew.replace_one()?;
        servers.replace_one()?;
        killed += 2;
    }
    Ok(killed)
}

/// How long a backup takes, so that kills fall all over it.
#[derive(Debug, Default)]
pub(super) struct Aim(AtomicU64);

impl Aim {
    fn learn(&self, took: Duration) {
        self.0.store(took.as_millis() as u64, Ordering::Relaxed);
    }

    /// Waits until this process makes a backup, and then for a random part of it.
    fn wait(&self, keeper: &Keeper<'_>, pid: u32, patience: Duration) {
        keeper.wait_for_a_backup(pid, patience);
        let whole = self.0.load(Ordering::Relaxed);
        pause(Duration::from_millis(fastrand::u64(..=whole)));
    }
}

/// The operator's command, over and over, two in three killed: how many ended well, what the bad ones said, how many were
/// killed.
pub(super) fn back_up_by_command(
    keeper: &Keeper<'_>,
    aim: &Aim,
    every: Duration,
    over: &AtomicBool,
) -> anyhow::Result<(usize, Vec<String>, usize)> {
    let (mut round, mut ran, mut refused, mut killed) = (0, 0, Vec::new(), 0);
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        let mut child = keeper
            .command(&["backup", "run", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let is_spared = round % SPARED == 0;
        keeper.wait_for_a_backup(child.id(), every);
        let at_work = Instant::now();
        if !is_spared {
            aim.wait(keeper, child.id(), every);
            killed += usize::from(keeper.makes_a_backup(child.id()));
            child.kill()?;
        }
        let ended = child.wait_with_output()?;
        if ended.status.success() {
            ran += 1;
            aim.learn(at_work.elapsed());
        } else if ended.status.code().is_some() {
            refused.push(String::from_utf8_lossy(&ended.stderr).trim().to_owned());
        }
        while began.elapsed() < every && !over.load(Ordering::Relaxed) {
            pause(LOOKS_EVERY);
        }
        round += 1;
    }
    Ok((ran, refused, killed))
}

/// Kills the sidecar, half of the time as soon as a backup is under way: how often at work, and how often not.
pub(super) fn kill_the_sidecar(
    keeper: &Keeper<'_>,
    aim: &Aim,
    every: Duration,
    over: &AtomicBool,
) -> anyhow::Result<(usize, usize)> {
    let (mut at_work, mut idle) = (0, 0);
    loop {
        let mut sidecar = keeper.start(&[])?;
        let pid = sidecar.process.0.id();
        pause(every.mul_f64(fastrand::f64()));
        if fastrand::bool() {
            aim.wait(keeper, pid, every * 2);
        }
        if over.load(Ordering::Relaxed) {
            return Ok((at_work, idle));
        }
        if keeper.makes_a_backup(pid) {
            at_work += 1;
        } else {
            idle += 1;
        }
        sidecar.process.0.kill()?;
        sidecar.process.0.wait()?;
    }
}

pub(super) fn archive(place: &Place, over: &AtomicBool) -> anyhow::Result<()> {
    while !over.load(Ordering::Relaxed) {
        place.keep_new_ones()?;
        pause(LOOKS_EVERY);
    }
    Ok(())
}
