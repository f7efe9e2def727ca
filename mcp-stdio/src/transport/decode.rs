//! From a line to a message, or to the answer that a bad line gets.
//!
//! Here: what counts as a message and which JSON-RPC error says why something does not. Not here: the protocol; a message that
//! parses goes to the MCP library unread. Bad lines are answered because silence leaves the sender waiting: with the `id`
//! where it can be known, else without (the protocol omits it then). An error reply that comes back to us is itself a valid
//! message and is not answered, so two such programs cannot talk in circles.

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, JsonRpcMessage, RequestId};
use serde_json::Value;

use super::lines::Line;
use super::rescue;

/// What became of a line.
#[derive(Debug)]
pub(super) enum Decoded {
    /// For the MCP library.
    Message(Box<ClientJsonRpcMessage>),
    /// To be answered here.
    Refused(Refusal),
    /// A blank line: some clients separate messages with one.
    Blank,
}

/// An error reply and the reason by which the line is counted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) id: Option<RequestId>,
    pub(super) error: ErrorData,
    /// A label: one of a closed set.
    pub(super) reason: &'static str,
}

fn refused(reason: &'static str, id: Option<RequestId>, error: ErrorData) -> Decoded {
    Decoded::Refused(Refusal { id, error, reason })
}

/// Methods of the protocol that carry parameters. The library lets one of them with malformed parameters through as an unknown
/// method; saying "method not found" for a method that exists would send its author looking in the wrong place.
const KNOWN_METHODS: [&str; 17] = [
    "initialize",
    "server/discover",
    "ping",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/cancel",
];

/// The method's name if the protocol knows it, for metric labels.
pub(super) fn known_method(method: &str) -> Option<&'static str> {
    KNOWN_METHODS.into_iter().find(|known| *known == method)
}

/// Decodes one line; `limit` is only for the text of a refusal.
pub(super) fn decode(line: &Line, limit: usize) -> Decoded {
    match line {
        Line::TooLong { head, tail } => refused(
            "too_long",
            rescue::request_id(head, tail),
            ErrorData::invalid_request(
                format!(
                    "line too long: a message may have {limit} bytes; hint: send less at once, or raise ORDERDESK_MCP_MAX_LINE_BYTES"
                ),
                None,
            ),
        ),
        Line::Whole(bytes) if bytes.trim_ascii().is_empty() => Decoded::Blank,
        Line::Whole(bytes) => decode_whole(bytes),
    }
}

fn decode_whole(bytes: &[u8]) -> Decoded {
    match serde_json::from_slice::<ClientJsonRpcMessage>(bytes) {
        Ok(message) => check_params(message),
        Err(_) => explain(bytes),
    }
}

fn check_params(message: ClientJsonRpcMessage) -> Decoded {
    if let JsonRpcMessage::Request(request) = &message
        && let ClientRequest::CustomRequest(custom) = &request.request
        && let Some(method) = known_method(&custom.method)
    {
        return bad_params(request.id.clone(), method);
    }
    Decoded::Message(Box::new(message))
}

fn bad_params(id: RequestId, method: &str) -> Decoded {
    let error = ErrorData::invalid_params(
        format!("the parameters of `{method}` are missing or have the wrong shape"),
        None,
    );
    refused("bad_params", Some(id), error)
}

/// The method of what is a request but for its parameters (a list instead of an object, say).
fn method_of(value: &Value) -> Option<&'static str> {
    let is_request = value.get("jsonrpc").and_then(Value::as_str) == Some("2.0")
        && value.get("result").is_none()
        && value.get("error").is_none();
    value
        .get("method")
        .and_then(Value::as_str)
        .filter(|_| is_request)
        .and_then(known_method)
}

/// Why these bytes are no message. Only the bad case pays for a second look.
fn explain(bytes: &[u8]) -> Decoded {
    if std::str::from_utf8(bytes).is_err() {
        let error = ErrorData::parse_error("parse error: the line is not UTF-8", None);
        return refused("not_utf8", rescue::request_id(bytes, &[]), error);
    }
    match serde_json::from_slice::<Value>(bytes) {
        Err(error) => {
            let text = format!(
                "parse error: the line is not JSON (column {})",
                error.column()
            );
            refused(
                "not_json",
                rescue::request_id(bytes, &[]),
                ErrorData::parse_error(text, None),
            )
        }
        Ok(value) => {
            let id = value.get("id").and_then(rescue::as_id);
            if let (Some(id), Some(method)) = (&id, method_of(&value)) {
                return bad_params(id.clone(), method);
            }
            refused(
                "not_a_message",
                id,
                ErrorData::invalid_request(what_is_wrong(&value), None),
            )
        }
    }
}

fn what_is_wrong(value: &Value) -> &'static str {
    let Some(object) = value.as_object() else {
        return if value.is_array() {
            "invalid request: batches are not part of this protocol; hint: send one message per line"
        } else {
            "invalid request: a message is a JSON object"
        };
    };
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return "invalid request: `jsonrpc` must be \"2.0\"";
    }
    match object.get("id") {
        Some(id) if rescue::as_id(id).is_none() => {
            "invalid request: `id` must be a string or a whole number"
        }
        _ => "invalid request: not a request, a notification or a response",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> (i32, Option<RequestId>, &'static str) {
        refusal_of(line.as_bytes())
    }

    fn refusal_of(line: &[u8]) -> (i32, Option<RequestId>, &'static str) {
        match decode(&Line::Whole(line.to_vec()), 100) {
            Decoded::Refused(refusal) => (refusal.error.code.0, refusal.id, refusal.reason),
            other => panic!("{other:?}"),
        }
    }

    fn seven() -> Option<RequestId> {
        Some(RequestId::Number(7))
    }

    #[test]
    fn broken_json_is_a_parse_error_with_the_id_where_it_stands_first() {
        assert_eq!(refusal("plain text"), (-32700, None, "not_json"));
        assert_eq!(
            refusal(r#"{"jsonrpc":"2.0","id":7,"method":"tools/li"#),
            (-32700, seven(), "not_json")
        );
    }

    #[test]
    fn the_id_of_cut_arguments_is_not_answered() {
        assert_eq!(
            refusal(r#"{"method":"tools/call","params":{"id":7}"#),
            (-32700, None, "not_json")
        );
    }

    #[test]
    fn invalid_utf8_is_a_parse_error_and_not_a_different_question() {
        let line = b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"M\xfcller\"}}";
        assert_eq!(refusal_of(line), (-32700, seven(), "not_utf8"));
    }

    #[test]
    fn json_that_is_no_message_is_an_invalid_request() {
        for line in [
            "{}",
            "[]",
            "42",
            "null",
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        ] {
            assert_eq!(refusal(line), (-32600, None, "not_a_message"), "{line}");
        }
        assert_eq!(
            refusal(r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#),
            (-32600, seven(), "not_a_message")
        );
    }

    #[test]
    fn a_known_method_with_malformed_parameters_is_invalid_params() {
        for params in [
            "",
            r#","params":{"name":5}"#,
            r#","params":[1]"#,
            r#","params":{"name":"x","arguments":7}"#,
        ] {
            let line = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call"{params}}}"#);
            assert_eq!(refusal(&line), (-32602, seven(), "bad_params"), "{line}");
        }
    }

    #[test]
    fn an_unknown_method_is_left_to_the_library() {
        let line = Line::Whole(br#"{"jsonrpc":"2.0","id":7,"method":"no/such"}"#.to_vec());
        assert!(matches!(decode(&line, 100), Decoded::Message(_)));
    }

    #[test]
    fn blank_lines_are_nothing() {
        for line in ["", "  ", "\r"] {
            assert!(matches!(
                decode(&Line::Whole(line.as_bytes().to_vec()), 100),
                Decoded::Blank
            ));
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_not_overflow_the_stack() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"x","params":{}"#,
            "[".repeat(200_000)
        );
        assert_eq!(refusal(&deep).0, -32700);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = decode(&Line::Whole(bytes), 100);
        }
    }
}
