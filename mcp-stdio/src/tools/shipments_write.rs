//! Changing the shipments of an order: `shipments_add`, `shipments_update`, `shipments_remove`, `shipments_batch_add`.
//!
//! A shipment is no passive record: adding one makes Order Desk write to the customer and to the sales channel. So each description says it.

use serde_json::Value;

use super::outcome::{self, MOST_ROWS, ROWS_LEFT_OUT};
use super::writing::{CONFIRM, COUNTS, DRY_RUN, ROWS, written};
use super::{Answer, Effect, ORDER_ID, STORE, Shape, Tool, Toolset, Writes};
use crate::args::{Args, Argument, Kind};
use crate::desk::model::{Object, OrderId, ShipmentId};
use crate::desk::write::{AddShipment, BatchAddShipments, RemoveShipment, UpdateShipment};
use crate::error::ToolError;

const SHIPMENT_ID: Argument = Argument::required("shipment_id", Kind::Text, "");
const SHIPMENT: Answer = Answer::sometimes("shipment", Shape::Object);

/// The arguments of `shipments_add` that are fields of a shipment, by the API's own names.
const FIELDS: [&str; 7] = [
    "tracking_number",
    "carrier_code",
    "shipment_method",
    "weight",
    "cost",
    "tracking_url",
    "date_shipped",
];

pub(super) static SHIPMENTS_ADD: Tool = Tool {
    name: "shipments_add",
    title: "Add shipment",
    description: "Adds a parcel with its tracking number to an order. Order Desk then may e-mail the customer, tell the sales channel and run rules. \
        A number that the order already has is not added twice.",
    arguments: &[
        ORDER_ID,
        Argument::required("tracking_number", Kind::Text, "`n/a` if there is none"),
        Argument::optional("carrier_code", Kind::Text, "USPS, UPS, FedEx, DHL …"),
        Argument::optional("shipment_method", Kind::Text, ""),
        Argument::optional("weight", Kind::Text, ""),
        Argument::optional("cost", Kind::Text, ""),
        Argument::optional("tracking_url", Kind::Text, ""),
        Argument::optional("date_shipped", Kind::Text, "YYYY-MM-DD"),
        Argument::optional(
            "order_items",
            Kind::Objects(MOST_ROWS),
            "If only a part: [{id, quantity}]",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![SHIPMENT],
    toolset: Toolset::Shipments,
    effect: Effect::Writes(Writes::Adds),
    endpoints: &[
        "GET /orders/{order_id}",
        "GET /orders/{order_id}/shipments",
        "POST /orders/{order_id}/shipments",
    ],
    most_tokens: 8_000,
    run: |context, args, person| outcome::run(context, args, person, "shipments_add", add(args)),
};

pub(super) static SHIPMENTS_UPDATE: Tool = Tool {
    name: "shipments_update",
    title: "Update shipment",
    description: "Changes only the named fields of one shipment. With a new tracking_number give tracking_url, too (\"\" lets Order Desk make it). What was e-mailed is not recalled.",
    arguments: &[
        ORDER_ID,
        SHIPMENT_ID,
        Argument::required("changes", Kind::Object, ""),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![SHIPMENT],
    toolset: Toolset::Shipments,
    effect: Effect::Writes(Writes::Changes),
    endpoints: &[
        "GET /orders/{order_id}/shipments/{shipment_id}",
        "PUT /orders/{order_id}/shipments/{shipment_id}",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "shipments_update", update(args))
    },
};

pub(super) static SHIPMENTS_REMOVE: Tool = Tool {
    name: "shipments_remove",
    title: "Remove shipment",
    description: "Removes one shipment from an order. What was e-mailed or told to the sales channel is not recalled.",
    arguments: &[ORDER_ID, SHIPMENT_ID, DRY_RUN, CONFIRM, STORE],
    answer: written![SHIPMENT],
    toolset: Toolset::Shipments,
    effect: Effect::Writes(Writes::Destroys),
    endpoints: &[
        "GET /orders/{order_id}/shipments/{shipment_id}",
        "DELETE /orders/{order_id}/shipments/{shipment_id}",
    ],
    most_tokens: 8_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "shipments_remove", remove(args))
    },
};

pub(super) static SHIPMENTS_BATCH_ADD: Tool = Tool {
    name: "shipments_batch_add",
    title: "Add many shipments",
    description: "Adds parcels to many orders of one store, e.g. from a carrier's sheet. Each row has its own outcome. Safe to send again: \
        what is there is not added twice. Each parcel may e-mail its customer, tell the channel and run rules.",
    arguments: &[
        Argument::required(
            "shipments",
            Kind::Objects(MOST_ROWS),
            "[{order_id, tracking_number, carrier_code, shipment_method}]",
        ),
        DRY_RUN,
        CONFIRM,
        STORE,
    ],
    answer: written![COUNTS, ROWS, ROWS_LEFT_OUT],
    toolset: Toolset::Shipments,
    effect: Effect::Writes(Writes::Adds),
    endpoints: &[
        "GET /orders",
        "GET /orders/{order_id}",
        "POST /batch-shipments",
    ],
    most_tokens: 24_000,
    run: |context, args, person| {
        outcome::run(context, args, person, "shipments_batch_add", batch(args))
    },
};

fn add(args: &Args) -> Result<AddShipment, ToolError> {
    let mut shipment = Object::new();
    for name in FIELDS {
        if let Some(given) = args.text(name) {
            shipment.insert(name.to_owned(), given.into());
        }
    }
    let items = args.objects("order_items");
    if !items.is_empty() {
        let items: Vec<Value> = items.into_iter().map(Value::Object).collect();
        shipment.insert("order_items".to_owned(), items.into());
    }
    Ok(AddShipment {
        order: super::order_id(args)?,
        shipment,
    })
}

fn update(args: &Args) -> Result<UpdateShipment, ToolError> {
    let (order, shipment) = ids(args)?;
    Ok(UpdateShipment {
        order,
        shipment,
        changes: super::object(args, "changes"),
    })
}

fn remove(args: &Args) -> Result<RemoveShipment, ToolError> {
    let (order, shipment) = ids(args)?;
    Ok(RemoveShipment { order, shipment })
}

fn batch(args: &Args) -> Result<BatchAddShipments, ToolError> {
    Ok(BatchAddShipments {
        rows: args.objects("shipments"),
    })
}

fn ids(args: &Args) -> Result<(OrderId, ShipmentId), ToolError> {
    let text = |name| args.text(name).unwrap_or_default();
    outcome::both(
        OrderId::parse(text("order_id")),
        ShipmentId::parse(text("shipment_id")),
    )
}
