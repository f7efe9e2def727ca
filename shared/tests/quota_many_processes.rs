//! One tenant in many windows: its limit is one for all of them, and what it is refused costs no store anything.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; a child process speaks on stdout"
)]

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use shared::clock::SystemClock;
use shared::paths::Home;
use shared::quota::{Limits, Quota, QuotaError, Want, Way, tenant_key};
use shared::state::Slot;

const HOME: &str = "QUOTA_TEST_HOME";
const STORE: &str = "QUOTA_TEST_STORE";

/// So slow that no token grows back while the test runs.
const TENANT: Limits = Limits {
    burst: 50,
    per_second: 0.000_1,
};
const STORES: Limits = Limits {
    burst: 1_000,
    per_second: 0.000_1,
};
const PROCESSES: usize = 8;
const ATTEMPTS: usize = 20;

#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the processes it starts"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn quota(home: &Home) -> Quota {
    let slot = Slot::new(home.clone());
    slot.open_now().unwrap();
    Quota::new(slot, STORES, Arc::new(SystemClock))
}

/// One window: asks for its store again and again, and says how often it was allowed to.
#[test]
fn child_process() {
    let (Some(home), Some(store)) = (variable(HOME), variable(STORE)) else {
        return;
    };
    let quota = quota(&Home::at(home));
    let tenant = tenant_key("t1", Way::Reads);
    let wants = [(&tenant, TENANT), (&store, STORES)].map(|(key, limits)| Want {
        key,
        limits,
        tokens: 1,
        patience: Duration::ZERO,
    });
    let granted = (0..ATTEMPTS)
        .filter(|_| match quota.reserve_all(&wants) {
            Ok(granted) => granted.wait.is_zero(),
            Err(QuotaError::TooBusy { want, .. }) => {
                assert_eq!(want, 0, "the store had places enough");
                false
            }
            Err(error) => panic!("{error}"),
        })
        .count();
    println!("granted {granted}.");
}

fn spawn(home: &Home, store: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_process", "--nocapture"])
        .env(HOME, home.root())
        .env(STORE, store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn granted(mut process: Child) -> u32 {
    let mut said = String::new();
    process
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(process.wait().unwrap().success(), "{said}");
    let number = said.split("granted ").nth(1).unwrap();
    number.split('.').next().unwrap().parse().unwrap()
}

#[test]
fn windows_of_a_tenant_share_its_limit_and_a_refusal_costs_no_store_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let watcher = quota(&home);
    let windows: Vec<Child> = (0..PROCESSES)
        .map(|window| spawn(&home, ["red", "blue"][window % 2]))
        .collect();
    let granted: Vec<u32> = windows.into_iter().map(granted).collect();
    assert_eq!(granted.iter().sum::<u32>(), TENANT.burst, "{granted:?}");

    let levels = watcher.snapshot().unwrap();
    for (offset, store) in ["red", "blue"].into_iter().enumerate() {
        let sent: u32 = granted.iter().skip(offset).step_by(2).sum();
        let left = levels
            .iter()
            .find(|level| level.store_key == store)
            .map_or(f64::from(STORES.burst), |level| level.available_tokens);
        let expected = f64::from(STORES.burst - sent);
        assert!((left - expected).abs() < 0.1, "{store}: {left}, {expected}");
    }
}
