//! Deleting an order for good.
//!
//! Here: what is shown before it goes, that it still is that when it goes, and that what is not there any more after an unclear answer
//! was deleted. Order Desk has no way back; the answer holds the whole order as it was. Not here: asking somebody first.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared::audit::action;

use super::decide::Repeat;
use super::perform::{Fate, Look, Perform, unknown};
use super::rewrite::conflict;
use super::update_order::{read, shown};
use super::{Change, Outcome, Preview, Verdict, Weight, Writer, turn};
use crate::desk::error::DeskError;
use crate::desk::merge::{Difference, same};
use crate::desk::model::{Fields, Object, OrderId};
use crate::desk::request::{Method, Request};
use crate::desk::shop::Shop;

/// The end of one order.
#[derive(Clone, Debug)]
pub struct DeleteOrder {
    /// Which order.
    pub id: OrderId,
}

/// What is told of an order that goes. `date_updated` stands for all the rest: whoever touches the order moves it.
const SHOWN: [&str; 7] = [
    "id",
    "source_name",
    "source_id",
    "email",
    "order_total",
    "folder_id",
    "date_updated",
];

/// What goes, in short.
fn summary(order: &Object) -> Object {
    let mut shown: Object = SHOWN
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), order.get(*name)?.clone())))
        .collect();
    for list in ["order_items", "order_shipments", "order_notes"] {
        shown.insert(list.to_owned(), json!(Fields::of(order).rows(list).len()));
    }
    shown
}

impl DeleteOrder {
    fn target(&self) -> String {
        format!("order {}", self.id)
    }

    fn check(&self) -> String {
        format!("look for {} in Order Desk: is it gone?", self.target())
    }

    fn difference(&self, order: &Object) -> Difference {
        Difference {
            path: self.target(),
            before: Value::Object(summary(order)),
            after: Value::Null,
        }
    }

    async fn look(&self, writer: &Writer) -> Result<Look, DeskError> {
        match writer.newest_one(&read(&self.id), 0).await {
            Ok(_) => Ok(Look::NotDone),
            Err(DeskError::NotFound { .. }) => Ok(Look::Done),
            Err(error) => Err(error),
        }
    }

    async fn delete(
        &self,
        writer: &Writer,
        agreed: Option<&Preview>,
    ) -> Result<Outcome, DeskError> {
        let held = writer.turn(vec![turn::order(&self.id)]).await?;
        let (passage, order) = writer.newest_one(&read(&self.id), 1).await?;
        if let Some(agreed) = agreed {
            let changed = changed(&agreed.before, &summary(&order));
            if !changed.is_empty() {
                return Err(conflict(&changed));
            }
        }
        let request = Request {
            method: Method::Delete,
            ..read(&self.id)
        };
        let intent = writer.intent(
            action::ORDER_DELETED,
            self.target(),
            String::new(),
            self.check(),
        );
        let perform = Perform {
            intent,
            request,
            repeat: Repeat::Harmless,
            look: Box::new(move || self.look(writer).boxed()),
        };
        let performed = writer.perform(&held, passage, perform).await?;
        let (fate, remarks) = performed.end(Some(&held)).await;
        let mut outcome = match fate {
            Fate::Answered(_) | Fate::Found => Outcome {
                diff: vec![self.difference(&order)],
                ..Outcome::new(Verdict::Done)
            },
            Fate::NotDone(error) => return Err(error),
            Fate::Unknown(why) => unknown(&why, self.check()),
        }
        .fact("order", shown(order));
        outcome.remarks.extend(remarks);
        Ok(outcome)
    }
}

impl Change for DeleteOrder {
    fn weight(&self) -> Weight {
        Weight::Destroys
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let order = shop.order(&self.id, true).await?.value;
            let before = summary(order.object());
            Ok(Preview {
                diff: vec![self.difference(order.object())],
                basis: json!(["delete", self.target(), before]).to_string(),
                remarks: vec![
                    "Order Desk has no way back from this; most shops move an order to their folder for canceled ones instead (orders_move)".to_owned(),
                ],
                before,
            })
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        self.delete(writer, agreed).boxed()
    }
}

/// What of the summary is not as it was agreed to.
fn changed(agreed: &Object, now: &Object) -> Vec<Difference> {
    let differs = |(name, before): (&String, &Value)| {
        let after = now.get(name).unwrap_or(&Value::Null);
        (!same(before, after)).then(|| Difference {
            path: name.clone(),
            before: before.clone(),
            after: after.clone(),
        })
    };
    agreed.iter().filter_map(differs).collect()
}
