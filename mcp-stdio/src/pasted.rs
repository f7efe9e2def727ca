//! Keys that somebody pasted into the conversation, recognised before anything is done with them.
//!
//! A conversation is a log: it is stored, synchronised and read by others. So no tool takes a key, and a key that arrives all the same
//! must not be echoed, logged or kept. Here: which argument names and which values are taken for one. Both guesses lean to caution:
//! a wrong one costs a second try, a missed one costs a shop. Not here: what is answered (`error`) and what is noted (`call`).

use serde_json::{Map, Value};

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

/// Fewer characters are no key that anybody issues.
const SHORTEST_KEY: usize = 20;

/// How master keys begin, in any letter case.
const MASTER_KEY_PREFIX: &str = "odmk1";

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

/// Whether a text looks like something that was drawn at random: long, without blanks, its letters, capitals and digits mixed more
/// than words and numbers are.
#[must_use]
pub fn looks_like_a_key(text: &str) -> bool {
    let text = text.trim();
    let prefix = text.get(..MASTER_KEY_PREFIX.len());
    if prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(MASTER_KEY_PREFIX)) {
        return true;
    }
    let length = text.chars().count();
    if length < SHORTEST_KEY || text.chars().any(char::is_whitespace) || !text.is_ascii() {
        return false;
    }
    // A random text has a "word" for each two to three characters, a language for each five and more. Keys without digits are rare, names
    // in camel case are not.
    let has_digits = text.chars().filter(char::is_ascii_digit).count() >= 2;
    let longest_words = if has_digits { 5 } else { 3 };
    words(text) * longest_words >= length
}

/// Runs of small letters (one capital before them belongs to them), of capitals, and of digits.
fn words(text: &str) -> usize {
    #[derive(Clone, Copy, PartialEq)]
    enum Class {
        Small,
        Capital,
        Digit,
        Other,
    }
    let mut count = 0;
    let mut before = Class::Other;
    for char in text.chars() {
        let class = match char {
            'a'..='z' => Class::Small,
            'A'..='Z' => Class::Capital,
            '0'..='9' => Class::Digit,
            _ => Class::Other,
        };
        let goes_on = class == before || (before, class) == (Class::Capital, Class::Small);
        if class != Class::Other && !goes_on {
            count += 1;
        }
        before = class;
    }
    count
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

    #[test]
    fn what_was_drawn_at_random_looks_like_a_key() {
        for key in [
            "tB7xK2mQ9vLr4WzN8cYp3HsD6fGj1ZaE5uXq",
            "9f86d081884c7d659a2feaa0c55ad015",
            "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "AKIAIOSFODNN7EXAMPLE+wJalrXUtnFEMI/K7MDENG",
            "qWmZpRtLkVbNxCjHgFdSaYuIeO",
            "odmk1qqqqqqqqqqqqqqqq",
            "ODMK1QQ",
        ] {
            assert!(looks_like_a_key(key), "{key}");
        }
    }

    #[test]
    fn names_of_shops_do_not_look_like_keys() {
        for name in [
            "Demo Store",
            "4242",
            "Handmade-Candles-Outlet-2024",
            "MyWonderfulShopForFlowers",
            "candles_and_more_eu_2",
            "the-quick-brown-fox-store.example.com",
            "Ünïcödé-Shöp-mit-sehr-langem-Nämen",
            "A much longer name with 12 words 3 numbers 4 and spaces",
            "",
        ] {
            assert!(!looks_like_a_key(name), "{name}");
        }
    }
}
