//! What is cut together, and for whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::super::hashes::Key;
use super::super::name::Line;
use super::super::series::Boundary;
use super::*;

/// One target here, one elsewhere.
const PLACES: [bool; 2] = [false, true];

/// A line whose newest point is at 100, with its series at these points.
fn running(series: [(Level, i64); 5]) -> Running {
    let key = Key::random().unwrap();
    let table = Arc::new(Table::empty(4096, 1));
    let root = table.root(&key);
    let boundary = |at_ms| Boundary {
        at_ms,
        table: Some(Arc::clone(&table)),
        cut_ms: at_ms,
        cut_at: Instant::now(),
        ledger: None,
    };
    Running {
        line: Line::start(0, None),
        key,
        restore_epoch: 0,
        page_size: 4096,
        file: String::new(),
        last: Point { at_ms: 100, root },
        floor_ms: 100,
        series: series
            .map(|(level, at_ms)| (level, boundary(at_ms)))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}

fn somewhere() -> Running {
    running([
        (Level::Second, 100),
        (Level::Remote, 90),
        (Level::Minute, 60),
        (Level::Hour, 20),
        (Level::Day, 0),
    ])
}

fn at(running: &Running, at_ms: i64) -> Point {
    Point {
        at_ms,
        ..running.last
    }
}

fn letters(plan: &Plan) -> String {
    plan.increments
        .iter()
        .map(|(level, _)| level.letter())
        .collect()
}

#[test]
fn what_is_finer_is_cut_along_and_what_is_coarser_is_not() {
    let running = somewhere();
    let plan = |due| plan(&running, &at(&running, 110), Some(due), &[], &PLACES);
    assert_eq!(letters(&plan(Level::Second)), "s");
    assert_eq!(letters(&plan(Level::Remote)), "ts");
    assert_eq!(letters(&plan(Level::Minute)), "mts");
    assert_eq!(letters(&plan(Level::Day)), "dhmts");
    assert_eq!(plan(Level::Minute).increments[0].1, [0, 1]);
    assert_eq!(plan(Level::Minute).increments[1].1, [1]);
    assert_eq!(plan(Level::Minute).increments[2].1, [0]);
}

#[test]
fn a_series_that_stands_at_the_point_is_not_cut() {
    let running = somewhere();
    let plan = plan(&running, &running.last, Some(Level::Minute), &[], &PLACES);
    assert_eq!(letters(&plan), "mt");
}

#[test]
fn a_fine_step_that_is_the_same_as_a_coarse_one_is_left_out_and_its_series_moves_all_the_same() {
    let running = running([
        (Level::Second, 60),
        (Level::Remote, 60),
        (Level::Minute, 60),
        (Level::Hour, 60),
        (Level::Day, 0),
    ]);
    let minute = plan(
        &running,
        &at(&running, 110),
        Some(Level::Minute),
        &[],
        &PLACES,
    );
    assert_eq!(letters(&minute), "m");
    assert_eq!(minute.levels, [Level::Minute, Level::Remote, Level::Second]);
    // What only the other target gets is no way for this one.
    let remote = plan(
        &running,
        &at(&running, 110),
        Some(Level::Remote),
        &[],
        &PLACES,
    );
    assert_eq!(letters(&remote), "ts");
}

#[test]
fn an_ordered_base_is_for_who_asked_and_steps_lead_the_others_there() {
    let running = somewhere();
    let ordered = plan(
        &running,
        &at(&running, 110),
        None,
        &[(1, Level::Day)],
        &PLACES,
    );
    assert_eq!(letters(&ordered), "dhmts");
    assert_eq!(ordered.increments[0].1, [1]);
    let step = plan(&running, &running.last, None, &[(1, Level::Hour)], &PLACES);
    assert_eq!(letters(&step), "hmt");
    assert_eq!(
        plan(&running, &at(&running, 110), None, &[], &PLACES),
        Plan::default()
    );
}

#[test]
fn a_base_of_a_point_that_has_one_is_not_cut_again_unless_it_was_ordered() {
    let mut running = somewhere();
    running.series.get_mut(&Level::Day).unwrap().at_ms = 100;
    let due = plan(&running, &running.last, Some(Level::Day), &[], &PLACES);
    assert_eq!(letters(&due), "hmt");
    let ordered = plan(&running, &running.last, None, &[(0, Level::Day)], &PLACES);
    assert_eq!(letters(&ordered), "dhmt");
}
