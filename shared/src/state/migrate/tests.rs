//! Up and down, on a filled file, and killed in the middle.

use std::process::Command;

use super::*;
use crate::state::{Durability, State, connection};

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    (folder, home)
}

fn tables(connection: &Connection) -> Vec<String> {
    let mut query = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    query
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// One row in every table.
fn fill(connection: &Connection) {
    connection
        .execute_batch(
            "INSERT INTO tenants VALUES ('t', 'Ann', x'00', x'00', 1, 1);
             INSERT INTO stores VALUES ('s', 't', 'Tea', 'https://x', '1', x'00', x'00', 1, 1);
             INSERT INTO sessions VALUES ('i', 'mcp-stdio', 1, '1', 1, 1, 'c', '1', 'p', 't', 1);
             INSERT INTO metric_live VALUES ('i', 'n', '{}', '', 'counter', 1.5, NULL, 1);
             INSERT INTO metric_retired VALUES ('n', '{}', '', 'counter', 1.5, NULL);
             INSERT INTO audit VALUES ('t', 1, 1, 'i', 'c', 'a', NULL, NULL, 'intent', NULL, x'00', x'00', NULL);
             INSERT INTO quota VALUES ('k', 1, 1);
             INSERT INTO epochs VALUES ('k', 1);",
        )
        .unwrap();
}

#[test]
fn the_history_is_sound() {
    Migrations::from_slice(HISTORY).validate().unwrap();
}

#[test]
fn every_migration_goes_up_and_down_on_a_filled_file() {
    let (_folder, home) = home();
    drop(State::open(&home).unwrap());
    let mut connection = connection::open(&home.state_db()).unwrap();
    fill(&connection);
    let full = tables(&connection);
    for version in (0..NEWEST).rev() {
        to(&mut connection, version).unwrap();
        assert_eq!(Header::read(&connection).unwrap().schema, version);
    }
    assert_eq!(tables(&connection), Vec::<String>::new());
    assert_eq!(Header::read(&connection).unwrap().application_id, 0);
    for version in 1..=NEWEST {
        to(&mut connection, version).unwrap();
    }
    assert_eq!(tables(&connection), full);
    drop(connection);
    State::open(&home).unwrap();
}

#[test]
fn a_migration_that_fails_is_not_recorded_and_leaves_the_file_as_it_was() {
    let (_folder, home) = home();
    drop(State::open(&home).unwrap());
    let mut connection = connection::open(&home.state_db()).unwrap();
    let full = tables(&connection);
    // The way down begins with dropping `epochs`; without it, it fails in the middle of the step.
    connection
        .execute_batch("ALTER TABLE quota RENAME TO elsewhere")
        .unwrap();
    let error = to(&mut connection, 0).unwrap_err();
    assert_eq!(error.code(), "migration");
    connection
        .execute_batch("ALTER TABLE elsewhere RENAME TO quota")
        .unwrap();
    assert_eq!(tables(&connection), full);
    assert_eq!(Header::read(&connection).unwrap().schema, NEWEST);
}

#[test]
fn an_audit_row_cannot_be_changed() {
    let (_folder, home) = home();
    drop(State::open(&home).unwrap());
    let connection = connection::open(&home.state_db()).unwrap();
    fill(&connection);
    connection
        .execute("UPDATE audit SET outcome = 'done'", [])
        .unwrap_err();
}

/// Set for the process that [`a_process_killed_in_the_middle_of_a_migration_leaves_a_usable_file`] starts.
const HOME_TO_DIE_IN: &str = "STATE_TEST_HOME_TO_DIE_IN";

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the process it starts"
)]
fn a_process_that_dies_migrating() {
    let Ok(folder) = std::env::var(HOME_TO_DIE_IN) else {
        return;
    };
    let home = Home::at(folder);
    let connection = connection::open(&home.state_db()).unwrap();
    connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .unwrap();
    // Pages of the unfinished transaction reach the log, as they would in a migration larger than the cache.
    connection
        .execute_batch("PRAGMA cache_size=1; BEGIN IMMEDIATE")
        .unwrap();
    connection
        .execute_batch(include_str!("../migrations/001_first.up.sql"))
        .unwrap();
    fill(&connection);
    std::process::abort();
}

#[test]
fn a_process_killed_in_the_middle_of_a_migration_leaves_a_usable_file() {
    let (_folder, home) = home();
    home.create().unwrap();
    std::fs::write(home.state_db(), "").unwrap();
    let died = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "state::migrate::tests::a_process_that_dies_migrating",
        ])
        .env(HOME_TO_DIE_IN, home.root())
        .output()
        .unwrap();
    assert!(
        !died.status.success() && home.root().join("state.db-wal").exists(),
        "{died:?}"
    );
    let state = State::open(&home).unwrap();
    assert_eq!(state.schema_version(), NEWEST);
    state
        .write("test", Durability::Full, |writing| {
            tables::epochs::bump(writing, "shop")
        })
        .unwrap();
    assert_eq!(
        state
            .read("test", |reading| tables::epochs::read(reading, "shop"))
            .unwrap(),
        1
    );
}

#[test]
fn a_newer_file_decides_itself_who_may_use_it() {
    let (_folder, home) = home();
    drop(State::open(&home).unwrap());
    let says = |sql: &str| {
        connection::open(&home.state_db())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    says(&format!("PRAGMA user_version = {}", NEWEST + 5));
    let state = State::open(&home).expect("additive migrations do not lock older programs out");
    assert_eq!(state.schema_version(), NEWEST + 5);
    drop(state);
    says(&format!(
        "UPDATE meta SET value = {} WHERE key = 'compatible_from'",
        NEWEST + 2
    ));
    let error = State::open(&home).unwrap_err();
    assert!(
        matches!(error, StateError::Newer { file, ours } if (file, ours) == (NEWEST + 5, NEWEST)),
        "{error}"
    );
    says("DELETE FROM meta");
    assert!(matches!(State::open(&home), Err(StateError::Newer { .. })));
}
