//! YAML, edited in place.
//!
//! Here: one entry put into a YAML text, changed or taken out. The library keeps comments and layout; what it is not trusted with (more
//! than one document, anchors and tags around the entry, tabs for indentation) is refused before, and every edit is read back after.
//! Not here: how our own values are written ([`super::snippet`] prints the same lines).

use yaml_edit::{Document, Mapping, Scalar, YamlError, YamlFile, YamlNode};

use super::edit::{Refusal, Spot};
use super::entry::{Field, Rule, fresh};
use super::tree::Tree;
use super::yaml_lines::lines;

/// What the text says. An empty text is an empty table.
pub(super) fn read(text: &str) -> Result<Tree, Refusal> {
    let Some(document) = parse(text)?.document() else {
        return Ok(Tree::Map(Vec::new()));
    };
    if let Some(found) = document.as_mapping() {
        return Ok(mapping(&found));
    }
    match document.as_scalar() {
        Some(found) if !found.is_null() => Ok(scalar(&found)),
        _ if document.as_sequence().is_some() => Ok(Tree::List(Vec::new())),
        _ => Ok(Tree::Map(Vec::new())),
    }
}

/// The text with the entry in it. What stands there was looked at before.
pub(super) fn put(text: &str, spot: Spot<'_>, fields: &[Field]) -> Result<String, Refusal> {
    plain_way(text, spot)?;
    let file = parse(text)?;
    let entry = Tree::Map(vec![(spot.name.to_owned(), fresh(fields))]);
    let Some(root) = file.document().and_then(|document| document.as_mapping()) else {
        let servers = Tree::Map(vec![(spot.container.to_owned(), entry)]);
        return Ok(appended(text, &lines(&servers)));
    };
    match root.get_mapping(spot.container) {
        Some(servers) if !servers.is_empty() => match servers.get_mapping(spot.name) {
            Some(found) => update(&found, fields)?,
            None => servers.set(spot.name, node(&fresh(fields))?),
        },
        _ => root.set(spot.container, node(&entry)?),
    }
    Ok(file.to_string())
}

/// The text without the entry.
pub(super) fn remove(text: &str, spot: Spot<'_>) -> Result<String, Refusal> {
    plain_way(text, spot)?;
    let file = parse(text)?;
    let root = file.document().and_then(|document| document.as_mapping());
    if let Some(servers) = root.and_then(|root| root.get_mapping(spot.container)) {
        servers.remove(spot.name);
    }
    Ok(file.to_string())
}

/// Lines below what stands there, which holds no value: comments at most.
fn appended(text: &str, lines: &str) -> String {
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{gap}{lines}")
}

fn update(entry: &Mapping, fields: &[Field]) -> Result<(), Refusal> {
    let now = mapping(entry);
    for field in fields.iter().filter(|field| !field.is_said_by(&now)) {
        match (field.rule, entry.get_mapping(field.key)) {
            (Rule::Merged, Some(map)) if !map.is_empty() => {
                for key in field.stale(now.get(field.key)) {
                    map.remove(key);
                }
                for (key, value) in field.pairs() {
                    map.set(key.as_str(), node(value)?);
                }
            }
            _ => entry.set(field.key, node(&field.value)?),
        }
    }
    Ok(())
}

/// An anchor or a tag on the way to the entry: what we add would show up wherever the anchor is used.
fn plain_way(text: &str, spot: Spot<'_>) -> Result<(), Refusal> {
    for key in [spot.container, spot.name] {
        let mut values = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(':'));
        if values.any(|value| value.trim_start().starts_with(['&', '!', '*'])) {
            return Err(Refusal::Shape(format!(
                "`{key}` carries an anchor, an alias or a tag"
            )));
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<YamlFile, Refusal> {
    if let Some(line) = text
        .lines()
        .position(|line| line.starts_with('\t') && !line.trim().is_empty())
    {
        let why = "a tab indents this line, and YAML is indented with spaces".to_owned();
        return Err(Refusal::Syntax {
            line: line + 1,
            column: 1,
            why,
        });
    }
    let file = YamlFile::parse(text)
        .to_result()
        .map_err(|error| syntax(&error))?;
    if file.documents().count() > 1 {
        return Err(Refusal::Shape(
            "it holds more than one YAML document".to_owned(),
        ));
    }
    Ok(file)
}

fn syntax(error: &YamlError) -> Refusal {
    match error {
        YamlError::Parse {
            message,
            line,
            column,
        } => Refusal::Syntax {
            line: line.unwrap_or(1),
            column: column.unwrap_or(1),
            why: message.split(". ").next().unwrap_or_default().to_owned(),
        },
        other => Refusal::Syntax {
            line: 1,
            column: 1,
            why: other.to_string(),
        },
    }
}

fn tree(node: &YamlNode) -> Tree {
    match node {
        YamlNode::Scalar(found) => scalar(found),
        YamlNode::Mapping(found) => mapping(found),
        YamlNode::Sequence(found) => Tree::List(found.values().map(|value| tree(&value)).collect()),
        YamlNode::Alias(found) => Tree::Other(found.to_string()),
        YamlNode::TaggedNode(found) => Tree::Other(found.to_string()),
    }
}

fn mapping(found: &Mapping) -> Tree {
    let entries = found.entries().filter_map(|entry| {
        let key = match tree(&entry.key_node()?) {
            Tree::Text(text) | Tree::Other(text) => text,
            Tree::List(_) | Tree::Map(_) => entry.key_node()?.to_string(),
        };
        let value = entry
            .value_node()
            .map_or_else(|| Tree::Other(String::new()), |value| tree(&value));
        Some((key, value))
    });
    Tree::Map(entries.collect())
}

fn scalar(found: &Scalar) -> Tree {
    let written = !found.is_quoted() && !found.is_block();
    let typed = found.is_null()
        || found.as_bool().is_some()
        || found.as_i64().is_some()
        || found.as_f64().is_some();
    let text = found.as_string();
    if written && typed {
        Tree::Other(text)
    } else {
        Tree::Text(text)
    }
}

/// A value of ours as the library's node, by way of the text that we would write.
fn node(tree: &Tree) -> Result<YamlNode, Refusal> {
    let text = lines(&Tree::Map(vec![("value".to_owned(), tree.clone())]));
    let document: Document = text.parse().map_err(|_| Refusal::Damage)?;
    document.get("value").ok_or(Refusal::Damage)
}
