//! What a setting's value may be: the shapes, and how each is read from text and printed.
//!
//! Here: [`Kind`], [`Value`] and the laws between them (`parse(print(x)) == x`). Not here: which setting has which kind, and where the
//! text came from.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::{address, backup, units};
use crate::paths::expand_tilde;
use crate::secret::Secret;

/// The shape of a setting's value. Ranges are inclusive.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A file or folder; a leading `~/` is the user's home.
    Path,
    /// Never shown. Visible ASCII without spaces, at least `min_length` characters.
    Secret {
        /// The fewest characters that make sense.
        min_length: usize,
    },
    /// Never shown. A master key's text: one line, which may hold spaces, because it may be a passphrase. Whether it is a key is
    /// the vault's to say.
    KeyText,
    /// A person's name for something, or its id: one line of at most `max_chars` characters.
    Name {
        /// The most characters there may be.
        max_chars: usize,
    },
    /// An id as Order Desk gives it out: digits, at most 20.
    Digits,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count {
        /// The smallest that makes sense.
        min: u64,
        /// The largest that makes sense.
        max: u64,
    },
    /// A number with a fraction.
    Number {
        /// The smallest that makes sense.
        min: f64,
        /// The largest that makes sense.
        max: f64,
    },
    /// A time span, kept in milliseconds.
    Duration {
        /// The shortest that makes sense, in milliseconds.
        min_ms: u64,
        /// The longest that makes sense, in milliseconds.
        max_ms: u64,
    },
    /// A number of bytes.
    Bytes {
        /// The fewest that make sense.
        min: u64,
        /// The most that make sense.
        max: u64,
    },
    /// Names of tools and the like, with commas between them: small letters, digits and `_`.
    Names,
    /// Host names, with commas between them; each may carry a port.
    Hosts,
    /// The base URL of an API: https, or plain http to this machine only.
    ApiUrl,
    /// An IP address and port to listen on.
    Address,
    /// Where backups go: `local` or URLs, with commas between them, without anything secret in them.
    Targets,
    /// Public keys of `age`, with commas between them.
    Recipients,
    /// When something is done again and again: a time span, five fields of cron, or `off`.
    Schedule,
    /// One of a few words.
    Choice(&'static [&'static str]),
}

/// A value that was read. Its `Display` masks secrets and is read back by [`Kind::parse`] to the same value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, digits or a chosen word.
    Text(String),
    /// A path, tilde expanded.
    Path(PathBuf),
    /// A secret.
    Secret(Secret),
    /// A switch.
    Flag(bool),
    /// A whole number.
    Count(u64),
    /// A number with a fraction.
    Number(f64),
    /// A time span.
    Duration(Duration),
    /// A number of bytes.
    Bytes(u64),
    /// Several words.
    List(Vec<String>),
    /// A base URL without a slash at its end.
    Url(Url),
    /// Where to listen.
    Address(SocketAddr),
}

/// Why a text is not a value of its kind. Never contains the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, as the second half of a sentence: `is not a time span`.
    pub why: String,
    /// Whether the text itself may be shown: not if it is a secret or may carry one.
    pub may_echo: bool,
}

impl Refusal {
    pub(super) fn new(why: impl Into<String>) -> Refusal {
        Refusal {
            why: why.into(),
            may_echo: true,
        }
    }

    pub(super) fn silent(why: impl Into<String>) -> Refusal {
        Refusal {
            why: why.into(),
            may_echo: false,
        }
    }
}

impl Kind {
    /// Reads a value. White space around it is dropped: keys are pasted with line breaks.
    ///
    /// # Errors
    /// A [`Refusal`] that says why, without the text.
    pub fn parse(&self, text: &str) -> Result<Value, Refusal> {
        let text = text.trim();
        Ok(match *self {
            Kind::Path => Value::Path(expand_tilde(Path::new(one_line(text)?))),
            Kind::Secret { min_length } => Value::Secret(secret(text, min_length)?),
            Kind::KeyText => Value::Secret(key_text(text)?),
            Kind::Name { max_chars } => Value::Text(name(text, max_chars)?.to_owned()),
            Kind::Digits => Value::Text(digits(text)?.to_owned()),
            Kind::Flag => Value::Flag(flag(text)?),
            Kind::Count { min, max } => Value::Count(within(units::count(text)?, min, max)?),
            Kind::Number { min, max } => Value::Number(within(units::number(text)?, min, max)?),
            Kind::Duration { min_ms, max_ms } => {
                Value::Duration(duration_within(text, min_ms, max_ms)?)
            }
            Kind::Bytes { min, max } => Value::Bytes(bytes_within(text, min, max)?),
            Kind::Names => Value::List(names(text)?),
            Kind::Hosts => Value::List(address::hosts(text)?),
            Kind::ApiUrl => Value::Url(address::api_url(text)?),
            Kind::Address => Value::Address(address::socket(text)?),
            Kind::Targets => Value::List(backup::targets(text)?),
            Kind::Recipients => Value::List(backup::recipients(text)?),
            Kind::Schedule => Value::Text(backup::schedule(text)?),
            Kind::Choice(words) => Value::Text(choice(text, words)?.to_owned()),
        })
    }

    /// What is accepted, with an example: the hint of a mistake and the "type" column of the reference page.
    #[must_use]
    pub fn accepts(&self) -> String {
        match *self {
            Kind::Path => "a path, for example `~/orderdesk` or `/srv/orderdesk`".to_owned(),
            Kind::Secret { min_length } => format!("a secret of {min_length} or more visible ASCII characters, no spaces"),
            Kind::KeyText => "a key as `mcp-stdio init` makes it (`odmk1…`), or `passphrase:` and 16 or more characters".to_owned(),
            Kind::Name { max_chars } => format!("a name or an id of at most {max_chars} characters"),
            Kind::Digits => "digits, for example `4242`".to_owned(),
            Kind::Flag => "`true` or `false`".to_owned(),
            Kind::Count { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Number { min, max } => format!("a number from {min} to {max}"),
            Kind::Duration { min_ms, max_ms } => format!(
                "a time span from {} to {}, for example `15s`, `500ms` or `2m`",
                units::print_duration(Duration::from_millis(min_ms)),
                units::print_duration(Duration::from_millis(max_ms)),
            ),
            Kind::Bytes { min, max } => {
                format!(
                    "a size from {} to {}, for example `4MiB` or `512KiB`",
                    units::print_bytes(min),
                    units::print_bytes(max)
                )
            }
            Kind::Names => "names with commas between them, for example `orders,shipments`".to_owned(),
            Kind::Hosts => "host names with commas between them, for example `ops.example.com,ops.local:9464`".to_owned(),
            Kind::ApiUrl => "an https URL, for example `https://app.orderdesk.me/api/v2` (plain http only to this machine)".to_owned(),
            Kind::Address => "an IP address and a port, for example `127.0.0.1:9464`".to_owned(),
            Kind::Targets => "`local`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`, with commas between them".to_owned(),
            Kind::Recipients => "public keys as `age-keygen` prints them (`age1…`), with commas between them".to_owned(),
            Kind::Schedule => "a time span from 1s to 31d, five fields of cron (`0 3 * * *`), or `off`".to_owned(),
            Kind::Choice(words) => format!("one of `{}`", words.join("`, `")),
        }
    }

    /// Whether values of this kind are masked everywhere and may come from a file or a systemd credential.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self, Kind::Secret { .. } | Kind::KeyText)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Path(path) => path.display().fmt(f),
            Value::Secret(secret) => secret.fmt(f),
            Value::Flag(flag) => flag.fmt(f),
            Value::Count(count) => count.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::Duration(span) => f.write_str(&units::print_duration(*span)),
            Value::Bytes(bytes) => f.write_str(&units::print_bytes(*bytes)),
            Value::List(words) => f.write_str(&words.join(",")),
            Value::Url(url) => f.write_str(url.as_str().trim_end_matches('/')),
            Value::Address(address) => address.fmt(f),
        }
    }
}

fn one_line(text: &str) -> Result<&str, Refusal> {
    if text.contains(char::is_control) {
        return Err(Refusal::silent(
            "holds a line break or another control character",
        ));
    }
    Ok(text)
}

/// Keys and tokens travel in HTTP headers, so anything a header cannot carry is a slip of the clipboard.
fn secret(text: &str, min_length: usize) -> Result<Secret, Refusal> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::silent(
            "holds a space, a line break or a character that is not ASCII",
        ));
    }
    if text.len() < min_length {
        return Err(Refusal::silent(format!(
            "is shorter than {min_length} characters"
        )));
    }
    Ok(Secret::new(text.to_owned()))
}

/// Refusals never show the text: half a key is a secret too.
fn key_text(text: &str) -> Result<Secret, Refusal> {
    if text.is_empty() {
        return Err(Refusal::silent("is empty"));
    }
    Ok(Secret::new(one_line(text)?.to_owned()))
}

fn name(text: &str, max_chars: usize) -> Result<&str, Refusal> {
    if text.is_empty() {
        return Err(Refusal::new("is empty"));
    }
    if text.chars().count() > max_chars {
        return Err(Refusal::new(format!(
            "is longer than {max_chars} characters"
        )));
    }
    one_line(text)
}

/// Which names there are is for whoever obeys the setting to say. What is said twice counts once.
fn names(text: &str) -> Result<Vec<String>, Refusal> {
    const MOST: usize = 100;
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(|name| name.trim().to_ascii_lowercase()) {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if !name.bytes().all(is_name) {
            return Err(Refusal::new(
                "holds something beside letters, digits, `_` and commas",
            ));
        }
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    match names.len() {
        0 => Err(Refusal::new("names nothing")),
        1..=MOST => Ok(names),
        _ => Err(Refusal::new(format!("has more than {MOST} names"))),
    }
}

fn digits(text: &str) -> Result<&str, Refusal> {
    match text.len() {
        1..=20 if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(text),
        // The key stands beside the id in Order Desk, and is often taken for it.
        _ if text.len() > 20 => Err(Refusal::silent("is longer than the 20 digits of an id")),
        _ => Err(Refusal::new("is not a number of 1 to 20 digits")),
    }
}

/// The spellings that people and client forms use for yes and no.
fn flag(text: &str) -> Result<bool, Refusal> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(Refusal::new("is neither yes nor no")),
    }
}

fn choice(text: &str, words: &'static [&'static str]) -> Result<&'static str, Refusal> {
    let found = words.iter().find(|word| word.eq_ignore_ascii_case(text));
    found.copied().ok_or_else(
        || match super::nearest::nearest(text, words.iter().copied()) {
            Some(word) => Refusal::new(format!("is none of the words, did you mean `{word}`?")),
            None => Refusal::new("is none of the words"),
        },
    )
}

fn within<N: Copy + PartialOrd + fmt::Display>(number: N, min: N, max: N) -> Result<N, Refusal> {
    if number < min {
        return Err(Refusal::new(format!("is less than {min}")));
    }
    if number > max {
        return Err(Refusal::new(format!("is more than {max}")));
    }
    Ok(number)
}

fn duration_within(text: &str, min_ms: u64, max_ms: u64) -> Result<Duration, Refusal> {
    let span = units::duration(text)?;
    if span < Duration::from_millis(min_ms) {
        return Err(Refusal::new(format!(
            "is shorter than {}",
            units::print_duration(Duration::from_millis(min_ms))
        )));
    }
    if span > Duration::from_millis(max_ms) {
        return Err(Refusal::new(format!(
            "is longer than {}",
            units::print_duration(Duration::from_millis(max_ms))
        )));
    }
    Ok(span)
}

fn bytes_within(text: &str, min: u64, max: u64) -> Result<u64, Refusal> {
    let bytes = units::bytes(text)?;
    if bytes < min {
        return Err(Refusal::new(format!(
            "is less than {}",
            units::print_bytes(min)
        )));
    }
    if bytes > max {
        return Err(Refusal::new(format!(
            "is more than {}",
            units::print_bytes(max)
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
