//! Restoring to random moments, after a time in which everything went wrong that can.
//!
//! Writers write with their times all the while, one of them empties the log often. The sidecar is killed, stopped and started
//! again; the target goes away and comes back; the sidecar's clock (and only its) jumps an hour ahead, back again, and behind.
//! Then the file is restored to random moments of that time, and each has to be the state of the moment that the command says it
//! reached, and that has to be the one that was asked for but for the second that is promised.
//!
//! What is claimed around clock jumps: a moment is named by the clock of the sidecar at that time. Where it stepped back, time happens
//! twice, and a new line of increments begins. From its first increment on the later one is meant; what the clock showed before is named
//! by its line. In the second after a step back the state of the same time before it is given, and said to be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::content::{self, Content};
use super::crew::{Crew, Habits};
use super::keeper::{Keeper, Keys};
use super::model::{Model, Moment};
use super::moment_us;
use super::story::{Story, Times};
use super::target::Target;
use crate::stage::{Stage, pause};
use crate::stats::Samples;

const WRITERS: usize = 6;
/// Every so many deeds each writer empties the log.
const CHECKPOINTS: u64 = 40;
/// A busy machine writes the next increment a little later than a second after the last.
const TOLERATED: Duration = Duration::from_millis(500);
/// From the look at the clock to the snapshot, on a machine whose cores are all taken.
const PINNED_WITHIN_US: i64 = 250_000;
/// What is left in the spool is shipped soon after the target is back.
const SHIPPED_WITHIN: Duration = Duration::from_secs(60);

/// How hard it is to be.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The server of a bucket; without it the target is a folder.
    pub(crate) moto_server: Option<PathBuf>,
    pub(crate) time: Duration,
    pub(crate) outage: Duration,
    pub(crate) moments: usize,
}

/// Runs it; an error says which moment was not what it was said to be.
pub(crate) fn prove(plan: &Plan) -> anyhow::Result<()> {
    println!(
        "pitr: {WRITERS} writers for {:?}; sidecar killed and stopped, {} away for {:?}, its clock jumps; then {} random moments",
        plan.time,
        if plan.moto_server.is_some() {
            "bucket"
        } else {
            "folder"
        },
        plan.outage,
        plan.moments
    );
    Stage::open()?.or_leave_it(|stage| prove_on(stage, plan))
}

fn prove_on(stage: &Stage, plan: &Plan) -> anyhow::Result<()> {
    let home = stage.folder().join("shop");
    let target = match &plan.moto_server {
        Some(moto_server) => Target::bucket(moto_server, stage.folder())?,
        None => Target::folder(&stage.folder().join("target"))?,
    };
    let settings = [
        ("BACKUP_TARGETS", target.url()),
        ("BACKUP_SCHEDULE", "off".to_owned()),
    ];
    // What leaves the machine is encrypted.
    let keys = plan
        .moto_server
        .as_ref()
        .map(|_| Keys::make(stage.folder()));
    let keys = keys.transpose()?;
    let keeper = Keeper::new(stage, &home, &settings, keys.as_ref()).with(target.environment());
    let habits = Habits {
        home,
        pause_ms: 5..120,
        checkpoints: Some(CHECKPOINTS),
    };
    let crew = Crew::start(habits, WRITERS)?;
    let times = Story::begin(&keeper, &target, stage.folder())?.tell(plan.time, plan.outage)?;
    let model = Model::new(crew.finish()?, Default::default());
    let (deeds, _) = model.confirmed();
    println!("  {deeds} deeds confirmed; {times}");

    let lines = lines(&keeper)?;
    ensure!(
        lines.len() == times.lines(),
        "{} lines of increments, {} expected: {lines:?}",
        lines.len(),
        times.lines()
    );
    let mut seen = Seen::promised(target.promised());
    for number in 0..plan.moments {
        let real_us = times.random();
        seen.look(stage, &keeper, &model, (&times, &lines), real_us)
            .with_context(|| format!("moment {number}, at {}", times.named(real_us)))?;
    }
    seen.tell()?;
    nothing_is_lost(&keeper)
}

/// Reads every increment of the target back.
fn nothing_is_lost(keeper: &Keeper<'_>) -> anyhow::Result<()> {
    let said = keeper.ask(&["backup", "verify", "--pitr"])?;
    let increments = &said["targets"][0]["increments"];
    ensure!(
        increments["found"].as_u64() > Some(0) && increments["lost"] == 0,
        "`backup verify --pitr` says {said}"
    );
    println!("  verified: of the increments at the target {increments}");
    Ok(())
}

/// The lines of increments, oldest first: their names sort in the order in which they began.
fn lines(keeper: &Keeper<'_>) -> anyhow::Result<Vec<String>> {
    let said = keeper.ask(&["backup", "list", "--points"])?;
    let points = said["points"].as_array();
    let points = points.with_context(|| format!("no `points` in {said}"))?;
    let lines = points.iter().filter_map(|point| point["line"].as_str());
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

/// What restoring showed.
#[derive(Debug, Default)]
struct Seen {
    /// What may be missing of the time before the moment that was asked for.
    promised: Duration,
    behind: Samples,
    took: Samples,
    beyond: usize,
    down: usize,
    stepped_back: usize,
    by_line: usize,
}

impl Seen {
    fn promised(promised: Duration) -> Self {
        Self {
            promised,
            ..Self::default()
        }
    }

    /// Restores to one moment and judges it.
    fn look(
        &mut self,
        stage: &Stage,
        keeper: &Keeper<'_>,
        model: &Model,
        (times, lines): (&Times, &[String]),
        real_us: i64,
    ) -> anyhow::Result<()> {
        let file = stage.folder().join("moment.db");
        let _ = std::fs::remove_file(&file);
        let began = Instant::now();
        let named = times.named(real_us);
        let mut what = vec!["--at", &named];
        if let Some(line) = times.line_of(real_us) {
            what.extend(["--line", &lines[line]]);
            self.by_line += 1;
        }
        let said = keeper.restore(&what, &file)?;
        self.took.push(began.elapsed());
        let reached = said["reached_at"].as_str();
        let reached = reached.with_context(|| format!("no `reached_at` in {said}"))?;
        let content = content::read(&file)?;
        the_moment_it_shows(model, times, &content, moment_us(reached)?)?;

        if times.is_just_after_a_step_back(real_us) {
            self.stepped_back += 1;
            return Ok(());
        }
        let behind = model.behind(&content, real_us);
        let down = times.down_within(real_us - behind.as_micros() as i64, real_us);
        let missing = behind.saturating_sub(down);
        ensure!(
            missing <= self.promised + TOLERATED,
            "reached {reached}: {behind:?} are missing, {down:?} of them while the sidecar was down"
        );
        self.down += usize::from(!down.is_zero());
        self.beyond += usize::from(missing > self.promised);
        self.behind.push(missing);
        Ok(())
    }

    fn tell(mut self) -> anyhow::Result<()> {
        println!(
            "  every moment equals the model at the time that was reached; missing of the time before it: p50 {:.0?}, p90 {:.0?}, most {:.0?} ({} of {} above {:?})",
            self.behind.quantile(0.5),
            self.behind.quantile(0.9),
            self.behind.quantile(1.0),
            self.beyond,
            self.behind.len(),
            self.promised
        );
        println!(
            "  {} of them in or just after a time without a sidecar, which is not counted; {} more just after a step back of the clock; {} named by their line",
            self.down, self.stepped_back, self.by_line
        );
        println!(
            "  a restore took p50 {:.0?}, at most {:.0?}",
            self.took.quantile(0.5),
            self.took.quantile(1.0)
        );
        ensure!(self.behind.len() > 0, "no moment was looked at");
        Ok(())
    }
}

/// The moment on this machine's clock at which the sidecar's showed `reached_us` and the file was as it is.
fn the_moment_it_shows(
    model: &Model,
    times: &Times,
    content: &Content,
    reached_us: i64,
) -> anyhow::Result<i64> {
    let mut mistakes = Vec::new();
    for from_us in times.real(reached_us) {
        let moment = Moment {
            from_us,
            until_us: from_us + PINNED_WITHIN_US,
        };
        let found = model.mistakes(content, moment);
        if found.is_empty() {
            return Ok(from_us);
        }
        mistakes = found;
    }
    let first = &mistakes[..mistakes.len().min(5)];
    anyhow::bail!(
        "it is not the state of the moment that was reached: {} mistakes: {}",
        mistakes.len(),
        first.join("; ")
    )
}

/// Waits until nothing is left to be shipped.
pub(super) fn wait_until_shipped(keeper: &Keeper<'_>) -> anyhow::Result<()> {
    let deadline = Instant::now() + SHIPPED_WITHIN;
    loop {
        let left = increments_in(&keeper.home.backup_spool())?;
        if left.is_empty() {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "{} increments were not shipped within {SHIPPED_WITHIN:?}; the first: {}",
            left.len(),
            left[0].display()
        );
        pause(Duration::from_millis(50));
    }
}

/// Every increment below a folder.
pub(super) fn increments_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(increments_in(&path)?);
        } else if path.to_string_lossy().contains(".inc.") {
            found.push(path);
        }
    }
    Ok(found)
}
