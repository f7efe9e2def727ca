//! Changing one part of a shop: an item, a shipment, an inventory item.
//!
//! Order Desk replaces each of them whole, so each goes the way of `rewrite`. Here: what the three have in common beside that way, and how
//! its end is told. Not here: orders, which have more to say.

use serde_json::Value;

use super::patched::Patched;
use super::rewrite::{Plan, Rewrite, Rewritten};
use super::{Outcome, Preview, Verdict, Writer};
use crate::desk::error::DeskError;
use crate::desk::merge::Kind;
use crate::desk::model::Object;
use crate::desk::request::Request;

/// One part, and what it is called.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// The name under which the answer shows it.
    pub(super) fact: &'static str,
    /// What the turn is taken on.
    pub(super) thing: String,
    /// The `GET` of it.
    pub(super) read: Request,
    pub(super) action: &'static str,
    /// `item 9100001 of order 7001001`.
    pub(super) target: String,
    /// What to look at when nobody can tell.
    pub(super) check: String,
    /// What made somebody mean this thing and no other, such as its SKU: it must still be so.
    pub(super) expected: Option<Object>,
}

impl Part {
    /// What `changes` would do to what is there.
    ///
    /// # Errors
    /// [`DeskError::Mistakes`].
    pub(super) fn preview(&self, changes: &Object, there: &Object) -> Result<Preview, DeskError> {
        self.patched(changes, None).preview(&self.target, there)
    }

    fn patched<'a>(&'a self, changes: &'a Object, agreed: Option<&'a Preview>) -> Patched<'a> {
        Patched {
            kind: self.kind,
            changes,
            expected: self.expected.as_ref(),
            agreed: agreed.map(|preview| &preview.before),
        }
    }
}

impl Writer {
    /// Makes the named changes, and no others.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub(super) async fn patch(
        &self,
        part: Part,
        changes: &Object,
        agreed: Option<&Preview>,
    ) -> Result<Outcome, DeskError> {
        let plan = part.patched(changes, agreed);
        let shape = plan.shape();
        let rewritten = self.replace(&part, shape, &plan).await?;
        Ok(outcome(&part, rewritten))
    }

    /// Puts the part back as `plan` has it, under its turn.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub(super) async fn replace(
        &self,
        part: &Part,
        args_shape: String,
        plan: &dyn Plan,
    ) -> Result<Rewritten, DeskError> {
        let held = self.turn(vec![part.thing.clone()]).await?;
        let intent = self.intent(
            part.action,
            part.target.clone(),
            args_shape,
            part.check.clone(),
        );
        let work = Rewrite {
            read: part.read.clone(),
            kind: part.kind,
            intent,
            plan,
        };
        self.rewrite(&held, work).await
    }
}

/// How it ended.
pub(super) fn outcome(part: &Part, rewritten: Rewritten) -> Outcome {
    let diff = rewritten.diff(part.kind);
    let mut outcome = match (rewritten.verdict, &rewritten.sent) {
        (Verdict::Done, None) => Outcome::already_so(),
        (verdict, _) => Outcome::new(verdict),
    };
    outcome.remarks.extend(rewritten.remarks);
    outcome.diff = diff;
    outcome.check = (rewritten.verdict == Verdict::Unknown).then(|| part.check.clone());
    outcome.fact(part.fact, Value::Object(rewritten.now))
}
