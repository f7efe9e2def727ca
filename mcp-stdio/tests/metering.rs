//! What a session leaves in the state file: calls, errors, operations and their labels, and nothing that a client could blow up.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;

use serde_json::json;
use shared::paths;
use shared::state::State;
use shared::telemetry::query::{self, Value};
use support::{Home, Server, sandbox};

/// Everything the ended sessions of a home have counted: `name{label="value",…}` → count.
struct Counted(BTreeMap<String, u64>);

impl Counted {
    fn after(home: &Home, mut server: Server) -> Counted {
        server.close_stdin();
        assert_eq!(server.exit().0, Some(0));
        let state = State::open(&paths::Home::at(home.path())).unwrap();
        let families = state
            .read("test", |reading| query::scrape(reading, &|_| false))
            .unwrap();
        let mut counts = BTreeMap::new();
        for family in families {
            for sample in family.samples {
                let labels: Vec<String> = sample
                    .labels
                    .pairs()
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let value = match sample.value {
                    Value::Counter(value) => whole(value),
                    Value::Gauge(_) => continue,
                    Value::Histogram { counts, .. } => counts.iter().sum(),
                };
                counts.insert(
                    format!("{} {}", family.metric.name, labels.join(" ")),
                    value,
                );
            }
        }
        Counted(counts)
    }

    /// The sum over all series of `name` whose labels contain all of `parts`.
    fn sum(&self, name: &str, parts: &[&str]) -> u64 {
        let wanted = |key: &str| {
            let (metric, labels) = key.split_once(' ').unwrap();
            metric == name
                && parts
                    .iter()
                    .all(|part| labels.split(' ').any(|label| label == *part))
        };
        self.0
            .iter()
            .filter(|(key, _)| wanted(key))
            .map(|(_, value)| value)
            .sum()
    }
}

fn whole(value: f64) -> u64 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of a few"
    )]
    let count = value.round() as u64;
    count
}

#[test]
fn every_answered_call_is_counted_once_by_tool_and_outcome() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    let mut server = home.session();
    for _ in 0..7 {
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .ok();
    }
    for _ in 0..3 {
        server
            .call("orders_get", json!({"order_id": "none"}))
            .error();
    }
    let counted = Counted::after(&home, server);
    assert_eq!(
        counted.sum(
            "mcp_tool_calls_total",
            &["tool_name=orders_get", "status=success"]
        ),
        7
    );
    assert_eq!(
        counted.sum(
            "mcp_tool_calls_total",
            &["tool_name=orders_get", "status=error"]
        ),
        3
    );
    assert_eq!(
        counted.sum("mcp_tool_duration_seconds", &["tool_name=orders_get"]),
        10
    );
    assert_eq!(
        counted.sum("orderdesk_mcp_tool_reply_bytes", &["tool_name=orders_get"]),
        7
    );
    assert_eq!(
        counted.sum(
            "errors_total",
            &["error_code=bad_request", "endpoint=orders_get"]
        ),
        3
    );
    assert_eq!(counted.sum("cache_operations_total", &["operation=hit"]), 6);
}

#[test]
fn operations_are_measured_with_the_labels_of_the_conventions() {
    let home = Home::new();
    let mut server = home.session();
    server.call("server_status", json!({})).ok();
    server.call("stores_list", json!({})).error();
    server.request("no/such", &json!({}));
    let counted = Counted::after(&home, server);
    let name = "mcp_server_operation_duration_seconds";
    let one = |labels: &[&str]| {
        assert_eq!(
            counted.sum(name, labels),
            1,
            "{labels:?} in {:#?}",
            counted.0
        );
    };
    one(&[
        "mcp_method_name=initialize",
        "mcp_protocol_version=2025-11-25",
        "network_transport=pipe",
    ]);
    one(&[
        "mcp_method_name=tools/call",
        "gen_ai_tool_name=server_status",
        "gen_ai_operation_name=execute_tool",
    ]);
    one(&["gen_ai_tool_name=stores_list", "error_type=tool_error"]);
    one(&["mcp_method_name=_OTHER", "rpc_response_status_code=-32601"]);
    assert_eq!(
        counted.sum(name, &["error_type=-32601"]),
        0,
        "a client's mistake is not this server's error"
    );
    assert_eq!(counted.sum("mcp_server_session_duration_seconds", &[]), 1);
}

#[test]
fn names_that_a_client_makes_up_do_not_become_series() {
    let home = Home::new();
    let mut server = home.session();
    for number in 0..20 {
        server.request(&format!("made/up/{number}"), &json!({}));
        server.request("tools/call", &json!({"name": format!("made_up_{number}")}));
    }
    let counted = Counted::after(&home, server);
    assert!(
        !counted.0.keys().any(|key| key.contains("made")),
        "{:#?}",
        counted.0.keys()
    );
    assert_eq!(
        counted.sum(
            "mcp_tool_calls_total",
            &["tool_name=_OTHER", "status=error"]
        ),
        20
    );
    assert_eq!(
        counted.sum(
            "mcp_server_operation_duration_seconds",
            &["gen_ai_tool_name=_OTHER"]
        ),
        20
    );
}

#[test]
fn bad_lines_are_counted_by_reason() {
    let home = Home::new();
    let mut server = home.session();
    for line in ["garbage", "{", "{}", "[]"] {
        server.send_bytes(line.as_bytes());
        server.frame();
    }
    let counted = Counted::after(&home, server);
    assert_eq!(
        counted.sum("orderdesk_mcp_bad_lines_total", &["reason=not_json"]),
        2
    );
    assert_eq!(
        counted.sum("orderdesk_mcp_bad_lines_total", &["reason=not_a_message"]),
        2
    );
}

#[test]
fn no_label_and_no_log_line_holds_what_the_shop_or_the_client_said() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox).set("LOG", "trace");
    let mut server = home.session();
    let order = server
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
    let email = order["order"]["email"].as_str().unwrap().to_owned();
    server.call("orders_find", json!({"query": email})).ok();
    server
        .call("orders_get", json!({"order_id": "secret-word"}))
        .error();
    server.close_stdin();
    server.exit();
    let log = server.stderr();
    let counted = Counted::after(&home, home.session());
    for word in [email.as_str(), "secret-word", "7001001"] {
        assert!(!log.contains(word), "{word} is in the log:\n{log}");
        assert!(
            !counted.0.keys().any(|key| key.contains(word)),
            "{word} is a label"
        );
    }
}

/// What the promise "at most one small read more" comes down to: how often the state file is asked on the way of a cached call.
#[test]
fn a_cached_call_reads_the_state_file_once_and_for_a_sealed_store_once_more() {
    const CALLS: u64 = 50;
    let sandbox = sandbox();
    let [env, sealed] = [
        Home::with_store(&sandbox),
        Home::with_sealed_stores(&sandbox),
    ]
    .map(|home| {
        let mut server = home.session();
        for _ in 0..CALLS {
            server
                .call("orders_get", json!({"order_id": "7001001"}))
                .ok();
        }
        Counted::after(&home, server)
    });
    let reads = |counted: &Counted, operation: &str| {
        let label = format!("operation={operation}");
        counted.sum("db_query_duration_seconds", &[label.as_str()])
    };
    assert_eq!(reads(&env, "epoch_read"), CALLS);
    assert_eq!(reads(&env, "vault_revision") + reads(&env, "vault"), 0);
    assert_eq!(reads(&sealed, "epoch_read"), CALLS);
    // The first call reads it twice: there was nothing to compare with.
    let revisions = reads(&sealed, "vault_revision");
    assert!((CALLS..=CALLS + 1).contains(&revisions), "{revisions}");
    // Of the vault itself only what the first call unlocked, and what the commands of the set-up read.
    assert!(reads(&sealed, "vault") < 40, "{}", reads(&sealed, "vault"));
}

#[test]
fn what_the_tenants_limit_refuses_is_counted_under_its_id_and_its_kind() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox).set("RATE_LIMIT_RPM", "1");
    let mut server = home.session();
    let fresh = json!({"order_id": "7001001", "fresh": true});
    for _ in 0..2 {
        server.call("orders_get", fresh.clone()).ok();
    }
    for _ in 0..3 {
        server.call("orders_get", fresh.clone()).error();
    }
    let counted = Counted::after(&home, server);
    let labels = ["tenant_id=env", "limit_type=tenant_reads"];
    assert_eq!(counted.sum("rate_limit_hits_total", &labels), 3);
    let errors = ["error_code=rate_limited", "endpoint=orders_get"];
    assert_eq!(counted.sum("errors_total", &errors), 3);
    assert_eq!(counted.sum("orderdesk_api_calls_total", &[]), 2);
}

#[test]
fn a_wait_for_the_tenants_bucket_is_not_put_down_to_the_store() {
    let sandbox = orderdesk_sandbox::Sandbox::start_blocking(orderdesk_sandbox::Options {
        bucket: orderdesk_sandbox::Bucket::wide_open(),
        ..orderdesk_sandbox::Options::default()
    })
    .unwrap();
    let home = Home::with_store(&sandbox)
        .set("STORE_BURST", "1000")
        .set("STORE_RATE_PER_SECOND", "1000")
        .set("RATE_LIMIT_RPM", "30");
    let mut server = home.session();
    // After a burst of 60 there is one every two seconds: the next one waits, the others are told to.
    let fresh = json!({"name": "orders_get", "arguments": {"order_id": "7001001", "fresh": true}});
    for _ in 0..70 {
        server.ask("tools/call", &fresh);
    }
    for _ in 0..70 {
        server.frame();
    }
    let counted = Counted::after(&home, server);
    let hits = |kind: &str| {
        let label = format!("limit_type={kind}");
        counted.sum("rate_limit_hits_total", &[label.as_str()])
    };
    assert!(hits("tenant_reads") > 0);
    assert_eq!(hits("store_quota"), 0);
}

#[test]
fn reading_a_resource_counts_as_a_call_of_the_tool_that_reads_the_same() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    let mut server = home.session();
    for id in ["7001001", "7001002", "999"] {
        let uri = format!("orderdesk://4242/orders/{id}");
        server.request("resources/read", &json!({ "uri": uri }));
    }
    let counted = Counted::after(&home, server);
    for (status, times) in [("success", 2), ("error", 1)] {
        let status = format!("status={status}");
        let labels = ["tool_name=orders_get", status.as_str()];
        assert_eq!(counted.sum("mcp_tool_calls_total", &labels), times);
    }
    let labels = ["mcp_method_name=resources/read"];
    assert_eq!(
        counted.sum("mcp_server_operation_duration_seconds", &labels),
        3
    );
}
