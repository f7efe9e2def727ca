//! Recovery to a moment: does what changes reach its targets, and could every moment be reached?
//!
//! Judged from what the engine says of itself. Nothing here keeps a machine from being ready.

use jiff::Timestamp;
use serde::Serialize;

use super::{Draft, mebibytes, rfc3339};
use crate::backup::pitr::{Doing, Latest, TargetStatus};

/// Several times the second that is promised on this machine: the disk, or the file, does not let us look.
const LOCAL_LAG_SECONDS: f64 = 10.0;
/// Several times the ten seconds that are promised at a remote target: it is away, or slower than what changes.
const REMOTE_LAG_SECONDS: f64 = 60.0;

/// From here on it is not each second any more.
const SLOW_PACE_SECONDS: f64 = 1.5;

/// What the engine says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PitrFacts {
    /// Whether it is wanted at all.
    pub on: bool,
    /// The newest moment that can be reached from this machine.
    pub last_point: Option<String>,
    /// Age of the oldest change that is not even on this machine's spool.
    pub lag_seconds: Option<f64>,
    /// What waits on this machine.
    pub spool_bytes: u64,
    /// How much may wait.
    pub spool_max_bytes: u64,
    /// Increments that had to go from the spool before a target had them.
    pub dropped: u64,
    /// How long a look at all pages takes.
    pub scan_seconds: f64,
    /// How far apart looks are while something changes all the time.
    pub pace_seconds: f64,
    /// Why the last look failed, if it did; may name paths, so it is shown behind the token only.
    pub problem: Option<String>,
    /// By target.
    pub targets: Vec<PitrTarget>,
}

/// One target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PitrTarget {
    /// What it is called in the settings, without secrets.
    pub name: String,
    /// Not on this machine.
    pub is_remote: bool,
    /// Age of the oldest change that it does not have.
    pub lag_seconds: Option<f64>,
    /// Increments that wait for it.
    pub pending: u64,
    /// Sent to it since this sidecar began.
    pub shipped_bytes: u64,
    /// The series, as it was last surveyed there.
    pub gaps: Option<GapFacts>,
    /// Why it did not take the last one; may name it, so it is shown behind the token only.
    pub problem: Option<String>,
}

/// Increments by what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GapFacts {
    /// There.
    pub found: u64,
    /// Expected, and late.
    pub late: u64,
    /// On their way.
    pub uploading: u64,
    /// Nowhere any more.
    pub lost: u64,
}

impl PitrFacts {
    /// What the engine and the shippers say at this time; off without them.
    #[must_use]
    pub fn of(latest: Option<&Latest>, now: Timestamp) -> PitrFacts {
        let Some(latest) = latest else {
            return PitrFacts::default();
        };
        let (status, now_ms) = (latest.lock(), now.as_millisecond());
        // Another sidecar of this home works; its own page tells.
        if status.doing == Doing::Elsewhere {
            return PitrFacts::default();
        }
        let point = status.last_point_ms;
        let point = point.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        PitrFacts {
            on: true,
            last_point: point.map(rfc3339),
            lag_seconds: Some(status.lag_seconds(now_ms)),
            spool_bytes: status.spool_bytes,
            spool_max_bytes: status.spool_max_bytes,
            dropped: status.dropped(),
            scan_seconds: status.scan_seconds,
            pace_seconds: status.pace_seconds,
            problem: status.problem.clone(),
            targets: status
                .targets
                .iter()
                .map(|target| PitrTarget::of(target, now_ms))
                .collect(),
        }
    }
}

impl PitrTarget {
    fn of(target: &TargetStatus, now_ms: i64) -> PitrTarget {
        let gaps = target.gaps.as_ref().map(|gaps| GapFacts {
            found: gaps.found,
            late: gaps.late,
            uploading: gaps.uploading,
            lost: gaps.lost,
        });
        PitrTarget {
            name: target.name.clone(),
            is_remote: target.is_remote,
            lag_seconds: Some(target.lag_seconds(now_ms)),
            pending: target.pending,
            shipped_bytes: target.shipped_bytes,
            gaps,
            problem: target.problem.clone(),
        }
    }
}

/// What it amounts to.
#[must_use]
pub fn judge(facts: &PitrFacts) -> Vec<Draft> {
    if !facts.on {
        return Vec::new();
    }
    [behind(facts), gap(facts), spool_full(facts), slow(facts)]
        .into_iter()
        .flatten()
        .collect()
}

fn behind(facts: &PitrFacts) -> Option<Draft> {
    let here = facts.lag_seconds.filter(|lag| *lag > LOCAL_LAG_SECONDS);
    let elsewhere = facts.targets.iter().filter_map(|target| {
        let most = if target.is_remote {
            REMOTE_LAG_SECONDS
        } else {
            LOCAL_LAG_SECONDS
        };
        target.lag_seconds.filter(|lag| *lag > most)
    });
    let worst = elsewhere.chain(here).reduce(f64::max)?;
    let summary = if here.is_some() {
        format!("changes of the last {worst:.0} s cannot be recovered: they are not read in time")
    } else {
        let late = facts.targets.len();
        format!(
            "changes of the last {worst:.0} s are only on this machine: not all of {late} targets take them in time"
        )
    };
    Some(Draft::warn(
        "pitr.behind",
        summary,
        "see `/health/detailed` (components.pitr) for what each target answers, and the findings about the state file and the disk",
    ))
}

fn gap(facts: &PitrFacts) -> Option<Draft> {
    let lost: u64 = facts
        .targets
        .iter()
        .filter_map(|target| target.gaps)
        .map(|gaps| gaps.lost)
        .sum();
    (lost > 0).then(|| {
        Draft::fail(
            "pitr.gap",
            format!("{lost} increments are lost: some moments can only be reached by a coarser step"),
            "run `ops-sidecar backup verify --pitr`: it says which moments; a fresh `ops-sidecar backup run` covers what is now",
        )
    })
}

fn spool_full(facts: &PitrFacts) -> Option<Draft> {
    let is_nearly_full =
        facts.spool_max_bytes > 0 && facts.spool_bytes >= facts.spool_max_bytes / 10 * 9;
    is_nearly_full.then(|| {
        let summary = format!(
            "{} of increments wait for a target, {} are allowed: the finest go first when it is full",
            mebibytes(facts.spool_bytes),
            mebibytes(facts.spool_max_bytes)
        );
        Draft::warn(
            "pitr.spool_full",
            summary,
            "bring the target back, or raise `ORDERDESK_MCP_PITR_SPOOL_MAX` if the disk has room",
        )
    })
}

fn slow(facts: &PitrFacts) -> Option<Draft> {
    let pace = facts.pace_seconds;
    (pace > SLOW_PACE_SECONDS).then(|| {
        Draft::warn(
            "pitr.slow",
            format!("changes are read every {pace:.0} s instead of each second: the state file is large, or the machine busy"),
            "shorten `ORDERDESK_MCP_AUDIT_RETENTION`, or accept it",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(is_remote: bool, lag_seconds: f64) -> PitrTarget {
        PitrTarget {
            name: "s3://secret-name".to_owned(),
            is_remote,
            lag_seconds: Some(lag_seconds),
            ..PitrTarget::default()
        }
    }

    fn sound() -> PitrFacts {
        PitrFacts {
            on: true,
            lag_seconds: Some(0.0),
            spool_max_bytes: 100 << 20,
            scan_seconds: 0.06,
            pace_seconds: 0.6,
            targets: vec![
                target(false, LOCAL_LAG_SECONDS),
                target(true, REMOTE_LAG_SECONDS),
            ],
            ..PitrFacts::default()
        }
    }

    fn ids(facts: &PitrFacts) -> Vec<&'static str> {
        judge(facts).iter().map(|draft| draft.id).collect()
    }

    #[test]
    fn a_lag_within_the_promise_is_no_finding_and_neither_is_anything_when_it_is_off() {
        assert_eq!(judge(&sound()), []);
        let off = PitrFacts {
            on: false,
            lag_seconds: Some(1000.0),
            ..sound()
        };
        assert_eq!(judge(&off), []);
    }

    #[test]
    fn a_target_may_lag_as_far_as_was_promised_for_its_kind() {
        for late in [
            target(false, LOCAL_LAG_SECONDS + 1.0),
            target(true, REMOTE_LAG_SECONDS + 1.0),
        ] {
            let facts = PitrFacts {
                targets: vec![late],
                ..sound()
            };
            let drafts = judge(&facts);
            assert_eq!(drafts[0].id, "pitr.behind");
            assert!(!drafts[0].summary.contains("secret-name"));
        }
    }

    #[test]
    fn changes_that_are_not_even_read_are_the_worst() {
        let facts = PitrFacts {
            lag_seconds: Some(30.0),
            ..sound()
        };
        let drafts = judge(&facts);
        assert!(drafts[0].summary.contains("not read in time"), "{drafts:?}");
    }

    #[test]
    fn a_lost_increment_is_a_failure_and_one_under_way_is_not() {
        let with = |gaps| PitrFacts {
            targets: vec![PitrTarget {
                gaps: Some(gaps),
                ..target(true, 0.0)
            }],
            ..sound()
        };
        let harmless = GapFacts {
            found: 100,
            late: 3,
            uploading: 2,
            lost: 0,
        };
        assert_eq!(ids(&with(harmless)), Vec::<&str>::new());
        assert_eq!(
            ids(&with(GapFacts {
                lost: 1,
                ..harmless
            })),
            ["pitr.gap"]
        );
    }

    #[test]
    fn the_spool_is_a_finding_before_it_is_full() {
        let holding = |spool_bytes| PitrFacts {
            spool_bytes,
            ..sound()
        };
        assert_eq!(ids(&holding(80 << 20)), Vec::<&str>::new());
        assert_eq!(ids(&holding(91 << 20)), ["pitr.spool_full"]);
    }

    #[test]
    fn a_pace_slower_than_each_second_is_said() {
        let facts = PitrFacts {
            pace_seconds: 3.0,
            ..sound()
        };
        assert_eq!(ids(&facts), ["pitr.slow"]);
    }
}
