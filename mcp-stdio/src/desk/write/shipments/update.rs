//! Changing named fields of one shipment.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared::audit::action;

use crate::desk::error::DeskError;
use crate::desk::merge::Kind;
use crate::desk::model::{Object, OrderId, ShipmentId};
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
            self.part().preview(&self.changes, shipment.value.object())
        }
        .boxed()
    }

    fn carry_out<'a>(
        &'a self,
        writer: &'a Writer,
        agreed: Option<&'a Preview>,
    ) -> BoxFuture<'a, Result<Outcome, DeskError>> {
        writer.patch(self.part(), &self.changes, agreed).boxed()
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
        }
    }
}
