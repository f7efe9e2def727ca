//! What `ops-sidecar migrate` stands on: looking changes nothing, going down needs the file alone, and each way is copied first.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

const NOW_MS: i64 = 1_700_000_000_000;

fn move_now(home: &Home, version: Option<u32>) -> Result<Migrated, StateError> {
    migrate_to(home, version, NOW_MS, Duration::from_millis(500))
}

#[test]
fn looking_makes_and_changes_nothing() {
    let (_folder, home) = home();
    home.create().unwrap();
    let nothing = MigrationStatus {
        file: None,
        newest: NEWEST,
        compatible_from: None,
        pending: NEWEST,
    };
    assert_eq!(migration_status(&home).unwrap(), nothing);
    assert!(!home.state_db().exists());
    drop(State::open(&home).unwrap());
    move_now(&home, Some(1)).unwrap();
    let old = MigrationStatus {
        file: Some(1),
        compatible_from: Some(1),
        pending: NEWEST - 1,
        ..nothing
    };
    assert_eq!(migration_status(&home).unwrap(), old);
    assert_eq!(migration_status(&home).unwrap(), old);
}

#[test]
fn down_and_up_again_is_as_it_was_with_a_copy_of_each_moment() {
    let (_folder, home, connection) = opened();
    fill(&connection);
    let before = content(&connection);
    drop(connection);
    let down = move_now(&home, Some(1)).unwrap();
    assert_eq!((down.from, down.to), (NEWEST, 1));
    let first = connection::open(&down.kept_copy.unwrap()).unwrap();
    assert_eq!(content(&first), before);
    let up = move_now(&home, None).unwrap();
    assert_eq!((up.from, up.to), (1, NEWEST));
    assert!(up.kept_copy.unwrap().exists());
    assert_eq!(
        content(&connection::open(&home.state_db()).unwrap()),
        before
    );
    let nothing = move_now(&home, None).unwrap();
    assert_eq!(
        (nothing.from, nothing.to, nothing.kept_copy),
        (NEWEST, NEWEST, None)
    );
}

#[test]
fn going_up_makes_a_file_where_there_is_none() {
    let (_folder, home) = home();
    let made = move_now(&home, None).unwrap();
    assert_eq!((made.from, made.to, made.kept_copy), (0, NEWEST, None));
}

#[test]
fn nobody_goes_down_while_somebody_has_the_file_open() {
    let (_folder, home) = home();
    let open = State::open(&home).unwrap();
    let refused = migrate_to(&home, Some(1), NOW_MS, Duration::ZERO).unwrap_err();
    assert_eq!(refused.code(), "in_use");
    drop(open);
    move_now(&home, Some(1)).unwrap();
}

/// Comes in as soon as it can, again and again; fails when the schema changes while it is inside.
fn visit(home: &Home, is_down: &AtomicBool, visits: &AtomicU32) {
    let schema = || {
        let connection = connection::open(&home.state_db()).unwrap();
        Header::read(&connection).unwrap().schema
    };
    let moment = Duration::from_millis(1);
    while !is_down.load(Ordering::SeqCst) {
        if let Ok(_inside) = gate::enter(&home.gate_lock()) {
            let came_to = schema();
            spend(moment);
            assert_eq!(schema(), came_to, "changed under somebody who is inside");
            visits.fetch_add(1, Ordering::SeqCst);
        }
        spend(moment);
    }
}

/// Never asleep, so that who is let in too early comes in at once.
fn spend(span: Duration) {
    let since = Instant::now();
    while since.elapsed() < span {
        thread::yield_now();
    }
}

#[test]
fn the_schema_never_goes_down_under_somebody_who_came_meanwhile() {
    let (_folder, home) = home();
    drop(State::open(&home).unwrap());
    for _ in 0..10 {
        let (is_down, visits) = (AtomicBool::new(false), AtomicU32::new(0));
        let moved = thread::scope(|scope| {
            let guest = scope.spawn(|| visit(&home, &is_down, &visits));
            while visits.load(Ordering::SeqCst) == 0 && !guest.is_finished() {
                thread::yield_now();
            }
            let moved = migrate_to(&home, Some(1), NOW_MS, Duration::from_secs(30));
            is_down.store(true, Ordering::SeqCst);
            guest.join().expect("the guest was not disturbed");
            moved
        });
        assert_eq!(moved.unwrap().to, 1);
        move_now(&home, None).unwrap();
    }
}

#[test]
fn a_schema_that_there_is_no_way_to_is_refused() {
    let (_folder, home) = home();
    assert_eq!(
        move_now(&home, Some(1)).unwrap_err().code(),
        "no_such_schema"
    );
    drop(State::open(&home).unwrap());
    for wanted in [0, NEWEST + 1] {
        let refused = move_now(&home, Some(wanted)).unwrap_err();
        assert_eq!(refused.code(), "no_such_schema", "{wanted}");
    }
    let same = move_now(&home, Some(NEWEST)).unwrap();
    assert_eq!((same.to, same.kept_copy), (NEWEST, None));
}

#[test]
fn a_file_of_a_newer_program_is_moved_by_that_program_alone() {
    let (_folder, home, connection) = opened();
    connection
        .execute_batch(&format!("PRAGMA user_version = {}", NEWEST + 1))
        .unwrap();
    drop(connection);
    assert_eq!(migration_status(&home).unwrap().file, Some(NEWEST + 1));
    assert_eq!(move_now(&home, Some(1)).unwrap_err().code(), "newer");
    assert_eq!(
        move_now(&home, None).unwrap().to,
        NEWEST + 1,
        "nothing to do"
    );
}
