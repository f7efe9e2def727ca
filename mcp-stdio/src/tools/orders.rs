//! Single orders: `orders_find`, `orders_get`, `orders_history`.

use futures_util::FutureExt as _;
use serde_json::Value;

use super::rows::View;
use super::{
    Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED, order_rows,
};
use crate::args::{Args, Argument, Kind};
use crate::clean;
use crate::context::Context;
use crate::desk::{Match, Window};
use crate::error::ToolError;
use crate::reply::{self, Reply};

pub(super) static ORDERS_FIND: Tool = Tool {
    name: "orders_find",
    title: "Find orders",
    description: "Finds orders by one text: channel order number, internal id, e-mail, name, phone or tracking number. Only exact matches. \
        `match` says none, one or many: with many, ask the user which one before acting.",
    arguments: &[
        Argument::required("query", Kind::Text, ""),
        Argument::optional("fields", Kind::Words, "Only these fields"),
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
        Answer::always("match", Shape::Text),
        Answer::always("orders", Shape::Objects),
        FETCHED_AT,
        Answer::always("has_more", Shape::Flag),
        Answer::sometimes("searched", Shape::Text),
    ],
    toolset: Toolset::Orders,
    effect: Effect::Reads,
    endpoints: &["GET /orders", "GET /orders/{order_id}"],
    most_tokens: 24_000,
    run: |context, args, _| find(context, args).boxed(),
};

pub(super) static ORDERS_GET: Tool = Tool {
    name: "orders_get",
    title: "Get order",
    description: "One order by Order Desk's internal id, whole (empty fields left out). For a channel's order number use orders_find.",
    arguments: &[
        super::ORDER_ID,
        Argument::optional("fields", Kind::Words, "Only these fields"),
        Argument::optional("detail", Kind::Word(&["summary", "full"]), "Default full"),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::always("order", Shape::Object),
        FETCHED_AT,
    ],
    toolset: Toolset::Orders,
    effect: Effect::Reads,
    endpoints: &["GET /orders/{order_id}"],
    most_tokens: 24_000,
    run: |context, args, _| get(context, args).boxed(),
};

pub(super) static ORDERS_HISTORY: Tool = Tool {
    name: "orders_history",
    title: "Order history",
    description: "What happened to an order: imports, moves, rules, submissions. Staff notes are in orders_get.",
    arguments: &[super::ORDER_ID, FRESH, STORE],
    answer: &[
        UNTRUSTED,
        Answer::always("history", Shape::Objects),
        FETCHED_AT,
        Answer::sometimes("note", Shape::Text),
    ],
    toolset: Toolset::Orders,
    effect: Effect::Reads,
    endpoints: &["GET /orders/{order_id}"],
    most_tokens: 24_000,
    run: |context, args, _| history(context, args).boxed(),
};

async fn find(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let shop = context.shop(args.text("store")).await?;
    let view = View::from_args(args, View::Summary);
    let found = shop
        .find(args.text("query").unwrap_or_default(), args.flag("fresh"))
        .await?;
    let matches = &found.value.matches;
    view.check(
        &order_rows::FIELDS,
        matches.iter().map(|found| found.order.object()),
    )?;
    let mut rows: Vec<Value> = matches.iter().map(|found| row(found, &view)).collect();
    let shown = reply::fit(&mut rows);
    rows.truncate(shown);
    Ok(Reply::from_shop()
        .with("match", found.value.verdict().as_str())
        .with("orders", rows)
        .fetched_at(found.fetched_at)
        .with("has_more", found.value.more || shown < matches.len())
        .with_some("searched", found.value.window.as_ref().map(searched)))
}

fn row(found: &Match, view: &View) -> Value {
    let mut row = order_rows::show(&found.order, view);
    let reasons: Vec<&str> = found.matched_by.iter().map(|by| by.as_str()).collect();
    row["matched_by"] = reasons.into();
    row
}

/// The API has no filter for tracking numbers, so how far was looked belongs to the answer.
fn searched(window: &Window) -> String {
    let since = window.since.strftime("%Y-%m-%d");
    let all = if window.complete {
        "all"
    } else {
        "only the newest"
    };
    format!("{all} {} orders since {since}", window.orders)
}

async fn get(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let shop = context.shop(args.text("store")).await?;
    let id = super::order_id(args)?;
    let view = View::from_args(args, View::Full);
    let order = shop.order(&id, args.flag("fresh")).await?;
    view.check(&order_rows::FIELDS, std::iter::once(order.value.object()))?;
    let mut shown = order_rows::show(&order.value, &view);
    reply::shrink(&mut shown);
    Ok(Reply::from_shop()
        .with("order", shown)
        .fetched_at(order.fetched_at))
}

/// The newest entries that fit: an order may have 250.
async fn history(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let shop = context.shop(args.text("store")).await?;
    let order = shop
        .order_history(&super::order_id(args)?, args.flag("fresh"))
        .await?;
    let given = order.value.history();
    let mut note = given
        .is_none()
        .then(|| "Order Desk gave no history for this order".to_owned());
    let rows = given.unwrap_or_default();
    let mut entries: Vec<Value> = rows
        .into_iter()
        .map(|entry| Value::Object(clean::object(entry.object().clone())))
        .collect();
    let fetched = entries.len();
    let shown = reply::fit(&mut entries);
    if shown < fetched {
        entries.truncate(shown);
        note = Some(format!("the first {shown} of {fetched} entries fit"));
    }
    Ok(Reply::from_shop()
        .with("history", entries)
        .fetched_at(order.fetched_at)
        .with_some("note", note))
}
