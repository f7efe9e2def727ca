//! What is noted is read back, bounded, and never in anybody's way.

use std::fs;

use super::*;

struct Desk {
    _folder: tempfile::TempDir,
    home: Home,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        Desk {
            _folder: folder,
            home,
        }
    }

    fn run(&self, note: RunNote) {
        Journal::note_run(&self.home, note, &["local", "s3://shop"]).unwrap();
    }

    fn read(&self) -> Journal {
        Journal::read(&self.home)
    }
}

fn target(name: &str, error: Option<&str>) -> TargetOutcome {
    TargetOutcome {
        name: name.to_owned(),
        step: error.map(|_| Step::Ship),
        error: error.map(str::to_owned),
    }
}

fn run(at_ms: i64, outcome: Outcome) -> RunNote {
    let error = (outcome != Outcome::Good).then_some("away");
    RunNote {
        at_ms,
        took_ms: 7,
        outcome,
        id: Some(format!("id-{at_ms}")),
        bytes: 100,
        encrypted: true,
        step: error.map(|_| Step::Ship),
        error: error.map(str::to_owned),
        targets: vec![target("local", None), target("s3://shop", error)],
    }
}

#[test]
fn no_journal_is_an_empty_one_and_reading_makes_nothing() {
    let desk = Desk::new();
    assert_eq!(desk.read(), Journal::default());
    assert!(!desk.home.root().exists());
}

#[test]
fn the_last_good_run_and_each_targets_newest_backup_are_known() {
    let desk = Desk::new();
    desk.run(run(1, Outcome::Good));
    desk.run(run(2, Outcome::Partial));
    let journal = desk.read();
    assert_eq!(journal.last_good.as_ref().unwrap().at_ms, 1);
    assert_eq!(journal.last_run().unwrap().at_ms, 2);
    assert_eq!(journal.first_run_at_ms, Some(1));
    assert_eq!(journal.targets["local"].last_good_at_ms, Some(2));
    let away = &journal.targets["s3://shop"];
    assert_eq!(away.last_good_id.as_deref(), Some("id-1"));
    assert_eq!(away.error.as_deref(), Some("away"));
    assert_eq!(journal.failures_in_a_row(), 1);
}

#[test]
fn a_target_that_is_no_longer_asked_for_is_forgotten() {
    let desk = Desk::new();
    desk.run(run(1, Outcome::Good));
    let mut note = run(2, Outcome::Good);
    note.targets.pop();
    Journal::note_run(&desk.home, note, &["local"]).unwrap();
    assert!(!desk.read().targets.contains_key("s3://shop"));
}

#[test]
fn notes_are_bounded_and_totals_go_on_counting() {
    let desk = Desk::new();
    let many = i64::try_from(MOST_NOTES).unwrap() + 20;
    for at_ms in 1..=many {
        desk.run(run(at_ms, Outcome::Failed));
    }
    let journal = desk.read();
    assert_eq!(journal.runs.len(), MOST_NOTES);
    assert_eq!(journal.runs[0].at_ms, 21);
    assert_eq!(journal.totals.failed, many.unsigned_abs());
    assert_eq!(journal.first_run_at_ms, Some(1));
}

#[test]
fn drills_and_restores_and_prunings_are_noted_as_well() {
    let desk = Desk::new();
    let drill = |at_ms, error: Option<&str>| DrillNote {
        at_ms,
        took_ms: 900,
        id: None,
        target: None,
        bytes: 0,
        reached_ms: None,
        error: error.map(str::to_owned),
    };
    Journal::note_drill(&desk.home, drill(5, None)).unwrap();
    Journal::note_drill(&desk.home, drill(6, Some("damaged"))).unwrap();
    let restore = RestoreNote {
        at_ms: 8,
        took_ms: 1200,
        from: "id-1".to_owned(),
        reached_ms: 1,
        live: true,
    };
    Journal::note_restore(&desk.home, restore).unwrap();
    let outcomes = [("local".to_owned(), Some("denied".to_owned()))];
    Journal::note_prune(&desk.home, 9, &outcomes).unwrap();
    let journal = desk.read();
    assert_eq!(journal.last_good_drill.unwrap().at_ms, 5);
    assert_eq!((journal.drills.len(), journal.restores.len()), (2, 1));
    let totals = journal.totals;
    assert_eq!(
        (totals.drills_good, totals.drills_failed, totals.restores),
        (1, 1, 1)
    );
    assert_eq!(
        journal.targets["local"].prune_error.as_deref(),
        Some("denied")
    );
}

#[test]
fn a_damaged_journal_begins_anew_says_so_and_is_kept_aside() {
    let desk = Desk::new();
    desk.run(run(1, Outcome::Good));
    let path = Journal::path(&desk.home);
    let half = fs::read(&path).unwrap();
    for damaged in [&half[..half.len() / 2], b"[0]", b"\0\0", b""] {
        fs::write(&path, damaged).unwrap();
        let lost = desk.read();
        assert!(lost.runs.is_empty() && lost.began_anew.unwrap().at_ms == 0);
        desk.run(run(9, Outcome::Good));
        let anew = desk.read();
        assert_eq!(anew.runs.len(), 1);
        assert_eq!(anew.began_anew.unwrap().at_ms, 9);
        let aside = desk.home.backup_spool().join("journal.damaged");
        assert_eq!(fs::read(aside).unwrap(), damaged);
    }
}

#[test]
fn a_journal_of_a_later_version_is_read_as_far_as_it_is_known() {
    let desk = Desk::new();
    desk.run(run(1, Outcome::Good));
    let path = Journal::path(&desk.home);
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    json["moods"] = serde_json::json!(["calm"]);
    json["runs"][0]["mood"] = "calm".into();
    fs::write(&path, json.to_string()).unwrap();
    assert_eq!(desk.read().runs, [run(1, Outcome::Good)]);
}

#[test]
fn long_words_of_others_are_cut_and_stay_on_one_line() {
    let desk = Desk::new();
    let mut note = run(1, Outcome::Failed);
    note.error = Some("no\n".repeat(1000));
    desk.run(note);
    let error = desk.read().runs[0].error.clone().unwrap();
    assert_eq!(error.chars().count(), MOST_CHARACTERS);
    assert!(!error.contains('\n'));
}

#[test]
fn many_who_note_at_once_lose_nothing() {
    let desk = Desk::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|at_ms| desk.run(run(at_ms, Outcome::Good))));
        }
    });
    assert_eq!(desk.read().totals.good, 40);
    assert_eq!(desk.read().runs.len(), 40);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.run(run(1, Outcome::Good));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&Journal::path(&desk.home)), 0o600);
    assert_eq!(mode(&desk.home.backup_spool()), 0o700);
}
