//! What a scrape shows: the values of all processes merged, from one snapshot of the state file.
//!
//! Counters and histograms are the sum of the retired totals and of every session's rows, living or not: a dead session
//! that nobody has folded yet still counts, so nothing falls when a process dies or is folded. Gauges are merged over
//! living sessions by the mode of the metric. The order of the output depends on its content only.
//!
//! Histograms of other bounds than the catalogue's (written by another version) are never merged with it. They are shown
//! as series of the same family with the label `bounds`, which lists their bounds: their `_count` and `_sum` stay in
//! every sum over the family, and no bucket mixes two meanings. A metric that this version does not know is left to the
//! newer version that does.

mod merge;

use merge::Merged;

pub use super::labels::Labels;
use super::names::{self, Metric};
use crate::session::{Kind, SessionId};
use crate::state::tables::{metrics as rows, sessions};
use crate::state::{Reading, StateError};

/// All series of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Name, kind and help.
    pub metric: &'static Metric,
    /// Its series, sorted by their labels.
    pub samples: Vec<Sample>,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: Value,
}

/// The value of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Total since the state file was made.
    Counter(f64),
    /// Level now.
    Gauge(f64),
    /// Observations since the state file was made.
    Histogram {
        /// Upper bounds, ascending, without `+Inf`.
        bounds: Vec<f64>,
        /// Observations per bucket, not cumulative; one more than bounds. Their sum is the count.
        counts: Vec<u64>,
        /// Sum of the observations.
        sum: f64,
    },
}

/// Everything the processes of this state file have recorded, sorted by name. `alive` tells which session has a
/// process; see [`crate::session::is_alive`].
///
/// # Errors
/// Why the file could not be read.
pub fn scrape(
    reading: &Reading<'_>,
    alive: &dyn Fn(&SessionId) -> bool,
) -> Result<Vec<Family>, StateError> {
    let mut merged = Merged::default();
    rows::each_retired(reading, |row| merged.add(row, false))?;
    let mut processes = [0_u32; 2];
    for session in sessions::all(reading)? {
        let is_alive = alive(&session.id);
        if is_alive {
            processes[session.kind as usize] += 1;
        }
        rows::each_live(reading, session.id.as_str(), |row| {
            merged.add(row, is_alive);
        })?;
    }
    let mut families = merged.into_families();
    families.push(process_family(processes));
    families.sort_by_key(|family| family.metric.name);
    Ok(families)
}

fn process_family(counts: [u32; 2]) -> Family {
    let sample = |kind: Kind| Sample {
        labels: Labels::of(&[("kind", kind.as_str())]),
        value: Value::Gauge(counts[kind as usize].into()),
    };
    Family {
        metric: &names::PROCESSES,
        samples: vec![sample(Kind::McpStdio), sample(Kind::OpsSidecar)],
    }
}

#[cfg(test)]
mod tests;
