//! The laws of age: with any clock no point is taken for older than it is, and with a right one time passes.

use proptest::prelude::*;

use super::super::level::Level;
use super::super::plan::tests::object;
use super::*;

const SPAN: i64 = 1_000;

fn lines(each: &[&[i64]]) -> Lines {
    let mut lines = Lines::new();
    for points in each {
        let line = Line::start(0, lines.keys().next_back());
        let objects = points.iter().map(|point| object(Level::Day, 0, *point));
        lines.insert(line, objects.collect());
    }
    lines
}

/// Where the span begins in each line, oldest first.
fn begin(lines: &Lines, now_ms: i64) -> Vec<i64> {
    let begins = begins(lines, [SPAN; SPANS], now_ms);
    begins.into_values().map(|of| of[0]).collect()
}

/// Points in so many equal steps.
fn walk(from: i64, steps: i64, by: i64) -> Vec<i64> {
    (0..=steps).map(|step| from + step * by).collect()
}

#[test]
fn a_steady_walk_is_as_long_as_it_is_without_its_longest_steps() {
    let walk = walk(0, 200, 10);
    let leaps = i64::try_from(LEAPS).unwrap() * 10;
    assert_eq!(begin(&lines(&[&walk]), 2_000), [1_000 - leaps]);
}

#[test]
fn a_clock_that_is_years_ahead_makes_nothing_older() {
    let walk = walk(0, 10, 10);
    assert_eq!(begin(&lines(&[&walk]), 1 << 40), [0]);
}

#[test]
fn what_was_named_in_the_future_grows_old_by_what_is_made_after_it() {
    // An hour of points years ahead; then the clock was set right, and much is made.
    let (ahead, after) = (walk(1 << 40, 10, 10), walk(0, 300, 10));
    let begin = begin(&lines(&[&ahead, &after]), 3_000);
    assert_eq!(begin[0], i64::MAX, "nothing of it is within the span");
    assert!((1_800..=2_000).contains(&begin[1]), "{begin:?}");
}

#[test]
fn a_clock_that_is_behind_makes_nothing_younger() {
    let (before, behind) = (walk(1 << 40, 10, 10), walk(0, 300, 10));
    assert_eq!(begin(&lines(&[&before, &behind]), 3_000)[0], i64::MAX);
    // Not even one that was set back since the newest point.
    assert_eq!(
        begin(&lines(&[&before, &behind]), 0)[1],
        1_840,
        "sixteen steps are not counted, and the one to now is none"
    );
}

/// What happens: so much time passes, then the clock is set by so much, then a point is made.
type Event = (i64, i64);

fn events(sets: impl Strategy<Value = i64>) -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec((1..200_i64, sets), 1..300)
}

/// A line, a point in it, and when that really was.
type Made = (Line, i64, i64);

/// Plays events as the engine would: a clock that went back begins a line. Gives what was made, and now, by the clock and really.
fn play(events: &[Event]) -> (Lines, Vec<Made>, (i64, i64)) {
    let (mut truth, mut wall) = (0, 1 << 41);
    let mut lines = Lines::new();
    let mut points: Vec<Made> = Vec::new();
    for (passes, set) in events {
        truth += passes;
        wall += passes + set;
        let line = match points.last() {
            Some((line, last, _)) if *last < wall => line.clone(),
            previous => Line::start(wall, previous.map(|(line, _, _)| line)),
        };
        let made = object(Level::Day, 0, wall);
        lines.entry(line.clone()).or_default().push(made);
        points.push((line, wall, truth));
    }
    (lines, points, (wall, truth))
}

proptest! {
    #[test]
    fn with_any_clock_what_is_within_the_span_is_taken_to_be(
        calm in events(Just(0)),
        jumps in proptest::collection::vec((any::<prop::sample::Index>(), 1..1_i64 << 40), 0..=LEAPS),
        backs in proptest::collection::vec((any::<prop::sample::Index>(), 1..1_i64 << 40), 0..9),
        last in 0..1_i64 << 40,
    ) {
        let mut events = calm;
        for (at, by) in &jumps {
            at.get_mut(&mut events).1 += by;
        }
        for (at, by) in &backs {
            at.get_mut(&mut events).1 -= by;
        }
        let (lines, points, (wall, truth)) = play(&events);
        // The clock may be set once more since the newest point.
        let now = if jumps.len() < LEAPS { wall + last } else { wall };
        let begins = begins(&lines, [SPAN; SPANS], now);
        for (line, point, made) in points {
            if truth - made <= SPAN {
                prop_assert!(begins[&line][0] <= point, "made {} ago", truth - made);
            }
        }
    }

    #[test]
    fn with_a_right_clock_only_the_longest_pauses_are_added(events in events(Just(0))) {
        let (lines, points, (wall, _)) = play(&events);
        let begin = begin(&lines, wall)[0];
        let mut pauses: Vec<i64> = points.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
        pauses.sort_unstable();
        let longest: i64 = pauses.iter().rev().take(LEAPS).sum();
        prop_assert!(begin >= (wall - SPAN - longest).min(points[0].1));
    }
}
