//! What can go wrong with one answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which header tells how long to wait after a 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryHeader {
    /// `X-Retry-After`, as Order Desk sends it.
    #[default]
    XRetryAfter,
    /// The standard `Retry-After`.
    RetryAfter,
    /// None at all.
    None,
}

/// One way for an answer to go wrong. In JSON: `{"kind": "server_error", "status": 502}`.
///
/// "Before" means that nothing was done in the shop, "after" that the work was done and only the answer is lost:
/// the two that a careful client must tell apart by looking again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// 429 although the bucket is not empty; nothing is done.
    TooManyRequests {
        /// Seconds to wait, or any other text a proxy might put there.
        #[serde(default = "one_second", deserialize_with = "text_or_number")]
        retry_after: String,
        /// Where the seconds stand.
        #[serde(default)]
        header: RetryHeader,
        /// The body; by default the usual error envelope. `""` and HTML happen as well.
        #[serde(default)]
        body: Option<String>,
    },
    /// An HTML error page of a proxy; nothing is done.
    ServerError {
        /// The HTTP status.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// Does the work and answers with an HTML error page all the same.
    ServerErrorAfter {
        /// The HTTP status.
        #[serde(default = "bad_gateway")]
        status: u16,
    },
    /// Any answer at all instead of the right one; nothing is done.
    Answer {
        /// The HTTP status.
        #[serde(default = "ok")]
        status: u16,
        /// The body as it stands.
        #[serde(default)]
        body: String,
        /// The content type.
        #[serde(default = "json_type")]
        content_type: String,
    },
    /// 200 with `status: "error"`; nothing is done.
    #[serde(rename = "error_on_200")]
    ErrorOn200 {
        /// The message in the envelope.
        #[serde(default = "some_message")]
        message: String,
    },
    /// Does the work and answers 200 with `status: "error"` all the same.
    #[serde(rename = "error_on_200_after")]
    ErrorOn200After {
        /// The message in the envelope.
        #[serde(default = "some_message")]
        message: String,
    },
    /// 302 to `location`; nothing is done.
    Redirect {
        /// The absolute URL to go to.
        location: String,
    },
    /// Never answers; nothing is done.
    HangBefore,
    /// Does the work, then never answers.
    HangAfter,
    /// Never answers, and does the work this much later, whether or not somebody still waits for an answer.
    DoneLate {
        /// Milliseconds before the work starts.
        ms: u64,
    },
    /// Answers rightly, but this late; nothing is done for a client that has hung up by then.
    Delay {
        /// Milliseconds before the work starts.
        ms: u64,
    },
    /// Closes the connection without an answer; nothing is done.
    CutBefore,
    /// Does the work, then closes the connection without an answer.
    CutAfter,
    /// Does the work, promises a whole body and closes the connection half-way through it.
    CutBody,
    /// Does the work and answers a complete HTTP body whose JSON stops half-way.
    TruncatedJson,
    /// Does the work and sends the right body in drips.
    Trickle {
        /// Bytes per drip.
        #[serde(default = "drip")]
        bytes: usize,
        /// Milliseconds between drips.
        #[serde(default = "pause")]
        ms: u64,
    },
    /// Does the work; the data in the envelope is a number where an object or a list belongs.
    WrongTypes,
    /// Does the work; numbers come as text, digits as numbers, empty maps as `""`: legal here, deadly for a strict decoder.
    MixedTypes,
    /// Does the work; the envelope says `success` and leaves the data out.
    MissingData,
    /// Does the work; the timing text stands in `message`, as on older servers.
    TimingInMessage,
    /// Does the work; `total_records` is this instead (`"2"`, `0`, `"0"`, …).
    TotalRecords {
        /// The JSON value to put there.
        value: Value,
    },
    /// `POST /move-orders` answers success and moves nothing; other requests are answered as ever.
    MoveNothing,
    /// A batch of shipments or stock answers success with 0 rows and does nothing; other requests are answered as ever.
    BatchNothing,
    /// Does the work; then, before anybody can look, a rule moves each order that the request named or made. The answer
    /// still tells of before.
    RuleMoves {
        /// The folder that the orders end up in.
        folder: i64,
    },
}

impl Fault {
    /// A 429 as Order Desk sends it.
    pub fn too_many_requests(seconds: u64) -> Self {
        Self::TooManyRequests {
            retry_after: seconds.to_string(),
            header: RetryHeader::XRetryAfter,
            body: None,
        }
    }

    /// A 429 that does not say how long to wait.
    pub fn too_many_requests_without_header() -> Self {
        Self::TooManyRequests {
            retry_after: String::new(),
            header: RetryHeader::None,
            body: None,
        }
    }

    /// An HTML error page.
    pub fn server_error(status: u16) -> Self {
        Self::ServerError { status }
    }

    /// JSON of your own with a status of your own.
    pub fn answer(status: u16, body: &str) -> Self {
        Self::Answer {
            status,
            body: body.to_owned(),
            content_type: json_type(),
        }
    }

    /// 200 with `status: "error"` and this message.
    pub fn error_on_200(message: &str) -> Self {
        Self::ErrorOn200 {
            message: message.to_owned(),
        }
    }

    /// 302 to `location`.
    pub fn redirect(location: &str) -> Self {
        Self::Redirect {
            location: location.to_owned(),
        }
    }

    /// `total_records` becomes `value`.
    pub fn total_records(value: impl Into<Value>) -> Self {
        Self::TotalRecords {
            value: value.into(),
        }
    }

    /// From the header `X-Sandbox-Fault`: a bare name (`server_error`) or the whole JSON object.
    pub(crate) fn from_header(text: &str) -> Result<Self, serde_json::Error> {
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text);
        }
        serde_json::from_value(serde_json::json!({"kind": text.trim()}))
    }

    /// Its name in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::ServerError { .. } => "server_error",
            Self::Answer { .. } => "answer",
            Self::ServerErrorAfter { .. } => "server_error_after",
            Self::ErrorOn200 { .. } => "error_on_200",
            Self::ErrorOn200After { .. } => "error_on_200_after",
            Self::Redirect { .. } => "redirect",
            Self::HangBefore => "hang_before",
            Self::HangAfter => "hang_after",
            Self::DoneLate { .. } => "done_late",
            Self::Delay { .. } => "delay",
            Self::CutBefore => "cut_before",
            Self::CutAfter => "cut_after",
            Self::CutBody => "cut_body",
            Self::TruncatedJson => "truncated_json",
            Self::Trickle { .. } => "trickle",
            Self::WrongTypes => "wrong_types",
            Self::MixedTypes => "mixed_types",
            Self::MissingData => "missing_data",
            Self::TimingInMessage => "timing_in_message",
            Self::TotalRecords { .. } => "total_records",
            Self::MoveNothing => "move_nothing",
            Self::BatchNothing => "batch_nothing",
            Self::RuleMoves { .. } => "rule_moves",
        }
    }
}

fn one_second() -> String {
    "1".to_owned()
}

fn text_or_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(serde::de::Error::custom("retry_after must be seconds")),
    }
}

fn bad_gateway() -> u16 {
    502
}

fn ok() -> u16 {
    200
}

fn json_type() -> String {
    "application/json".to_owned()
}

fn some_message() -> String {
    "Something Went Wrong".to_owned()
}

fn drip() -> usize {
    64
}

fn pause() -> u64 {
    20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_in_the_header_takes_the_usual_values() {
        assert_eq!(
            Fault::from_header("server_error").unwrap(),
            Fault::server_error(502)
        );
        assert_eq!(
            Fault::from_header("too_many_requests").unwrap(),
            Fault::too_many_requests(1)
        );
        assert_eq!(
            Fault::from_header(r#"{"kind": "delay", "ms": 5}"#).unwrap(),
            Fault::Delay { ms: 5 }
        );
    }

    #[test]
    fn seconds_may_be_a_number_or_any_text() {
        for (given, meant) in [("2", "2"), (r#""2""#, "2"), (r#""soon""#, "soon")] {
            let text = format!(r#"{{"kind": "too_many_requests", "retry_after": {given}}}"#);
            let Ok(Fault::TooManyRequests { retry_after, .. }) = Fault::from_header(&text) else {
                panic!("{text}");
            };
            assert_eq!(retry_after, meant);
        }
    }

    #[test]
    fn an_unknown_name_or_field_is_an_error() {
        assert!(Fault::from_header("sever_error").is_err());
        assert!(Fault::from_header(r#"{"kind": "delay", "ms": 5, "sec": 1}"#).is_err());
    }

    #[test]
    fn every_fault_names_itself_as_its_json_does() {
        let samples = [
            Fault::too_many_requests(1),
            Fault::server_error(500),
            Fault::answer(200, "{}"),
            Fault::ServerErrorAfter { status: 500 },
            Fault::error_on_200("x"),
            Fault::ErrorOn200After {
                message: "x".to_owned(),
            },
            Fault::redirect("http://127.0.0.1/"),
            Fault::HangBefore,
            Fault::HangAfter,
            Fault::DoneLate { ms: 1 },
            Fault::Delay { ms: 1 },
            Fault::CutBefore,
            Fault::CutAfter,
            Fault::CutBody,
            Fault::TruncatedJson,
            Fault::Trickle { bytes: 1, ms: 1 },
            Fault::WrongTypes,
            Fault::MixedTypes,
            Fault::MissingData,
            Fault::TimingInMessage,
            Fault::total_records("2"),
            Fault::MoveNothing,
            Fault::BatchNothing,
            Fault::RuleMoves { folder: 1 },
        ];
        for fault in samples {
            assert_eq!(serde_json::to_value(&fault).unwrap()["kind"], fault.kind());
        }
    }
}
