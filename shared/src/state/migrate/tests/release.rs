//! The next release, played with a longer history: beside this one (expand), after it (contract), and when it goes wrong.

use std::sync::Barrier;
use std::thread;

use super::*;

/// Adds a column that may be absent and a table; old programs know of neither.
const EXPAND: M<'static> = M::up(
    "ALTER TABLE quota ADD COLUMN note TEXT;
     CREATE TABLE hints (shop TEXT NOT NULL PRIMARY KEY, hint TEXT NOT NULL) STRICT, WITHOUT ROWID;",
)
.down("DROP TABLE hints; ALTER TABLE quota DROP COLUMN note;");

/// Shuts programs out that do not know the release before.
const CONTRACT: M<'static> = M::up("UPDATE meta SET value = 4 WHERE key = 'compatible_from'")
    .down("UPDATE meta SET value = 1 WHERE key = 'compatible_from'");

const FAILS: M<'static> =
    M::up("CREATE TABLE half (a TEXT) STRICT; INSERT INTO nowhere VALUES (1);")
        .down("DROP TABLE half;");

fn history(more: &[M<'static>]) -> Vec<M<'static>> {
    HISTORY.iter().chain(more).cloned().collect()
}

/// As the program of that history opens the file.
fn open_as(history: &[M<'_>], home: &Home) -> Result<(Connection, Brought), StateError> {
    let mut connection = connection::open(&home.state_db())?;
    let brought = bring_up_with(History(history), &mut connection, home)?;
    Ok((connection, brought))
}

fn kept(home: &Home) -> Vec<String> {
    let files = std::fs::read_dir(home.kept_copies()).into_iter().flatten();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn filled() -> (tempfile::TempDir, Home) {
    let (folder, home, connection) = opened();
    fill(&connection);
    (folder, home)
}

#[test]
fn old_and_new_programs_write_side_by_side_and_nothing_is_lost() {
    const EACH: i64 = 200;
    let (_folder, home) = filled();
    let old = State::open(&home).unwrap();
    let start = Barrier::new(3);
    let next = history(&[EXPAND]);
    thread::scope(|scope| {
        for shop in ["one", "two"] {
            let (old, start) = (&old, &start);
            scope.spawn(move || {
                start.wait();
                for tat_us in 1..=EACH {
                    let row = tables::quota::Row {
                        store_key: shop.to_owned(),
                        tat_us,
                        updated_us: 1,
                    };
                    let put = |writing: &crate::state::Writing<'_>| {
                        tables::quota::put(writing, &row)?;
                        tables::epochs::bump(writing, shop)
                    };
                    old.write("test", Durability::Normal, put).unwrap();
                }
            });
        }
        scope.spawn(|| {
            start.wait();
            let (new, brought) = open_as(&next, &home).unwrap();
            assert_eq!(brought.schema, NEWEST + 1);
            for tat_us in 1..=EACH {
                new.execute_batch(&format!(
                    "BEGIN IMMEDIATE;
                     INSERT INTO quota (store_key, tat_us, updated_us, note) VALUES ('three', {tat_us}, 1, 'new')
                        ON CONFLICT (store_key) DO UPDATE SET tat_us = excluded.tat_us;
                     INSERT INTO hints VALUES ('three-{tat_us}', 'h');
                     COMMIT"
                ))
                .unwrap();
            }
        });
    });
    let late = State::open(&home).expect("an old program starts beside the new one");
    assert_eq!(late.schema_version(), NEWEST + 1);
    let rows = late.read("test", tables::quota::all).unwrap();
    let left: Vec<_> = rows
        .iter()
        .map(|row| (row.store_key.as_str(), row.tat_us))
        .collect();
    assert_eq!(
        left,
        [("k", 1), ("one", EACH), ("three", EACH), ("two", EACH)]
    );
    for shop in ["one", "two"] {
        let epoch = late.read("test", |reading| tables::epochs::read(reading, shop));
        assert_eq!(epoch.unwrap(), EACH.unsigned_abs());
    }
    let (new, _) = open_as(&next, &home).unwrap();
    let hints: i64 = new
        .query_row("SELECT count(*) FROM hints", [], |row| row.get(0))
        .unwrap();
    assert_eq!(hints, EACH);
}

#[test]
fn after_the_contraction_an_old_program_is_refused_with_the_command_that_helps() {
    let (_folder, home) = filled();
    let before = content(&connection::open(&home.state_db()).unwrap());
    let after_next = history(&[EXPAND, CONTRACT]);
    open_as(&after_next, &home).unwrap();
    let refused = State::open(&home).unwrap_err();
    assert!(
        matches!(refused, StateError::Newer { file, ours } if (file, ours) == (NEWEST + 2, NEWEST)),
        "{refused}"
    );
    let command = format!("`ops-sidecar migrate down --to {NEWEST}`");
    assert!(refused.to_string().contains(&command), "{refused}");
    // The release before this one still may.
    open_as(&history(&[EXPAND]), &home).unwrap();
    // What that command does in the newer program.
    let (mut connection, _) = open_as(&after_next, &home).unwrap();
    move_to(History(&after_next), &mut connection, NEWEST).unwrap();
    assert_eq!(content(&connection), before);
    drop(connection);
    State::open(&home).unwrap();
}

#[test]
fn a_migration_of_a_filled_file_makes_one_checked_copy_first() {
    let (_folder, home) = filled();
    let before = content(&connection::open(&home.state_db()).unwrap());
    let (_connection, brought) = open_as(&history(&[EXPAND]), &home).unwrap();
    let copy = brought.kept_copy.unwrap();
    let stem = format!("before-migration-{NEWEST}-to-{}-", NEWEST + 1);
    assert!(
        copy.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with(&stem)
    );
    let copied = State::open_copy(&copy).unwrap();
    assert_eq!(copied.inspect().unwrap().schema, NEWEST);
    drop(copied);
    assert_eq!(content(&connection::open(&copy).unwrap()), before);
}

#[test]
fn opening_a_file_that_needs_nothing_and_making_a_new_one_copies_nothing() {
    let (_folder, home) = filled();
    drop(State::open(&home).unwrap());
    assert_eq!(kept(&home), Vec::<String>::new());
}

#[test]
fn without_a_copy_there_is_no_migration() {
    let (_folder, home) = filled();
    std::fs::write(home.kept_copies(), "a file where the folder should be").unwrap();
    let refused = open_as(&history(&[EXPAND]), &home).map(|_| ()).unwrap_err();
    assert!(
        matches!(refused, StateError::Uncopied { to, .. } if to == NEWEST + 1),
        "{refused}"
    );
    assert_eq!(State::open(&home).unwrap().schema_version(), NEWEST);
    std::fs::remove_file(home.kept_copies()).unwrap();
    open_as(&history(&[EXPAND]), &home).unwrap();
}

#[test]
fn a_damaged_file_is_not_migrated() {
    let (_folder, home) = filled();
    let length = std::fs::metadata(home.state_db()).unwrap().len();
    let file = std::fs::File::options().write(true).open(home.state_db());
    file.unwrap().set_len(length - 4096).unwrap();
    let refused = open_as(&history(&[EXPAND]), &home).map(|_| ()).unwrap_err();
    assert!(
        matches!(&refused, StateError::Uncopied { source, .. } if source.code() == "corrupt")
            || refused.code() == "corrupt",
        "{refused}"
    );
    assert_eq!(kept(&home), Vec::<String>::new());
}

#[test]
fn a_step_that_fails_takes_the_steps_before_it_back() {
    let (_folder, home) = filled();
    let before = content(&connection::open(&home.state_db()).unwrap());
    let error = open_as(&history(&[EXPAND, FAILS]), &home)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(error.code(), "migration");
    let connection = connection::open(&home.state_db()).unwrap();
    assert_eq!(content(&connection), before);
    assert_eq!(Header::read(&connection).unwrap().schema, NEWEST);
    drop(connection);
    State::open(&home).unwrap();
    // The next version of the next release gets it right.
    open_as(&history(&[EXPAND]), &home).unwrap();
}

/// Set for the process that [`a_program_killed_in_the_middle_of_the_next_release_leaves_the_old_schema`] starts.
const NEXT_RELEASE_IN: &str = "STATE_TEST_NEXT_RELEASE_IN";

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the process it starts"
)]
fn a_program_that_dies_in_the_next_release() {
    let Ok(folder) = std::env::var(NEXT_RELEASE_IN) else {
        return;
    };
    let connection = connection::open(&Home::at(folder).state_db()).unwrap();
    // What the library does, up to the commit; pages of it reach the log.
    let steps = "PRAGMA cache_size=1; BEGIN IMMEDIATE; ALTER TABLE quota ADD COLUMN note TEXT; UPDATE quota SET note = 'new';
        CREATE TABLE hints (shop TEXT NOT NULL PRIMARY KEY, hint TEXT NOT NULL) STRICT, WITHOUT ROWID; PRAGMA user_version = 4";
    connection.execute_batch(steps).unwrap();
    std::process::abort();
}

#[test]
fn a_program_killed_in_the_middle_of_the_next_release_leaves_the_old_schema() {
    let (_folder, home) = filled();
    let before = content(&connection::open(&home.state_db()).unwrap());
    let died = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "state::migrate::tests::release::a_program_that_dies_in_the_next_release",
        ])
        .env(NEXT_RELEASE_IN, home.root())
        .output()
        .unwrap();
    assert!(!died.status.success(), "{died:?}");
    let connection = connection::open(&home.state_db()).unwrap();
    assert_eq!(Header::read(&connection).unwrap().schema, NEWEST);
    assert_eq!(content(&connection), before);
    drop(connection);
    open_as(&history(&[EXPAND]), &home).unwrap();
}

#[test]
fn two_hundred_newcomers_make_one_copy_and_migrate_once() {
    let (_folder, home) = filled();
    let next = history(&[EXPAND]);
    let start = Barrier::new(200);
    let copies: usize = thread::scope(|scope| {
        let newcomers: Vec<_> = (0..200)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let (_connection, brought) = open_as(&next, &home).unwrap();
                    assert_eq!(brought.schema, NEWEST + 1);
                    usize::from(brought.kept_copy.is_some())
                })
            })
            .collect();
        newcomers.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!((copies, kept(&home).len()), (1, 1));
}
