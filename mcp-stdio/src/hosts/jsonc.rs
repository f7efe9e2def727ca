//! JSON with comments, edited in place.
//!
//! Here: one entry put into a JSON text, changed or taken out, with everybody's comments, order, indentation and trailing commas left as
//! they are. Comments and trailing commas are accepted whether or not the client accepts them; other departures from JSON (single quotes,
//! missing commas, bare keys) are syntax errors.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};

use super::edit::{Refusal, Spot};
use super::entry::{Field, Rule, fresh};
use super::tree::Tree;

/// What the text says. An empty text is an empty table.
pub(super) fn read(text: &str) -> Result<Tree, Refusal> {
    match parse(text)?.value() {
        Some(node) => Ok(tree(&node)),
        None => Ok(Tree::Map(Vec::new())),
    }
}

/// The text with the entry in it. What stands there was looked at before.
pub(super) fn put(text: &str, spot: Spot<'_>, fields: &[Field]) -> Result<String, Refusal> {
    let root = parse(text)?;
    let servers = root
        .object_value_or_set()
        .object_value_or_set(spot.container);
    match servers.object_value(spot.name) {
        Some(entry) => update(&entry, fields),
        None => {
            servers.append(spot.name, input(&fresh(fields)));
        }
    }
    Ok(root.to_string())
}

/// The text without the entry.
pub(super) fn remove(text: &str, spot: Spot<'_>) -> Result<String, Refusal> {
    let root = parse(text)?;
    let servers = root
        .object_value()
        .and_then(|object| object.object_value(spot.container));
    if let Some(entry) = servers.and_then(|servers| servers.get(spot.name)) {
        entry.remove();
    }
    Ok(root.to_string())
}

fn update(entry: &CstObject, fields: &[Field]) {
    let now = object(entry);
    for field in fields.iter().filter(|field| !field.is_said_by(&now)) {
        match field.rule {
            Rule::Merged => merge(entry, field, now.get(field.key)),
            Rule::Ours | Rule::First => set(entry, field.key, &field.value),
        }
    }
}

fn merge(entry: &CstObject, field: &Field, found: Option<&Tree>) {
    let map = entry.object_value_or_set(field.key);
    for key in field.stale(found) {
        if let Some(stale) = map.get(key) {
            stale.remove();
        }
    }
    for (key, value) in field.pairs() {
        set(&map, key, value);
    }
}

fn set(object: &CstObject, key: &str, value: &Tree) {
    match object.get(key) {
        Some(property) => property.set_value(input(value)),
        None => {
            object.append(key, input(value));
        }
    }
}

fn parse(text: &str) -> Result<CstRootNode, Refusal> {
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    CstRootNode::parse(text, &options).map_err(|error| Refusal::Syntax {
        line: error.line_display(),
        column: error.column_display(),
        why: error.kind().to_string(),
    })
}

fn tree(node: &CstNode) -> Tree {
    if let Some(found) = node.as_object() {
        return object(&found);
    }
    if let Some(array) = node.as_array() {
        return Tree::List(array.elements().iter().map(tree).collect());
    }
    let text = node
        .as_string_lit()
        .and_then(|text| text.decoded_value().ok());
    text.map_or_else(|| Tree::Other(node.to_string()), Tree::Text)
}

fn object(object: &CstObject) -> Tree {
    let properties = object.properties().into_iter();
    Tree::Map(
        properties
            .filter_map(|property| Some((property.decoded_name()?, tree(&property.value()?))))
            .collect(),
    )
}

fn input(tree: &Tree) -> CstInputValue {
    match tree {
        Tree::Text(text) => CstInputValue::String(text.clone()),
        Tree::Other(word) => match word.as_str() {
            "true" => CstInputValue::Bool(true),
            "false" => CstInputValue::Bool(false),
            "null" => CstInputValue::Null,
            number => CstInputValue::Number(number.to_owned()),
        },
        Tree::List(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Tree::Map(pairs) => {
            let pairs = pairs.iter();
            CstInputValue::Object(
                pairs
                    .map(|(key, value)| (key.clone(), input(value)))
                    .collect(),
            )
        }
    }
}
