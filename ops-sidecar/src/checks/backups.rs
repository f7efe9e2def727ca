//! Backups: is there one, how old is it, how did the last run go, and has anybody tried to bring one back.
//!
//! Judged from the notes beside the backups, never from the state file, so that all of this is known when that file is lost. Nothing here
//! keeps a machine from being ready: a shop can be served without a backup, for a while.

mod facts;

use std::time::Duration;

pub use facts::{BackupFacts, Drill, Drills, Good, Outcome, Reader, Run, Runs, TargetFacts, Terms};

use shared::clock;

use super::Draft;
use crate::backup::journal::Step;

/// How long after its start, or after the machine woke, a sidecar is given to make the backup that is due.
const GRACE: Duration = Duration::from_secs(15 * 60);
/// A backup that takes longer than this is late, however short the schedule: a run every minute may take two.
const SLACK: Duration = Duration::from_secs(10 * 60);
/// Without a schedule, somebody makes them by hand or by cron; after this long they have stopped.
const BY_HAND: Duration = Duration::from_secs(2 * DAY_SECONDS);
/// Nobody has to have drilled in the first week.
const FIRST_WEEK: Duration = Duration::from_secs(7 * DAY_SECONDS);
/// So many intervals without a drill are too many.
const DRILLS_MISSED: u32 = 4;
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// When it is, and for how long this program could have done something.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The wall clock.
    pub ms: i64,
    /// Since this program began, or the machine woke.
    pub awake: Duration,
}

/// What it amounts to.
#[must_use]
pub fn judge(facts: &BackupFacts, terms: &Terms, now: Now) -> Vec<Draft> {
    [
        age(facts, terms, now),
        last_run(facts),
        encryption(facts, terms),
        drills(facts, terms, now),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn age(facts: &BackupFacts, terms: &Terms, now: Now) -> Option<Draft> {
    let had_time = now.awake >= GRACE;
    let Some(newest_ms) = facts.last_good.as_ref().and_then(|good| good.at_ms) else {
        return none(terms, had_time);
    };
    let age = since(newest_ms, now.ms);
    let Some(every) = terms.every else {
        return (age > BY_HAND).then(|| off(&format!("the newest is {} old", clock::span(age))));
    };
    let is_stale = age > every.saturating_mul(2).saturating_add(SLACK) && had_time;
    is_stale.then(|| {
        Draft::fail(
            "backup.stale",
            format!(
                "the newest good backup is {} old, two runs should have been made since",
                clock::span(age)
            ),
            "run `ops-sidecar backup run`: it says what is in the way",
        )
    })
}

fn none(terms: &Terms, had_time: bool) -> Option<Draft> {
    if !had_time {
        return None;
    }
    if terms.every.is_none() {
        return Some(off("there is none"));
    }
    Some(Draft::warn(
        "backup.none",
        "there is no good backup yet",
        "run `ops-sidecar backup run`: it makes one, or says what is in the way",
    ))
}

fn off(newest: &str) -> Draft {
    Draft::warn(
        "backup.off",
        format!("no backups are scheduled, and {newest}"),
        "set `ORDERDESK_MCP_BACKUP_SCHEDULE`, or let cron run `ops-sidecar backup run`",
    )
}

fn last_run(facts: &BackupFacts) -> Option<Draft> {
    let run = facts.last_run.as_ref()?;
    match run.outcome {
        Outcome::Good => None,
        Outcome::Partial if run.step == Some(Step::Check.as_str()) => Some(Draft::warn(
            "backup.partial",
            "the last backup was made, and an audit chain in it is not whole: it takes no other backup's place",
            "`mcp-stdio audit verify` says what is wrong; `ops-sidecar backup restore --at TIME` goes back to before it was",
        )),
        Outcome::Partial => {
            let missed = facts.targets.iter().filter(|target| target.missed_last);
            let summary = format!(
                "the last backup is not on {} of {} targets",
                missed.count(),
                facts.targets.len()
            );
            Some(Draft::warn(
                "backup.partial",
                summary,
                "run `ops-sidecar backup run`: it says of each target what is in the way",
            ))
        }
        Outcome::Failed => {
            let step = run.step.unwrap_or("before its first step");
            Some(Draft::fail(
                "backup.failed",
                format!("the last backup failed ({step}); what is there from before is untouched"),
                "run `ops-sidecar backup run`: it says what is in the way",
            ))
        }
    }
}

fn encryption(facts: &BackupFacts, terms: &Terms) -> Option<Draft> {
    let is_open = facts.last_good.as_ref().is_some_and(|good| !good.encrypted);
    (is_open && !terms.allow_unencrypted).then(|| {
        Draft::warn(
            "backup.unencrypted",
            "backups are not encrypted: API keys in them are sealed, the audit and the settings of stores are not",
            "make a key with `age-keygen -o backup.key`, keep it elsewhere, and give its public half to `ORDERDESK_MCP_BACKUP_RECIPIENTS`; \
             or accept it with `ORDERDESK_MCP_BACKUP_ALLOW_UNENCRYPTED=true`",
        )
    })
}

fn drills(facts: &BackupFacts, terms: &Terms, now: Now) -> Option<Draft> {
    if facts.last_drill.as_ref().is_some_and(|drill| !drill.ok) {
        return Some(Draft::fail(
            "backup.drill_failed",
            "the last drill could not bring the newest backup back",
            drill_hint(facts, terms),
        ));
    }
    let began = facts.first_run_ms?;
    let drilled = facts.last_good_drill.and_then(|drill| drill.at_ms);
    let too_long = terms
        .drill_every
        .saturating_mul(DRILLS_MISSED)
        .max(FIRST_WEEK);
    let (is_old, summary) = match drilled {
        Some(at) => {
            let age = since(at, now.ms);
            (
                age > too_long,
                format!(
                    "nobody has tried to bring a backup back for {}",
                    clock::span(age)
                ),
            )
        }
        None => (
            facts.last_good.is_some() && since(began, now.ms) > FIRST_WEEK,
            "nobody has ever tried to bring a backup back".to_owned(),
        ),
    };
    is_old.then(|| Draft::warn("backup.drill_old", summary, drill_hint(facts, terms)))
}

/// With encrypted backups and no identity here, somebody has to bring the key.
fn drill_hint(facts: &BackupFacts, terms: &Terms) -> &'static str {
    let is_open = facts.last_good.as_ref().is_some_and(|good| !good.encrypted);
    if terms.has_identity || is_open {
        "run `ops-sidecar backup drill`"
    } else {
        "run `ops-sidecar backup drill --identity FILE` with the key that opens the backups, and try `mcp-stdio key export`: without the master key the API keys in them stay sealed"
    }
}

fn since(then_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(now_ms.saturating_sub(then_ms)).unwrap_or(0))
}

#[cfg(test)]
mod tests;
