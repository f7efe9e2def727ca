//! What must be in a file that shows the state of a certain moment, and what must not.
//!
//! All writers' records stand in one chain, so the file has one order of commits, and every correct copy is a beginning of it:
//! with everything that was confirmed before the moment, nothing that was begun after it, every tenant exactly as its script has
//! left it after as many deeds as have a record, and no tenant beside these.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::content::{Content, Written};
use super::script::Shape;
use super::writer::{Told, from_target};

/// All that one writer told until it was killed.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    name: String,
    /// By number, without gaps.
    deeds: Vec<Step>,
    pub(super) refused: Vec<String>,
}

/// One deed as its writer told it.
#[derive(Debug, Clone, Copy)]
struct Step {
    begun_us: i64,
    done: Option<Done>,
}

#[derive(Debug, Clone, Copy)]
struct Done {
    seq: u64,
    at_us: i64,
}

impl Life {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    pub(super) fn enter(&mut self, told: Told) {
        match told {
            // One that was refused is begun again; it counts from the first time.
            Told::Begun { number, at_us } if number == self.deeds.len() as u64 => {
                self.deeds.push(Step {
                    begun_us: at_us,
                    done: None,
                });
            }
            Told::Begun { .. } => {}
            Told::Done { number, seq, at_us } => {
                if let Some(deed) = self.deeds.get_mut(number as usize) {
                    deed.done = Some(Done { seq, at_us });
                }
            }
            Told::Refused { why } => self.refused.push(why),
        }
    }

    fn done(&self) -> impl Iterator<Item = (&Step, Done)> {
        self.deeds
            .iter()
            .filter_map(|deed| Some((deed, deed.done?)))
    }

    /// How long each deed took.
    pub(crate) fn took(&self) -> impl Iterator<Item = (i64, Duration)> {
        self.done().map(|(deed, done)| {
            let took = done.at_us - deed.begun_us;
            (
                deed.begun_us,
                Duration::from_micros(took.max(0).cast_unsigned()),
            )
        })
    }
}

/// One write that a real server was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) begun_us: i64,
    /// When it was confirmed, if it was.
    pub(super) done_us: Option<i64>,
}

/// All that was told.
#[derive(Debug, Default)]
pub(super) struct Model {
    lives: BTreeMap<String, Life>,
    /// By the order that the server wrote to, which was its own.
    orders: BTreeMap<String, Vec<Asked>>,
}

/// The moment that a file shows: on the clock of this machine, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Everything confirmed before this is inside.
    pub(super) from_us: i64,
    /// Nothing begun after this is.
    pub(super) until_us: i64,
}

impl Model {
    pub(super) fn new(lives: Vec<Life>, orders: BTreeMap<String, Vec<Asked>>) -> Self {
        let lives = lives.into_iter().map(|life| (life.name.clone(), life));
        Self {
            lives: lives.collect(),
            orders,
        }
    }

    /// How many deeds and writes were confirmed.
    pub(super) fn confirmed(&self) -> (usize, usize) {
        let deeds = self.lives.values().map(|life| life.done().count()).sum();
        let asked = self.orders.values().flatten();
        (deeds, asked.filter(|asked| asked.done_us.is_some()).count())
    }

    /// Everything that cannot be right about a file that is said to show this moment.
    pub(super) fn mistakes(&self, content: &Content, moment: Moment) -> Vec<String> {
        let mut mistakes = Vec::new();
        let counts = self.check_records(content, moment, &mut mistakes);
        self.check_missing(content, moment, &mut mistakes);
        check_shapes(content, &counts, &mut mistakes);
        self.check_orders(content, moment, &mut mistakes);
        mistakes
    }

    /// Every record is one that a writer asked for by then, in its place. Gives how many deeds of each writer have one.
    fn check_records(
        &self,
        content: &Content,
        moment: Moment,
        mistakes: &mut Vec<String>,
    ) -> BTreeMap<String, u64> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (seq, target) in (1..).zip(&content.records) {
            let asked = from_target(target).and_then(|(name, number)| {
                let life = self.lives.get(name)?;
                Some((name, number, life.deeds.get(number as usize)?))
            });
            let Some((name, number, deed)) = asked else {
                mistakes.push(format!("record {seq} ({target}): nobody asked for it"));
                continue;
            };
            let count = counts.entry(name.to_owned()).or_default();
            if number != *count {
                mistakes.push(format!(
                    "record {seq} ({target}): {count} deeds came before it"
                ));
            }
            *count += 1;
            if deed.done.is_some_and(|done| done.seq != seq) {
                mistakes.push(format!("record {seq} ({target}): was confirmed as another"));
            }
            if deed.begun_us > moment.until_us {
                let late = deed.begun_us - moment.until_us;
                mistakes.push(format!(
                    "record {seq} ({target}): begun {late} µs after the moment"
                ));
            }
        }
        counts
    }

    fn check_missing(&self, content: &Content, moment: Moment, mistakes: &mut Vec<String>) {
        let have = content.records.len() as u64;
        for life in self.lives.values() {
            for (_, done) in life.done() {
                if done.at_us < moment.from_us && done.seq > have {
                    mistakes.push(format!(
                        "record {} of {}: confirmed {} µs before the moment, and not there",
                        done.seq,
                        life.name,
                        moment.from_us - done.at_us
                    ));
                }
            }
        }
    }

    fn check_orders(&self, content: &Content, moment: Moment, mistakes: &mut Vec<String>) {
        for order in content.orders.keys() {
            if !self.orders.contains_key(order) {
                mistakes.push(format!("order {order}: nobody wrote to it"));
            }
        }
        for (order, asked) in &self.orders {
            let written = content.orders.get(order).copied().unwrap_or_default();
            let count =
                |is: &dyn Fn(&Asked) -> bool| asked.iter().filter(|asked| is(asked)).count() as u64;
            let done = count(&|asked| asked.done_us.is_some_and(|at| at < moment.from_us));
            let begun = count(&|asked| asked.begun_us <= moment.until_us);
            let Written {
                begun: has_begun,
                done: has_done,
            } = written;
            if has_done < done || has_begun < done {
                mistakes.push(format!(
                    "order {order}: {done} writes confirmed, {has_done} there"
                ));
            }
            if has_begun > begun {
                mistakes.push(format!(
                    "order {order}: {begun} writes begun, {has_begun} there"
                ));
            }
        }
    }

    /// How much of the last deeds before `at_us` a file lacks: the time from the oldest one that is missing, zero if none is.
    pub(super) fn behind(&self, content: &Content, at_us: i64) -> Duration {
        let have = content.records.len() as u64;
        let lives = self.lives.values();
        let missing = lives
            .flat_map(Life::done)
            .filter(|(_, done)| done.at_us < at_us && done.seq > have);
        let oldest = missing.map(|(_, done)| done.at_us).min();
        Duration::from_micros(oldest.map_or(0, |oldest| at_us - oldest).cast_unsigned())
    }
}

/// Each tenant is as its script has left it, and there is no other but those of real servers.
fn check_shapes(content: &Content, counts: &BTreeMap<String, u64>, mistakes: &mut Vec<String>) {
    let ours = |name: &&String| name.starts_with('w');
    let there: BTreeSet<&String> = content.shapes.keys().filter(ours).collect();
    for name in there.iter().filter(|name| !counts.contains_key(**name)) {
        mistakes.push(format!("tenant {name}: is there without a record"));
    }
    for (name, count) in counts {
        let empty = Shape::default();
        let found = content.shapes.get(name).unwrap_or(&empty);
        if *found != Shape::after(name, *count) {
            mistakes.push(format!("tenant {name}: is not as {count} deeds leave it"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One writer whose deeds were begun at 10, 30, 50 … and confirmed at 20, 40, 60 …; the last was never confirmed.
    fn model(deeds: u64) -> Model {
        let mut life = Life::new("w1".to_owned());
        for number in 0..deeds {
            let at_us = 10 + 20 * number.cast_signed();
            life.enter(Told::Begun { number, at_us });
            if number + 1 < deeds {
                let (seq, at_us) = (number + 1, at_us + 10);
                life.enter(Told::Done { number, seq, at_us });
            }
        }
        let asked = |begun_us, done_us| Asked { begun_us, done_us };
        let order = vec![asked(15, Some(25)), asked(35, None)];
        Model::new(vec![life], BTreeMap::from([("7".to_owned(), order)]))
    }

    fn content(deeds: u64) -> Content {
        Content {
            records: (0..deeds).map(|number| format!("w1/{number}")).collect(),
            shapes: BTreeMap::from([("w1".to_owned(), Shape::after("w1", deeds))]),
            orders: BTreeMap::from([("7".to_owned(), Written { begun: 1, done: 1 })]),
        }
    }

    fn at(us: i64) -> Moment {
        Moment {
            from_us: us,
            until_us: us,
        }
    }

    #[test]
    fn a_beginning_that_fits_the_moment_is_right() {
        assert_eq!(model(10).mistakes(&content(2), at(45)), [""; 0]);
        // Under way at the moment: there or not.
        assert_eq!(model(10).mistakes(&content(3), at(55)), [""; 0]);
        assert_eq!(model(10).mistakes(&content(2), at(55)), [""; 0]);
    }

    #[test]
    fn a_lost_deed_is_found() {
        let mistakes = model(10).mistakes(&content(2), at(65));
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(mistakes[0].contains("not there"), "{mistakes:?}");
        assert_eq!(model(10).behind(&content(2), 65), Duration::from_micros(5));
        assert_eq!(model(10).behind(&content(3), 65), Duration::ZERO);
    }

    #[test]
    fn a_deed_from_after_the_moment_is_found() {
        let mistakes = model(10).mistakes(&content(3), at(45));
        assert!(mistakes[0].contains("after the moment"), "{mistakes:?}");
    }

    #[test]
    fn a_record_that_nobody_asked_for_is_found() {
        let mut content = content(2);
        content.records.push("w9/0".to_owned());
        let mistakes = model(10).mistakes(&content, at(45));
        assert!(mistakes[0].contains("nobody asked"), "{mistakes:?}");
    }

    #[test]
    fn records_out_of_their_order_are_found() {
        let mut content = content(4);
        content.records.swap(2, 3);
        assert!(!model(10).mistakes(&content, at(90)).is_empty());
    }

    #[test]
    fn a_torn_tenant_is_found() {
        let mut content = content(8);
        content
            .shapes
            .insert("w1".to_owned(), Shape::after("w1", 7));
        let mistakes = model(10).mistakes(&content, at(165));
        assert!(mistakes[0].contains("is not as"), "{mistakes:?}");
    }

    #[test]
    fn a_servers_lost_or_doubled_write_is_found() {
        let mut lost = content(2);
        lost.orders.clear();
        assert!(model(10).mistakes(&lost, at(45))[0].contains("order 7"));
        let mut doubled = content(2);
        doubled
            .orders
            .insert("7".to_owned(), Written { begun: 3, done: 1 });
        assert!(model(10).mistakes(&doubled, at(45))[0].contains("order 7"));
    }
}
