//! Families as Prometheus text, version 0.0.4.
//!
//! Help lines, type lines and escaping are `metrics-exporter-prometheus`'s; which lines, and in which order, is ours. The same families
//! always give the same text, so that two scrapes can be compared line by line. A series' labels are escaped once, not once a line as that
//! crate's line writer does: a histogram has twenty lines, and a page thousands of series.

use std::fmt::{Display, Write};

use metrics_exporter_prometheus::formatting::{
    sanitize_label_key, sanitize_label_value, write_help_line, write_type_line,
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
    let labels = label_text(sample);
    match &sample.value {
        Value::Counter(value) | Value::Gauge(value) => write_line(page, name, "", &labels, value),
        Value::Histogram {
            bounds,
            counts,
            sum,
        } => {
            write_buckets(page, name, &labels, bounds, counts);
            write_line(page, name, "_sum", &labels, sum);
            write_line(page, name, "_count", &labels, counts.iter().sum::<u64>());
        }
    }
}

/// Buckets are cumulative on the page, and the last one is the count, so the two cannot disagree.
fn write_buckets(page: &mut String, name: &str, labels: &str, bounds: &[f64], counts: &[u64]) {
    let comma = if labels.is_empty() { "" } else { "," };
    let mut total = 0_u64;
    let bounds = bounds
        .iter()
        .map(ToString::to_string)
        .chain(["+Inf".to_owned()]);
    for (bound, count) in bounds.zip(counts) {
        total += count;
        write_line(
            page,
            name,
            "_bucket",
            &format!("{labels}{comma}le=\"{bound}\""),
            total,
        );
    }
}

fn write_line(page: &mut String, name: &str, suffix: &str, labels: &str, value: impl Display) {
    let written = match labels {
        "" => writeln!(page, "{name}{suffix} {value}"),
        labels => writeln!(page, "{name}{suffix}{{{labels}}} {value}"),
    };
    written.expect("writing to a string cannot fail");
}

/// What stands between the braces.
fn label_text(sample: &Sample) -> String {
    let mut text = String::new();
    for (index, (name, value)) in sample.labels.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{}=\"{}\"",
            sanitize_label_key(name),
            sanitize_label_value(value)
        )
        .expect("writing to a string cannot fail");
    }
    text
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
    fn a_histogram_without_labels_has_only_its_bounds() {
        let value = Value::Histogram {
            bounds: vec![],
            counts: vec![2],
            sum: 1.0,
        };
        let family = Family {
            metric: &names::FLUSH_DURATION,
            samples: vec![sample(&[], value)],
        };
        assert!(render(&[family]).contains("_bucket{le=\"+Inf\"} 2\n"));
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
