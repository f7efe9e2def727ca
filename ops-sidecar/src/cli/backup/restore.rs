//! `backup restore`: what is asked for, and what a person is told about what came back.

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use shared::state::{Replaced, holders, newer_than};

use super::{RestoreArgs, exactly, identities, remark, rfc3339};
use crate::backup::journal::{Journal, RestoreNote};
use crate::backup::pitr::{self, Context};
use crate::backup::restore::{self, Brought, Origin, RestoreError, Skipped, Wanted, What};
use crate::backup::{Progress, Room};
use crate::cli::progress::Bar;
use crate::cli::{Usage, say, when};

/// How long sending what a dead sidecar left may take before the restore goes on without it.
const DELIVERY: Duration = Duration::from_secs(30);

/// Sends what a sidecar that was killed had captured and not shipped, so that the last seconds before the crash are found. Needs all targets:
/// what waits for one that is not named would count as given up.
pub(super) fn deliver_first(room: &Room) {
    let Some(settings) = &room.settings.pitr else {
        return;
    };
    let waits = |target: &&str| !Context::of(&room.home, settings, target).pending.is_empty();
    if !room.target_names().iter().any(waits) {
        return;
    }
    let (sender, sent) = mpsc::channel();
    let all = room.clone();
    // Nobody may be listening any more.
    std::thread::spawn(move || sender.send(pitr::deliver(&all)).is_ok());
    match sent.recv_timeout(DELIVERY) {
        Ok(outcomes) => {
            for (target, outcome) in outcomes {
                if let Err(why) = outcome {
                    remark(&format!(
                        "what waits on this machine could not be sent to `{target}`: {why}"
                    ));
                }
            }
        }
        Err(_) => remark(
            "what waits on this machine could not be sent to every target in time; the newest seconds may be missing there",
        ),
    }
}

/// Restores, or leaves the state file as it is and says why.
pub(super) fn restore(room: &Room, args: &RestoreArgs) -> anyhow::Result<ExitCode> {
    let since = Instant::now();
    let what = what(room, args)?;
    let identities = identities(room, args.identity.as_deref())?;
    if let Some(to) = &args.to {
        refuse_existing(to)?;
    }
    let wanted = Wanted {
        what: what.clone(),
        identities: identities.as_ref(),
    };
    let place = match &args.to {
        Some(to) => folder_of(to).to_owned(),
        None => room.home.backup_spool(),
    };
    let bar = Bar::new();
    let mut passed_by = Vec::new();
    let brought = restore::bring(&room.targets, &wanted, &place, &bar, &mut |skipped| {
        bar.suspend(|| remark(&format!("passed by: {skipped}")));
        passed_by.push(skipped);
    })?;
    bar.done();
    if let Some(broken) = brought.image.checked.broken_chains() {
        remark(&format!("{broken}; it was so when this state was recorded"));
    }
    let mut report = Report::of(&brought, &what, passed_by);
    match &args.to {
        Some(to) => {
            restore::leave(&brought, to)?;
            report.to = Some(to.display().to_string());
        }
        None => {
            warn_of_loss(room, &brought, args.force);
            name_holders(room, args.wait);
            let replaced = restore::put_in_place(
                &room.home,
                &brought,
                room.clock.now_ms(),
                args.wait,
                args.force,
            )?;
            report.replaced = Some(replaced);
        }
    }
    report.took_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    note(room, &report);
    if args.json {
        say(&format!("{:#}\n", report.to_json()))?;
    } else {
        say(&report.to_text(room))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn what(room: &Room, args: &RestoreArgs) -> Result<What, Usage> {
    if let Some(id) = &args.id {
        return Ok(What::Id(id.clone()));
    }
    let Some(text) = &args.at else {
        return Ok(What::Latest {
            now_ms: room.clock.now_ms(),
        });
    };
    let now = room.clock.now();
    let usage = |error: when::WhenError| Usage(error.to_string());
    match &args.line {
        // Its clock may have been ahead of this one.
        Some(line) => Ok(What::InLine {
            line: line.clone(),
            at_ms: when::any_moment(text, now, &TimeZone::system())
                .map_err(usage)?
                .as_millisecond(),
        }),
        None => Ok(What::At(
            when::moment(text, now, &TimeZone::system())
                .map_err(usage)?
                .as_millisecond(),
        )),
    }
}

/// Before anything is fetched; it is looked at again, and then for certain, when the file gets its name.
fn refuse_existing(to: &Path) -> Result<(), RestoreError> {
    if to.symlink_metadata().is_ok() {
        return Err(RestoreError::Exists {
            path: to.to_owned(),
        });
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// With `--force`, what goes is said; without it, [`shared::state::replace`] refuses with the same words.
fn warn_of_loss(room: &Room, brought: &Brought, force: bool) {
    if !room.home.state_db().exists() {
        return;
    }
    match newer_than(&room.home, &brought.image.path) {
        Ok(lost) if force => {
            for words in lost {
                remark(&format!("not in what is restored: {words}"));
            }
        }
        Ok(_) => {}
        Err(error) => remark(&format!(
            "the present state file cannot be compared: {error}"
        )),
    }
}

/// Whoever waits should know what to close. Without patience the refusal says the same.
fn name_holders(room: &Room, wait: Duration) {
    let holders: Vec<String> = holders(&room.home)
        .iter()
        .map(ToString::to_string)
        .collect();
    if !holders.is_empty() && !wait.is_zero() {
        remark(&format!(
            "waiting up to {} s until these have ended: {}",
            wait.as_secs(),
            holders.join("; ")
        ));
    }
}

/// What a person, or a program, is told.
struct Report {
    /// A backup's id; none where increments were put together.
    id: Option<String>,
    line: Option<String>,
    target: String,
    asked_ms: Option<i64>,
    reached_ms: i64,
    bytes: u64,
    encrypted: bool,
    schema: u32,
    to: Option<String>,
    replaced: Option<Replaced>,
    passed_by: Vec<Skipped>,
    took_ms: u64,
}

impl Report {
    fn of(brought: &Brought, what: &What, passed_by: Vec<Skipped>) -> Report {
        let (id, line) = match &brought.from.origin {
            Origin::Backup(manifest) => (Some(manifest.id.clone()), None),
            Origin::Line { line, .. } => (None, Some(line.clone())),
        };
        Report {
            id,
            line,
            target: brought.from.target.name().to_owned(),
            asked_ms: match what {
                What::At(at_ms) | What::InLine { at_ms, .. } => Some(*at_ms),
                What::Id(_) | What::Latest { .. } | What::LatestPoint => None,
            },
            reached_ms: brought.reached_ms(),
            bytes: brought.bytes,
            encrypted: brought.from.encrypted(),
            schema: brought.image.checked.inspected.schema,
            to: None,
            replaced: None,
            passed_by,
            took_ms: 0,
        }
    }

    fn source(&self) -> String {
        match (&self.id, &self.line) {
            (Some(id), _) => format!("backup {id}"),
            (None, line) => format!("line {}", line.as_deref().unwrap_or_default()),
        }
    }

    fn to_json(&self) -> Value {
        let replaced = self.replaced.as_ref();
        let passed_by: Vec<_> = self
            .passed_by
            .iter()
            .map(|skipped| json!({"target": skipped.target, "what": skipped.what, "why": skipped.why}))
            .collect();
        json!({
            "id": self.id,
            "line": self.line,
            "at": rfc3339(self.asked_ms.unwrap_or(self.reached_ms)),
            "reached_at": rfc3339(self.reached_ms),
            "bytes": self.bytes,
            "verified": true,
            "encrypted": self.encrypted,
            "targets": [self.target],
            "schema": self.schema,
            "to": self.to,
            "restore_epoch": replaced.map(|replaced| replaced.epoch),
            "kept": replaced.and_then(|replaced| replaced.kept.as_ref()).map(|kept| kept.display().to_string()),
            "passed_by": passed_by,
            "took_ms": self.took_ms,
        })
    }

    fn to_text(&self, room: &Room) -> String {
        let now_ms = room.clock.now_ms();
        let seconds = self.took_ms as f64 / 1000.0;
        let mut lines = vec![format!(
            "restored {} from `{}` in {seconds:.1} s: opened, checked and compared",
            self.source(),
            self.target
        )];
        lines.push(format!("reached:  {}", exactly(self.reached_ms, now_ms)));
        if let Some(asked_ms) = self.asked_ms {
            lines.push(format!(
                "asked:    {}; what changed after the moment reached is not in it",
                exactly(asked_ms, now_ms)
            ));
        }
        if let Some(to) = &self.to {
            lines.push(format!("file:     {to}"));
            lines.push("          the state file in use is untouched".to_owned());
        }
        if let Some(replaced) = &self.replaced {
            lines.push(format!(
                "state:    {}, restored for the {} time",
                room.home.state_db().display(),
                ordinal(replaced.epoch)
            ));
            lines.push(match &replaced.kept {
                Some(kept) => format!("old file: {}", kept.display()),
                None => "old file: there was none".to_owned(),
            });
            if replaced.kept.is_none() {
                lines.push("first:    on a new machine, bring the master key (`mcp-stdio key import FILE`) and `config.toml`: no backup has them".to_owned());
            }
            lines.push("next:     start ops-sidecar, open the assistants again, and run `mcp-stdio doctor` and `mcp-stdio audit verify`".to_owned());
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// 1st, 2nd, 3rd, 4th, … 11th, 12th, 13th, … 21st.
fn ordinal(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The journal of this machine knows of the restores of its own state file.
fn note(room: &Room, report: &Report) {
    if report.replaced.is_none() {
        return;
    }
    let note = RestoreNote {
        at_ms: room.clock.now_ms(),
        took_ms: report.took_ms,
        from: report.source(),
        reached_ms: report.reached_ms,
        live: true,
    };
    if let Err(error) = Journal::note_restore(&room.home, note) {
        remark(&format!(
            "the restore is done, but could not be noted in the journal: {error}"
        ));
    }
}
