//! A thing with named changes: the plan of every update.
//!
//! Here: what is sent, from what is there and what shall change, and where that is refused: fields that somebody else changed after they
//! were seen, values that make no sense, maps that grow too long. Used for the preview and for every round of the write, so that both
//! decide alike. Not here: what a change means (`merge`), the rounds (`rewrite`).

use serde_json::{Value, json};

use super::Preview;
use super::rewrite::{Plan, Seen, Step, conflict};
use crate::clean;
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Difference, Kind, Patch};
use crate::desk::model::Object;

/// Places beyond this many are counted in a record, not named.
const NAMED: usize = 12;

/// The longest name of a place in a record, in characters: an unknown name could be anything.
const NAME_CHARS: usize = 60;

/// Maps whose keys are somebody's own words: of these the record has the name of the map only.
const FREE: [&str; 4] = [
    "checkout_data",
    "order_metadata",
    "variation_list",
    "metadata",
];

/// Named changes of one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patched<'a> {
    pub(super) kind: Kind,
    pub(super) changes: &'a Object,
    /// What the caller says that is there; only what it names counts.
    pub(super) expected: Option<&'a Object>,
    /// What somebody saw who agreed to the changes; only the places that are changed count.
    pub(super) agreed: Option<&'a Object>,
}

impl Patched<'_> {
    /// The whole thing as it is to be sent.
    fn whole(&self, now: &Object) -> Result<(Patch, Object), DeskError> {
        self.expects_no_card()?;
        let patch =
            Patch::check(self.kind, self.changes, Some(now)).map_err(DeskError::Mistakes)?;
        let next = merge::apply(self.kind, now, &patch);
        merge::limits::check(self.kind, Some(now), &next).map_err(DeskError::Mistakes)?;
        Ok((patch, next))
    }

    /// What no answer shows is not compared either: a conflict would tell it, and its absence that a guess was right.
    fn expects_no_card(&self) -> Result<(), DeskError> {
        let expected = self.expected.into_iter().flat_map(Object::keys);
        let mistakes: Vec<String> = expected
            .filter(|name| clean::is_of_a_card(name))
            .map(|name| format!("`expected.{name}` is about a payment card, which is neither shown nor compared; leave it out"))
            .collect();
        if mistakes.is_empty() {
            Ok(())
        } else {
            Err(DeskError::Mistakes(mistakes))
        }
    }

    /// Where the thing is no longer as somebody believed. `first` is what was there in the first round.
    fn foreign(&self, patch: &Patch, first: Option<&Object>, now: &Object) -> Vec<Difference> {
        let mut found = match self.expected {
            Some(expected) => merge::mismatches(self.kind, expected, now),
            None => Vec::new(),
        };
        for seen in [self.agreed, first].into_iter().flatten() {
            for conflict in merge::conflicts(patch, seen, now) {
                if found.iter().all(|known| known.path != conflict.path) {
                    found.push(conflict);
                }
            }
        }
        found
    }

    /// What would change now.
    ///
    /// # Errors
    /// [`DeskError::Mistakes`]; [`DeskError::Conflict`] where `expected` is not what is there.
    pub(super) fn preview(&self, target: &str, now: &Object) -> Result<Preview, DeskError> {
        let (patch, next) = self.whole(now)?;
        let diff = merge::diff(self.kind, now, &next);
        let foreign = self.foreign(&patch, None, now);
        if !foreign.is_empty() && !diff.is_empty() {
            return Err(conflict(&foreign));
        }
        let mut remarks = Vec::new();
        if diff.is_empty() {
            remarks.push("already so; nothing would be sent".to_owned());
        }
        let before: Object = self
            .changes
            .keys()
            .map(|name| (name.clone(), now.get(name).cloned().unwrap_or(Value::Null)))
            .collect();
        // The order in which keys were given means nothing.
        let mut basis = json!([target, self.changes, self.expected, before]);
        basis.sort_all_objects();
        Ok(Preview {
            diff,
            basis: basis.to_string(),
            remarks,
            before,
        })
    }

    /// Names of the places that change, never values: `changes: shipping.city, email`.
    pub(super) fn shape(&self) -> String {
        let places = match Patch::check(self.kind, self.changes, None) {
            Ok(patch) => patch.touched(),
            Err(_) => self.changes.keys().cloned().collect(),
        };
        let mut places: Vec<String> = places.iter().map(|place| in_a_record(place)).collect();
        places.dedup();
        let named = &places[..places.len().min(NAMED)];
        let more = match places.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("changes: {}{more}", named.join(", "))
    }
}

/// A place without what only a customer could have named.
fn in_a_record(place: &str) -> String {
    let end_of = |map: &&str| {
        let end = place.find(*map)? + map.len();
        place[end..].starts_with(['.', '[']).then_some(end)
    };
    let end = FREE.iter().filter_map(end_of).min().unwrap_or(place.len());
    place[..end].chars().take(NAME_CHARS).collect()
}

impl Plan for Patched<'_> {
    fn step(&self, now: &Object, seen: &Seen) -> Result<Step, DeskError> {
        let (patch, next) = self.whole(now)?;
        // What is as wanted is no conflict, whoever made it so.
        if merge::diff(self.kind, now, &next).is_empty() {
            return Ok(Step::AlreadySo);
        }
        let foreign = self.foreign(&patch, seen.first.as_ref(), now);
        if foreign.is_empty() {
            Ok(Step::Put(next))
        } else {
            Ok(Step::Conflict(foreign))
        }
    }
}
