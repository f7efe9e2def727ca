//! Faults that let the work happen and spoil the JSON of the answer.

use serde_json::{Map, Value, json};

use crate::api::Answer;
use crate::faults::Fault;
use crate::php;

/// The keys of the envelope that are not data.
const ENVELOPE: [&str; 8] = [
    "status",
    "message",
    "execution_time",
    "errors",
    "total_records",
    "records_returned",
    "offset",
    "limit",
];

/// The answer after `fault`; unchanged for faults that do not touch the body.
pub(super) fn apply(fault: &Fault, answer: Answer) -> Answer {
    if *fault == Fault::TruncatedJson {
        let half = answer.body.chars().count() / 2;
        return Answer {
            body: answer.body.chars().take(half).collect(),
            ..answer
        };
    }
    let Ok(Value::Object(mut body)) = serde_json::from_str(&answer.body) else {
        return answer;
    };
    match fault {
        Fault::WrongTypes => each_data_key(&mut body, |_| json!(42)),
        Fault::MixedTypes => each_data_key(&mut body, swapped),
        Fault::MissingData => body.retain(|key, _| ENVELOPE.contains(&key.as_str())),
        Fault::TimingInMessage => {
            if let Some(time) = body.shift_remove("execution_time") {
                body.insert("message".to_owned(), time);
            }
        }
        Fault::TotalRecords { value } if body.contains_key("total_records") => {
            body.insert("total_records".to_owned(), value.clone());
        }
        _ => return answer,
    }
    Answer {
        body: php::encode(&Value::Object(body)),
        ..answer
    }
}

fn each_data_key(body: &mut Map<String, Value>, change: impl Fn(Value) -> Value) {
    for (_, value) in body
        .iter_mut()
        .filter(|(key, _)| !ENVELOPE.contains(&key.as_str()))
    {
        *value = change(value.take());
    }
}

/// The other way PHP could have written the same: `"12"` for 12, 12 for `"12"`, `""` for an empty map.
fn swapped(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::String(text) => match text.parse::<u64>() {
            Ok(number) if number.to_string() == text => json!(number),
            _ => Value::String(text),
        },
        Value::Array(list) => Value::Array(list.into_iter().map(swapped).collect()),
        Value::Object(map) if map.is_empty() => json!(""),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, swapped(value)))
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        let body = r#"{"status":"success","execution_time":"0.1 seconds","total_records":1,"order":{"id":"7","folder_id":5}}"#;
        Answer {
            status: 200,
            body: body.to_owned(),
        }
    }

    fn after(fault: &Fault) -> Value {
        serde_json::from_str(&apply(fault, answer()).body).unwrap()
    }

    #[test]
    fn mixed_types_mean_the_same_and_look_different() {
        assert_eq!(
            after(&Fault::MixedTypes)["order"],
            json!({"id": 7, "folder_id": "5"})
        );
    }

    #[test]
    fn wrong_types_leave_the_envelope_alone() {
        let body = after(&Fault::WrongTypes);
        assert_eq!(
            (&body["status"], &body["order"]),
            (&json!("success"), &json!(42))
        );
    }

    #[test]
    fn truncated_json_is_no_json() {
        assert!(
            serde_json::from_str::<Value>(&apply(&Fault::TruncatedJson, answer()).body).is_err()
        );
    }

    #[test]
    fn totals_can_be_text_or_wrong_and_data_can_be_missing() {
        assert_eq!(after(&Fault::total_records("1"))["total_records"], "1");
        assert_eq!(after(&Fault::total_records(0))["total_records"], 0);
        assert!(after(&Fault::MissingData).get("order").is_none());
        assert_eq!(after(&Fault::TimingInMessage)["message"], "0.1 seconds");
    }
}
