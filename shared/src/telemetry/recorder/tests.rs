//! Recording: what counts, what is dropped, and what is capped.

use metrics::with_local_recorder;

use super::*;
use crate::telemetry::labels::OVERFLOW;
use crate::telemetry::names;

fn recorder() -> Recorder {
    Recorder::new(Arc::new(Bell::default()))
}

/// Every counter series with its value, as `name{labels} value`.
fn counters(recorder: &Recorder) -> Vec<String> {
    let (counters, _, _) = recorder.book().after(0, 0, 0);
    let line = |series: &Arc<super::super::series::Series<super::super::series::CounterCell>>| {
        format!(
            "{}{} {}",
            series.metric.name,
            series.labels,
            series.cell.read()
        )
    };
    let mut lines: Vec<_> = counters.iter().map(line).collect();
    lines.sort();
    lines
}

#[test]
fn two_spellings_of_one_label_set_are_one_series() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => "a", "status" => "success")
            .increment(1);
        metrics::counter!(names::MCP_TOOL_CALLS.name, "status" => "success", "tool_name" => "a")
            .increment(2);
        metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => "a", "status" => "success")
            .increment(4);
    });
    assert_eq!(
        counters(&recorder),
        [r#"mcp_tool_calls_total{"tool_name":"a","status":"success"} 7"#]
    );
}

#[test]
fn what_the_catalogue_does_not_know_is_not_recorded() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        metrics::counter!("mcp_tool_cals_total").increment(1);
        metrics::counter!(names::MCP_TOOL_CALLS.name, "tool" => "a").increment(1);
        metrics::counter!(names::MCP_TOOL_DURATION.name).increment(1);
        metrics::gauge!(names::MCP_TOOL_CALLS.name).set(1.0);
        metrics::gauge!(names::PROCESSES.name).set(1.0);
        metrics::histogram!(names::MCP_TOOL_CALLS.name).record(1.0);
    });
    let (counters, gauges, histograms) = recorder.book().after(0, 0, 0);
    assert_eq!((counters.len(), gauges.len(), histograms.len()), (0, 0, 0));
}

#[test]
fn beyond_the_cap_values_go_to_the_overflow_series_and_none_is_lost() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        for n in 0..SERIES_PER_METRIC + 7 {
            for _ in 0..2 {
                metrics::counter!(names::BAD_LINES.name, "reason" => n.to_string()).increment(1);
            }
        }
    });
    let (counters, _, _) = recorder.book().after(0, 0, 0);
    let lines: Vec<_> = counters
        .iter()
        .filter(|series| series.metric.name == names::BAD_LINES.name)
        .collect();
    assert_eq!(lines.len(), SERIES_PER_METRIC + 1);
    assert_eq!(
        lines.iter().map(|series| series.cell.read()).sum::<u64>(),
        2 * (SERIES_PER_METRIC as u64 + 7)
    );
    let overflow = lines
        .iter()
        .find(|series| series.labels == OVERFLOW)
        .unwrap();
    assert_eq!(overflow.cell.read(), 14);
    let dropped = counters
        .iter()
        .find(|series| series.metric.name == names::SERIES_DROPPED.name)
        .unwrap();
    assert_eq!(
        (dropped.labels.as_str(), dropped.cell.read()),
        (r#"{"metric":"orderdesk_mcp_bad_lines_total"}"#, 7)
    );
}

#[test]
fn unbounded_labels_do_not_grow_memory_without_end() {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        for n in 0..MOST_SPELLINGS + 100 {
            metrics::counter!(names::BAD_LINES.name, "reason" => n.to_string()).increment(1);
        }
    });
    assert_eq!(
        recorder.0.by_spelling.get_counter_handles().len(),
        MOST_SPELLINGS
    );
    let (counters, _, _) = recorder.book().after(0, 0, 0);
    let reasons = counters
        .iter()
        .filter(|series| series.metric.name == names::BAD_LINES.name);
    assert_eq!(
        reasons.map(|series| series.cell.read()).sum::<u64>(),
        MOST_SPELLINGS as u64 + 100
    );
}

#[test]
fn a_record_rings_the_bell() {
    let bell = Arc::new(Bell::default());
    let recorder = Recorder::new(Arc::clone(&bell));
    with_local_recorder(&recorder, || {
        metrics::counter!(names::UNHANDLED_EXCEPTIONS.name).increment(1);
    });
    assert!(bell.is_pending());
}
