//! Families as Prometheus text, version 0.0.4.
//!
//! Names, escaping and lines are `metrics-exporter-prometheus`'s; which lines, and in which order, is ours. The same families always
//! give the same text, so that two scrapes can be compared line by line.

use metrics::{Key, Label};
use metrics_exporter_prometheus::LabelSet;
use metrics_exporter_prometheus::formatting::{
    write_help_line, write_metric_line, write_type_line,
};
use shared::telemetry::names::Kind;
use shared::telemetry::query::{Family, Sample, Value};

/// What a scraper is told the text is.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The whole page. A family without series is left out: its help alone would say nothing.
pub(super) fn render(families: &[Family]) -> String {
    let mut page = String::with_capacity(64 * 1024);
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        write_help_line(
            &mut page,
            family.metric.name,
            None,
            None,
            family.metric.help,
        );
        write_type_line(
            &mut page,
            family.metric.name,
            None,
            None,
            type_word(family.metric.kind),
        );
        for sample in &family.samples {
            write_sample(&mut page, family.metric.name, sample);
        }
    }
    page
}

fn type_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge(_) => "gauge",
        Kind::Histogram(_) => "histogram",
    }
}

fn write_sample(page: &mut String, name: &str, sample: &Sample) {
    let labels = label_set(sample);
    match &sample.value {
        Value::Counter(value) | Value::Gauge(value) => {
            write_metric_line(page, name, None, &labels, NO_LABEL, value, None);
        }
        Value::Histogram {
            bounds,
            counts,
            sum,
        } => write_histogram(page, name, &labels, bounds, counts, *sum),
    }
}

/// No label but those of the series.
const NO_LABEL: Option<(&str, &str)> = None;

/// Buckets are cumulative on the page; the count is the last of them, so the two cannot disagree.
fn write_histogram(
    page: &mut String,
    name: &str,
    labels: &LabelSet,
    bounds: &[f64],
    counts: &[u64],
    sum: f64,
) {
    let mut total = 0_u64;
    for (bound, count) in bounds.iter().zip(counts) {
        total += count;
        write_metric_line(
            page,
            name,
            Some("bucket"),
            labels,
            Some(("le", bound)),
            total,
            None,
        );
    }
    total = counts.iter().sum();
    write_metric_line(
        page,
        name,
        Some("bucket"),
        labels,
        Some(("le", "+Inf")),
        total,
        None,
    );
    write_metric_line(page, name, Some("sum"), labels, NO_LABEL, sum, None);
    write_metric_line(page, name, Some("count"), labels, NO_LABEL, total, None);
}

fn label_set(sample: &Sample) -> LabelSet {
    let labels: Vec<Label> = sample
        .labels
        .iter()
        .map(|(name, value)| Label::new(name.clone(), value.clone()))
        .collect();
    LabelSet::from_key_and_global(&Key::from_parts("", labels), &Default::default())
}

#[cfg(test)]
mod tests {
    use shared::telemetry::names;

    use super::*;

    fn sample(labels: &[(&str, &str)], value: Value) -> Sample {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Sample { labels, value }
    }

    #[test]
    fn counters_and_gauges_are_one_line_a_series() {
        let calls = Family {
            metric: &names::MCP_TOOL_CALLS,
            samples: vec![
                sample(
                    &[("tool_name", "orders_get"), ("status", "success")],
                    Value::Counter(3.0),
                ),
                sample(
                    &[("tool_name", "say \"hi\""), ("status", "error")],
                    Value::Counter(1.0),
                ),
            ],
        };
        let text = render(&[calls]);
        assert!(
            text.contains("# TYPE mcp_tool_calls_total counter\n"),
            "{text}"
        );
        assert!(
            text.contains("mcp_tool_calls_total{tool_name=\"orders_get\",status=\"success\"} 3\n"),
            "{text}"
        );
        assert!(text.contains("tool_name=\"say \\\"hi\\\"\""), "{text}");
    }

    #[test]
    fn a_histogram_is_cumulative_and_its_count_is_its_last_bucket() {
        let value = Value::Histogram {
            bounds: vec![0.1, 1.0],
            counts: vec![2, 3, 4],
            sum: 12.5,
        };
        let text = render(&[Family {
            metric: &names::HTTP_REQUEST_DURATION,
            samples: vec![sample(&[("method", "GET")], value)],
        }]);
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "http_request_duration_seconds_bucket{method=\"GET\",le=\"0.1\"} 2",
                "http_request_duration_seconds_bucket{method=\"GET\",le=\"1\"} 5",
                "http_request_duration_seconds_bucket{method=\"GET\",le=\"+Inf\"} 9",
                "http_request_duration_seconds_sum{method=\"GET\"} 12.5",
                "http_request_duration_seconds_count{method=\"GET\"} 9",
            ]
        );
    }

    #[test]
    fn a_family_without_series_is_left_out() {
        assert_eq!(
            render(&[Family {
                metric: &names::MCP_TOOL_CALLS,
                samples: Vec::new()
            }]),
            ""
        );
    }
}
