//! What the notes beside the backups say, and what the settings ask for.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use shared::paths::Home;

pub use crate::backup::journal::Outcome;
use crate::backup::journal::{DrillNote, Journal, RunNote};
use crate::backup::settings::Settings;
use crate::checks::rfc3339;

/// What the settings ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Time between two scheduled runs; `None` when there is no schedule.
    pub every: Option<Duration>,
    /// Time between two drills.
    pub drill_every: Duration,
    /// The operator has agreed to backups that anybody can open who gets hold of one.
    pub allow_unencrypted: bool,
    /// Drills can be made by this program: it knows an identity.
    pub has_identity: bool,
}

/// What the notes say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BackupFacts {
    /// Time between two scheduled runs; `None` when there is no schedule.
    pub interval_seconds: Option<u64>,
    /// Runs there were, by how they ended.
    pub runs: Runs,
    /// Drills there were, by how they ended.
    pub drills: Drills,
    /// When the very first run began.
    #[serde(serialize_with = "as_time", rename = "first_run_at")]
    pub first_run_ms: Option<i64>,
    /// The newest run.
    pub last_run: Option<Run>,
    /// The newest good backup.
    pub last_good: Option<Good>,
    /// What each target has.
    pub targets: Vec<TargetFacts>,
    /// The newest drill.
    pub last_drill: Option<Drill>,
    /// The newest drill that succeeded.
    pub last_good_drill: Option<Drill>,
}

/// Totals since the notes began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// Read back and compared on all targets.
    pub good: u64,
    /// On some.
    pub partial: u64,
    /// On none.
    pub failed: u64,
}

/// Totals since the notes began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drills {
    /// A backup came back and was equal.
    pub good: u64,
    /// It did not.
    pub failed: u64,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// When it began.
    #[serde(serialize_with = "as_time", rename = "at")]
    pub at_ms: Option<i64>,
    /// How it ended.
    pub outcome: Outcome,
    /// At which step it failed, in a word.
    pub step: Option<&'static str>,
    /// How long it took.
    pub took_seconds: f64,
}

/// A backup that can be relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Good {
    /// Its name.
    pub id: String,
    /// The moment it holds.
    #[serde(serialize_with = "as_time", rename = "at")]
    pub at_ms: Option<i64>,
    /// Size of the sealed file.
    pub size_bytes: u64,
    /// Only whoever holds an identity can open it.
    pub encrypted: bool,
}

/// One place where backups go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetFacts {
    /// What it is called in the settings, without secrets.
    pub name: String,
    /// The moment that its newest backup holds.
    #[serde(serialize_with = "as_time", rename = "newest_at")]
    pub newest_ms: Option<i64>,
    /// Whether the last run left it without.
    pub missed_last: bool,
}

/// One attempt to bring a backup back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Drill {
    /// When.
    #[serde(serialize_with = "as_time", rename = "at")]
    pub at_ms: Option<i64>,
    /// It came back and was equal.
    pub ok: bool,
    /// From the first byte fetched to the last check.
    pub restore_seconds: f64,
}

impl Terms {
    /// What `settings` ask for at this time: a schedule by the clock has intervals of different lengths.
    #[must_use]
    pub fn of(settings: &Settings, now_ms: i64) -> Terms {
        let every = settings.schedule.interval_ms(now_ms, &TimeZone::system());
        Terms {
            every: every.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
            drill_every: settings.drill_every,
            allow_unencrypted: settings.allow_unencrypted,
            has_identity: settings.identity_file.is_some(),
        }
    }
}

impl BackupFacts {
    /// `configured` are the names of the targets there are.
    #[must_use]
    pub fn of(journal: &Journal, configured: &[String]) -> BackupFacts {
        let totals = journal.totals;
        BackupFacts {
            runs: Runs {
                good: totals.good,
                partial: totals.partial,
                failed: totals.failed,
            },
            drills: Drills {
                good: totals.drills_good,
                failed: totals.drills_failed,
            },
            interval_seconds: None,
            first_run_ms: journal.first_run_at_ms,
            last_run: journal.last_run().map(Run::of),
            last_good: journal.last_good.as_ref().and_then(Good::of),
            targets: configured
                .iter()
                .map(|name| TargetFacts::of(journal, name))
                .collect(),
            last_drill: journal.drills.last().map(Drill::of),
            last_good_drill: journal.last_good_drill.as_ref().map(Drill::of),
        }
    }
}

impl Run {
    fn of(note: &RunNote) -> Run {
        // A run that got as far as the targets failed at the step of one of them.
        let at_a_target = note.targets.iter().find_map(|target| target.step);
        Run {
            at_ms: Some(note.at_ms),
            outcome: note.outcome,
            step: note.step.or(at_a_target).map(|step| step.as_str()),
            took_seconds: Duration::from_millis(note.took_ms).as_secs_f64(),
        }
    }
}

impl Good {
    fn of(note: &RunNote) -> Option<Good> {
        Some(Good {
            id: note.id.clone()?,
            at_ms: Some(note.at_ms),
            size_bytes: note.bytes,
            encrypted: note.encrypted,
        })
    }
}

impl TargetFacts {
    fn of(journal: &Journal, name: &str) -> TargetFacts {
        let note = journal.targets.get(name);
        let newest = note.and_then(|note| note.last_good_at_ms);
        TargetFacts {
            name: name.to_owned(),
            newest_ms: newest,
            missed_last: note.is_none_or(|note| note.error.is_some()),
        }
    }
}

impl Drill {
    fn of(note: &DrillNote) -> Drill {
        Drill {
            at_ms: Some(note.at_ms),
            ok: note.error.is_none(),
            restore_seconds: Duration::from_millis(note.took_ms).as_secs_f64(),
        }
    }
}

/// Reads the notes when they have changed: they are looked at every two seconds and written every hour.
#[derive(Debug)]
pub struct Reader {
    home: Home,
    configured: Vec<String>,
    seen: Option<(Stamp, BackupFacts)>,
}

type Stamp = Option<(SystemTime, u64)>;

impl Reader {
    /// Has not read anything yet.
    #[must_use]
    pub fn new(home: Home, configured: Vec<String>) -> Reader {
        Reader {
            home,
            configured,
            seen: None,
        }
    }

    /// What the notes say now. They are replaced whole, so there is always all of them or none.
    pub fn look(&mut self) -> BackupFacts {
        let stamp = self.stamp();
        if let Some((_, facts)) = self.seen.as_ref().filter(|(seen, _)| *seen == stamp) {
            return facts.clone();
        }
        let facts = BackupFacts::of(&Journal::read(&self.home), &self.configured);
        self.seen = Some((stamp, facts.clone()));
        facts
    }

    fn stamp(&self) -> Stamp {
        let about = std::fs::metadata(Journal::path(&self.home)).ok()?;
        Some((about.modified().ok()?, about.len()))
    }
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn as_time<S: Serializer>(at_ms: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    match at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        Some(time) => serializer.serialize_str(&rfc3339(time)),
        None => serializer.serialize_none(),
    }
}
