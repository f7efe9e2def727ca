//! Who wins when several say something.
//!
//! Here: the order flag > environment > `…_FILE` > systemd credential > `config.toml`, and the reading of files that hold a value.
//! Not here: parsing. A source that is there but cannot be read is a mistake; it is never skipped in silence, because the next one
//! in line could hold last year's key.

use std::ffi::OsStr;
use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::config_file::ConfigFile;
use super::mistake::{Mistake, quoted};
use super::setting::Setting;
use super::vars::Vars;
use crate::paths::expand_tilde;

/// The largest file that is read for settings or a secret.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Names the folder in which systemd puts a unit's credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A flag on the command line.
    Flag,
    /// The environment variable.
    Environment,
    /// The file that the variable `…_FILE` names.
    File(PathBuf),
    /// A systemd credential of the setting's name.
    Credential,
    /// `config.toml`.
    ConfigFile(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag => f.write_str("flag"),
            Source::Environment => f.write_str("environment"),
            Source::File(path) | Source::ConfigFile(path) => write!(f, "file {}", path.display()),
            Source::Credential => f.write_str("systemd credential"),
            Source::Default => f.write_str("default"),
        }
    }
}

impl serde::Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Everything that may say something.
pub(super) struct Sources<'a> {
    pub(super) flags: &'a [(&'static str, String)],
    pub(super) env: &'a Vars,
    pub(super) file: &'a ConfigFile,
    pub(super) file_path: &'a Path,
}

/// A text and where it was found.
pub(super) type Said = (String, Source);

impl Sources<'_> {
    /// The text that counts for a setting, if anybody says anything.
    pub(super) fn find(&self, setting: &Setting) -> Result<Option<Said>, Box<Mistake>> {
        if let Some(text) = self.flag(setting.key) {
            return Ok(Some((text.to_owned(), Source::Flag)));
        }
        let from_variable = self.env.get(&setting.variable());
        let file = setting
            .file_variable()
            .and_then(|variable| self.env.get(&variable).map(|path| (variable, path)));
        match (from_variable, file) {
            (Some(_), Some((variable, _))) if !has_ladder(setting) => {
                Err(self.both_given(setting, &variable))
            }
            (Some(value), _) => utf8(setting, value).map(|text| Some((text, Source::Environment))),
            (None, Some((variable, path))) => from_file(setting, &variable, path).map(Some),
            (None, None) => Ok(self
                .credential(setting)?
                .or_else(|| self.configured(setting))),
        }
    }

    fn flag(&self, key: &str) -> Option<&str> {
        let found = self.flags.iter().find(|(known, _)| *known == key);
        found
            .map(|(_, text)| text.as_str())
            .filter(|text| !text.trim().is_empty())
    }

    fn both_given(&self, setting: &Setting, file_variable: &str) -> Box<Mistake> {
        Box::new(Mistake::new(
            setting.owner,
            format!("`{}` and `{file_variable}`", setting.variable()),
            "both are set",
            "keep one of them",
        ))
    }

    /// A credential that does not exist is simply not given; one that cannot be read is a mistake.
    fn credential(&self, setting: &Setting) -> Result<Option<Said>, Box<Mistake>> {
        if !setting.kind.is_secret() {
            return Ok(None);
        }
        let Some(folder) = self.env.get(CREDENTIALS) else {
            return Ok(None);
        };
        let refuse = |why: String| {
            let what = format!("systemd credential `{}`", setting.key);
            Err(Box::new(Mistake::new(
                setting.owner,
                what,
                why,
                "check `LoadCredential=` in the unit",
            )))
        };
        match read_small_file(&Path::new(folder).join(setting.key)) {
            Ok(text) if text.trim().is_empty() => refuse("is empty".to_owned()),
            Ok(text) => Ok(Some((text, Source::Credential))),
            Err(refused) if refused.is_missing => Ok(None),
            Err(refused) => refuse(refused.why),
        }
    }

    fn configured(&self, setting: &Setting) -> Option<Said> {
        let text = self.file.get(setting.key)?;
        Some((
            text.to_owned(),
            Source::ConfigFile(self.file_path.to_owned()),
        ))
    }
}

/// The master key has a documented order of places in which the first that exists wins, so several are no mistake.
fn has_ladder(setting: &Setting) -> bool {
    setting.key == "master_key"
}

fn utf8(setting: &Setting, value: &OsStr) -> Result<String, Box<Mistake>> {
    value.to_str().map(str::to_owned).ok_or_else(|| {
        Box::new(Mistake::new(
            setting.owner,
            format!("`{}`", setting.variable()),
            "is not valid UTF-8",
            format!("give {}", setting.kind.accepts()),
        ))
    })
}

fn from_file(setting: &Setting, variable: &str, path: &OsStr) -> Result<Said, Box<Mistake>> {
    let path = expand_tilde(Path::new(path));
    let refuse = |why: String, hint: &str| {
        let shown = shown(&path);
        Box::new(Mistake::new(
            setting.owner,
            format!("`{variable}`"),
            format!("{shown} {why}"),
            hint,
        ))
    };
    let text = read_small_file(&path)
        .map_err(|refused| refuse(refused.why, "name a file that this user can read"))?;
    if text.trim().is_empty() {
        return Err(refuse(
            "is empty".to_owned(),
            "write the secret, and nothing else, into it",
        ));
    }
    Ok((text, Source::File(path)))
}

/// The path, unless somebody gave the secret itself in place of its file.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if path.is_absolute() {
        format!("`{text}`")
    } else {
        quoted(&text)
    }
}

/// Why a file could not be read, as the second half of a sentence. Never holds the content.
pub(super) struct Unreadable {
    pub(super) why: String,
    pub(super) is_missing: bool,
}

/// Reads a text file, but no pipe, device or giant: reading one of those could block for ever, or take the protocol's stdin away.
pub(super) fn read_small_file(path: &Path) -> Result<String, Unreadable> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Unreadable {
            why: "does not exist".to_owned(),
            is_missing: true,
        },
        ErrorKind::InvalidData => Unreadable {
            why: "is not valid UTF-8".to_owned(),
            is_missing: false,
        },
        _ => Unreadable {
            why: format!("cannot be read ({})", error.kind()),
            is_missing: false,
        },
    };
    let refused = |why: &str| Unreadable {
        why: why.to_owned(),
        is_missing: false,
    };
    // Asked before opening, because opening a pipe waits for its other end.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(refused("is not a regular file"));
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(refused("is larger than 1 MiB"));
    }
    Ok(text)
}
