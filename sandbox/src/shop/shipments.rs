//! Shipments: what one has, what is guessed, and what counts as "already there".

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Fields, Shop, items, take, values};
use crate::assumptions::{Refusal, SHIP_DATE_NAMES};
use crate::when;

/// Fields a client may write that are kept as text.
const TEXT: &[&str] = &[
    "tracking_number",
    "carrier_code",
    "shipment_method",
    "weight",
    "weight_unit",
    "cost",
    "status",
    "tracking_url",
    "label_format",
    "label_image",
    "print_status",
    "source",
    "cart_shipment_id",
    "label_shipment_id",
];

impl Shop {
    /// Adds a shipment and returns its id.
    ///
    /// # Errors
    /// For an unknown order, without a tracking number, and for a number that the order has already.
    pub(crate) fn add_shipment(
        &mut self,
        order_id: u64,
        input: &Fields,
        now: Timestamp,
    ) -> Result<u64, Refusal> {
        let order = self.orders.get(&order_id).ok_or(Refusal::OrderMissing)?;
        let number = tracking_number(input).ok_or(Refusal::ShipmentNotAdded)?;
        let known = |shipment: &Value| {
            shipment.get("tracking_number").and_then(Value::as_str) == Some(&number)
        };
        if order.shipments().iter().any(known) {
            return Err(Refusal::ShipmentNotAdded);
        }
        let id = take(&mut self.next.shipment);
        let shipment = self.shipment_from(input, id, order_id, &when::stamp(now), now);
        self.put_shipment(order_id, None, shipment);
        self.changed(order_id, &format!("Shipment {number} Added"), now);
        let notify = self.orders.get(&order_id).and_then(|order| {
            order
                .fields
                .get("order_metadata")?
                .get("ship_notify_url")?
                .as_str()
        });
        let notify = notify.unwrap_or_default().to_owned();
        self.events.note(now, "Shipment is Added", order_id, notify);
        Ok(id)
    }

    /// Replaces a shipment's writable fields.
    ///
    /// # Errors
    /// For an unknown order or shipment, and without a tracking number.
    pub(crate) fn replace_shipment(
        &mut self,
        order_id: u64,
        id: u64,
        input: &Fields,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let order = self.orders.get(&order_id).ok_or(Refusal::OrderMissing)?;
        let old = order
            .shipments()
            .iter()
            .find(|shipment| items::has_id(shipment, id))
            .ok_or(Refusal::ShipmentMissing)?;
        let number = tracking_number(input).ok_or(Refusal::ShipmentNotAdded)?;
        let added = old
            .get("date_added")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let shipment = self.shipment_from(input, id, order_id, &added, now);
        self.put_shipment(order_id, Some(id), shipment);
        self.changed(order_id, &format!("Shipment {number} Updated"), now);
        Ok(())
    }

    /// Deletes a shipment.
    ///
    /// # Errors
    /// For an unknown order or shipment.
    pub(crate) fn delete_shipment(
        &mut self,
        order_id: u64,
        id: u64,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let order = self
            .orders
            .get_mut(&order_id)
            .ok_or(Refusal::OrderMissing)?;
        let list = order.list_mut("order_shipments");
        let before = list.len();
        list.retain(|shipment| !items::has_id(shipment, id));
        if list.len() == before {
            return Err(Refusal::ShipmentMissing);
        }
        self.changed(order_id, &format!("Shipment {id} Deleted"), now);
        Ok(())
    }

    fn put_shipment(&mut self, order_id: u64, replaced: Option<u64>, shipment: Value) {
        let Some(order) = self.orders.get_mut(&order_id) else {
            return;
        };
        let list = order.list_mut("order_shipments");
        match replaced.and_then(|id| list.iter().position(|old| items::has_id(old, id))) {
            Some(at) => list[at] = shipment,
            None => list.push(shipment),
        }
    }

    fn shipment_from(
        &self,
        input: &Fields,
        id: u64,
        order_id: u64,
        added: &str,
        now: Timestamp,
    ) -> Value {
        let mut shipment = Map::new();
        for (name, value) in [("id", id), ("order_id", order_id), ("store_id", self.id)] {
            shipment.insert(name.to_owned(), json!(value.to_string()));
        }
        for name in TEXT {
            let text = input.get(*name).and_then(values::text).unwrap_or_default();
            shipment.insert((*name).to_owned(), json!(text));
        }
        fill_in(&mut shipment);
        let parcel = input
            .get("order_items")
            .filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
        shipment.insert(
            "order_items".to_owned(),
            parcel.cloned().unwrap_or_else(|| json!("")),
        );
        let shipped = SHIP_DATE_NAMES
            .iter()
            .find_map(|name| input.get(*name))
            .and_then(values::text);
        shipment.insert(
            "date_shipped".to_owned(),
            json!(shipped.unwrap_or_else(|| when::day(now))),
        );
        shipment.insert("date_added".to_owned(), json!(added));
        Value::Object(shipment)
    }
}

fn tracking_number(input: &Fields) -> Option<String> {
    input
        .get("tracking_number")
        .and_then(values::text)
        .filter(|number| !number.trim().is_empty())
}

/// What Order Desk guesses or fills in when a client leaves it out.
fn fill_in(shipment: &mut Fields) {
    let number = values::str_of(shipment, "tracking_number").to_owned();
    let carrier = match values::str_of(shipment, "carrier_code") {
        "" => guess_carrier(&number).to_owned(),
        given => given.to_owned(),
    };
    let url = match values::str_of(shipment, "tracking_url") {
        "" => tracking_url(&carrier, &number),
        given => given.to_owned(),
    };
    for (name, value) in [("carrier_code", carrier), ("tracking_url", url)] {
        shipment.insert(name.to_owned(), json!(value));
    }
    for (name, default) in [("weight", "0"), ("print_status", "0"), ("source", "API")] {
        if values::str_of(shipment, name).is_empty() {
            shipment.insert(name.to_owned(), json!(default));
        }
    }
}

fn guess_carrier(number: &str) -> &'static str {
    let digits = number.len() >= 10 && number.chars().all(|character| character.is_ascii_digit());
    match number.len() {
        _ if number.starts_with("1Z") => "UPS",
        _ if number.starts_with('9') && number.len() >= 20 => "USPS",
        12 if digits => "FedEx",
        10 if digits => "DHL",
        _ => "",
    }
}

fn tracking_url(carrier: &str, number: &str) -> String {
    match carrier {
        "UPS" => format!("https://www.ups.com/track?tracknum={number}"),
        "USPS" => format!("https://tools.usps.com/go/TrackConfirmAction?tLabels={number}"),
        "FedEx" => format!("https://www.fedex.com/fedextrack/?trknbr={number}"),
        "DHL" => format!("https://www.dhl.com/track?tracking-id={number}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriers_are_guessed_from_the_number() {
        assert_eq!(guess_carrier("1ZDEMO0001"), "UPS");
        assert_eq!(guess_carrier("9400110200881234567890"), "USPS");
        assert_eq!(guess_carrier("123456789012"), "FedEx");
        assert_eq!(guess_carrier("n/a"), "");
    }
}
