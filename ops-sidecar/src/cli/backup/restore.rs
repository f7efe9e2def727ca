//! `backup restore`: what is asked for, and what a person is told about what came back.

mod report;

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use shared::state::{holders, newer_than};

use self::report::Report;
use super::keys::identities;
use super::{RestoreArgs, remark};
use crate::backup::journal::{Journal, RestoreNote};
use crate::backup::pitr::{self, Context};
use crate::backup::restore::{self, Brought, RestoreError, Skipped, Wanted, What};
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
    let bar = Bar::new();
    bar.stage("sending", 0);
    let (sender, sent) = mpsc::channel();
    let all = room.clone();
    // Nobody may be listening any more.
    std::thread::spawn(move || sender.send(pitr::deliver(&all)).is_ok());
    let sent = sent.recv_timeout(DELIVERY);
    bar.done();
    match sent {
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
    if let Some(to) = &args.to {
        refuse_existing(to)?;
    }
    let place = match &args.to {
        Some(to) => folder_of(to).to_owned(),
        None => room.home.backup_spool(),
    };
    let bar = Bar::new();
    let (brought, mut report) = match &args.kept {
        Some(name) => {
            let brought = restore::bring_kept(&room.home, name, &place, &bar)?;
            let report = Report::of(&brought, None, Vec::new());
            (brought, report)
        }
        None => from_targets(room, args, &place, &bar)?,
    };
    bar.done();
    if let Some(broken) = brought.image.checked.broken_chains() {
        remark(&format!("{broken}; it was so when this state was recorded"));
    }
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

/// What was asked for, from the targets.
fn from_targets(
    room: &Room,
    args: &RestoreArgs,
    place: &Path,
    bar: &Bar,
) -> anyhow::Result<(Brought, Report)> {
    let what = what(room, args)?;
    let identities = identities(room, &args.keys)?;
    let wanted = Wanted {
        what: what.clone(),
        identities: identities.as_ref(),
    };
    let mut passed_by: Vec<Skipped> = Vec::new();
    let brought = restore::bring(&room.targets, &wanted, place, bar, &mut |skipped| {
        bar.suspend(|| remark(&format!("passed by: {skipped}")));
        passed_by.push(skipped);
    })?;
    let report = Report::of(&brought, Some(&what), passed_by);
    Ok((brought, report))
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
