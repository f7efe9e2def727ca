//! The latest facts and findings, for everyone who asks.
//!
//! One loop gathers, everybody reads: no probe, scrape or page can make the checks run more often than they do. A board that is not
//! renewed says so itself, because old findings that look fresh are worse than none.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::RwLock;
use shared::clock::Clock;

use super::gather::Facts;
use super::{Draft, Finding, Status};

/// How old a report may be before that is a finding of its own: many times the pace at which it is renewed.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// Facts and findings of one moment.
#[derive(Clone, Debug)]
pub struct Report {
    /// When the facts were gathered; `None` before the first time.
    pub taken_at: Option<Timestamp>,
    /// What was learnt.
    pub facts: Facts,
    /// What it amounts to, by id.
    pub findings: Vec<Finding>,
}

impl Report {
    /// All findings in one word.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::of(&self.findings)
    }

    /// One line for `systemctl status`: the worst finding, or that there is none.
    #[must_use]
    pub fn headline(&self) -> String {
        match self.findings.iter().max_by_key(|finding| finding.level) {
            None => "ok".to_owned(),
            Some(worst) => format!("{}: {}", worst.id, worst.summary),
        }
    }

    /// The findings that keep this machine from being ready.
    pub fn blockers(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.blocks_ready)
    }
}

/// Keeps the latest report.
pub struct Board {
    clock: Arc<dyn Clock>,
    latest: RwLock<(Instant, Arc<Report>)>,
}

impl Board {
    /// A board that says that nothing has been checked yet, which keeps this machine from being ready.
    pub fn new(clock: Arc<dyn Clock>) -> Board {
        let pending = Draft::warn(
            "checks.pending",
            "nothing has been checked yet",
            "ask again in a moment",
        )
        .blocking();
        let report = Report {
            taken_at: None,
            facts: Facts::default(),
            findings: vec![pending.since(clock.now())],
        };
        Board {
            latest: RwLock::new((clock.instant(), Arc::new(report))),
            clock,
        }
    }

    /// Puts up what was just learnt. A finding that stood there before keeps the time it was first seen.
    pub fn post(&self, facts: Facts, drafts: Vec<Draft>) {
        let now = self.clock.now();
        let before = Arc::clone(&self.latest.read().1);
        let since = |id| {
            before
                .findings
                .iter()
                .find(|old| old.id == id)
                .map_or(now, |old| old.since)
        };
        let mut findings: Vec<Finding> = drafts
            .into_iter()
            .map(|draft| {
                let since = since(draft.id);
                draft.since(since)
            })
            .collect();
        findings.sort_by_key(|finding| finding.id);
        let report = Report {
            taken_at: Some(now),
            facts,
            findings,
        };
        *self.latest.write() = (self.clock.instant(), Arc::new(report));
    }

    /// The latest report; one that was not renewed for long carries that as a finding.
    pub fn report(&self) -> Arc<Report> {
        let (posted, report) = self.latest.read().clone();
        let age = self.clock.instant().saturating_duration_since(posted);
        if age <= STALE_AFTER {
            return report;
        }
        let summary = format!("the checks have not run for {} s", age.as_secs());
        let stale = Draft::fail(
            "checks.stale",
            summary,
            "look for a disk that hangs; a supervisor restarts this program",
        );
        let mut aged = Report::clone(&report);
        aged.findings.insert(
            0,
            stale
                .blocking()
                .since(report.taken_at.unwrap_or_else(|| self.clock.now())),
        );
        Arc::new(aged)
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("latest", &self.latest.read().1)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shared::clock::ManualClock;

    use super::*;

    fn board() -> (Arc<ManualClock>, Board) {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        (Arc::clone(&clock), Board::new(clock))
    }

    fn warn(id: &'static str) -> Draft {
        Draft::warn(id, "something", "do something")
    }

    #[test]
    fn before_the_first_look_this_machine_is_not_ready() {
        let (_, board) = board();
        assert_eq!(
            board
                .report()
                .blockers()
                .map(|finding| finding.id)
                .collect::<Vec<_>>(),
            ["checks.pending"]
        );
    }

    #[test]
    fn a_finding_remembers_when_it_was_first_seen_and_forgets_when_it_goes() {
        let (clock, board) = board();
        board.post(Facts::default(), vec![warn("a")]);
        clock.advance(Duration::from_secs(10));
        board.post(Facts::default(), vec![warn("b"), warn("a")]);
        let seen: Vec<_> = board
            .report()
            .findings
            .iter()
            .map(|finding| (finding.id, finding.since.as_second()))
            .collect();
        assert_eq!(seen, [("a", 0), ("b", 10)]);
        board.post(Facts::default(), vec![]);
        assert_eq!(board.report().status(), Status::Ok);
        clock.advance(Duration::from_secs(10));
        board.post(Facts::default(), vec![warn("a")]);
        assert_eq!(board.report().findings[0].since.as_second(), 20);
    }

    #[test]
    fn a_board_that_is_not_renewed_fails_by_itself() {
        let (clock, board) = board();
        board.post(Facts::default(), vec![]);
        clock.advance(STALE_AFTER);
        assert_eq!(board.report().status(), Status::Ok);
        clock.advance(Duration::from_secs(1));
        let report = board.report();
        assert_eq!(
            (report.findings[0].id, report.status()),
            ("checks.stale", Status::Fail)
        );
        assert_eq!(report.blockers().count(), 1);
        board.post(Facts::default(), vec![]);
        assert_eq!(board.report().status(), Status::Ok);
    }
}
