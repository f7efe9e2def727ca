//! Adding up rows. Rows of ten thousand series arrive one after the other; a label set is copied once, when it is new.

use std::collections::HashMap;
use std::iter::repeat_n;

use indexmap::IndexMap;

use super::{Family, Sample, Value};
use crate::state::tables::metrics::{self as rows, Row};
use crate::telemetry::labels::{Labels, OVERFLOW};
use crate::telemetry::ledger::{bounds_text, parse_bounds};
use crate::telemetry::names::{self, Kind, Metric, Mode};

/// Most series of one metric in a scrape; the rest is added to its overflow series. Retired series come first and keep
/// their place, then those of sessions in the order in which they began.
const SERIES_PER_METRIC: usize = 2000;

/// Series of all metrics while they are added up.
#[derive(Default)]
pub(super) struct Merged {
    families: HashMap<&'static str, Building>,
}

struct Building {
    metric: &'static Metric,
    own_bounds: String,
    /// By labels; under each, one per foreign bounds (empty for the catalogue's own, which is nearly always the only one).
    /// Kept as they came: retired rows, most of a long-lived file, come sorted, which leaves the sort little to do.
    series: IndexMap<String, Vec<(String, Sum)>>,
}

enum Sum {
    Counter(f64),
    Gauge { level: f64, seq: i64 },
    Histogram { counts: Vec<u64>, sum: f64 },
}

impl Merged {
    /// Adds a row; gauges only of the living.
    pub(super) fn add(&mut self, row: Row<'_>, is_alive: bool) {
        if row.kind == rows::Kind::Gauge && !is_alive {
            return;
        }
        let building = match self.families.get_mut(row.name) {
            Some(building) => building,
            None => {
                let Some(metric) = names::find(row.name) else {
                    return;
                };
                self.families
                    .entry(metric.name)
                    .or_insert_with(|| Building::new(metric))
            }
        };
        if is_same_kind(building.metric.kind, row.kind) {
            building.add(row);
        }
    }

    pub(super) fn into_families(self) -> Vec<Family> {
        self.families
            .into_values()
            .map(Building::into_family)
            .filter(|family| !family.samples.is_empty())
            .collect()
    }
}

fn is_same_kind(ours: Kind, theirs: rows::Kind) -> bool {
    match ours {
        Kind::Counter => theirs == rows::Kind::Counter,
        Kind::Gauge(mode) => theirs == rows::Kind::Gauge && mode != Mode::AtScrape,
        Kind::Histogram(_) => theirs == rows::Kind::Histogram,
    }
}

impl Building {
    fn new(metric: &'static Metric) -> Building {
        let own_bounds = match metric.kind {
            Kind::Histogram(bounds) => bounds_text(bounds),
            _ => String::new(),
        };
        Building {
            metric,
            own_bounds,
            series: IndexMap::new(),
        }
    }

    fn add(&mut self, row: Row<'_>) {
        let foreign_bounds = if row.bounds == self.own_bounds {
            ""
        } else {
            row.bounds
        };
        // Known labels first: with hundreds of sessions nearly every row has them.
        if let Some(by_bounds) = self.series.get_mut(row.labels) {
            return add_to(by_bounds, self.metric, foreign_bounds, row);
        }
        let labels = if self.has_place() {
            row.labels
        } else {
            OVERFLOW
        };
        let by_bounds = self
            .series
            .entry(labels.to_owned())
            .or_insert_with(|| Vec::with_capacity(1));
        add_to(by_bounds, self.metric, foreign_bounds, row);
    }

    /// Whether one more label set fits. The overflow series itself does not count.
    fn has_place(&self) -> bool {
        self.series.len() < SERIES_PER_METRIC
            || self.series.len() - usize::from(self.series.contains_key(OVERFLOW))
                < SERIES_PER_METRIC
    }

    fn into_family(self) -> Family {
        let Building {
            metric, mut series, ..
        } = self;
        series.sort_unstable_keys();
        let mut samples = Vec::with_capacity(series.len());
        for (labels, mut by_bounds) in series {
            by_bounds.sort_by(|(a, _), (b, _)| a.cmp(b));
            let labels = repeat_n(Labels::stored(labels), by_bounds.len());
            for (labels, (foreign_bounds, sum)) in labels.zip(by_bounds) {
                samples.extend(sample(labels, metric.kind, &foreign_bounds, sum));
            }
        }
        Family { metric, samples }
    }
}

fn add_to(by_bounds: &mut Vec<(String, Sum)>, metric: &Metric, bounds: &str, row: Row<'_>) {
    match by_bounds.iter_mut().find(|(known, _)| known == bounds) {
        Some((_, sum)) => sum.add(metric, row),
        None => by_bounds.push((bounds.to_owned(), Sum::first(row))),
    }
}

impl Sum {
    fn first(row: Row<'_>) -> Sum {
        match row.kind {
            rows::Kind::Counter => Sum::Counter(row.value),
            rows::Kind::Gauge => Sum::Gauge {
                level: row.value,
                seq: row.seq,
            },
            rows::Kind::Histogram => Sum::Histogram {
                counts: rows::decode(row.counts.unwrap_or_default()).collect(),
                sum: row.value,
            },
        }
    }

    fn add(&mut self, metric: &Metric, row: Row<'_>) {
        match self {
            Sum::Counter(total) => *total += row.value,
            Sum::Gauge { level, seq } => {
                let newest = row.seq > *seq;
                *level = match metric.kind {
                    Kind::Gauge(Mode::LiveMax) => level.max(row.value),
                    Kind::Gauge(Mode::LiveMostRecent) => {
                        if newest {
                            row.value
                        } else {
                            *level
                        }
                    }
                    _ => *level + row.value,
                };
                *seq = row.seq.max(*seq);
            }
            Sum::Histogram { counts, sum } => {
                for (count, more) in counts
                    .iter_mut()
                    .zip(rows::decode(row.counts.unwrap_or_default()))
                {
                    *count += more;
                }
                *sum += row.value;
            }
        }
    }
}

/// A series as it is shown. Rows whose counts do not fit their bounds (nobody writes such) are left out.
fn sample(labels: Labels, kind: Kind, foreign_bounds: &str, sum: Sum) -> Option<Sample> {
    let value = match sum {
        Sum::Counter(total) => Value::Counter(total),
        Sum::Gauge { level, .. } => Value::Gauge(level),
        Sum::Histogram { counts, sum } => {
            let bounds = match kind {
                Kind::Histogram(own) if foreign_bounds.is_empty() => own.to_vec(),
                _ => parse_bounds(foreign_bounds)?,
            };
            if bounds.len() + 1 != counts.len() {
                return None;
            }
            Value::Histogram {
                bounds,
                counts,
                sum,
            }
        }
    };
    let labels = if foreign_bounds.is_empty() {
        labels
    } else {
        labels.and("bounds", foreign_bounds)
    };
    Some(Sample { labels, value })
}
