//! When a drill is due, and what makes it fail.

use shared::env::{Owner, Vars};
use shared::paths::Home;

use super::*;
use crate::backup::journal::{Outcome, RunNote};
use crate::backup::make::tests::desk::{Desk, FIRST};
use crate::backup::make::tests::faulty::Fault;

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

#[test]
fn a_drill_is_good_when_the_newest_backup_comes_back_and_no_moment_was_promised_yet() {
    let desk = Desk::new();
    desk.good();
    let id = desk.good();
    let drilled = run(&desk.room, None, &Quiet).expect("a drill");
    assert!(drilled.is_good(), "{:?}", drilled.note);
    assert_eq!(drilled.note.id, Some(id.to_string()));
    assert_eq!(drilled.note.reached_ms, None);
}

/// What is done to the targets of a desk whose newest backup has this name.
type Mishap = fn(&Desk, &BackupId);

#[test]
fn whatever_does_not_come_back_fails_the_drill_and_is_noted() {
    let mishaps: [(Mishap, &str); 4] = [
        (
            |desk, id| {
                for target in &desk.room.targets {
                    target.delete(&id.manifest_key()).expect("a target");
                }
            },
            "there is no backup",
        ),
        (
            |desk, _| {
                for store in &desk.stores {
                    store.has(Fault::Changed(".zst"));
                }
            },
            "another hash",
        ),
        // The other target gives it back sound all the same.
        (|desk, _| desk.stores[0].has(Fault::Changed(".zst")), FIRST),
        (
            |desk, _| {
                let base = "pitr/20261121T080000Z-00000a/0000000001000-base-d.inc.zst";
                let target = &desk.room.targets[0];
                target.put(base, b"noise".to_vec()).expect("a target");
            },
            "the newest moment: ",
        ),
    ];
    for (mishap, told) in mishaps {
        let desk = Desk::new();
        let id = desk.good();
        mishap(&desk, &id);
        let drilled = run(&desk.room, None, &Quiet).expect("a drill");
        let error = drilled.note.error.expect(told);
        assert!(error.contains(told), "{told}: {error}");
        let journal = Journal::read(&desk.room.home);
        let noted = journal.drills.last().expect("a note");
        assert_eq!(noted.error.as_ref(), Some(&error));
    }
}

#[test]
fn a_drill_whose_key_is_gone_is_a_failed_one() {
    let mut desk = Desk::encrypted();
    desk.good();
    desk.room.settings.identity_file = Some(desk.folder.path().join("gone.key"));
    let mut drills = Drills::new(desk.room.clone()).expect("a key is set");
    assert!(drills.step().expect("a step"));
    let journal = Journal::read(&desk.room.home);
    let noted = journal.drills.last().expect("a note");
    assert!(
        noted
            .error
            .as_ref()
            .is_some_and(|why| why.contains("gone.key")),
        "{noted:?}"
    );
}
