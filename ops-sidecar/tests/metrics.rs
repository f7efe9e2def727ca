//! The page that Prometheus reads, made from what other processes have left in the state file.

mod support;

use std::time::Duration;

use shared::paths::Home;
use shared::session::Kind;
use shared::state::Slot;
use shared::telemetry::{Telemetry, names};
use support::{Answer, Sidecar};

/// Plays a server that answers three calls and ends.
fn serve_three_calls(home: &Home) {
    let telemetry = Telemetry::start(Slot::new(home.clone()), Kind::McpStdio, "0.0.9");
    for (tool, status, seconds) in [
        ("orders_get", "success", 0.007_812_5),
        ("orders_get", "success", 0.125),
        ("orders_list", "error", 3.0),
    ] {
        metrics::counter!(names::MCP_TOOL_CALLS.name, "tool_name" => tool, "status" => status)
            .increment(1);
        metrics::histogram!(names::MCP_TOOL_DURATION.name, "tool_name" => tool).record(seconds);
    }
    metrics::gauge!(names::CACHE_ITEMS.name).set(7.0);
    assert!(
        telemetry.finish(Duration::from_secs(10)),
        "the server's last metrics are written"
    );
}

/// The lines of some families, their help included.
fn families(answer: &Answer, prefixes: &[&str]) -> String {
    let belongs = |line: &&str| {
        let name = line
            .trim_start_matches("# HELP ")
            .trim_start_matches("# TYPE ");
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    answer
        .body
        .lines()
        .filter(belongs)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn what_an_ended_server_counted_is_shown_and_what_it_held_is_not() {
    let folder = tempfile::tempdir().expect("a home");
    serve_three_calls(&Home::at(folder.path()));
    let agreed = [("BACKUP_ALLOW_UNENCRYPTED", "true")];
    let sidecar = Sidecar::start_with(folder.path(), &agreed).ready();
    let answer = sidecar.until("/metrics", |answer| {
        answer
            .body
            .contains("orderdesk_mcp_processes{kind=\"ops-sidecar\"} 1")
    });
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    insta::assert_snapshot!(families(
        &answer,
        &[
            "mcp_tool_",
            "orderdesk_mcp_processes",
            "orderdesk_mcp_state_up",
            "orderdesk_mcp_findings"
        ]
    ));
    assert!(!answer.body.contains("cache_items 7"), "{}", answer.body);
}

#[test]
fn the_sidecar_counts_its_own_requests_by_template_and_never_by_address() {
    let folder = tempfile::tempdir().expect("a home");
    let sidecar = Sidecar::start(folder.path()).ready();
    for path in ["/health", "/wp-admin/install.php", "/health/123456"] {
        sidecar.get(path);
    }
    sidecar.ask("BREW /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let counted = [
        "http_requests_total{method=\"GET\",endpoint=\"/health\",status_code=\"200\"} 1",
        "http_requests_total{method=\"GET\",endpoint=\"_OTHER\",status_code=\"404\"} 2",
        "http_requests_total{method=\"_OTHER\",endpoint=\"/health\",status_code=\"405\"} 1",
    ];
    let answer = sidecar.until("/metrics", |answer| {
        counted.iter().all(|line| answer.body.contains(line))
    });
    assert!(
        !answer.body.contains("wp-admin")
            && !answer.body.contains("123456")
            && !answer.body.contains("BREW")
    );
}

#[test]
fn every_family_has_help_and_type_once_and_stands_in_order() {
    let folder = tempfile::tempdir().expect("a home");
    let sidecar = Sidecar::start(folder.path()).ready();
    let answer = sidecar.until("/metrics", |answer| {
        answer.body.contains("http_requests_total")
    });
    let named = |kind: &str| -> Vec<String> {
        let lines = answer
            .body
            .lines()
            .filter_map(|line| line.strip_prefix(kind));
        lines
            .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
            .collect()
    };
    let (help, types) = (named("# HELP "), named("# TYPE "));
    assert_eq!(help, types);
    assert!(help.is_sorted() && help.len() > 15, "{help:?}");
    for line in answer.body.lines().filter(|line| !line.starts_with('#')) {
        assert!(
            help.iter().any(|name| line.starts_with(name.as_str())),
            "{line}"
        );
    }
}

#[test]
fn a_crowd_of_scrapers_gets_the_whole_page_each_and_the_checks_go_on() {
    let folder = tempfile::tempdir().expect("a home");
    serve_three_calls(&Home::at(folder.path()));
    let sidecar = Sidecar::start(folder.path()).ready();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let page = sidecar.get("/metrics").body;
                assert!(page.contains("orderdesk_mcp_state_up 1\n"), "{page}");
                assert!(page.contains("mcp_tool_calls_total{"), "{page}");
            });
        }
    });
    assert_eq!(sidecar.get("/health/ready").status, 200);
}

#[test]
fn a_head_request_gets_the_head_alone() {
    let folder = tempfile::tempdir().expect("a home");
    let sidecar = Sidecar::start(folder.path()).ready();
    let answer =
        sidecar.ask("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
}
