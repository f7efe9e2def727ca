//! The effective values.
//!
//! Here: [`Settings`], its typed getters and its lines for display. Not here: how the values were found (`load`).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::catalogue::SETTINGS;
use super::kind::Value;
use super::setting::{Owner, Profile, Setting};
use super::sources::Source;
use crate::paths::Home;
use crate::secret::Secret;

/// The effective settings: for each one the value that counts and where it came from.
///
/// A getter takes a key of the catalogue; another key, or a getter of the wrong type, is a slip of the programmer and panics.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In the order of [`SETTINGS`].
    pub(super) entries: Vec<Entry>,
    pub(super) profile: Option<Profile>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) setting: &'static Setting,
    pub(super) value: Option<Value>,
    pub(super) source: Source,
}

impl Entry {
    pub(super) fn default_of(setting: &'static Setting, profile: Option<Profile>) -> Entry {
        let value = setting.preset.text(profile).map(|text| {
            setting
                .kind
                .parse(text)
                .expect("a test parses every default")
        });
        Entry {
            setting,
            value,
            source: Source::Default,
        }
    }
}

/// One line of the effective settings, fit to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Effective {
    /// The key.
    pub key: &'static str,
    /// The value that counts, secrets masked; `None` if it is not set.
    pub value: Option<String>,
    /// Where it came from.
    pub source: Source,
    /// What holds when nobody says anything.
    pub default: Option<String>,
    /// What it does.
    pub help: &'static str,
    /// Who obeys it.
    #[serde(skip)]
    pub owner: Owner,
}

impl Settings {
    /// The defaults, as on a desktop where nothing is set.
    #[must_use]
    pub fn defaults(home: &Home) -> Settings {
        let entries = SETTINGS
            .iter()
            .map(|setting| Entry::default_of(setting, None))
            .collect();
        let mut settings = Settings {
            entries,
            profile: None,
        };
        settings.entry_mut("home").value = Some(Value::Path(home.root().to_owned()));
        settings.entry_mut("config").value = Some(Value::Path(home.config_file()));
        settings
    }

    /// A text, an id, a chosen word; `None` if it is not set.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            other => wrong(key, "text", other),
        }
    }

    /// A secret; `None` if it is not set.
    #[must_use]
    pub fn secret(&self, key: &str) -> Option<Secret> {
        match self.value(key)? {
            Value::Secret(secret) => Some(secret.clone()),
            other => wrong(key, "secret", other),
        }
    }

    /// A file or folder; `None` if it is not set.
    #[must_use]
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        match self.value(key)? {
            Value::Path(path) => Some(path.clone()),
            other => wrong(key, "path", other),
        }
    }

    /// A switch.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        match self.required(key) {
            Value::Flag(flag) => *flag,
            other => wrong(key, "flag", other),
        }
    }

    /// A whole number.
    #[must_use]
    pub fn count(&self, key: &str) -> u64 {
        match self.required(key) {
            Value::Count(count) => *count,
            other => wrong(key, "count", other),
        }
    }

    /// A number with a fraction.
    #[must_use]
    pub fn number(&self, key: &str) -> f64 {
        match self.required(key) {
            Value::Number(number) => *number,
            other => wrong(key, "number", other),
        }
    }

    /// A time span.
    #[must_use]
    pub fn duration(&self, key: &str) -> Duration {
        match self.required(key) {
            Value::Duration(span) => *span,
            other => wrong(key, "duration", other),
        }
    }

    /// A number of bytes; on a machine whose addresses cannot reach that far, as many as they can.
    #[must_use]
    pub fn bytes(&self, key: &str) -> usize {
        match self.required(key) {
            Value::Bytes(bytes) => usize::try_from(*bytes).unwrap_or(usize::MAX),
            other => wrong(key, "bytes", other),
        }
    }

    /// Several words; none if it is not set.
    #[must_use]
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::List(words)) => words.clone(),
            Some(other) => wrong(key, "list", other),
        }
    }

    /// A base URL.
    #[must_use]
    pub fn url(&self, key: &str) -> Url {
        match self.required(key) {
            Value::Url(url) => url.clone(),
            other => wrong(key, "url", other),
        }
    }

    /// Where to listen.
    #[must_use]
    pub fn address(&self, key: &str) -> SocketAddr {
        match self.required(key) {
            Value::Address(address) => *address,
            other => wrong(key, "address", other),
        }
    }

    /// The profile that chose the defaults.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        self.profile
    }

    /// Whether the setting has a value.
    #[must_use]
    pub fn is_given(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Whether somebody set it, as opposed to its default.
    #[must_use]
    pub fn is_explicit(&self, key: &str) -> bool {
        self.entry(key).source != Source::Default
    }

    /// Where the value came from.
    #[must_use]
    pub fn source(&self, key: &str) -> &Source {
        &self.entry(key).source
    }

    /// All settings as they are, secrets masked, in the catalogue's order.
    #[must_use]
    pub fn effective(&self) -> Vec<Effective> {
        let line = |entry: &Entry| Effective {
            key: entry.setting.key,
            value: entry.value.as_ref().map(Value::to_string),
            source: entry.source.clone(),
            default: entry.setting.preset.text(self.profile).map(str::to_owned),
            help: entry.setting.help,
            owner: entry.setting.owner,
        };
        self.entries.iter().map(line).collect()
    }

    fn entry(&self, key: &str) -> &Entry {
        self.entries
            .iter()
            .find(|entry| entry.setting.key == key)
            .expect("getters are called with keys of the catalogue")
    }

    fn entry_mut(&mut self, key: &str) -> &mut Entry {
        self.entries
            .iter_mut()
            .find(|entry| entry.setting.key == key)
            .expect("called with keys of the catalogue")
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.entry(key).value.as_ref()
    }

    fn required(&self, key: &str) -> &Value {
        self.value(key)
            .expect("getters without Option are for settings with a default")
    }
}

#[allow(
    clippy::panic,
    reason = "a getter of the wrong type is a slip of the programmer that the first test shows"
)]
fn wrong<T>(key: &str, asked: &str, value: &Value) -> T {
    panic!("the setting `{key}` is no {asked}: {value:?}")
}
