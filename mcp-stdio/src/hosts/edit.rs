//! One change of a text, proved.
//!
//! Here: looking before (is what we write into what the client documents?), the change itself through the format's editor, and looking
//! after: the new text is read again, and everything but our entry must say what it said. An editor's mistake then costs an error message,
//! never somebody's settings. Not here: files.

use super::client::{Client, Format};
use super::entry::{Field, Rule, is_foreign};
use super::tree::Tree;
use super::{jsonc, toml, yaml};

/// Why a text was not changed; the file's name is added by whoever knows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It does not parse.
    Syntax {
        line: usize,
        column: usize,
        why: String,
    },
    /// It parses, but is not what the client documents.
    Shape(String),
    /// The entry of our name is about another kind of server.
    Foreign,
    /// The proof failed.
    Damage,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    pub(super) format: Format,
    /// The key that holds all servers.
    pub(super) container: &'a str,
    /// The entry's own key.
    pub(super) name: &'a str,
}

impl<'a> Spot<'a> {
    /// Where the entry `name` stands in a client's file.
    pub(super) fn of(client: &Client, name: &'a str) -> Spot<'a> {
        Spot {
            format: client.format,
            container: client.container,
            name,
        }
    }
}

/// The text with the entry in it and up to date; the same text if nothing is to be done.
pub(super) fn put(text: &str, spot: Spot<'_>, fields: &[Field]) -> Result<String, Refusal> {
    in_lf(text, |text| {
        let before = read(text, spot)?;
        let found = entry_of(&before, spot)?;
        if found.is_some_and(is_foreign) {
            return Err(Refusal::Foreign);
        }
        if found.is_some_and(|entry| fields.iter().all(|field| field.is_said_by(entry))) {
            return Ok(text.to_owned());
        }
        let changed = match spot.format {
            Format::Jsonc => jsonc::put(text, spot, fields),
            Format::Toml => toml::put(text, spot, fields),
            Format::Yaml => yaml::put(text, spot, fields),
        }?;
        let after = read(&changed, spot).map_err(|_| Refusal::Damage)?;
        let proved = same_but_for_us(&before, &after, spot)
            && is_up_to_date(entry_of(&after, spot)?, found, fields)
            && keeps_comments(text, &changed);
        // What cannot be taken out again is not put in.
        if proved && taken_out(&changed, &after, spot).is_ok() {
            Ok(changed)
        } else {
            Err(Refusal::Damage)
        }
    })
}

/// The text without the entry; the same text if it is not there. An emptied container stays.
pub(super) fn remove(text: &str, spot: Spot<'_>) -> Result<String, Refusal> {
    in_lf(text, |text| {
        let before = read(text, spot)?;
        match entry_of(&before, spot)? {
            Some(_) => taken_out(text, &before, spot),
            None => Ok(text.to_owned()),
        }
    })
}

fn taken_out(text: &str, before: &Tree, spot: Spot<'_>) -> Result<String, Refusal> {
    let changed = match spot.format {
        Format::Jsonc => jsonc::remove(text, spot),
        Format::Toml => toml::remove(text, spot),
        Format::Yaml => yaml::remove(text, spot),
    }?;
    let after = read(&changed, spot).map_err(|_| Refusal::Damage)?;
    let proved = same_but_for_us(before, &after, spot) && entry_of(&after, spot)?.is_none();
    if proved {
        Ok(changed)
    } else {
        Err(Refusal::Damage)
    }
}

/// The entry that a text holds.
pub(super) fn find(text: &str, spot: Spot<'_>) -> Result<Option<Tree>, Refusal> {
    let tree = read(&text.replace("\r\n", "\n"), spot)?;
    Ok(entry_of(&tree, spot)?.cloned())
}

fn read(text: &str, spot: Spot<'_>) -> Result<Tree, Refusal> {
    match spot.format {
        Format::Jsonc => jsonc::read(text),
        Format::Toml => toml::read(text),
        Format::Yaml => yaml::read(text),
    }
}

/// The entry, if everything on the way to it is as documented.
fn entry_of<'t>(tree: &'t Tree, spot: Spot<'_>) -> Result<Option<&'t Tree>, Refusal> {
    let Spot {
        container, name, ..
    } = spot;
    if tree.as_map().is_none() {
        return Err(Refusal::Shape(format!(
            "it holds {}, not a table",
            tree.kind()
        )));
    }
    if tree.count(container) > 1 {
        return Err(Refusal::Shape(format!("`{container}` is written twice")));
    }
    let Some(servers) = tree.get(container).filter(|servers| !servers.is_null()) else {
        return Ok(None);
    };
    if servers.as_map().is_none() {
        return Err(Refusal::Shape(format!(
            "`{container}` is {}, not a table",
            servers.kind()
        )));
    }
    if servers.count(name) > 1 {
        return Err(Refusal::Shape(format!(
            "`{container}.{name}` is written twice"
        )));
    }
    match servers.get(name) {
        Some(entry) if entry.as_map().is_none() => Err(Refusal::Shape(format!(
            "`{container}.{name}` is {}, not a table",
            entry.kind()
        ))),
        entry => Ok(entry),
    }
}

fn same_but_for_us(before: &Tree, after: &Tree, spot: Spot<'_>) -> bool {
    before.without(spot.container, spot.name) == after.without(spot.container, spot.name)
}

/// Our keys say what they should, and the user's keys say what they said.
fn is_up_to_date(after: Option<&Tree>, before: Option<&Tree>, fields: &[Field]) -> bool {
    let Some(after) = after else { return false };
    let ours = fields.iter().all(|field| match field.rule {
        Rule::First if before.is_none() => after.get(field.key) == Some(&field.value),
        _ => field.is_said_by(after),
    });
    let pairs = before.and_then(Tree::as_map).unwrap_or_default();
    let theirs = pairs.iter().all(|(key, value)| {
        let field = fields.iter().find(|field| field.key == key);
        match field.map(|field| (field.rule, field)) {
            Some((Rule::Ours, _)) => true,
            Some((Rule::Merged, field)) => keeps_pairs(value, after.get(key), field),
            Some((Rule::First, _)) | None => after.get(key) == Some(value),
        }
    });
    ours && theirs
}

/// In a merged map, every pair that is not ours is as it was.
fn keeps_pairs(before: &Tree, after: Option<&Tree>, field: &Field) -> bool {
    let mut pairs = before.as_map().unwrap_or_default().iter();
    pairs.all(|(key, value)| {
        let ours =
            field.value.get(key).is_some() || field.stale(Some(before)).any(|stale| stale == key);
        ours || after.and_then(|after| after.get(key)) == Some(value)
    })
}

/// A line that begins with a comment sign is still there. (Comments inside lines are the editors' business; their tests hold them to it.)
fn keeps_comments(before: &str, after: &str) -> bool {
    let comments = |text: &str| {
        let lines = text.lines().map(|line| line.trim().to_owned());
        let mut found: Vec<String> = lines
            .filter(|line| line.starts_with('#') || line.starts_with("//"))
            .collect();
        found.sort();
        found
    };
    comments(before) == comments(after)
}

/// Works on a text whose lines end in LF, and gives the lines their CR back. A text that mixes both keeps what it has.
fn in_lf(
    text: &str,
    work: impl FnOnce(&str) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    let breaks = text.matches('\n').count();
    if breaks == 0 || text.matches("\r\n").count() != breaks {
        return work(text);
    }
    Ok(work(&text.replace("\r\n", "\n"))?.replace('\n', "\r\n"))
}
