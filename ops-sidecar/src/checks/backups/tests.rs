//! What the notes of the backups amount to.

use super::super::Level;
use super::*;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Some day in 2026.
const TODAY: i64 = 1_790_000_000_000;

fn hourly() -> Terms {
    Terms {
        every: Some(Duration::from_secs(3600)),
        drill_every: Duration::from_secs(7 * DAY_SECONDS),
        allow_unencrypted: false,
        has_identity: false,
    }
}

fn now() -> Now {
    Now {
        ms: TODAY,
        awake: GRACE,
    }
}

fn good(age_ms: i64) -> Good {
    Good {
        id: "20261121T214011Z-3f9a1c".to_owned(),
        at_ms: Some(TODAY - age_ms),
        size_bytes: 1,
        encrypted: true,
    }
}

fn run(outcome: Outcome) -> Run {
    Run {
        at_ms: Some(TODAY),
        outcome,
        step: None,
        took_seconds: 1.0,
    }
}

fn drill(age_ms: i64, ok: bool) -> Drill {
    Drill {
        at_ms: Some(TODAY - age_ms),
        ok,
        restore_seconds: 1.5,
    }
}

/// A machine that has made a good backup just now, and began to today.
fn sound() -> BackupFacts {
    BackupFacts {
        first_run_ms: Some(TODAY),
        last_run: Some(run(Outcome::Good)),
        last_good: Some(good(0)),
        ..BackupFacts::default()
    }
}

fn ids(facts: &BackupFacts) -> Vec<&'static str> {
    judge(facts, &hourly(), now())
        .iter()
        .map(|draft| draft.id)
        .collect()
}

#[test]
fn a_good_backup_of_now_is_no_finding() {
    assert_eq!(judge(&sound(), &hourly(), now()), []);
}

#[test]
fn no_backup_is_a_finding_once_there_was_time_to_make_one() {
    let facts = BackupFacts::default();
    let early = Now {
        awake: GRACE - Duration::from_secs(1),
        ..now()
    };
    assert_eq!(judge(&facts, &hourly(), early), []);
    assert_eq!(ids(&facts), ["backup.none"]);
}

#[test]
fn a_backup_is_stale_when_two_runs_were_missed_and_the_machine_was_awake() {
    let at_age = |age_ms| BackupFacts {
        last_good: Some(good(age_ms)),
        ..sound()
    };
    let limit = 2 * HOUR_MS + i64::try_from(SLACK.as_millis()).unwrap();
    assert_eq!(ids(&at_age(limit)), Vec::<&str>::new());
    assert_eq!(ids(&at_age(limit + 1)), ["backup.stale"]);
    let just_woke = Now {
        awake: Duration::ZERO,
        ..now()
    };
    assert_eq!(judge(&at_age(DAY_MS), &hourly(), just_woke), []);
    let stale = judge(&at_age(3 * DAY_MS), &hourly(), now()).remove(0);
    assert!(stale.summary.contains("3 days"), "{}", stale.summary);
    assert_eq!(stale.level, Level::Fail);
}

#[test]
fn without_a_schedule_backups_made_by_hand_are_watched_for_two_days() {
    let by_hand = Terms {
        every: None,
        ..hourly()
    };
    let judged = |facts: &BackupFacts| {
        judge(facts, &by_hand, now())
            .iter()
            .map(|draft| draft.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(judged(&BackupFacts::default()), ["backup.off"]);
    assert_eq!(judged(&sound()), Vec::<&str>::new());
    let old = BackupFacts {
        last_good: Some(good(2 * DAY_MS + 1)),
        ..sound()
    };
    assert_eq!(judged(&old), ["backup.off"]);
}

#[test]
fn a_failed_run_says_at_which_step() {
    let facts = BackupFacts {
        last_run: Some(Run {
            step: Some("compare"),
            ..run(Outcome::Failed)
        }),
        ..sound()
    };
    let failed = judge(&facts, &hourly(), now()).remove(0);
    assert_eq!(failed.id, "backup.failed");
    assert!(failed.summary.contains("(compare)"), "{}", failed.summary);
}

#[test]
fn a_partial_run_says_how_many_targets_are_without() {
    let target = |missed_last| TargetFacts {
        name: "s3://secret-name/x".to_owned(),
        newest_ms: None,
        missed_last,
    };
    let facts = BackupFacts {
        last_run: Some(run(Outcome::Partial)),
        targets: vec![target(true), target(false), target(false)],
        ..sound()
    };
    let partial = judge(&facts, &hourly(), now()).remove(0);
    assert_eq!(partial.id, "backup.partial");
    assert!(partial.summary.contains("1 of 3"), "{}", partial.summary);
    assert!(!partial.summary.contains("secret-name"));
}

#[test]
fn an_open_backup_is_a_finding_unless_somebody_agreed_to_it() {
    let open = Good {
        encrypted: false,
        ..good(0)
    };
    let facts = BackupFacts {
        last_good: Some(open),
        ..sound()
    };
    assert_eq!(ids(&facts), ["backup.unencrypted"]);
    let agreed = Terms {
        allow_unencrypted: true,
        ..hourly()
    };
    assert_eq!(judge(&facts, &agreed, now()), []);
}

#[test]
fn nobody_has_to_drill_in_the_first_week_and_everybody_after_it() {
    let began = |age_ms| BackupFacts {
        first_run_ms: Some(TODAY - age_ms),
        ..sound()
    };
    assert_eq!(ids(&began(7 * DAY_MS)), Vec::<&str>::new());
    assert_eq!(ids(&began(7 * DAY_MS + 1)), ["backup.drill_old"]);
}

#[test]
fn a_drill_is_old_after_four_intervals() {
    let drilled = |age_ms| BackupFacts {
        first_run_ms: Some(TODAY - 100 * DAY_MS),
        last_drill: Some(drill(age_ms, true)),
        last_good_drill: Some(drill(age_ms, true)),
        ..sound()
    };
    assert_eq!(ids(&drilled(28 * DAY_MS)), Vec::<&str>::new());
    assert_eq!(ids(&drilled(28 * DAY_MS + 1)), ["backup.drill_old"]);
}

#[test]
fn a_drill_that_failed_is_worse_than_an_old_one() {
    let facts = BackupFacts {
        last_drill: Some(drill(0, false)),
        last_good_drill: Some(drill(90 * DAY_MS, true)),
        ..sound()
    };
    assert_eq!(ids(&facts), ["backup.drill_failed"]);
}

#[test]
fn where_the_key_is_elsewhere_the_hint_says_so() {
    let facts = BackupFacts {
        last_drill: Some(drill(0, false)),
        ..sound()
    };
    let hint = |has_identity| {
        let terms = Terms {
            has_identity,
            ..hourly()
        };
        judge(&facts, &terms, now()).remove(0).hint
    };
    assert!(hint(false).contains("--identity"));
    assert!(!hint(true).contains("--identity"));
}

#[test]
fn nothing_about_backups_keeps_a_machine_from_being_ready() {
    let worst = BackupFacts {
        last_run: Some(run(Outcome::Failed)),
        last_good: Some(Good {
            encrypted: false,
            ..good(90 * DAY_MS)
        }),
        last_drill: Some(drill(0, false)),
        ..sound()
    };
    let drafts = judge(&worst, &hourly(), now());
    assert_eq!(drafts.len(), 4);
    assert!(drafts.iter().all(|draft| !draft.blocks_ready));
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_stale() {
    let facts = BackupFacts {
        last_good: Some(good(-DAY_MS)),
        ..sound()
    };
    assert_eq!(ids(&facts), Vec::<&str>::new());
}

#[test]
fn times_are_shown_as_times_and_missing_ones_as_nothing() {
    let shown = serde_json::to_value(sound()).unwrap();
    assert_eq!(shown["last_good"]["at"], "2026-09-21T14:13:20.000Z");
    assert_eq!(shown["last_drill"], serde_json::Value::Null);
    assert_eq!(
        serde_json::to_value(BackupFacts::default()).unwrap()["first_run_at"],
        serde_json::Value::Null
    );
}
