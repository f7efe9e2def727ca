//! What a row of a batch makes of its item, seeing the item as it is now.
//!
//! Used before the first attempt and, with the newest state, before every other: a row is never sent from what was there some time ago.

use serde_json::Value;

use super::rows::Row;
use crate::desk::merge::{self, Kind, Patch};
use crate::desk::model::{InventoryItemId, Object};
use crate::desk::write::Verdict;
use crate::desk::write::fate::Fate;

/// What is wanted of one item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub(super) id: &'a InventoryItemId,
    pub(super) row: &'a Row,
    /// The fields to be changed as somebody saw them who agreed.
    pub(super) agreed: Option<&'a Value>,
}

/// One item on its way.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// As it was read right before.
    pub(super) base: Object,
    /// As it is sent, whole.
    pub(super) sent: Object,
}

impl Wish<'_> {
    /// What is sent, or how the row ends without being sent.
    pub(super) fn of(&self, now: Option<Object>) -> Result<Item, Fate> {
        let not_done = |why: &str| Fate::of(Verdict::NotDone, why);
        let Some(base) = now else {
            return Err(not_done(
                "it is not there any more under this code: removed, or renamed meanwhile",
            ));
        };
        if let Some(what) = merge::incomplete(Kind::InventoryItem, &base) {
            let why = format!(
                "Order Desk did not show all of it ({what}), and what is left out would be blanked"
            );
            return Err(not_done(&why));
        }
        let sent = merged(self.row, &base).map_err(|why| not_done(&why))?;
        if merge::diff(Kind::InventoryItem, &base, &sent).is_empty() {
            return Err(Fate::of(Verdict::Done, "already so"));
        }
        let agreed_to = |agreed: &Value| merge::same(agreed, &seen(self.row, &base));
        if self.agreed.is_some_and(|agreed| !agreed_to(agreed)) {
            return Err(not_done(
                "somebody else changed the same fields after the preview; look again",
            ));
        }
        Ok(Item { base, sent })
    }
}

/// The whole item with the row's changes.
///
/// # Errors
/// Why they cannot be made.
pub(super) fn merged(row: &Row, now: &Object) -> Result<Object, String> {
    let patch = Patch::check(Kind::InventoryItem, &row.changes, Some(now))
        .map_err(|mistakes| mistakes.join("; "))?;
    Ok(merge::apply(Kind::InventoryItem, now, &patch))
}

/// The fields that a row changes, as they are now.
pub(super) fn seen(row: &Row, now: &Object) -> Value {
    let one = |name: &String| (name.clone(), now.get(name).cloned().unwrap_or(Value::Null));
    Value::Object(row.changes.keys().map(one).collect())
}
