//! What the settings say about backups, checked.
//!
//! Here: from the catalogue's values to what the room works with, every mistake collected. Not here: the catalogue, and opening anything:
//! no target is asked, no identity is read.

use std::path::PathBuf;
use std::time::Duration;

use shared::env::{Mistake, Owner};
use shared::paths::Home;

use super::pitr;
use super::retention::Keep;
use super::schedule::Schedule;
use super::seal::Recipients;
use super::targets::{MOST_OBJECTS, TargetSpec};

/// Everything that concerns backups.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where each backup goes; at least one.
    pub targets: Vec<TargetSpec>,
    /// To whom backups are encrypted.
    pub recipients: Recipients,
    /// When they are made.
    pub schedule: Schedule,
    /// Which are kept.
    pub keep: Keep,
    /// Whether targets on other machines may get what is not encrypted.
    pub allow_unencrypted: bool,
    /// Where the secret key for trial restores is, if there is one.
    pub identity_file: Option<PathBuf>,
    /// How often a trial restore is made.
    pub drill_every: Duration,
    /// Recovery to a moment, unless it is switched off.
    pub pitr: Option<Pitr>,
}

/// Recovery to a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pitr {
    /// How often what changed goes to targets on other machines.
    pub remote_interval: Duration,
    /// How far back every second can be restored.
    pub keep_seconds: Duration,
    /// How far back every minute can be restored.
    pub keep_minutes: Duration,
    /// How far back every hour can be restored.
    pub keep_hours: Duration,
    /// How much may wait on this machine.
    pub spool_max_bytes: u64,
}

impl Settings {
    /// Reads what concerns backups. What is wrong has its default, and a mistake.
    #[must_use]
    pub fn read(settings: &shared::env::Settings, home: &Home) -> (Settings, Vec<Mistake>) {
        let mut mistakes = Vec::new();
        let targets = targets(&settings.list("backup_targets"), home, &mut mistakes);
        let recipients =
            Recipients::parse(&settings.list("backup_recipients")).unwrap_or_else(|error| {
                mistakes.push(mistake("backup_recipients", &error.to_string()));
                Recipients::none()
            });
        let schedule = settings.text("backup_schedule").unwrap_or("off");
        let schedule = Schedule::parse(schedule).unwrap_or_else(|why| {
            mistakes.push(mistake(
                "backup_schedule",
                &format!("`{schedule}` {why}; hint: five fields, for example `0 3 * * *`, or a span such as `6h`"),
            ));
            Schedule::Off
        });
        let read = Settings {
            targets,
            recipients,
            schedule,
            keep: Keep {
                last: settings.count("backup_keep_last"),
                hourly: settings.count("backup_keep_hourly"),
                daily: settings.count("backup_keep_daily"),
                weekly: settings.count("backup_keep_weekly"),
                monthly: settings.count("backup_keep_monthly"),
            },
            allow_unencrypted: settings.flag("backup_allow_unencrypted"),
            identity_file: settings.path("backup_identity_file"),
            drill_every: settings.duration("backup_drill_every"),
            pitr: recovery(settings),
        };
        mistakes.extend(read.in_the_clear(settings));
        mistakes.extend(read.too_many_moments());
        (read, mistakes)
    }

    /// What leaves the machine must be encrypted, or somebody must have said that it need not be; the mistake that it is not, which does not
    /// concern who only reads backups. A mistake in the recipients has been reported already, and is not a lack of them.
    #[must_use]
    pub fn in_the_clear(&self, settings: &shared::env::Settings) -> Option<Mistake> {
        let open: Vec<&str> = self
            .targets
            .iter()
            .filter(|target| target.is_remote())
            .map(TargetSpec::name)
            .collect();
        let is_fine =
            open.is_empty() || self.allow_unencrypted || settings.is_given("backup_recipients");
        (!is_fine).then(|| {
            mistake(
                "backup_targets",
                &format!(
                    "`{}` is on another machine, and nothing says to whom backups are encrypted; hint: set `backup_recipients` \
                     (`age-keygen -o backup.key` prints one), or `backup_allow_unencrypted = true`",
                    open.join("`, `")
                ),
            )
        })
    }

    /// What lies in a bucket must be listed to be restored, or removed, and a listing has an end: the mistake that more is to be kept than
    /// that. It does not concern who only reads backups. A tenth is left for what is to go, and for others.
    #[must_use]
    pub fn too_many_moments(&self) -> Option<Mistake> {
        let objects = self.pitr.as_ref().map_or(0, pitr::Keep::most_objects);
        let is_in_bucket = self.targets.iter().any(TargetSpec::is_remote);
        (is_in_bucket && objects > MOST_OBJECTS / 10 * 9).then(|| {
            mistake(
                "pitr_keep_seconds",
                &format!(
                    "with `pitr_keep_minutes` and `pitr_keep_hours` it comes to {objects} objects in a bucket, and no more than {MOST_OBJECTS} can be \
                     listed; hint: keep seconds or minutes for less long (whole backups go back further), or set a longer `pitr_remote_interval`"
                ),
            )
        })
    }
}

fn targets(texts: &[String], home: &Home, mistakes: &mut Vec<Mistake>) -> Vec<TargetSpec> {
    let mut targets: Vec<TargetSpec> = Vec::new();
    for text in texts {
        match TargetSpec::parse(text, home) {
            Ok(target) if targets.iter().any(|known| known.name() == target.name()) => {}
            Ok(target) => targets.push(target),
            Err(why) => mistakes.push(mistake("backup_targets", &why)),
        }
    }
    if targets.is_empty() {
        targets.extend(TargetSpec::parse("local", home));
    }
    targets
}

fn recovery(settings: &shared::env::Settings) -> Option<Pitr> {
    let pitr = Pitr {
        remote_interval: settings.duration("pitr_remote_interval"),
        keep_seconds: settings.duration("pitr_keep_seconds"),
        keep_minutes: settings.duration("pitr_keep_minutes"),
        keep_hours: settings.duration("pitr_keep_hours"),
        spool_max_bytes: u64::try_from(settings.bytes("pitr_spool_max")).unwrap_or(u64::MAX),
    };
    settings.flag("pitr").then_some(pitr)
}

/// `text` is a reason, and after `hint:` what to do.
fn mistake(key: &str, text: &str) -> Mistake {
    let (why, hint) = text
        .split_once("hint: ")
        .unwrap_or((text, "see docs/CONFIG.md"));
    Mistake {
        owner: Owner::Sidecar,
        what: format!("`{key}`"),
        why: why.trim_end_matches([' ', ';']).to_owned(),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests;
