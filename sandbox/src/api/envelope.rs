//! The envelope around every answer: `status`, `execution_time`, `message`, and the data under its own key.

use std::fmt::Write as _;
use std::time::Instant;

use serde_json::Value;

use crate::assumptions::Refusal;
use crate::php;

/// An answer as text, before it becomes HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// An envelope under construction; keys stand in the order in which they are added.
pub(crate) struct Envelope {
    text: String,
}

impl Envelope {
    /// `status: "success"` and the time the work took.
    pub(crate) fn success(started: Instant) -> Self {
        Self::begin("success", started)
    }

    fn begin(status: &str, started: Instant) -> Self {
        let mut text = String::with_capacity(256);
        let _ = write!(
            text,
            r#"{{"status":"{status}","execution_time":"{:.4} seconds""#,
            started.elapsed().as_secs_f64()
        );
        Self { text }
    }

    pub(crate) fn message(self, message: &str) -> Self {
        self.value("message", &Value::from(message))
    }

    pub(crate) fn value(mut self, key: &str, value: &Value) -> Self {
        let _ = write!(self.text, r#","{key}":"#);
        php::write(value, &mut self.text);
        self
    }

    /// Data that is JSON text already.
    pub(crate) fn raw(mut self, key: &str, json: &str) -> Self {
        self.text.reserve(json.len() + key.len() + 8);
        let _ = write!(self.text, r#","{key}":{json}"#);
        self
    }

    pub(crate) fn finish(mut self, status: u16) -> Answer {
        self.text.push('}');
        Answer {
            status,
            body: self.text,
        }
    }
}

impl Answer {
    /// The envelope of a refusal.
    pub(crate) fn refused(refusal: &Refusal, started: Instant) -> Self {
        let envelope = Envelope::begin("error", started).message(&refusal.message());
        let envelope = match refusal.errors() {
            [] => envelope,
            errors => envelope.value("errors", &Value::from(errors)),
        };
        envelope.finish(refusal.status())
    }
}
