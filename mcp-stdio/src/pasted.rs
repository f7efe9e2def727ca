//! Keys that somebody pasted into the conversation, recognised before anything is done with them.
//!
//! A conversation is a log: it is stored, synchronised and read by others. So no tool takes a key, and a key that arrives all the same
//! must not be echoed, logged or kept. Here: which argument names are taken for one; which values are is `looks_like_a_key`'s guess. Both
//! lean to caution: a wrong guess costs a second try, a missed one costs a shop. Not here: what is answered (`error`) and what is noted
//! (`call`).

use serde_json::{Map, Value};
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

/// Whether an argument, at any depth, has a name that asks for a secret, or that is one. `declared` are the tool's own names.
#[must_use]
pub fn names_a_secret(
    given: Option<&Map<String, Value>>,
    declared: impl Fn(&str) -> bool + Copy,
) -> bool {
    given
        .into_iter()
        .flatten()
        .any(|(name, value)| !declared(name) && is_name_of_secret(name) || holds_secret(value))
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| is_name_of_secret(name) || holds_secret(value)),
        Value::Array(values) => values.iter().any(holds_secret),
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
        names_a_secret(given.as_object(), |name| {
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
}
