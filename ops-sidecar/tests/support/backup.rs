//! A small language for tests of backups: a home with something in it, targets, keys, and the commands.

use std::cell::Cell;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::audit::{self, Actor, Chain, Entry, action};
use shared::paths::Home;
use shared::state::tables::audit as rows;
use shared::state::{Durability, State};

use super::{ops_sidecar, pause};

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// Fails the test unless it ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Said {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Fails the test unless both of these are in what a person was told.
    #[track_caller]
    pub(crate) fn told(self, words: &[&str]) -> Said {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in: {}", self.err);
        }
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{} {}", self.out, self.err))
    }
}

/// A home, folders beside it as targets, and a pair of keys.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
    last_run: Cell<i64>,
}

impl Desk {
    /// A home with three records in it; backups go to the local target, unencrypted.
    pub(crate) fn new() -> Desk {
        let desk = Desk::empty();
        desk.record(3);
        desk
    }

    /// Nothing is there yet.
    pub(crate) fn empty() -> Desk {
        let folder = tempfile::tempdir().expect("a folder");
        Desk {
            folder,
            settings: Vec::new(),
            last_run: Cell::new(0),
        }
    }

    /// Another machine: its home is empty, the folders that are targets are the same.
    pub(crate) fn lost(&self) -> Command {
        ops_sidecar(&self.path("another-home"))
    }

    /// A setting by its name without the prefix.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Desk {
        self.settings
            .push((format!("ORDERDESK_MCP_{key}"), value.to_owned()));
        self
    }

    /// Backups are encrypted to a fresh key, whose secret half lies in `identity`.
    pub(crate) fn sealed(self) -> Desk {
        let key = self.key("identity");
        self.with("BACKUP_RECIPIENTS", &key)
    }

    /// Makes a pair of keys; the secret half lies in the file of this name. Gives the public one.
    pub(crate) fn key(&self, name: &str) -> String {
        let identity = Identity::generate();
        let path = self.path(name);
        let text = format!(
            "# a key for a test\n{}\n",
            identity.to_string().expose_secret()
        );
        fs::write(&path, text).expect("a key file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
        identity.to_public().to_string()
    }

    /// Two folders as targets, `one` and `two`, besides the local one if it is named.
    pub(crate) fn with_targets(self, names: &[&str]) -> Desk {
        let mut urls = Vec::new();
        for name in names {
            if *name == "local" {
                urls.push("local".to_owned());
                continue;
            }
            fs::create_dir_all(self.path(name)).expect("a folder");
            urls.push(self.target(name));
        }
        let urls = urls.join(",");
        self.with("BACKUP_TARGETS", &urls)
    }

    /// What a folder is called as a target.
    pub(crate) fn target(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.path("home"))
    }

    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        let pairs = self.settings.iter();
        pairs
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect()
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = ops_sidecar(self.home().root());
        command.envs(self.settings()).args(words);
        command
    }

    /// Runs `backup …` to its end.
    pub(crate) fn backup(&self, words: &[&str]) -> Said {
        let mut all = vec!["backup"];
        all.extend(words);
        self.ask(self.command(&all))
    }

    /// Runs a command; the folder's own name does not show in what it says.
    pub(crate) fn ask(&self, mut command: Command) -> Said {
        let output = command.output().expect("the binary starts");
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).expect("text");
            text.replace(&self.folder.path().display().to_string(), "[here]")
        };
        Said {
            code: output.status.code().expect("an exit code"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Makes a backup that is good everywhere, in a second of its own so that its id sorts behind the others; gives its id.
    #[track_caller]
    pub(crate) fn run(&self) -> String {
        let second = || Timestamp::now().as_second();
        while self.last_run.get() == second() {
            pause();
        }
        self.last_run.set(second());
        let made = self.backup(&["run", "--json"]).code(0).json();
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Adds records to the state file, as a server would.
    pub(crate) fn record(&self, times: usize) {
        let state = State::open(&self.home()).expect("a state file");
        let actor = Actor::cli();
        let entry = Entry::done(&actor, action::STORE_ADDED, Some("Main shop"));
        let now_ms = Timestamp::now().as_millisecond();
        // At once: whoever looks meanwhile sees all of them or none.
        let written = state.write("test", Durability::Full, |writing| {
            for _ in 0..times {
                audit::append(writing, &Chain::Env, &entry, now_ms, None)?;
            }
            Ok(())
        });
        written.expect("the records");
    }

    /// How many records there are in the home's state file.
    pub(crate) fn records(&self) -> usize {
        records(&State::open(&self.home()).expect("a state file"))
    }

    /// The file of a backup at a folder target.
    pub(crate) fn file(&self, target: &str, id: &str) -> PathBuf {
        let folder = self.path(target).join("snapshots");
        let names = fs::read_dir(&folder).expect("a folder").flatten();
        names
            .map(|name| name.path())
            .find(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with(id) && name.contains(".db."))
            })
            .expect("the file of the backup")
    }

    /// Changes one byte in the middle of the file.
    pub(crate) fn flip(&self, path: &Path) {
        let mut bytes = fs::read(path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).expect("a file");
    }
}

/// How many records a copy holds, without touching it.
pub(crate) fn records_in(copy: &Path) -> usize {
    records(&State::open_copy(copy).expect("a copy"))
}

fn records(state: &State) -> usize {
    let read = state.read("test", |reading| rows::page(reading, "env", 0, 10_000));
    read.expect("rows").len()
}

/// A JSON answer without what differs each time: ids, moments, sizes, durations, hashes.
pub(crate) fn golden(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(golden).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), field(key, value)))
            .collect(),
        other => other.clone(),
    }
}

fn field(key: &str, value: &Value) -> Value {
    let differs = match key {
        "id" | "line" => Some("[id]"),
        "at" | "reached_at" | "from" => Some("[time]"),
        "bytes" | "database_bytes" => Some("[bytes]"),
        "took_ms" => Some("[ms]"),
        "version" => Some("[version]"),
        "removed" => Some("[ids]"),
        _ => None,
    };
    match (differs, value) {
        (_, Value::Null) | (None, _) => match (key, value.as_str()) {
            ("kept", Some(_)) => json!("[path]"),
            _ => golden(value),
        },
        (Some(word), _) => json!(word),
    }
}
