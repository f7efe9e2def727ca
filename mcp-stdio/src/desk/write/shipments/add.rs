//! Adding one shipment to an order.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use shared::audit::action;

use super::{TELLS, rows, same};
use crate::desk::error::DeskError;
use crate::desk::merge::{self, Kind};
use crate::desk::model::{Fields, Object, OrderId, Shipment};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::shop::Shop;
use crate::desk::write::decide::Repeat;
use crate::desk::write::perform::{Fate, Look, Looking, Perform, unknown};
use crate::desk::write::{Change, Outcome, Preview, Verdict, Weight, Writer, shape, turn};

const ALREADY_THERE: &str = "already there; nothing was sent";

/// Adds a shipment to an order.
#[derive(Clone, Debug)]
pub struct AddShipment {
    /// The order.
    pub order: OrderId,
    /// The shipment: `tracking_number`, and whatever else a shipment has.
    pub shipment: Object,
}

impl Change for AddShipment {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let body = self.body()?;
            let order = shop.order(&self.order, true).await?.value;
            let known = super::of_order(shop, &self.order, &order).await?;
            let there = find(&known, &body).is_some();
            let basis = json!([action::SHIPMENT_ADDED, self.order.as_str(), body, there]);
            let basis = basis.to_string();
            if there {
                return Ok(Preview {
                    basis,
                    remarks: vec!["already there; nothing would be sent".to_owned()],
                    ..Preview::default()
                });
            }
            check_parcel(&body, order.object())?;
            Ok(Preview {
                diff: merge::diff(Kind::Shipment, &Object::new(), &body),
                basis,
                remarks: remarks(&body),
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

impl AddShipment {
    fn body(&self) -> Result<Object, DeskError> {
        let mut shipment = self.shipment.clone();
        rows::trim_number(&mut shipment);
        merge::new_shipment(&shipment).map_err(DeskError::Mistakes)
    }

    async fn add(&self, writer: &Writer) -> Result<Outcome, DeskError> {
        let body = self.body()?;
        let held = writer.turn(vec![turn::order(&self.order)]).await?;
        let read = Request::of(Endpoint::Order, self.order.as_str(), Vec::new());
        let (passage, order) = writer.newest_one(&read, 1).await?;
        let listed = order.contains_key("order_shipments");
        let known: Vec<Object> = if listed {
            let rows = Fields::of(&order).rows("order_shipments");
            rows.into_iter().map(|row| row.object().clone()).collect()
        } else {
            super::newest(writer, &self.order).await?
        };
        if let Some(there) = find(&known, &body) {
            let outcome = Outcome::new(Verdict::Done).remark(ALREADY_THERE);
            return Ok(outcome.fact("shipment", there.clone()));
        }
        check_parcel(&body, &order)?;
        let look: Looking<'_> = Box::new(|| {
            async {
                let now = super::newest(writer, &self.order).await?;
                Ok(match find(&now, &body) {
                    Some(_) => Look::Done,
                    None => Look::NotDone,
                })
            }
            .boxed()
        });
        let perform = Perform {
            intent: writer.intent(
                action::SHIPMENT_ADDED,
                format!("order {}", self.order),
                shape::fields("shipment", &body),
                super::check(&self.order),
            ),
            request: Request::to(
                Method::Post,
                Endpoint::Shipments,
                &[self.order.as_str()],
                Some(Value::Object(body.clone())),
            ),
            repeat: repeat(&body),
            look,
        };
        let performed = writer.perform(&held, passage, perform).await?;
        let outcome = match &performed.fate {
            Fate::Answered(_) | Fate::Found => self.read_back(writer, &body).await,
            Fate::Unknown(why) => unknown(why, performed.check.clone()),
            Fate::NotDone(_) => Outcome::new(Verdict::NotDone),
        };
        let (fate, told) = performed.end_as(outcome.verdict, Some(&held)).await;
        match fate {
            Fate::NotDone(error) => Err(error),
            _ => Ok(told.into_iter().fold(outcome, Outcome::remark)),
        }
    }

    /// It was added; what does Order Desk hold of it?
    async fn read_back(&self, writer: &Writer, body: &Object) -> Outcome {
        let mut done = Outcome {
            diff: merge::diff(Kind::Shipment, &Object::new(), body),
            ..Outcome::new(Verdict::Done)
        };
        done.remarks = remarks(body);
        match super::newest(writer, &self.order).await {
            Ok(now) => match find(&now, body) {
                Some(there) => {
                    let shipment = Shipment::from_object(there.clone());
                    done.fact("shipment", shipment.object().clone())
                }
                None => unknown(
                    "Order Desk said that it was added, but the order does not show it",
                    super::check(&self.order),
                ),
            },
            Err(error) => done.remark(format!("it was added; reading its id failed: {error}")),
        }
    }
}

fn find<'a>(known: &'a [Object], wanted: &Object) -> Option<&'a Object> {
    let views: Vec<Fields<'a>> = known.iter().map(Fields::of).collect();
    same::find(&views, wanted).map(Fields::object)
}

fn check_parcel(body: &Object, order: &Object) -> Result<(), DeskError> {
    let mistakes = super::parcel_mistakes(body, order);
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(DeskError::Mistakes(mistakes))
    }
}

/// Order Desk refuses a number that the order has, so a second time does no harm. Of parcels without a number nothing is known.
fn repeat(body: &Object) -> Repeat {
    if same::is_none(&Fields::of(body).text("tracking_number")) {
        Repeat::OnceOver
    } else {
        Repeat::Harmless
    }
}

fn remarks(body: &Object) -> Vec<String> {
    let mut remarks = vec![TELLS.to_owned()];
    if same::is_none(&Fields::of(body).text("tracking_number")) {
        remarks.push(
            "there is no tracking number: a second parcel of this order needs another text than `n/a`"
                .to_owned(),
        );
    }
    remarks
}
