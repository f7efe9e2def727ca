//! What of each series is already in the state file: the flusher's own memory, touched by no other thread.
//!
//! A row holds `value now - base`. The base is zero until this process finds that it was presumed dead and its rows were
//! folded: then what was committed so far belongs to the retired totals and becomes the base, and nothing is counted
//! twice or lost.

use std::sync::Arc;

use super::book::Book;
use super::names::{Kind, Mode};
use super::series::{CounterCell, GaugeCell, HistogramCell, Series};
use crate::state::tables::metrics::{self as rows, Row};

/// Counts per bucket and their sum.
#[derive(Debug, Clone, Default)]
struct Observed {
    counts: Vec<u64>,
    sum: f64,
}

/// One series, what was committed of it, and what another session's rows hold of that.
#[derive(Debug)]
struct Entry<Cell, Seen> {
    series: Arc<Series<Cell>>,
    committed: Option<Seen>,
    base: Seen,
}

/// A histogram's entry, with its bounds as text.
#[derive(Debug)]
struct HistogramEntry {
    entry: Entry<HistogramCell, Observed>,
    bounds: String,
}

/// All series of this process.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counters: Vec<Entry<CounterCell, u64>>,
    /// For gauges: how often they had been written.
    gauges: Vec<Entry<GaugeCell, u64>>,
    histograms: Vec<HistogramEntry>,
}

/// Values read from the cells that are not in the state file yet.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    counters: Vec<(usize, u64)>,
    gauges: Vec<(usize, u64, f64)>,
    histograms: Vec<(usize, Observed, Vec<u8>)>,
}

impl Changes {
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.counters.is_empty() && self.gauges.is_empty() && self.histograms.is_empty()
    }
}

impl Ledger {
    /// Reads every series, new ones included, and keeps what changed since the last [`Ledger::commit`].
    pub(crate) fn changes(&mut self, book: &Book) -> Changes {
        self.learn(book);
        let mut changes = Changes::default();
        for (index, entry) in self.counters.iter().enumerate() {
            let total = entry.series.cell.read();
            if entry.committed != Some(total) {
                changes.counters.push((index, total));
            }
        }
        for (index, entry) in self.gauges.iter().enumerate() {
            let (writes, level) = entry.series.cell.read();
            if entry.committed != Some(writes) {
                changes.gauges.push((index, writes, level));
            }
        }
        for (index, HistogramEntry { entry, .. }) in self.histograms.iter().enumerate() {
            let committed = entry
                .committed
                .as_ref()
                .map(|seen| seen.counts.iter().sum());
            if committed != Some(entry.series.cell.count()) {
                let (counts, sum) = entry.series.cell.read();
                let own = counts
                    .iter()
                    .zip(&entry.base.counts)
                    .map(|(now, base)| now - base)
                    .collect::<Vec<_>>();
                changes
                    .histograms
                    .push((index, Observed { counts, sum }, rows::encode(&own)));
            }
        }
        changes
    }

    /// Whether a change needs a place in the order of commits.
    pub(crate) fn needs_seq(&self, changes: &Changes) -> bool {
        let mode = |index: usize| self.gauges[index].series.metric.kind;
        changes
            .gauges
            .iter()
            .any(|(index, ..)| mode(*index) == Kind::Gauge(Mode::LiveMostRecent))
    }

    /// The rows to write for these changes.
    pub(crate) fn rows<'a>(
        &'a self,
        changes: &'a Changes,
        seq: i64,
    ) -> impl Iterator<Item = Row<'a>> {
        let counters = changes.counters.iter().map(|(index, total)| {
            let Entry { series, base, .. } = &self.counters[*index];
            row(series, rows::Kind::Counter, (total - base) as f64)
        });
        let gauges = changes.gauges.iter().map(move |(index, _, level)| {
            let series = &self.gauges[*index].series;
            Row {
                seq,
                ..row(series, rows::Kind::Gauge, *level)
            }
        });
        let histograms = changes.histograms.iter().map(|(index, observed, counts)| {
            let HistogramEntry { entry, bounds } = &self.histograms[*index];
            // Rounding must not make a sum of nothing negative.
            let sum = (observed.sum - entry.base.sum).max(0.0);
            Row {
                bounds,
                counts: Some(counts),
                ..row(&entry.series, rows::Kind::Histogram, sum)
            }
        });
        counters.chain(gauges).chain(histograms)
    }

    /// These changes are in the state file.
    pub(crate) fn commit(&mut self, changes: Changes) {
        for (index, total) in changes.counters {
            self.counters[index].committed = Some(total);
        }
        for (index, writes, _) in changes.gauges {
            self.gauges[index].committed = Some(writes);
        }
        for (index, observed, _) in changes.histograms {
            self.histograms[index].entry.committed = Some(observed);
        }
    }

    /// What is committed so far was folded into the retired totals: the rows of the next session start at nothing.
    pub(crate) fn rebase(&mut self) {
        for entry in &mut self.counters {
            entry.base = entry.committed.unwrap_or(entry.base);
        }
        for entry in &mut self.gauges {
            entry.committed = None;
        }
        for HistogramEntry { entry, .. } in &mut self.histograms {
            if let Some(committed) = &entry.committed {
                entry.base = committed.clone();
            }
        }
    }

    fn learn(&mut self, book: &Book) {
        let (counters, gauges, histograms) = book.after(
            self.counters.len(),
            self.gauges.len(),
            self.histograms.len(),
        );
        self.counters
            .extend(counters.into_iter().map(|series| Entry {
                series,
                committed: None,
                base: 0,
            }));
        self.gauges.extend(gauges.into_iter().map(|series| Entry {
            series,
            committed: None,
            base: 0,
        }));
        self.histograms.extend(histograms.into_iter().map(|series| {
            let bounds = series.cell.bounds();
            let base = Observed {
                counts: vec![0; bounds.len() + 1],
                sum: 0.0,
            };
            HistogramEntry {
                entry: Entry {
                    series,
                    committed: None,
                    base,
                },
                bounds: bounds_text(bounds),
            }
        }));
    }
}

fn row<Cell>(series: &Series<Cell>, kind: rows::Kind, value: f64) -> Row<'_> {
    Row {
        name: series.metric.name,
        labels: &series.labels,
        bounds: "",
        kind,
        value,
        counts: None,
        seq: 0,
    }
}

/// Bounds as they stand in a row: shortest decimals that read back exactly, with commas.
pub(crate) fn bounds_text(bounds: &[f64]) -> String {
    bounds
        .iter()
        .map(f64::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// Reads [`bounds_text`] back; a text of another kind gives nothing.
pub(crate) fn parse_bounds(text: &str) -> Option<Vec<f64>> {
    text.split(',')
        .map(|bound| bound.parse().ok().filter(|bound: &f64| bound.is_finite()))
        .collect()
}

#[cfg(test)]
mod tests {
    use metrics::{counter, histogram, with_local_recorder};

    use super::*;
    use crate::telemetry::bell::Bell;
    use crate::telemetry::names;
    use crate::telemetry::recorder::Recorder;

    fn values(ledger: &Ledger, changes: &Changes) -> Vec<f64> {
        ledger.rows(changes, 0).map(|row| row.value).collect()
    }

    #[test]
    fn only_what_changed_since_the_commit_is_written_and_always_the_whole_value() {
        let recorder = Recorder::new(Arc::new(Bell::default()));
        let mut ledger = Ledger::default();
        with_local_recorder(&recorder, || {
            counter!(names::DB_CONNECTIONS.name).increment(2);
            counter!(names::UNHANDLED_EXCEPTIONS.name).increment(1);
            let first = ledger.changes(recorder.book());
            assert_eq!(values(&ledger, &first), [2.0, 1.0]);
            ledger.commit(first);
            assert!(ledger.changes(recorder.book()).is_empty());

            counter!(names::DB_CONNECTIONS.name).increment(3);
            let second = ledger.changes(recorder.book());
            assert_eq!(values(&ledger, &second), [5.0], "cumulative, not a delta");
        });
    }

    #[test]
    fn a_flush_that_was_not_committed_is_written_again() {
        let recorder = Recorder::new(Arc::new(Bell::default()));
        let mut ledger = Ledger::default();
        with_local_recorder(&recorder, || {
            histogram!(names::FLUSH_DURATION.name).record(0.5);
        });
        drop(ledger.changes(recorder.book()));
        let again = ledger.changes(recorder.book());
        assert_eq!(values(&ledger, &again), [0.5]);
    }

    #[test]
    fn after_a_fold_rows_hold_only_what_came_since() {
        let recorder = Recorder::new(Arc::new(Bell::default()));
        let mut ledger = Ledger::default();
        with_local_recorder(&recorder, || {
            counter!(names::DB_CONNECTIONS.name).increment(2);
            histogram!(names::FLUSH_DURATION.name).record(0.5);
            let changes = ledger.changes(recorder.book());
            ledger.commit(changes);
            ledger.rebase();
            assert!(ledger.changes(recorder.book()).is_empty());

            counter!(names::DB_CONNECTIONS.name).increment(3);
            histogram!(names::FLUSH_DURATION.name).record(0.25);
            let changes = ledger.changes(recorder.book());
            assert_eq!(values(&ledger, &changes), [3.0, 0.25]);
        });
    }

    #[test]
    fn bounds_read_back_exactly() {
        for metric in names::all() {
            let Kind::Histogram(bounds) = metric.kind else {
                continue;
            };
            assert_eq!(parse_bounds(&bounds_text(bounds)).as_deref(), Some(bounds));
        }
        assert_eq!(parse_bounds("1,x"), None);
    }
}
