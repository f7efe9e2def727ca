//! The store: its name, its settings, its folders. Without its secrets.
//!
//! Here: the one place where the reply of `GET /store` becomes a value, and where the secrets in it (the API key and the mail server's
//! login) end. They are removed, not masked, before anything behind this file (cache, tools, logs) can see them.

use std::borrow::Cow;

use serde_json::Value;

use super::fields::{Fields, Object, mend_maps, text_of};

/// Settings that hold secrets, by name. The mail server's host, user and headers tell where to use the password.
const SECRET_KEYS: [&str; 5] = [
    "api_key",
    "smtp_username",
    "smtp_password",
    "smtp_host",
    "smtp_headers",
];

/// Parts of names that mark settings which nobody here has seen yet as secret; compared without case, `_` and `-`.
const SECRET_PARTS: [&str; 5] = ["password", "passwd", "secret", "token", "apikey"];

/// A store's settings and folders, without secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreSettings(Object);

/// A folder: Order Desk's word for a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its id, digits.
    pub id: String,
    /// Its name, free text chosen by the shop.
    pub name: String,
}

impl StoreSettings {
    /// Takes the `store` object over and removes every secret in it.
    #[must_use]
    pub fn from_object(mut object: Object) -> StoreSettings {
        mend_maps(&mut object, &["settings", "folders"]);
        remove_secrets(&mut object);
        StoreSettings(object)
    }

    /// Every field but the secret ones.
    #[must_use]
    pub fn object(&self) -> &Object {
        &self.0
    }

    /// The store's id.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        Fields::of(&self.0).text("id")
    }

    /// The store's name.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        Fields::of(&self.0).text("name")
    }

    /// The settings, without secrets.
    #[must_use]
    pub fn settings(&self) -> Fields<'_> {
        Fields::of(&self.0).nested("settings")
    }

    /// The folders in the order in which the shop shows them.
    #[must_use]
    pub fn folders(&self) -> Vec<Folder> {
        let folders = Fields::of(&self.0).nested("folders").object();
        folders
            .iter()
            .map(|(id, name)| Folder {
                id: id.clone(),
                name: text_of(name).into_owned(),
            })
            .collect()
    }
}

fn is_secret(key: &str) -> bool {
    let bare: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_KEYS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(key))
        || SECRET_PARTS.iter().any(|part| bare.contains(part))
}

fn remove_secrets(object: &mut Object) {
    object.retain(|key, _| !is_secret(key));
    for value in object.values_mut() {
        remove_secrets_within(value);
    }
}

fn remove_secrets_within(value: &mut Value) {
    match value {
        Value::Object(object) => remove_secrets(object),
        Value::Array(values) => values.iter_mut().for_each(remove_secrets_within),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn store(value: Value) -> StoreSettings {
        let Value::Object(object) = value else {
            unreachable!("the literal is an object")
        };
        StoreSettings::from_object(object)
    }

    #[test]
    fn secrets_are_gone_at_every_depth_and_the_rest_stays() {
        let kept = store(json!({
            "id": "4242", "name": "Demo Store", "api_key": "S1",
            "settings": {
                "timezone": "America/New_York", "api_key": "S2", "smtp_host": "S3", "smtp_username": "S4", "smtp_password": "S5",
                "smtp_headers": ["S6"], "smtp_port": 587, "webhookSecret": "S7", "Refresh-Token": "S8", "API-Key-2": "S9",
                "integrations": [{"name": "Carrier", "account_password": "S10", "deep": {"access_token": "S11", "url": "kept"}}]
            },
            "folders": {"50101": "New"}
        }));
        let shown = Value::Object(kept.object().clone()).to_string();
        assert!(!shown.contains("\"S"), "{shown}");
        assert_eq!(kept.settings().text("timezone"), "America/New_York");
        assert_eq!(kept.settings().whole("smtp_port"), Some(587));
        assert_eq!(
            kept.settings().rows("integrations")[0]
                .nested("deep")
                .text("url"),
            "kept"
        );
    }

    #[test]
    fn names_that_only_resemble_secrets_are_kept() {
        let kept = store(
            json!({"settings": {"keyboard": "qwerty", "custom_css": "x", "key_account": "y"}}),
        );
        assert_eq!(kept.settings().object().len(), 3);
    }

    #[test]
    fn folders_come_in_display_order_and_an_empty_list_is_no_folder() {
        let kept = store(json!({"folders": {"50102": "Prepared", "50101": "New", "7": 12}}));
        let names: Vec<String> = kept
            .folders()
            .into_iter()
            .map(|folder| format!("{}={}", folder.id, folder.name))
            .collect();
        assert_eq!(names, ["50102=Prepared", "50101=New", "7=12"]);
        assert!(store(json!({"folders": []})).folders().is_empty());
    }
}
