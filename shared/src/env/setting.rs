//! What a setting is.
//!
//! Here: the columns of the catalogue: [`Setting`], who obeys it ([`Owner`]), its default ([`Preset`]) and the profiles that choose
//! among defaults. Not here: the rows (`catalogue`) and the shapes of values (`kind`).

use std::fmt;

use super::PREFIX;
use super::kind::Kind;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in `config.toml`; the environment variable is [`PREFIX`] and the same in capitals.
    pub key: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// What holds when nobody says anything.
    pub preset: Preset,
    /// Who obeys it.
    pub owner: Owner,
    /// What it does, and what it costs, for the person who sets it. Markdown.
    pub help: &'static str,
}

impl Setting {
    /// The environment variable, for example `ORDERDESK_MCP_STORE_ID`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.to_ascii_uppercase())
    }

    /// The variable that names a file with the value; secrets have one.
    #[must_use]
    pub fn file_variable(&self) -> Option<String> {
        self.kind
            .is_secret()
            .then(|| format!("{}_FILE", self.variable()))
    }

    /// Whether it can stand in `config.toml`.
    #[must_use]
    pub fn in_config_file(&self) -> bool {
        self.barred_from_config_file().is_none()
    }

    /// Why it cannot stand in `config.toml`, if so, as the second half of a sentence, and where it belongs.
    pub(super) fn barred_from_config_file(&self) -> Option<(&'static str, String)> {
        match self.key {
            "home" | "config" => Some((
                "cannot stand in the settings file, because it says where that file is",
                format!("set `{}` or the flag `--{}`", self.variable(), self.key),
            )),
            "master_key" => Some((
                "cannot stand in the settings file, which people copy and show to each other",
                "put it into `master.key` in the home folder (`mcp-stdio init` does), and take it out of here".to_owned(),
            )),
            _ => None,
        }
    }
}

/// Who obeys a setting. Each binary accepts, and ignores, what belongs to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Both binaries.
    Both,
    /// `mcp-stdio`.
    Stdio,
    /// `ops-sidecar`.
    Sidecar,
}

impl Owner {
    /// Whether what belongs to `self` concerns the binary `reader`.
    #[must_use]
    pub fn concerns(self, reader: Owner) -> bool {
        self == Owner::Both || reader == Owner::Both || self == reader
    }
}

/// A set of defaults for a purpose. A profile changes defaults only: whatever is set explicitly holds in every profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Working on this house: everything is logged.
    Development,
    /// Trying a release out: the log tells more, and programs read it.
    Staging,
    /// A machine that is looked after: programs read the log.
    Production,
}

impl Profile {
    /// The words that the setting `env` takes, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &["development", "staging", "production"];

    pub(super) fn from_word(word: &str) -> Option<Profile> {
        match word {
            "development" => Some(Profile::Development),
            "staging" => Some(Profile::Staging),
            "production" => Some(Profile::Production),
            _ => None,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Profile::WORDS[*self as usize])
    }
}

/// What holds when nobody says anything.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    /// Nothing: the setting is then not set.
    Unset,
    /// The same everywhere.
    Same(&'static str),
    /// Depends on the profile.
    PerProfile {
        /// Without a profile, as on a person's desktop.
        none: &'static str,
        /// In development.
        development: &'static str,
        /// In staging.
        staging: &'static str,
        /// In production.
        production: &'static str,
    },
    /// Worked out when the program starts; these words say from what.
    Found(&'static str),
}

impl Preset {
    /// The default's text under a profile, if there is one that can be written down.
    #[must_use]
    pub fn text(&self, profile: Option<Profile>) -> Option<&'static str> {
        match *self {
            Preset::Unset | Preset::Found(_) => None,
            Preset::Same(text) => Some(text),
            Preset::PerProfile {
                none,
                development,
                staging,
                production,
            } => Some(match profile {
                None => none,
                Some(Profile::Development) => development,
                Some(Profile::Staging) => staging,
                Some(Profile::Production) => production,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_profiles_lead_there_and_back() {
        for word in Profile::WORDS {
            assert_eq!(Profile::from_word(word).unwrap().to_string(), *word);
        }
        assert_eq!(Profile::from_word("prod"), None);
    }

    #[test]
    fn a_setting_of_one_binary_does_not_concern_the_other() {
        assert!(
            Owner::Both.concerns(Owner::Stdio)
                && Owner::Stdio.concerns(Owner::Stdio)
                && Owner::Stdio.concerns(Owner::Both)
        );
        assert!(!Owner::Sidecar.concerns(Owner::Stdio) && !Owner::Stdio.concerns(Owner::Sidecar));
    }
}
