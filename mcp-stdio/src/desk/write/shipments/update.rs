//! Changing named fields of one shipment.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use shared::audit::action;

use crate::desk::error::DeskError;
use crate::desk::merge::{Difference, Kind};
use crate::desk::model::{Object, OrderId, ShipmentId, text_of};
use crate::desk::shop::Shop;
use crate::desk::write::replace::Part;
use crate::desk::write::{Change, Outcome, Preview, Weight, Writer, turn};

/// Changes a shipment of an order.
#[derive(Clone, Debug)]
pub struct UpdateShipment {
    /// The order.
    pub order: OrderId,
    /// The shipment.
    pub shipment: ShipmentId,
    /// What is to be different: see [`crate::desk::merge::Patch`].
    pub changes: Object,
}

impl Change for UpdateShipment {
    fn weight(&self) -> Weight {
        Weight::Light
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let shipment = shop.shipment(&self.order, &self.shipment, true).await?;
            let part = self.part();
            let mut preview = part.preview(&self.changes, shipment.value.object())?;
            let link = shipment.value.fields().text("tracking_url");
            preview.remarks.extend(stale_link(&preview.diff, &link));
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
            let outcome = writer.patch(self.part(), &self.changes, agreed).await?;
            let held = outcome.facts.iter().find(|(name, _)| *name == "shipment");
            let link = held.and_then(|(_, shipment)| shipment.get("tracking_url"));
            let remark = stale_link(&outcome.diff, &text_of(link.unwrap_or(&Value::Null)));
            Ok(remark.into_iter().fold(outcome, Outcome::remark))
        }
        .boxed()
    }
}

impl UpdateShipment {
    fn part(&self) -> Part {
        Part {
            kind: Kind::Shipment,
            fact: "shipment",
            thing: turn::order(&self.order),
            read: super::one(&self.order, &self.shipment),
            action: action::SHIPMENT_UPDATED,
            target: format!("shipment {} of order {}", self.shipment, self.order),
            check: super::check(&self.order),
            expected: None,
        }
    }
}

/// A link is kept like every field that is not named; with the old number in it, it would lead the customer to the wrong parcel.
fn stale_link(diff: &[Difference], link: &str) -> Option<String> {
    let changed = |name: &str| diff.iter().find(|difference| difference.path == name);
    let old = text_of(&changed("tracking_number")?.before).into_owned();
    let stale = changed("tracking_url").is_none() && !old.is_empty() && link.contains(&old);
    stale.then(|| {
        "`tracking_url` still leads to the old number; change it, too (`\"\"` lets Order Desk make a new one)"
            .to_owned()
    })
}
