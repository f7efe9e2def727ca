//! Removing one thing: an item, a shipment, an inventory item.
//!
//! The same three steps for each: it is read, so that somebody knows what goes; it is deleted; and when no clear answer comes, it is looked
//! for. What is not there any more after an unclear attempt is removed. Not here: orders, which are removed with more ado.

use futures_util::FutureExt;
use serde_json::json;

use super::decide::Repeat;
use super::perform::{Fate, Look, Looking, Perform, unknown};
use super::replace::Part;
use super::{Outcome, Preview, Verdict, Writer, rewrite};
use crate::desk::error::DeskError;
use crate::desk::merge;
use crate::desk::model::Object;
use crate::desk::request::{Method, Request};

/// What goes.
pub(super) fn preview(part: &Part, there: &Object) -> Preview {
    Preview {
        diff: merge::diff(part.kind, there, &Object::new()),
        basis: json!([part.action, part.target, there]).to_string(),
        remarks: vec!["this cannot be undone; it would have to be added again".to_owned()],
        before: there.clone(),
    }
}

impl Writer {
    /// Removes it. What was agreed to must still be what is there.
    ///
    /// # Errors
    /// [`DeskError::NotFound`] when it was not there, [`DeskError::Conflict`], or why it was not removed.
    pub(super) async fn remove(
        &self,
        part: Part,
        agreed: Option<&Preview>,
    ) -> Result<Outcome, DeskError> {
        let held = self.turn(vec![part.thing.clone()]).await?;
        let (passage, there) = self.newest_one(&part.read, 1).await?;
        let mut changed = match &part.expected {
            Some(expected) => merge::mismatches(part.kind, expected, &there),
            None => Vec::new(),
        };
        if let Some(agreed) = agreed {
            changed.extend(merge::diff(part.kind, &agreed.before, &there));
        }
        if !changed.is_empty() {
            return Err(rewrite::conflict(&changed));
        }
        let look: Looking<'_> = Box::new(|| self.is_gone(&part).boxed());
        let perform = Perform {
            intent: self.intent(
                part.action,
                part.target.clone(),
                String::new(),
                part.check.clone(),
            ),
            request: Request {
                method: Method::Delete,
                ..part.read.clone()
            },
            repeat: Repeat::Harmless,
            look,
        };
        let mut performed = self.perform(&held, passage, perform).await?;
        let not_found = matches!(performed.fate, Fate::NotDone(DeskError::NotFound { .. }));
        if not_found {
            performed.fate = self.not_found(performed.fate, &part).await;
        }
        let check = performed.check.clone();
        let (fate, remarks) = performed.end(Some(&held)).await;
        let done = Outcome {
            diff: merge::diff(part.kind, &there, &Object::new()),
            ..Outcome::new(Verdict::Done).fact(part.fact, there)
        };
        let outcome = match fate {
            Fate::Found if not_found => done.remark("somebody else removed it at the same moment"),
            Fate::Answered(_) | Fate::Found => done,
            Fate::NotDone(error) => return Err(error),
            Fate::Unknown(why) => unknown(&why, check),
        };
        Ok(remarks.into_iter().fold(outcome, Outcome::remark))
    }

    /// What was there when it was read and not when it was to be deleted is gone, whoever did it. But a 404 also comes from what
    /// stands before Order Desk, so it is looked at once more.
    async fn not_found(&self, fate: Fate, part: &Part) -> Fate {
        match self.is_gone(part).await {
            Ok(Look::Done) => Fate::Found,
            Ok(_still_there) => fate,
            Err(error) => Fate::Unknown(format!(
                "it was not found when it was to be removed, and looking for it failed: {error}"
            )),
        }
    }

    async fn is_gone(&self, part: &Part) -> Result<Look, DeskError> {
        match self.read(&part.read).await {
            Ok(_envelope) => Ok(Look::NotDone),
            Err(DeskError::NotFound { .. }) => Ok(Look::Done),
            Err(error) => Err(error),
        }
    }
}
