//! Staff notes and history: how much room is left, and that none is added twice.

use serde_json::{Value, json};

use crate::desk::model::{Fields, Object};

/// All notes of an order together, as JSON with their dates and authors, in characters; documented. What is longer loses notes.
pub const ALL_NOTES_MAX: usize = 2_000;

/// The text of all notes together, in characters; the documentation's own advice.
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
        "the note has {needed} characters and the order's staff notes have room for {left}; hint: shorten it, or add it to the order's history (kind history), which has room"
    )]
    Full {
        /// Characters of the note.
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

/// The order with one more staff note.
///
/// # Errors
/// See [`NoteError`].
pub fn append(
    order: &Object,
    content: &str,
    username: &str,
    now_utc: &str,
) -> Result<Added, NoteError> {
    let mut next = order.clone();
    let mut notes = next
        .get("order_notes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    notes.push(json!({"date_added": now_utc, "username": username, "content": content}));
    next.insert("order_notes".to_owned(), Value::Array(notes));
    Ok(Added::New(next))
}

/// Checks the text of an entry of the history.
///
/// # Errors
/// [`NoteError::Empty`] and [`NoteError::TooLong`].
pub fn check_history(text: &str) -> Result<(), NoteError> {
    let needed = text.chars().count();
    if text.trim().is_empty() {
        Err(NoteError::Empty)
    } else if needed > HISTORY_NOTE_MAX {
        Err(NoteError::TooLong { needed })
    } else {
        Ok(())
    }
}

/// Whether the same text is in the history already.
#[must_use]
pub fn in_history(history: &[Fields<'_>], text: &str) -> bool {
    history.iter().any(|entry| entry.text("note") == text)
}
