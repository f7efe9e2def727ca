//! Somebody else with the same key: reads an order, changes one field, puts the whole order back, over and over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::shop::Shop;

/// How it introduces itself to the shop.
pub(super) const AGENT: &str = "foreign-writer";
/// The field that it edits, and none of ours does.
pub(super) const FIELD: &str = "shipping_method";

/// From one edit to the next. Twenty requests a second are what Order Desk allows for one second and three are what it allows
/// for longer, so this is faster than any real one can be for long.
const EDITS_EVERY: Duration = Duration::from_millis(100);

/// Its edits of one order: what it wrote, one after the other, and what it found there before each.
#[derive(Debug, Default)]
pub(super) struct Edits {
    written: Vec<String>,
    found: Vec<Value>,
}

/// Edits until `over`, and at least once.
pub(super) fn edit(shop: &Shop, order: &str, over: &AtomicBool) -> anyhow::Result<Edits> {
    let path = format!("/orders/{order}");
    let mut edits = Edits::default();
    loop {
        let began = Instant::now();
        let mut order = shop.call("GET", &path, AGENT, None)?["order"].take();
        edits.found.push(order[FIELD].take());
        let value = format!("foreign {}", edits.written.len() + 1);
        order[FIELD] = json!(value);
        shop.call("PUT", &path, AGENT, Some(&order))?;
        edits.written.push(value);
        if over.load(Ordering::Relaxed) {
            return Ok(edits);
        }
        crate::stage::pause(EDITS_EVERY.saturating_sub(began.elapsed()));
    }
}

impl Edits {
    pub(super) fn made(&self) -> u64 {
        self.written.len() as u64
    }

    /// The edits that were gone when it looked again, or in the end.
    pub(super) fn lost(&self, after: &Value) -> Vec<String> {
        let found_next = self.found.iter().skip(1).chain([&after[FIELD]]);
        let lost = self
            .written
            .iter()
            .zip(found_next)
            .filter(|(written, found)| **found != ***written);
        lost.map(|(written, _)| written.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_lost_when_the_next_look_shows_something_else() {
        let edits = Edits {
            written: vec!["1".to_owned(), "2".to_owned(), "3".to_owned()],
            found: vec![json!("UPS"), json!("1"), json!("1")],
        };
        assert_eq!(edits.lost(&json!({FIELD: "3"})), ["2"]);
        assert_eq!(edits.lost(&json!({FIELD: "2"})), ["2", "3"]);
    }
}
