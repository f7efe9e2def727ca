//! Folding: the dead are added once, whoever comes by and however many do.

use std::sync::Barrier;

use metrics::{counter, gauge, histogram};
use proptest::prelude::*;

use super::*;
use crate::telemetry::query::Value;
use crate::telemetry::testing::{House, Process};

fn total(house: &House) -> f64 {
    house.total(names::DB_CONNECTIONS.name)
}

fn record(n: u64) {
    counter!(names::DB_CONNECTIONS.name).increment(n);
    for _ in 0..n {
        histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "a").record(0.001);
    }
}

/// The sum of the one histogram that [`record`] fills.
fn sum(house: &House) -> f64 {
    match house.values(names::MCP_TOOL_DURATION.name).as_slice() {
        [Value::Histogram { sum, .. }] => *sum,
        _ => 0.0,
    }
}

fn dead(house: &House, calls: u64) {
    let mut process = house.process();
    process.does(|| counter!(names::DB_CONNECTIONS.name).increment(calls));
    process.flush();
}

#[test]
fn counters_of_the_dead_stay_and_their_gauges_vanish() {
    let house = House::new();
    let mut process = house.process();
    process.does(|| {
        counter!(names::DB_CONNECTIONS.name).increment(2);
        histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "a").record(0.003);
        gauge!(names::CACHE_ITEMS.name).set(9.0);
    });
    process.flush();
    assert_eq!(house.total(names::CACHE_ITEMS.name), 9.0);
    drop(process);
    for when in ["dead, not folded", "folded"] {
        assert_eq!(total(&house), 2.0, "{when}");
        assert_eq!(house.total(names::MCP_TOOL_DURATION.name), 1.0, "{when}");
        assert!(house.values(names::CACHE_ITEMS.name).is_empty(), "{when}");
        fold_dead(&house.state).unwrap();
    }
}

#[test]
fn a_run_file_that_a_killed_process_left_is_removed() {
    let house = House::new();
    let mut process = house.process();
    process.flush();
    let file = house
        .state
        .home()
        .run_dir()
        .join(format!("{}.lock", process.id()));
    drop(process);
    std::fs::write(&file, "").unwrap(); // what SIGKILL leaves: the file, and nobody who holds it
    assert_eq!(fold_dead(&house.state).unwrap(), 1);
    assert!(!file.exists());
}

#[test]
fn the_living_are_left_alone() {
    let house = House::new();
    let mut process = house.process();
    process.does(|| record(1));
    process.flush();
    assert_eq!(fold_dead(&house.state).unwrap(), 0);
    process.does(|| record(1));
    process.flush();
    assert_eq!(total(&house), 2.0);
}

#[test]
fn two_who_fold_at_once_fold_each_session_once() {
    let house = House::new();
    for _ in 0..40 {
        dead(&house, 5);
    }
    let start = Barrier::new(2);
    let folded: u32 = std::thread::scope(|scope| {
        let fold = || {
            start.wait();
            fold_dead(&house.state).unwrap()
        };
        let (one, other) = (scope.spawn(fold), scope.spawn(fold));
        one.join().unwrap() + other.join().unwrap()
    });
    assert_eq!(folded, 40);
    assert_eq!(total(&house), 200.0);
}

#[test]
fn a_pass_is_bounded_and_the_next_one_goes_on() {
    let house = House::new();
    for _ in 0..5 {
        dead(&house, 1);
    }
    assert_eq!(fold_some(&house.state, 3).unwrap(), 3);
    assert_eq!(fold_some(&house.state, 3).unwrap(), 2);
    assert_eq!(total(&house), 5.0);
}

#[test]
fn histograms_are_added_bucket_by_bucket() {
    let house = House::new();
    for _ in 0..3 {
        let mut process = house.process();
        process.does(|| {
            histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "a").record(0.000_05);
            histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "a").record(100.0);
        });
        process.flush();
    }
    fold_dead(&house.state).unwrap();
    let values = house.values(names::MCP_TOOL_DURATION.name);
    let [Value::Histogram { counts, sum, .. }] = values.as_slice() else {
        panic!("{values:?}")
    };
    assert_eq!(
        (counts.first(), counts.last(), counts.iter().sum::<u64>()),
        (Some(&3), Some(&3), 6)
    );
    assert!((sum - 300.000_15).abs() < 1e-6);
}

#[test]
fn retired_series_beyond_the_cap_share_one_series_and_none_is_lost() {
    let house = House::new();
    let mut written = 0;
    for process in 0..5 {
        let mut process_of_many = house.process();
        process_of_many.does(|| {
            for n in 0..450 {
                counter!(names::BAD_LINES.name, "reason" => format!("{process}-{n}")).increment(1);
                written += 1;
            }
        });
        process_of_many.flush();
    }
    fold_dead(&house.state).unwrap();
    assert_eq!(
        house.values(names::BAD_LINES.name).len() as i64,
        rows::RETIRED_PER_METRIC + 1
    );
    assert_eq!(house.total(names::BAD_LINES.name), f64::from(written));
}

/// What can happen to one of several processes.
#[derive(Debug, Clone)]
enum Event {
    Record(usize, u64),
    Flush(usize),
    Kill(usize),
    Finish(usize),
    TakenForDead(usize),
    Fold,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let who = || 0..3_usize;
    let event = prop_oneof![
        4 => (who(), 1..5_u64).prop_map(|(who, n)| Event::Record(who, n)),
        4 => who().prop_map(Event::Flush),
        1 => who().prop_map(Event::Kill),
        1 => who().prop_map(Event::Finish),
        1 => who().prop_map(Event::TakenForDead),
        2 => Just(Event::Fold),
    ];
    prop::collection::vec(event, 1..40)
}

/// A simulated process and what it has recorded since its last flush.
struct Actor {
    process: Process,
    unwritten: u64,
}

impl Actor {
    fn new(house: &House) -> Actor {
        Actor {
            process: house.process(),
            unwritten: 0,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_scrape_shows_exactly_what_was_flushed_and_never_less_than_before(events in events()) {
        let house = House::new();
        let mut actors: Vec<_> = (0..3).map(|_| Actor::new(&house)).collect();
        let mut written = 0;
        let mut last_sum = 0.0;
        for event in events {
            match event {
                Event::Record(who, n) => {
                    actors[who].process.does(|| record(n));
                    actors[who].unwritten += n;
                }
                Event::Flush(who) => {
                    actors[who].process.flush();
                    written += std::mem::take(&mut actors[who].unwritten);
                }
                Event::Kill(who) => actors[who] = Actor::new(&house),
                Event::Finish(who) => {
                    let actor = std::mem::replace(&mut actors[who], Actor::new(&house));
                    written += actor.unwritten;
                    actor.process.finish();
                }
                Event::TakenForDead(who) if actors[who].process.flusher.session_id().is_some() => {
                    house.lose_run_file(&actors[who].process);
                }
                Event::TakenForDead(_) => {}
                Event::Fold => {
                    fold_dead(&house.state).unwrap();
                }
            }
            prop_assert_eq!(total(&house), written as f64);
            prop_assert_eq!(house.total(names::MCP_TOOL_DURATION.name), written as f64);
            // To the last bit: a scraper takes any fall for a restart.
            let sum = sum(&house);
            prop_assert!(sum >= last_sum, "{} after {}", sum, last_sum);
            last_sum = sum;
        }
    }
}
