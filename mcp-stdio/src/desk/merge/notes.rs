//! Staff notes and history: how much room is left, and that none is added twice.
//!
//! Two systems: staff notes are a list within the order, short and replaced as a whole; the history is a log with an endpoint of its own,
//! for up to 250 entries. Not here: which of them is meant, and sending.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Kind;
use super::apply::to_send;
use super::limits::json_chars;
use super::value::as_rows;
use crate::desk::model::{Fields, Object, text_of};

/// All notes of an order together, as JSON with their dates and authors, in characters; documented. What is longer loses notes.
pub const ALL_NOTES_MAX: usize = 2_000;

/// The text of all notes together stays under this many characters; the documentation's own advice.
pub const SAFE: usize = 1_800;

/// One entry of the history, in characters.
pub const HISTORY_NOTE_MAX: usize = 1_800;

/// What became of a note.
#[derive(Clone, Debug, PartialEq)]
pub enum Added {
    /// The whole order as it is sent, with the note.
    New(Object),
    /// The same text is among the notes.
    AlreadyThere {
        /// When it was added, as Order Desk writes it (UTC).
        date: String,
    },
}

/// Why a note cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Nothing is left of the text without blanks.
    #[error("the note is empty; hint: say what the note shall say")]
    Empty,
    /// The order's notes would not fit.
    #[error(
        "the note takes {needed} characters and the order's staff notes have room for {left}; hint: shorten it, or add it to the order's history (kind history), which has room"
    )]
    Full {
        /// What the note takes, in characters; one beyond ASCII may take six (see [`limits`](super::limits)).
        needed: usize,
        /// Characters that would fit.
        left: usize,
    },
    /// An entry of the history is too long.
    #[error(
        "the note has {needed} characters, an entry of the history at most {HISTORY_NOTE_MAX}; hint: shorten it, or make two of it"
    )]
    TooLong {
        /// Characters of the note.
        needed: usize,
    },
    /// What stands where the notes should be is no list.
    #[error(
        "the order's staff notes cannot be read, so none can be added without losing them; hint: add it to the order's history (kind history)"
    )]
    Unreadable,
}

/// The order with one more staff note, as it is sent. The text is [`tidy`]; a note with the same text (whatever its case and blanks,
/// whoever wrote it) is not added again.
///
/// # Errors
/// See [`NoteError`].
pub fn append(
    order: &Object,
    content: &str,
    username: &str,
    now_utc: &str,
) -> Result<Added, NoteError> {
    let content = tidy(content);
    if content.is_empty() {
        return Err(NoteError::Empty);
    }
    let mut next = to_send(Kind::Order, order);
    let notes = next.get("order_notes").unwrap_or(&Value::Null);
    let notes = as_rows(notes).ok_or(NoteError::Unreadable)?;
    if let Some(same) = notes
        .iter()
        .find(|note| is_same(&note_text(note), &content))
    {
        let date = same.get("date_added").map(text_of).unwrap_or_default();
        let date = date.into_owned();
        return Ok(Added::AlreadyThere { date });
    }
    let mut notes: Vec<Value> = notes.into_iter().cloned().collect();
    has_room(&notes, &content, username, now_utc)?;
    notes.push(note(&content, username, now_utc));
    next.insert("order_notes".to_owned(), Value::Array(notes));
    Ok(Added::New(next))
}

fn note(content: &str, username: &str, now_utc: &str) -> Value {
    json!({"date_added": now_utc, "username": tidy(username), "content": content})
}

/// Both limits: all notes as JSON, and their text alone.
fn has_room(
    notes: &[Value],
    content: &str,
    username: &str,
    now_utc: &str,
) -> Result<(), NoteError> {
    let mut with_empty = notes.to_vec();
    with_empty.push(note("", username, now_utc));
    let quotes = 2;
    let json_needed = json_chars(&Value::from(content)) - quotes;
    let json_left = ALL_NOTES_MAX.saturating_sub(json_chars(&Value::Array(with_empty)));
    let text: usize = notes
        .iter()
        .map(|note| note_text(note).chars().count())
        .sum();
    let text_needed = content.chars().count();
    let text_left = (SAFE - 1).saturating_sub(text);
    for (needed, left) in [(text_needed, text_left), (json_needed, json_left)] {
        if needed > left {
            let left = text_left.min(json_left);
            return Err(NoteError::Full { needed, left });
        }
    }
    Ok(())
}

fn note_text(note: &Value) -> Cow<'_, str> {
    note.get("content").map(text_of).unwrap_or_default()
}

/// The text as it is stored: without blanks around it and without control characters but tabs and line breaks.
#[must_use]
pub fn tidy(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    let kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    let visible: String = unix.chars().filter(kept).collect();
    visible.trim().to_owned()
}

/// Whether two texts say the same: case and the kind and number of blanks do not count.
fn is_same(one: &str, other: &str) -> bool {
    let folded = |text: &str| {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").to_lowercase()
    };
    folded(one) == folded(other)
}

/// Checks the text of an entry of the history, as [`tidy`] leaves it.
///
/// # Errors
/// [`NoteError::Empty`] and [`NoteError::TooLong`].
pub fn check_history(text: &str) -> Result<(), NoteError> {
    let text = tidy(text);
    let needed = text.chars().count();
    if needed == 0 {
        return Err(NoteError::Empty);
    }
    if needed > HISTORY_NOTE_MAX {
        return Err(NoteError::TooLong { needed });
    }
    Ok(())
}

/// Whether the same text is in the history already; compared as staff notes are.
#[must_use]
pub fn in_history(history: &[Fields<'_>], text: &str) -> bool {
    let text = tidy(text);
    history
        .iter()
        .any(|entry| is_same(&entry.text("note"), &text))
}
