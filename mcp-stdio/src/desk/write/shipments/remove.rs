//! Removing one shipment from an order. What was told to the customer and the sales channel when it was added stays told.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use shared::audit::action;

use crate::desk::error::DeskError;
use crate::desk::merge::Kind;
use crate::desk::model::{OrderId, ShipmentId};
use crate::desk::shop::Shop;
use crate::desk::write::remove;
use crate::desk::write::replace::Part;
use crate::desk::write::{Change, Outcome, Preview, Weight, Writer, turn};

/// What removing does not take back.
const STAYS_TOLD: &str =
    "what the customer and the sales channel were told of it is not taken back";

/// Removes a shipment from an order.
#[derive(Clone, Debug)]
pub struct RemoveShipment {
    /// The order.
    pub order: OrderId,
    /// The shipment.
    pub shipment: ShipmentId,
}

impl Change for RemoveShipment {
    fn weight(&self) -> Weight {
        Weight::Destroys
    }

    fn preview<'a>(&'a self, shop: &'a Shop) -> BoxFuture<'a, Result<Preview, DeskError>> {
        async move {
            let shipment = shop.shipment(&self.order, &self.shipment, true).await?;
            let mut preview = remove::preview(&self.part(), shipment.value.object());
            preview.remarks.push(STAYS_TOLD.to_owned());
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
            let outcome = writer.remove(self.part(), agreed).await?;
            Ok(outcome.remark(STAYS_TOLD))
        }
        .boxed()
    }
}

impl RemoveShipment {
    fn part(&self) -> Part {
        Part {
            kind: Kind::Shipment,
            fact: "shipment",
            thing: turn::order(&self.order),
            read: super::one(&self.order, &self.shipment),
            action: action::SHIPMENT_REMOVED,
            target: format!("shipment {} of order {}", self.shipment, self.order),
            check: super::check(&self.order),
            expected: None,
        }
    }
}
