//! What an answer is.
//!
//! Here: the decision rule, from status code, envelope and the key that was asked for to a value or an error. A 200 says
//! nothing by itself: `status` may be `error`, the body may be a proxy's HTML page, the wanted key may be missing or of another type.
//! Nothing that is not certainly a good answer leaves here as a value, so nothing else can be cached. Not here: when to try again (`retry`).

use std::time::Duration;

use serde_json::Value;

use super::client::Answer;
use super::error::{DeskError, Limiter};
use super::model::{Fields, Object, number_of, same_number, text_of};
use super::quote;
use super::request::{Endpoint, Request};

/// A wait to report when a 429 names none: the documented bucket refills three tokens each second.
const UNSAID_WAIT: Duration = Duration::from_secs(1);

/// How much of Order Desk's own words an error carries, in characters.
const MESSAGE_CHARS: usize = 300;

/// The envelope of a good answer, or what went wrong. `key` never appears in the error.
pub(crate) fn envelope(request: &Request, answer: &Answer, key: &str) -> Result<Object, DeskError> {
    let status = answer.status;
    match status {
        429 => {
            return Err(DeskError::RateLimited {
                by: Limiter::OrderDesk,
                retry_after: answer.retry_after.unwrap_or(UNSAID_WAIT),
            });
        }
        401 | 403 => return Err(DeskError::Auth),
        404 => return Err(not_found(request)),
        408 => return Err(DeskError::Timeout),
        300..=399 => {
            let what =
                format!("it redirected ({status}), and the key is never taken to another address");
            return Err(DeskError::Protocol { what });
        }
        _ => {}
    }
    let json = serde_json::from_slice::<Value>(&answer.body).ok();
    let Some(json) = json.filter(|_| status < 500 && status != 425) else {
        return Err(DeskError::Upstream {
            status,
            html: looks_like_a_page(&answer.body),
        });
    };
    let Value::Object(envelope) = json else {
        return Err(DeskError::Protocol {
            what: format!("its answer is {} instead of an object", type_name(&json)),
        });
    };
    let refused = Fields::of(&envelope)
        .text("status")
        .eq_ignore_ascii_case("error");
    if status >= 400 || refused {
        return Err(refusal(request, status, &envelope, key));
    }
    Ok(envelope)
}

fn not_found(request: &Request) -> DeskError {
    DeskError::NotFound {
        what: request.endpoint.what(),
        id: if request.id().is_empty() {
            request.endpoint.template().to_owned()
        } else {
            request.id().to_owned()
        },
    }
}

fn refusal(request: &Request, status: u16, envelope: &Object, key: &str) -> DeskError {
    let mut said = Fields::of(envelope).text("message").into_owned();
    // Without an id in the path it is something in the body that was not found, such as a folder: the words say what.
    let asked_for_one = !request.id().is_empty();
    if status < 400 && asked_for_one && said.to_ascii_lowercase().contains("not found") {
        return not_found(request);
    }
    let errors: Vec<&Value> = match envelope.get("errors") {
        Some(Value::Array(values)) => values.iter().collect(),
        Some(Value::Object(values)) => values.values().collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    };
    for error in errors
        .into_iter()
        .map(text_of)
        .filter(|error| !error.is_empty())
    {
        said.push_str(if said.is_empty() { "" } else { "; " });
        said.push_str(&error);
    }
    let said = quote::line_without(&said, key, MESSAGE_CHARS);
    DeskError::Rejected {
        message: if said.is_empty() {
            format!("it gave no reason (HTTP {status})")
        } else {
            said
        },
    }
}

fn looks_like_a_page(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn wrong(endpoint: Endpoint, found: Option<&Value>, wanted: &str) -> DeskError {
    let key = endpoint.answers_with();
    let what = match found {
        None => format!("`{key}` is missing"),
        Some(value) => format!("`{key}` is {} instead of {wanted}", type_name(value)),
    };
    DeskError::Protocol { what }
}

/// The one object that `endpoint` answers with.
pub(crate) fn one(mut envelope: Object, endpoint: Endpoint) -> Result<Object, DeskError> {
    match envelope.remove(endpoint.answers_with()) {
        Some(Value::Object(object)) => Ok(object),
        other => Err(wrong(endpoint, other.as_ref(), "an object")),
    }
}

/// The list of objects that `endpoint` answers with. A list with gaps comes from PHP as an object; its values count.
pub(crate) fn rows(mut envelope: Object, endpoint: Endpoint) -> Result<Vec<Object>, DeskError> {
    let values: Vec<Value> = match envelope.remove(endpoint.answers_with()) {
        Some(Value::Array(values)) => values,
        Some(Value::Object(values))
            if values
                .keys()
                .all(|key| key.bytes().all(|byte| byte.is_ascii_digit())) =>
        {
            values.into_iter().map(|(_, value)| value).collect()
        }
        other => return Err(wrong(endpoint, other.as_ref(), "a list")),
    };
    let mut rows = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Value::Object(object) => rows.push(object),
            other => {
                return Err(DeskError::Protocol {
                    what: format!(
                        "an entry of `{}` is {} instead of an object",
                        endpoint.answers_with(),
                        type_name(&other)
                    ),
                });
            }
        }
    }
    Ok(rows)
}

/// That the answer is about what was asked for, and not about something else.
pub(crate) fn same_id(endpoint: Endpoint, asked: &str, got: &str) -> Result<(), DeskError> {
    if same_number(asked, got) {
        return Ok(());
    }
    let got = if got.is_empty() {
        "one without an id".to_owned()
    } else {
        format!("`{}`", quote::line(got, 40))
    };
    Err(DeskError::Protocol {
        what: format!("asked for {} `{asked}`, it sent {got}", endpoint.what()),
    })
}

/// What an envelope says about its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Rows of a full page: what was asked for, or less when Order Desk says that it used less.
    pub(crate) limit: u64,
    pub(crate) total_records: Option<u64>,
}

/// Reads the page's facts; `asked` is the limit that was sent.
pub(crate) fn page(envelope: &Object, asked: u64) -> Page {
    let whole = |key: &str| {
        envelope
            .get(key)
            .and_then(number_of)
            .and_then(|number| number.as_u64())
    };
    let used = whole("limit").filter(|used| *used > 0 && *used < asked);
    Page {
        limit: used.unwrap_or(asked),
        total_records: whole("total_records"),
    }
}

impl Page {
    /// The short-page rule: only a full page can have a successor. `total_records` takes no part, for it is wrong at times.
    pub(crate) fn is_full(self, rows: usize) -> bool {
        rows > 0 && rows as u64 >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            remaining: None,
            retry_after: None,
            date: None,
            body: body.into(),
        }
    }

    fn order() -> Request {
        Request::of(Endpoint::Order, "7001001", vec![])
    }

    fn judged(status: u16, body: &str) -> Result<Object, DeskError> {
        envelope(&order(), &answer(status, body), "KEY")
            .and_then(|envelope| one(envelope, Endpoint::Order))
    }

    fn code(status: u16, body: &str) -> &'static str {
        judged(status, body).map_or_else(|error| error.code(), |_| "ok")
    }

    #[test]
    fn the_status_code_comes_first() {
        let good = r#"{"status":"success","order":{"id":"7001001"}}"#;
        let expected = [
            (200, "ok"),
            (201, "ok"),
            (401, "auth"),
            (403, "auth"),
            (404, "not_found"),
            (408, "timeout"),
            (429, "rate_limited"),
            (302, "protocol"),
            (400, "rejected"),
            (409, "rejected"),
            (425, "upstream"),
            (500, "upstream"),
            (502, "upstream"),
            (503, "upstream"),
        ];
        for (status, expected) in expected {
            assert_eq!(code(status, good), expected, "{status}");
        }
    }

    #[test]
    fn error_on_200_is_an_error() {
        assert_eq!(
            code(
                200,
                r#"{"status":"error","message":"Order Not Found","order":{"id":"7001001"}}"#
            ),
            "not_found"
        );
        assert_eq!(
            code(
                200,
                r#"{"status":"error","message":"Store is suspended","order":{"id":"7001001"}}"#
            ),
            "rejected"
        );
        assert_eq!(code(200, r#"{"status":"ERROR"}"#), "rejected");
    }

    #[test]
    fn what_is_no_json_is_upstream_trouble_and_pages_are_recognised() {
        for (status, body, page) in [
            (200, " <html>busy</html>", true),
            (400, "<h1>no</h1>", true),
            (200, "", false),
            (200, r#"{"status":"succ"#, false),
            (500, "oops", false),
        ] {
            assert_eq!(
                judged(status, body),
                Err(DeskError::Upstream { status, html: page }),
                "{body}"
            );
        }
    }

    #[test]
    fn json_of_another_shape_is_a_protocol_error_that_says_which() {
        for (body, what) in [
            ("[]", "its answer is a list instead of an object"),
            (r#""ok""#, "its answer is a string instead of an object"),
            (r#"{"status":"success"}"#, "`order` is missing"),
            (
                r#"{"status":"success","order":[]}"#,
                "`order` is a list instead of an object",
            ),
            (
                r#"{"status":"success","order":"7001001"}"#,
                "`order` is a string instead of an object",
            ),
        ] {
            assert_eq!(
                judged(200, body),
                Err(DeskError::Protocol {
                    what: what.to_owned()
                }),
                "{body}"
            );
        }
    }

    #[test]
    fn reasons_are_told_without_key_url_and_hidden_text() {
        let body = json!({"status": "error", "message": "No\u{200b}pe KEY https://x.example/?k=KEY", "errors": {"a": "bad\nzip", "b": 7, "c": ["deep"]}}).to_string();
        assert_eq!(
            judged(400, &body),
            Err(DeskError::Rejected {
                message: "Nope [secret] [link] bad zip; 7".to_owned()
            })
        );
        assert_eq!(
            judged(418, "{}"),
            Err(DeskError::Rejected {
                message: "it gave no reason (HTTP 418)".to_owned()
            })
        );
    }

    #[test]
    fn another_order_than_the_one_asked_for_is_refused() {
        assert!(same_id(Endpoint::Order, "007001001", "7001001").is_ok());
        assert!(same_id(Endpoint::Order, "7001001", "7001002").is_err());
        assert!(same_id(Endpoint::Order, "7001001", "").is_err());
    }

    #[test]
    fn rows_must_be_objects_and_may_come_as_a_list_with_gaps() {
        let list = |value: Value| {
            rows(
                json!({"orders": value}).as_object().unwrap().clone(),
                Endpoint::Orders,
            )
        };
        assert_eq!(list(json!([])).unwrap().len(), 0);
        assert_eq!(list(json!([{"id": "1"}, {"id": "2"}])).unwrap().len(), 2);
        assert_eq!(
            list(json!({"0": {"id": "1"}, "2": {"id": "2"}}))
                .unwrap()
                .len(),
            2
        );
        for bad in [
            json!(null),
            json!("none"),
            json!({"id": "1"}),
            json!([{"id": "1"}, "2"]),
        ] {
            assert_eq!(list(bad).unwrap_err().code(), "protocol");
        }
    }

    #[test]
    fn only_a_full_page_has_a_successor_whatever_the_total_says() {
        let told = |value: Value, asked| page(value.as_object().unwrap(), asked);
        assert!(told(json!({"total_records": "0"}), 50).is_full(50));
        assert!(!told(json!({"total_records": 999}), 50).is_full(49));
        assert!(!told(json!({}), 50).is_full(0));
        assert_eq!(
            told(json!({"total_records": "12", "limit": "50"}), 500),
            Page {
                limit: 50,
                total_records: Some(12)
            }
        );
        assert_eq!(
            told(json!({"total_records": "many", "limit": 0}), 500),
            Page {
                limit: 500,
                total_records: None
            }
        );
        assert_eq!(told(json!({"limit": 5000}), 500).limit, 500);
    }

    proptest! {
        #[test]
        fn whatever_comes_back_is_a_value_or_an_error(status in 100_u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let judged = envelope(&order(), &answer(status, body), "KEY");
            prop_assert!(judged.is_err() || status < 400);
        }
    }
}
