//! Making a new order, once.
//!
//! Here: that an order with the same channel and number is looked for before and after, so that the same call twice makes one order. An
//! order without a number of its own cannot be recognised: what becomes of it when the answer gets lost is unknown. Not here: what an
//! order must have (`merge`).

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use shared::audit::action;

use super::decide::Repeat;
use super::perform::{Fate, Look, Perform, unknown};
use super::update_order::shown;
use super::{Change, Outcome, Preview, Verdict, Weight, Writer, turn};
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Difference, Kind};
use crate::desk::model::{Fields, MAX_LIMIT, Object};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::shop::Shop;
use crate::desk::{classify, quote};

/// The channel of an order that names none.
const OWN_CHANNEL: &str = "Order Desk";

/// This many differences are named, not more.
const NAMED: usize = 5;

/// A new order.
#[derive(Clone, Debug)]
pub struct CreateOrder {
    /// What it holds.
    pub order: Object,
}

/// By what an order is recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Number {
    source_name: String,
    source_id: String,
}

impl Number {
    /// The number of an order, if it has one.
    fn of(order: &Object) -> Option<Number> {
        let fields = Fields::of(order);
        let source_id = fields.text("source_id").trim().to_owned();
        let named = fields.text("source_name").trim().to_owned();
        let source_name = if named.is_empty() {
            OWN_CHANNEL.to_owned()
        } else {
            named
        };
        (!source_id.is_empty()).then_some(Number {
            source_name,
            source_id,
        })
    }

    /// The filter may find more than it should: both are compared here.
    fn is_of(&self, order: &Object) -> bool {
        Number::of(order).is_some_and(|other| {
            other.source_id == self.source_id
                && other.source_name.to_lowercase() == self.source_name.to_lowercase()
        })
    }

    fn request(&self) -> Request {
        let query = vec![
            ("source_id", self.source_id.clone()),
            ("limit", MAX_LIMIT.to_string()),
        ];
        Request::new(Endpoint::Orders, query)
    }

    fn found_in(&self, envelope: Object) -> Result<Option<Object>, DeskError> {
        let rows = classify::rows(envelope, Endpoint::Orders)?;
        Ok(rows.into_iter().find(|order| self.is_of(order)))
    }
}

impl CreateOrder {
    fn body(&self) -> Result<Object, DeskError> {
        let body = merge::new_order(&self.order).map_err(DeskError::Mistakes)?;
        merge::limits::check(Kind::Order, None, &body).map_err(DeskError::Mistakes)?;
        Ok(body)
    }

    fn check(number: Option<&Number>) -> String {
        match number {
            Some(number) => format!(
                "look for the order `{}` in Order Desk: is it there? Making it again is safe, it is looked for first",
                quote::line(&number.source_id, 60)
            ),
            None => {
                "look at the newest orders in Order Desk: is it there, and only once?".to_owned()
            }
        }
    }

    async fn create(&self, writer: &Writer) -> Result<Outcome, DeskError> {
        let body = self.body()?;
        let number = Number::of(&body);
        let held = writer.turn(vec![turn::CREATIONS.to_owned()]).await?;
        let passage = match &number {
            None => writer.passage(0, 1).await?,
            Some(number) => {
                let (passage, envelope) = writer.newest(&number.request(), 1).await?;
                if let Some(existing) = number.found_in(envelope)? {
                    return existing_one(&body, existing);
                }
                passage
            }
        };
        let found: Mutex<Option<Object>> = Mutex::default();
        let look = || search(writer, number.as_ref(), &found).boxed();
        let shape = super::shape::fields("order", &body);
        let check = CreateOrder::check(number.as_ref());
        let perform = Perform {
            intent: writer.intent(
                action::ORDER_CREATED,
                "a new order".to_owned(),
                shape,
                check,
            ),
            request: Request::to(
                Method::Post,
                Endpoint::Orders,
                &[],
                Some(Value::Object(body.clone())),
            ),
            repeat: match number {
                // Order Desk seems to refuse a second order of one number, but nobody has written down when: goods must not leave twice.
                Some(_) => Repeat::OnceOver,
                None => Repeat::Never,
            },
            look: Box::new(look),
        };
        let performed = writer.perform(&held, passage, perform).await?;
        let check = performed.check.clone();
        let (fate, remarks) = performed.end(Some(&held)).await;
        let mut outcome = match fate {
            Fate::Answered(envelope) => made(&body, told(envelope)),
            Fate::Found => made(&body, found.lock().take().unwrap_or_default()),
            Fate::NotDone(error) => return Err(error),
            Fate::Unknown(why) => unknown(&why, check),
        };
        outcome.remarks.extend(remarks);
        Ok(outcome)
    }
}

/// Looks for an order by its number; what is found is kept.
async fn search(
    writer: &Writer,
    number: Option<&Number>,
    found: &Mutex<Option<Object>>,
) -> Result<Look, DeskError> {
    let Some(number) = number else {
        let why = "an order without a `source_id` cannot be recognised";
        return Ok(Look::CannotTell(why.to_owned()));
    };
    let order = number.found_in(writer.read(&number.request()).await?)?;
    let look = match order {
        Some(_) => Look::Done,
        None => Look::NotDone,
    };
    *found.lock() = order;
    Ok(look)
}

fn told(mut envelope: Object) -> Object {
    match envelope.remove(Endpoint::Order.answers_with()) {
        Some(Value::Object(order)) => order,
        _ => Object::new(),
    }
}

/// The order that was made, and where it is not what was sent: rules may have been at it.
fn made(body: &Object, order: Object) -> Outcome {
    let id = Fields::of(&order).text("id").into_owned();
    let remark = |difference: Difference| {
        format!(
            "`{}` is not as it was sent: a rule or Order Desk itself changed it",
            difference.path
        )
    };
    Outcome {
        diff: vec![difference(body, &id)],
        remarks: merge::not_taken(Kind::Order, body, &order)
            .into_iter()
            .map(remark)
            .collect(),
        ..Outcome::new(Verdict::Done)
    }
    .fact("order", shown(order))
}

/// The order is there. If it is what was to be made, all is well; else somebody must decide.
fn existing_one(body: &Object, existing: Object) -> Result<Outcome, DeskError> {
    let different = merge::not_taken(Kind::Order, body, &existing);
    let id = Fields::of(&existing).text("id").into_owned();
    if different.is_empty() {
        let remark = format!(
            "order {id} has this channel and number already, and holds the same; nothing was sent"
        );
        return Ok(Outcome::new(Verdict::Done)
            .remark(remark)
            .fact("order", shown(existing)));
    }
    let path = |difference: &Difference| format!("`{}`", quote::line(&difference.path, 60));
    let paths: Vec<String> = different.iter().take(NAMED).map(path).collect();
    Err(DeskError::Exists {
        what: format!("order {}", quote::line(&id, 20)),
        name: "source_name and source_id",
        different: paths.join(", "),
    })
}

fn difference(body: &Object, id: &str) -> Difference {
    let path = if id.is_empty() {
        "new order".to_owned()
    } else {
        format!("order {id}")
    };
    Difference {
        path,
        before: Value::Null,
        after: Value::Object(body.clone()),
    }
}

impl Change for CreateOrder {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let body = self.body()?;
            let number = Number::of(&body);
            let mut preview = Preview {
                basis: json!(["create", body]).to_string(),
                ..Preview::default()
            };
            let Some(number) = number else {
                preview.remarks.push(
                    "without a `source_id` of its own, the same call twice makes two orders"
                        .to_owned(),
                );
                preview.diff.push(difference(&body, ""));
                return Ok(preview);
            };
            let envelope = shop.envelope(&number.request()).await?;
            match number.found_in(envelope)? {
                Some(existing) => preview.remarks = existing_one(&body, existing)?.remarks,
                None => preview.diff.push(difference(&body, "")),
            }
            Ok(preview)
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        _agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        self.create(writer).boxed()
    }
}
