//! Loading: every source asked, every value parsed, every mistake collected.
//!
//! Here: [`Settings::load`] and the step for one setting. Not here: each source's ways (`sources`, `config_file`) and the rules
//! (`names`, `conflicts`). Nothing but the settings file and the secrets' files is touched: no folder made, no port bound.

use super::catalogue::{SETTINGS, setting};
use super::config_file::{self, ConfigFile};
use super::kind::Value;
use super::mistake::{Mistake, quoted};
use super::setting::{Owner, Profile, Setting};
use super::settings::{Entry, Settings};
use super::sources::{Source, Sources};
use super::vars::Vars;
use super::{conflicts, names};
use crate::paths::Home;
use crate::secret::MASK;

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

impl Settings {
    /// Asks the flags, the environment, files and the defaults. `flags` hold catalogue keys and the text given on the command line.
    #[must_use]
    pub fn load(flags: &[(&'static str, String)], env: &Vars, home: &Home) -> Loaded {
        Settings::load_for(Owner::Both, flags, env, home)
    }

    /// As [`Settings::load`], for one binary: the secrets of the other are not read, from wherever they might come. To the reader
    /// they are not set.
    #[must_use]
    pub fn load_for(
        reader: Owner,
        flags: &[(&'static str, String)],
        env: &Vars,
        home: &Home,
    ) -> Loaded {
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
                "home" => home_entry(setting, home),
                "config" => Entry {
                    setting,
                    value: Some(Value::Path(file_path.clone())),
                    source: path_source(&sources, setting),
                },
                _ if setting.kind.is_secret() && !setting.owner.concerns(reader) => {
                    Entry::default_of(setting, profile)
                }
                _ => read(&sources, setting, profile, &mut mistakes),
            })
            .collect();
        let settings = Settings { entries, profile };
        conflicts::check(&settings, &mut mistakes);
        Loaded { settings, mistakes }
    }
}

fn find(key: &str) -> &'static Setting {
    setting(key).expect("called with keys of the catalogue")
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
        Ok(None) => Entry::default_of(setting, profile),
        Err(mistake) => {
            mistakes.push(*mistake);
            Entry::default_of(setting, profile)
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
    let shown = if setting.kind.is_secret() {
        MASK.to_owned()
    } else {
        quoted(text.trim())
    };
    if is_placeholder(&text) {
        let hint = "fill the field in, or remove the variable";
        return refuse(
            format!("{shown} was not filled in by the client"),
            hint.to_owned(),
        );
    }
    let refusal = match setting.kind.parse(&text) {
        Ok(value) => return Ok(Some((value, source))),
        Err(refusal) => refusal,
    };
    let why = if refusal.may_echo {
        format!("{shown} {}", refusal.why)
    } else {
        refusal.why
    };
    refuse(why, format!("give {}", setting.kind.accepts()))
}

/// `${user_config.api_key}`: a client's configuration form that nobody filled in.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("${") && text.ends_with('}') && !text[2..].contains('$')
}

/// The home was resolved before us, by [`Home::resolve`]; here it is only shown.
fn home_entry(setting: &'static Setting, home: &Home) -> Entry {
    Entry {
        setting,
        value: Some(Value::Path(home.root().to_owned())),
        source: home.source().clone(),
    }
}

fn path_source(sources: &Sources<'_>, setting: &Setting) -> Source {
    sources
        .find(setting)
        .ok()
        .flatten()
        .map_or(Source::Default, |(_, source)| source)
}
