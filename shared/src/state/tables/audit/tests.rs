//! Audit rows: found by chain, number, time and action, and unreadable text read all the same.

use super::*;
use crate::state::tables::testing::{Fresh, fresh};

fn row(chain: &str, seq: i64) -> Row {
    Row {
        chain: chain.into(),
        seq,
        at_ms: seq * 10,
        session_id: "s".into(),
        client_name: Some("inspector".into()),
        action: "store.added".into(),
        target: Some("tea".into()),
        args_shape: None,
        outcome: "done".into(),
        intent_seq: None,
        key_version: Some(1),
        prev_hash: vec![0; 32],
        hash: vec![1; 32],
        mac: Some(vec![2; 32]),
    }
}

fn with_rows() -> Fresh {
    let file = fresh();
    for (chain, rows) in [("b", 5), ("a", 3)] {
        for seq in 1..=rows {
            file.write(|writing| insert(writing, &row(chain, seq)));
        }
    }
    file
}

fn seqs(rows: &[Row]) -> Vec<i64> {
    rows.iter().map(|row| row.seq).collect()
}

#[test]
fn a_row_comes_back_as_it_went_in_and_chains_do_not_mix() {
    let file = with_rows();
    assert_eq!(file.read(|reading| last(reading, "a")), Some(row("a", 3)));
    assert_eq!(file.read(|reading| last(reading, "c")), None);
    assert_eq!(file.read(|reading| at(reading, "b", 4)), Some(row("b", 4)));
    assert_eq!(file.read(|reading| at(reading, "a", 4)), None);
    assert_eq!(file.read(chains), ["a", "b"]);
    assert_eq!(fresh().read(chains), Vec::<String>::new());
}

#[test]
fn a_number_is_given_once() {
    let file = with_rows();
    file.try_write(|writing| insert(writing, &row("a", 3)))
        .unwrap_err();
}

#[test]
fn pages_follow_each_other() {
    let file = with_rows();
    let after = |seq| seqs(&file.read(|reading| page(reading, "b", seq, 2)));
    assert_eq!(after(0), [1, 2]);
    assert_eq!(after(2), [3, 4]);
    assert_eq!(after(4), [5]);
    assert_eq!(after(5), Vec::<i64>::new());
}

#[test]
fn a_range_is_by_time_and_may_begin_at_the_end() {
    let file = with_rows();
    let of = |since_ms, until_ms, limit, newest| {
        let range_of = Range {
            after_seq: 0,
            since_ms,
            until_ms,
            limit,
            newest,
        };
        seqs(&file.read(|reading| range(reading, "b", &range_of)))
    };
    assert_eq!(of(20, 50, 10, false), [2, 3, 4]);
    assert_eq!(of(0, 99, 2, false), [1, 2]);
    assert_eq!(of(0, 99, 2, true), [4, 5]);
    assert_eq!(of(0, 99, usize::MAX, false), [1, 2, 3, 4, 5]);
}

#[test]
fn the_newest_of_an_action_is_found() {
    let file = with_rows();
    let of = |action| {
        let found = file.read(|reading| last_of(reading, "b", action, "tea"));
        found.map(|row| row.seq)
    };
    assert_eq!(of("store.added"), Some(5));
    assert_eq!(of("store.removed"), None);
}

#[test]
fn the_newest_of_a_shape_is_found() {
    let file = with_rows();
    for (seq, shape) in [(6, "{\"a\":1}"), (7, "{\"a\":2}"), (8, "{\"b\":{\"a\":3}}")] {
        let row = Row {
            args_shape: Some(shape.into()),
            ..row("b", seq)
        };
        file.write(|writing| insert(writing, &row));
    }
    let of = |chain, beginning| {
        let found = file.read(|reading| last_with_shape(reading, chain, beginning));
        found.map(|row| row.seq)
    };
    assert_eq!(of("b", "{\"a\""), Some(7));
    assert_eq!(of("a", "{\"a\""), None);
    assert_eq!(of("b", "{\"%"), None);
}

#[test]
fn only_a_beginning_is_removed() {
    let file = with_rows();
    assert_eq!(file.write(|writing| delete_through(writing, "b", 2)), 2);
    assert_eq!(
        seqs(&file.read(|reading| page(reading, "b", 0, 9))),
        [3, 4, 5]
    );
    assert_eq!(file.read(|reading| page(reading, "a", 0, 9)).len(), 3);
}

#[test]
fn bytes_that_are_no_text_can_still_be_read() {
    let file = with_rows();
    file.write(|writing| {
        writing.conn().execute(
            "INSERT INTO audit SELECT tenant_id, 6, at_ms, session_id, client_name, CAST(x'ff' AS TEXT), target,
                args_shape, outcome, intent_seq, prev_hash, hash, mac, key_version
             FROM audit WHERE tenant_id = 'b' AND seq = 1",
            [],
        )?;
        Ok(())
    });
    assert_eq!(
        file.read(|reading| last(reading, "b")).unwrap().action,
        "\u{fffd}"
    );
}
