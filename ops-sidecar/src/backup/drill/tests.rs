//! When a drill is due.

use shared::env::{Owner, Vars};
use shared::paths::Home;

use super::*;
use crate::backup::journal::{Outcome, RunNote};

const HOUR_MS: i64 = 3_600_000;
const NOW_MS: i64 = 1_795_297_211_042;

fn settings() -> Settings {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::at(folder.path());
    let loaded = shared::env::Settings::load_for(
        Owner::Sidecar,
        &[],
        &Vars::from_pairs(std::iter::empty::<(&str, &str)>()),
        &home,
    );
    Settings::read(&loaded.settings, &home).0
}

fn journal(drills: &[(i64, Option<&str>)]) -> Journal {
    let run = RunNote {
        at_ms: NOW_MS - 100 * 24 * HOUR_MS,
        took_ms: 1,
        outcome: Outcome::Good,
        id: None,
        bytes: 1,
        encrypted: true,
        step: None,
        error: None,
        targets: Vec::new(),
    };
    let drill = |(at_ms, error): &(i64, Option<&str>)| DrillNote {
        at_ms: *at_ms,
        took_ms: 1,
        id: None,
        target: None,
        bytes: 1,
        reached_ms: None,
        error: error.map(str::to_owned),
    };
    Journal {
        last_good: Some(run),
        drills: drills.iter().map(drill).collect(),
        ..Journal::default()
    }
}

#[test]
fn without_a_backup_there_is_nothing_to_try() {
    assert!(!due(&Journal::default(), &settings(), NOW_MS));
    assert!(due(&journal(&[]), &settings(), NOW_MS));
}

#[test]
fn a_good_drill_counts_for_as_long_as_the_settings_say() {
    let week_ms = 7 * 24 * HOUR_MS;
    for (age_ms, expected) in [(0, false), (week_ms - 1, false), (week_ms, true)] {
        let journal = journal(&[(NOW_MS - age_ms, None)]);
        assert_eq!(due(&journal, &settings(), NOW_MS), expected, "{age_ms}");
    }
}

#[test]
fn a_failed_drill_is_tried_again_within_the_hour() {
    for (age_ms, expected) in [(HOUR_MS - 1, false), (HOUR_MS, true)] {
        let journal = journal(&[(NOW_MS - age_ms, Some("the target was away"))]);
        assert_eq!(due(&journal, &settings(), NOW_MS), expected, "{age_ms}");
    }
}

#[test]
fn a_drill_from_the_future_says_nothing() {
    let journal = journal(&[(NOW_MS + HOUR_MS, None)]);
    assert!(due(&journal, &settings(), NOW_MS));
}
