//! What happens to the sidecar while the writers write, and what its clock showed when.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::keeper::Keeper;
use super::now_us;
use super::pitr::wait_until_shipped;
use super::target::Target;
use crate::client::wait_for_exit;
use crate::stage::{Sidecar, pause};

/// Debian's libfaketime.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
/// A sidecar that is asked to stop writes its last increment and goes.
const ENDS_WITHIN: Duration = Duration::from_secs(20);
const HOUR_S: i64 = 3_600;

/// A stretch of time in which the sidecar's clock did not jump.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from_us: i64,
    until_us: i64,
    /// How far its clock is ahead of the machine's.
    ahead_us: i64,
}

impl Stretch {
    fn holds(&self, real_us: i64) -> bool {
        (self.from_us..self.until_us).contains(&real_us)
    }
}

/// When it was what time for the sidecar, and when there was none.
#[derive(Debug, Default)]
pub(super) struct Times {
    stretches: Vec<Stretch>,
    down: Vec<(i64, i64)>,
    kills: usize,
    stops: usize,
    outages: usize,
}

/// A sidecar to which things happen.
pub(super) struct Story<'a> {
    keeper: &'a Keeper<'a>,
    sidecar: Sidecar,
    /// Holds by how much its clock is wrong, for libfaketime.
    clock: PathBuf,
    target: &'a Target,
    times: Times,
}

impl<'a> Story<'a> {
    /// Starts the sidecar with a right clock.
    pub(super) fn begin(
        keeper: &'a Keeper<'a>,
        target: &'a Target,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        ensure!(
            Path::new(FAKETIME).exists(),
            "there is no {FAKETIME}; hint: apt-get install faketime"
        );
        let clock = folder.join("clock");
        set(&clock, 0)?;
        let mut times = Times::default();
        times.jump(0);
        let sidecar = start(keeper, &clock)?;
        Ok(Self {
            keeper,
            sidecar,
            clock,
            target,
            times,
        })
    }

    /// Everything that happens, in `time` and the outage; returns when all has been shipped.
    pub(super) fn tell(mut self, time: Duration, outage: Duration) -> anyhow::Result<Times> {
        let piece = time / 8;
        pause(piece);
        self.kill()?;
        pause(piece);
        self.stop()?;
        pause(piece);
        self.target_goes_away(outage)?;
        pause(piece);
        self.jump(HOUR_S)?;
        pause(piece / 2);
        self.kill()?;
        pause(piece);
        self.jump(0)?;
        pause(piece);
        // Behind by less than has passed since: this time happens twice.
        self.jump(-(piece.as_secs().max(2).cast_signed()))?;
        pause(piece);
        self.stop()?;
        pause(piece / 2);
        self.times.end();
        wait_until_shipped(self.keeper)?;
        terminate(&mut self.sidecar)?;
        Ok(self.times)
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        let since = now_us();
        self.sidecar.process.0.kill()?;
        self.sidecar.process.0.wait()?;
        self.times.kills += 1;
        self.start_again(since)
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        let since = now_us();
        terminate(&mut self.sidecar)?;
        self.times.stops += 1;
        self.start_again(since)
    }

    fn start_again(&mut self, since: i64) -> anyhow::Result<()> {
        self.sidecar = start(self.keeper, &self.clock)?;
        self.times.down.push((since, now_us()));
        Ok(())
    }

    fn target_goes_away(&mut self, outage: Duration) -> anyhow::Result<()> {
        self.target.go_away()?;
        let began = Instant::now();
        pause(outage / 2);
        // Also while it is away.
        self.kill()?;
        pause(outage.saturating_sub(began.elapsed()));
        self.target.come_back()?;
        self.times.outages += 1;
        Ok(())
    }

    fn jump(&mut self, ahead_s: i64) -> anyhow::Result<()> {
        set(&self.clock, ahead_s)?;
        self.times.jump(ahead_s * 1_000_000);
        Ok(())
    }
}

fn start(keeper: &Keeper<'_>, clock: &Path) -> anyhow::Result<Sidecar> {
    keeper.start(&[
        ("LD_PRELOAD", FAKETIME.to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("NO_FAKE_STAT", "1".to_owned()),
    ])
}

fn terminate(sidecar: &mut Sidecar) -> anyhow::Result<()> {
    let child = &mut sidecar.process.0;
    let asked = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()?;
    ensure!(asked.success(), "`kill -TERM` ended with {asked}");
    wait_for_exit(child, ENDS_WITHIN).context("stopping the sidecar")
}

/// Whole at once: half a line would be another time.
fn set(clock: &Path, ahead_s: i64) -> anyhow::Result<()> {
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("{ahead_s:+}s\n"))?;
    Ok(std::fs::rename(new, clock)?)
}

impl Times {
    fn jump(&mut self, ahead_us: i64) {
        let now = now_us();
        self.end();
        self.stretches.push(Stretch {
            from_us: now,
            until_us: now,
            ahead_us,
        });
    }

    fn end(&mut self) {
        if let Some(last) = self.stretches.last_mut() {
            last.until_us = now_us();
        }
    }

    /// A random moment on this machine's clock, not before there was something to restore.
    pub(super) fn random(&self) -> i64 {
        let first = self.stretches.first().map_or(0, |first| first.from_us);
        let last = self.stretches.last().map_or(0, |last| last.until_us);
        fastrand::i64(first + FIRST_BASE_WITHIN_US..last)
    }

    /// The same moment as the sidecar's clock showed it, in the form of the command line.
    pub(super) fn named(&self, real_us: i64) -> String {
        let ahead = self.stretch_of(real_us).map_or(0, |at| at.ahead_us);
        let shown = jiff::Timestamp::from_microsecond(real_us + ahead);
        shown.map_or_else(|_| "out of time".to_owned(), |shown| format!("{shown:.3}"))
    }

    fn stretch_of(&self, real_us: i64) -> Option<&Stretch> {
        self.stretches.iter().find(|at| at.holds(real_us))
    }

    /// When the sidecar's clock showed this, the newest first.
    pub(super) fn real(&self, shown_us: i64) -> Vec<i64> {
        let real = self
            .stretches
            .iter()
            .rev()
            .map(|at| (at, shown_us - at.ahead_us));
        let showed =
            real.filter(|(at, real)| (at.from_us - LOOKED..at.until_us + LOOKED).contains(real));
        showed.map(|(_, real)| real).collect()
    }

    /// How many lines of increments there have to be: each step back begins a new one, and nothing else does.
    pub(super) fn lines(&self) -> usize {
        1 + self.steps_back_until(i64::MAX)
    }

    fn steps_back_until(&self, real_us: i64) -> usize {
        let steps = self.stretches.windows(2);
        let back =
            steps.filter(|pair| pair[1].ahead_us < pair[0].ahead_us && pair[1].from_us <= real_us);
        back.count()
    }

    /// The line in which the moment has to be named, when the clock alone names another: from where a later line begins on the clock,
    /// that one answers.
    pub(super) fn line_of(&self, real_us: i64) -> Option<usize> {
        self.is_taken_over(real_us)
            .then(|| self.steps_back_until(real_us))
    }

    fn is_taken_over(&self, real_us: i64) -> bool {
        let Some(place) = self.stretches.iter().position(|at| at.holds(real_us)) else {
            return false;
        };
        let shown_us = real_us + self.stretches[place].ahead_us;
        let steps = self.stretches[place..].windows(2);
        let mut later = steps
            .filter(|pair| pair[1].ahead_us < pair[0].ahead_us)
            .map(|pair| pair[1].from_us + pair[1].ahead_us);
        later.any(|began_us| shown_us >= began_us)
    }

    /// Whether the clock has just been set back: nothing shows this moment before the new line has its first increment.
    pub(super) fn is_just_after_a_step_back(&self, real_us: i64) -> bool {
        self.stretches.windows(2).any(|pair| {
            let since = real_us - pair[1].from_us;
            pair[1].ahead_us < pair[0].ahead_us && (0..FIRST_BASE_WITHIN_US).contains(&since)
        })
    }

    /// For how much of this time there was no sidecar.
    pub(super) fn down_within(&self, from_us: i64, until_us: i64) -> Duration {
        let within = self.down.iter().map(|(from, until)| {
            let overlap = (*until).min(until_us) - (*from).max(from_us);
            Duration::from_micros(overlap.max(0).cast_unsigned())
        });
        within.sum()
    }
}

/// The first increment is the whole file; a sidecar has written it soon after it was started, and a new line soon after a step back.
const FIRST_BASE_WITHIN_US: i64 = 1_500_000;
/// The clock jumps a moment before or after it is noted.
const LOOKED: i64 = 5_000;

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sidecar killed {} times, stopped {} times, {} outage of the target, {} clock jumps",
            self.kills,
            self.stops,
            self.outages,
            self.stretches.len() - 1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right from 0 to 100, an hour ahead until 200, then 50 behind until 300.
    fn times() -> Times {
        let stretch = |from_us, until_us, ahead_us| Stretch {
            from_us,
            until_us,
            ahead_us,
        };
        Times {
            stretches: vec![
                stretch(0, 100_000_000, 0),
                stretch(100_000_000, 200_000_000, 3_600_000_000),
                stretch(200_000_000, 300_000_000, -150_000_000),
            ],
            down: vec![(10, 20), (40, 60)],
            ..Times::default()
        }
    }

    #[test]
    fn a_moment_is_found_again_by_what_the_clock_showed() {
        let times = times();
        assert_eq!(times.real(3_750_000_000), [150_000_000]);
        // Told twice: first by the right clock, then by the one that is behind.
        assert_eq!(times.real(60_000_000), [210_000_000, 60_000_000]);
    }

    #[test]
    fn after_a_step_back_the_later_line_answers_for_what_it_has() {
        let times = times();
        // It begins at 50 on the clock: what was shown later before that is taken over, the wrong hour included.
        assert!(!times.is_taken_over(49_000_000));
        assert!(times.is_taken_over(51_000_000));
        assert!(times.is_taken_over(150_000_000));
        assert!(!times.is_taken_over(250_000_000));
        assert_eq!(times.lines(), 2);
        assert_eq!(times.line_of(150_000_000), Some(0));
        assert!(times.is_just_after_a_step_back(200_500_000));
        assert!(!times.is_just_after_a_step_back(100_500_000));
    }

    #[test]
    fn the_time_without_a_sidecar_is_added_up() {
        assert_eq!(times().down_within(15, 50), Duration::from_micros(15));
        assert_eq!(times().down_within(21, 39), Duration::ZERO);
    }
}
