//! Changing fields of an order, and nothing else of it.
//!
//! Here: what an update is called, what to look at when nobody can tell whether it was done, and what is worth knowing about an address.
//! Not here: which fields there are (`merge`), and the rounds of reading and putting back (`rewrite`).

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use shared::audit::action;

use super::patched::Patched;
use super::rewrite::{Rewrite, Rewritten};
use super::{Change, Outcome, Preview, Verdict, Weight, Writer, turn};
use crate::desk::error::DeskError;
use crate::desk::merge::{Difference, Kind};
use crate::desk::model::{Object, Order, OrderId};
use crate::desk::request::{Endpoint, Request};
use crate::desk::shop::Shop;

/// Named changes of one order.
#[derive(Clone, Debug)]
pub struct UpdateOrder {
    /// Which order.
    pub id: OrderId,
    /// What shall be different: see [`crate::desk::merge::Patch`].
    pub changes: Object,
    /// What the caller believes to be there; where it is not, nothing is changed.
    pub expected: Option<Object>,
}

impl UpdateOrder {
    fn patched<'a>(&'a self, agreed: Option<&'a Preview>) -> Patched<'a> {
        Patched {
            kind: Kind::Order,
            changes: &self.changes,
            expected: self.expected.as_ref(),
            agreed: agreed.map(|preview| &preview.before),
        }
    }

    fn target(&self) -> String {
        format!("order {}", self.id)
    }
}

impl Change for UpdateOrder {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let order = shop.order(&self.id, true).await?.value;
            let mut preview = self.patched(None).preview(&self.target(), order.object())?;
            preview.remarks.extend(address_remark(&preview.diff));
            Ok(preview)
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        async move {
            let plan = self.patched(agreed);
            let check = format!(
                "look at {} in Order Desk: does it show the changes?",
                self.target()
            );
            let intent = writer.intent(action::ORDER_UPDATED, self.target(), plan.shape(), check);
            let held = writer.turn(vec![turn::order(&self.id)]).await?;
            let work = Rewrite {
                read: read(&self.id),
                kind: Kind::Order,
                intent,
                plan: &plan,
            };
            let rewritten = writer.rewrite(&held, work).await?;
            let outcome = outcome_of_order(&self.id, rewritten);
            let remark = address_remark(&outcome.diff);
            Ok(match remark {
                Some(remark) => outcome.remark(remark),
                None => outcome,
            })
        }
        .boxed()
    }
}

/// The `GET` of an order.
pub(super) fn read(id: &OrderId) -> Request {
    Request::of(Endpoint::Order, id.as_str(), Vec::new())
}

/// What a rewritten order is told as.
pub(super) fn outcome_of_order(id: &OrderId, rewritten: Rewritten) -> Outcome {
    if rewritten.sent.is_none() && rewritten.verdict == Verdict::Done {
        let mut outcome = Outcome::already_so().fact("order", shown(rewritten.now));
        outcome.remarks.extend(rewritten.remarks);
        return outcome;
    }
    let unknown = rewritten.verdict == Verdict::Unknown;
    let outcome = Outcome {
        diff: rewritten.diff(Kind::Order),
        check: unknown.then(|| {
            format!("read order {id} again with orders_get and `fresh`: if the changes are not there in a minute, they were not made")
        }),
        remarks: rewritten.remarks,
        ..Outcome::new(rewritten.verdict)
    };
    // What was read before an attempt that nobody can tell the end of would only mislead.
    if unknown {
        outcome
    } else {
        outcome.fact("order", shown(rewritten.now))
    }
}

/// The order with PHP's empty maps mended.
pub(super) fn shown(order: Object) -> Value {
    Value::Object(Order::from_object(order).object().clone())
}

/// A new address may send the order off again.
fn address_remark(diff: &[Difference]) -> Option<String> {
    let is_address = |difference: &Difference| difference.path.starts_with("shipping.");
    diff.iter().any(is_address).then(|| {
        "a changed shipping address starts the shop's rules for that, which may submit the order again".to_owned()
    })
}
