//! What clients saw, to be held against what the sidecar counted.
//!
//! For each counter that a client's answer implies there are two bounds. Everything answered more than the flush window
//! before its server was killed must have been counted; nothing may have been counted that was neither answered nor on its
//! way when the server was killed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::scrape::Exposition;

/// Promise: what was answered is in the state file within this time. A server killed sooner may take it along.
pub(crate) const FLUSH_WINDOW: Duration = Duration::from_millis(250);

/// A call as the counters tell calls apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) tool: &'static str,
    pub(crate) status: &'static str,
}

/// What the client of one server saw until that server was gone.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// Whether `initialize` was answered, and when.
    pub(crate) initialized: Option<Instant>,
    /// Every answered call.
    pub(crate) answered: Vec<(Instant, Call)>,
    /// The call that was sent and never answered.
    pub(crate) unanswered: Option<Call>,
    /// When the server was killed; none for one that ended by itself.
    pub(crate) killed: Option<Instant>,
}

/// How often something happened, by how surely it must have been counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Answered.
    pub(crate) answered: u64,
    /// Of these: within the flush window of a kill.
    pub(crate) in_window: u64,
    /// Sent to a server that was killed before it answered.
    pub(crate) under_way: u64,
}

impl Bounds {
    fn add(&mut self, at: Instant, killed: Option<Instant>) {
        self.answered += 1;
        self.in_window += u64::from(killed.is_some_and(|killed| at + FLUSH_WINDOW >= killed));
    }

    fn plus(self, other: Self) -> Self {
        Self {
            answered: self.answered + other.answered,
            in_window: self.in_window + other.in_window,
            under_way: self.under_way + other.under_way,
        }
    }

    /// Why `counted` cannot be right, if it cannot.
    fn mistake(self, what: &str, counted: u64) -> Option<String> {
        let least = self.answered - self.in_window;
        let most = self.answered + self.under_way;
        if counted < least {
            Some(format!(
                "{what}: {counted} counted, at least {least} answered outside the window: forgotten"
            ))
        } else if counted > most {
            Some(format!(
                "{what}: {counted} counted, at most {most} called: counted twice"
            ))
        } else {
            None
        }
    }
}

/// All lives so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    calls: BTreeMap<Call, Bounds>,
    initialized: Bounds,
    /// Servers that were killed.
    pub(crate) killed: u64,
}

impl Ledger {
    /// Enters what one client saw.
    pub(crate) fn enter(&mut self, life: &Life) {
        self.killed += u64::from(life.killed.is_some());
        if let Some(at) = life.initialized {
            self.initialized.add(at, life.killed);
        } else {
            self.initialized.under_way += 1;
        }
        for (at, call) in &life.answered {
            self.calls.entry(*call).or_default().add(*at, life.killed);
        }
        if let Some(call) = life.unanswered {
            self.calls.entry(call).or_default().under_way += 1;
        }
    }

    /// The sum over all calls.
    pub(crate) fn total(&self) -> Bounds {
        self.calls
            .values()
            .copied()
            .fold(Bounds::default(), Bounds::plus)
    }

    /// Everything that cannot be right about what was counted. Three counters of one event are held against it: the calls,
    /// their durations, and the protocol's operations.
    pub(crate) fn mistakes(&self, counted: &Exposition) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut by_tool: BTreeMap<&str, Bounds> = BTreeMap::new();
        for (call, bounds) in &self.calls {
            let labels = [
                format!("tool_name=\"{}\"", call.tool),
                format!("status=\"{}\"", call.status),
            ];
            let labels = labels.each_ref().map(String::as_str);
            let sum = counted.sum("mcp_tool_calls_total", &labels);
            mistakes.extend(bounds.mistake(
                &format!("mcp_tool_calls_total{{{}}}", labels.join(",")),
                sum,
            ));
            let tool = by_tool.entry(call.tool).or_default();
            *tool = tool.plus(*bounds);
        }
        for (tool, bounds) in by_tool {
            let sum = counted.sum(
                "mcp_tool_duration_seconds_count",
                &[&format!("tool_name=\"{tool}\"")],
            );
            mistakes
                .extend(bounds.mistake(&format!("mcp_tool_duration_seconds_count of {tool}"), sum));
        }
        for (method, bounds) in [
            ("tools/call", self.total()),
            ("initialize", self.initialized),
        ] {
            let label = format!("mcp_method_name=\"{method}\"");
            let sum = counted.sum("mcp_server_operation_duration_seconds_count", &[&label]);
            mistakes.extend(bounds.mistake(
                &format!("mcp_server_operation_duration_seconds_count of {method}"),
                sum,
            ));
        }
        mistakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call = Call {
        tool: "orders_get",
        status: "success",
    };

    fn counted(calls: u64) -> Exposition {
        Exposition::parse(&format!(
            "# TYPE mcp_tool_calls_total counter\nmcp_tool_calls_total{{tool_name=\"orders_get\",status=\"success\"}} {calls}\n\
             # TYPE mcp_tool_duration_seconds histogram\nmcp_tool_duration_seconds_count{{tool_name=\"orders_get\"}} {calls}\n\
             mcp_server_operation_duration_seconds_count{{mcp_method_name=\"tools/call\"}} {calls}\n\
             mcp_server_operation_duration_seconds_count{{mcp_method_name=\"initialize\"}} 1\n"
        ))
        .unwrap()
    }

    /// Ten calls 100 ms apart, then a kill at the moment of the last, with an eleventh under way.
    fn killed_life() -> Ledger {
        let start = Instant::now();
        let at = |n: u64| start + Duration::from_millis(100 * n);
        let life = Life {
            initialized: Some(start),
            answered: (1..=10).map(|n| (at(n), CALL)).collect(),
            unanswered: Some(CALL),
            killed: Some(at(10)),
        };
        let mut ledger = Ledger::default();
        ledger.enter(&life);
        ledger
    }

    #[test]
    fn a_kill_may_take_its_window_along_and_no_more() {
        let ledger = killed_life();
        assert_eq!(
            ledger.total(),
            Bounds {
                answered: 10,
                in_window: 3,
                under_way: 1
            }
        );
        assert!(ledger.mistakes(&counted(7)).is_empty());
        let mistakes = ledger.mistakes(&counted(6));
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(mistakes[0].contains("forgotten"), "{mistakes:?}");
    }

    #[test]
    fn a_call_under_way_may_be_counted_but_only_once() {
        let ledger = killed_life();
        assert!(ledger.mistakes(&counted(11)).is_empty());
        assert!(
            ledger
                .mistakes(&counted(12))
                .iter()
                .all(|mistake| mistake.contains("counted twice"))
        );
    }
}
