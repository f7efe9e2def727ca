//! Stock: `inventory_list` and `inventory_get`.

use futures_util::FutureExt as _;
use serde_json::{Map, Value};

use super::rows::{self, Page, View};
use super::{Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED};
use crate::args::{Args, Argument, Kind};
use crate::context::Context;
use crate::cursor;
use crate::desk::model::{InventoryItem, InventoryItemId, InventoryQuery, MAX_LIMIT};
use crate::error::ToolError;
use crate::reply::{self, Reply};

/// Rows per page unless asked otherwise: a summary is about 50 tokens.
const DEFAULT_ROWS: u64 = 50;

/// The fields of an inventory item as Order Desk documents them.
const FIELDS: [&str; 14] = [
    "id",
    "name",
    "code",
    "price",
    "cost",
    "weight",
    "stock",
    "location",
    "update_source",
    "manufacturer_sku",
    "metadata",
    "variation_list",
    "date_added",
    "date_updated",
];

pub(super) static INVENTORY_LIST: Tool = Tool {
    name: "inventory_list",
    title: "List inventory",
    description: "Lists inventory items with their stock. `code` picks SKUs.",
    arguments: &[
        Argument::optional("code", Kind::Words, "SKUs, exact"),
        Argument::optional("limit", Kind::Count(1, MAX_LIMIT), "Default 50"),
        Argument::optional("cursor", Kind::Text, ""),
        Argument::optional("fields", Kind::Words, ""),
        Argument::optional("detail", Kind::Word(&["summary", "full"]), ""),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::always("inventory_items", Shape::Objects),
        FETCHED_AT,
        Answer::always("has_more", Shape::Flag),
        Answer::sometimes("next_cursor", Shape::Text),
        Answer::sometimes("total_records", Shape::Count),
        Answer::sometimes("truncated", Shape::Text),
    ],
    toolset: Toolset::Inventory,
    effect: Effect::Reads,
    endpoints: &["GET /inventory-items"],
    most_tokens: 24_000,
    run: |context, args, _| list(context, args).boxed(),
};

pub(super) static INVENTORY_GET: Tool = Tool {
    name: "inventory_get",
    title: "Get inventory item",
    description: "One inventory item by id.",
    arguments: &[
        Argument::required("inventory_item_id", Kind::Text, ""),
        Argument::optional("fields", Kind::Words, ""),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::always("inventory_item", Shape::Object),
        FETCHED_AT,
    ],
    toolset: Toolset::Inventory,
    effect: Effect::Reads,
    endpoints: &["GET /inventory-items/{inventory_item_id}"],
    most_tokens: 24_000,
    run: |context, args, _| get(context, args).boxed(),
};

async fn list(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let access = context.stores.pick(args.text("store")).await?;
    let view = View::from_args(args, View::Summary);
    let mut query = InventoryQuery {
        codes: args.words("code").into_iter().map(str::to_owned).collect(),
        limit: None,
        offset: 0,
    };
    let query_text = format!("{} {:?}", access.store_id, query.pairs()?);
    if let Some(cursor) = args.text("cursor") {
        query.offset = cursor::decode(cursor, &query_text)?;
    }
    query.limit = Some(args.count("limit").unwrap_or(DEFAULT_ROWS));

    let page = context
        .desk
        .shop(access)
        .inventory(&query, args.flag("fresh"))
        .await?;
    let items = &page.value.items;
    view.check(&FIELDS, items.iter().map(InventoryItem::object))?;
    let page_out = Page {
        name: "inventory_items",
        rows: items.iter().map(|item| show(item, &view)).collect(),
        offset: query.offset,
        has_more: page.value.has_more,
        total_records: page.value.total_records,
        query: &query_text,
    };
    Ok(page_out
        .into_reply(Reply::from_shop())
        .fetched_at(page.fetched_at))
}

async fn get(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let shop = context.shop(args.text("store")).await?;
    let id = InventoryItemId::parse(args.text("inventory_item_id").unwrap_or_default())
        .map_err(crate::desk::DeskError::from)?;
    let view = View::from_args(args, View::Full);
    let item = shop.inventory_item(&id, args.flag("fresh")).await?;
    view.check(&FIELDS, std::iter::once(item.value.object()))?;
    let mut shown = show(&item.value, &view);
    reply::shrink(&mut shown);
    Ok(Reply::from_shop()
        .with("inventory_item", shown)
        .fetched_at(item.fetched_at))
}

pub(super) fn show(item: &InventoryItem, view: &View) -> Value {
    rows::show(item.object(), view, || summary(item.object()))
}

fn summary(row: &Map<String, Value>) -> Map<String, Value> {
    const COPIED: [&str; 6] = ["id", "code", "name", "stock", "price", "location"];
    COPIED
        .iter()
        .filter_map(|field| {
            row.get(*field)
                .map(|value| ((*field).to_owned(), value.clone()))
        })
        .collect()
}
