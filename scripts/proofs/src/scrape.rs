//! What the sidecar exposes, read as a scraper reads it: the text format, counters told from gauges by their `# TYPE`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, ensure};

use crate::http::get;

/// One scrape.
#[derive(Debug, Default, Clone)]
pub(crate) struct Exposition {
    /// Series that may never fall: counters, and the buckets, sums and counts of histograms.
    pub(crate) counters: BTreeMap<String, f64>,
    /// Everything else.
    pub(crate) gauges: BTreeMap<String, f64>,
}

impl Exposition {
    /// Scrapes `/metrics`.
    pub(crate) fn read(address: SocketAddr) -> anyhow::Result<Self> {
        let (status, text) = get(address, "/metrics")?;
        ensure!(status == 200, "/metrics answered {status}");
        Self::parse(&text)
    }

    /// Reads the text format, version 0.0.4.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
        let mut exposition = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, kind) = declared
                    .split_once(' ')
                    .context("a TYPE line without a type")?;
                kinds.insert(name, kind);
            } else if !line.starts_with('#') {
                let (series, value) = line
                    .rsplit_once(' ')
                    .with_context(|| format!("no value in `{line}`"))?;
                let name = series.split('{').next().unwrap_or(series);
                let falls_never = match kinds.get(name) {
                    Some(kind) => *kind == "counter",
                    None => true, // _bucket, _sum and _count of a histogram, whose own name has the type
                };
                let series_of_its_kind = if falls_never {
                    &mut exposition.counters
                } else {
                    &mut exposition.gauges
                };
                series_of_its_kind.insert(series.to_owned(), value.parse()?);
            }
        }
        Ok(exposition)
    }

    /// The sum over the counters of this name whose labels have all of `labels` (each as `name="value"`).
    pub(crate) fn sum(&self, name: &str, labels: &[&str]) -> u64 {
        let matching = self.counters.iter().filter(|(series, _)| {
            series.split('{').next() == Some(name)
                && labels.iter().all(|label| has_label(series, label))
        });
        matching.map(|(_, value)| *value as u64).sum()
    }

    /// Counters that stood higher in `earlier`, or have vanished since.
    pub(crate) fn fallen_since(&self, earlier: &Self) -> Vec<String> {
        let fallen = earlier.counters.iter().filter_map(|(series, before)| {
            match self.counters.get(series) {
                Some(now) if now >= before => None,
                Some(now) => Some(format!("{series} fell from {before} to {now}")),
                None => Some(format!("{series} vanished at {before}")),
            }
        });
        fallen.collect()
    }

    /// What was counted between `earlier` and now.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let grown = |(series, now): (&String, &f64)| {
            let before = earlier.counters.get(series).copied().unwrap_or_default();
            (series.clone(), now - before)
        };
        Self {
            counters: self.counters.iter().map(grown).collect(),
            gauges: self.gauges.clone(),
        }
    }

    /// A quantile of a histogram, summed over the series with `labels`, as the upper bound of its bucket, in seconds.
    pub(crate) fn quantile(&self, name: &str, labels: &[&str], quantile: f64) -> Option<f64> {
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for (series, count) in &self.counters {
            let ours = series.split('{').next() == Some(&format!("{name}_bucket"));
            if !ours || !labels.iter().all(|label| has_label(series, label)) {
                continue;
            }
            let bound = series
                .split("le=\"")
                .nth(1)?
                .split('"')
                .next()?
                .parse()
                .unwrap_or(f64::INFINITY);
            match buckets.iter_mut().find(|(known, _)| *known == bound) {
                Some((_, sum)) => *sum += count,
                None => buckets.push((bound, *count)),
            }
        }
        buckets.sort_by(|left, right| left.0.total_cmp(&right.0));
        let total = buckets.last()?.1;
        buckets
            .iter()
            .find(|(_, count)| *count >= total * quantile)
            .map(|(bound, _)| *bound)
    }
}

fn has_label(series: &str, label: &str) -> bool {
    series.contains(&format!("{{{label}")) || series.contains(&format!(",{label}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 3\na_total{x=\"2\",y=\"2\"} 4\n\
        # TYPE g gauge\ng 7\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 90\nh_bucket{le=\"1\"} 99\nh_bucket{le=\"+Inf\"} 100\n\
        h_sum 5\nh_count 100\n";

    #[test]
    fn counters_are_told_from_gauges_by_their_type() {
        let read = Exposition::parse(TEXT).unwrap();
        assert_eq!(read.sum("a_total", &[]), 7);
        assert_eq!(read.sum("a_total", &["x=\"1\""]), 3);
        assert_eq!(read.gauges["g"], 7.0);
        assert_eq!(read.counters["h_count"], 100.0);
    }

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        let read = Exposition::parse(TEXT).unwrap();
        assert_eq!(read.quantile("h", &[], 0.5), Some(0.1));
        assert_eq!(read.quantile("h", &[], 0.99), Some(1.0));
        assert_eq!(read.quantile("h", &[], 1.0), Some(f64::INFINITY));
    }

    #[test]
    fn a_counter_that_falls_or_vanishes_is_named() {
        let before = Exposition::parse(TEXT).unwrap();
        let now =
            Exposition::parse("# TYPE a_total counter\na_total{x=\"1\",y=\"2\"} 2\n").unwrap();
        let fallen = now.fallen_since(&before);
        assert!(
            fallen.iter().any(|line| line.contains("fell from 3 to 2")),
            "{fallen:?}"
        );
        assert!(
            fallen.iter().any(|line| line.contains("h_count vanished")),
            "{fallen:?}"
        );
    }
}
