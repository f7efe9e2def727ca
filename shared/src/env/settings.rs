//! Loading, and the effective values.
//!
//! Here: [`Settings::load`], which asks every source, parses, checks and collects all mistakes, and the typed getters. Not here: any of
//! those steps themselves. Nothing outside the settings file and the secrets' files is touched: no folder made, no port bound.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::catalogue::{Owner, Profile, SETTINGS, Setting, setting};
use super::config_file::{self, ConfigFile};
use super::kind::Value;
use super::mistake::{Mistake, quoted};
use super::sources::{Source, Sources};
use super::vars::Vars;
use super::{conflicts, names};
use crate::paths::Home;
use crate::secret::Secret;

/// The effective settings: for each one the value that counts and where it came from.
///
/// A getter takes a key of the catalogue; another key, or a getter of the wrong type, is a slip of the programmer and panics.
#[derive(Clone, Debug)]
pub struct Settings {
    /// In the order of [`SETTINGS`].
    entries: Vec<Entry>,
    profile: Option<Profile>,
}

#[derive(Clone, Debug)]
struct Entry {
    setting: &'static Setting,
    value: Option<Value>,
    source: Source,
}

/// What loading gives: settings that can be used (with the default in place of what was wrong), and all mistakes.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Everything that is wrong, whoever it concerns.
    pub mistakes: Vec<Mistake>,
}

impl Loaded {
    /// The mistakes that one binary has to care about.
    #[must_use]
    pub fn mistakes_for(&self, reader: Owner) -> Vec<Mistake> {
        self.mistakes
            .iter()
            .filter(|mistake| mistake.owner.concerns(reader))
            .cloned()
            .collect()
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
    /// Asks the flags, the environment, files and the defaults. `flags` hold catalogue keys and the text given on the command line.
    #[must_use]
    pub fn load(flags: &[(&'static str, String)], env: &Vars, home: &Home) -> Loaded {
        let mut mistakes = Vec::new();
        names::check(env, &mut mistakes);

        let nothing = ConfigFile::default();
        let before_file = Sources {
            flags,
            env,
            file: &nothing,
            file_path: home.root(),
        };
        let named = match read(&before_file, find("config"), None, &mut mistakes).value {
            Some(Value::Path(path)) => Some(path),
            _ => None,
        };
        let (file_path, was_named) = config_file::locate(named, home.config_file());
        let file = ConfigFile::read(&file_path, was_named, &mut mistakes);

        let sources = Sources {
            flags,
            env,
            file: &file,
            file_path: &file_path,
        };
        // The profile first, because it chooses the defaults; its mistake, if any, is reported in its turn below.
        let profile = read(&sources, find("env"), None, &mut Vec::new())
            .value
            .and_then(|word| Profile::from_word(&word.to_string()));
        let entries = SETTINGS
            .iter()
            .map(|setting| match setting.key {
                "home" => home_entry(&sources, setting, home),
                "config" => Entry {
                    setting,
                    value: Some(Value::Path(file_path.clone())),
                    source: path_source(&sources, setting),
                },
                _ => read(&sources, setting, profile, &mut mistakes),
            })
            .collect();
        let settings = Settings { entries, profile };
        conflicts::check(&settings, &mut mistakes);
        Loaded { settings, mistakes }
    }

    /// The defaults, as on a desktop where nothing is set.
    #[must_use]
    pub fn defaults(home: &Home) -> Settings {
        let entries = SETTINGS
            .iter()
            .map(|setting| default_entry(setting, None))
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

fn find(key: &str) -> &'static Setting {
    setting(key).expect("called with keys of the catalogue")
}

fn default_entry(setting: &'static Setting, profile: Option<Profile>) -> Entry {
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

/// The value of one setting, or its default and a mistake.
fn read(
    sources: &Sources<'_>,
    setting: &'static Setting,
    profile: Option<Profile>,
    mistakes: &mut Vec<Mistake>,
) -> Entry {
    match sources.find(setting).and_then(|said| parse(setting, said)) {
        Ok(Some((value, source))) => Entry {
            setting,
            value: Some(value),
            source,
        },
        Ok(None) => default_entry(setting, profile),
        Err(mistake) => {
            mistakes.push(*mistake);
            default_entry(setting, profile)
        }
    }
}

fn parse(
    setting: &'static Setting,
    said: Option<(String, Source)>,
) -> Result<Option<(Value, Source)>, Box<Mistake>> {
    let Some((text, source)) = said else {
        return Ok(None);
    };
    let what = match &source {
        Source::Environment => format!("`{}`", setting.variable()),
        other => format!("`{}` ({other})", setting.key),
    };
    let refuse =
        |why: String, hint: String| Err(Box::new(Mistake::new(setting.owner, what, why, hint)));
    if is_placeholder(&text) {
        return refuse(
            format!("{} was not filled in by the client", quoted(text.trim())),
            "fill the field in, or remove the variable".to_owned(),
        );
    }
    match setting.kind.parse(&text) {
        Ok(value) => Ok(Some((value, source))),
        Err(refusal) if refusal.may_echo => refuse(
            format!("{} {}", quoted(text.trim()), refusal.why),
            format!("give {}", setting.kind.accepts()),
        ),
        Err(refusal) => refuse(refusal.why, format!("give {}", setting.kind.accepts())),
    }
}

/// `${user_config.api_key}`: a client's configuration form that nobody filled in.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("${") && text.ends_with('}') && !text[2..].contains('$')
}

/// The home was resolved before us, by [`Home::resolve`]; here it is only shown.
fn home_entry(sources: &Sources<'_>, setting: &'static Setting, home: &Home) -> Entry {
    Entry {
        setting,
        value: Some(Value::Path(home.root().to_owned())),
        source: path_source(sources, setting),
    }
}

fn path_source(sources: &Sources<'_>, setting: &Setting) -> Source {
    sources
        .find(setting)
        .ok()
        .flatten()
        .map_or(Source::Default, |(_, source)| source)
}
