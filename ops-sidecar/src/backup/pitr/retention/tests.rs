//! The promise of retention, held against histories with losses, and the grace before anything goes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::level::Level;
use super::super::plan::Object;
use super::super::plan::tests::object;
use super::*;

const KEEP: Keep = Keep {
    seconds_ms: 100,
    minutes_ms: 1_000,
    hours_ms: 10_000,
};

/// A line as the engine cuts it: at each point the finest series, and the coarser ones when it is their time; `lost` says which steps never
/// arrived.
fn history(points: &[i64], lost: &mut dyn FnMut(Level) -> bool) -> Vec<Object> {
    let spans = [
        (Level::Day, 2_000),
        (Level::Hour, 300),
        (Level::Minute, 40),
        (Level::Second, 1),
    ];
    let mut objects = vec![object(Level::Day, 0, points[0])];
    let mut stands = [points[0]; 4];
    for point in &points[1..] {
        let mut is_due = false;
        for (stand, (level, span)) in stands.iter_mut().zip(spans) {
            is_due |= point - *stand >= span;
            if is_due {
                let step = object(level, *stand, *point);
                if !lost(level) {
                    objects.push(step);
                }
                *stand = *point;
            }
        }
    }
    objects
}

/// A machine with a target, a clock, and the time as it really is.
struct World {
    lines: Lines,
    line: Line,
    /// Where the series stand: days, hours, minutes, seconds.
    stands: [i64; 4],
    wall: i64,
    truth: i64,
    /// Line, point, rank, and when it really was.
    made: Vec<(Line, i64, u8, i64)>,
}

impl World {
    fn new() -> World {
        let mut world = World {
            lines: Lines::new(),
            line: line(),
            stands: [0; 4],
            wall: 1 << 41,
            truth: 0,
            made: Vec::new(),
        };
        world.begin_line(line());
        world
    }

    fn begin_line(&mut self, line: Line) {
        self.line = line;
        self.stands = [self.wall; 4];
        self.make(Level::Day, 0);
    }

    fn make(&mut self, level: Level, from_ms: i64) {
        let objects = self.lines.entry(self.line.clone()).or_default();
        objects.push(object(level, from_ms, self.wall));
        let made = (self.line.clone(), self.wall, level.rank(), self.truth);
        self.made.push(made);
    }

    /// Time passes, the clock is set by so much, and something changes.
    fn step(&mut self, passes: i64, set: i64) {
        let last = self.wall;
        self.truth += passes;
        self.wall += passes + set;
        if self.wall <= last {
            return self.begin_line(Line::start(0, Some(&self.line)));
        }
        let spans = [
            (Level::Day, 2_000),
            (Level::Hour, 300),
            (Level::Minute, 40),
            (Level::Second, 1),
        ];
        let mut is_due = false;
        for (at, (level, span)) in spans.into_iter().enumerate() {
            is_due |= self.wall - self.stands[at] >= span;
            if is_due {
                let from_ms = std::mem::replace(&mut self.stands[at], self.wall);
                self.make(level, from_ms);
            }
        }
    }

    fn prune(&mut self) {
        for (line, name) in doomed(&self.lines, &KEEP, self.wall) {
            let objects = self.lines.get_mut(&line).unwrap();
            objects.retain(|object| object.name != name);
        }
    }

    /// What was promised and cannot be restored any more, by when it really was.
    fn lost(&self) -> Vec<(i64, u8)> {
        let reaches: Vec<_> = self
            .lines
            .iter()
            .map(|(line, objects)| (line, reach(objects, &BTreeSet::new())))
            .collect();
        let is_promised = |rank: u8, made: i64| {
            self.truth - made <= [100, 1_000, 10_000][usize::from(rank.min(2))]
        };
        let made = self.made.iter().filter(|(line, point, rank, made)| {
            let has = |(of, reach): &(&Line, Reach)| *of == line && reach.contains(*point);
            is_promised(*rank, *made) && !reaches.iter().any(has)
        });
        made.map(|(_, _, rank, made)| (self.truth - made, *rank))
            .collect()
    }

    fn objects(&self) -> usize {
        self.lines.values().map(Vec::len).sum()
    }
}

#[test]
fn with_a_right_clock_what_is_kept_does_not_grow() {
    let mut world = World::new();
    let mut kept = Vec::new();
    for step in 1..=9_000 {
        world.step(7, 0);
        if step % 50 == 0 {
            world.prune();
        }
        if step % 4_500 == 0 {
            kept.push(world.objects());
        }
    }
    assert!(kept[1] <= kept[0] + 20 && kept[0] < 300, "{kept:?}");
}

/// Every point that the promise speaks of, by the words of the promise.
fn promised_points(objects: &[Object], now: i64) -> BTreeSet<i64> {
    let reach = reach(objects, &BTreeSet::new());
    let coarsest = |point: i64| {
        let ends = objects.iter().filter(|object| object.name.to_ms == point);
        let ends = ends.filter(|object| {
            object
                .name
                .from_ms
                .is_none_or(|from_ms| reach.contains(from_ms))
        });
        ends.map(|object| object.name.level.rank()).max().unwrap()
    };
    reach
        .points()
        .filter(|point| match coarsest(*point) {
            0 => *point >= now - 100,
            1 => *point >= now - 1_000,
            _ => *point >= now - 10_000,
        })
        .chain(reach.points().next_back())
        .collect()
}

fn line() -> Line {
    Line::start(0, None)
}

#[test]
fn a_quiet_target_keeps_its_newest_state_for_ever() {
    let line = line();
    let objects = history(&[0, 10, 20], &mut |_| false);
    let lines = Lines::from([(line, objects.clone())]);
    assert!(doomed(&lines, &KEEP, 1_000_000).len() < objects.len());
    let gone: BTreeSet<Name> = doomed(&lines, &KEEP, 1_000_000)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert!(reach(&objects, &gone).contains(20));
}

#[test]
fn a_line_that_ended_long_ago_goes_entirely_once_a_newer_one_answers() {
    let old = line();
    let ended = history(&[0, 10, 20], &mut |_| false);
    let gone_after = |steps: i64| {
        let new = Line::start(0, Some(&old));
        let points: Vec<i64> = (0..=steps).map(|step| 30 + step * 700).collect();
        let since = history(&points, &mut |_| false);
        let lines = Lines::from([(old.clone(), ended.clone()), (new, since)]);
        let doomed = doomed(&lines, &KEEP, *points.last().unwrap());
        doomed.into_iter().filter(|(line, _)| *line == old).count()
    };
    // The new line answers for the whole window only when it is as old as the window: fifteen steps, and those that do not count.
    assert!(gone_after(30) < ended.len());
    assert_eq!(gone_after(31), ended.len());
}

#[test]
fn a_clock_that_is_years_ahead_dooms_nothing_and_neither_do_the_hours_under_it() {
    let (line, ahead) = (line(), 1 << 40);
    let mut points: Vec<i64> = (0..200).map(|step| step * 7).collect();
    let right = *points.last().unwrap();
    let before = |points: &[i64], now| {
        let lines = Lines::from([(line.clone(), history(points, &mut |_| false))]);
        doomed(&lines, &KEEP, now)
    };
    let due = before(&points, right);
    assert_eq!(before(&points, right + ahead), due, "not one more");
    // What is made from now on has wrong names, and counts by what passes.
    points.extend((1..=9).map(|step| right + ahead + step * 7));
    let lines = Lines::from([(line.clone(), history(&points, &mut |_| false))]);
    let now_doomed = doomed(&lines, &KEEP, right + ahead + 63);
    let within = |name: &Name| name.to_ms >= right - (KEEP.seconds_ms - 70);
    assert!(now_doomed.iter().all(|(_, name)| !within(name)));
}

#[test]
fn what_may_go_waits_out_the_grace_and_is_forgiven_when_it_is_needed_again() {
    let mut grace = Grace::default();
    let one = (line(), object(Level::Second, 1, 2).name);
    let start = Instant::now();
    let after = |seconds| start + Duration::from_secs(seconds);
    assert!(grace.over(vec![one.clone()], start, 9).is_empty());
    assert!(grace.over(vec![one.clone()], after(3_599), 9).is_empty());
    assert_eq!(grace.over(vec![one.clone()], after(3_600), 9).len(), 1);
    assert!(grace.over(Vec::new(), after(3_700), 9).is_empty());
    assert!(grace.over(vec![one], after(3_701), 9).is_empty());
}

proptest! {
    #[test]
    fn no_promised_point_is_ever_lost(
        gaps in proptest::collection::vec(1i64..60, 1..400),
        losses in proptest::collection::vec(0u8..20, 400),
        later in 0i64..20_000,
        interrupted in any::<prop::sample::Index>(),
    ) {
        let points: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let mut losses = losses.into_iter().cycle();
        let objects = history(&points, &mut |level| level != Level::Day && losses.next() == Some(0));
        let now = points.last().unwrap() + later;
        let line = line();
        let lines = Lines::from([(line, objects.clone())]);
        let order = doomed(&lines, &KEEP, now);
        prop_assert!(order.windows(2).all(|pair| pair[0].1.level.rank() <= pair[1].1.level.rank()), "finest first");
        let promised = promised_points(&objects, now);
        for length in [order.len(), interrupted.index(order.len() + 1)] {
            let gone: BTreeSet<Name> = order[..length].iter().map(|(_, name)| *name).collect();
            let left: Vec<Object> = objects.iter().filter(|object| !gone.contains(&object.name)).copied().collect();
            let reach = reach(&left, &BTreeSet::new());
            for point in &promised {
                prop_assert!(reach.contains(*point), "{point} at {now}");
            }
            // What is left asks for nothing more: doing it again is doing nothing.
            if length == order.len() {
                let lines = Lines::from([(Line::start(0, None), left)]);
                prop_assert!(doomed(&lines, &KEEP, now).is_empty());
            }
        }
    }

    #[test]
    fn time_after_time_the_beginning_of_each_window_has_a_state(
        gaps in proptest::collection::vec(1i64..90, 50..300),
        steps in proptest::collection::vec(1i64..900, 1..30),
    ) {
        let points: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
        let mut left = history(&points, &mut |_| false);
        let mut now = *points.last().unwrap();
        for step in steps {
            now += step;
            let lines = Lines::from([(line(), left.clone())]);
            let gone: BTreeSet<Name> = doomed(&lines, &KEEP, now).into_iter().map(|(_, name)| name).collect();
            left.retain(|object| !gone.contains(&object.name));
            let reach = reach(&left, &BTreeSet::new());
            for (back, coarse) in [(100, 1), (1_000, 40), (10_000, 300)] {
                let wanted = now - back;
                // The newest point by then is at most one step of that series old, where there were points at all.
                let newest = points.iter().copied().filter(|point| *point <= wanted).max();
                if let Some(newest) = newest {
                    let reached = reach.newest(wanted);
                    prop_assert!(reached.is_some_and(|reached| reached >= newest - coarse - 90), "{reached:?} for {newest} at {now}");
                }
            }
        }
    }

    #[test]
    fn with_any_clock_what_was_promised_can_be_restored(
        gaps in proptest::collection::vec(1i64..40, 20..300),
        ahead in proptest::collection::vec((any::<prop::sample::Index>(), 1..1_i64 << 40), 0..=elapsed::LEAPS),
        back in proptest::collection::vec((any::<prop::sample::Index>(), 1..1_i64 << 40), 0..9),
    ) {
        let mut events: Vec<(i64, i64)> = gaps.into_iter().map(|gap| (gap, 0)).collect();
        for (at, by) in &ahead {
            at.get_mut(&mut events).1 += by;
        }
        for (at, by) in &back {
            at.get_mut(&mut events).1 -= by;
        }
        let mut world = World::new();
        for (step, (passes, set)) in events.into_iter().enumerate() {
            world.step(passes, set);
            if step % 9 == 0 || set != 0 {
                world.prune();
            }
            if step % 31 == 0 {
                prop_assert_eq!(world.lost(), []);
            }
        }
        world.prune();
        prop_assert_eq!(world.lost(), []);
    }
}
