//! The book of series: which keys are series, under which one spelling, and how many of them a metric may have.
//!
//! A key is checked against the catalogue and its labels are cleaned; a name or label that the catalogue does not know
//! gets a cell that nobody reads, and a debug line: a typo must not become a series. Series are never removed, so a
//! reader that knows the first `n` only asks for the rest.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::{CounterFn, Key};
use metrics_util::registry::Storage;
use parking_lot::Mutex;

use super::bell::Bell;
use super::labels::{self, OVERFLOW};
use super::names::{self, Kind, Metric, Mode};
use super::series::{CounterCell, GaugeCell, HistogramCell, Series};

/// Most series of one metric in one process; the next ones share the overflow series. Label values come from closed
/// sets, the largest of which (tools by status) makes fewer than a hundred.
pub(crate) const SERIES_PER_METRIC: usize = 500;

/// Stands in for a metric that is not in the catalogue; its cells are in no book.
static UNKNOWN: Metric = Metric {
    name: "",
    kind: Kind::Counter,
    labels: &[],
    help: "",
    owner: names::Owner::Both,
};

/// All series of one process.
#[derive(Debug)]
pub(crate) struct Book {
    bell: Arc<Bell>,
    counters: Mutex<Page<CounterCell>>,
    gauges: Mutex<Page<GaugeCell>>,
    histograms: Mutex<Page<HistogramCell>>,
}

#[derive(Debug)]
struct Page<Cell> {
    series: Vec<Arc<Series<Cell>>>,
    by_labels: HashMap<(&'static str, String), usize>,
    of_metric: HashMap<&'static str, usize>,
}

impl<Cell> Default for Page<Cell> {
    fn default() -> Page<Cell> {
        Page {
            series: Vec::new(),
            by_labels: HashMap::new(),
            of_metric: HashMap::new(),
        }
    }
}

type All<Cell> = Vec<Arc<Series<Cell>>>;

impl Book {
    pub(crate) fn new(bell: Arc<Bell>) -> Book {
        Book {
            bell,
            counters: Mutex::default(),
            gauges: Mutex::default(),
            histograms: Mutex::default(),
        }
    }

    /// The series after the first so many of each kind.
    pub(crate) fn after(
        &self,
        counters: usize,
        gauges: usize,
        histograms: usize,
    ) -> (All<CounterCell>, All<GaugeCell>, All<HistogramCell>) {
        (
            self.counters.lock().series[counters..].to_vec(),
            self.gauges.lock().series[gauges..].to_vec(),
            self.histograms.lock().series[histograms..].to_vec(),
        )
    }

    fn find<Cell>(
        &self,
        page: &Mutex<Page<Cell>>,
        key: &Key,
        fits: fn(Kind) -> bool,
        cell: impl FnOnce(&'static Metric) -> Cell,
    ) -> Arc<Series<Cell>> {
        let Some((metric, labels)) = look_up(key, fits) else {
            return Arc::new(Series::new(
                &UNKNOWN,
                String::new(),
                cell(&UNKNOWN),
                Arc::clone(&self.bell),
            ));
        };
        let (series, is_beyond_cap) = page.lock().find_or_add(metric, labels, |labels| {
            Series::new(metric, labels, cell(metric), Arc::clone(&self.bell))
        });
        if is_beyond_cap {
            let key = Key::from_parts(names::SERIES_DROPPED.name, &[("metric", metric.name)]);
            self.counter(&key).increment(1);
        }
        series
    }
}

impl<Cell> Page<Cell> {
    /// The series of these labels, or the overflow series of its metric; and whether the cap decided so.
    fn find_or_add(
        &mut self,
        metric: &'static Metric,
        labels: String,
        make: impl FnOnce(String) -> Series<Cell>,
    ) -> (Arc<Series<Cell>>, bool) {
        if let Some(index) = self.by_labels.get(&(metric.name, labels.clone())) {
            return (Arc::clone(&self.series[*index]), false);
        }
        let is_beyond_cap = self
            .of_metric
            .get(metric.name)
            .is_some_and(|count| *count >= SERIES_PER_METRIC);
        let labels = if is_beyond_cap {
            OVERFLOW.to_owned()
        } else {
            labels
        };
        if let Some(index) = self.by_labels.get(&(metric.name, labels.clone())) {
            return (Arc::clone(&self.series[*index]), is_beyond_cap);
        }
        let series = Arc::new(make(labels.clone()));
        *self.of_metric.entry(metric.name).or_default() += 1;
        self.by_labels
            .insert((metric.name, labels), self.series.len());
        self.series.push(Arc::clone(&series));
        (series, is_beyond_cap)
    }
}

/// What the catalogue says about a key, or a debug line.
fn look_up(key: &Key, fits: fn(Kind) -> bool) -> Option<(&'static Metric, String)> {
    let Some(metric) = names::find(key.name()).filter(|metric| fits(metric.kind)) else {
        tracing::debug!(
            metric = key.name(),
            "not recorded: the catalogue has no metric of this name and kind"
        );
        return None;
    };
    match labels::canonical(metric, key) {
        Ok(labels) => Some((metric, labels)),
        Err(unknown) => {
            tracing::debug!("not recorded: {unknown}");
            None
        }
    }
}

impl Storage<Key> for Book {
    type Counter = Arc<Series<CounterCell>>;
    type Gauge = Arc<Series<GaugeCell>>;
    type Histogram = Arc<Series<HistogramCell>>;

    fn counter(&self, key: &Key) -> Self::Counter {
        self.find(
            &self.counters,
            key,
            |kind| kind == Kind::Counter,
            |_| CounterCell::default(),
        )
    }

    fn gauge(&self, key: &Key) -> Self::Gauge {
        let is_recorded = |kind| matches!(kind, Kind::Gauge(mode) if mode != Mode::AtScrape);
        self.find(&self.gauges, key, is_recorded, |_| GaugeCell::default())
    }

    fn histogram(&self, key: &Key) -> Self::Histogram {
        let is_histogram = |kind| matches!(kind, Kind::Histogram(_));
        self.find(&self.histograms, key, is_histogram, |metric| {
            match metric.kind {
                Kind::Histogram(bounds) => HistogramCell::new(bounds),
                _ => HistogramCell::new(&[]),
            }
        })
    }
}
