//! What our entry says, in each client's words.
//!
//! Here: the entry, the names that clients give to its parts, which of them are ours to update and which are the user's, and reading an
//! entry back. Not here: where it is written (`client`) and how (`edit` and the editors).

use std::path::PathBuf;

use shared::env::SETTINGS;
use shared::paths::HOME_VARIABLE;

use super::error::HostError;
use super::tree::Tree;

/// The longest name of an entry: what Claude accepts in the names of tools that it builds from it.
const LONGEST_NAME: usize = 64;

/// Seconds that goose lets a call take before it gives up; goose's own default for new extensions.
const GOOSE_TIMEOUT_S: &str = "300";

/// How a client starts this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name under which the client lists it, for example `orderdesk`.
    pub name: String,
    /// The absolute path of the program.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables that the client sets for it. Never a secret: see [`HostError::SecretInEntry`].
    pub env: Vec<(String, String)>,
}

/// How a client spells an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `command`, `args`, `env`: what most clients copied from Claude Desktop.
    Plain,
    /// The same with `"type": "stdio"`.
    Typed,
    /// The same with `"source": "custom"` (Zed).
    Custom,
    /// `cmd`, `args`, `envs`, `enabled`, `timeout` (goose).
    Extension,
    /// `command` as a list with the arguments, `environment` (opencode).
    CommandList,
    /// An item of a list, with its name inside (Continue).
    NamedItem,
}

/// What an update does to one key of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Ours: brought up to date.
    Ours,
    /// A first value, the user's from then on.
    First,
    /// A map in which only some keys are ours: these, and [`HOME_VARIABLE`] even when it is not given (a home that was given at an
    /// earlier install must not outlive it).
    Merged,
}

/// One key of the entry.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) value: Tree,
    pub(super) rule: Rule,
}

/// A new entry: everything that has something to say.
pub(super) fn fresh(fields: &[Field]) -> Tree {
    let said = fields
        .iter()
        .filter(|field| field.rule != Rule::Merged || !field.pairs().is_empty());
    Tree::Map(
        said.map(|field| (field.key.to_owned(), field.value.clone()))
            .collect(),
    )
}

impl Field {
    /// The pairs that a merged field sets.
    pub(super) fn pairs(&self) -> &[(String, Tree)] {
        self.value.as_map().unwrap_or_default()
    }

    /// Keys of ours that are no longer wanted in the merged map `found`.
    pub(super) fn stale<'a>(&self, found: Option<&'a Tree>) -> impl Iterator<Item = &'a str> {
        let kept = self.value.get(HOME_VARIABLE).is_some();
        let found = found.and_then(Tree::as_map).unwrap_or_default().iter();
        found
            .map(|(key, _)| key.as_str())
            .filter(move |key| *key == HOME_VARIABLE && !kept)
    }

    /// Whether an existing entry already says this.
    pub(super) fn is_said_by(&self, entry: &Tree) -> bool {
        let found = entry.get(self.key);
        match self.rule {
            Rule::Ours => found == Some(&self.value),
            Rule::First => true,
            Rule::Merged => {
                let mut pairs = self.pairs().iter();
                pairs.all(|(key, value)| found.and_then(|map| map.get(key)) == Some(value))
                    && self.stale(found).next().is_none()
            }
        }
    }
}

impl Entry {
    /// Refuses what no client could use, and what no client may be told.
    pub(super) fn check(&self) -> Result<(), HostError> {
        check_name(&self.name)?;
        if !self.command.is_absolute() {
            let path = self.command.clone();
            return Err(HostError::RelativeCommand { path });
        }
        if self.command.to_str().is_none() {
            let path = self.command.clone();
            return Err(HostError::CommandNotText { path });
        }
        match self.env.iter().find(|(name, _)| is_secret(name)) {
            Some((name, _)) => Err(HostError::SecretInEntry { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The entry's keys, in the order in which the client's documentation shows them.
    pub(super) fn fields(&self, shape: Shape) -> Vec<Field> {
        let ours = |key, value| Field {
            key,
            value,
            rule: Rule::Ours,
        };
        let first = |key, value| Field {
            key,
            value,
            rule: Rule::First,
        };
        let merged = |key| Field {
            key,
            value: Tree::pairs(&self.env),
            rule: Rule::Merged,
        };
        let command = || Tree::text(self.command.to_string_lossy());
        let args = || Tree::texts(&self.args);
        match shape {
            Shape::Plain => vec![
                ours("command", command()),
                ours("args", args()),
                merged("env"),
            ],
            Shape::Typed => vec![
                ours("type", Tree::text("stdio")),
                ours("command", command()),
                ours("args", args()),
                merged("env"),
            ],
            Shape::Custom => vec![
                ours("source", Tree::text("custom")),
                ours("command", command()),
                ours("args", args()),
                merged("env"),
            ],
            Shape::Extension => vec![
                first("name", Tree::text(&self.name)),
                first("description", Tree::text("Order Desk")),
                ours("type", Tree::text("stdio")),
                first("enabled", Tree::Other("true".to_owned())),
                ours("cmd", command()),
                ours("args", args()),
                merged("envs"),
                first("timeout", Tree::Other(GOOSE_TIMEOUT_S.to_owned())),
            ],
            Shape::CommandList => {
                let mut words = vec![self.command.to_string_lossy().into_owned()];
                words.extend(self.args.iter().cloned());
                vec![
                    ours("type", Tree::text("local")),
                    ours("command", Tree::texts(&words)),
                    first("enabled", Tree::Other("true".to_owned())),
                    merged("environment"),
                ]
            }
            Shape::NamedItem => vec![
                ours("name", Tree::text(&self.name)),
                ours("type", Tree::text("stdio")),
                ours("command", command()),
                ours("args", args()),
                merged("env"),
            ],
        }
    }

    /// The entry that a client's file holds; `None` if it names no local program.
    pub(super) fn from_tree(name: &str, tree: &Tree) -> Option<Entry> {
        let command = ["command", "cmd"]
            .into_iter()
            .find_map(|key| tree.get(key)?.as_text())?;
        let args = tree.get("args").and_then(Tree::as_list).unwrap_or_default();
        let env = ["env", "envs"]
            .into_iter()
            .find_map(|key| tree.get(key)?.as_map());
        Some(Entry {
            name: name.to_owned(),
            command: PathBuf::from(command),
            args: args
                .iter()
                .filter_map(Tree::as_text)
                .map(str::to_owned)
                .collect(),
            env: env
                .unwrap_or_default()
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned())))
                .collect(),
        })
    }
}

/// Letters, digits, `-` and `_`: what Claude Code accepts, the strictest of them.
pub(super) fn check_name(name: &str) -> Result<(), HostError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    let name = name.chars().take(LONGEST_NAME).collect();
    Err(HostError::BadName { name })
}

/// Whether an entry is about something else than a local program: a remote server, or one that an extension of the client provides.
pub(super) fn is_foreign(entry: &Tree) -> bool {
    let remote = ["url", "httpUrl", "serverUrl", "uri"];
    if remote.iter().any(|key| entry.get(key).is_some()) {
        return true;
    }
    let said = |key: &str| entry.get(key).and_then(Tree::as_text);
    said("type").is_some_and(|kind| kind != "stdio")
        || said("source").is_some_and(|source| source != "custom")
}

fn is_secret(variable: &str) -> bool {
    let mut secrets = SETTINGS.iter().filter(|setting| setting.kind.is_secret());
    secrets.any(|setting| setting.variable().eq_ignore_ascii_case(variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            name: "orderdesk".to_owned(),
            command: std::env::current_dir().unwrap().join("mcp-stdio"),
            args: vec!["serve".to_owned()],
            env: vec![(HOME_VARIABLE.to_owned(), "/srv/shop".to_owned())],
        }
    }

    #[test]
    fn a_secret_is_refused_by_its_name_and_its_value_is_not_repeated() {
        let mut wrong = entry();
        wrong.env.push((
            "ORDERDESK_MCP_API_KEY".to_owned(),
            "hunter2-hunter2".to_owned(),
        ));
        let refused = wrong.check().unwrap_err();
        assert!(matches!(refused, HostError::SecretInEntry { .. }));
        assert!(!format!("{refused} {refused:?} {}", refused.hint()).contains("hunter2"));
    }

    #[test]
    fn every_secret_setting_is_refused() {
        for setting in SETTINGS.iter().filter(|setting| setting.kind.is_secret()) {
            let mut wrong = entry();
            wrong.env = vec![(setting.variable(), "x".to_owned())];
            assert!(wrong.check().is_err(), "{}", setting.key);
        }
    }

    #[test]
    fn a_relative_command_and_an_odd_name_are_refused() {
        let relative = Entry {
            command: PathBuf::from("mcp-stdio"),
            ..entry()
        };
        assert!(matches!(
            relative.check(),
            Err(HostError::RelativeCommand { .. })
        ));
        for name in ["", "order desk", "a.b", "ä", &"x".repeat(65)] {
            let odd = Entry {
                name: name.to_owned(),
                ..entry()
            };
            assert!(
                matches!(odd.check(), Err(HostError::BadName { .. })),
                "{name}"
            );
        }
        entry().check().unwrap();
    }

    #[test]
    fn an_entry_reads_back_from_every_shape_that_is_edited() {
        for shape in [Shape::Plain, Shape::Typed, Shape::Custom, Shape::Extension] {
            let fields = entry().fields(shape);
            let tree = Tree::Map(
                fields
                    .into_iter()
                    .map(|field| (field.key.to_owned(), field.value))
                    .collect(),
            );
            assert_eq!(
                Entry::from_tree("orderdesk", &tree),
                Some(entry()),
                "{shape:?}"
            );
            assert!(!is_foreign(&tree), "{shape:?}");
        }
    }

    #[test]
    fn a_home_of_an_earlier_install_is_stale_and_other_variables_are_not() {
        let bare = Entry {
            env: Vec::new(),
            ..entry()
        };
        let fields = bare.fields(Shape::Plain);
        let env = fields.last().unwrap();
        let found = Tree::pairs(&[
            (HOME_VARIABLE.to_owned(), "/old".to_owned()),
            ("RUST_LOG".to_owned(), "info".to_owned()),
        ]);
        assert_eq!(env.stale(Some(&found)).collect::<Vec<_>>(), [HOME_VARIABLE]);
    }
}
