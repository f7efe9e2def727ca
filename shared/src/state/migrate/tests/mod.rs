//! Up and down, on a filled file, and killed in the middle.

mod command;
mod release;

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

/// Rows in every table, as a program of schema 1 writes them. The names of the last two shops differ in case only.
fn fill_as_schema_1(connection: &Connection) {
    connection
        .execute_batch(
            "INSERT INTO tenants (id, name, wrapped_key, wrap_nonce, key_version, created_ms)
                VALUES ('t', 'Ann', x'00', x'00', 1, 1), ('u', 'Bob', x'01', x'01', 1, 1);
             INSERT INTO stores (id, tenant_id, name, base_url, store_id, sealed_key, seal_nonce, key_version, created_ms)
                VALUES ('s', 't', ' Tea', 'https://x', '1', x'00', x'00', 1, 1),
                       ('v', 'u', 'Tea', 'https://x', '1', x'00', x'00', 1, 1),
                       ('w', 'u', 'TEA', 'https://x', '2', x'00', x'00', 1, 1);
             INSERT INTO sessions VALUES ('i', 'mcp-stdio', 1, '1', 1, 1, 'c', '1', 'p', 't', 1);
             INSERT INTO metric_live VALUES ('i', 'n', '{}', '', 'counter', 1.5, NULL, 1);
             INSERT INTO metric_retired VALUES ('n', '{}', '', 'counter', 1.5, NULL);
             INSERT INTO audit (tenant_id, seq, at_ms, session_id, client_name, action, outcome, prev_hash, hash)
                VALUES ('t', 1, 1, 'i', 'c', 'a', 'intent', x'00', x'00'), ('t', 2, 1, 'i', 'c', 'a', 'done', x'00', x'01');
             INSERT INTO quota VALUES ('k', 1, 1);
             INSERT INTO epochs (store_key, epoch) VALUES ('k', 1);",
        )
        .unwrap();
}

/// What only later schemas have a place for.
fn fill(connection: &Connection) {
    fill_as_schema_1(connection);
    connection
        .execute_batch(
            "UPDATE tenants SET salt = x'0102', kdf = 'argon2id', key_id = 'kt', default_store = 's' WHERE id = 't';
             UPDATE tenants SET salt = x'03', key_id = 'ku' WHERE id = 'u';
             UPDATE stores SET name_key = 'tee' WHERE id = 's';
             UPDATE stores SET name_key = 'tea' WHERE id = 'w';
             INSERT INTO audit VALUES ('t', 3, 1, 'i', 'c', 'a', NULL, NULL, 'done', NULL, x'01', x'02', x'03', 7);
             INSERT INTO audit_anchors VALUES ('t', 9, x'04', 5), ('system', 2, x'05', 6);
             UPDATE epochs SET busy_until_ms = 77;
             UPDATE turn_seq SET seq = 12;
             INSERT INTO turns VALUES ('k', 'order/1', 12, 'i', 5), ('k', 'order/2', 12, 'i', 5), ('k', 'order/1', 11, 'j', 4);
             INSERT INTO open_writes VALUES ('t', 1, 'k', 'i', 'c', 'a', 'order 1', 'look', 5, 'open'),
                                            ('env', 1, 'k', 'i', NULL, 'a', 'order 2', 'look', 6, 'unknown');",
        )
        .unwrap();
}

/// Everything in every table, by name of the table.
fn content(connection: &Connection) -> Vec<(String, Vec<String>)> {
    let rows = |table: &str| {
        let mut query = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns: Vec<String> = query
            .column_names()
            .iter()
            .map(ToString::to_string)
            .collect();
        let mut rows: Vec<String> = query
            .query_map([], |row| {
                let cells = columns.iter().enumerate();
                Ok(cells
                    .map(|(at, name)| format!("{name}={:?} ", row.get_ref(at).unwrap()))
                    .collect())
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        rows.sort();
        rows
    };
    tables(connection)
        .into_iter()
        .map(|table| {
            let rows = rows(&table);
            (table, rows)
        })
        .collect()
}

pub(in crate::state) fn to(connection: &mut Connection, version: u32) -> Result<(), StateError> {
    move_to(OURS, connection, version)
}

/// A file at the newest schema and a connection that may move it.
fn opened() -> (tempfile::TempDir, Home, Connection) {
    let (folder, home) = home();
    drop(State::open(&home).unwrap());
    let connection = connection::open(&home.state_db()).unwrap();
    (folder, home, connection)
}

#[test]
fn the_history_is_sound() {
    Migrations::from_slice(HISTORY).validate().unwrap();
}

#[test]
fn every_migration_goes_up_and_down_on_a_filled_file() {
    let (_folder, home, mut connection) = opened();
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
    let (_folder, _home, mut connection) = opened();
    to(&mut connection, 1).unwrap();
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
    assert_eq!(Header::read(&connection).unwrap().schema, 1);
}

#[test]
fn every_schema_goes_down_and_up_without_losing_anything() {
    let (_folder, home, mut connection) = opened();
    fill(&connection);
    let before = content(&connection);
    let is_kept = |table: &String| table.starts_with("kept_");
    for version in [2, 1, 2, 1] {
        to(&mut connection, version).unwrap();
        assert!(tables(&connection).iter().any(is_kept));
        to(&mut connection, NEWEST).unwrap();
        assert_eq!(content(&connection), before);
        assert!(!tables(&connection).iter().any(is_kept));
    }
    connection
        .execute("UPDATE audit SET outcome = 'done'", [])
        .expect_err("the trigger is back");
    drop(connection);
    State::open(&home).unwrap();
}

#[test]
fn what_a_program_of_schema_1_does_meanwhile_survives_the_way_up() {
    let (_folder, _home, mut connection) = opened();
    fill(&connection);
    to(&mut connection, 1).unwrap();
    connection
        .execute_batch(
            "DELETE FROM stores WHERE id = 's';
             INSERT INTO stores VALUES ('x', 'u', 'Coffee', 'https://x', '3', x'00', x'00', 1, 1),
                                       ('y', 'u', 'tea', 'https://x', '4', x'00', x'00', 1, 1);
             DELETE FROM audit WHERE seq = 3;",
        )
        .unwrap();
    to(&mut connection, NEWEST).unwrap();
    let name_key = |id: &str| -> Option<String> {
        connection
            .query_row("SELECT name_key FROM stores WHERE id = ?1", [id], |row| {
                row.get(0)
            })
            .ok()
    };
    assert_eq!(name_key("s"), None);
    assert_eq!(name_key("w").as_deref(), Some("tea"), "kept");
    assert_eq!(name_key("x").as_deref(), Some("coffee"), "made");
    assert_eq!(name_key("y").as_deref(), Some(""), "another has the name");
}

#[test]
fn what_a_program_of_schema_2_does_meanwhile_survives_the_way_up() {
    let (_folder, home, mut connection) = opened();
    fill(&connection);
    to(&mut connection, 2).unwrap();
    connection
        .execute_batch(
            "UPDATE epochs SET epoch = 2 WHERE store_key = 'k';
             INSERT INTO epochs (store_key, epoch) VALUES ('n', 1);",
        )
        .unwrap();
    to(&mut connection, NEWEST).unwrap();
    drop(connection);
    let state = State::open(&home).unwrap();
    let epoch = |shop: &str, now_ms| {
        let settled = state.read("test", |reading| {
            tables::epochs::settled(reading, shop, now_ms)
        });
        settled.unwrap()
    };
    assert_eq!((epoch("k", 76), epoch("k", 77)), (None, Some(2)));
    assert_eq!(epoch("n", 0), Some(1));
    let next = state.write("test", Durability::Normal, tables::turns::draw);
    assert_eq!(next.unwrap(), 13, "no ticket is drawn twice");
}

#[test]
fn a_program_of_schema_2_goes_on_with_a_file_of_schema_3() {
    let (_folder, _home, connection) = opened();
    fill(&connection);
    // What such a program does to the tables that schema 3 has changed.
    connection
        .execute_batch(
            "INSERT INTO epochs (store_key, epoch) VALUES ('k', 1)
                ON CONFLICT (store_key) DO UPDATE SET epoch = epoch + 1;
             INSERT INTO epochs (store_key, epoch) VALUES ('n', 1);",
        )
        .unwrap();
    assert_eq!(tables::meta::compatible_from(&connection).unwrap(), Some(1));
}

#[test]
fn a_filled_file_of_schema_1_is_brought_up_and_its_shops_get_their_names() {
    let (_folder, home, mut connection) = opened();
    to(&mut connection, 0).unwrap();
    to(&mut connection, 1).unwrap();
    fill_as_schema_1(&connection);
    drop(connection);
    let state = State::open(&home).unwrap();
    assert_eq!(state.schema_version(), NEWEST);
    let names = |tenant: &str| -> Vec<(String, String)> {
        let rows = state.read("test", |reading| tables::stores::of_tenant(reading, tenant));
        rows.unwrap()
            .into_iter()
            .map(|row| (row.name, row.name_key))
            .collect()
    };
    let pair = |name: &str, key: &str| (name.to_owned(), key.to_owned());
    assert_eq!(names("t"), [pair(" Tea", "tea")]);
    assert_eq!(names("u"), [pair("TEA", ""), pair("Tea", "tea")]);
    let tenant = state
        .read("test", |reading| tables::tenants::by_id(reading, "t"))
        .unwrap()
        .unwrap();
    assert_eq!((tenant.salt, tenant.key_id), (vec![], String::new()));
}

#[test]
fn a_program_of_schema_1_goes_on_with_a_newer_file() {
    let (_folder, home, connection) = opened();
    assert_eq!(tables::meta::compatible_from(&connection).unwrap(), Some(1));
    fill_as_schema_1(&connection);
    drop(connection);
    let state = State::open(&home).unwrap();
    let shops = state.read("test", |reading| tables::stores::of_tenant(reading, "u"));
    assert_eq!(shops.unwrap().len(), 2);
}

#[test]
fn an_audit_row_cannot_be_changed() {
    let (_folder, _home, connection) = opened();
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
        .execute_batch(include_str!("../../migrations/001_first.up.sql"))
        .unwrap();
    fill_as_schema_1(&connection);
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
