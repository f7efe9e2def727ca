//! The items of an order: `order_items_list`.

use futures_util::FutureExt as _;

use super::rows::View;
use super::whole_list::WholeList;
use super::{Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED, item_rows};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::desk::DeskError;
use crate::desk::model::{Object, OrderItem, OrderItemId};
use crate::error::ToolError;
use crate::reply::Reply;

pub(super) static ORDER_ITEMS_LIST: Tool = Tool {
    name: "order_items_list",
    title: "List order items",
    description: "The items of one order with their ids, or one of them.",
    arguments: &[
        super::ORDER_ID,
        Argument::optional("order_item_id", Kind::Text, "Only this one"),
        Argument::optional("fields", Kind::Words, ""),
        Argument::optional("cursor", Kind::Text, ""),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::always("order_items", Shape::Objects),
        FETCHED_AT,
        Answer::always("has_more", Shape::Flag),
        Answer::sometimes("next_cursor", Shape::Text),
        Answer::sometimes("total_records", Shape::Count),
        Answer::sometimes("truncated", Shape::Text),
    ],
    toolset: Toolset::Items,
    effect: Effect::Reads,
    endpoints: &[
        "GET /orders/{order_id}/order-items",
        "GET /orders/{order_id}/order-items/{order_item_id}",
    ],
    most_tokens: 24_000,
    run: |context, args, _| list(context, args).boxed(),
};

async fn list(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let access = context.stores.pick(args.text("store")).await?;
    let order = super::order_id(args)?;
    let list = WholeList {
        name: "order_items",
        fields: &item_rows::FIELDS,
        query: format!("{} {order} items", access.store_id),
        show: item_rows::show,
    };
    let shop = context.desk.shop(access);
    let fresh = args.flag("fresh");
    let Some(only) = args.text("order_item_id") else {
        let items = shop.order_items(&order, fresh).await?;
        let rows: Vec<&Object> = items.value.iter().map(OrderItem::object).collect();
        return Ok(list
            .reply(args, View::Full, &rows)?
            .fetched_at(items.fetched_at));
    };
    let id = OrderItemId::parse(only).map_err(DeskError::from)?;
    let item = shop.order_item(&order, &id, fresh).await?;
    let row = item.value.object();
    Ok(list
        .reply(args, View::Full, &[row])?
        .fetched_at(item.fetched_at))
}
