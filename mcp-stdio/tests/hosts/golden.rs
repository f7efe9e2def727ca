//! Each client's file before and after, as people have them, and what is printed for the clients that are configured by hand.

use std::fs;
use std::path::{Path, PathBuf};

use mcp_stdio::hosts::client::Format;
use mcp_stdio::hosts::{self, Client};

use super::kit::{Machine, client, edited, entry};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/hosts")
}

fn named(client: &Client, stem: &str) -> PathBuf {
    let ending = match client.format {
        Format::Jsonc => "json",
        Format::Toml => "toml",
        Format::Yaml => "yaml",
    };
    folder().join(client.id).join(format!("{stem}.{ending}"))
}

/// Compares with a golden file. `UPDATE_GOLDEN=1` writes it instead.
fn compare(path: &Path, text: &str) {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    if update {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let wanted = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        text,
        wanted,
        "{} differs; UPDATE_GOLDEN=1 writes it anew",
        path.display()
    );
}

#[test]
fn an_entry_goes_into_each_file_and_out_again_and_the_rest_is_as_it_was() {
    for client in edited() {
        let before = fs::read_to_string(named(client, "before")).unwrap();
        let machine = Machine::holding(client.id, &before);

        let done = machine.install(client.id).unwrap();
        assert!(done.changed, "{}", client.id);
        compare(&named(client, "after"), &machine.text(client.id));
        assert_eq!(fs::read_to_string(done.backup.unwrap()).unwrap(), before);
        assert_eq!(machine.installed(client.id), Some(entry()), "{}", client.id);

        let again = machine.install(client.id).unwrap();
        assert_eq!(
            (again.changed, again.backup),
            (false, None),
            "{}",
            client.id
        );

        assert!(machine.uninstall(client.id).unwrap().changed);
        assert_eq!(machine.text(client.id), before, "{}", client.id);
        assert_eq!(machine.installed(client.id), None);
    }
}

#[test]
fn a_client_without_a_file_gets_one_and_keeps_it_tidy() {
    for client in edited() {
        let machine = Machine::new();
        let path = machine.file(client.id);
        fs::create_dir_all(client.candidate(&machine.places()).unwrap().folder).unwrap();
        let done = machine.install(client.id).unwrap();
        assert_eq!((done.changed, done.backup, &done.path), (true, None, &path));
        assert!(
            !machine.install(client.id).unwrap().changed,
            "{}",
            client.id
        );
        let made = machine.text(client.id);
        compare(&named(client, "made"), &made);
        assert_eq!(
            made,
            hosts::snippet(client, &entry()).unwrap(),
            "{}",
            client.id
        );

        machine.uninstall(client.id).unwrap();
        let empty = match client.format {
            Format::Jsonc => format!("{{\n  \"{}\": {{}}\n}}\n", client.container),
            Format::Toml => String::new(),
            Format::Yaml => format!("{}: {{}}\n", client.container),
        };
        assert_eq!(machine.text(client.id), empty, "{}", client.id);
        machine.install(client.id).unwrap();
        assert_eq!(machine.text(client.id), made, "{}", client.id);
    }
}

#[test]
fn what_is_printed_for_clients_that_are_configured_by_hand() {
    for client in hosts::CLIENTS.iter().filter(|client| !client.is_edited()) {
        compare(
            &named(client, "snippet"),
            &hosts::snippet(client, &entry()).unwrap(),
        );
    }
}

#[test]
fn an_entry_without_variables_says_nothing_about_them() {
    let bare = hosts::Entry {
        env: Vec::new(),
        ..entry()
    };
    for client in hosts::CLIENTS {
        let text = hosts::snippet(client, &bare).unwrap();
        assert!(!text.contains("env"), "{}: {text}", client.id);
    }
}

#[test]
fn no_golden_file_is_left_of_a_client_that_is_gone() {
    for found in fs::read_dir(folder()).unwrap() {
        let id = found.unwrap().file_name().into_string().unwrap();
        let mut stems: Vec<String> = fs::read_dir(folder().join(&id))
            .unwrap()
            .map(|file| {
                file.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        stems.sort();
        let wanted: &[&str] = if client(&id).is_edited() {
            &["after", "before", "made"]
        } else {
            &["snippet"]
        };
        assert_eq!(stems, wanted, "{id}");
    }
}
