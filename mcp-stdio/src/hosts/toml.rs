//! TOML, edited in place.
//!
//! Here: one entry put into a TOML text, changed or taken out: as a `[container.name]` table where there are tables, inside the braces
//! where the servers are an inline table. Comments, order and spacing of everything else stay.

use toml_edit::{
    Array, DocumentMut, InlineTable, Item, RawString, Table, TableLike, TomlError, Value,
};

use super::edit::{Refusal, Spot};
use super::entry::{Field, Rule};
use super::tree::Tree;

/// What the text says.
pub(super) fn read(text: &str) -> Result<Tree, Refusal> {
    Ok(table(parse(text)?.as_table()))
}

/// The text with the entry in it. What stands there was looked at before.
pub(super) fn put(text: &str, spot: Spot<'_>, fields: &[Field]) -> Result<String, Refusal> {
    let mut document = parse(text)?;
    let servers = document
        .as_table_mut()
        .entry(spot.container)
        .or_insert_with(implicit);
    let inline = servers.is_inline_table();
    let servers = servers.as_table_like_mut().ok_or(Refusal::Damage)?;
    match servers.get_mut(spot.name) {
        Some(entry) => update(entry.as_table_like_mut().ok_or(Refusal::Damage)?, fields),
        None => {
            let entry = fresh(fields, inline);
            servers.insert(spot.name, entry);
        }
    }
    Ok(document.to_string())
}

/// The text without the entry. A comment paragraph that touches the entry's header goes with it; those above, with a blank line between,
/// stay.
pub(super) fn remove(text: &str, spot: Spot<'_>) -> Result<String, Refusal> {
    let mut document = parse(text)?;
    let servers = document
        .get_mut(spot.container)
        .and_then(Item::as_table_like_mut);
    let Some(entry) = servers.and_then(|servers| servers.remove(spot.name)) else {
        return Ok(text.to_owned());
    };
    if let Some(entry) = entry.as_table() {
        keep_comments_above(&mut document, entry);
    }
    Ok(document.to_string())
}

/// Hands what stands above a removed table, but is not about it, to whatever follows.
fn keep_comments_above(document: &mut DocumentMut, removed: &Table) {
    let above = removed
        .decor()
        .prefix()
        .and_then(RawString::as_str)
        .unwrap_or_default();
    let Some((kept, _)) = above.rsplit_once("\n\n") else {
        return;
    };
    if !kept.contains('#') {
        return;
    }
    let kept = format!("{kept}\n");
    let position = removed.position().unwrap_or(isize::MAX);
    match next_table(document.as_table_mut(), position) {
        Some(next) => {
            let prefix = next
                .decor()
                .prefix()
                .and_then(RawString::as_str)
                .unwrap_or_default();
            let prefix = format!("{kept}{prefix}");
            next.decor_mut().set_prefix(prefix);
        }
        None => {
            let trailing = document.trailing().as_str().unwrap_or_default();
            let trailing = format!("{kept}{trailing}");
            document.set_trailing(trailing);
        }
    }
}

/// The table that is written next after a position. Implicit tables are not written, and have no place of their own.
fn next_table(table: &mut Table, position: isize) -> Option<&mut Table> {
    let mut positions = Vec::new();
    gather(table, &mut positions);
    let next = positions.into_iter().filter(|at| *at > position).min()?;
    table_at(table, next)
}

fn gather(table: &Table, positions: &mut Vec<isize>) {
    positions.extend(table.position().filter(|_| !table.is_implicit()));
    for (_, item) in table {
        match item {
            Item::Table(child) => gather(child, positions),
            Item::ArrayOfTables(children) => {
                children.iter().for_each(|child| gather(child, positions));
            }
            Item::Value(_) | Item::None => {}
        }
    }
}

fn table_at(table: &mut Table, position: isize) -> Option<&mut Table> {
    if table.position() == Some(position) && !table.is_implicit() {
        return Some(table);
    }
    table.iter_mut().find_map(|(_, item)| match item {
        Item::Table(child) => table_at(child, position),
        Item::ArrayOfTables(children) => children
            .iter_mut()
            .find_map(|child| table_at(child, position)),
        Item::Value(_) | Item::None => None,
    })
}

fn update(entry: &mut dyn TableLike, fields: &[Field]) {
    let now = table(entry);
    for field in fields.iter().filter(|field| !field.is_said_by(&now)) {
        match field.rule {
            Rule::Merged => merge(entry, field, now.get(field.key)),
            Rule::Ours | Rule::First => set(entry, field.key, &field.value),
        }
    }
}

fn merge(entry: &mut dyn TableLike, field: &Field, found: Option<&Tree>) {
    let map = entry
        .entry(field.key)
        .or_insert_with(|| Item::Value(InlineTable::new().into()));
    let Some(map) = map.as_table_like_mut() else {
        return set(entry, field.key, &field.value);
    };
    for key in field.stale(found) {
        map.remove(key);
    }
    for (key, value) in field.pairs() {
        set(map, key, value);
    }
}

/// Replaces a value and keeps the space and the comment around it.
fn set(table: &mut dyn TableLike, key: &str, tree: &Tree) {
    let mut new = value(tree);
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        _ => {
            table.insert(key, Item::Value(new));
        }
    }
}

/// A new entry: everything that has something to say.
fn fresh(fields: &[Field], inline: bool) -> Item {
    let said = fields
        .iter()
        .filter(|field| field.rule != Rule::Merged || !field.pairs().is_empty());
    let pairs = said.map(|field| (field.key, value(&field.value)));
    if inline {
        Item::Value(InlineTable::from_iter(pairs).into())
    } else {
        Item::Table(
            pairs
                .map(|(key, value)| (key, Item::Value(value)))
                .collect(),
        )
    }
}

/// A table that is written only through its children's headers.
fn implicit() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn parse(text: &str) -> Result<DocumentMut, Refusal> {
    text.parse().map_err(|error: TomlError| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..at).unwrap_or_default();
        Refusal::Syntax {
            line: before.matches('\n').count() + 1,
            column: before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1,
            why: error
                .message()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        }
    })
}

fn table(table: &dyn TableLike) -> Tree {
    Tree::Map(
        table
            .iter()
            .map(|(key, item)| (key.to_owned(), item_tree(item)))
            .collect(),
    )
}

fn item_tree(item: &Item) -> Tree {
    match item {
        Item::None => Tree::Other(String::new()),
        Item::Value(found) => value_tree(found),
        Item::Table(found) => table(found),
        Item::ArrayOfTables(found) => Tree::List(found.iter().map(|found| table(found)).collect()),
    }
}

fn value_tree(found: &Value) -> Tree {
    match found {
        Value::String(text) => Tree::Text(text.value().clone()),
        Value::Array(values) => Tree::List(values.iter().map(value_tree).collect()),
        Value::InlineTable(pairs) => table(pairs),
        other => Tree::Other(other.to_string().trim().to_owned()),
    }
}

fn value(tree: &Tree) -> Value {
    match tree {
        Tree::Text(text) => Value::from(text.as_str()),
        Tree::Other(word) => word.parse().unwrap_or_else(|_| Value::from(word.as_str())),
        Tree::List(values) => Value::Array(values.iter().map(value).collect::<Array>()),
        Tree::Map(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, found)| (key.as_str(), value(found)));
            Value::InlineTable(pairs.collect())
        }
    }
}
