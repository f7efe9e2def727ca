//! No key is ever written into another program's configuration, and nothing in this room could.

use std::fs;
use std::path::Path;

use mcp_stdio::hosts::{self, Entry, HostError};
use shared::env::SETTINGS;

use super::kit::{Machine, edited, entry};

#[test]
fn no_code_of_this_room_can_see_a_secret() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hosts");
    let mut read = 0;
    for file in fs::read_dir(room).unwrap() {
        let path = file.unwrap().path();
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        let code: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        for word in [
            "Secret<",
            "Secret::",
            "shared::secret",
            "vault::",
            "Settings::",
            "MASTER_KEY",
            "API_KEY",
            "expose",
        ] {
            assert!(!code.contains(word), "{} knows `{word}`", path.display());
        }
        read += 1;
    }
    assert!(read > 10, "the room moved");
}

#[test]
fn an_entry_with_a_secret_in_it_is_refused_before_anything_is_touched() {
    let secrets = SETTINGS.iter().filter(|setting| setting.kind.is_secret());
    for variable in secrets.map(|setting| setting.variable()) {
        let wrong = Entry {
            env: vec![(variable.clone(), "hunter2-hunter2".to_owned())],
            ..entry()
        };
        for client in edited() {
            let machine = Machine::new();
            let refused = machine.install_as(client.id, &wrong).unwrap_err();
            assert!(
                matches!(refused, HostError::SecretInEntry { .. }),
                "{variable}"
            );
            assert!(!format!("{refused}{refused:?}").contains("hunter2"));
            assert_eq!(fs::read_dir(machine.home()).unwrap().count(), 0);
            assert!(hosts::snippet(client, &wrong).is_err());
        }
    }
}

#[test]
fn a_key_that_a_person_put_there_is_not_repeated_in_an_error() {
    let before = "{\"mcpServers\": {\"orderdesk\": {\"env\": {\"ORDERDESK_MCP_API_KEY\": \"hunter2\" \"x\"}}}}";
    let machine = Machine::holding("cursor", before);
    let refused = machine.install("cursor").unwrap_err();
    assert!(
        !format!("{refused} {refused:?} {}", refused.hint()).contains("hunter2"),
        "{refused}"
    );
}
