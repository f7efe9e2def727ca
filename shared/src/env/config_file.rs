//! What `config.toml` may hold.
//!
//! Here: finding the file, reading it, and turning each of its keys into text that the settings are parsed from. Not here: what the
//! values mean. The file is flat: one key per setting, no tables.

use std::path::{Path, PathBuf};

use toml::{Table, Value as Toml};

use super::catalogue::{SETTINGS, setting};
use super::mistake::{Mistake, quoted};
use super::nearest::nearest;
use super::setting::{Owner, Setting};
use super::sources::read_small_file;

/// The file's texts by key. Keys that are unknown or of no use were reported and are left out.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    texts: Vec<(&'static str, String)>,
}

impl ConfigFile {
    /// Reads the file. One that nobody named may be missing; one that was named, or exists and cannot be read, is a mistake.
    pub(super) fn read(path: &Path, was_named: bool, mistakes: &mut Vec<Mistake>) -> ConfigFile {
        let what = format!("settings file `{}`", path.display());
        let text = match read_small_file(path) {
            Ok(text) => text,
            Err(refused) if refused.is_missing && !was_named => return ConfigFile::default(),
            Err(refused) => {
                let hint = if was_named {
                    "name a readable file with `ORDERDESK_MCP_CONFIG`, or leave it away"
                } else {
                    "choose a home folder that this user may read, with `--home` or `ORDERDESK_MCP_HOME`, or run this as the user whose home it is"
                };
                mistakes.push(Mistake::new(Owner::Both, what, refused.why, hint));
                return ConfigFile::default();
            }
        };
        let table = match text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                mistakes.push(Mistake::new(
                    Owner::Both,
                    what,
                    syntax_error(&error, &text),
                    "write one `key = value` per line, texts in double quotes",
                ));
                return ConfigFile::default();
            }
        };
        let mut file = ConfigFile::default();
        for (key, value) in &table {
            match entry(path, key, value) {
                Ok((setting, text)) => file.texts.push((setting.key, text)),
                Err(mistake) => mistakes.push(*mistake),
            }
        }
        mistakes.extend(file.exposed_secret(path));
        file
    }

    /// What the file says about a setting.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.texts.iter().find(|(known, _)| *known == key);
        found
            .map(|(_, text)| text.as_str())
            .filter(|text| !text.trim().is_empty())
    }

    /// A file that others on the machine can read must hold no secret.
    fn exposed_secret(&self, path: &Path) -> Option<Mistake> {
        let secret = SETTINGS
            .iter()
            .find(|setting| setting.kind.is_secret() && self.get(setting.key).is_some())?;
        let mode = others_may_read(path)?;
        Some(Mistake::new(
            Owner::Both,
            format!("settings file `{}`", path.display()),
            format!(
                "holds `{}` and can be read by other users (mode {mode:04o})",
                secret.key
            ),
            format!("run `chmod 600 {}`", path.display()),
        ))
    }
}

/// One line of the file, or what is wrong with it. Boxed because the mistake is the rare and large half.
fn entry(path: &Path, key: &str, value: &Toml) -> Result<(&'static Setting, String), Box<Mistake>> {
    let refuse = |owner: Owner, why: String, hint: String| {
        Err(Box::new(Mistake::new(
            owner,
            format!("{} in `{}`", quoted(key), path.display()),
            why,
            hint,
        )))
    };
    let Some(setting) = setting(key) else {
        return match value {
            Toml::Table(inner) => refuse(
                Owner::Both,
                "is a table, and this file has none".to_owned(),
                flat_hint(key, inner),
            ),
            _ => refuse(
                Owner::Both,
                "is not a setting".to_owned(),
                unknown_hint(key),
            ),
        };
    };
    if let Some((why, hint)) = setting.barred_from_config_file() {
        return refuse(setting.owner, why.to_owned(), hint);
    }
    match plain_text(value) {
        Some(text) => Ok((setting, text)),
        None => refuse(
            setting.owner,
            "is neither a text, a number, `true`/`false` nor a list of texts".to_owned(),
            format!("give {}", setting.kind.accepts()),
        ),
    }
}

fn unknown_hint(key: &str) -> String {
    match nearest(
        key,
        SETTINGS
            .iter()
            .filter(|setting| setting.in_config_file())
            .map(|setting| setting.key),
    ) {
        Some(word) => format!("did you mean `{word}`?"),
        None => "remove it; `config` prints the settings there are".to_owned(),
    }
}

/// `[cache] ttl_orders = …` was meant as `cache_ttl_orders = …`.
fn flat_hint(key: &str, inner: &Table) -> String {
    let joined = inner
        .keys()
        .map(|inner_key| format!("{key}_{inner_key}"))
        .find(|joined| setting(joined).is_some());
    let example = joined
        .as_deref()
        .or_else(|| nearest(key, SETTINGS.iter().map(|setting| setting.key)))
        .unwrap_or("store_id");
    format!("write every key at the top level, for example `{example} = …`")
}

/// The value as a person would have written it in the environment; `None` for dates, tables and mixed lists.
fn plain_text(value: &Toml) -> Option<String> {
    match value {
        Toml::String(text) => Some(text.clone()),
        Toml::Integer(number) => Some(number.to_string()),
        Toml::Float(number) => Some(number.to_string()),
        Toml::Boolean(flag) => Some(flag.to_string()),
        Toml::Array(items) => items
            .iter()
            .map(Toml::as_str)
            .collect::<Option<Vec<_>>>()
            .map(|items| items.join(",")),
        Toml::Datetime(_) | Toml::Table(_) => None,
    }
}

/// Says the line, never shows it: it may hold a key.
fn syntax_error(error: &toml::de::Error, text: &str) -> String {
    let place = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    match place {
        Some(line) => format!(
            "is not valid TOML: line {line}: {}",
            first_line(error.message())
        ),
        None => format!("is not valid TOML: {}", first_line(error.message())),
    }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

/// Where the file is: the one that was named, else the one at home.
pub(super) fn locate(named: Option<PathBuf>, at_home: PathBuf) -> (PathBuf, bool) {
    match named {
        Some(path) => (path, true),
        None => (at_home, false),
    }
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Windows grants by folder, and the data folder is the user's own.
#[cfg(not(unix))]
fn others_may_read(_path: &Path) -> Option<u32> {
    None
}
