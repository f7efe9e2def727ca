//! What a running server does when its key is changed or in a keyring, or its state file goes.

use serde_json::json;

use crate::kit::{OURS, add, home, shops};
use crate::support::{Server, wait_for};

#[test]
fn a_server_with_a_key_file_goes_on_after_a_rotation() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let mut server = home.session();
    server.call("orders_list", json!({"limit": 1})).ok();
    home.run(&["key", "rotate", "--yes"]).fine();
    let fresh = json!({"limit": 1, "fresh": true});
    server.call("orders_list", fresh).ok();
    let status = server.call("server_status", json!({})).ok();
    assert_eq!(status["tenant"]["key_version"], 2);
}

#[test]
fn a_server_with_an_old_key_in_its_environment_says_that_the_key_was_rotated() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let old = std::fs::read_to_string(home.path().join("master.key")).unwrap();
    let mut server = Server::spawn(home.command().env("ORDERDESK_MCP_MASTER_KEY", old.trim()));
    server.initialize();
    server.call("orders_list", json!({"limit": 1})).ok();
    home.run(&["key", "rotate", "--yes"]).fine();
    let before = sandbox.requests().len();
    for tool in ["orders_list", "stores_list", "stores_use"] {
        let text = server.call(tool, json!({"store": OURS})).text;
        if tool != "stores_list" {
            assert!(
                text.starts_with("key_rotated: the master key was rotated"),
                "{text}"
            );
            assert!(text.contains("ORDERDESK_MCP_MASTER_KEY"), "{text}");
        }
        assert!(!text.contains(old.trim()), "{text}");
    }
    assert_eq!(sandbox.requests().len(), before, "nothing is sent");
}

/// Reads go on without the state file, slower and uncached; what was unlocked before is still known.
#[cfg(unix)]
#[test]
fn a_sealed_store_is_read_on_while_the_state_file_is_unusable() {
    let sandbox = shops(1);
    let home = home(&sandbox);
    home.run(&["init"]).fine();
    add(&home, &[], &sandbox, 0, OURS);
    let mut server = home.session();
    server
        .call("orders_get", json!({"order_id": "7001001"}))
        .ok();
    std::fs::rename(home.state_db(), home.path().join("gone.db")).unwrap();
    std::fs::create_dir(home.state_db()).unwrap();
    wait_for("the server to notice", || {
        let status = server.call("server_status", json!({})).ok();
        (status["degraded"].to_string().contains("state file")).then_some(())
    });
    let named = json!({"order_id": "7001002", "store": OURS});
    server.call("orders_get", named).ok();
}

/// A desktop's keyring may open a window; on a machine without one there is nobody to ask.
#[cfg(target_os = "linux")]
#[test]
fn a_keyring_is_asked_when_a_store_is_needed_and_not_for_a_status() {
    let sandbox = shops(1);
    let home = home(&sandbox).set("KEY_SOURCE", "keyring");
    let mut command = home.command();
    command
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .env_remove("XDG_RUNTIME_DIR");
    let mut server = Server::spawn(&mut command);
    server.initialize();
    let status = server.call("server_status", json!({})).ok();
    let source = status["tenant"]["key_source"].as_str().unwrap();
    assert!(source.contains("keyring"), "{status}");
    assert_eq!(status["status"], "ok", "{status}");
    for tool in ["orders_list", "stores_list"] {
        let text = server.call(tool, json!({})).error();
        assert!(text.starts_with("keyring: "), "{text}");
    }
}
