//! The shipments of orders: adding, changing and removing one, and adding many at once.
//!
//! A shipment is no passive record: adding one starts rules, tells the customer and the sales channel. So nothing is added that is there
//! already, in whatever spelling, and what was not answered is looked for before it is sent again.

mod add;
mod batch;
mod parcel;
mod remove;
mod rows;
mod same;
mod sending;
mod update;

pub use add::AddShipment;
pub use batch::BatchAddShipments;
pub use remove::RemoveShipment;
pub use update::UpdateShipment;

use crate::desk::classify;
use crate::desk::error::DeskError;
use crate::desk::model::{Fields, Object, Order, OrderId, ShipmentId};
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::shop::Shop;
use crate::desk::write::Writer;

/// What everybody who adds shipments must know.
const TELLS: &str = "adding a shipment starts the shop's rules for it, which e-mail the customer and tell the sales channel";

/// The `GET` of one shipment.
fn one(order: &OrderId, shipment: &ShipmentId) -> Request {
    let ids = [order.as_str(), shipment.as_str()];
    Request::to(Method::Get, Endpoint::Shipment, &ids, None)
}

/// What to look at when nobody can tell.
fn check(order: &OrderId) -> String {
    format!(
        "look at the shipments of order {order} (shipments_list with `fresh`, or Order Desk itself)"
    )
}

/// The shipments of an order, past every cache.
async fn newest(writer: &Writer, order: &OrderId) -> Result<Vec<Object>, DeskError> {
    let request = Request::of(Endpoint::Shipments, order.as_str(), Vec::new());
    classify::rows(writer.read(&request).await?, Endpoint::Shipments)
}

/// The shipments that an order came with; asked for where it came without.
async fn of_order(shop: &Shop, id: &OrderId, order: &Order) -> Result<Vec<Object>, DeskError> {
    if order.object().contains_key("order_shipments") {
        let rows = order.fields().rows("order_shipments");
        return Ok(rows.into_iter().map(|row| row.object().clone()).collect());
    }
    let listed = shop.shipments(id, true).await?.value;
    Ok(listed.iter().map(|row| row.object().clone()).collect())
}

/// The mistakes in what a parcel is said to hold.
fn parcel_mistakes(shipment: &Object, order: &Object) -> Vec<String> {
    parcel::mistakes(shipment, &Fields::of(order).rows("order_items"))
}
