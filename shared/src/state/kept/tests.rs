//! A copy has its name when it is whole and checked; what is worth keeping stays; a failure leaves nothing.

use super::*;
use crate::state::Durability;
use crate::state::tables::epochs;

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    drop(State::open(&home).unwrap());
    (folder, home)
}

fn names(home: &Home) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(home.kept_copies())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

const UP: Before = Before::Migration { from: 2, to: 3 };

#[test]
fn a_copy_is_a_whole_database_of_its_own_for_its_owner_only() {
    let (_folder, home) = home();
    let state = State::open(&home).unwrap();
    let bump = |state: &State| {
        state.write("test", Durability::Normal, |writing| {
            epochs::bump(writing, "shop")
        })
    };
    bump(&state).unwrap();
    let path = copy(&home, UP, 1_700_000_000_000).unwrap();
    bump(&state).unwrap();
    assert_eq!(
        names(&home),
        ["before-migration-2-to-3-20231114T221320Z.db"]
    );
    let kept = State::open_copy(&path).unwrap();
    let epoch = kept.read("test", |reading| epochs::read(reading, "shop"));
    assert_eq!(epoch.unwrap(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&home.kept_copies())), (0o600, 0o700));
    }
}

const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1000;

#[test]
fn of_each_kind_the_newest_three_stay_whatever_they_are_of() {
    let (_folder, home) = home();
    fs::create_dir_all(home.kept_copies()).unwrap();
    fs::write(home.kept_copies().join("a note of a person.txt"), "").unwrap();
    for second in 0..4 {
        copy(&home, Before::Restore, second * 1000).unwrap();
        copy(&home, UP, second * 1000).unwrap();
    }
    copy(&home, Before::Migration { from: 10, to: 9 }, 9_000).unwrap();
    copy(&home, Before::Restore, WEEK_MS + 10_000).unwrap();
    let at = |second| format!("19700101T00000{second}Z.db");
    let mut expected = vec!["a note of a person.txt".to_owned()];
    expected.push(format!("before-migration-10-to-9-{}", at(9)));
    expected.extend([2, 3].map(|second| format!("before-migration-2-to-3-{}", at(second))));
    expected.extend([2, 3].map(|second| format!("before-restore-{}", at(second))));
    expected.push("before-restore-19700108T000010Z.db".to_owned());
    assert_eq!(names(&home), expected);
}

#[test]
fn what_preceded_the_restores_of_the_last_week_stays_all_of_it() {
    let (_folder, home) = home();
    for second in 0..6 {
        copy(&home, Before::Restore, second * 1000).unwrap();
    }
    assert_eq!(names(&home).len(), 6);
}

#[test]
fn the_copy_just_made_stays_also_when_the_clock_was_set_back() {
    for kind in [UP, Before::Restore] {
        let (_folder, home) = home();
        for second in 0..3 {
            copy(&home, kind, 100 * WEEK_MS + second * 1000).unwrap();
        }
        let made = copy(&home, kind, 0).unwrap();
        assert!(made.exists(), "{kind:?}");
    }
}

#[test]
fn two_in_one_second_do_not_share_a_name() {
    let (_folder, home) = home();
    let copies: Vec<_> = (0..3).map(|_| copy(&home, UP, 0).unwrap()).collect();
    assert_eq!(names(&home).len(), 3);
    assert!(copies[2].to_string_lossy().ends_with("Z-3.db"));
}

#[test]
fn an_unsound_file_gives_no_copy_and_says_why() {
    let (_folder, home) = home();
    let length = fs::metadata(home.state_db()).unwrap().len();
    let file = File::options().write(true).open(home.state_db()).unwrap();
    file.set_len(length - 4096).unwrap();
    drop(file);
    let error = copy(&home, UP, 0).unwrap_err();
    assert_eq!(error.code(), "corrupt", "{error}");
    assert_eq!(names(&home), Vec::<String>::new());
}

#[test]
fn a_copy_that_is_whole_and_holds_damage_is_none() {
    let (_folder, home) = home();
    // The head of a page in the middle: every page can be read, and SQLite makes no sense of this one.
    let mut bytes = fs::read(home.state_db()).unwrap();
    bytes[2 * 4096..2 * 4096 + 8].fill(0xff);
    fs::write(home.state_db(), bytes).unwrap();
    let error = copy(&home, UP, 0).unwrap_err();
    assert_eq!(error.code(), "corrupt", "{error}");
    assert_eq!(names(&home), Vec::<String>::new());
}

#[test]
fn what_a_killed_process_has_left_goes_with_the_next_copy() {
    let (_folder, home) = home();
    fs::create_dir_all(home.kept_copies()).unwrap();
    for name in [UNCHECKED, ".copying-abc"] {
        fs::write(home.kept_copies().join(name), "half").unwrap();
    }
    copy(&home, UP, 0).unwrap();
    assert_eq!(
        names(&home),
        ["before-migration-2-to-3-19700101T000000Z.db"]
    );
}

#[test]
fn what_is_kept_is_listed_newest_first_with_why_when_and_of_which_schema() {
    let (_folder, home) = home();
    assert_eq!(kept_copies(&home).unwrap(), [], "there is no folder yet");
    copy(&home, UP, 2_000).unwrap();
    copy(&home, Before::Restore, 1_999).unwrap();
    for _ in 0..11 {
        copy(&home, Before::Restore, 3_000).unwrap();
    }
    let listed = kept_copies(&home).unwrap();
    let known: Vec<_> = listed
        .iter()
        .map(|copy| (copy.name.as_str(), copy.before, copy.at_ms))
        .collect();
    let at = |second: u32| format!("19700101T00000{second}Z");
    assert_eq!(
        known[0],
        (
            format!("before-restore-{}-11.db", at(3)).as_str(),
            Before::Restore,
            3_000
        )
    );
    assert_eq!(known[10].0, format!("before-restore-{}.db", at(3)));
    let migration = format!("before-migration-2-to-3-{}.db", at(2));
    assert_eq!(known[11], (migration.as_str(), UP, 2_000));
    assert_eq!(known[12].2, 1_000, "the second that its name says");
    let newest = crate::state::NEWEST_SCHEMA;
    let length = fs::metadata(home.state_db()).unwrap().len();
    assert!(
        listed
            .iter()
            .all(|copy| copy.schema == Some(newest) && copy.bytes == length && !copy.has_log)
    );
}

#[test]
fn what_cannot_be_read_is_listed_and_what_is_no_copy_is_not() {
    let (_folder, home) = home();
    let whole = copy(&home, Before::Restore, 0).unwrap();
    let damaged = copy(&home, Before::Restore, 0).unwrap();
    fs::write(&damaged, [7; 8192]).unwrap();
    fs::write(presence::companion(&damaged, "-wal"), "log").unwrap();
    let beside = |name: &str| home.kept_copies().join(name);
    fs::write(beside("a note.txt"), "").unwrap();
    fs::write(beside("before-restore-yesterday.db"), "").unwrap();
    fs::write(beside("before-migration-2-to-x-19700101T000000Z.db"), "").unwrap();
    fs::write(beside("before-restore-19700101T000009Z.db-wal"), "log").unwrap();
    fs::create_dir(beside("before-restore-19700101T000008Z.db")).unwrap();
    // A restore that died just before the new file took the name.
    #[cfg(unix)]
    fs::hard_link(
        home.state_db(),
        beside("before-restore-19700101T000007Z.db"),
    )
    .unwrap();
    let listed = kept_copies(&home).unwrap();
    let known: Vec<_> = listed
        .iter()
        .map(|copy| (copy.path.clone(), copy.schema.is_some(), copy.has_log))
        .collect();
    assert_eq!(known, [(damaged, false, true), (whole, true, false)]);
}
