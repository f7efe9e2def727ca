//! A tenant's own limit, over all its windows: real processes on one home.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::{Duration, Instant};

use orderdesk_sandbox::{Bucket, Options, Sandbox};
use serde_json::json;
use support::{Home, PATIENCE, Reply, Server, wait_for};

/// A shop that would answer everybody at once: what is slow here is the tenant's limit alone.
fn open_shop() -> Sandbox {
    Sandbox::start_blocking(Options {
        bucket: Bucket::wide_open(),
        ..Options::default()
    })
    .unwrap()
}

fn home(sandbox: &Sandbox, requests_per_minute: &str) -> Home {
    Home::with_store(sandbox)
        .set("STORE_BURST", "100000")
        .set("STORE_RATE_PER_SECOND", "100000")
        .set("RATE_LIMIT_RPM", requests_per_minute)
}

/// Each of `servers` asks for `each` orders, all at once; gives every answer.
fn all_at_once(servers: &mut [Server], each: usize) -> Vec<Reply> {
    let asked: Vec<Vec<i64>> = servers
        .iter_mut()
        .map(|server| {
            let one = |number: usize| json!({"name": "orders_get", "arguments": {"order_id": (7_001_001 + number % 60).to_string(), "fresh": true}});
            (0..each)
                .map(|number| server.ask("tools/call", &one(number)))
                .collect()
        })
        .collect();
    let mut replies = Vec::new();
    for (server, ids) in servers.iter_mut().zip(asked) {
        for _ in ids {
            replies.push(Reply::from(&server.frame()));
        }
    }
    replies
}

#[test]
fn all_windows_together_get_twice_the_minutes_share_at_once_and_then_its_rate() {
    const RPM: usize = 6;
    let sandbox = open_shop();
    let home = home(&sandbox, &RPM.to_string());
    let mut servers: Vec<Server> = (0..4).map(|_| home.session()).collect();
    let began = Instant::now();
    let replies = all_at_once(&mut servers, 2 * RPM);
    // One token in ten seconds: on a machine that took that long, so many more went through.
    let grown = began.elapsed().as_secs() as usize * RPM / 60 + 1;
    let sent = sandbox.requests().len();
    assert!((2 * RPM..=2 * RPM + grown).contains(&sent), "{sent}");
    let (refused, answered): (Vec<Reply>, Vec<Reply>) =
        replies.into_iter().partition(|reply| reply.is_error);
    assert_eq!(answered.len(), sent);
    for reply in refused {
        let text = reply.text;
        assert!(text.starts_with("rate_limited: "), "{text}");
        assert!(
            text.contains("\nretry after: ") && text.contains("RATE_LIMIT_RPM"),
            "{text}"
        );
    }
    // What needs no request is not limited.
    for server in &mut servers {
        server.call("server_status", json!({})).ok();
        server.call("stores_list", json!({})).ok();
    }
}

#[test]
fn a_wait_of_up_to_two_seconds_is_waited_out() {
    let sandbox = open_shop();
    // Two in a second, after a burst of 240.
    let home = home(&sandbox, "120");
    let mut servers: Vec<Server> = (0..3).map(|_| home.session()).collect();
    let began = Instant::now();
    let replies = all_at_once(&mut servers, 81);
    let failed = replies.iter().find(|reply| reply.is_error);
    assert!(failed.is_none(), "{failed:?}");
    assert_eq!(sandbox.requests().len(), 243);
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn what_was_said_about_waiting_holds() {
    let sandbox = open_shop();
    // A burst of 40, then one in three seconds.
    let mut servers = [home(&sandbox, "20").session()];
    let replies = all_at_once(&mut servers, 45);
    let refused = replies.iter().find(|reply| reply.is_error).unwrap();
    let seconds = refused.text.split("retry after: ").nth(1).unwrap();
    let seconds: u64 = seconds.split(' ').next().unwrap().parse().unwrap();
    assert!((1..=3).contains(&seconds), "{}", refused.text);
    let told = Instant::now();
    let fresh = json!({"order_id": "7001001", "fresh": true});
    wait_for("the time that was said", || {
        (told.elapsed() >= Duration::from_secs(seconds)).then_some(())
    });
    servers[0].call("orders_get", fresh).ok();
}

#[test]
fn zero_switches_the_limit_off() {
    let sandbox = open_shop();
    let mut servers = [home(&sandbox, "0").session()];
    let replies = all_at_once(&mut servers, 60);
    assert!(replies.iter().all(|reply| !reply.is_error));
    let status = servers[0].call("server_status", json!({})).ok();
    assert!(
        status["quota"]["tenant_reads_available"].is_null(),
        "{status}"
    );
}

#[test]
fn the_status_says_what_is_left() {
    let sandbox = open_shop();
    let mut server = home(&sandbox, "60").session();
    let full = server.call("server_status", json!({})).ok();
    assert_eq!(full["quota"]["tenant_reads_available"], 120.0);
    let fresh = json!({"order_id": "7001001", "fresh": true});
    server.call("orders_get", fresh).ok();
    let left = server.call("server_status", json!({})).ok();
    assert!(
        left["quota"]["tenant_reads_available"].as_f64().unwrap() < 120.0,
        "{left}"
    );
}
