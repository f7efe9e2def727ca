//! Families as Prometheus text, version 0.0.4.
//!
//! Help lines, type lines and escaping are `metrics-exporter-prometheus`'s; which lines, and in which order, is ours. The same families
//! always give the same text, so that two scrapes can be compared line by line. A series' labels are escaped once, not once a line as that
//! crate's line writer does: a histogram has twenty lines, and a page thousands of series.

use std::borrow::Cow;
use std::fmt::{Display, Write};

use metrics_exporter_prometheus::formatting::{
    sanitize_label_key, sanitize_label_value, write_help_line, write_type_line,
};
use shared::telemetry::names::Kind;
use shared::telemetry::query::{Family, Labels, Value};

/// What a scraper is told the text is.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The whole page. A family without series is left out: its help alone would say nothing.
pub(super) fn render(families: &[Family]) -> String {
    let mut page = String::with_capacity(64 * 1024);
    let mut labels = String::new();
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
            write_labels(&mut labels, &sample.labels);
            write_sample(&mut page, family.metric.name, &labels, &sample.value);
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

fn write_sample(page: &mut String, name: &str, labels: &str, value: &Value) {
    match value {
        Value::Counter(value) | Value::Gauge(value) => write_line(page, name, "", labels, value),
        Value::Histogram {
            bounds,
            counts,
            sum,
        } => {
            write_buckets(page, name, labels, bounds, counts);
            write_line(page, name, "_sum", labels, sum);
            write_line(page, name, "_count", labels, counts.iter().sum::<u64>());
        }
    }
}

/// Buckets are cumulative on the page, and the last one is the count, so the two cannot disagree.
fn write_buckets(page: &mut String, name: &str, labels: &str, bounds: &[f64], counts: &[u64]) {
    let comma = if labels.is_empty() { "" } else { "," };
    let bounds = bounds.iter().map(|bound| bound as &dyn Display);
    let mut total = 0_u64;
    for (bound, count) in bounds.chain([&"+Inf" as &dyn Display]).zip(counts) {
        total += count;
        writeln!(
            page,
            "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}"
        )
        .expect("writing to a string cannot fail");
    }
}

fn write_line(page: &mut String, name: &str, suffix: &str, labels: &str, value: impl Display) {
    let written = match labels {
        "" => writeln!(page, "{name}{suffix} {value}"),
        labels => writeln!(page, "{name}{suffix}{{{labels}}} {value}"),
    };
    written.expect("writing to a string cannot fail");
}

/// What stands between the braces, into `text`.
fn write_labels(text: &mut String, labels: &Labels) {
    text.clear();
    for (index, (name, value)) in labels.pairs().iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&escaped_name(name));
        text.push_str("=\"");
        text.push_str(&escaped_value(value));
        text.push('"');
    }
}

/// Nearly every name is fine as it is, and so is nearly every value.
fn escaped_name(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    {
        return Cow::Borrowed(name);
    }
    Cow::Owned(sanitize_label_key(name))
}

fn escaped_value(value: &str) -> Cow<'_, str> {
    if value.contains(['\\', '"', '\n']) {
        return Cow::Owned(sanitize_label_value(value));
    }
    Cow::Borrowed(value)
}

#[cfg(test)]
mod tests {
    use shared::telemetry::names;
    use shared::telemetry::query::Sample;

    use super::*;

    fn sample(labels: &[(&str, &str)], value: Value) -> Sample {
        let labels = Labels::of(labels);
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
