//! Swapped, marked, compared; refused where it must be; and killed between any two steps.

mod afterwards;
mod beside;
mod crash;
mod kit;

use rusqlite::Connection;

use self::kit::Kit;
use super::*;
use crate::audit::{self, Chain};
use crate::session::{Kind, Session};
use crate::state::tables::{epochs, meta};
use crate::state::{Durability, State};

#[test]
fn the_new_file_takes_the_place_and_the_old_one_is_kept() {
    let kit = Kit::new();
    kit.record(3);
    let backup = kit.backup("at-three");
    kit.record(2);
    let replaced = kit.restore(&backup, true).unwrap();
    assert!(!backup.exists(), "renamed, not copied");
    assert_eq!(replaced.epoch, 1);
    assert_eq!(kit.leftovers(), Vec::<String>::new());
    assert_eq!(kit.records(), 3);
    let kept = replaced.kept.unwrap();
    assert_eq!(
        kept,
        kit.home
            .kept_copies()
            .join("before-restore-19700101T000009Z.db")
    );
    assert_eq!(kit.records_of(&kept), 5);
}

#[test]
fn a_restored_file_says_what_happened_in_its_own_words() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("b");
    kit.restore(&backup, true).unwrap();
    let state = kit.open();
    let said = audit::last_restore(&state).unwrap().unwrap();
    assert_eq!(
        said.to_string(),
        "restored at 1970-01-01T00:00:09Z from backup 7, to what it was at 1970-01-01T00:00:05.000Z"
    );
    let told = state.read("test", |reading| {
        audit::list(reading, &Chain::System, &audit::Filter::default())
    });
    let told = &told.unwrap()[0];
    assert_eq!(
        (told.action.as_str(), told.target.as_deref()),
        ("state.restored", Some("backup 7"))
    );
    assert_eq!(
        told.args_shape.as_deref(),
        Some(r#"{"epoch":1,"reached":"1970-01-01T00:00:05Z"}"#)
    );
}

#[test]
fn each_restore_counts_one_more_than_the_file_and_the_one_it_replaces() {
    let kit = Kit::new();
    let backup = kit.backup("never-restored");
    assert_eq!(kit.restore(&kit.copy_of(&backup), true).unwrap().epoch, 1);
    assert_eq!(kit.restore(&kit.copy_of(&backup), true).unwrap().epoch, 2);
    let later = kit.backup("restored-twice");
    assert_eq!(kit.restore(&kit.copy_of(&backup), true).unwrap().epoch, 3);
    fs::remove_file(kit.home.state_db()).unwrap();
    assert_eq!(
        kit.restore(&later, true).unwrap().epoch,
        3,
        "all that is known"
    );
}

#[test]
fn a_newer_state_is_not_overwritten_without_force() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("old");
    kit.record(2);
    kit.open()
        .write("test", Durability::Full, meta::bump_vault_revision)
        .unwrap();
    let words = [
        "2 records of the audit of the store from the environment (number 2 and on)",
        "1 change of stores or keys",
    ];
    assert_eq!(newer_than(&kit.home, &backup).unwrap(), words);
    let refused = kit.restore(&backup, false).unwrap_err();
    assert!(
        matches!(&refused, StateError::WouldLose { what } if *what == words.join("; ")),
        "{refused}"
    );
    assert!(refused.to_string().contains("--force"));
    assert_eq!((kit.records(), backup.exists()), (3, true));
    kit.restore(&backup, true).unwrap();
    assert_eq!(kit.records(), 1);
}

#[test]
fn what_can_be_had_again_protects_nothing() {
    let kit = Kit::new();
    kit.record(2);
    let backup = kit.backup("same");
    let state = kit.open();
    state
        .write("test", Durability::Normal, |writing| {
            epochs::bump(writing, "shop")
        })
        .unwrap();
    drop(state);
    assert_eq!(
        newer_than(&kit.home, &backup).unwrap(),
        Vec::<String>::new()
    );
    kit.restore(&backup, false).unwrap();
}

#[test]
fn another_history_is_told_from_an_older_one() {
    let (kit, other) = (Kit::new(), Kit::new());
    kit.record(2);
    other.record_as(5, "other");
    let foreign = other.backup("foreign");
    assert_eq!(
        newer_than(&kit.home, &foreign).unwrap(),
        [
            "another history of the audit of the store from the environment (record 2 is not the same)"
        ]
    );
}

#[test]
fn a_later_master_key_is_told_because_the_backup_needs_the_earlier_one() {
    let kit = Kit::new();
    let tenant = "INSERT INTO tenants (id, name, wrapped_key, wrap_nonce, key_version, created_ms) VALUES ('t', 'Ann', x'00', x'00', 1, 1)";
    kit.sql(tenant);
    let backup = kit.backup("first-key");
    kit.sql("UPDATE tenants SET key_version = 2");
    let lost = newer_than(&kit.home, &backup).unwrap();
    assert_eq!(
        lost,
        ["the newest master key: what would take its place opens only with the one before"]
    );
}

#[test]
fn who_has_the_file_open_is_named_and_nothing_changes() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("b");
    let _living = Session::begin(&kit.home, Kind::McpStdio, "1").unwrap();
    let open = kit.open();
    let refused = kit.restore(&backup, true).unwrap_err();
    assert!(
        matches!(&refused, StateError::InUse { holders } if holders.starts_with("a process (session ")),
        "{refused}"
    );
    assert!(refused.is_transient() && backup.exists());
    drop(open);
    kit.restore(&backup, true).unwrap();
}

#[test]
fn nobody_opens_the_file_while_it_is_replaced() {
    let kit = Kit::new();
    let _gate = alone(&kit.home, Duration::ZERO).unwrap();
    assert!(matches!(
        State::open(&kit.home),
        Err(StateError::BeingRestored)
    ));
    assert!(matches!(
        newer_than(&kit.home, Path::new("x")),
        Err(StateError::BeingRestored)
    ));
}

#[test]
fn a_restore_waits_for_who_is_about_to_end() {
    let kit = Kit::new();
    let backup = kit.backup("b");
    let open = kit.open();
    let patient = Restore {
        patience: Duration::from_secs(20),
        ..kit::restore_of("backup 7", true)
    };
    std::thread::scope(|scope| {
        let restoring = scope.spawn(|| replace(&kit.home, &backup, &patient));
        drop(open);
        restoring.join().unwrap().unwrap();
    });
}

#[test]
fn a_lost_machine_gets_its_home_back() {
    let kit = Kit::new();
    kit.record(4);
    let backup = kit.backup("b");
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("not/there/yet"));
    let replaced = replace(&home, &backup, &kit::restore_of("b", false)).unwrap();
    assert_eq!(replaced.kept, None);
    let state = State::open(&home).unwrap();
    assert_eq!(kit::records(&state), 4);
}

#[test]
fn the_log_of_a_file_that_is_gone_does_not_come_back_into_the_new_one() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("b");
    let log = kit.leave_a_log(7);
    fs::remove_file(kit.home.state_db()).unwrap();
    assert!(log.exists());
    kit.restore(&backup, false).unwrap();
    assert_eq!(kit.records(), 1);
    let kept: Vec<_> = fs::read_dir(kit.home.kept_copies()).unwrap().collect();
    assert_eq!(kept.len(), 1, "the log is kept, too: {kept:?}");
}

#[test]
fn what_was_only_in_the_log_of_a_killed_process_is_in_the_kept_file() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("b");
    kit.leave_a_log(7);
    let kept = kit.restore(&backup, true).unwrap().kept.unwrap();
    assert_eq!(kit.records(), 1);
    assert_eq!(kit.records_of(&kept), 8);
}

#[test]
fn a_damaged_file_is_replaced_without_force_and_kept() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("b");
    kit.leave_a_log(7);
    kit.overwrite_header();
    let kept = kit.restore(&backup, false).unwrap().kept.unwrap();
    assert_eq!(kit.leftovers(), Vec::<String>::new());
    assert_eq!(kit.records(), 1);
    assert!(kept.exists());
}

#[test]
fn what_is_not_ours_or_too_new_or_no_database_is_refused() {
    let kit = Kit::new();
    kit.record(1);
    let foreign = kit.backup("foreign");
    kit::sql(&foreign, "PRAGMA application_id = 7");
    let newer = kit.backup("newer");
    kit::sql(
        &newer,
        "PRAGMA user_version = 99; UPDATE meta SET value = 99 WHERE key = 'compatible_from'",
    );
    let nothing = kit.home.root().join("nothing");
    fs::write(&nothing, "").unwrap();
    let noise = kit.home.root().join("noise");
    fs::write(&noise, "no database at all, however long it may be").unwrap();
    for (file, code) in [
        (foreign, "not_ours"),
        (newer, "newer"),
        (nothing, "not_ours"),
        (noise, "corrupt"),
    ] {
        for force in [true, false] {
            let error = kit.restore(&file, force).unwrap_err();
            assert_eq!(error.code(), code, "{}: {error}", file.display());
        }
    }
    assert_eq!(kit.records(), 1);
    assert!(kit.restore(Path::new("/does/not/exist"), true).is_err());
}

#[test]
fn a_backup_of_an_older_schema_is_brought_up_on_its_way() {
    let kit = Kit::new();
    kit.record(2);
    let backup = kit.backup("old");
    kit::to_schema(&backup, 1);
    assert_eq!(
        newer_than(&kit.home, &backup).unwrap(),
        Vec::<String>::new()
    );
    kit.restore(&backup, false).unwrap();
    let state = kit.open();
    assert_eq!(kit::records(&state), 2);
    assert!(audit::verify(&state, &Chain::Env, None, &[]).unwrap().ok);
}

/// Restores at these days since 1970; what is kept then.
fn kept_after(days: impl IntoIterator<Item = i64>) -> Vec<String> {
    let kit = Kit::new();
    let backup = kit.backup("b");
    for day in days {
        let restore = Restore {
            now_ms: day * 24 * 60 * 60 * 1000,
            ..kit::restore_of("b", true)
        };
        let replaced = replace(&kit.home, &kit.copy_of(&backup), &restore).unwrap();
        assert!(replaced.kept.unwrap().exists(), "day {day}");
    }
    let mut names: Vec<_> = fs::read_dir(kit.home.kept_copies())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn three_old_files_stay_and_those_of_the_last_week() {
    let kept = |day| format!("before-restore-197001{day}T000000Z.db");
    assert_eq!(kept_after([1, 2, 9, 16, 23]), ["10", "17", "24"].map(kept));
    assert_eq!(kept_after([9; 5]).len(), 5);
}

#[test]
fn the_old_file_stays_when_the_clock_was_set_back_since_others_were_kept() {
    assert_eq!(kept_after([20, 21, 22, 3]).len(), 4);
}

#[test]
fn a_program_that_knows_no_gate_is_noticed() {
    let kit = Kit::new();
    kit.record(1);
    let backup = kit.backup("b");
    let reader = Connection::open(kit.home.state_db()).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM audit")
        .unwrap();
    kit::sql(&kit.home.state_db(), "UPDATE meta SET value = value");
    let refused = kit.restore(&backup, true).unwrap_err();
    assert!(
        matches!(&refused, StateError::InUse { holders } if holders.contains("sqlite3")),
        "{refused}"
    );
    drop(reader);
    kit.restore(&kit.copy_of(&backup), true).unwrap();
}

#[cfg(unix)]
#[test]
fn the_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let kit = Kit::new();
    let backup = kit.backup("b");
    fs::set_permissions(&backup, fs::Permissions::from_mode(0o644)).unwrap();
    kit.restore(&backup, true).unwrap();
    let about = fs::metadata(kit.home.state_db()).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
}

/// Another file system than the home's, where there is one.
#[cfg(target_os = "linux")]
#[test]
fn backups_on_another_disk_are_no_obstacle() {
    let kit = Kit::new();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    if presence::is_same_disk(elsewhere.path(), kit.home.root()).unwrap() {
        return;
    }
    fs::remove_dir_all(kit.home.backups_dir()).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), kit.home.backups_dir()).unwrap();
    kit.record(1);
    let backup = kit.backup("b");
    kit.record(2);
    let kept = kit.restore(&backup, true).unwrap().kept.unwrap();
    assert_eq!(kit.leftovers(), Vec::<String>::new());
    assert_eq!(kit.records(), 1);
    assert_eq!(kit.records_of(&kept), 3);
    assert!(backup.exists(), "whoever made it clears it away");
}
