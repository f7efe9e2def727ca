//! When settings are wrong or the state file is unusable: the server still answers, and says what is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use support::{Home, sandbox};

#[test]
fn with_unusable_settings_every_call_answers_with_all_mistakes_and_nothing_is_sent() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox)
        .set("HTTP_TIMEOUT", "soon")
        .set("CACHE_TTL_ORDES", "5s");
    let mut server = home.session();
    for tool in ["orders_get", "server_status", "stores_list"] {
        let text = server.call(tool, json!({"order_id": "7001001"})).error();
        assert!(text.starts_with("bad_settings: "), "{text}");
        assert!(
            text.contains("HTTP_TIMEOUT") && text.contains("CACHE_TTL_ORDERS"),
            "{text}"
        );
    }
    assert!(sandbox.requests().is_empty());
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
}

#[test]
fn a_store_id_without_a_key_is_a_mistake_and_no_store_at_all_is_not() {
    let half = Home::new()
        .set("STORE_ID", "4242")
        .session()
        .call("orders_list", json!({}))
        .error();
    assert!(
        half.starts_with("bad_settings: ") && half.contains("API_KEY"),
        "{half}"
    );
    let none = Home::new().session().call("orders_list", json!({})).error();
    assert!(
        none.starts_with("no_store: ") && none.contains("ORDERDESK_MCP_API_KEY"),
        "{none}"
    );
    let status = Home::new().session().call("server_status", json!({})).ok();
    assert_eq!(status["status"], "degraded");
}

#[test]
fn the_key_is_never_shown_wherever_it_stands() {
    let key = "KEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEY";
    let home = Home::new()
        .set("STORE_ID", "4242")
        .set("API_KEY", key)
        .set("LOG", "trace")
        .set("API_BASE_URL", "http://127.0.0.1:9/api/v2");
    let mut server = home.session();
    let status = server.call("server_status", json!({}));
    let failed = server.call("orders_list", json!({"fresh": true, "limit": 1}));
    assert!(!status.text.contains(key) && !failed.text.contains(key));
    assert!(!failed.text.contains("127.0.0.1"), "{}", failed.text);
    server.close_stdin();
    server.exit();
    let log = server.stderr();
    assert!(!log.contains(key), "the key is in the log");
    assert!(!home.run(&["config"]).stdout.contains(key));
    assert!(!home.run(&["config", "--json"]).stdout.contains(key));
}

/// Starts a server in a spoilt home; reads must go on, and the status must say what is wrong.
fn serves_degraded(spoil: impl FnOnce(&Home), said: &str) {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    spoil(&home);
    let mut server = home.session();
    let status = server.call("server_status", json!({})).ok();
    assert_eq!(status["status"], "degraded", "{status}");
    assert!(status["degraded"].to_string().contains(said), "{status}");
    assert_eq!(
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .ok()["order"]["id"],
        "7001001"
    );
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
}

#[test]
fn a_corrupt_state_file_does_not_stop_reads() {
    serves_degraded(
        |home| {
            fs::create_dir_all(home.path()).unwrap();
            fs::write(home.state_db(), vec![0x5A; 8192]).unwrap();
        },
        "state file",
    );
}

#[test]
fn a_folder_where_the_state_file_should_be_does_not_stop_reads() {
    serves_degraded(
        |home| fs::create_dir_all(home.state_db()).unwrap(),
        "state file",
    );
}

#[test]
fn a_home_that_cannot_be_made_does_not_stop_reads() {
    let sandbox = sandbox();
    // Nobody can make a folder there, not even root.
    let home = Home::with_store(&sandbox).set("HOME", "/proc/orderdesk-mcp");
    let mut server = home.session();
    assert_eq!(
        server.call("server_status", json!({})).ok()["status"],
        "degraded"
    );
    assert_eq!(
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .ok()["order"]["id"],
        "7001001"
    );
}

#[test]
fn a_state_file_of_another_program_is_left_alone() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    fs::create_dir_all(home.path()).unwrap();
    fs::write(
        home.state_db(),
        "not a database at all, but somebody's text",
    )
    .unwrap();
    let before = fs::read(home.state_db()).unwrap();
    let mut server = home.session();
    server
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
    server.close_stdin();
    server.exit();
    assert_eq!(fs::read(home.state_db()).unwrap(), before);
}

#[test]
fn a_state_file_that_vanishes_while_serving_does_not_stop_reads() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    let mut server = home.session();
    server
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
    for entry in fs::read_dir(home.path())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("state.db"))
    {
        fs::remove_file(entry.path()).unwrap();
    }
    assert_eq!(
        server
            .call("orders_get", json!({"order_id": "7001002", "fresh": true}))
            .ok()["order"]["id"],
        "7001002"
    );
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
}

#[test]
fn the_state_file_is_for_its_owner_only() {
    let home = Home::new();
    let mut server = home.session();
    server.call("server_status", json!({})).ok();
    let mode = fs::metadata(home.state_db()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

/// A limit on file sizes sends a signal whose default action kills.
#[test]
fn a_file_size_limit_does_not_kill_the_server_and_nothing_is_changed_without_a_record() {
    let sandbox = sandbox();
    let home = Home::with_store(&sandbox);
    // A first life makes the file while there is room.
    let mut first = home.session();
    first.call("server_status", json!({})).ok();
    first.close_stdin();
    first.exit();

    let mut limited = std::process::Command::new("sh");
    limited.args([
        "-c",
        "ulimit -f 1; exec \"$0\"",
        env!("CARGO_BIN_EXE_mcp-stdio"),
    ]);
    let from_home = home.command();
    limited.envs(
        from_home
            .get_envs()
            .filter_map(|(name, value)| value.map(|value| (name, value))),
    );
    let mut server = support::Server::spawn(&mut limited);
    server.initialize();
    for _ in 0..3 {
        assert_eq!(
            server
                .call("orders_get", json!({"order_id": "7001001", "fresh": true}))
                .ok()["order"]["id"],
            "7001001"
        );
    }
    let change = json!({"order_id": "7001001", "changes": {"email": "new@example.com"}});
    let refused = server.call("orders_update", change).error();
    assert!(refused.starts_with("no_record: "), "{refused}");
    let only_reads = |request: &orderdesk_sandbox::Request| request.method == "GET";
    assert!(sandbox.requests().iter().all(only_reads));
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
}

/// A small file system of its own; gone when dropped. `None` where the user may not mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(options: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", options, "tmpfs"], folder.path());
        if !mounted {
            eprintln!("skipped: this user may not mount a file system");
        }
        mounted.then_some(SmallDisk(folder))
    }

    fn home_of(&self, sandbox: &orderdesk_sandbox::Sandbox) -> Home {
        Home::with_store(sandbox).set("HOME", self.0.path().join("home").to_str().unwrap())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0.path())
            .status();
    }
}

fn mount(arguments: &[&str], folder: &std::path::Path) -> bool {
    let mut command = std::process::Command::new("mount");
    command
        .args(arguments)
        .arg(folder)
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn on_a_full_disk_reads_go_on_and_the_status_says_so() {
    let Some(disk) = SmallDisk::new("size=2m") else {
        return;
    };
    let sandbox = sandbox();
    let mut server = disk.home_of(&sandbox).session();
    server
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
    let mut filler = fs::File::create(disk.0.path().join("filler")).unwrap();
    while std::io::Write::write(&mut filler, &[0; 4096]).is_ok() {}

    for id in ["7001002", "7001003"] {
        assert_eq!(
            server
                .call("orders_get", json!({"order_id": id, "fresh": true}))
                .ok()["order"]["id"],
            id
        );
    }
    let status = support::wait_for("the status to say so", || {
        let status = server.call("server_status", json!({})).ok();
        (status["status"] == "degraded").then_some(status)
    });
    assert!(
        status["degraded"].to_string().contains("telemetry"),
        "{status}"
    );
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
}

#[test]
fn on_a_disk_that_is_full_from_the_start_the_server_serves() {
    let Some(disk) = SmallDisk::new("size=16k") else {
        return;
    };
    let sandbox = sandbox();
    let mut server = disk.home_of(&sandbox).session();
    assert_eq!(
        server.call("server_status", json!({})).ok()["status"],
        "degraded"
    );
    assert_eq!(
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .ok()["order"]["id"],
        "7001001"
    );
}

#[test]
fn on_a_read_only_disk_the_server_serves() {
    let Some(disk) = SmallDisk::new("size=4m") else {
        return;
    };
    let sandbox = sandbox();
    let home = disk.home_of(&sandbox);
    let mut first = home.session();
    first.call("server_status", json!({})).ok();
    first.close_stdin();
    first.exit();
    assert!(mount(&["-o", "remount,ro"], disk.0.path()));

    let mut server = home.session();
    assert_eq!(
        server.call("server_status", json!({})).ok()["status"],
        "degraded"
    );
    assert_eq!(
        server
            .call("orders_get", json!({"order_id": "7001001"}))
            .ok()["order"]["id"],
        "7001001"
    );
    server.close_stdin();
    assert_eq!(server.exit().0, Some(0));
}
