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

use crate::args::{Argument, Kind};

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

/// Whether an argument, at any depth, has a name that asks for a secret, or is or holds one. `declared` are the tool's own.
#[must_use]
pub fn holds_a_secret(given: Option<&Map<String, Value>>, declared: &[Argument]) -> bool {
    given.into_iter().flatten().any(|(name, value)| {
        match declared.iter().find(|argument| argument.name == name) {
            Some(argument) => match argument.kind {
                Kind::Object | Kind::Objects(_) => shop_data_holds(value),
                _ => holds(value, holds_a_master_key),
            },
            None => is_name_of_secret(name) || holds(value, looks_like_a_key),
        }
    })
}

/// The same for what is to be written to a shop. There fields may be called `key` or `token` and mean nothing by it, and their values may
/// look as random as keys; both at once is a key.
fn shop_data_holds(value: &Value) -> bool {
    match value {
        // A model may send an object as text.
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => shop_data_holds(&inner),
            _ => holds_a_master_key(text),
        },
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            holds_a_master_key(name)
                || shop_data_holds(value)
                || (is_name_of_secret(name) && value.as_str().is_some_and(looks_like_a_key))
        }),
        Value::Array(values) => values.iter().any(shop_data_holds),
        _ => false,
    }
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

    const DECLARED: &[Argument] = &[
        Argument::optional("store", Kind::Text, ""),
        Argument::optional("confirm", Kind::Text, ""),
        Argument::optional("changes", Kind::Object, ""),
        Argument::optional("items", Kind::Objects(500), ""),
    ];

    fn caught(given: &Value) -> bool {
        holds_a_secret(given.as_object(), DECLARED)
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
    fn what_is_written_to_a_shop_may_have_any_names_but_hold_no_key() {
        let key = "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq";
        for fine in [
            json!({"checkout_data": {"Key": "door 4", "token": "blue"}}),
            json!({"order_metadata": {"gift_secret": "a surprise", "password": "swordfish"}}),
            json!({"source_id": key}),
        ] {
            assert!(!caught(&json!({"changes": fine})), "{fine}");
            assert!(!caught(&json!({"items": [fine]})), "{fine}");
            assert!(!caught(&json!({"changes": fine.to_string()})), "{fine}");
        }
        for wrong in [
            json!({"order_metadata": {"api_key": key}}),
            json!({"note": "odmk1qqqqqqqqqqqqqqqq"}),
        ] {
            assert!(caught(&json!({"changes": wrong})), "{wrong}");
            assert!(caught(&json!({"items": [{"a": wrong}]})), "{wrong}");
            assert!(caught(&json!({"changes": wrong.to_string()})), "{wrong}");
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
