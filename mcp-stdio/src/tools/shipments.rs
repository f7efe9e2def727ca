//! The shipments of an order: `shipments_list`.

use futures_util::FutureExt as _;

use super::rows::View;
use super::whole_list::WholeList;
use super::{
    Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED, shipment_rows,
};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::desk::DeskError;
use crate::desk::model::{Object, Shipment, ShipmentId};
use crate::error::ToolError;
use crate::reply::Reply;

pub(super) static SHIPMENTS_LIST: Tool = Tool {
    name: "shipments_list",
    title: "List shipments",
    description: "The parcels of one order: carrier, tracking number and link, ship date, items in it.",
    arguments: &[
        super::ORDER_ID,
        Argument::optional("shipment_id", Kind::Text, "Only this one"),
        Argument::optional("fields", Kind::Words, ""),
        Argument::optional("cursor", Kind::Text, ""),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::always("shipments", Shape::Objects),
        FETCHED_AT,
        Answer::always("has_more", Shape::Flag),
        Answer::sometimes("next_cursor", Shape::Text),
        Answer::sometimes("total_records", Shape::Count),
        Answer::sometimes("truncated", Shape::Text),
    ],
    toolset: Toolset::Shipments,
    effect: Effect::Reads,
    endpoints: &[
        "GET /orders/{order_id}/shipments",
        "GET /orders/{order_id}/shipments/{shipment_id}",
    ],
    most_tokens: 24_000,
    run: |context, args, _| list(context, args).boxed(),
};

async fn list(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let access = context.stores.pick(args.text("store")).await?;
    let order = super::order_id(args)?;
    let list = WholeList {
        name: "shipments",
        fields: &shipment_rows::FIELDS,
        query: format!("{} {order} shipments", access.store_id),
        show: shipment_rows::show,
    };
    let shop = context.desk.shop(access);
    let fresh = args.flag("fresh");
    let Some(only) = args.text("shipment_id") else {
        let shipments = shop.shipments(&order, fresh).await?;
        let rows: Vec<&Object> = shipments.value.iter().map(Shipment::object).collect();
        return Ok(list
            .reply(args, View::Summary, &rows)?
            .fetched_at(shipments.fetched_at));
    };
    let id = ShipmentId::parse(only).map_err(DeskError::from)?;
    let shipment = shop.shipment(&order, &id, fresh).await?;
    let row = shipment.value.object();
    Ok(list
        .reply(args, View::Summary, &[row])?
        .fetched_at(shipment.fetched_at))
}
