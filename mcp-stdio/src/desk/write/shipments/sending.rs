//! One request of a batch of shipments, and whether its parcels are there afterwards.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::rows;
use super::same;
use crate::desk::error::DeskError;
use crate::desk::model::{Fields, Object, OrderId};
use crate::desk::parts::Likely;
use crate::desk::request::{Endpoint, Method, Request};
use crate::desk::write::Writer;
use crate::desk::write::batch::{self, Said};
use crate::desk::write::chunk::Rows;
use crate::desk::write::fate::Found;

/// The shipments of one batch on their way, by their numbers: whose each is, and what is sent of it.
pub(super) struct Sending {
    pub(super) shipments: Vec<(OrderId, Object)>,
}

impl Sending {
    pub(super) fn orders<'a>(&'a self, rows: &[usize]) -> Vec<&'a str> {
        rows.iter()
            .map(|row| self.shipments[*row].0.as_str())
            .collect()
    }
}

impl Rows for Sending {
    fn request(&self, rows: &[usize]) -> Request {
        let body: Vec<Value> = rows
            .iter()
            .map(|row| &self.shipments[*row])
            .map(|(order, shipment)| Value::Object(rows::body(shipment, order)))
            .collect();
        Request::to(
            Method::Post,
            Endpoint::BatchShipments,
            &[],
            Some(Value::Array(body)),
        )
    }

    fn said(&self, envelope: &Object, rows: &[usize]) -> Vec<Said> {
        let said = batch::said(envelope, &self.orders(rows));
        if counts_fewer(envelope, &said) {
            return vec![Said::Nothing; rows.len()];
        }
        said
    }

    /// Order Desk refuses a number that the order has. Of parcels without a number nothing is known.
    fn may_come_twice(&self, row: usize) -> bool {
        let number = Fields::of(&self.shipments[row].1).text("tracking_number");
        !same::is_none(&number)
    }

    fn look<'a>(
        &'a self,
        writer: &'a Writer,
        rows: &'a [usize],
    ) -> BoxFuture<'a, Result<Vec<Found>, DeskError>> {
        async move {
            let shop = writer.shop();
            let ids: Vec<OrderId> = rows
                .iter()
                .map(|row| self.shipments[*row].0.clone())
                .collect();
            let orders = shop.orders_likely(&ids, Likely::ChangedLately).await?;
            let mut found = Vec::with_capacity(rows.len());
            for (row, order) in rows.iter().zip(orders) {
                let (id, wanted) = &self.shipments[*row];
                let known = match order {
                    Some(order) => super::of_order(shop, id, &order).await?,
                    None => Vec::new(),
                };
                let views: Vec<Fields<'_>> = known.iter().map(Fields::of).collect();
                found.push(match same::find(&views, wanted) {
                    Some(_) => Found::There,
                    None => Found::Absent,
                });
            }
            Ok(found)
        }
        .boxed()
    }
}

/// Whether the message ("2 Shipments Added") counts fewer than its rows say: then neither is believed.
fn counts_fewer(envelope: &Object, said: &[Said]) -> bool {
    let message = Fields::of(envelope).text("message");
    let counted: Option<usize> = message
        .split_whitespace()
        .next()
        .and_then(|word| word.parse().ok());
    let done = said.iter().filter(|said| **said == Said::Done).count();
    counted.is_some_and(|counted| counted < done)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_that_say_done_under_a_message_that_counts_none_are_not_believed() {
        let order = OrderId::parse("1").unwrap();
        let sending = Sending {
            shipments: vec![(order, Object::new())],
        };
        let answer = |message: &str| {
            let results = json!([{"status": "success", "order_id": 1}]);
            let envelope = json!({"status": "success", "message": message, "results": results});
            sending.said(envelope.as_object().unwrap(), &[0])
        };
        assert_eq!(answer("1 Shipments Added"), [Said::Done]);
        assert_eq!(answer("Shipments Added"), [Said::Done]);
        assert_eq!(answer("0 Shipments Added"), [Said::Nothing]);
    }
}
