//! `orders_list`: filters, pages, and little text per order.

use futures_util::FutureExt as _;

use super::rows::{Page, View};
use super::{
    Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED, order_rows,
};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::cursor;
use crate::desk::model::{MAX_LIMIT, ORDER_BY, OrdersQuery};
use crate::error::ToolError;
use crate::reply::Reply;

/// Rows per page unless asked otherwise: a summary is about 150 tokens.
const DEFAULT_ROWS: u64 = 25;

const fn filter(name: &'static str) -> Argument {
    Argument::optional(name, Kind::Text, "")
}

pub(super) static ORDERS_LIST: Tool = Tool {
    name: "orders_list",
    title: "List orders",
    description: "Lists orders, newest first, one line of facts per order. Filters combine with AND and match exactly. \
        Dates: `2026-03-01` or `2026-03-01 14:00:00`, UTC; a bare end date includes that day. Give a date range for counts and totals, and page until has_more is false.",
    arguments: &[
        Argument::optional(
            "folder_id",
            Kind::Text,
            "One id or several with commas (folders_list)",
        ),
        filter("folder_name"),
        Argument::optional("source_id", Kind::Text, "The channel's order number"),
        Argument::optional("source_name", Kind::Text, "Sales channel"),
        Argument::optional("search_start_date", Kind::Text, "Placed from"),
        Argument::optional("search_end_date", Kind::Text, "Placed until"),
        Argument::optional("search_start_date_local", Kind::Text, "Same, in store time"),
        filter("search_end_date_local"),
        Argument::optional("modified_start_date", Kind::Text, "Changed from"),
        Argument::optional("modified_end_date", Kind::Text, "Changed until"),
        filter("email"),
        filter("customer_id"),
        filter("customer_first_name"),
        filter("customer_last_name"),
        filter("customer_company"),
        filter("customer_address1"),
        filter("customer_phone"),
        filter("shipping_first_name"),
        filter("shipping_last_name"),
        filter("shipping_company"),
        filter("shipping_address1"),
        filter("shipping_phone"),
        Argument::optional("order_by", Kind::Word(&ORDER_BY), ""),
        Argument::optional("order", Kind::Word(&["ASC", "DESC"]), ""),
        Argument::optional("limit", Kind::Count(1, MAX_LIMIT), "Default 25"),
        Argument::optional("cursor", Kind::Text, "next_cursor of the same query"),
        Argument::optional(
            "fields",
            Kind::Words,
            "Only these order fields, e.g. id, order_total",
        ),
        Argument::optional(
            "detail",
            Kind::Word(&["summary", "full"]),
            "Default summary",
        ),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::always("orders", Shape::Objects),
        FETCHED_AT,
        Answer::always("has_more", Shape::Flag),
        Answer::sometimes("next_cursor", Shape::Text),
        Answer::sometimes("total_records", Shape::Count),
        Answer::sometimes("truncated", Shape::Text),
    ],
    toolset: Toolset::Orders,
    effect: Effect::Reads,
    endpoints: &["GET /orders"],
    most_tokens: 24_000,
    run: |context, args, _| run(context, args).boxed(),
};

async fn run(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let access = context.stores.pick(args.text("store")).await?;
    let view = View::from_args(args, View::Summary);
    let mut query = query(args);
    let query_text = format!("{} {:?}", access.store_id, query.pairs()?);
    if let Some(cursor) = args.text("cursor") {
        query.offset = cursor::decode(cursor, &query_text)?;
    }
    query.limit = Some(args.count("limit").unwrap_or(DEFAULT_ROWS));

    let page = context
        .desk
        .shop(access)
        .orders(&query, args.flag("fresh"))
        .await?;
    let orders = &page.value.orders;
    view.check(
        &order_rows::FIELDS,
        orders.iter().map(crate::desk::model::Order::object),
    )?;
    let page_out = Page {
        name: "orders",
        rows: orders
            .iter()
            .map(|order| order_rows::show(order, &view))
            .collect(),
        offset: query.offset,
        has_more: page.value.has_more,
        total_records: page.value.total_records,
        query: &query_text,
    };
    Ok(page_out
        .into_reply(Reply::from_shop())
        .fetched_at(page.fetched_at))
}

/// The filters, without page.
fn query(args: &Args) -> OrdersQuery {
    let text = |name: &str| args.text(name).map(str::to_owned);
    OrdersQuery {
        folder_ids: args
            .text("folder_id")
            .into_iter()
            .flat_map(|ids| ids.split(','))
            .map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
            .collect(),
        folder_name: text("folder_name"),
        source_id: text("source_id"),
        source_name: text("source_name"),
        search_start_date: text("search_start_date"),
        search_end_date: text("search_end_date"),
        search_start_date_local: text("search_start_date_local"),
        search_end_date_local: text("search_end_date_local"),
        modified_start_date: text("modified_start_date"),
        modified_end_date: text("modified_end_date"),
        email: text("email"),
        customer_id: text("customer_id"),
        customer_first_name: text("customer_first_name"),
        customer_last_name: text("customer_last_name"),
        customer_company: text("customer_company"),
        customer_address1: text("customer_address1"),
        customer_phone: text("customer_phone"),
        shipping_first_name: text("shipping_first_name"),
        shipping_last_name: text("shipping_last_name"),
        shipping_company: text("shipping_company"),
        shipping_address1: text("shipping_address1"),
        shipping_phone: text("shipping_phone"),
        order_by: text("order_by"),
        order: text("order"),
        limit: None,
        offset: 0,
        with_history: false,
    }
}
