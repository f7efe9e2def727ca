//! Backups every few seconds while a hundred processes write, and the sidecar, the commands and the writers are killed at random.
//!
//! Afterwards every backup that has a manifest is restored on a machine that has nothing else, and held against what the writers
//! were told. Whatever was killed left no claim behind: what has no manifest is not listed, and the older ones are as good as
//! before.
//!
//! Each backup that appears is linked into an archive of its own at once, since the retention rules rightly keep one an hour.

mod blows;
mod place;
mod restored;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{ScopedJoinHandle, scope};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use self::blows::{Aim, Blows};
use self::place::Place;
use self::restored::Restored;
use super::crew::{Crew, Habits};
use super::keeper::{Keeper, Keys};
use super::model::{Life, Model};
use super::servers::Servers;
use crate::stage::Stage;

/// Between two deeds of a writer of ours, in milliseconds: fifty of them do some four hundred a second.
const DEED_EVERY_MS: Range<u64> = 20..220;

/// How hard it is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) writers: usize,
    pub(crate) time: Duration,
    pub(crate) every: Duration,
    pub(crate) encrypt: bool,
}

/// Runs it; an error says what was lost, torn or claimed.
pub(crate) fn prove(plan: Plan) -> anyhow::Result<()> {
    println!(
        "backups: {} writers, a backup every {:?} for {:?}{}, sidecar and writers killed at random",
        plan.writers,
        plan.every,
        plan.time,
        if plan.encrypt { ", encrypted" } else { "" }
    );
    Stage::open()?.or_leave_it(|stage| prove_on(stage, plan))
}

fn prove_on(stage: &Stage, plan: Plan) -> anyhow::Result<()> {
    let place = Place::prepare(stage)?;
    let keys = plan
        .encrypt
        .then(|| Keys::make(stage.folder()))
        .transpose()?;
    let keeper = Keeper::new(stage, &place.home, &place.settings(plan), keys.as_ref());
    let (model, blows) = play(stage, &place, &keeper, plan)?;
    // One more, of the last state; it clears away what the killed have left.
    keeper.ask(&["backup", "run"])?;
    place.keep_new_ones()?;
    place.nothing_is_left_over(&keeper)?;

    let listed = place.nothing_is_claimed(&keeper)?;
    let restored = restored::restore_all(stage, &place, keys.as_ref(), &model)?;
    tell(&model, &blows, restored, listed)
}

fn tell(model: &Model, blows: &Blows, restored: Restored, listed: usize) -> anyhow::Result<()> {
    let (deeds, changes) = model.confirmed();
    println!(
        "  {deeds} deeds of writers and {changes} changes by real servers confirmed, {} put off because the file was busy",
        blows.busy
    );
    println!(
        "  killed: {} writers, {} backup commands at work, the sidecar {} times ({} of them while it made a backup)",
        blows.writers,
        blows.commands,
        blows.sidecar + blows.sidecar_at_work,
        blows.sidecar_at_work
    );
    println!(
        "  {} backups recorded as good, {} of them by the command: every one restored and equal to the model ({} records in the largest)",
        restored.backups, blows.ran, restored.records
    );
    println!("  {listed} listed in the end, none without its file, no claim left by the killed");
    for refused in blows.refused.iter().take(3) {
        println!("  a run ended badly: {refused}");
    }
    ensure!(restored.backups > 1, "hardly a backup was made");
    ensure!(
        blows.commands + blows.sidecar_at_work > 0,
        "no kill fell into a backup: nothing was proven"
    );
    ensure!(
        blows.refused.is_empty(),
        "{} runs that nobody killed ended badly",
        blows.refused.len()
    );
    Ok(())
}

/// Everything at once, until the time is over. Everybody is dead afterwards.
fn play(
    stage: &Stage,
    place: &Place,
    keeper: &Keeper<'_>,
    plan: Plan,
) -> anyhow::Result<(Model, Blows)> {
    let home = place
        .home
        .to_str()
        .context("the folder's name is no text")?;
    let habits = Habits {
        home: place.home.clone(),
        pause_ms: DEED_EVERY_MS,
        checkpoints: None,
    };
    let mut servers = Servers::start(stage, home, plan.writers / 2)?;
    let mut crew = Crew::start(habits, plan.writers - plan.writers / 2)?;
    let (over, aim) = (AtomicBool::new(false), Aim::default());
    let mut blows = scope(|scope| {
        let commands = scope.spawn(|| blows::back_up_by_command(keeper, &aim, plan.every, &over));
        let sidecar = scope.spawn(|| blows::kill_the_sidecar(keeper, &aim, plan.every, &over));
        let archive = scope.spawn(|| blows::archive(place, &over));
        let writers = blows::kill_writers(&mut crew, &mut servers, plan.time);
        over.store(true, Ordering::Relaxed);
        let (ran, refused, commands) = joined(commands)?;
        let (sidecar_at_work, sidecar) = joined(sidecar)?;
        joined(archive)?;
        anyhow::Ok(Blows {
            ran,
            refused,
            commands,
            sidecar_at_work,
            sidecar,
            writers: writers?,
            busy: 0,
        })
    })?;
    place.keep_new_ones()?;
    let lives = crew.finish()?;
    blows.busy = told_busy(&lives)?;
    Ok((Model::new(lives, servers.finish()?), blows))
}

/// How many deeds were refused because others wrote for too long, as on a disk that everybody waits for: nothing was written, which
/// the model holds against the file, and the writer tried again. No other refusal is in order.
fn told_busy(lives: &[Life]) -> anyhow::Result<usize> {
    let refused = lives.iter().flat_map(|life| &life.refused);
    let (busy, other): (Vec<&String>, Vec<&String>) =
        refused.partition(|why| why.starts_with("the state file is busy"));
    ensure!(
        other.is_empty(),
        "{} deeds were refused; the first: {}",
        other.len(),
        other[0]
    );
    Ok(busy.len())
}

fn joined<T>(thread: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("a thread of the proof panicked"))?
}
