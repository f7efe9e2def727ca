//! What differs between two lists: items by their ids, notes by their text, discounts as a whole.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::differ::{View, leaf, things};
use super::value::{as_rows, id_of, same, same_number};
use super::{Difference, Kind, path};
use crate::desk::model::Object;

/// The lines of an order. A line is found by its id wherever it stands; of several with one id the first belongs to the first.
pub(super) fn items(
    view: View,
    at: &str,
    before: &Value,
    after: &Value,
    found: &mut Vec<Difference>,
) {
    let (Some(b), Some(a)) = (as_rows(before), as_rows(after)) else {
        return leaf(same(before, after), at, before, after, found);
    };
    let mut pairing = Pairing::new(&a);
    for (position, row) in b.iter().enumerate() {
        let place = item_path(at, position, row);
        match pairing.partner(view, row) {
            Some(other) => pair(view, &place, row, other, found),
            None => leaf(false, &place, row, &Value::Null, found),
        }
    }
    if view == View::Both {
        for (position, row) in pairing.left_over() {
            leaf(
                false,
                &item_path(at, position, row),
                &Value::Null,
                row,
                found,
            );
        }
    }
}

fn item_path(at: &str, position: usize, row: &Value) -> String {
    match id_of(row) {
        Some(id) => path::row(at, id),
        None => path::row(at, format_args!("#{}", position + 1)),
    }
}

fn pair(view: View, at: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        (Value::Object(b), Value::Object(a)) => things(view, Kind::OrderItem, at, b, a, found),
        _ => leaf(same(before, after), at, before, after, found),
    }
}

/// The rows of one list that have no partner in the other yet.
struct Pairing<'a> {
    rows: &'a [&'a Value],
    free: Vec<bool>,
    by_id: HashMap<String, VecDeque<usize>>,
}

impl<'a> Pairing<'a> {
    fn new(rows: &'a [&'a Value]) -> Pairing<'a> {
        let mut by_id: HashMap<String, VecDeque<usize>> = HashMap::new();
        for (position, row) in rows.iter().enumerate() {
            if let Some(id) = id_of(row) {
                by_id.entry(id).or_default().push_back(position);
            }
        }
        let free = vec![true; rows.len()];
        Pairing { rows, free, by_id }
    }

    /// The row with the same id; for a row without one (it was sent as a new one) the first that holds all it says, else the next.
    fn partner(&mut self, view: View, row: &Value) -> Option<&'a Value> {
        let position = match id_of(row) {
            Some(id) => self.by_id.get_mut(&id)?.pop_front()?,
            None => self.look_alike(view, row)?,
        };
        self.free[position] = false;
        Some(self.rows[position])
    }

    fn look_alike(&mut self, view: View, row: &Value) -> Option<usize> {
        let mut candidates = self.rows.iter().enumerate().filter(|(position, other)| {
            // Between two states, a row without an id is not a row with one.
            self.free[*position] && (view != View::Both || id_of(other).is_none())
        });
        let first = candidates.clone().next()?.0;
        let equal = candidates.find(|(_, other)| {
            let mut differences = Vec::new();
            pair(view, "", row, other, &mut differences);
            differences.is_empty()
        });
        let position = equal.map_or(first, |(position, _)| position);
        let queue = id_of(self.rows[position]).and_then(|id| self.by_id.get_mut(&id));
        if let Some(queue) = queue {
            queue.retain(|other| *other != position);
        }
        Some(position)
    }

    fn left_over(&self) -> impl Iterator<Item = (usize, &'a Value)> {
        let rows = self.rows.iter().copied().enumerate();
        rows.filter(|(position, _)| self.free[*position])
    }
}

/// Staff notes: each must be in the other list as often. Between two states the whole note counts, in an answer its text.
pub(super) fn notes(
    view: View,
    at: &str,
    before: &Value,
    after: &Value,
    found: &mut Vec<Difference>,
) {
    let (Some(b), Some(a)) = (as_rows(before), as_rows(after)) else {
        return leaf(same(before, after), at, before, after, found);
    };
    let mut free: Vec<Option<&Value>> = a.into_iter().map(Some).collect();
    let equal = |one: &Value, other: &Value| match view {
        View::Both => same(one, other),
        View::Sent | View::Partial => same(content(one), content(other)),
    };
    for (position, note) in b.iter().enumerate() {
        let partner = free
            .iter_mut()
            .find(|other| other.is_some_and(|other| equal(note, other)));
        match partner {
            Some(partner) => *partner = None,
            None => leaf(false, &note_path(at, position), note, &Value::Null, found),
        }
    }
    if view == View::Both {
        for (position, note) in free.iter().enumerate() {
            if let Some(note) = note {
                leaf(false, &note_path(at, position), &Value::Null, note, found);
            }
        }
    }
}

fn note_path(at: &str, position: usize) -> String {
    path::row(at, format_args!("#{}", position + 1))
}

fn content(note: &Value) -> &Value {
    note.get("content").unwrap_or(note)
}

/// Whether two lists of discounts mean the same: `"5.00"` is 5, no code is a blank one.
pub(super) fn same_discounts(a: &Value, b: &Value) -> bool {
    let (Some(a_rows), Some(b_rows)) = (as_rows(a), as_rows(b)) else {
        return same(a, b);
    };
    let equal = |(a, b): (&&Value, &&Value)| match (a, b) {
        (Value::Object(a), Value::Object(b)) => same_discount(a, b),
        (a, b) => same(a, b),
    };
    a_rows.len() == b_rows.len() && a_rows.iter().zip(&b_rows).all(equal)
}

fn same_discount(a: &Object, b: &Object) -> bool {
    let value = |row: &Object, name: &str| row.get(name).cloned().unwrap_or_default();
    a.keys().chain(b.keys()).all(|name| {
        let (a, b) = (value(a, name), value(b, name));
        same(&a, &b) || (name == "amount" && same_number(&a, &b))
    })
}

/// Of the lines in `value` only those that `entries` name, and of those only what `part` keeps (their ids among it).
pub(super) fn named_items(
    value: &Value,
    entries: &Value,
    part: impl Fn(&Object, &Object) -> Object,
) -> Value {
    let rows = as_rows(value).unwrap_or_default();
    let named = |entry: &Value| {
        let id = id_of(entry)?;
        let row = rows.iter().find(|row| id_of(row).as_ref() == Some(&id))?;
        Some(Value::Object(part(row.as_object()?, entry.as_object()?)))
    };
    let entries = entries.as_array().into_iter().flatten();
    entries.filter_map(named).collect()
}
