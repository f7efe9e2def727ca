//! From a snapshot to the next point: of the line that runs, or of a new one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use shared::state::{LedgerMark, Snapshot};

use super::Engine;
use crate::backup::pitr::cut::{self, Plan, Scan};
use crate::backup::pitr::hashes::{Key, Table};
use crate::backup::pitr::level::Level;
use crate::backup::pitr::name::Line;
use crate::backup::pitr::series::{Boundary, Point, Running};
use crate::backup::pitr::spool::{Cut, Spool};

/// Increments that are written and not yet in the spool, and where the series stand once they are.
pub(super) struct Cutting {
    pub(super) running: Running,
    pub(super) cuts: Vec<Cut>,
    pub(super) point: Point,
    pub(super) seen: Scan,
    pub(super) scan: Duration,
    pub(super) is_new_line: bool,
    pub(super) needs_saving: bool,
}

impl Engine {
    /// The next point of the line.
    pub(super) fn go_on(
        &self,
        snapshot: &Snapshot<'_>,
        spool: &Spool,
        running: &Running,
        ledger: LedgerMark,
        (due, orders): (Option<Level>, &[(usize, Level)]),
        now_ms: i64,
    ) -> anyhow::Result<Cutting> {
        let since = Instant::now();
        let seen = Scan::of(snapshot, &running.key, self.seen.as_ref())
            .context("cannot read the state file")?;
        let scan = since.elapsed();
        let table = &seen.table;
        let point = running.point(now_ms, table.root(&running.key));
        let plan = cut::plan(running, &point, due, orders, &self.is_remote);
        let cuts = self.write(snapshot, spool, running, &point, table, &plan)?;
        let is_full_base = due == Some(Level::Day)
            && plan
                .increments
                .iter()
                .any(|(level, _)| *level == Level::Day);
        let needs_saving = plan.levels.iter().any(|level| level.rank() > 0);
        let mut next = running.clone();
        if !cuts.is_empty() {
            next.floor_ms = next.floor_ms.max(point.at_ms);
            next.last = point;
        }
        let boundary = self.boundary(&point, Some(Arc::clone(table)), ledger, now_ms);
        for (level, series) in &mut next.series {
            if plan.levels.contains(level) {
                *series = boundary.clone();
            } else if *level == Level::Day && is_full_base {
                *series = Boundary {
                    table: None,
                    ..boundary.clone()
                };
            } else if series.at_ms == point.at_ms {
                // Nothing differs, whatever was counted in between.
                series.ledger = Some(ledger);
            }
        }
        Ok(Cutting {
            running: next,
            cuts,
            point,
            seen,
            scan,
            is_new_line: false,
            needs_saving,
        })
    }

    /// A base, and all series standing at it.
    pub(super) fn begin_line(
        &self,
        snapshot: &Snapshot<'_>,
        spool: &Spool,
        (restore_epoch, file): (u64, String),
        ledger: LedgerMark,
        now_ms: i64,
    ) -> anyhow::Result<Cutting> {
        let key = Key::random().context("the system has no randomness to give")?;
        let since = Instant::now();
        let seen = Scan::of(snapshot, &key, None).context("cannot read the state file")?;
        let scan = since.elapsed();
        let table = &seen.table;
        let point = Point {
            at_ms: now_ms,
            root: table.root(&key),
        };
        let previous = self.running.as_ref().map(|running| running.line.clone());
        let previous = previous.max(spool.last().map(|(line, _)| line));
        let mut running = Running {
            line: Line::start(now_ms, previous.as_ref()),
            key,
            restore_epoch,
            page_size: table.page_size(),
            file,
            last: point,
            floor_ms: now_ms,
            series: BTreeMap::new(),
        };
        let plan = Plan {
            levels: Vec::new(),
            increments: vec![(Level::Day, cut::slots(Level::Day, &self.is_remote))],
        };
        let cuts = self.write(snapshot, spool, &running, &point, table, &plan)?;
        let boundary = self.boundary(&point, Some(Arc::clone(table)), ledger, now_ms);
        running.series = self
            .levels
            .iter()
            .map(|level| (*level, boundary.clone()))
            .collect();
        Ok(Cutting {
            running,
            cuts,
            point,
            seen,
            scan,
            is_new_line: true,
            needs_saving: true,
        })
    }

    fn boundary(
        &self,
        point: &Point,
        table: Option<Arc<Table>>,
        ledger: LedgerMark,
        now_ms: i64,
    ) -> Boundary {
        Boundary {
            at_ms: point.at_ms,
            table,
            cut_ms: now_ms,
            cut_at: self.room.clock.instant(),
            ledger: Some(ledger),
        }
    }

    fn write(
        &self,
        snapshot: &Snapshot<'_>,
        spool: &Spool,
        running: &Running,
        point: &Point,
        table: &Table,
        plan: &Plan,
    ) -> anyhow::Result<Vec<Cut>> {
        let recipients = &self.room.settings.recipients;
        let mut cuts = Vec::new();
        for (level, slots) in &plan.increments {
            let header = cut::header(running, *level, point, table, !recipients.is_empty());
            let before = match level {
                Level::Day => None,
                _ => running.series[level].table.as_deref(),
            };
            cuts.push(cut::write(
                snapshot,
                spool,
                recipients,
                &header,
                (table, before),
                slots.clone(),
            )?);
        }
        Ok(cuts)
    }
}
