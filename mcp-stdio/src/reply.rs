//! What a tool says: one JSON object, structured and as text.
//!
//! Here: building the object, the cap on its size, and its rendering. The text is the same object as compact JSON, because clients differ
//! in what they show the model: some only the structured part, some only the text, some both. Text that strangers wrote stands inside
//! JSON strings, which it cannot leave, under a notice that says so (`clean::NOTICE`). Not here: cleaning; whoever puts a shop's text
//! in has cleaned it.

use jiff::Timestamp;
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Map, Value};

use crate::clean;
use crate::desk::DeskError;
use crate::error::ToolError;
use crate::mask;
use crate::tools::Effect;

/// Most bytes of an answer. One widespread client moves results beyond 50,000 characters to a file and shows the model two
/// kilobytes of it; the rest is room for what stands around the rows.
pub const MAX_BYTES: usize = 48_000;

/// The answer of a tool.
#[derive(Debug, Default)]
pub struct Reply {
    fields: Map<String, Value>,
}

impl Reply {
    /// An answer that holds nothing strangers wrote.
    #[must_use]
    pub fn ours() -> Reply {
        Reply::default()
    }

    /// An answer with text from a shop: the notice comes first.
    #[must_use]
    pub fn from_shop() -> Reply {
        Reply::default().with(clean::NOTICE_KEY, clean::NOTICE)
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Reply {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a field if there is a value for it.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Reply {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// When the shop said so, RFC 3339 in whole seconds.
    #[must_use]
    pub fn fetched_at(self, at: Timestamp) -> Reply {
        let seconds = Timestamp::from_second(at.as_second()).unwrap_or(at);
        self.with("fetched_at", seconds.to_string())
    }

    /// Hides what is to be hidden of people.
    pub fn mask(&mut self) {
        mask::object(&mut self.fields);
    }

    /// The structured form, for tests and the command line.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.fields)
    }

    /// For the client, with the number of bytes that reach the model.
    #[must_use]
    pub fn render(self) -> (CallToolResult, usize) {
        let value = self.into_value();
        // The library's own way from a value to this goes through `Display`, which takes longer.
        let text = serde_json::to_string(&value).expect("a Value is always JSON");
        let bytes = text.len();
        let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
        result.structured_content = Some(value);
        (result, bytes)
    }
}

/// An error for the client. Only text: clients check structured content against the output schema even on an error. Of a tool that changes
/// a shop the text also says whether anything was changed.
#[must_use]
pub fn render_error(error: &ToolError, effect: Effect, mask_pii: bool) -> CallToolResult {
    let hidden = match error {
        ToolError::Desk(DeskError::Conflict { fields }) if mask_pii => {
            let fields = fields.iter().map(|told| mask::sentence(told).into_owned());
            Some(ToolError::Desk(DeskError::Conflict {
                fields: fields.collect(),
            }))
        }
        _ => None,
    };
    let error = hidden.as_ref().unwrap_or(error);
    let text = match effect {
        Effect::Writes(_) | Effect::Destroys => error.to_text_of_a_change(),
        Effect::Local | Effect::Session | Effect::Reads => error.to_text(),
    };
    let text = if mask_pii {
        mask::text(&text).into_owned()
    } else {
        text
    };
    CallToolResult::error(vec![ContentBlock::text(text)])
}

/// What a value takes of an answer: its bytes as JSON. Where more than `LONGEST_WORD` letters and digits stand without a break (encoded
/// pictures and files), each further one counts double: a tokenizer finds no words in them and needs twice the tokens.
#[must_use]
pub fn size_of(value: &Value) -> usize {
    struct Count {
        bytes: usize,
        run: usize,
    }
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            for byte in bytes {
                self.run = if is_of_a_code(*byte) { self.run + 1 } else { 0 };
                self.bytes += 1 + usize::from(self.run > LONGEST_WORD);
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count { bytes: 0, run: 0 };
    serde_json::to_writer(&mut count, value)
        .expect("counting does not fail and a Value is always JSON");
    count.bytes
}

/// What [`size_of`] is not above, without writing anything: most rows are far below any limit.
fn bound_of(value: &Value) -> usize {
    /// The longest a number is written.
    const NUMBER: usize = 25;
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => NUMBER,
        Value::String(text) => bound_of_text(text),
        Value::Array(values) => {
            2 + values
                .iter()
                .map(|value| bound_of(value) + 1)
                .sum::<usize>()
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            2 + fields
                .map(|(name, value)| bound_of_text(name) + bound_of(value) + 2)
                .sum::<usize>()
        }
    }
}

/// A byte is written as `\u0000` at the worst; what counts double is written as itself.
fn bound_of_text(text: &str) -> usize {
    2 + 6 * text.len()
}

/// No word, number or part of a web address that people write is longer.
const LONGEST_WORD: usize = 100;

/// Whether the byte may stand in base64, in a hash or in a token.
fn is_of_a_code(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'_' | b'-')
}

/// How many of `rows`, from the first, fit into an answer. A first row that is too large alone is made smaller by leaving out its largest
/// fields, which are named in its `omitted` (a caller can ask for them with `fields`); so there is always progress.
pub fn fit(rows: &mut [Value]) -> usize {
    if let Some(first) = rows.first_mut() {
        shrink(first);
    }
    let mut used = 0;
    rows.iter()
        .take_while(|row| {
            used += size_of(row) + 1;
            used <= MAX_BYTES
        })
        .count()
}

/// Leaves out the largest fields of an object until it fits into an answer; says which in `omitted`.
pub fn shrink(row: &mut Value) {
    // The names of what is left out take room, too.
    shrink_to(row, MAX_BYTES - 2000);
}

/// Leaves out the largest fields of an object until it has at most so many bytes; says which in `omitted`.
pub fn shrink_to(row: &mut Value, most_bytes: usize) {
    if bound_of(row) <= most_bytes {
        return;
    }
    let mut size = size_of(row);
    let Some(fields) = row.as_object_mut() else {
        return;
    };
    let mut omitted = Vec::new();
    while size > most_bytes {
        let largest = fields
            .iter()
            .max_by_key(|(_, value)| size_of(value))
            .map(|(name, value)| (name.clone(), size_of(value)));
        let Some((name, bytes)) = largest else { break };
        fields.shift_remove(&name);
        size -= bytes.min(size);
        omitted.push(name);
    }
    if !omitted.is_empty() {
        fields.insert("omitted".to_owned(), omitted.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn structured_and_text_say_the_same() {
        let (result, bytes) = Reply::from_shop()
            .with("order", json!({"id": "7"}))
            .render();
        let text = result.content[0].as_text().unwrap().text.clone();
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            result.structured_content.unwrap()
        );
        assert_eq!(bytes, text.len());
    }

    #[test]
    fn the_notice_stands_first() {
        let (result, _) = Reply::from_shop().with("order", json!({})).render();
        assert!(
            result.content[0]
                .as_text()
                .unwrap()
                .text
                .starts_with("{\"untrusted_data\":")
        );
    }

    #[test]
    fn times_have_no_fraction() {
        let reply = Reply::ours().fetched_at("2026-01-01T00:00:00.123456Z".parse().unwrap());
        assert_eq!(reply.into_value()["fetched_at"], "2026-01-01T00:00:00Z");
    }

    #[test]
    fn as_many_rows_as_fit_are_taken_and_at_least_one() {
        let mut rows: Vec<Value> = (0..100)
            .map(|n| json!({"id": n, "note": "mug ".repeat(250)}))
            .collect();
        let taken = fit(&mut rows);
        assert!((40..48).contains(&taken), "{taken}");
        let mut large = vec![
            json!({"id": 1, "note": "x".repeat(100_000)}),
            json!({"id": 2}),
        ];
        assert_eq!(fit(&mut large), 2);
        assert_eq!(large[0], json!({"id": 1, "omitted": ["note"]}));
        assert_eq!(fit(&mut []), 0);
    }

    #[test]
    fn what_no_tokenizer_finds_words_in_counts_double() {
        let words = json!("a picture of the label ".repeat(100));
        assert_eq!(size_of(&words), words.to_string().len());
        let code = json!("iVBORw0KGgo/AAAA".repeat(100));
        let bytes = code.to_string().len();
        assert_eq!(size_of(&code), 2 * bytes - LONGEST_WORD - 2);
        let link = json!("https://files.example.com/2026/11/0000beef.pdf");
        assert_eq!(size_of(&link), link.to_string().len());
    }

    proptest::proptest! {
        #[test]
        fn no_value_takes_more_than_its_bound(text in "\\PC*|[\\x00-\\x7F]*|[a-z]{0,400}", float in proptest::num::f64::ANY, int: i64) {
            let value = json!({&text: [&text, float, int, null, false], "nested": {"a": [], &text: {}}});
            proptest::prop_assert!(size_of(&value) <= bound_of(&value));
        }
    }

    #[test]
    fn what_fits_is_left_whole() {
        let mut row = json!({"id": 1, "note": "x".repeat(1000)});
        let before = row.clone();
        shrink(&mut row);
        assert_eq!(row, before);
    }

    #[test]
    fn a_conflict_tells_no_number_that_is_hidden() {
        let error = ToolError::Desk(DeskError::Conflict {
            fields: vec!["`customer.phone` was `555-555-0100` and is nothing now".to_owned()],
        });
        let text = |mask_pii| {
            let result = render_error(&error, Effect::Reads, mask_pii);
            result.content[0].as_text().unwrap().text.clone()
        };
        assert!(text(false).contains("0100"));
        assert!(text(true).contains("`customer.phone` is not what it was"));
        assert!(!text(true).contains("0100"));
    }

    #[test]
    fn errors_carry_their_whole_message_as_text_and_nothing_structured() {
        let result = render_error(&ToolError::NoStore, Effect::Reads, false);
        assert_eq!(result.is_error, Some(true));
        assert!(result.structured_content.is_none());
        assert!(
            result.content[0]
                .as_text()
                .unwrap()
                .text
                .contains("ORDERDESK_MCP_STORE_ID")
        );
    }
}
