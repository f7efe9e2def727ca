//! The store from `STORE_ID` and `API_KEY`: one, and without a vault.
//!
//! Here: what it may be called. Nobody has given it a name, so the one that Order Desk knows it by counts, once it was read.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Listed, unless_a_key};
use crate::clean;
use crate::confirm::{self, TokenKey};
use crate::desk::{Access, Desk, StoreId};
use crate::error::{NamedBy, ToolError};

/// The store of the environment.
#[derive(Debug)]
pub(super) struct EnvStore {
    access: Arc<Access>,
    name: Mutex<Option<String>>,
    desk: Desk,
}

impl EnvStore {
    pub(super) fn new(access: Access, desk: Desk) -> EnvStore {
        EnvStore {
            access: Arc::new(access),
            name: Mutex::default(),
            desk,
        }
    }

    /// The store, if that is what `named` calls it. A name that nobody has asked Order Desk for yet is asked for.
    pub(super) async fn pick(&self, named: Option<&str>) -> Result<Arc<Access>, ToolError> {
        let Some(given) = named else {
            return Ok(Arc::clone(&self.access));
        };
        if !self.is(given) && self.name().is_none() && StoreId::parse(given).is_err() {
            let shop = self.desk.shop(Arc::clone(&self.access));
            self.learn_name(&clean::text(&shop.settings(false).await?.value.name()));
        }
        if self.is(given) {
            return Ok(Arc::clone(&self.access));
        }
        let mut known = vec![self.access.store_id.to_string()];
        known.extend(self.name());
        let nearest = shared::env::nearest(given, known.iter().map(String::as_str));
        let error = ToolError::UnknownStore {
            given: given.to_owned(),
            nearest: nearest.map(str::to_owned),
            known,
            by: NamedBy::Argument,
        };
        Err(unless_a_key(given, error))
    }

    pub(super) fn listed(&self) -> Listed {
        Listed {
            store_id: self.access.store_id.clone(),
            base_url: self.access.base_url.clone(),
            name: self.name(),
            active: true,
            default: None,
        }
    }

    pub(super) fn token_key(&self) -> TokenKey {
        confirm::key_of(&self.access.api_key)
    }

    pub(super) fn learn_name(&self, name: &str) {
        if !name.is_empty() {
            *self.name.lock() = Some(name.to_owned());
        }
    }

    fn name(&self) -> Option<String> {
        self.name.lock().clone()
    }

    fn is(&self, given: &str) -> bool {
        self.access.store_id.as_str() == given
            || self
                .name
                .lock()
                .as_ref()
                .is_some_and(|name| name.to_lowercase() == given.to_lowercase())
    }
}
