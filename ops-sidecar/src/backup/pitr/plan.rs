//! Which objects lead to a moment: a search over names alone.
//!
//! Points are nodes, objects are edges; a base is an edge from nothing. A point is reached by the coarsest step that leads to it and starts
//! from a point that can be reached itself: back from a moment these are seconds, then minutes, then hours, then a base. Nothing is assumed
//! about which objects there are, so the search also finds the way round a missing or damaged one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::name::{Line, Name, parse_key};

/// One object as a listing shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    /// What it is.
    pub name: Name,
    /// How large.
    pub bytes: u64,
}

/// All objects of a target.
pub(super) type Lines = BTreeMap<Line, Vec<Object>>;

/// Takes in one object of a listing. What is not ours is left out.
pub(super) fn collect(lines: &mut Lines, key: &str, bytes: u64) {
    if let Some((line, name)) = parse_key(key) {
        lines.entry(line).or_default().push(Object { name, bytes });
    }
}

/// The best way to a point, larger is better: how coarse its last step is, its base, the number of steps, their bytes. That the last step
/// comes first makes the choice one that lasts: what retention removes from elsewhere never changes it.
type Merit = (u8, i64, Reverse<u32>, Reverse<u64>);

/// What of one line can be reached, and how.
#[derive(Debug)]
pub(super) struct Reach {
    /// Ascending.
    points: Vec<Point>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    at_ms: i64,
    merit: Merit,
    last: Object,
}

/// Searches one line, leaving out the objects `without`.
#[must_use]
pub(super) fn reach(objects: &[Object], without: &BTreeSet<Name>) -> Reach {
    let mut edges: Vec<Object> = objects
        .iter()
        .filter(|object| !without.contains(&object.name))
        .copied()
        .collect();
    // Every edge leads forward: with ends ascending, what an edge starts from has been settled before.
    edges.sort_unstable();
    let mut found = Reach { points: Vec::new() };
    for edge in edges {
        let rank = edge.name.level.rank();
        let merit = match edge.name.from_ms {
            None => Some((rank, edge.name.to_ms, Reverse(1), Reverse(edge.bytes))),
            Some(from_ms) => found.point(from_ms).map(|from| {
                let (_, base, Reverse(steps), Reverse(bytes)) = from.merit;
                (rank, base, Reverse(steps + 1), Reverse(bytes + edge.bytes))
            }),
        };
        if let Some(merit) = merit {
            found.offer(Point {
                at_ms: edge.name.to_ms,
                merit,
                last: edge,
            });
        }
    }
    found
}

impl Reach {
    fn offer(&mut self, point: Point) {
        match self.points.last_mut() {
            Some(known) if known.at_ms == point.at_ms => {
                if point.merit > known.merit {
                    *known = point;
                }
            }
            _ => self.points.push(point),
        }
    }

    fn point(&self, at_ms: i64) -> Option<&Point> {
        let place = self
            .points
            .binary_search_by_key(&at_ms, |point| point.at_ms)
            .ok()?;
        Some(&self.points[place])
    }

    /// Whether there is a way to this very point.
    #[must_use]
    pub(super) fn contains(&self, at_ms: i64) -> bool {
        self.point(at_ms).is_some()
    }

    /// Every point that can be reached, ascending, with the rank of the coarsest step that leads to it.
    pub(super) fn ranks(&self) -> impl Iterator<Item = (i64, u8)> + '_ {
        self.points.iter().map(|point| (point.at_ms, point.merit.0))
    }

    /// Every point that can be reached, ascending.
    pub(super) fn points(&self) -> impl DoubleEndedIterator<Item = i64> + '_ {
        self.points.iter().map(|point| point.at_ms)
    }

    /// The newest point that is not younger.
    #[must_use]
    pub(super) fn newest(&self, at_ms: i64) -> Option<i64> {
        let younger = self.points.partition_point(|point| point.at_ms <= at_ms);
        Some(self.points[younger.checked_sub(1)?].at_ms)
    }

    /// The objects that lead to a point, base first; empty when nothing does.
    #[must_use]
    pub(super) fn plan(&self, at_ms: i64) -> Vec<Object> {
        let mut plan = Vec::new();
        let mut next = Some(at_ms);
        while let Some(point) = next.and_then(|at_ms| self.point(at_ms)) {
            plan.push(point.last);
            next = point.last.name.from_ms;
        }
        plan.reverse();
        plan
    }
}

/// The line that answers for a moment: of those that have a point by then, the one that started last.
#[must_use]
pub(super) fn choose(lines: &Lines, at_ms: i64) -> Option<&Line> {
    let none = BTreeSet::new();
    let has = |objects: &[Object]| reach(objects, &none).newest(at_ms).is_some();
    lines
        .iter()
        .rev()
        .find(|(_, objects)| has(objects))
        .map(|(line, _)| line)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::super::level::Level;
    use super::*;

    pub(in super::super) fn object(level: Level, from_ms: i64, to_ms: i64) -> Object {
        Object {
            name: Name {
                to_ms,
                from_ms: (level != Level::Day).then_some(from_ms),
                level,
                is_sealed: false,
            },
            bytes: 10,
        }
    }

    /// A base at 0, each second up to `seconds`, each tenth and each hundredth again in one step.
    fn history(seconds: i64) -> Vec<Object> {
        let mut objects = vec![object(Level::Day, 0, 0)];
        for at in 1..=seconds {
            objects.push(object(Level::Second, at - 1, at));
            for (step, level) in [(10, Level::Minute), (100, Level::Hour)] {
                if at % step == 0 {
                    objects.push(object(level, at - step, at));
                }
            }
        }
        objects
    }

    fn without(names: impl IntoIterator<Item = Object>) -> BTreeSet<Name> {
        names.into_iter().map(|object| object.name).collect()
    }

    #[test]
    fn the_way_is_coarse_first() {
        let plan = reach(&history(250), &BTreeSet::new()).plan(234);
        let letters: String = plan
            .iter()
            .map(|object| object.name.level.letter())
            .collect();
        assert_eq!(letters, "dhhmmmssss");
    }

    #[test]
    fn the_newest_base_is_where_it_begins() {
        let mut objects = history(250);
        objects.push(object(Level::Day, 0, 231));
        let plan = reach(&objects, &BTreeSet::new()).plan(234);
        assert_eq!(plan.len(), 4);
        assert_eq!(plan[0].name.to_ms, 231);
    }

    #[test]
    fn a_missing_coarse_step_is_gone_round_through_finer_ones() {
        let gone = without([
            object(Level::Hour, 100, 200),
            object(Level::Minute, 150, 160),
        ]);
        let reach = reach(&history(250), &gone);
        let plan = reach.plan(200);
        assert_eq!(plan.len(), 1 + 1 + 9 + 10);
        assert!(plan.iter().all(|object| !gone.contains(&object.name)));
    }

    #[test]
    fn what_nothing_leads_to_is_not_reached_and_the_point_before_it_is_given() {
        let gone = without([
            object(Level::Second, 14, 15),
            object(Level::Minute, 10, 20),
            object(Level::Hour, 0, 100),
        ]);
        let reach = reach(&history(60), &gone);
        assert_eq!(reach.newest(59), Some(14));
        assert_eq!(reach.newest(-1), None);
        assert!(reach.plan(15).is_empty());
    }

    #[test]
    fn the_line_that_started_last_answers_and_only_where_it_has_a_point() {
        let first = Line::start(1_000_000, None);
        let second = Line::start(1_000_000, Some(&first));
        let lines = Lines::from([
            (first.clone(), vec![object(Level::Day, 0, 100)]),
            (second.clone(), vec![object(Level::Day, 0, 200)]),
        ]);
        assert_eq!(choose(&lines, 99), None);
        assert_eq!(choose(&lines, 150), Some(&first));
        assert_eq!(choose(&lines, 200), Some(&second));
    }

    proptest! {
        #[test]
        fn a_plan_is_a_chain_from_a_base_to_its_point(gone in proptest::collection::vec(any::<prop::sample::Index>(), 0..40)) {
            let objects = history(130);
            let gone = without(gone.iter().map(|index| objects[index.index(objects.len())]));
            let reach = reach(&objects, &gone);
            let reached: BTreeSet<i64> = reach.points().collect();
            prop_assert_eq!(&reached, &by_walking(&objects, &gone));
            for point in reached {
                let plan = reach.plan(point);
                prop_assert!(plan[0].name.is_base());
                prop_assert!(plan.windows(2).all(|pair| pair[1].name.from_ms == Some(pair[0].name.to_ms)));
                prop_assert_eq!(plan.last().map(|object| object.name.to_ms), Some(point));
                prop_assert!(plan.iter().all(|object| !gone.contains(&object.name)));
            }
        }
    }

    /// The same by brute force: everything that any chain of steps gets to.
    fn by_walking(objects: &[Object], gone: &BTreeSet<Name>) -> BTreeSet<i64> {
        let mut reached = BTreeSet::new();
        loop {
            let before = reached.len();
            for object in objects.iter().filter(|object| !gone.contains(&object.name)) {
                if object
                    .name
                    .from_ms
                    .is_none_or(|from_ms| reached.contains(&from_ms))
                {
                    reached.insert(object.name.to_ms);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }
}
