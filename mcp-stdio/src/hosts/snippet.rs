//! The entry, printed.
//!
//! Here: what a person pastes into a client's file: the whole file, as it would be if nothing else stood in it. Made from the same fields
//! that [`mod@super::install`] writes, so that the two cannot drift apart.

use super::client::{Client, Format};
use super::edit::{self, Spot};
use super::entry::{Entry, Field, Rule, Shape};
use super::error::HostError;
use super::tree::Tree;
use super::yaml_lines::lines;

/// What to paste for a client; ends with a line break.
///
/// # Errors
/// If the entry's name, command or variables are unusable; see [`HostError`].
pub fn snippet(client: &Client, entry: &Entry) -> Result<String, HostError> {
    entry.check()?;
    let fields = entry.fields(client.shape);
    if client.shape == Shape::NamedItem {
        return Ok(list_item(client.container, &fields));
    }
    let empty = if client.format == Format::Jsonc {
        "{}\n"
    } else {
        ""
    };
    let text = edit::put(empty, Spot::of(client, &entry.name), &fields);
    Ok(text.expect("an entry that was checked goes into an empty text"))
}

/// A list of servers with ours in it (Continue).
fn list_item(container: &str, fields: &[Field]) -> String {
    let said = fields
        .iter()
        .filter(|field| field.rule != Rule::Merged || !field.pairs().is_empty());
    let item = Tree::Map(
        said.map(|field| (field.key.to_owned(), field.value.clone()))
            .collect(),
    );
    lines(&Tree::Map(vec![(
        container.to_owned(),
        Tree::List(vec![item]),
    )]))
}
