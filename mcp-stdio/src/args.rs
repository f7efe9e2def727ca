//! What a tool takes: declared once, published as JSON Schema, and checked against the same declaration.
//!
//! Here: strict about names, lenient about types. A misspelt optional argument would answer another question than the caller
//! asked, so an unknown name is an error that says the nearest right one; a number where text is expected (`"order_id": 7`), text
//! where a number is expected, or one word where a list is expected is simply understood. All mistakes are told at once. Not
//! here: what a value means to Order Desk.

mod values;

use serde_json::{Map, Value, json};
use shared::env::nearest;

use crate::error::ToolError;

/// One argument of a tool.
#[derive(Debug)]
pub struct Argument {
    /// Its name; Order Desk's own where it has one.
    pub name: &'static str,
    /// What it accepts.
    pub kind: Kind,
    /// Whether a call without it is a mistake.
    pub required: bool,
    /// Words for the model; empty when the name says it all.
    pub help: &'static str,
}

/// What an argument accepts.
#[derive(Debug)]
pub enum Kind {
    /// Any text; numbers are taken as their digits.
    Text,
    /// A whole number within these bounds, both included.
    Count(u64, u64),
    /// true or false.
    Flag,
    /// One of these words; letter case does not matter.
    Word(&'static [&'static str]),
    /// A list of words; one word, or words with commas, are taken as a list.
    Words,
    /// A whole number with a sign, within these bounds, both included.
    Integer(i64, i64),
    /// Text of several lines, at most so many characters.
    LongText(usize),
    /// Ids, at most so many; what stands twice counts once.
    Ids(usize),
    /// An object whose names are Order Desk's, not ours; JSON text that holds one is understood.
    Object,
    /// Objects of that sort, at most so many; a single one is taken as a list.
    Objects(usize),
}

impl Argument {
    /// An argument that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Argument {
        Argument {
            name,
            kind,
            required: false,
            help,
        }
    }

    /// An argument without which there is nothing to do.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Argument {
        Argument {
            name,
            kind,
            required: true,
            help,
        }
    }

    fn schema(&self) -> Value {
        let mut schema = match &self.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Count(least, most) => {
                json!({ "type": "integer", "minimum": least, "maximum": most })
            }
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Word(words) => json!({ "type": "string", "enum": words }),
            Kind::Words => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Integer(least, most) => {
                json!({ "type": "integer", "minimum": least, "maximum": most })
            }
            Kind::LongText(most) => json!({ "type": "string", "maxLength": most }),
            Kind::Ids(most) => {
                json!({ "type": "array", "items": { "type": "string" }, "maxItems": most })
            }
            Kind::Object => json!({ "type": "object" }),
            Kind::Objects(most) => {
                json!({ "type": "array", "items": { "type": "object" }, "maxItems": most })
            }
        };
        if !self.help.is_empty() {
            schema["description"] = self.help.into();
        }
        schema
    }

    /// The value in the kind's own type, or what is wrong with it. `None` for what counts as not given: null and empty texts, lists and
    /// objects, which clients send for fields that were left blank.
    fn accept(&self, value: &Value) -> Result<Option<Value>, String> {
        match value {
            Value::Null => return Ok(None),
            Value::String(text) if text.trim().is_empty() => return Ok(None),
            _ => {}
        }
        match &self.kind {
            Kind::Text => values::text(value).map(Value::String),
            Kind::Count(least, most) => values::count(value, *least, *most).map(Value::from),
            Kind::Flag => values::flag(value).map(Value::Bool),
            Kind::Word(words) => values::word(value, words).map(Value::from),
            Kind::Words => values::words(value).map(Value::from),
            Kind::Integer(least, most) => values::integer(value, *least, *most).map(Value::from),
            Kind::LongText(most) => values::long_text(value, *most).map(Value::String),
            Kind::Ids(most) => values::ids(value, *most).map(Value::from),
            Kind::Object => values::object(value).map(Value::Object),
            Kind::Objects(most) => values::objects(value, *most).map(Value::from),
        }
        .map(|understood| (!is_empty(&understood)).then_some(understood))
        .map_err(|wrong| format!("`{}` {wrong}", self.name))
    }
}

/// The input schema of a tool with these arguments: JSON Schema 2020-12, nothing but what every client understands.
#[must_use]
pub fn input_schema(arguments: &[Argument]) -> Map<String, Value> {
    let properties: Map<String, Value> = arguments
        .iter()
        .map(|argument| (argument.name.to_owned(), argument.schema()))
        .collect();
    let required: Vec<&str> = arguments
        .iter()
        .filter(|argument| argument.required)
        .map(|argument| argument.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// The checked arguments of one call.
#[derive(Debug, Default)]
pub struct Args {
    values: Map<String, Value>,
}

impl Args {
    /// Checks what was given against what is declared.
    ///
    /// # Errors
    /// [`ToolError::Arguments`] with every mistake: unknown names, missing ones, values of the wrong kind.
    pub fn check(
        declared: &[Argument],
        given: Option<&Map<String, Value>>,
    ) -> Result<Args, ToolError> {
        let mut values = Map::new();
        let mut mistakes = Vec::new();
        let mut told = Vec::new();
        for (name, value) in given.into_iter().flatten() {
            match declared.iter().find(|argument| argument.name == name) {
                None => mistakes.push(unknown(name, declared)),
                Some(argument) => match argument.accept(value) {
                    Ok(Some(value)) => drop(values.insert(name.clone(), value)),
                    Ok(None) => {}
                    Err(mistake) => {
                        mistakes.push(mistake);
                        told.push(argument.name);
                    }
                },
            }
        }
        let missing = declared.iter().filter(|argument| {
            argument.required
                && !values.contains_key(argument.name)
                && !told.contains(&argument.name)
        });
        mistakes.extend(missing.map(|argument| format!("`{}` is missing", argument.name)));
        if mistakes.is_empty() {
            Ok(Args { values })
        } else {
            Err(ToolError::Arguments(mistakes))
        }
    }

    /// Text, if given.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// A number, if given.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        self.values.get(name).and_then(Value::as_u64)
    }

    /// A flag; false when not given.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.values
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// A number with a sign, if given.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.values.get(name).and_then(Value::as_i64)
    }

    /// An object, if given.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.values.get(name).and_then(Value::as_object)
    }

    /// Objects; empty when not given.
    #[must_use]
    pub fn objects(&self, name: &str) -> Vec<Map<String, Value>> {
        self.values
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .cloned()
            .collect()
    }

    /// Every argument that was given, as it was understood.
    #[must_use]
    pub fn given(&self) -> &Map<String, Value> {
        &self.values
    }

    /// A list of words or ids; empty when not given.
    #[must_use]
    pub fn words(&self, name: &str) -> Vec<&str> {
        self.values
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }
}

fn is_empty(understood: &Value) -> bool {
    match understood {
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn unknown(name: &str, declared: &[Argument]) -> String {
    let shown = crate::error::quoted(name);
    match nearest(name, declared.iter().map(|argument| argument.name)) {
        Some(near) => format!("{shown} is not an argument of this tool; did you mean `{near}`?"),
        None if declared.is_empty() => {
            format!("{shown} is not an argument of this tool; it takes none")
        }
        None => {
            let names: Vec<&str> = declared.iter().map(|argument| argument.name).collect();
            format!(
                "{shown} is not an argument of this tool; it takes `{}`",
                names.join("`, `")
            )
        }
    }
}

#[cfg(test)]
mod tests;
