//! The cells that values are counted in: atomics only, written by any thread, read by the flusher.
//!
//! Every value is cumulative since the process began; who has read how much of it is the reader's business. All three
//! kinds are written so that a reader at any moment sees values that never fall, and so that the last step of a record
//! is the one that a reader takes for "changed".

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{CounterFn, GaugeFn, HistogramFn};

use super::bell::Bell;
use super::names::Metric;

/// One series of one process: a metric, its canonical labels, and the cell.
#[derive(Debug)]
pub(crate) struct Series<Cell> {
    pub(crate) metric: &'static Metric,
    pub(crate) labels: String,
    pub(crate) cell: Cell,
    bell: Arc<Bell>,
}

impl<Cell> Series<Cell> {
    pub(crate) fn new(
        metric: &'static Metric,
        labels: String,
        cell: Cell,
        bell: Arc<Bell>,
    ) -> Series<Cell> {
        Series {
            metric,
            labels,
            cell,
            bell,
        }
    }
}

/// A count.
#[derive(Debug, Default)]
pub(crate) struct CounterCell(AtomicU64);

impl CounterCell {
    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl CounterFn for Series<CounterCell> {
    #[inline]
    fn increment(&self, value: u64) {
        self.cell.0.fetch_add(value, Ordering::SeqCst);
        self.bell.ring();
    }

    fn absolute(&self, value: u64) {
        self.cell.0.fetch_max(value, Ordering::SeqCst);
        self.bell.ring();
    }
}

/// A level, and how often it was written: a level set again to what it was is news for a most-recent merge.
#[derive(Debug, Default)]
pub(crate) struct GaugeCell {
    bits: AtomicU64,
    writes: AtomicU64,
}

impl GaugeCell {
    /// The number of writes and a value at least as new.
    pub(crate) fn read(&self) -> (u64, f64) {
        let writes = self.writes.load(Ordering::SeqCst);
        (writes, f64::from_bits(self.bits.load(Ordering::SeqCst)))
    }
}

impl Series<GaugeCell> {
    fn change(&self, change: impl Fn(f64) -> f64) {
        let step = |bits| Some(change(f64::from_bits(bits)).to_bits());
        let _ = self
            .cell
            .bits
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, step);
        self.cell.writes.fetch_add(1, Ordering::SeqCst);
        self.bell.ring();
    }
}

impl GaugeFn for Series<GaugeCell> {
    fn increment(&self, value: f64) {
        self.change(|level| level + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|level| level - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

/// Sums leave a process in multiples of this (60 ns). Adding such multiples is exact, up to 17 years of summed seconds, so
/// the total over processes does not depend on the order in which they are added. Without it a fold, which changes the
/// order, lowers a total by its last bit, and a scraper takes any fall for a restart.
const SUM_STEP: f64 = 1.0 / (1_u64 << 24) as f64;

/// Observations in buckets of fixed bounds.
#[derive(Debug)]
pub(crate) struct HistogramCell {
    bounds: &'static [f64],
    /// One per bound and one for everything above; not cumulative.
    counts: Box<[AtomicU64]>,
    sum_bits: AtomicU64,
}

impl HistogramCell {
    pub(crate) fn new(bounds: &'static [f64]) -> HistogramCell {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        HistogramCell {
            bounds,
            counts,
            sum_bits: AtomicU64::new(0),
        }
    }

    pub(crate) fn bounds(&self) -> &'static [f64] {
        self.bounds
    }

    /// The number of observations.
    pub(crate) fn count(&self) -> u64 {
        self.counts
            .iter()
            .map(|count| count.load(Ordering::SeqCst))
            .sum()
    }

    /// Counts first, then a sum that holds at least what was counted; the sum in whole [`SUM_STEP`]s.
    pub(crate) fn read(&self) -> (Vec<u64>, f64) {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::SeqCst))
            .collect();
        let sum = f64::from_bits(self.sum_bits.load(Ordering::SeqCst));
        (counts, (sum / SUM_STEP).round() * SUM_STEP)
    }
}

impl HistogramFn for Series<HistogramCell> {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    /// Not a number, or no end to it: not an observation. Below nothing: nothing (a sum must not fall).
    fn record_many(&self, value: f64, times: usize) {
        if !value.is_finite() {
            return;
        }
        let value = value.max(0.0);
        let bucket = self.cell.bounds.partition_point(|bound| *bound < value);
        let add = |bits| Some((f64::from_bits(bits) + value * times as f64).to_bits());
        let _ = self
            .cell
            .sum_bits
            .fetch_update(Ordering::SeqCst, Ordering::Relaxed, add);
        self.cell.counts[bucket].fetch_add(times as u64, Ordering::SeqCst);
        self.bell.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::names;

    fn histogram(bounds: &'static [f64]) -> Series<HistogramCell> {
        let cell = HistogramCell::new(bounds);
        Series::new(&names::MCP_TOOL_DURATION, "{}".into(), cell, Arc::default())
    }

    #[test]
    fn an_observation_on_a_bound_belongs_to_its_bucket() {
        let series = histogram(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 2.0, 2.5] {
            series.record(value);
        }
        assert_eq!(series.cell.read(), (vec![2, 2, 1], 7.5));
        assert_eq!(series.cell.count(), 5);
    }

    #[test]
    fn what_is_no_observation_changes_nothing_and_a_sum_never_falls() {
        let series = histogram(&[1.0]);
        series.record(f64::NAN);
        series.record(f64::INFINITY);
        series.record(-3.0);
        assert_eq!(series.cell.read(), (vec![1, 0], 0.0));
    }

    #[test]
    fn sums_add_up_to_the_same_in_any_order() {
        let sums: Vec<f64> = (1..200)
            .map(|n| {
                let series = histogram(&[1.0]);
                series.record(0.1 / f64::from(n));
                series.cell.read().1
            })
            .collect();
        let forward: f64 = sums.iter().sum();
        let backward: f64 = sums.iter().rev().sum();
        assert_eq!(forward.to_bits(), backward.to_bits());
    }

    #[test]
    fn a_gauge_set_to_the_same_value_is_news() {
        let series = Series::new(
            &names::CACHE_ITEMS,
            "{}".into(),
            GaugeCell::default(),
            Arc::default(),
        );
        series.set(5.0);
        series.set(5.0);
        series.increment(2.0);
        series.decrement(1.0);
        assert_eq!(series.cell.read(), (4, 6.0));
    }

    #[test]
    fn threads_lose_nothing() {
        let series = histogram(&[1.0]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| series.record(0.25)));
            }
        });
        assert_eq!(series.cell.read(), (vec![40_000, 0], 10_000.0));
    }
}
