//! Scrapes: living and retired rows become families, the same way every time.

use metrics::{counter, gauge, histogram};

use super::*;
use crate::state::Durability;
use crate::state::tables::metrics::Row;
use crate::telemetry::ledger::bounds_text;
use crate::telemetry::testing::House;

fn family(house: &House, name: &str) -> Family {
    house
        .scrape()
        .into_iter()
        .find(|family| family.metric.name == name)
        .unwrap()
}

#[test]
fn living_processes_are_counted_by_kind() {
    let house = House::new();
    let mut server = house.process();
    let mut sidecar = house.process_of(Kind::OpsSidecar);
    let mut dead = house.process();
    for process in [&mut server, &mut sidecar, &mut dead] {
        process.flush();
    }
    drop(dead);
    let samples = family(&house, names::PROCESSES.name).samples;
    let shown: Vec<_> = samples
        .into_iter()
        .map(|sample| {
            (
                sample.labels.pairs()[0].1.clone().into_owned(),
                sample.value,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("mcp-stdio".to_owned(), Value::Gauge(1.0)),
            ("ops-sidecar".to_owned(), Value::Gauge(1.0))
        ]
    );
}

#[test]
fn equal_series_of_several_processes_become_one() {
    let house = House::new();
    let mut processes: Vec<_> = (0..3).map(|_| house.process()).collect();
    for process in &mut processes {
        process.does(|| {
            counter!(names::MCP_TOOL_CALLS.name, "tool_name" => "b", "status" => "success")
                .increment(2);
            counter!(names::MCP_TOOL_CALLS.name, "tool_name" => "a", "status" => "error")
                .increment(1);
        });
        process.flush();
    }
    let labels = |tool, status| Labels::of(&[("tool_name", tool), ("status", status)]);
    assert_eq!(
        family(&house, names::MCP_TOOL_CALLS.name).samples,
        [
            Sample {
                labels: labels("a", "error"),
                value: Value::Counter(3.0)
            },
            Sample {
                labels: labels("b", "success"),
                value: Value::Counter(6.0)
            },
        ]
    );
}

#[test]
fn the_order_depends_on_the_content_only() {
    let house = House::new();
    let mut processes: Vec<_> = (0..4).map(|_| house.process()).collect();
    for (n, process) in processes.iter_mut().enumerate() {
        process.does(|| {
            for m in 0..20 {
                counter!(names::BAD_LINES.name, "reason" => ((n * 7 + m * 3) % 20).to_string())
                    .increment(1);
            }
        });
        process.flush();
    }
    let first = house.scrape();
    assert!((0..5).all(|_| house.scrape() == first));
    assert!(first.is_sorted_by_key(|family| family.metric.name));
}

#[test]
fn gauges_are_merged_as_their_metric_says() {
    let house = House::new();
    let mut processes: Vec<_> = (0..2).map(|_| house.process()).collect();
    for (process, level) in processes.iter_mut().zip([7.0, 4.0]) {
        process.does(|| {
            gauge!(names::CACHE_ITEMS.name).set(level);
            gauge!(names::BUILD_INFO.name, "kind" => "mcp-stdio", "version" => "1").set(level);
            gauge!(names::RATE_LIMIT_TOKENS_AVAILABLE.name, "tenant_id" => "t").set(level);
        });
        process.flush();
    }
    let gauges = |name| house.values(name);
    assert_eq!(gauges(names::CACHE_ITEMS.name), [Value::Gauge(11.0)]);
    assert_eq!(gauges(names::BUILD_INFO.name), [Value::Gauge(7.0)]);
    assert_eq!(
        gauges(names::RATE_LIMIT_TOKENS_AVAILABLE.name),
        [Value::Gauge(4.0)]
    );

    // Set again to what it was: that is the most recent now.
    processes[0]
        .does(|| gauge!(names::RATE_LIMIT_TOKENS_AVAILABLE.name, "tenant_id" => "t").set(7.0));
    processes[0].flush();
    assert_eq!(
        gauges(names::RATE_LIMIT_TOKENS_AVAILABLE.name),
        [Value::Gauge(7.0)]
    );
}

/// Writes a row as another version of this program would.
fn put_foreign(house: &House, session: &str, row: Row<'_>) {
    house
        .state
        .write("test", Durability::Normal, |writing| {
            rows::put(writing, session, [row].into_iter())
        })
        .unwrap();
}

#[test]
fn histograms_of_other_bounds_are_shown_beside_and_never_mixed() {
    let house = House::new();
    let mut process = house.process();
    process.does(|| histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "a").record(0.5));
    process.flush();
    let counts = rows::encode(&[4, 0, 1]);
    let row = Row {
        name: names::MCP_TOOL_DURATION.name,
        labels: r#"{"tool_name":"a"}"#,
        bounds: "0.1,1",
        kind: rows::Kind::Histogram,
        value: 9.0,
        counts: Some(&counts),
        seq: 0,
    };
    put_foreign(&house, process.id().as_str(), row);
    for when in ["living", "folded"] {
        let samples = family(&house, names::MCP_TOOL_DURATION.name).samples;
        assert_eq!(samples.len(), 2, "{when}");
        let own = &samples[0];
        assert_eq!(own.labels, Labels::of(&[("tool_name", "a")]));
        assert!(
            matches!(&own.value, Value::Histogram { bounds, .. } if bounds == names::TOOL_SECONDS)
        );
        let foreign = &samples[1];
        assert_eq!(
            foreign.labels,
            Labels::of(&[("tool_name", "a"), ("bounds", "0.1,1")])
        );
        assert_eq!(
            foreign.value,
            Value::Histogram {
                bounds: vec![0.1, 1.0],
                counts: vec![4, 0, 1],
                sum: 9.0
            }
        );
        house.lose_run_file(&process);
        crate::telemetry::fold::fold_dead(&house.state).unwrap();
    }
}

#[test]
fn what_this_version_does_not_know_is_left_to_the_one_that_does() {
    let house = House::new();
    let mut process = house.process();
    process.flush();
    let unknown = Row {
        name: "from_the_future_total",
        labels: "{}",
        bounds: "",
        kind: rows::Kind::Counter,
        value: 1.0,
        counts: None,
        seq: 0,
    };
    put_foreign(&house, process.id().as_str(), unknown);
    put_foreign(
        &house,
        process.id().as_str(),
        Row {
            name: names::CACHE_ITEMS.name,
            ..unknown
        },
    );
    let broken = Row {
        kind: rows::Kind::Histogram,
        bounds: "1,2",
        name: names::HTTP_REQUEST_DURATION.name,
        ..unknown
    };
    put_foreign(&house, process.id().as_str(), broken);
    let shown: Vec<_> = house
        .scrape()
        .into_iter()
        .map(|family| family.metric.name)
        .collect();
    for name in [
        "from_the_future_total",
        names::CACHE_ITEMS.name,
        names::HTTP_REQUEST_DURATION.name,
    ] {
        assert!(!shown.contains(&name), "{name}");
    }
    drop(process);
    crate::telemetry::fold::fold_dead(&house.state).unwrap();
}

#[test]
fn a_scrape_is_capped_per_metric_and_shows_the_rest_as_one_series() {
    let house = House::new();
    let mut processes: Vec<_> = (0..5).map(|_| house.process()).collect();
    for (n, process) in processes.iter_mut().enumerate() {
        process.does(|| {
            for m in 0..450 {
                counter!(names::BAD_LINES.name, "reason" => format!("{n}-{m}")).increment(1);
            }
        });
        process.flush();
    }
    let samples = family(&house, names::BAD_LINES.name).samples;
    assert_eq!(samples.len(), 2001);
    let overflow = samples
        .iter()
        .find(|sample| sample.labels == Labels::of(&[("overflow", "true")]))
        .unwrap();
    assert_eq!(overflow.value, Value::Counter(250.0));
}

#[test]
fn the_bounds_of_the_catalogue_are_what_processes_write() {
    let house = House::new();
    let mut process = house.process();
    process.does(|| histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => "a").record(0.5));
    process.flush();
    let mut bounds = Vec::new();
    let session = process.id();
    let see = |row: Row<'_>| {
        if row.name == names::MCP_TOOL_DURATION.name {
            bounds.push(row.bounds.to_owned());
        }
    };
    house
        .state
        .read("test", |reading| {
            rows::each_live(reading, session.as_str(), see)
        })
        .unwrap();
    assert_eq!(bounds, [bounds_text(names::TOOL_SECONDS)]);
}
