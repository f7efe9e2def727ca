//! `backup verify` and `backup drill`: what was proven, and what was not.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};

use super::keys::{KeyArgs, identities};
use super::list::backup_json;
use super::{VerifyArgs, exit, in_words, remark, rfc3339};
use crate::backup::find::{self, Found, Shelf};
use crate::backup::journal::DrillNote;
use crate::backup::pitr::Context;
use crate::backup::seal::Identities;
use crate::backup::verify::{self, PointProof, Proof};
use crate::backup::{Progress, Room, drill};
use crate::cli::progress::Bar;
use crate::cli::{complain, say};

/// Proves; exit 1 if anything is bad.
pub(super) fn verify(room: &Room, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let identities = identities(room, &args.keys)?;
    if args.pitr {
        return points(room, identities.as_ref(), args.json);
    }
    let shelves = find::shelves(&room.targets);
    for shelf in &shelves {
        if let Some(why) = &shelf.away {
            remark(why);
        }
    }
    let chosen = choose(&shelves, args, room.clock.now_ms())?;
    let bar = Bar::new();
    let proven: Vec<Proven> = chosen
        .iter()
        .map(|found| prove(room, &shelves, found, identities.as_ref(), &bar))
        .collect();
    bar.done();
    // With `--all`, what only looks like a backup is bad as well, and a target that could not be asked proves nothing.
    let strays: Vec<_> = shelves
        .iter()
        .flat_map(|shelf| shelf.unusable.iter().map(move |stray| (shelf, stray)))
        .filter(|(_, stray)| args.all || args.id.as_ref() == Some(&stray.id))
        .map(|(shelf, stray)| json!({"id": stray.id.to_string(), "target": shelf.target.name(), "why": stray.why}))
        .collect();
    let all_answer = shelves.iter().all(|shelf| shelf.away.is_none());
    let ok = proven.iter().all(Proven::is_good) && strays.is_empty() && all_answer;
    if args.json {
        let backups: Vec<_> = proven.iter().map(Proven::to_json).collect();
        let answer = json!({"ok": ok, "backups": backups, "unusable": strays});
        say(&format!("{answer:#}\n"))?;
    } else {
        for proven in &proven {
            say(&proven.to_text(room.clock.now_ms()))?;
        }
        for stray in &strays {
            let word = |key: &str| stray[key].as_str().unwrap_or_default().to_owned();
            say(&format!(
                "{}  BAD at {}: {}\n",
                word("id"),
                word("target"),
                word("why")
            ))?;
        }
    }
    if !ok {
        complain(NOT_GOOD);
    }
    Ok(exit(ok))
}

/// What to do; what is bad stands in the answer itself.
const NOT_GOOD: &str = "not everything could be proven good; hint: a restore passes by what is bad and takes the next target or the one before; \
    `ops-sidecar backup run` makes a good one now";

fn choose(shelves: &[Shelf], args: &VerifyArgs, now_ms: i64) -> anyhow::Result<Vec<Found>> {
    let mut found = find::merge(shelves);
    if let Some(id) = &args.id {
        found.retain(|backup| backup.id == *id);
        let is_stray = shelves
            .iter()
            .any(|shelf| shelf.unusable.iter().any(|stray| stray.id == *id));
        if found.is_empty() && !is_stray {
            bail!(
                "no target that answers has backup `{id}`; hint: `ops-sidecar backup list` shows those there are"
            );
        }
        return Ok(found);
    }
    if found.is_empty() {
        bail!(
            "there is no backup to verify at any target that answers; hint: `ops-sidecar backup run` makes one"
        );
    }
    if args.latest {
        found = find::newest(&found, now_ms).cloned().into_iter().collect();
    }
    Ok(found)
}

/// A backup, and what was proven of it at each target that has it.
struct Proven {
    found: Found,
    proofs: Vec<Proof>,
    took: Duration,
}

fn prove(
    room: &Room,
    shelves: &[Shelf],
    found: &Found,
    identities: Option<&Identities>,
    bar: &Bar,
) -> Proven {
    let place = room.home.backup_spool();
    let began_ms = room.clock.now_ms();
    let since = Instant::now();
    let proofs: Vec<Proof> = shelves
        .iter()
        .filter_map(|shelf| Some((shelf, shelf.backups.get(&found.id)?)))
        .map(|(shelf, manifest)| verify::prove(&shelf.target, manifest, identities, &place, bar))
        .collect();
    let proven = Proven {
        found: found.clone(),
        proofs,
        took: since.elapsed(),
    };
    if identities.is_some() {
        drill::count(&room.home, &proven.as_drill(began_ms));
    }
    proven
}

impl Proven {
    fn is_good(&self) -> bool {
        !self.proofs.is_empty() && self.proofs.iter().all(|proof| proof.problem.is_none())
    }

    fn was_opened(&self) -> bool {
        self.proofs.iter().any(|proof| proof.opened)
    }

    /// Opening a backup and comparing it is what a drill does. How long one restore takes is the share of one target.
    fn as_drill(&self, began_ms: i64) -> DrillNote {
        let problems: Vec<_> = self
            .proofs
            .iter()
            .filter_map(|proof| Some(format!("{}: {}", proof.target, proof.problem.as_ref()?)))
            .collect();
        let targets = u128::try_from(self.proofs.len().max(1)).unwrap_or(1);
        DrillNote {
            at_ms: began_ms,
            took_ms: u64::try_from(self.took.as_millis() / targets).unwrap_or(u64::MAX),
            id: Some(self.found.id.to_string()),
            target: self.proofs.first().map(|proof| proof.target.clone()),
            bytes: self.found.manifest.database.bytes,
            reached_ms: None,
            error: (!problems.is_empty()).then(|| problems.join("; ")),
        }
    }

    fn to_json(&self) -> Value {
        let mut backup = backup_json(&self.found);
        let proofs: Vec<_> = self
            .proofs
            .iter()
            .map(|proof| json!({"name": proof.target, "verified": proof.problem.is_none(), "opened": proof.opened, "error": proof.problem}))
            .collect();
        backup["verified"] = self.is_good().into();
        backup["opened"] = self.was_opened().into();
        backup["targets"] = proofs.into();
        backup["took_ms"] = u64::try_from(self.took.as_millis())
            .unwrap_or(u64::MAX)
            .into();
        backup
    }

    fn to_text(&self, now_ms: i64) -> String {
        let manifest = &self.found.manifest;
        let mut text = format!(
            "{}  {}\n",
            self.found.id,
            in_words(manifest.at_ms(), now_ms)
        );
        for proof in &self.proofs {
            let said = match (&proof.problem, proof.opened) {
                (Some(problem), _) => format!("BAD: {problem}"),
                (None, true) => "good: read back, opened, checked, and compared with its manifest".to_owned(),
                (None, false) => "read back: every byte is what was written; not opened: no identity (`--identity FILE`)".to_owned(),
            };
            text.push_str(&format!("  {}: {said}\n", proof.target));
        }
        text
    }
}

fn points(room: &Room, identities: Option<&Identities>, as_json: bool) -> anyhow::Result<ExitCode> {
    let bar = Bar::new();
    let place = room.home.backup_spool();
    let now_ms = room.clock.now_ms();
    let proofs: Vec<PointProof> = room
        .targets
        .iter()
        .map(|target| {
            let known = match &room.settings.pitr {
                Some(pitr) => Context::of(&room.home, pitr, target.name()),
                None => Context::default(),
            };
            verify::prove_points(target, identities, &known, now_ms, &place, &bar)
        })
        .collect();
    bar.done();
    let ok = proofs.iter().all(|proof| proof.problem.is_none());
    if as_json {
        let targets: Vec<_> = proofs.iter().map(points_json).collect();
        say(&format!("{:#}\n", json!({"ok": ok, "targets": targets})))?;
    } else {
        for proof in &proofs {
            say(&points_text(proof, now_ms))?;
        }
    }
    if !ok {
        complain(NOT_GOOD);
    }
    Ok(exit(ok))
}

fn points_json(proof: &PointProof) -> Value {
    let gaps = proof.gaps.as_ref().map(|gaps| {
        json!({"found": gaps.found, "late": gaps.late, "uploading": gaps.uploading, "lost": gaps.lost})
    });
    json!({
        "name": proof.target,
        "verified": proof.problem.is_none(),
        "opened": proof.rebuilt_ms.is_some(),
        "reached_at": proof.rebuilt_ms.map(rfc3339),
        "increments": gaps,
        "error": proof.problem,
    })
}

fn points_text(proof: &PointProof, now_ms: i64) -> String {
    let mut text = format!("{}:\n", proof.target);
    if let Some(gaps) = &proof.gaps {
        text.push_str(&format!(
            "  increments: {} found, {} late, {} uploading, {} lost\n",
            gaps.found, gaps.late, gaps.uploading, gaps.lost
        ));
    }
    text.push_str(&match (&proof.problem, proof.rebuilt_ms) {
        (Some(problem), _) => format!("  BAD: {problem}\n"),
        (None, Some(ms)) => format!(
            "  good: rebuilt and checked as of {}\n",
            in_words(ms, now_ms)
        ),
        (None, None) => {
            "  no moment was opened: there is none, or no identity (`--identity FILE`)\n".to_owned()
        }
    });
    text
}

/// A drill by hand; exit 1 if something did not come back as it was.
pub(super) fn drill(room: &Room, keys: &KeyArgs, as_json: bool) -> anyhow::Result<ExitCode> {
    let identities = identities(room, keys)?;
    let bar = Bar::new();
    let drilled = drill::run(room, identities.as_ref(), &bar)?;
    bar.done();
    let note = &drilled.note;
    if as_json {
        let manifest = drilled.backup.as_ref().map(|found| &found.manifest);
        let answer = json!({
            "id": note.id,
            "at": manifest.map(|manifest| &manifest.at),
            "bytes": manifest.map(|manifest| manifest.file.bytes),
            "verified": drilled.is_good(),
            "encrypted": manifest.map(|manifest| manifest.encrypted),
            "targets": note.target.iter().collect::<Vec<_>>(),
            "reached_at": note.reached_ms.map(rfc3339),
            "took_ms": note.took_ms,
            "error": note.error,
        });
        say(&format!("{answer:#}\n"))?;
    } else {
        say(&drill_text(note, room.clock.now_ms()))?;
    }
    if !drilled.is_good() {
        complain(NOT_GOOD);
    }
    Ok(exit(drilled.is_good()))
}

fn drill_text(note: &DrillNote, now_ms: i64) -> String {
    let mut text = String::new();
    if let (Some(id), Some(target)) = (&note.id, &note.target) {
        let seconds = note.took_ms as f64 / 1000.0;
        text.push_str(&format!(
            "{id} from `{target}`: restored into a scratch file in {seconds:.1} s and compared\n"
        ));
    }
    if let Some(ms) = note.reached_ms {
        text.push_str(&format!("newest moment: {}\n", in_words(ms, now_ms)));
    }
    text.push_str(&match &note.error {
        None => "good\n".to_owned(),
        Some(error) => format!("BAD: {error}\n"),
    });
    text
}
