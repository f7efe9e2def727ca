//! Every table of the schema is decided, and the mark moves for just those that count.

use std::collections::BTreeSet;
use std::time::Instant;

use super::*;
use crate::state::tables::testing::{Fresh, fresh, store, tenant};
use crate::state::tables::{epochs, meta, quota, sessions, stores, tenants, turns};
use crate::state::{StateError, Writing};

fn look(file: &Fresh) -> LedgerMark {
    file.read(|reading| mark(reading.conn()))
}

/// Whether `change` moves the mark.
fn moves<T>(file: &Fresh, change: impl FnOnce(&Writing<'_>) -> Result<T, StateError>) -> bool {
    let before = look(file);
    file.write(change);
    look(file) != before
}

fn sql<'s>(statement: &'s str) -> impl FnOnce(&Writing<'_>) -> Result<usize, StateError> + 's {
    move |writing| Ok(writing.conn().execute(statement, [])?)
}

#[test]
fn every_table_of_the_schema_is_decided_once() {
    let file = fresh();
    let stored: BTreeSet<String> = file.read(|reading| {
        let mut tables = reading.conn().prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        )?;
        let names = tables.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    });
    let decided: BTreeSet<String> = TABLES
        .iter()
        .map(|(table, _)| (*table).to_owned())
        .collect();
    assert_eq!(
        stored, decided,
        "a new table needs a line in TABLES: may a minute of it be lost?"
    );
    assert_eq!(decided.len(), TABLES.len());
    for (table, part) in TABLES {
        match part {
            Part::Rows(query) => assert!(query.contains(table), "{table}"),
            Part::Passing(why) => assert!(!why.is_empty(), "{table}"),
        }
    }
}

#[test]
fn the_mark_moves_for_keys_and_shops() {
    let file = fresh();
    assert!(moves(&file, |writing| tenants::insert(
        writing,
        &tenant("t1")
    )));
    assert!(moves(&file, |writing| stores::insert(
        writing,
        &store("s1", "t1", "Tea")
    )));
    assert!(moves(&file, |writing| tenants::set_default_store(
        writing,
        "t1",
        Some("s1")
    )));
    let resealed = stores::Row {
        sealed_key: vec![8; 56],
        key_version: 2,
        ..store("s1", "t1", "Tea")
    };
    assert!(moves(&file, |writing| stores::reseal(writing, &resealed)));
    assert!(moves(&file, |writing| stores::delete(writing, "t1", "s1")));
    assert!(moves(&file, meta::bump_vault_revision));
}

#[test]
fn the_mark_moves_for_each_record_and_each_pruning_of_any_chain() {
    let file = fresh();
    let record = |chain: &str, seq: u32| {
        format!(
            "INSERT INTO audit (tenant_id, seq, at_ms, session_id, action, outcome, prev_hash, hash)
             VALUES ('{chain}', {seq}, 1, 's', 'a', 'o', x'', x'')"
        )
    };
    for (chain, seq) in [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("b", 2)] {
        assert!(moves(&file, sql(&record(chain, seq))), "{chain} {seq}");
    }
    let pruned = "INSERT INTO audit_anchors (tenant_id, through_seq, hash, pruned_ms) VALUES ('a', 1, x'', 1)";
    assert!(moves(&file, sql(pruned)));
    assert!(moves(&file, sql("DELETE FROM audit WHERE tenant_id = 'c'")));
}

#[test]
fn the_mark_moves_for_writes_to_shops() {
    let file = fresh();
    assert!(moves(&file, |writing| epochs::bump(writing, "shop")));
    assert!(moves(&file, |writing| epochs::busy_until(
        writing, "shop", 7
    )));
    assert!(moves(
        &file,
        sql("INSERT INTO meta (key, value) VALUES ('agreed:aa', 9)")
    ));
    assert!(moves(&file, turns::draw));
    let ahead = turns::Ahead {
        ticket: 1,
        session_id: "s".into(),
        since_ms: 5,
    };
    assert!(moves(&file, |writing| turns::insert(
        writing, &ahead, "shop", "order/1"
    )));
    assert!(
        !moves(&file, |writing| turns::touch(writing, 1, 50)),
        "waiting is no change"
    );
    assert!(moves(&file, |writing| turns::remove(writing, 1)));
    let open = "INSERT INTO open_writes (chain, seq, store_key, session_id, action, target, check_hint, at_ms, state)
                VALUES ('a', 1, 'shop', 's', 'a', 't', 'look', 1, 'open')";
    assert!(moves(&file, sql(open)));
    assert!(moves(
        &file,
        sql("UPDATE open_writes SET state = 'unknown'")
    ));
    assert!(moves(&file, sql("DELETE FROM open_writes")));
}

#[test]
fn the_mark_stands_still_for_what_passes() {
    let file = fresh();
    let session =
        "INSERT INTO sessions (id, kind, pid, version, started_ms, heartbeat_ms, state_changed_ms)
                   VALUES ('s', 'mcp-stdio', 1, '1', 1, 1, 1)";
    assert!(!moves(&file, sql(session)));
    assert!(!moves(&file, |writing| sessions::touch(writing, "s", 9)));
    let asked = quota::Row {
        store_key: "shop".into(),
        tat_us: 1,
        updated_us: 1,
    };
    assert!(!moves(&file, |writing| quota::put(writing, &asked)));
    for statement in [
        "INSERT INTO metric_live (session_id, name, labels, bounds, kind, value, seq) VALUES ('s', 'n', '', '', 'counter', 1, 1)",
        "INSERT INTO metric_retired (name, labels, bounds, kind, value) VALUES ('n', '', '', 'counter', 1)",
        "UPDATE metric_seq SET seq = seq + 1",
    ] {
        assert!(!moves(&file, sql(statement)), "{statement}");
    }
    assert_eq!(look(&file), look(&file));
}

#[test]
fn the_mark_moves_with_the_schema() {
    let file = fresh();
    assert!(moves(&file, sql("CREATE TABLE later (id INTEGER)")));
    assert!(moves(&file, sql("PRAGMA user_version = 99")));
}

#[test]
fn values_that_look_alike_are_told_apart() {
    let of = |values: &[ValueRef<'_>]| {
        let mut hasher = DefaultHasher::new();
        values.iter().for_each(|value| hash(&mut hasher, *value));
        hasher.finish()
    };
    let alike = [
        of(&[ValueRef::Text(b"ab"), ValueRef::Text(b"c")]),
        of(&[ValueRef::Text(b"a"), ValueRef::Text(b"bc")]),
        of(&[ValueRef::Blob(b"ab"), ValueRef::Text(b"c")]),
        of(&[ValueRef::Integer(1)]),
        of(&[ValueRef::Real(1.0)]),
        of(&[ValueRef::Null]),
        of(&[]),
    ];
    assert_eq!(BTreeSet::from(alike).len(), alike.len());
}

/// Asked each second: a long history must not make it slow.
#[test]
fn a_long_history_costs_nothing() {
    let file = fresh();
    file.write(|writing| {
        let many =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO audit (tenant_id, seq, at_ms, session_id, action, outcome, prev_hash, hash)
             SELECT 'chain ' || (i % 20), i / 20 + 1, 1, 's', 'a', 'o', x'', zeroblob(32) FROM n";
        Ok(writing.conn().execute(many, [])?)
    });
    look(&file);
    let fastest = (0..50).map(|_| {
        let since = Instant::now();
        look(&file);
        since.elapsed()
    });
    let fastest = fastest.min().unwrap();
    assert!(fastest.as_millis() < 10, "{fastest:?}");
}
