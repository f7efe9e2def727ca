//! Backups every few seconds while a hundred processes write, and the sidecar, the commands and the writers are killed at random.
//!
//! Afterwards every backup that has a manifest is restored on a machine that has nothing else, and held against what the writers
//! were told. Whatever was killed left no claim behind: what has no manifest is not listed, and the older ones are as good as
//! before.
//!
//! Each backup that appears is linked into an archive of its own at once, since the retention rules rightly keep one an hour.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{ScopedJoinHandle, scope};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::crew::{Crew, Habits};
use super::keeper::{Keeper, Keys};
use super::model::{Model, Moment};
use super::servers::Servers;
use super::{content, file_url, moment_us};
use crate::stage::{Stage, pause};

/// Between two deeds of a writer of ours, in milliseconds: fifty of them do some four hundred a second.
const DEED_EVERY_MS: Range<u64> = 20..220;
/// A writer of each kind is killed so often, in milliseconds.
const WRITER_KILLED_EVERY_MS: Range<u64> = 150..600;
/// Of the commands one in so many is left alone.
const SPARED: u64 = 3;
/// How often the archive looks for new manifests.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// How hard it is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) writers: usize,
    pub(crate) time: Duration,
    pub(crate) every: Duration,
    pub(crate) encrypt: bool,
}

/// What was done to whom.
#[derive(Debug, Default)]
struct Blows {
    /// Backups by the command that ended well.
    ran: usize,
    /// That ended badly without having been killed.
    refused: Vec<String>,
    /// Killed while they ran.
    commands: usize,
    /// The sidecar, killed while it made a backup, and at other moments.
    sidecar_at_work: usize,
    sidecar: usize,
    writers: usize,
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
    let stage = Stage::open()?;
    let place = Place::prepare(&stage)?;
    let keys = plan
        .encrypt
        .then(|| Keys::make(stage.folder()))
        .transpose()?;
    let keeper = Keeper::new(&stage, &place.home, &place.settings(plan), keys.as_ref());
    let (model, blows) = play(&stage, &place, &keeper, plan)?;

    let listed = place.nothing_is_claimed(&keeper)?;
    let restored = restore_all(&stage, &place, keys.as_ref(), &model)?;
    tell(&model, &blows, restored, listed)
}

fn tell(model: &Model, blows: &Blows, restored: Restored, listed: usize) -> anyhow::Result<()> {
    let (deeds, changes) = model.confirmed();
    println!("  {deeds} deeds of writers and {changes} changes by real servers confirmed");
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

/// Where things lie.
#[derive(Debug)]
struct Place {
    home: PathBuf,
    target: PathBuf,
    /// Every backup that ever had a manifest.
    archive: PathBuf,
}

impl Place {
    fn prepare(stage: &Stage) -> anyhow::Result<Self> {
        let place = Self {
            home: stage.folder().join("shop"),
            target: stage.folder().join("target"),
            archive: stage.folder().join("archive"),
        };
        std::fs::create_dir_all(place.target.join("snapshots"))?;
        std::fs::create_dir_all(place.archive.join("snapshots"))?;
        let home = place
            .home
            .to_str()
            .context("the folder's name is no text")?;
        stage.seal_shop_in(home)?;
        Ok(place)
    }

    fn settings(&self, plan: Plan) -> Vec<(&'static str, String)> {
        vec![
            ("BACKUP_TARGETS", file_url(&self.target)),
            // Not sooner than every 5 s, the setting says.
            (
                "BACKUP_SCHEDULE",
                format!("{}s", plan.every.as_secs().max(5)),
            ),
        ]
    }

    /// Links what has a manifest into the archive.
    fn keep_new_ones(&self) -> anyhow::Result<()> {
        let kept = ids_in(&self.archive)?;
        for id in ids_in(&self.target)?.difference(&kept) {
            for entry in std::fs::read_dir(self.target.join("snapshots"))? {
                let (name, path) = named(&entry?);
                let is_its_file = name.starts_with(id) && !is_manifest(&name);
                // Pruned meanwhile: then its manifest is gone, too.
                if is_its_file && std::fs::hard_link(path, self.archived(&name)).is_err() {
                    break;
                }
            }
            let manifest = format!("{id}.json");
            let _ = std::fs::hard_link(
                self.target.join("snapshots").join(&manifest),
                self.archived(&manifest),
            );
        }
        Ok(())
    }

    fn archived(&self, name: &str) -> PathBuf {
        self.archive.join("snapshots").join(name)
    }

    /// What the product lists are the manifests that are there, and each has its file; how many.
    fn nothing_is_claimed(&self, keeper: &Keeper<'_>) -> anyhow::Result<usize> {
        let listed = ids_listed(&keeper.ask(&["backup", "list"])?)?;
        let there = ids_in(&self.target)?;
        ensure!(
            listed == there,
            "listed are {listed:?}, and manifests are there for {there:?}"
        );
        Ok(listed.len())
    }
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
    let blows = scope(|scope| {
        let commands = scope.spawn(|| back_up_by_command(keeper, &aim, plan.every, &over));
        let sidecar = scope.spawn(|| kill_the_sidecar(keeper, &aim, plan.every, &over));
        let archive = scope.spawn(|| archive(place, &over));
        let writers = kill_writers(&mut crew, &mut servers, plan.time);
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
        })
    })?;
    place.keep_new_ones()?;
    let lives = crew.finish()?;
    let refused: Vec<&String> = lives.iter().flat_map(|life| &life.refused).collect();
    ensure!(
        refused.is_empty(),
        "{} deeds were refused; the first: {}",
        refused.len(),
        refused[0]
    );
    Ok((Model::new(lives, servers.finish()?), blows))
}

fn kill_writers(
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
struct Aim(AtomicU64);

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
fn back_up_by_command(
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
fn kill_the_sidecar(
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

fn archive(place: &Place, over: &AtomicBool) -> anyhow::Result<()> {
    while !over.load(Ordering::Relaxed) {
        place.keep_new_ones()?;
        pause(LOOKS_EVERY);
    }
    Ok(())
}

/// What restoring everything showed.
#[derive(Debug, Clone, Copy, Default)]
struct Restored {
    backups: usize,
    records: usize,
}

/// Restores each backup of the archive on a machine that has nothing else, and holds it against the model.
fn restore_all(
    stage: &Stage,
    place: &Place,
    keys: Option<&Keys>,
    model: &Model,
) -> anyhow::Result<Restored> {
    let bare = stage.folder().join("bare");
    let settings = [("BACKUP_TARGETS", file_url(&place.archive))];
    let keeper = Keeper::new(stage, &bare, &settings, keys);
    let listed = ids_listed(&keeper.ask(&["backup", "list"])?)?;
    let there = ids_in(&place.archive)?;
    ensure!(
        listed == there,
        "the archive lists {listed:?}, and has manifests for {there:?}"
    );
    let mut restored = Restored::default();
    for id in &listed {
        let file = stage.folder().join("restored.db");
        let _ = std::fs::remove_file(&file);
        let records = restore_one(stage, place, &keeper, id, &file, model)
            .with_context(|| format!("backup {id}"))?;
        restored.backups += 1;
        restored.records = restored.records.max(records);
    }
    Ok(restored)
}

fn restore_one(
    stage: &Stage,
    place: &Place,
    keeper: &Keeper<'_>,
    id: &str,
    file: &Path,
    model: &Model,
) -> anyhow::Result<usize> {
    let said = keeper.restore(&["--id", id], file)?;
    ensure!(said["id"] == id, "restoring it was answered with {said}");
    let manifest = std::fs::read(place.archived(&format!("{id}.json")))?;
    let manifest: Value = serde_json::from_slice(&manifest)?;
    let at = manifest["at"]
        .as_str()
        .context("the manifest has no `at`")?;
    let took_ms = manifest["took_ms"]
        .as_i64()
        .context("the manifest has no `took_ms`")?;
    let at_us = moment_us(at)?;
    let moment = Moment {
        from_us: at_us,
        until_us: at_us + 1_000 * (took_ms + 1),
    };
    let content = content::read(file)?;
    let mistakes = model.mistakes(&content, moment);
    ensure!(
        mistakes.is_empty(),
        "{} mistakes: {}",
        mistakes.len(),
        mistakes[..mistakes.len().min(5)].join("; ")
    );
    the_keys_still_open(stage, place, file)?;
    Ok(content.records.len())
}

/// With its master key beside it, the file is one that a server works with: its signatures are right and its seals open.
fn the_keys_still_open(stage: &Stage, place: &Place, file: &Path) -> anyhow::Result<()> {
    let home = stage.folder().join("revived");
    let _ = std::fs::remove_dir_all(&home);
    std::fs::create_dir_all(&home)?;
    std::fs::copy(file, home.join("state.db"))?;
    std::fs::copy(place.home.join("master.key"), home.join("master.key"))?;
    let home = home.to_str().context("the folder's name is no text")?;
    let mut server = stage.server_on_sealed(home)?;
    server.pipes.initialize()?;
    let answer = server
        .pipes
        .call("orders_get", r#"{"order_id":"7001001"}"#)?;
    ensure!(
        crate::client::succeeded(answer),
        "a server on it answered {answer}"
    );
    let (verified, said) = stage.command(&["--home", home, "audit", "verify"])?;
    ensure!(verified, "audit verify: {said}");
    Ok(())
}

/// The backups that have a manifest.
fn ids_in(target: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for entry in std::fs::read_dir(target.join("snapshots"))? {
        let (name, _) = named(&entry?);
        if is_manifest(&name) {
            ids.insert(name.trim_end_matches(".json").to_owned());
        }
    }
    Ok(ids)
}

fn ids_listed(list: &Value) -> anyhow::Result<BTreeSet<String>> {
    let backups = list["backups"].as_array();
    let backups = backups.with_context(|| format!("`backup list --json` printed {list}"))?;
    let ids = backups.iter().map(|backup| backup["id"].as_str());
    let ids: Option<BTreeSet<String>> = ids.map(|id| id.map(str::to_owned)).collect();
    ids.context("a listed backup has no id")
}

/// A manifest with its own name: one that is still being written has another.
fn is_manifest(name: &str) -> bool {
    name.ends_with(".json") && name.len() == "20261121T214011Z-3f9a1c.json".len()
}

fn named(entry: &std::fs::DirEntry) -> (String, PathBuf) {
    (
        entry.file_name().to_string_lossy().into_owned(),
        entry.path(),
    )
}

fn joined<T>(thread: ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("a thread of the proof panicked"))?
}
