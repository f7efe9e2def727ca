//! The walls of the house, enforced: every source file of the workspace is read, and one that crosses a wall fails the test.
//!
//! Here: who may name which library, which way data flows between rooms, and the shape of files. Not here: which crate may depend on
//! what, licences and duplicates (`deny.toml`), and what the compiler and clippy see. A rule is one line in a table with its reason; the
//! reason is printed to whoever breaks it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};

use shared::env::SETTINGS;

/// The longest source file that anyone should have to read.
const MOST_LINES: usize = 450;

/// Where the two products are.
const PRODUCTS: [&str; 3] = ["shared/src/", "mcp-stdio/src/", "ops-sidecar/src/"];

/// Words that product code may use in some places only.
struct Wall {
    words: &'static [&'static str],
    /// Path beginnings where the rule holds; none means everywhere.
    within: &'static [&'static str],
    /// Path beginnings where the words are welcome.
    welcome: &'static [&'static str],
    reason: &'static str,
}

const WALLS: &[Wall] = &[
    Wall {
        words: &[
            "rusqlite",
            "r2d2",
            "r2d2_sqlite",
            "rusqlite_migration",
            "\"SELECT ",
            "INSERT INTO ",
            "DELETE FROM ",
            "\"PRAGMA ",
        ],
        within: &[],
        welcome: &["shared/src/state/"],
        reason: "only shared::state speaks SQL: another store can then be put behind it, and no second opener breaks SQLite's locks",
    },
    Wall {
        words: &["rmcp::"],
        within: &[],
        welcome: &["mcp-stdio/src/"],
        reason: "only mcp-stdio knows MCP",
    },
    Wall {
        words: &["rmcp::"],
        within: &["mcp-stdio/src/desk/"],
        welcome: &[],
        reason: "desk knows what Order Desk means and has never heard of MCP",
    },
    Wall {
        words: &["axum"],
        within: &[],
        welcome: &["ops-sidecar/src/", "sandbox/src/"],
        reason: "only ops-sidecar, and the sandbox, serve HTTP",
    },
    Wall {
        words: &["reqwest"],
        within: &[],
        welcome: &["mcp-stdio/src/desk/", "ops-sidecar/src/backup/targets"],
        reason: "only the desk speaks to Order Desk, so that quota, retries and key handling cannot be passed by; backups go to their clouds",
    },
    Wall {
        words: &["mcp_stdio::"],
        within: &["shared/src/", "ops-sidecar/src/", "sandbox/src/"],
        welcome: &[],
        reason: "binaries never import each other; they meet in the state file",
    },
    Wall {
        words: &["ops_sidecar::"],
        within: &["shared/src/", "mcp-stdio/src/", "sandbox/src/"],
        welcome: &[],
        reason: "binaries never import each other; they meet in the state file",
    },
    Wall {
        words: &["orderdesk_sandbox"],
        within: &PRODUCTS,
        welcome: &[],
        reason: "the sandbox serves the demo and the tests; no product contains it",
    },
    Wall {
        words: &["println!", "print!", "stdout()"],
        within: &["mcp-stdio/src/"],
        welcome: &[
            "mcp-stdio/src/cli",
            "mcp-stdio/src/transport/",
            "mcp-stdio/src/main.rs",
        ],
        reason: "stdout carries protocol frames only: the transport writes them, and the commands print what a person asked for",
    },
    Wall {
        words: &["process::Command", "Command::new"],
        within: &PRODUCTS,
        welcome: &[],
        reason: "no product starts another program: nothing that a shop wrote can then reach a shell",
    },
    Wall {
        words: &["std::env::var", "env::var_os", "env::vars"],
        within: &PRODUCTS,
        welcome: &["shared/src/env/vars.rs"],
        reason: "settings come through shared::env, which knows names, sources and typos",
    },
    Wall {
        words: &[
            "chacha20poly1305",
            "hkdf::",
            "argon2::",
            "age::",
            "bech32::",
        ],
        within: &PRODUCTS,
        welcome: &["mcp-stdio/src/vault/", "ops-sidecar/src/backup/seal"],
        reason: "only the vault seals, opens and derives keys, and one file encrypts backups: whoever reviews the cryptography reads these",
    },
    Wall {
        words: &["object_store"],
        within: &PRODUCTS,
        welcome: &["ops-sidecar/src/backup/targets"],
        reason: "only the targets of backups know where these go",
    },
    Wall {
        words: &["keyring_core", "secret_service", "keyring_store"],
        within: &PRODUCTS,
        welcome: &["mcp-stdio/src/vault/"],
        reason: "only the vault asks a keyring: anywhere else a question to the person could hold up a server that nobody watches",
    },
    Wall {
        words: &[
            "vault",
            "master_key()",
            "master_key_next()",
            "\"master_key\"",
            "\"api_key\"",
        ],
        within: &["ops-sidecar/src/"],
        welcome: &["ops-sidecar/src/checks/home.rs"],
        reason: "the sidecar holds no master key and opens no seal; that the key file's permissions are right is all it asks",
    },
    Wall {
        words: &["todo!", "unimplemented!", "dbg!"],
        within: &[],
        welcome: &[],
        reason: "what is not done is not shipped",
    },
];

/// Rooms that a room never imports: data flows one way.
struct Flow {
    room: &'static str,
    never: &'static [&'static str],
    reason: &'static str,
}

const FLOWS: &[Flow] = &[
    Flow {
        room: "mcp-stdio/src/desk/",
        never: &[
            "args",
            "call",
            "cli",
            "config",
            "context",
            "cursor",
            "error",
            "reply",
            "run",
            "server",
            "tools",
            "transport",
        ],
        reason: "desk is the bottom of the shop front: it knows Order Desk and nothing of who asks",
    },
    Flow {
        room: "mcp-stdio/src/tools/",
        never: &["call", "cli", "run", "server", "transport"],
        reason: "tools are called through the corridor and never reach back into it",
    },
    Flow {
        room: "mcp-stdio/src/guide/",
        never: &["cli", "run", "server", "transport"],
        reason: "the guide stands between the server and the corridor, and never reaches back",
    },
    Flow {
        room: "mcp-stdio/src/call",
        never: &["cli", "run", "server", "transport"],
        reason: "the corridor does not know who walks in",
    },
    Flow {
        room: "mcp-stdio/src/transport/",
        never: &["call", "cli", "context", "desk", "run", "server"],
        reason: "the transport carries lines; what they mean is decided behind it",
    },
    Flow {
        room: "mcp-stdio/src/server",
        never: &["cli", "run"],
        reason: "main → run → server, never back",
    },
    Flow {
        room: "ops-sidecar/src/checks/",
        never: &["cli", "http", "run"],
        reason: "checks turn facts into findings; who renders them is not their business",
    },
    Flow {
        room: "ops-sidecar/src/backup/",
        never: &["cli", "http", "run", "checks"],
        reason: "the backup room makes, keeps and gives back; who shows it and who judges it is not its business",
    },
    Flow {
        room: "ops-sidecar/src/http/",
        never: &["cli", "run"],
        reason: "main → run → http, never back",
    },
    Flow {
        room: "shared/src/env/",
        never: &["quota", "session", "state", "telemetry"],
        reason: "settings are read before anything is opened",
    },
    Flow {
        room: "shared/src/state/",
        never: &[
            "env",
            "quota",
            "telemetry::flush",
            "telemetry::fold",
            "telemetry::query",
            "telemetry::recorder",
        ],
        reason: "the state file knows metric names, to count its own work, and nobody who uses it",
    },
    Flow {
        room: "shared/src/audit",
        never: &["env", "quota", "telemetry"],
        reason: "the audit stands on the state file and the home alone; who appends, signs and prunes is not its business",
    },
    Flow {
        room: "shared/src/quota",
        never: &[
            "env",
            "telemetry::flush",
            "telemetry::fold",
            "telemetry::query",
            "telemetry::recorder",
        ],
        reason: "the quota stands on the state file and the clock alone",
    },
];

/// One Rust file.
struct Source {
    /// Relative to the workspace, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// Whether the file is no product code: tests, examples, benchmarks and the scripts' own programs may name what they like.
    fn is_test(&self) -> bool {
        let folders = ["/tests/", "/benches/", "/examples/"];
        let files = ["/tests.rs", "/testing.rs"];
        self.path.starts_with("scripts/")
            || folders.iter().any(|folder| self.path.contains(folder))
            || files.iter().any(|file| self.path.ends_with(file))
    }

    /// Numbered lines of product code: no comments, nothing behind an inline test module.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self
            .text
            .find("#[cfg(test)]\nmod tests {")
            .unwrap_or(self.text.len());
        let end = if self.is_test() { 0 } else { end };
        self.text[..end]
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }
}

fn crosses(wall: &Wall, source: &Source) -> Vec<String> {
    if source.is_in(wall.welcome) || (!wall.within.is_empty() && !source.is_in(wall.within)) {
        return Vec::new();
    }
    let hits = source.code().filter_map(|(number, line)| {
        wall.words
            .iter()
            .find(|word| has_word(line, word))
            .map(|word| (number, word))
    });
    hits.map(|(number, word)| format!("{}:{number}: `{word}`: {}", source.path, wall.reason))
        .collect()
}

fn flows_back(flow: &Flow, source: &Source) -> Vec<String> {
    if !source.path.starts_with(flow.room) {
        return Vec::new();
    }
    let imports = |line: &str| {
        flow.never
            .iter()
            .find(|room| has_word(line, &format!("crate::{room}")))
            .copied()
    };
    let hits = source
        .code()
        .filter_map(|(number, line)| imports(line).map(|room| (number, room)));
    hits.map(|(number, room)| {
        format!(
            "{}:{number}: imports `crate::{room}`: {}",
            source.path, flow.reason
        )
    })
    .collect()
}

/// Whether the word stands in the line and is not a part of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (
            line[..at].chars().next_back(),
            line[at + word.len()..].chars().next(),
        );
        let starts_inside = is_name(word.chars().next()) && is_name(before);
        let ends_inside = is_name(word.chars().next_back()) && is_name(after);
        !starts_inside && !ends_inside
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Every file that belongs to the project: what builds and tools leave behind is passed by.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    const LEFT_BEHIND: [&str; 7] = [
        "target",
        ".git",
        "node_modules",
        ".venv",
        "__pycache__",
        ".cache",
        "Cargo.lock",
    ];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if LEFT_BEHIND.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&entry.path(), found);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap()
        .to_string_lossy()
        .replace('\\', "/")
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    files(&root(), &mut found);
    found.sort();
    let rust = found
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources: Vec<Source> = rust
        .map(|path| Source {
            path: relative(path),
            text: fs::read_to_string(path).unwrap(),
        })
        .collect();
    assert!(
        sources.len() > 30,
        "only {} files: the walls would stand around nothing",
        sources.len()
    );
    sources
}

#[track_caller]
fn none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn no_wall_is_crossed() {
    let sources = sources();
    none(
        &WALLS
            .iter()
            .flat_map(|wall| sources.iter().flat_map(|source| crosses(wall, source)))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn data_flows_one_way() {
    let sources = sources();
    none(
        &FLOWS
            .iter()
            .flat_map(|flow| sources.iter().flat_map(|source| flows_back(flow, source)))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_binary_depends_on_the_other_and_on_the_sandbox_for_tests_only() {
    let manifest = |name: &str| fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    for (name, other) in [("mcp-stdio", "ops-sidecar"), ("ops-sidecar", "mcp-stdio")] {
        let text = manifest(name);
        assert!(
            !text.contains(&format!("\n{other}")),
            "{name} depends on {other}: they meet in the state file"
        );
        let shipped = text.split("[dev-dependencies]").next().unwrap();
        assert!(
            !shipped.contains("orderdesk-sandbox"),
            "{name} ships the sandbox"
        );
    }
    let shared = manifest("shared");
    for stranger in [
        "rmcp",
        "axum",
        "reqwest",
        "tokio",
        "mcp-stdio",
        "ops-sidecar",
    ] {
        assert!(
            !shared.contains(&format!("\n{stranger}")),
            "shared depends on {stranger}"
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "));
    none(
        &silent
            .map(|source| {
                format!(
                    "{}: begins without `//!`: say what is here, what is not, and why",
                    source.path
                )
            })
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_file_is_too_long_to_be_read() {
    let long = sources()
        .into_iter()
        .filter(|source| source.path.contains("/src/") && source.text.lines().count() > MOST_LINES);
    let said = |source: Source| {
        format!(
            "{}: {} lines: look for the second decision in it",
            source.path,
            source.text.lines().count()
        )
    };
    none(&long.map(said).collect::<Vec<_>>());
}

#[test]
fn every_setting_is_obeyed_by_somebody() {
    // `home`, `config` and `env` are used up while the settings are read; `conflicts` obeys the ones that permit something.
    let used_while_reading = ["home", "config", "env"];
    let getters = [
        "text", "secret", "path", "flag", "count", "number", "duration", "bytes", "list", "url",
        "address",
    ];
    let may_read = |source: &Source| {
        source.is_in(&PRODUCTS)
            && (source.is_in(&["shared/src/env/conflicts"]) || !source.is_in(&["shared/src/env/"]))
    };
    // Without white space, because a formatted call may stand on several lines.
    let code = |source: &Source| -> String {
        source
            .code()
            .flat_map(|(_, line)| line.split_whitespace())
            .collect()
    };
    let readers: Vec<String> = sources()
        .iter()
        .filter(|source| may_read(source))
        .map(code)
        .collect();
    let is_read = |key: &str| {
        let calls = getters.map(|getter| format!("settings.{getter}(\"{key}\")"));
        readers
            .iter()
            .any(|code| calls.iter().any(|call| code.contains(call)))
    };
    let unread = SETTINGS
        .iter()
        .filter(|setting| !used_while_reading.contains(&setting.key) && !is_read(setting.key));
    none(
        &unread
            .map(|setting| {
                format!(
                    "the setting `{}` is read nowhere: a switch that nothing obeys is a lie",
                    setting.key
                )
            })
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_file_names_a_place_on_the_machine_it_was_written_on() {
    let here = root().to_string_lossy().into_owned();
    // A checkout in the root of a machine has a name that many a path ends in.
    if here.matches('/').count() < 2 && cfg!(unix) {
        return;
    }
    let mut found = Vec::new();
    files(&root(), &mut found);
    let names_it = |text: &str| {
        text.match_indices(&here).any(|(at, _)| {
            let (before, after) = (
                text[..at].chars().next_back(),
                text[at + here.len()..].chars().next(),
            );
            let continues = |c: Option<char>| {
                c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
            };
            !continues(before) && !continues(after)
        })
    };
    let hits = found
        .iter()
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| names_it(&text)));
    none(
        &hits
            .map(|path| {
                format!(
                    "{}: names the folder `{here}`, which exists on one machine only",
                    relative(path)
                )
            })
            .collect::<Vec<_>>(),
    );
}

#[test]
fn a_crossed_wall_is_seen_and_a_comment_or_a_test_is_not_one() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let crossed = |path: &str, text: &str| {
        WALLS
            .iter()
            .flat_map(|wall| crosses(wall, &source(path, text)))
            .count()
    };
    assert_eq!(
        crossed("mcp-stdio/src/tools/a.rs", "use rusqlite::Connection;\n"),
        1
    );
    assert_eq!(
        crossed("mcp-stdio/src/desk/a.rs", "fn f() -> rmcp::Error {}\n"),
        1
    );
    assert_eq!(
        crossed(
            "mcp-stdio/src/tools/a.rs",
            "    eprintln!(\"x\");\n    println!(\"x\");\n"
        ),
        1
    );
    assert_eq!(
        crossed("shared/src/quota.rs", "let sql = \"SELECT 1\";\n"),
        1
    );
    assert_eq!(
        crossed(
            "mcp-stdio/src/tools/a.rs",
            "// rusqlite\n/// axum\nlet rmcpx = not_rusqlite;\n"
        ),
        0
    );
    assert_eq!(
        crossed(
            "shared/src/quota.rs",
            "#[cfg(test)]\nmod tests {\n    use rusqlite;\n}\n"
        ),
        0
    );
    assert_eq!(crossed("shared/src/quota/tests.rs", "use rusqlite;\n"), 0);
    for opens_a_seal in [
        "use chacha20poly1305::Key;\n",
        "use hkdf::Hkdf;\n",
        "age::Encryptor::new();\n",
    ] {
        assert_eq!(crossed("mcp-stdio/src/vault/seal.rs", opens_a_seal), 0);
        assert_eq!(crossed("mcp-stdio/src/tools/a.rs", opens_a_seal), 1);
        assert_eq!(crossed("ops-sidecar/src/checks/audit.rs", opens_a_seal), 1);
    }
    assert_eq!(
        crossed(
            "ops-sidecar/src/run.rs",
            "settings.secret(\"master_key\")\n"
        ),
        1
    );
    assert_eq!(crossed("shared/src/state/open.rs", "use rusqlite;\n"), 0);
}

#[test]
fn an_import_against_the_flow_is_seen() {
    let back = |path: &str, text: &str| {
        let source = Source {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        FLOWS
            .iter()
            .flat_map(|flow| flows_back(flow, &source))
            .count()
    };
    assert_eq!(back("mcp-stdio/src/desk/a.rs", "use crate::tools::x;\n"), 1);
    assert_eq!(back("mcp-stdio/src/tools/a.rs", "use crate::desk::x;\n"), 0);
    assert_eq!(
        back("shared/src/state/pool.rs", "use crate::telemetry::names;\n"),
        0
    );
    assert_eq!(
        back(
            "shared/src/state/pool.rs",
            "use crate::telemetry::recorder::R;\n"
        ),
        1
    );
}
