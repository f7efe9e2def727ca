//! Adding an item to an order.
//!
//! Order Desk appends it and recalculates the totals; it does not tell the new id. Two equal items in one order are nothing unusual, so a
//! second `POST` could not be told from a wish: it is only sent again when the one before is over for certain and left nothing.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared::audit::action;

use super::found::{Newcomer, newcomer};
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Kind};
use crate::desk::model::{Object, OrderId};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::shop::Shop;
use crate::desk::write::decide::Repeat;
use crate::desk::write::perform::{Fate, Look, Looking, Perform, unknown};
use crate::desk::write::{Change, Outcome, Preview, Verdict, Weight, Writer, shape, turn};
use crate::desk::{classify, merge::Difference};

/// Adds an item to an order.
#[derive(Clone, Debug)]
pub struct AddItem {
    /// The order.
    pub order: OrderId,
    /// The item: `name`, and whatever else an item has.
    pub item: Object,
}

impl Change for AddItem {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let body = self.body()?;
            // Named in the basis, so that what was agreed to once cannot be done twice.
            let items = shop.order_items(&self.order, true).await?.value;
            let there: Vec<String> = items.iter().map(|item| item.id().into_owned()).collect();
            Ok(Preview {
                diff: self.diff(&body),
                basis: json!([action::ITEM_ADDED, self.order.as_str(), body, there]).to_string(),
                ..Preview::default()
            })
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        _agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        self.add(writer).boxed()
    }
}

impl AddItem {
    fn body(&self) -> Result<Object, DeskError> {
        merge::new_item(&self.item).map_err(DeskError::Mistakes)
    }

    fn diff(&self, body: &Object) -> Vec<Difference> {
        merge::diff(Kind::OrderItem, &Object::new(), body)
    }

    async fn add(&self, writer: &Writer) -> Result<Outcome, DeskError> {
        let body = self.body()?;
        let held = writer.turn(vec![turn::order(&self.order)]).await?;
        let (passage, envelope) = writer.newest(&self.list(), 1).await?;
        let before = classify::rows(envelope, Endpoint::OrderItems)?;
        let look: Looking<'_> = Box::new(|| {
            async {
                let after = self.items(writer).await?;
                Ok(match newcomer(&before, &after, &body) {
                    Newcomer::Ours(_) => Look::Done,
                    Newcomer::Nobody => Look::NotDone,
                    Newcomer::Doubtful(_) | Newcomer::Several => Look::CannotTell(
                        "the order has a new item, but not quite this one".to_owned(),
                    ),
                })
            }
            .boxed()
        });
        let perform = Perform {
            intent: writer.intent(
                action::ITEM_ADDED,
                format!("order {}", self.order),
                shape::fields("item", &body),
                super::check(&self.order),
            ),
            request: Request::to(
                Method::Post,
                Endpoint::OrderItems,
                &[self.order.as_str()],
                Some(Value::Object(body.clone())),
            ),
            repeat: Repeat::OnceOver,
            look,
        };
        let performed = writer.perform(&held, passage, perform).await?;
        let outcome = match &performed.fate {
            Fate::Answered(_) | Fate::Found => self.read_back(writer, &before, &body).await,
            Fate::Unknown(why) => unknown(why, performed.check.clone()),
            Fate::NotDone(_) => Outcome::new(Verdict::NotDone),
        };
        let (fate, remarks) = performed.end_as(outcome.verdict, Some(&held)).await;
        match fate {
            Fate::NotDone(error) => Err(error),
            _ => Ok(remarks.into_iter().fold(outcome, Outcome::remark)),
        }
    }

    /// It was added: which one is it?
    async fn read_back(&self, writer: &Writer, before: &[Object], body: &Object) -> Outcome {
        let done = Outcome {
            diff: self.diff(body),
            ..Outcome::new(Verdict::Done)
        };
        let after = match self.items(writer).await {
            Ok(after) => after,
            Err(error) => {
                return done.remark(format!("it was added; reading its new id failed: {error}"));
            }
        };
        match newcomer(before, &after, body) {
            Newcomer::Ours(item) => done.fact("order_item", item.clone()),
            Newcomer::Doubtful(item) => done
                .fact("order_item", item.clone())
                .remark("Order Desk holds it in other words than it was sent"),
            Newcomer::Several => {
                done.remark("several items are new in this order, so its id cannot be told")
            }
            Newcomer::Nobody => unknown(
                "Order Desk said that it was added, but the order does not show it",
                super::check(&self.order),
            ),
        }
    }

    fn list(&self) -> Request {
        Request::of(Endpoint::OrderItems, self.order.as_str(), Vec::new())
    }

    async fn items(&self, writer: &Writer) -> Result<Vec<Object>, DeskError> {
        classify::rows(writer.read(&self.list()).await?, Endpoint::OrderItems)
    }
}
