//! What happens to the file itself: links, permissions, backups, other programs.

use std::fs;

use mcp_stdio::hosts::{self, Entry, Folder, HostError};

use super::kit::{Machine, client, entry, now};

#[test]
fn a_client_that_is_not_there_is_not_made_up_unless_asked() {
    let machine = Machine::new();
    for id in ["cursor", "vscode", "goose", "codex"] {
        let refused = machine.install(id).unwrap_err();
        assert!(
            matches!(refused, HostError::NotInstalled { .. }),
            "{id}: {refused}"
        );
        assert!(refused.hint().contains("--force"), "{id}");
    }
    assert_eq!(fs::read_dir(machine.home()).unwrap().count(), 0);

    let forced = hosts::install(
        client("goose"),
        &machine.places(),
        &entry(),
        Folder::MayBeMade,
        now(),
    );
    assert!(forced.unwrap().changed);
    assert!(machine.installed("goose").is_some());
}

#[test]
fn claude_code_needs_no_folder_of_its_own() {
    let machine = Machine::new();
    assert!(machine.install("claude-code").unwrap().changed);
    assert!(machine.text("claude-code").contains("\"type\": \"stdio\""));
}

#[test]
fn a_backup_is_made_when_something_changes_and_only_then() {
    let machine = Machine::holding("cursor", "{}\n");
    let done = machine.install("cursor").unwrap();
    let name = done
        .backup
        .unwrap()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(name, "mcp.json.backup-20261121T153000Z");
    machine.install("cursor").unwrap();
    assert_eq!(
        machine.beside("cursor").len(),
        2,
        "{:?}",
        machine.beside("cursor")
    );

    machine.uninstall("cursor").unwrap();
    assert_eq!(
        machine.beside("cursor")[2],
        "mcp.json.backup-20261121T153000Z-2"
    );
    machine.uninstall("cursor").unwrap();
    assert_eq!(machine.beside("cursor").len(), 3);
}

#[test]
fn nothing_is_left_beside_the_file_but_backups() {
    let machine = Machine::holding("cursor", "{\"mcpServers\": []}");
    machine.install("cursor").unwrap_err();
    assert_eq!(machine.beside("cursor"), ["mcp.json"]);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_its_target_is_changed() {
    let machine = Machine::holding("zed", "{}\n");
    let (link, target) = (machine.file("zed"), machine.home().join("dotfiles.json"));
    fs::rename(&link, &target).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let done = machine.install("zed").unwrap();
    assert!(link.is_symlink());
    assert!(fs::read_to_string(&target).unwrap().contains("orderdesk"));
    assert_eq!(
        done.backup.unwrap().parent(),
        link.parent(),
        "not among the dotfiles"
    );

    fs::remove_file(&target).unwrap();
    assert!(matches!(
        machine.install("zed"),
        Err(HostError::DanglingLink { .. })
    ));
    assert!(link.is_symlink());
}

#[cfg(unix)]
#[test]
fn permissions_stay_and_a_new_file_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let bits = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for wanted in [0o600, 0o644, 0o664] {
        let machine = Machine::holding("codex", "");
        let path = machine.file("codex");
        fs::set_permissions(&path, fs::Permissions::from_mode(wanted)).unwrap();
        let done = machine.install("codex").unwrap();
        assert_eq!(bits(path), wanted);
        assert_eq!(
            bits(done.backup.unwrap()),
            wanted,
            "a backup is no wider than the original"
        );
    }
    let machine = Machine::new();
    machine.install("claude-code").unwrap();
    assert_eq!(bits(machine.file("claude-code")), 0o600);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_is_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::holding("cursor", "{}\n");
    let folder = machine.file("cursor").parent().unwrap().to_owned();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let tried = machine.install("cursor");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    // The super-user may write everywhere; then there is nothing to see.
    if let Err(refused) = tried {
        assert!(matches!(refused, HostError::Write { .. }), "{refused}");
        assert_eq!(machine.text("cursor"), "{}\n");
        assert_eq!(machine.beside("cursor"), ["mcp.json"]);
    }
}

#[test]
fn installs_at_once_do_not_lose_each_others_entries() {
    for id in ["claude-code", "codex", "goose"] {
        let machine = Machine::new();
        fs::create_dir_all(machine.file(id).parent().unwrap()).unwrap();
        let names: Vec<String> = (0..8).map(|number| format!("shop-{number}")).collect();
        std::thread::scope(|scope| {
            for name in &names {
                let machine = &machine;
                scope.spawn(move || {
                    let entry = Entry {
                        name: name.clone(),
                        ..entry()
                    };
                    machine.install_as(id, &entry).unwrap();
                });
            }
        });
        for name in &names {
            let found = hosts::installed(client(id), &machine.places(), name).unwrap();
            assert!(
                found.is_some(),
                "{id}: {name} is lost in {}",
                machine.text(id)
            );
        }
    }
}

#[test]
fn a_client_that_reads_meanwhile_never_sees_a_part() {
    let machine = Machine::holding("claude-code", "{\"n\": 0}\n");
    let path = machine.file("claude-code");
    std::thread::scope(|scope| {
        let installer = scope.spawn(|| {
            for _ in 0..10 {
                machine.install("claude-code").unwrap();
                machine.uninstall("claude-code").unwrap();
            }
        });
        while !installer.is_finished() {
            let text = fs::read_to_string(&path).unwrap();
            let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(whole["n"], 0, "{text}");
        }
        installer.join().unwrap();
    });
}

#[test]
fn taking_out_what_is_not_there_is_fine() {
    let machine = Machine::new();
    assert!(!machine.uninstall("cursor").unwrap().changed);
    let machine = Machine::holding("cursor", "{ \"mcpServers\": { \"x\": {} } }");
    assert!(!machine.uninstall("cursor").unwrap().changed);
    assert_eq!(machine.text("cursor"), "{ \"mcpServers\": { \"x\": {} } }");
}
