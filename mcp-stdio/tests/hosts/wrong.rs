//! Files that are not as they should be: refused with a place and a reason, and left as they are.

use std::fs;

use mcp_stdio::hosts::{self, Entry, HostError};

use super::kit::{Machine, client, edited, entry};

/// Tries to install, to take out and to look; the file must survive, and the first refusal is given back.
fn refused(id: &str, text: impl AsRef<[u8]>) -> HostError {
    let machine = Machine::holding(id, &text);
    let refused = machine
        .install(id)
        .expect_err("it should not have been accepted");
    assert_eq!(
        fs::read(machine.file(id)).unwrap(),
        text.as_ref(),
        "{id} was touched"
    );
    assert_eq!(machine.beside(id).len(), 1, "{id}: a backup of nothing");
    assert!(!refused.hint().is_empty());
    refused
}

#[test]
fn a_file_that_does_not_parse_is_refused_with_the_place() {
    let cases = [
        ("cursor", "{\n  \"a\": \n}", 3, 1),
        ("cursor", "{\n  \"a\": 1\n  \"b\": 2\n}", 2, 9),
        ("cursor", "{ 'a': 1 }", 1, 3),
        ("cursor", "{ a: 1 }", 1, 3),
        ("zed", "{ \"a\": 1 } }", 1, 12),
        ("codex", "a = 1\nb = [1,\n", 2, 8),
        ("codex", "a = 1\na = 2\n", 2, 1),
        ("goose", "a: 1\nb: [1, 2\n", 3, 1),
        ("goose", "a:\n\tb: 1\n", 2, 1),
    ];
    for (id, text, wanted_line, wanted_column) in cases {
        let HostError::Syntax {
            line, column, why, ..
        } = refused(id, text)
        else {
            panic!("{id}: {text}");
        };
        assert_eq!(
            (line, column),
            (wanted_line, wanted_column),
            "{id}: {text} ({why})"
        );
        assert!(!why.is_empty() && why.lines().count() == 1, "{why}");
    }
}

#[test]
fn a_file_of_another_shape_is_refused_with_the_reason() {
    let cases = [
        ("cursor", "[1, 2]", "it holds a list"),
        ("cursor", "\"x\"", "it holds text"),
        ("cursor", "{\"mcpServers\": []}", "`mcpServers` is a list"),
        ("vscode", "{\"servers\": \"x\"}", "`servers` is text"),
        (
            "cursor",
            "{\"mcpServers\": {\"orderdesk\": []}}",
            "`mcpServers.orderdesk` is a list",
        ),
        (
            "cursor",
            "{\"mcpServers\": {}, \"mcpServers\": {}}",
            "`mcpServers` is written twice",
        ),
        (
            "cursor",
            "{\"mcpServers\": {\"orderdesk\": {}, \"orderdesk\": {}}}",
            "`mcpServers.orderdesk` is written twice",
        ),
        (
            "codex",
            "mcp_servers = 1\n",
            "`mcp_servers` is a single value",
        ),
        (
            "codex",
            "[[mcp_servers]]\na = 1\n",
            "`mcp_servers` is a list",
        ),
        ("goose", "- a\n- b\n", "it holds a list"),
        ("goose", "just text\n", "it holds text"),
        ("goose", "extensions:\n  - a\n", "`extensions` is a list"),
        (
            "goose",
            "extensions: &all\n  a: {}\ncopy: *all\n",
            "`extensions` carries an anchor",
        ),
        (
            "goose",
            "base: &b {a: {}}\nextensions: *b\n",
            "`extensions` is a single value",
        ),
        (
            "goose",
            "extensions:\n  orderdesk: &me\n    cmd: /x\n",
            "`orderdesk` carries an anchor",
        ),
        (
            "goose",
            "extensions: {}\nextensions: {}\n",
            "`extensions` is written twice",
        ),
        ("goose", "a: 1\n---\nb: 2\n", "more than one YAML document"),
    ];
    for (id, text, wanted) in cases {
        match refused(id, text) {
            HostError::Shape { what, .. } => assert!(what.contains(wanted), "{id}: {text}: {what}"),
            // A parser may refuse what is written twice before we see it.
            HostError::Syntax { why, .. } => {
                assert!(wanted.contains("twice"), "{id}: {text}: {why}");
            }
            other => panic!("{id}: {text}: {other}"),
        }
    }
}

#[test]
fn duplicates_that_are_not_on_our_way_stay_as_they_are() {
    let text = "{\"a\": 1, \"a\": 2, \"mcpServers\": {\"x\": {}, \"x\": {}}}";
    let machine = Machine::holding("cursor", text);
    machine.install("cursor").unwrap();
    let after = machine.text("cursor");
    assert_eq!(after.matches("\"a\"").count(), 2, "{after}");
    assert_eq!(after.matches("\"x\"").count(), 2, "{after}");
}

#[test]
fn what_is_empty_counts_as_new() {
    for client in edited() {
        let null = match client.id {
            "codex" => String::new(),
            "goose" => "extensions:\n".to_owned(),
            _ => format!("{{\"{}\": null}}", client.container),
        };
        for text in ["", "\n", "  \n\n", "\u{feff}", null.as_str()] {
            let machine = Machine::holding(client.id, text);
            let done = machine.install(client.id);
            assert!(done.is_ok(), "{}: {text:?}: {done:?}", client.id);
            assert_eq!(
                machine.installed(client.id),
                Some(entry()),
                "{}: {text:?}",
                client.id
            );
            assert!(
                !machine.install(client.id).unwrap().changed,
                "{}: {text:?}",
                client.id
            );
        }
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_stay() {
    let cases = [
        (
            "cursor",
            "{\n  \"mcpServers\": {\n    \"x\": {} // y\n  }\n}\n",
        ),
        ("codex", "a = 1 # b\n\n[mcp_servers.x]\nc = 1\n"),
        ("goose", "a: 1 # b\nextensions:\n  x:\n    type: stdio\n"),
    ];
    for (id, text) in cases {
        let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let machine = Machine::holding(id, &text);
        machine.install(id).unwrap();
        let after = machine.text(id);
        assert!(
            after.starts_with('\u{feff}') && !after[3..].contains('\u{feff}'),
            "{id}: {after:?}"
        );
        assert_eq!(
            after.matches('\n').count(),
            after.matches("\r\n").count(),
            "{id}: {after:?}"
        );
        assert_eq!(machine.installed(id), Some(entry()));
        assert!(!machine.install(id).unwrap().changed);
        machine.uninstall(id).unwrap();
        assert_eq!(machine.text(id), text, "{id}");
    }
}

#[test]
fn a_file_that_is_too_large_or_no_text_is_refused() {
    let large = vec![b' '; 10 * 1024 * 1024 + 1];
    assert!(matches!(
        refused("cursor", large),
        HostError::TooLarge { .. }
    ));
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16 = [&[0xff, 0xfe], utf16.as_slice()].concat();
    assert!(matches!(
        refused("cursor", utf16),
        HostError::NotUtf8 { .. }
    ));

    let machine = Machine::new();
    fs::create_dir_all(machine.file("cursor")).unwrap();
    assert!(matches!(
        machine.install("cursor"),
        Err(HostError::NotAFile { .. })
    ));
}

#[test]
fn servers_in_an_inline_table_stay_inline() {
    let text = "mcp_servers = { x = { command = \"y\" } } # all\nz = 1\n";
    let machine = Machine::holding("codex", text);
    machine.install("codex").unwrap();
    assert_eq!(machine.installed("codex"), Some(entry()));
    assert_eq!(machine.text("codex").lines().count(), 2);
    machine.uninstall("codex").unwrap();
    assert_eq!(machine.text("codex"), text);
}

#[test]
fn comments_above_our_table_that_are_about_something_else_stay() {
    let ours = "[mcp_servers.orderdesk]\ncommand = \"/x\"\nargs = []\n";
    let note = "# [mcp_servers.old]\n# command = \"y\"\n";
    for rest in ["", "\n[tui]\nx = 1\n", "\n[[list]]\nx = 1\n\n[b]\n"] {
        let text = format!("a = 1\n\n{note}\n# the shop\n{ours}{rest}");
        let machine = Machine::holding("codex", &text);
        machine.uninstall("codex").unwrap();
        let after = machine.text("codex");
        assert!(
            after.contains(note) && !after.contains("the shop"),
            "{after}"
        );
    }
}

#[test]
fn odd_paths_survive_every_format() {
    let odd = [
        "/opt/order desk/mcp-stdio",
        "/opt/it's \"quoted\"/mcp",
        "/opt/#hash: colon/mcp",
        "/opt/back\\slash/mcp",
        "/opt/ümläut/日本/mcp",
        "/opt/{brace}[bracket]/$HOME/%x%",
        "/true",
    ];
    for client in edited() {
        for path in odd {
            let machine = Machine::holding(client.id, "");
            let entry = Entry {
                command: path.into(),
                args: ["--home", "", "1", "yes", "- x", "a: b", "\t", "{}"]
                    .map(str::to_owned)
                    .to_vec(),
                env: vec![("A_B".to_owned(), path.to_owned())],
                ..entry()
            };
            machine.install_as(client.id, &entry).unwrap();
            assert_eq!(
                machine.installed(client.id),
                Some(entry.clone()),
                "{}",
                client.id
            );
            assert!(
                !machine.install_as(client.id, &entry).unwrap().changed,
                "{}",
                client.id
            );
        }
    }
}

#[test]
fn looking_refuses_what_installing_refuses() {
    let machine = Machine::holding("cursor", "{");
    let looked = hosts::installed(client("cursor"), &machine.places(), "orderdesk");
    assert!(matches!(looked, Err(HostError::Syntax { .. })));
    assert!(matches!(
        machine.uninstall("cursor"),
        Err(HostError::Syntax { .. })
    ));
}
