//! Backups, recovery to a moment, and the upkeep of the state file, as families.
//!
//! All of it is known without the state file. Totals come from the notes beside the backups, so they do not fall when this program starts
//! afresh; where nothing is noted yet there is no series, so that nothing seems to be reset.

use jiff::Timestamp;
use shared::telemetry::names::{self, Metric};
use shared::telemetry::query::{Family, Labels, Sample, Value};

use super::{gauge, number};
use crate::checks::backups::BackupFacts;
use crate::checks::gather::Facts;
use crate::checks::pitr::{GapFacts, PitrFacts, PitrTarget};

/// All of them.
pub(super) fn families(facts: &Facts) -> Vec<Family> {
    let mut families = backups(&facts.backups);
    if facts.pitr.on {
        families.extend(pitr(&facts.pitr));
    }
    families.extend(file(facts));
    families
}

fn backups(facts: &BackupFacts) -> Vec<Family> {
    let newest = facts.targets.iter().filter_map(|target| {
        let value = seconds(target.newest_ms?);
        Some(level(&[("target", &target.name)], value))
    });
    let drill = facts.last_good_drill;
    vec![
        family(&names::BACKUP_LAST_SUCCESS, newest),
        runs(facts),
        drills(facts),
        gauge(&names::BACKUP_INTERVAL, facts.interval_seconds.map(number)),
        gauge(
            &names::BACKUP_DURATION,
            facts.last_run.as_ref().map(|run| run.took_seconds),
        ),
        gauge(
            &names::BACKUP_SIZE_BYTES,
            facts.last_good.as_ref().map(|good| number(good.size_bytes)),
        ),
        gauge(
            &names::BACKUP_DRILL,
            drill.and_then(|drill| drill.at_ms).map(seconds),
        ),
        gauge(
            &names::BACKUP_RESTORE_SECONDS,
            drill.map(|drill| drill.restore_seconds),
        ),
    ]
}

/// Every outcome from the first run on: what is to be alerted on must be there before it happens.
fn runs(facts: &BackupFacts) -> Family {
    let runs = facts.runs;
    let outcomes = [
        ("good", runs.good),
        ("partial", runs.partial),
        ("failed", runs.failed),
    ];
    let shown = outcomes.iter().filter(|_| facts.first_run_ms.is_some());
    family(
        &names::BACKUP_RUNS,
        shown.map(|(outcome, total)| counted(&[("outcome", outcome)], *total)),
    )
}

fn drills(facts: &BackupFacts) -> Family {
    let drills = facts.drills;
    let outcomes = [("good", drills.good), ("failed", drills.failed)];
    let shown = outcomes.iter().filter(|_| facts.first_run_ms.is_some());
    family(
        &names::BACKUP_DRILLS,
        shown.map(|(outcome, total)| counted(&[("outcome", outcome)], *total)),
    )
}

fn pitr(facts: &PitrFacts) -> Vec<Family> {
    let targets = || facts.targets.iter();
    let lag = |target: &PitrTarget| Some(level(&[("target", &target.name)], target.lag_seconds?));
    let pending = |target: &PitrTarget| level(&[("target", &target.name)], number(target.pending));
    vec![
        family(&names::PITR_LAG, targets().filter_map(lag)),
        family(&names::PITR_PENDING, targets().map(pending)),
        family(&names::PITR_GAPS, targets().flat_map(gaps)),
        gauge(&names::PITR_SPOOL_BYTES, Some(number(facts.spool_bytes))),
    ]
}

fn gaps(target: &PitrTarget) -> Vec<Sample> {
    let Some(GapFacts {
        found,
        late,
        uploading,
        lost,
    }) = target.gaps
    else {
        return Vec::new();
    };
    [
        ("found", found),
        ("late", late),
        ("uploading", uploading),
        ("lost", lost),
    ]
    .map(|(state, count)| level(&[("target", &target.name), ("state", state)], number(count)))
    .into()
}

fn file(facts: &Facts) -> Vec<Family> {
    let state = &facts.state_file;
    let checked = facts.upkeep.checked.as_ref();
    // Where none is wanted, none is missing.
    let ballast = facts.ballast.filter(|ballast| ballast.wanted_bytes > 0);
    let held = ballast.map(|ballast| ballast.held_bytes);
    vec![
        gauge(&names::STATE_RESTORE_EPOCH, state.restore_epoch.map(number)),
        gauge(
            &names::STATE_MOVED,
            Some(f64::from(u8::from(state.moved_at.is_some()))),
        ),
        gauge(
            &names::STATE_SOUND,
            checked.map(|checked| f64::from(u8::from(checked.sound))),
        ),
        gauge(
            &names::STATE_CHECKED,
            checked.map(|checked| moment(checked.at)),
        ),
        gauge(
            &names::STATE_FREE_BYTES,
            facts.upkeep.free_bytes.map(number),
        ),
        gauge(&names::BALLAST_BYTES, held.map(number)),
    ]
}

fn family(metric: &'static Metric, samples: impl Iterator<Item = Sample>) -> Family {
    Family {
        metric,
        samples: samples.collect(),
    }
}

fn level(labels: &[(&str, &str)], value: f64) -> Sample {
    Sample {
        labels: Labels::of(labels),
        value: Value::Gauge(value),
    }
}

fn counted(labels: &[(&str, &str)], total: u64) -> Sample {
    Sample {
        labels: Labels::of(labels),
        value: Value::Counter(number(total)),
    }
}

/// A moment as Prometheus has it.
fn moment(at: Timestamp) -> f64 {
    seconds(at.as_millisecond())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds are exact for 285,000 years"
)]
fn seconds(at_ms: i64) -> f64 {
    at_ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;
    use crate::checks::backups::{Drill, Drills, Good, Outcome, Run, Runs, TargetFacts};
    use crate::upkeep::ballast::BallastFacts;

    fn page(facts: &Facts) -> String {
        text::render(&families(facts))
    }

    fn backed_up() -> Facts {
        let drill = Drill {
            at_ms: Some(1_000),
            ok: true,
            restore_seconds: 2.5,
        };
        let target = |name: &str, newest_ms| TargetFacts {
            name: name.to_owned(),
            newest_ms,
            missed_last: newest_ms.is_none(),
        };
        Facts {
            backups: BackupFacts {
                runs: Runs {
                    good: 7,
                    partial: 0,
                    failed: 1,
                },
                drills: Drills { good: 2, failed: 0 },
                interval_seconds: Some(3600),
                first_run_ms: Some(0),
                last_run: Some(Run {
                    at_ms: Some(0),
                    outcome: Outcome::Good,
                    step: None,
                    took_seconds: 0.5,
                }),
                last_good: Some(Good {
                    id: "x".to_owned(),
                    at_ms: Some(0),
                    size_bytes: 4096,
                    encrypted: true,
                }),
                targets: vec![target("local", Some(1_500)), target("s3://b/p", None)],
                last_drill: Some(drill),
                last_good_drill: Some(drill),
            },
            ..Facts::default()
        }
    }

    #[test]
    fn what_the_notes_say_is_shown_with_every_outcome() {
        let page = page(&backed_up());
        for line in [
            "# TYPE orderdesk_mcp_backup_runs_total counter\n",
            "orderdesk_mcp_backup_runs_total{outcome=\"good\"} 7\n",
            "orderdesk_mcp_backup_runs_total{outcome=\"partial\"} 0\n",
            "orderdesk_mcp_backup_runs_total{outcome=\"failed\"} 1\n",
            "orderdesk_mcp_backup_last_success_timestamp_seconds{target=\"local\"} 1.5\n",
            "orderdesk_mcp_backup_duration_seconds 0.5\n",
            "orderdesk_mcp_backup_size_bytes 4096\n",
            "orderdesk_mcp_backup_drill_timestamp_seconds 1\n",
            "orderdesk_mcp_backup_restore_seconds 2.5\n",
            "orderdesk_mcp_backup_drills_total{outcome=\"good\"} 2\n",
            "orderdesk_mcp_backup_drills_total{outcome=\"failed\"} 0\n",
            "orderdesk_mcp_backup_interval_seconds 3600\n",
        ] {
            assert!(page.contains(line), "{line} in {page}");
        }
        assert!(!page.contains("s3://b/p"), "no time is no series: {page}");
    }

    #[test]
    fn before_anything_is_known_no_counter_seems_to_be_reset() {
        let page = page(&Facts::default());
        assert!(!page.contains("_total"), "{page}");
        assert!(!page.contains("pitr"), "{page}");
        assert!(page.contains("orderdesk_mcp_state_moved 0\n"), "{page}");
    }

    #[test]
    fn recovery_to_a_moment_is_shown_by_target() {
        let target = PitrTarget {
            name: "local".to_owned(),
            lag_seconds: Some(0.25),
            pending: 2,
            gaps: Some(GapFacts {
                found: 5,
                lost: 1,
                ..GapFacts::default()
            }),
            ..PitrTarget::default()
        };
        let facts = Facts {
            pitr: PitrFacts {
                on: true,
                spool_bytes: 3,
                targets: vec![target],
                ..PitrFacts::default()
            },
            ..Facts::default()
        };
        let page = page(&facts);
        for line in [
            "orderdesk_mcp_pitr_lag_seconds{target=\"local\"} 0.25\n",
            "orderdesk_mcp_pitr_pending{target=\"local\"} 2\n",
            "orderdesk_mcp_pitr_gaps{target=\"local\",state=\"found\"} 5\n",
            "orderdesk_mcp_pitr_gaps{target=\"local\",state=\"lost\"} 1\n",
            "orderdesk_mcp_pitr_spool_bytes 3\n",
        ] {
            assert!(page.contains(line), "{line} in {page}");
        }
    }

    #[test]
    fn the_reserve_is_shown_where_one_is_wanted() {
        let wanting = |wanted_bytes| Facts {
            ballast: Some(BallastFacts {
                wanted_bytes,
                held_bytes: 0,
            }),
            ..Facts::default()
        };
        assert!(page(&wanting(16)).contains("orderdesk_mcp_ballast_bytes 0\n"));
        assert!(!page(&wanting(0)).contains("ballast"));
    }
}
