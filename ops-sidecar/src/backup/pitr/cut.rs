//! From one snapshot to increments: what is read, what is written, and which series it is for.
//!
//! Everything here happens while one snapshot is pinned: a first pass has hashed all pages (`scan`), a second reads those that changed. Nothing is flushed
//! to the disk meanwhile, so the pin is held for the reading and the compressing alone: milliseconds, or a second or two for the base of a
//! few hundred megabytes.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use anyhow::Context;
use shared::state::Snapshot;

use super::hashes::Table;
use super::increment::{Encoder, Header};
use super::level::Level;
use super::name::Name;
use super::series::{Point, Running};
use super::spool::{Cut, Spool};
use crate::backup::seal::{self, Recipients};

mod scan;

pub(super) use scan::Scan;

/// Small increments are written in one piece.
const BUFFER: usize = 64 * 1024;

/// What is to be cut at a point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The series that stand at the point afterwards, the base's left out.
    pub levels: Vec<Level>,
    /// The increments to write, coarse before fine, each with the places of its targets.
    pub increments: Vec<(Level, Vec<usize>)>,
}

/// What is cut at a point: the coarsest series that is due or was ordered, and all finer ones that are behind, so that these go on from
/// there, too. A fine step that would be the same as a coarse one is left out; its series stands at the point all the same. An ordered base
/// goes only to those that asked for it: the others follow by steps.
#[must_use]
pub(super) fn plan(
    running: &Running,
    point: &Point,
    due: Option<Level>,
    orders: &[(usize, Level)],
    is_remote: &[bool],
) -> Plan {
    let mut plan = Plan::default();
    let ordered = orders.iter().map(|(_, level)| *level).max();
    let Some(coarsest) = due.max(ordered) else {
        return plan;
    };
    let is_behind = |level: Level| {
        let boundary = running.series.get(&level);
        boundary.is_some_and(|boundary| boundary.at_ms != point.at_ms)
    };
    let base: Vec<usize> = if due == Some(Level::Day) && is_behind(Level::Day) {
        slots(Level::Day, is_remote)
    } else {
        let asked = orders.iter().filter(|(_, level)| *level == Level::Day);
        asked.map(|(slot, _)| *slot).collect()
    };
    if !base.is_empty() {
        plan.increments.push((Level::Day, base));
    }
    // Where the steps that go to all targets start from.
    let mut starts: Vec<i64> = Vec::new();
    for level in Level::ALL.into_iter().rev() {
        if level == Level::Day || level > coarsest || !is_behind(level) {
            continue;
        }
        plan.levels.push(level);
        let from_ms = running.series[&level].at_ms;
        if starts.contains(&from_ms) {
            continue;
        }
        if level.rank() > 0 {
            starts.push(from_ms);
        }
        plan.increments.push((level, slots(level, is_remote)));
    }
    plan
}

/// The targets of a series.
#[must_use]
pub(super) fn slots(level: Level, is_remote: &[bool]) -> Vec<usize> {
    let places = is_remote.iter().enumerate();
    places
        .filter(|(_, is_remote)| level.is_for(**is_remote))
        .map(|(place, _)| place)
        .collect()
}

/// Writes one increment; without a table `before`, a base.
///
/// # Errors
/// The file cannot be read, or the spool cannot be written.
pub(super) fn write(
    snapshot: &Snapshot<'_>,
    spool: &Spool,
    recipients: &Recipients,
    header: &Header,
    (table, before): (&Table, Option<&Table>),
    slots: Vec<usize>,
) -> anyhow::Result<Cut> {
    let writing = "cannot write an increment into the spool";
    let mut file = spool.new_file().context(writing)?;
    let out = BufWriter::with_capacity(BUFFER, file.as_file_mut());
    let sealed = seal::writer(out, recipients).context(writing)?;
    let mut encoder = Encoder::begin(sealed, header).context(writing)?;
    let mut page = Vec::new();
    for number in table.changed(before) {
        snapshot
            .page(number, &mut page)
            .context("cannot read a page of the state file")?;
        encoder.page(number, &page).context(writing)?;
    }
    let mut out = encoder
        .finish()
        .and_then(seal::SealWriter::finish)
        .context(writing)?;
    out.flush().context(writing)?;
    drop(out);
    Ok(Cut {
        file,
        name: header.name,
        slots,
    })
}

/// The header of the increment that leads a series to a point.
#[must_use]
pub(super) fn header(
    running: &Running,
    level: Level,
    point: &Point,
    table: &Table,
    is_sealed: bool,
) -> Header {
    let boundary = (level != Level::Day).then(|| &running.series[&level]);
    Header {
        line: running.line.clone(),
        name: Name {
            to_ms: point.at_ms,
            from_ms: boundary.map(|boundary| boundary.at_ms),
            level,
            is_sealed,
        },
        key: running.key,
        from_root: boundary
            .and_then(|boundary| boundary.table.as_ref())
            .map(|before: &Arc<Table>| before.root(&running.key)),
        to_root: point.root,
        page_size: table.page_size(),
        pages: table.pages(),
        restore_epoch: running.restore_epoch,
    }
}

#[cfg(test)]
mod tests;
