//! Metric rows on a fresh state file: written again, retired once, never lost.

use super::*;
use crate::state::tables::testing::{Fresh, fresh};

/// A row as somebody can keep it.
type Seen = (String, String, Kind, f64, Vec<u64>, i64);

fn seen(row: Row<'_>) -> Seen {
    let counts = decode(row.counts.unwrap_or_default()).collect();
    (
        row.name.to_owned(),
        row.labels.to_owned(),
        row.kind,
        row.value,
        counts,
        row.seq,
    )
}

fn live(file: &Fresh, session: &str) -> Vec<Seen> {
    let mut rows = Vec::new();
    file.read(|reading| each_live(reading, session, |row| rows.push(seen(row))));
    rows
}

fn retired(file: &Fresh) -> Vec<Seen> {
    let mut rows = Vec::new();
    file.read(|reading| each_retired(reading, |row| rows.push(seen(row))));
    rows
}

fn counter(name: &str, value: f64) -> Row<'_> {
    Row {
        name,
        labels: "{}",
        bounds: "",
        kind: Kind::Counter,
        value,
        counts: None,
        seq: 0,
    }
}

fn put_one(file: &Fresh, session: &str, row: Row<'_>) {
    file.write(|writing| put(writing, session, [row].into_iter()));
}

#[test]
fn counts_read_back_as_they_were() {
    let counts = [0, 1, u64::MAX, 7];
    assert_eq!(decode(&encode(&counts)).collect::<Vec<_>>(), counts);
}

#[test]
fn a_row_takes_the_place_of_its_former_one() {
    let file = fresh();
    put_one(&file, "s", counter("a_total", 1.0));
    put_one(&file, "s", counter("a_total", 5.0));
    put_one(&file, "other", counter("a_total", 9.0));
    assert_eq!(
        live(&file, "s"),
        [("a_total".into(), "{}".into(), Kind::Counter, 5.0, vec![], 0)]
    );
}

#[test]
fn kinds_have_their_own_words() {
    for (kind, _) in Kind::ALL {
        assert_eq!(Kind::from_text(kind.text()), Some(kind));
    }
    assert_eq!(Kind::from_text("summary"), None);
}

#[test]
fn the_sequence_only_grows() {
    let file = fresh();
    let first = file.write(next_seq);
    assert!(file.write(next_seq) > first);
}

#[test]
fn a_retired_session_leaves_totals_and_no_rows() {
    let file = fresh();
    let counts = encode(&[1, 2]);
    for session in ["s", "t"] {
        put_one(&file, session, counter("a_total", 2.0));
        put_one(
            &file,
            session,
            Row {
                kind: Kind::Gauge,
                seq: 4,
                ..counter("level", 3.0)
            },
        );
        let seconds = Row {
            kind: Kind::Histogram,
            bounds: "1",
            counts: Some(&counts),
            ..counter("seconds", 0.5)
        };
        put_one(&file, session, seconds);
        file.write(|writing| retire(writing, session));
        assert!(live(&file, session).is_empty());
    }
    assert_eq!(
        retired(&file),
        [
            ("a_total".into(), "{}".into(), Kind::Counter, 4.0, vec![], 0),
            (
                "seconds".into(),
                "{}".into(),
                Kind::Histogram,
                1.0,
                vec![2, 4],
                0
            ),
        ]
    );
}

#[test]
fn other_bounds_are_another_retired_series() {
    let file = fresh();
    let counts = encode(&[1, 2]);
    for bounds in ["1", "2"] {
        put_one(
            &file,
            "s",
            Row {
                kind: Kind::Histogram,
                bounds,
                counts: Some(&counts),
                ..counter("seconds", 0.5)
            },
        );
    }
    file.write(|writing| retire(writing, "s"));
    assert_eq!(retired(&file).len(), 2);
}

#[test]
fn a_retirement_that_is_not_committed_moves_nothing() {
    let file = fresh();
    put_one(&file, "s", counter("a_total", 2.0));
    let stopped = file.try_write(|writing| {
        retire(writing, "s")?;
        Err::<(), _>(StateError::Locked)
    });
    assert!(stopped.is_err());
    assert_eq!((live(&file, "s").len(), retired(&file).len()), (1, 0));
}
