//! An entry that is there already: what is ours is brought up to date, what is the user's stays.

use std::path::PathBuf;

use mcp_stdio::hosts::{Entry, HostError};

use super::kit::{Machine, entry};

/// Our entry after the program and the home moved.
fn moved() -> Entry {
    Entry {
        command: PathBuf::from("/usr/local/bin/mcp-stdio"),
        args: vec![
            "--home".to_owned(),
            "/srv/shop".to_owned(),
            "serve".to_owned(),
        ],
        env: Vec::new(),
        ..entry()
    }
}

#[test]
fn json_keeps_what_the_user_added_to_our_entry() {
    let before = r#"{
  "mcpServers": {
    "orderdesk": {
      // ours, by the shop
      "command": "/old/mcp-stdio", // moved soon
      "args": ["serve"],
      "env": {
        "ORDERDESK_MCP_HOME": "/old/home",
        "ORDERDESK_MCP_LOG": "debug" // while we look for the bug
      },
      "autoApprove": ["orders_list"],
      "disabled": true
    }
  }
}
"#;
    let after = r#"{
  "mcpServers": {
    "orderdesk": {
      // ours, by the shop
      "command": "/usr/local/bin/mcp-stdio", // moved soon
      "args": ["--home", "/srv/shop", "serve"],
      "env": {
        "ORDERDESK_MCP_LOG": "debug" // while we look for the bug
      },
      "autoApprove": ["orders_list"],
      "disabled": true
    }
  }
}
"#;
    let machine = Machine::holding("cursor", before);
    assert!(machine.install_as("cursor", &moved()).unwrap().changed);
    assert_eq!(machine.text("cursor"), after);
}

#[test]
fn toml_keeps_what_the_user_added_to_our_entry() {
    let before = r#"[mcp_servers.orderdesk]
command = "/old/mcp-stdio" # moved soon
args = ["serve"]
startup_timeout_sec = 20   # slow disk

[mcp_servers.orderdesk.env]
ORDERDESK_MCP_HOME = "/old/home"
ORDERDESK_MCP_LOG = "debug"

[tui]
notifications = true
"#;
    let after = r#"[mcp_servers.orderdesk]
command = "/usr/local/bin/mcp-stdio" # moved soon
args = ["--home", "/srv/shop", "serve"]
startup_timeout_sec = 20   # slow disk

[mcp_servers.orderdesk.env]
ORDERDESK_MCP_LOG = "debug"

[tui]
notifications = true
"#;
    let machine = Machine::holding("codex", before);
    assert!(machine.install_as("codex", &moved()).unwrap().changed);
    assert_eq!(machine.text("codex"), after);
}

#[test]
fn yaml_keeps_what_the_user_added_to_our_entry() {
    let before = "\
extensions:
  orderdesk:
    name: Order Desk   # as shown
    type: stdio
    enabled: false     # on holiday
    cmd: /old/mcp-stdio # moved soon
    args:
      - serve
    envs:
      ORDERDESK_MCP_HOME: /old/home
      ORDERDESK_MCP_LOG: debug
    timeout: 60
    available_tools: [orders_list]
GOOSE_MODE: auto
";
    let after = "\
extensions:
  orderdesk:
    name: Order Desk   # as shown
    type: stdio
    enabled: false     # on holiday
    cmd: /usr/local/bin/mcp-stdio # moved soon
    args:
      - \"--home\"
      - /srv/shop
      - serve
    envs:
      ORDERDESK_MCP_LOG: debug
    timeout: 60
    available_tools: [orders_list]
GOOSE_MODE: auto
";
    let machine = Machine::holding("goose", before);
    assert!(machine.install_as("goose", &moved()).unwrap().changed);
    assert_eq!(machine.text("goose"), after);
}

#[test]
fn a_home_that_is_given_is_written_beside_the_users_variables() {
    for (id, before) in [
        (
            "cursor",
            r#"{"mcpServers": {"orderdesk": {"command": "/x", "env": {"A": "1"}}}}"#,
        ),
        (
            "codex",
            "[mcp_servers.orderdesk]\ncommand = '/x'\nenv = { A = '1' }\n",
        ),
        (
            "goose",
            "extensions:\n  orderdesk:\n    cmd: /x\n    envs:\n      A: '1'\n",
        ),
    ] {
        let machine = Machine::holding(id, before);
        machine.install(id).unwrap();
        let mut env = machine.installed(id).unwrap().env;
        assert_eq!(env.remove(0), ("A".to_owned(), "1".to_owned()), "{id}");
        assert_eq!(env, entry().env, "{id}");
    }
}

#[test]
fn an_entry_for_another_kind_of_server_is_not_bent_into_ours() {
    for (id, before) in [
        (
            "claude-code",
            r#"{"mcpServers": {"orderdesk": {"type": "http", "url": "https://x"}}}"#,
        ),
        (
            "gemini-cli",
            r#"{"mcpServers": {"orderdesk": {"httpUrl": "https://x"}}}"#,
        ),
        (
            "zed",
            r#"{"context_servers": {"orderdesk": {"source": "extension", "settings": {}}}}"#,
        ),
        ("codex", "[mcp_servers.orderdesk]\nurl = 'https://x'\n"),
        (
            "goose",
            "extensions:\n  orderdesk:\n    type: sse\n    uri: https://x\n",
        ),
    ] {
        let machine = Machine::holding(id, before);
        let refused = machine.install(id).unwrap_err();
        assert!(
            matches!(refused, HostError::Foreign { .. }),
            "{id}: {refused}"
        );
        assert_eq!(machine.text(id), before);
    }
}

#[test]
fn doctor_sees_a_command_that_moved() {
    let machine = Machine::holding(
        "codex",
        "[mcp_servers.orderdesk]\ncommand = '/gone/mcp-stdio'\n",
    );
    let found = machine.installed("codex").unwrap();
    assert_eq!(found.command, PathBuf::from("/gone/mcp-stdio"));
    assert!(found.args.is_empty() && found.env.is_empty());
}
