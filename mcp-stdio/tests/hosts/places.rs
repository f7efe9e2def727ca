//! Where each client's file is, on each platform.

use std::fs;

use mcp_stdio::hosts::{HostError, Places, Platform};
use shared::env::Vars;

use super::kit::{Machine, client, edited};

const MAC: &str = "Library/Application Support";
const ROAMING: &str = "AppData/Roaming";

#[test]
fn each_client_has_its_file_on_each_platform() {
    let table = [
        (
            "claude-desktop",
            ".config/Claude/claude_desktop_config.json",
            format!("{MAC}/Claude/claude_desktop_config.json"),
            format!("{ROAMING}/Claude/claude_desktop_config.json"),
        ),
        (
            "claude-code",
            ".claude.json",
            ".claude.json".to_owned(),
            ".claude.json".to_owned(),
        ),
        (
            "cursor",
            ".cursor/mcp.json",
            ".cursor/mcp.json".to_owned(),
            ".cursor/mcp.json".to_owned(),
        ),
        (
            "vscode",
            ".config/Code/User/mcp.json",
            format!("{MAC}/Code/User/mcp.json"),
            format!("{ROAMING}/Code/User/mcp.json"),
        ),
        (
            "zed",
            ".config/zed/settings.json",
            ".config/zed/settings.json".to_owned(),
            format!("{ROAMING}/Zed/settings.json"),
        ),
        (
            "codex",
            ".codex/config.toml",
            ".codex/config.toml".to_owned(),
            ".codex/config.toml".to_owned(),
        ),
        (
            "gemini-cli",
            ".gemini/settings.json",
            ".gemini/settings.json".to_owned(),
            ".gemini/settings.json".to_owned(),
        ),
        (
            "goose",
            ".config/goose/config.yaml",
            ".config/goose/config.yaml".to_owned(),
            format!("{ROAMING}/Block/goose/config/config.yaml"),
        ),
    ];
    assert_eq!(table.len(), edited().count());
    for (id, linux, mac, windows) in table {
        for (platform, below_home) in [
            (Platform::Linux, linux),
            (Platform::MacOs, &mac),
            (Platform::Windows, &windows),
        ] {
            let machine = Machine::on(platform);
            assert_eq!(
                machine.file(id),
                machine.home().join(below_home),
                "{id} on {platform:?}"
            );
        }
    }
}

#[test]
fn the_variables_of_platforms_and_clients_move_files() {
    let moved = [
        (
            Platform::Linux,
            "XDG_CONFIG_HOME",
            "vscode",
            "Code/User/mcp.json",
        ),
        (
            Platform::Linux,
            "XDG_CONFIG_HOME",
            "zed",
            "zed/settings.json",
        ),
        (
            Platform::MacOs,
            "XDG_CONFIG_HOME",
            "goose",
            "goose/config.yaml",
        ),
        (
            Platform::Windows,
            "APPDATA",
            "claude-desktop",
            "Claude/claude_desktop_config.json",
        ),
        (
            Platform::Linux,
            "CLAUDE_CONFIG_DIR",
            "claude-code",
            ".claude.json",
        ),
        (Platform::MacOs, "CODEX_HOME", "codex", "config.toml"),
        (
            Platform::Windows,
            "GOOSE_PATH_ROOT",
            "goose",
            "config/config.yaml",
        ),
    ];
    for (platform, variable, id, file) in moved {
        let machine = Machine::on(platform).set(variable, "elsewhere");
        assert_eq!(
            machine.file(id),
            machine.home().join("elsewhere").join(file),
            "{id}, {variable}"
        );
    }
    let mac = Machine::on(Platform::MacOs).set("XDG_CONFIG_HOME", "elsewhere");
    assert_eq!(
        mac.file("zed"),
        mac.home().join(".config/zed/settings.json")
    );
}

#[test]
fn a_packaged_claude_desktop_reads_its_private_copy_of_the_settings() {
    let machine = Machine::on(Platform::Windows);
    let ordinary = machine.home().join(ROAMING).join("Claude");
    fs::create_dir_all(&ordinary).unwrap();
    fs::write(ordinary.join("claude_desktop_config.json"), "{}").unwrap();
    let package = |id: &str| {
        let packages = machine.home().join("AppData/Local/Packages");
        packages.join(id).join("LocalCache/Roaming/Claude")
    };
    fs::create_dir_all(package("Claude_aaaa")).unwrap();
    fs::create_dir_all(package("Claude_pzs8sxrjxfjjc")).unwrap();
    fs::create_dir_all(package("Other_1")).unwrap();
    let file = package("Claude_pzs8sxrjxfjjc").join("claude_desktop_config.json");
    fs::write(&file, "{}").unwrap();

    assert_eq!(machine.file("claude-desktop"), file);
    machine.install("claude-desktop").unwrap();
    assert!(fs::read_to_string(file).unwrap().contains("orderdesk"));
    assert_eq!(
        fs::read_to_string(ordinary.join("claude_desktop_config.json")).unwrap(),
        "{}"
    );
}

#[test]
fn the_spelling_that_exists_is_used() {
    let machine = Machine::new();
    fs::create_dir_all(machine.home().join(".config/claude")).unwrap();
    fs::create_dir_all(machine.home().join(".config/Code - Insiders")).unwrap();
    // On a file system that does not tell cases apart, both spellings are the same folder.
    let file = machine
        .file("claude-desktop")
        .to_str()
        .unwrap()
        .to_lowercase();
    assert!(file.ends_with(".config/claude/claude_desktop_config.json"));
    assert_eq!(
        machine.file("vscode"),
        machine.home().join(".config/Code - Insiders/User/mcp.json")
    );
}

#[test]
fn a_user_without_a_home_is_told_which_variable_is_missing() {
    let nowhere = Places::on(Platform::Windows, &Vars::default());
    for client in edited() {
        let refused = client.candidate(&nowhere).unwrap_err();
        assert!(
            matches!(
                refused,
                HostError::NoHome {
                    variable: "USERPROFILE",
                    ..
                }
            ),
            "{}",
            client.id
        );
        assert!(client.whereabouts(&nowhere).contains("USERPROFILE"));
    }
}

#[test]
fn a_client_that_is_configured_by_hand_says_so_and_where() {
    let machine = Machine::new();
    assert!(matches!(
        machine.install("kiro"),
        Err(HostError::PrintOnly { id: "kiro", .. })
    ));
    assert_eq!(
        client("kiro").whereabouts(&machine.places()),
        "~/.kiro/settings/mcp.json"
    );
    assert_eq!(
        client("codex").whereabouts(&machine.places()),
        machine.file("codex").display().to_string()
    );
}
