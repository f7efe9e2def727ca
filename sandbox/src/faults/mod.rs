//! Answers that go wrong, on purpose: what can go wrong ([`Fault`]), when ([`Rule`]), and how often it did ([`Ticket`]).
//!
//! Rules come from code, from a file (`file`), from the control endpoint, or with one request in the header
//! `X-Sandbox-Fault`. The first rule that matches and is not used up strikes; `edge` carries it out.

mod file;
mod kinds;
mod rule;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};

pub use file::FaultFileError;
pub use kinds::{Fault, RetryHeader};
pub use rule::Rule;

pub(crate) use rule::Target;

/// The rules in force. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    entries: Arc<Mutex<Vec<Entry>>>,
    file: Option<Arc<Mutex<file::Watched>>>,
}

#[derive(Debug)]
struct Entry {
    rule: Rule,
    from_file: bool,
    seen: u32,
    fired: Arc<AtomicU32>,
}

/// A receipt for a rule: tells how often it struck, also after the rule was cleared.
#[derive(Clone, Debug)]
pub struct Ticket {
    fired: Arc<AtomicU32>,
}

impl Ticket {
    /// How many requests this rule has struck.
    pub fn fired(&self) -> u32 {
        self.fired.load(Ordering::SeqCst)
    }
}

impl Faults {
    /// With the rules of `path`, read again whenever the file changes.
    pub(crate) fn from_file(path: PathBuf) -> Result<Self, FaultFileError> {
        let (watched, rules) = file::Watched::open(path)?;
        let faults = Self {
            file: Some(Arc::new(Mutex::new(watched))),
            ..Self::default()
        };
        faults.replace_file_rules(rules);
        Ok(faults)
    }

    /// Strikes the very next request, whatever it is.
    pub fn next(&self, fault: Fault) -> Ticket {
        self.add(Rule::new(fault))
    }

    /// Puts `rule` in force, behind those already there.
    pub fn add(&self, rule: Rule) -> Ticket {
        let entry = Entry::new(rule, false);
        let ticket = Ticket {
            fired: Arc::clone(&entry.fired),
        };
        self.entries.lock().push(entry);
        ticket
    }

    /// Lifts every rule, those from the file too (they come back when the file changes).
    pub fn clear(&self) {
        self.entries.lock().clear();
    }

    /// How many requests were struck by the rules in force.
    pub fn fired(&self) -> u32 {
        self.entries
            .lock()
            .iter()
            .map(|entry| entry.fired.load(Ordering::SeqCst))
            .sum()
    }

    /// The fault that strikes `target`, if any; uses it up once.
    pub(crate) fn strike(&self, target: &Target<'_>) -> Option<Fault> {
        self.look_at_file();
        self.entries
            .lock()
            .iter_mut()
            .find_map(|entry| entry.strike(target))
    }

    /// Every rule and how often it fired, for the control endpoint.
    pub(crate) fn report(&self) -> Value {
        let entries = self.entries.lock();
        let rows = entries.iter().map(|entry| {
            json!({"rule": entry.rule, "seen": entry.seen, "fired": entry.fired.load(Ordering::SeqCst), "from_file": entry.from_file})
        });
        Value::Array(rows.collect())
    }

    /// A file that became unreadable keeps its last good rules: a test half-way through a save must not lose them.
    fn look_at_file(&self) {
        let Some(file) = &self.file else { return };
        match file.lock().changed() {
            Ok(Some(rules)) => self.replace_file_rules(rules),
            Ok(None) => {}
            Err(error) => eprintln!("orderdesk-sandbox: keeps the fault rules it has: {error}"),
        }
    }

    fn replace_file_rules(&self, rules: Vec<Rule>) {
        let mut entries = self.entries.lock();
        entries.retain(|entry| !entry.from_file);
        entries.extend(rules.into_iter().map(|rule| Entry::new(rule, true)));
    }
}

impl Entry {
    fn new(rule: Rule, from_file: bool) -> Self {
        Self {
            rule,
            from_file,
            seen: 0,
            fired: Arc::default(),
        }
    }

    fn strike(&mut self, target: &Target<'_>) -> Option<Fault> {
        if self.is_used_up() || !self.rule.matches(target) {
            return None;
        }
        self.seen += 1;
        if self.seen <= self.rule.skip {
            return None;
        }
        self.fired.fetch_add(1, Ordering::SeqCst);
        Some(self.rule.fault.clone())
    }

    fn is_used_up(&self) -> bool {
        self.rule.times != 0 && self.fired.load(Ordering::SeqCst) >= self.rule.times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET_ORDER: Target<'_> = Target {
        method: "GET",
        path: "/orders/7001001",
        store_id: "4242",
    };
    const GET_STORE: Target<'_> = Target {
        method: "GET",
        path: "/store",
        store_id: "4242",
    };

    #[test]
    fn a_rule_strikes_as_often_as_it_says_and_tells() {
        let faults = Faults::default();
        let ticket = faults.add(Rule::new(Fault::CutBefore).on("GET", "/orders/*").times(2));
        assert!(faults.strike(&GET_STORE).is_none());
        assert_eq!(faults.strike(&GET_ORDER), Some(Fault::CutBefore));
        assert_eq!(faults.strike(&GET_ORDER), Some(Fault::CutBefore));
        assert_eq!(faults.strike(&GET_ORDER), None);
        assert_eq!(ticket.fired(), 2);
        faults.clear();
        assert_eq!((ticket.fired(), faults.fired()), (2, 0));
    }

    #[test]
    fn skipped_requests_pass_before_the_fault_strikes() {
        let faults = Faults::default();
        faults.add(Rule::new(Fault::CutBefore).after(1).always());
        assert!(faults.strike(&GET_ORDER).is_none());
        for _ in 0..5 {
            assert!(faults.strike(&GET_ORDER).is_some());
        }
    }

    #[test]
    fn rules_queue_in_the_order_they_were_added() {
        let faults = Faults::default();
        faults.next(Fault::server_error(500));
        faults.next(Fault::server_error(502));
        assert_eq!(faults.strike(&GET_ORDER), Some(Fault::server_error(500)));
        assert_eq!(faults.strike(&GET_ORDER), Some(Fault::server_error(502)));
    }
}
