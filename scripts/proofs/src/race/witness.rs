//! The shop's request log about one order: who wrote when, on the basis of what.
//!
//! The log tells when a request arrived and when its answer left; the work was done somewhere between. Whatever is judged here
//! is judged by these bounds.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::foreign::{AGENT, FIELD};
use super::wish::Wish;
use crate::shop::Logged;

/// Every request about one order, ours and the foreign writer's, as they arrived.
#[derive(Debug)]
pub(super) struct Trace(Vec<Event>);

#[derive(Debug)]
struct Event {
    foreign: bool,
    method: String,
    path: String,
    body: Value,
    at_us: i64,
    answered_us: i64,
}

impl Trace {
    pub(super) fn of(order: &str, log: Vec<Logged>) -> Self {
        let whole = format!("/orders/{order}");
        let below = format!("{whole}/");
        let about = |entry: &Logged| entry.path == whole || entry.path.starts_with(&below);
        let events = log.into_iter().filter(about).filter_map(Event::of);
        Self(events.collect())
    }

    /// For each of our updates the time between the answer to its `GET` and the arrival of its `PUT`. An error if two requests
    /// of ours were under way at once, or if a `PUT` does not follow its `GET` at once.
    pub(super) fn windows_of_updates(&self) -> anyhow::Result<Vec<Duration>> {
        let ours: Vec<&Event> = self.0.iter().filter(|event| !event.foreign).collect();
        let mut windows = Vec::new();
        for pair in ours.windows(2) {
            let (before, event) = (pair[0], pair[1]);
            ensure!(
                before.answered_us <= event.at_us,
                "{} {} came while {} {} was under way: two of ours at once",
                event.method,
                event.path,
                before.method,
                before.path
            );
            if event.method == "PUT" {
                ensure!(
                    before.method == "GET" && before.path == event.path,
                    "PUT {} follows {} {}, not its own GET",
                    event.path,
                    before.method,
                    before.path
                );
                let window = event.at_us.abs_diff(before.answered_us);
                windows.push(Duration::from_micros(window));
            }
        }
        Ok(windows)
    }

    /// Whether it was the foreign writer who put the order back without what we had written. An error if we never wrote it.
    pub(super) fn foreigner_took_away(&self, wish: &Wish) -> anyhow::Result<bool> {
        let written = self
            .0
            .iter()
            .find(|event| {
                !event.foreign && wish.is_written_by(&event.method, &event.path, &event.body)
            })
            .with_context(|| format!("{wish} was confirmed and never sent"))?;
        // Everybody who put the order without it, and not surely before it was written.
        let without = self.0.iter().filter(|event| {
            event.method == "PUT"
                && event.answered_us >= written.at_us
                && wish.times_in(&event.body) == 0
        });
        let (foreign, ours): (Vec<&Event>, Vec<&Event>) = without.partition(|event| event.foreign);
        let first_foreign = foreign.iter().map(|event| event.at_us).min();
        // Ours, once something is gone, put what they find: they are to blame only if they came first.
        let first_of_ours = ours.iter().map(|event| event.answered_us).min();
        Ok(match (first_foreign, first_of_ours) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(foreign), Some(ours)) => foreign <= ours,
        })
    }

    /// An error unless the lost edit arrived between a `GET` of ours and its `PUT`.
    pub(super) fn fell_into_our_window(&self, lost: &str) -> anyhow::Result<()> {
        let edit = self
            .0
            .iter()
            .find(|event| event.foreign && event.method == "PUT" && event.body[FIELD] == lost)
            .with_context(|| format!("the edit `{lost}` is not in the shop's log"))?;
        let ours: Vec<&Event> = self.0.iter().filter(|event| !event.foreign).collect();
        let overwritten = ours.windows(2).any(|pair| {
            let (read, put) = (pair[0], pair[1]);
            put.method == "PUT"
                && put.body[FIELD] != lost
                && read.at_us <= edit.answered_us
                && put.answered_us >= edit.at_us
        });
        ensure!(
            overwritten,
            "the foreign edit `{lost}` was lost, and not between a GET of ours and its PUT"
        );
        Ok(())
    }
}

impl Event {
    /// None for a request of the proof itself, and for one that was never answered.
    fn of(entry: Logged) -> Option<Self> {
        let agent = entry.headers.iter().find(|(name, _)| name == "user-agent");
        let agent = agent.map_or("", |(_, value)| value.as_str());
        if agent == super::WITNESS {
            return None;
        }
        Some(Self {
            foreign: agent == AGENT,
            body: serde_json::from_str(&entry.body).unwrap_or_default(),
            method: entry.method,
            path: entry.path,
            at_us: entry.at_us,
            answered_us: entry.answered_us?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Each request takes two microseconds.
    fn event(foreign: bool, method: &str, at_us: i64, body: Value) -> Event {
        Event {
            foreign,
            method: method.to_owned(),
            path: "/orders/7".to_owned(),
            body,
            at_us,
            answered_us: at_us + 2,
        }
    }

    #[test]
    fn a_put_that_follows_its_get_has_a_window() {
        let trace = Trace(vec![
            event(false, "GET", 10, Value::Null),
            event(true, "PUT", 13, Value::Null),
            event(false, "PUT", 20, Value::Null),
        ]);
        assert_eq!(
            trace.windows_of_updates().unwrap(),
            [Duration::from_micros(8)]
        );
    }

    #[test]
    fn two_puts_in_a_row_and_two_requests_at_once_are_found() {
        let puts = Trace(vec![
            event(false, "GET", 10, Value::Null),
            event(false, "PUT", 20, Value::Null),
            event(false, "PUT", 30, Value::Null),
        ]);
        assert!(puts.windows_of_updates().is_err());
        let crossed = Trace(vec![
            event(false, "GET", 10, Value::Null),
            event(false, "PUT", 11, Value::Null),
        ]);
        assert!(crossed.windows_of_updates().is_err());
    }

    #[test]
    fn a_lost_edit_is_excused_by_a_window_and_by_nothing_else() {
        let edit = |at_us| event(true, "PUT", at_us, json!({FIELD: "foreign 1"}));
        let put = |at_us| event(false, "PUT", at_us, json!({FIELD: "UPS"}));
        let get = |at_us| event(false, "GET", at_us, Value::Null);
        let inside = Trace(vec![get(10), edit(14), put(20)]);
        assert!(inside.fell_into_our_window("foreign 1").is_ok());
        let before = Trace(vec![edit(1), get(10), put(20)]);
        assert!(before.fell_into_our_window("foreign 1").is_err());
    }
}
