//! The audit and the home's files, as a running sidecar sees them.

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::audit::{self, Actor, Chain, Entry, Signer, action, checkpoint};
use shared::paths::Home;
use shared::state::tables::audit as rows;
use shared::state::{Durability, State};
use support::{Answer, Sidecar, TOKEN};

/// Somebody's key, as far as this test needs one.
struct Key;

impl Signer for Key {
    fn key_version(&self) -> u32 {
        1
    }

    fn mac(&self, _: u32, _: &[u8]) -> Option<[u8; 32]> {
        Some([7; 32])
    }
}

const TENANT: &str = "5f0c1d2e3a4b5c6d7e8f901234567890";

fn record(home: &Path, chain: &Chain, times: usize) {
    record_at(home, chain, times, Timestamp::now());
}

fn record_at(home: &Path, chain: &Chain, times: usize, at: Timestamp) {
    let state = State::open(&Home::at(home)).expect("a state file");
    let actor = Actor::cli();
    let entry = Entry::done(&actor, action::STORE_ADDED, Some("Main shop"));
    let signer: Option<&dyn Signer> = if chain.is_signed() { Some(&Key) } else { None };
    for _ in 0..times {
        state
            .write("test", Durability::Full, |writing| {
                audit::append(writing, chain, &entry, at.as_millisecond(), signer)
            })
            .expect("a record");
    }
}

/// Takes the chain's records after `keep`, and changes the one at `change`, as somebody with a hand in the file would.
fn tamper(home: &Path, chain: &Chain, keep: i64, change: Option<i64>) {
    let state = State::open(&Home::at(home)).expect("a state file");
    state
        .write("test", Durability::Full, |writing| {
            let all = rows::page(writing, chain.as_str(), 0, 1_000)?;
            rows::delete_through(writing, chain.as_str(), i64::MAX)?;
            for mut row in all.into_iter().filter(|row| row.seq <= keep) {
                if Some(row.seq) == change {
                    row.target = Some("Another shop".to_owned());
                }
                rows::insert(writing, &row)?;
            }
            Ok(())
        })
        .expect("a forgery");
}

fn start(home: &Path) -> Sidecar {
    Sidecar::start_with(home, &[("ADMIN_TOKEN", TOKEN)]).ready()
}

fn details(sidecar: &Sidecar, is_right: impl Fn(&Value) -> bool) -> Value {
    let answer = sidecar.until_with_token("/health/detailed", |answer| is_right(&answer.json()));
    answer.json()
}

fn finding<'a>(body: &'a Value, id: &str) -> Option<&'a Value> {
    body["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| finding["id"] == id)
}

fn has_line(answer: &Answer, line: &str) -> bool {
    answer.body.lines().any(|have| have == line)
}

#[test]
fn every_chain_is_shown_and_kept_as_a_checkpoint_by_the_page_and_by_a_file() {
    let folder = tempfile::tempdir().expect("a home");
    let tenant = Chain::Tenant(TENANT.to_owned());
    record(folder.path(), &tenant, 3);
    record(folder.path(), &Chain::Env, 2);
    let sidecar = start(folder.path());
    let page = sidecar.until("/metrics", |answer| {
        has_line(
            answer,
            &format!("orderdesk_mcp_audit_rows{{tenant_id=\"{TENANT}\"}} 3"),
        )
    });
    assert!(has_line(
        &page,
        "orderdesk_mcp_audit_chain_ok{tenant_id=\"env\"} 1"
    ));
    let state = State::open(&Home::at(folder.path())).expect("a state file");
    let head = state
        .read("test", |reading| audit::head(reading, &tenant))
        .expect("a chain");
    let start = u64::from_str_radix(&head.hash_hex()[..12], 16).expect("hex");
    let line = format!("orderdesk_mcp_audit_head{{tenant_id=\"{TENANT}\"}} {start}");
    assert!(has_line(&page, &line), "{line} in {}", page.body);
    let points = checkpoint::read(&Home::at(folder.path())).expect("checkpoints");
    assert!(
        points
            .iter()
            .any(|point| point.chain == tenant && point.head == head),
        "{points:?}"
    );
    let body = details(&sidecar, |body| !body["components"]["audit"].is_null());
    assert_eq!(body["components"]["audit"]["chains"][0]["chain"], "env");
    assert_eq!(finding(&body, "audit.chain_broken"), None);
}

#[test]
fn a_tail_cut_under_a_running_sidecar_is_a_failure_that_leaves_it_ready() {
    let folder = tempfile::tempdir().expect("a home");
    let tenant = Chain::Tenant(TENANT.to_owned());
    record(folder.path(), &tenant, 4);
    let sidecar = start(folder.path());
    sidecar.until("/metrics", |answer| {
        answer.body.contains("orderdesk_mcp_audit_chain_ok{")
    });
    tamper(folder.path(), &tenant, 2, None);
    let body = details(&sidecar, |body| {
        finding(body, "audit.chain_broken").is_some()
    });
    let found = finding(&body, "audit.chain_broken").expect("found");
    assert_eq!(found["level"], "fail");
    let summary = found["summary"].as_str().expect("text");
    assert!(
        summary.contains(TENANT) && !summary.contains("shop"),
        "{summary}"
    );
    sidecar.until("/metrics", |answer| {
        has_line(
            answer,
            &format!("orderdesk_mcp_audit_chain_ok{{tenant_id=\"{TENANT}\"}} 0"),
        )
    });
    assert_eq!(sidecar.get("/health/ready").status, 200);
}

#[test]
fn what_was_done_to_the_chains_while_no_sidecar_ran_is_found_at_its_start() {
    let folder = tempfile::tempdir().expect("a home");
    record(folder.path(), &Chain::Env, 4);
    let first = start(folder.path());
    details(&first, |body| !body["components"]["audit"].is_null());
    drop(first);
    tamper(folder.path(), &Chain::Env, 4, Some(2));
    let body = details(&start(folder.path()), |body| {
        finding(body, "audit.chain_broken").is_some()
    });
    let found = finding(&body, "audit.chain_broken").expect("found");
    assert_eq!(
        found["summary"],
        "in the audit of `env`, record 2 was changed after it was written"
    );
}

#[test]
fn old_records_go_and_the_chain_stays_whole() {
    let folder = tempfile::tempdir().expect("a home");
    let long_ago = Timestamp::now() - Duration::from_secs(2 * 86_400);
    record_at(folder.path(), &Chain::Env, 4, long_ago);
    let settings = [("ADMIN_TOKEN", TOKEN), ("AUDIT_RETENTION", "1d")];
    let sidecar = Sidecar::start_with(folder.path(), &settings).ready();
    sidecar.until("/metrics", |answer| {
        has_line(answer, "orderdesk_mcp_audit_rows{tenant_id=\"system\"} 1")
            && has_line(answer, "orderdesk_mcp_audit_rows{tenant_id=\"env\"} 4")
            && has_line(answer, "orderdesk_mcp_audit_chain_ok{tenant_id=\"env\"} 1")
    });
    let state = State::open(&Home::at(folder.path())).expect("a state file");
    let left = state.read("test", |reading| rows::page(reading, "env", 0, 10));
    assert_eq!(left.expect("rows"), []);
}

#[test]
fn a_key_file_that_others_can_read_is_a_finding_until_its_permissions_are_mended() {
    let folder = tempfile::tempdir().expect("a home");
    let key = folder.path().join("master.key");
    fs::write(&key, "not for this program").expect("a file");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("a mode");
    let sidecar = start(folder.path());
    let body = details(&sidecar, |body| {
        finding(body, "home.master_key_exposed").is_some()
    });
    assert_eq!(body["components"]["home"]["master_key"], "exposed");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("a mode");
    let body = details(&sidecar, |body| {
        finding(body, "home.master_key_exposed").is_none()
    });
    assert_eq!(body["components"]["home"]["master_key"], "private");
}
