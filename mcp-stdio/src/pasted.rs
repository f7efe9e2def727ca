//! Keys that somebody pasted into the conversation, recognised before anything is done with them.
//!
//! A conversation is a log: it is stored, synchronised and read by others. So no tool takes a key, and a key that arrives all the same
//! must not be echoed, logged or kept. Here: which arguments are taken for one, by their names or by what is in them; which texts look
//! like a key is guessed elsewhere. All of it leans to caution: a wrong guess costs a second try, a missed one costs a shop. But orders are
//! searched for by ids that look as random as keys, so in an argument that the tool has, only a master key is surely none. Not here: what
//! is answered (`error`) and what is noted (`call`).

use serde_json::{Map, Value};
use shared::secret::holds_a_master_key;
pub use shared::secret::looks_like_a_key;

/// Argument names for secrets, in small letters without separators.
const NAMES: [&str; 12] = [
    "key",
    "keys",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "auth",
    "bearer",
    "credential",
    "credentials",
];

/// What longer names of secrets end with: `orderdesk_api_key`, `clientSecret`, `db-password`.
const ENDINGS: [&str; 9] = [
    "apikey",
    "apikeys",
    "masterkey",
    "privatekey",
    "accesstoken",
    "apitoken",
    "secret",
    "password",
    "passphrase",
];

/// Whether an argument, at any depth, has a name that asks for a secret, or is or holds one. `declared` are the tool's own names.
#[must_use]
pub fn holds_a_secret(
    given: Option<&Map<String, Value>>,
    declared: impl Fn(&str) -> bool + Copy,
) -> bool {
    given.into_iter().flatten().any(|(name, value)| {
        if declared(name) {
            holds(value, holds_a_master_key)
        } else {
            is_name_of_secret(name) || holds(value, looks_like_a_key)
        }
    })
}

/// Whether a value holds the name of a secret or a text that is one, at any depth.
fn holds(value: &Value, is_secret: fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_secret(text),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| is_name_of_secret(name) || holds(value, is_secret)),
        Value::Array(values) => values.iter().any(|value| holds(value, is_secret)),
        _ => false,
    }
}

fn is_name_of_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|char| char.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    NAMES.contains(&plain.as_str())
        || ENDINGS.iter().any(|ending| plain.ends_with(ending))
        || looks_like_a_key(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caught(given: &Value) -> bool {
        holds_a_secret(given.as_object(), |name| {
            ["store", "confirm"].contains(&name)
        })
    }

    #[test]
    fn names_of_secrets_are_known_however_they_are_written() {
        for name in [
            "api_key",
            "apiKey",
            "API-KEY",
            "apikey",
            "key",
            "Token",
            "password",
            "secret",
            "Authorization",
            "orderdesk_api_key",
            "x-api-key",
            "client_secret",
            "master key",
        ] {
            assert!(caught(&json!({name: "x"})), "{name}");
        }
    }

    #[test]
    fn ordinary_names_and_the_tools_own_are_left_alone() {
        for name in [
            "store",
            "store_id",
            "confirm",
            "confirm_token",
            "cursor",
            "next_token",
            "monkey",
            "keyword",
            "keys_and_locks",
            "tracking_number",
            "query",
        ] {
            assert!(!caught(&json!({name: "x"})), "{name}");
        }
        assert!(!caught(&json!(null)) && !caught(&json!({})));
    }

    #[test]
    fn a_secret_inside_an_object_or_a_list_is_found() {
        assert!(caught(&json!({"store": {"api_key": "x"}})));
        assert!(caught(&json!({"store": [{"a": {"password": "x"}}]})));
        assert!(caught(&json!({"9f86d081884c7d659a2feaa0c55ad015": "x"})));
        assert!(!caught(&json!({"store": [{"a": {"b": "key"}}]})));
    }

    #[test]
    fn a_key_under_a_name_that_no_tool_has_is_found() {
        let key = "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
        for value in [
            json!(key),
            json!(["a", key]),
            json!({"b": format!("it is {key}")}),
        ] {
            assert!(caught(&json!({"note": value})), "{value}");
        }
    }

    #[test]
    fn what_a_tool_asks_for_may_look_random_but_is_no_master_key() {
        assert!(!caught(
            &json!({"store": "3F2504E0-4F89-11D3-9A0C-0305E82C3301"})
        ));
        assert!(caught(&json!({"store": "use odmk1qqqqqqqqqqqqqqqq"})));
        assert!(caught(&json!({"store": ["odmk1qqqqqqqqqqqqqqqq"]})));
    }
}
