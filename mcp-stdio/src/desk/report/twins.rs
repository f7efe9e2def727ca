//! Possible duplicates among orders.
//!
//! Here: what makes two orders look like one: the same channel number, or the same items for the same e-mail address or the same address within a few
//! days. A guess, given with its reasons; a person decides. Each order is paired with the nearest earlier one only, so that a hundred equal
//! orders are a chain of ninety-nine pairs and not thousands. Of each order nothing but fingerprints and its number is kept.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use jiff::SignedDuration;
use jiff::civil::DateTime;

use super::totals::{quantity, sku};
use crate::desk::model::{Fields, Order, when_written};

/// Between two orders that may be one: a checkout tried again, or an e-mail answered by a second order.
pub const WITHIN_DAYS: i64 = 3;

/// Why two orders look like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The same order number of the same channel.
    SourceId,
    /// The same items for the same e-mail address.
    Email,
    /// The same items to the same address.
    ShipTo,
}

impl Reason {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::SourceId => "same channel and channel number",
            Reason::Email => "same items, same e-mail",
            Reason::ShipTo => "same items, same ship-to address",
        }
    }
}

/// An order as a pair shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Order Desk's id.
    pub id: String,
    /// The channel's number.
    pub source_id: String,
    /// When it was placed, UTC.
    pub date_added: String,
    /// The folder it lies in.
    pub folder_id: String,
}

/// Two orders that may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The one placed first.
    pub earlier: Twin,
    /// The one that may be too much.
    pub later: Twin,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Looks for pairs while orders come in, oldest first.
#[derive(Debug, Default)]
pub struct Duplicates {
    hash: RandomState,
    orders: Vec<(Twin, Option<DateTime>)>,
    latest: HashMap<(u8, u64), usize>,
    pairs: Vec<Pair>,
}

impl Duplicates {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Duplicates {
        Duplicates::default()
    }

    /// Compares one order with those before it.
    pub fn add(&mut self, order: &Order) {
        let at = self.orders.len();
        let placed = when_written(&order.date_added());
        let mut pairs: Vec<(usize, Vec<Reason>)> = Vec::new();
        for (reason, mark) in self.marks(order) {
            let Some(before) = self.latest.insert((reason as u8, mark), at) else {
                continue;
            };
            let near = match (self.orders[before].1, placed) {
                (Some(before), Some(placed)) => {
                    placed.duration_since(before).abs()
                        <= SignedDuration::from_hours(24 * WITHIN_DAYS)
                }
                _ => false,
            };
            if near || reason == Reason::SourceId {
                match pairs.iter_mut().find(|(other, _)| *other == before) {
                    Some((_, reasons)) => reasons.push(reason),
                    None => pairs.push((before, vec![reason])),
                }
            }
        }
        let later = Twin {
            id: order.id().into_owned(),
            source_id: order.source_id().into_owned(),
            date_added: order.date_added().into_owned(),
            folder_id: order.folder_id().into_owned(),
        };
        for (before, reasons) in pairs {
            self.pairs.push(Pair {
                earlier: self.orders[before].0.clone(),
                later: later.clone(),
                reasons,
            });
        }
        self.orders.push((later, placed));
    }

    /// Fingerprints of what two orders may share. What is empty is shared by nobody.
    fn marks(&self, order: &Order) -> Vec<(Reason, u64)> {
        let mut marks = Vec::new();
        let (number, channel) = (plain(&order.source_id()), plain(&order.source_name()));
        if !number.is_empty() && number != plain(&order.id()) {
            marks.push((Reason::SourceId, self.hash.hash_one((number, channel))));
        }
        let items = items(order);
        if items.is_empty() {
            return marks;
        }
        let email = plain(&order.email());
        if !email.is_empty() {
            marks.push((Reason::Email, self.hash.hash_one((&items, email))));
        }
        if let Some(place) = place(order.shipping()) {
            marks.push((Reason::ShipTo, self.hash.hash_one((&items, place))));
        }
        marks
    }

    /// The pairs, the latest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<Pair> {
        self.pairs.reverse();
        self.pairs
    }
}

/// What was bought, whatever the order of the lines.
fn items(order: &Order) -> Vec<(String, String)> {
    let mut items: Vec<(String, String)> = order
        .items()
        .into_iter()
        .map(|item| (plain(&sku(item)), quantity(item).to_string()))
        .collect();
    items.sort_unstable();
    items
}

/// Who and where; `None` without a street, which is what tells addresses apart.
fn place(address: Fields<'_>) -> Option<Vec<String>> {
    const PARTS: [&str; 6] = [
        "first_name",
        "last_name",
        "company",
        "address1",
        "address2",
        "postal_code",
    ];
    let parts: Vec<String> = PARTS
        .iter()
        .map(|part| plain(&address.text(part)))
        .collect();
    (!parts[3].is_empty()).then_some(parts)
}

/// Without case, blanks and punctuation: `12 Mill Lane` and `12, mill lane.` are one street.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '@' | '+' | '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}
