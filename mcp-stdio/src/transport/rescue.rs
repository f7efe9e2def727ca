//! The `id` of a message that cannot be parsed.
//!
//! Here: finding the id in a line that is too long or broken, from its two ends alone. It exists because a client waits for
//! ever for an answer it cannot match; an error that carries the id ends the wait. Clients write the id first
//! (`{"jsonrpc":"2.0","id":7,"method":…`) or last (`…,"jsonrpc":"2.0","id":7}`), so both ends are read. Not here: guessing.
//! An id is taken only where it must be the message's own.

use rmcp::model::RequestId;
use serde_json::Value;

/// The id, if the start or the end of the line shows it beyond doubt.
pub(super) fn request_id(head: &[u8], tail: &[u8]) -> Option<RequestId> {
    from_head(head).or_else(|| from_tail(tail))
}

/// Reads members of the outermost object from the left until the id is found or a value is cut off.
fn from_head(head: &[u8]) -> Option<RequestId> {
    let mut rest = trim(head).strip_prefix(b"{")?;
    loop {
        let (key, after_key) = first_value(rest)?;
        let after_colon = trim(after_key).strip_prefix(b":")?;
        let (value, after_value) = first_value(after_colon)?;
        if key == "id" {
            return as_id(&value);
        }
        rest = trim(after_value).strip_prefix(b",")?;
    }
}

/// The last members of the outermost object: its closing brace is the last byte, and a quote inside a string is escaped, so
/// `"id":` with a plain value right before that brace belongs to the outermost object.
fn from_tail(tail: &[u8]) -> Option<RequestId> {
    let text = String::from_utf8_lossy(tail);
    let body = text.trim_end().strip_suffix('}')?.trim_end();
    let body = without_last_member(body, "jsonrpc").unwrap_or(body);
    let (_, value) = last_member(body, "id")?;
    as_id(&value)
}

fn without_last_member<'a>(body: &'a str, key: &str) -> Option<&'a str> {
    let (before, _) = last_member(body, key)?;
    before.trim_end().strip_suffix(',').map(str::trim_end)
}

/// If `body` ends in `"key": value` with a string or number, what stands before it and the value.
fn last_member<'a>(body: &'a str, key: &str) -> Option<(&'a str, Value)> {
    let quoted = format!("\"{key}\"");
    let start = body.rfind(&quoted)?;
    if body[..start].ends_with('\\') {
        return None;
    }
    let value = body[start + quoted.len()..]
        .trim_start()
        .strip_prefix(':')?;
    let value: Value = serde_json::from_str(value).ok()?;
    Some((&body[..start], value))
}

fn first_value(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let rest = &bytes[values.byte_offset()..];
    // A number at the very end may have lost digits.
    (!rest.is_empty() || !value.is_number()).then_some((value, rest))
}

/// Only what JSON-RPC allows as an id: a string or a whole number.
pub(super) fn as_id(value: &Value) -> Option<RequestId> {
    match value {
        Value::String(text) => Some(RequestId::String(text.as_str().into())),
        Value::Number(number) => number.as_i64().map(RequestId::Number),
        _ => None,
    }
}

fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(id: i64) -> Option<RequestId> {
        Some(RequestId::Number(id))
    }

    #[test]
    fn an_id_at_the_start_is_found_although_the_rest_is_missing() {
        assert_eq!(
            request_id(
                br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":"xxx"#,
                b""
            ),
            number(7)
        );
        assert_eq!(
            request_id(br#" { "id" : "a\"b" , "method":"#, b""),
            Some(RequestId::String("a\"b".into()))
        );
    }

    #[test]
    fn an_id_at_the_end_is_found_as_some_clients_write_it_last() {
        assert_eq!(
            request_id(b"{\"method\":\"x", br#"xxx"}},"jsonrpc":"2.0","id":12}"#),
            number(12)
        );
        assert_eq!(
            request_id(b"{\"method\":\"x", br#"xxx"}},"id":12,"jsonrpc":"2.0"}"#),
            number(12)
        );
    }

    #[test]
    fn an_id_inside_the_arguments_is_not_the_messages_id() {
        assert_eq!(
            request_id(br#"{"params":{"id":3,"x":"y"#, br#""x":{"id":3}}}"#),
            None
        );
        assert_eq!(request_id(b"", br#"{"params":{"id":3}}"#), None);
        assert_eq!(request_id(b"", br#"xx\"id\":3}"#), None);
    }

    #[test]
    fn a_number_that_may_have_lost_digits_is_not_taken() {
        assert_eq!(request_id(br#"{"id":12"#, b""), None);
    }

    #[test]
    fn ids_that_json_rpc_does_not_know_are_not_taken() {
        for line in [
            &br#"{"id":null,"#[..],
            br#"{"id":1.5,"#,
            br#"{"id":{},"#,
            b"[1",
            b"",
            b"\xff\xfe",
            b"{",
        ] {
            assert_eq!(
                request_id(line, line),
                None,
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(head: Vec<u8>, tail: Vec<u8>) {
            let _ = request_id(&head, &tail);
        }
    }
}
