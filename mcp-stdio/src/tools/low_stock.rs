//! `inventory_low_stock`: what is running out, and what open orders need of it.

use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::reports::{cut, folders, open_orders, open_since, orders_take_stock};
use super::{Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED};
use crate::args::{Args, Argument, Kind};
use crate::clean;
use crate::context::Context;
use crate::desk::model::InventoryItem;
use crate::desk::report::{Amount, Demand};
use crate::desk::{Shop, Walked};
use crate::error::ToolError;
use crate::reply::Reply;

/// At or below this an item is low unless asked otherwise.
const DEFAULT_THRESHOLD: u64 = 5;

/// Bytes of an answer that the items may take, and those that the inventory does not know.
const ITEMS_BYTES: usize = 24_000;
const UNKNOWN_BYTES: usize = 6_000;

pub(super) static INVENTORY_LOW_STOCK: Tool = Tool {
    name: "inventory_low_stock",
    title: "List low stock",
    description: "Inventory items with low stock, lowest (negative) first. needed=true adds what open orders need and the shortage.",
    arguments: &[
        Argument::optional(
            "threshold",
            Kind::Count(0, 1_000_000),
            "At or below; default 5",
        ),
        Argument::optional("code", Kind::Words, "Only these SKUs"),
        Argument::optional("needed", Kind::Flag, "Also count what open orders need"),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::always("inventory_items", Shape::Objects),
        Answer::always("items_read", Shape::Count),
        Answer::always("pages_read", Shape::Count),
        Answer::always("complete", Shape::Flag),
        Answer::sometimes("not_in_inventory", Shape::Objects),
        Answer::sometimes("open_folders", Shape::Texts),
        Answer::sometimes("remarks", Shape::Texts),
        FETCHED_AT,
    ],
    toolset: Toolset::Reports,
    effect: Effect::Reads,
    endpoints: &["GET /inventory-items", "GET /orders", "GET /store"],
    most_tokens: 14_000,
    run: |context, args, _| run(context, args).boxed(),
};

/// What open orders need, and how that was found out.
struct Needed {
    demand: Demand,
    walked: Option<Walked>,
    /// Whether the count is already without it.
    taken: bool,
    open_folders: Vec<String>,
}

/// An item that is to be shown.
struct Low {
    stock: Option<Amount>,
    row: Value,
}

async fn run(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let shop = context.shop(args.text("store")).await?;
    let fresh = args.flag("fresh");
    let threshold = args.count("threshold").unwrap_or(DEFAULT_THRESHOLD);
    let threshold = Amount::whole(i64::try_from(threshold).unwrap_or(i64::MAX));
    let codes: Vec<String> = args.words("code").into_iter().map(str::to_owned).collect();
    let all_items = codes.is_empty();
    let mut needed = match args.flag("needed") {
        true => Some(demand(&shop, context, fresh).await?),
        false => None,
    };

    let mut low: Vec<Low> = Vec::new();
    let mut uncounted = 0_u64;
    let walked = shop
        .walk_inventory(codes, fresh, |item| {
            let stock = item.object().get("stock").and_then(Amount::of);
            uncounted += u64::from(stock.is_none());
            let needs = needed
                .as_mut()
                .map(|needed| needed.demand.take(&item.code()));
            let short = needs.map(|needs| {
                shortage(
                    stock,
                    needs,
                    needed.as_ref().is_some_and(|needed| needed.taken),
                )
            });
            let is_short = short.is_some_and(|short| short > Amount::ZERO);
            if stock.is_some_and(|stock| stock <= threshold) || is_short {
                low.push(Low {
                    stock,
                    row: row(item, stock, needs, short),
                });
            }
        })
        .await?;
    low.sort_by_key(|item| item.stock);

    let mut remarks = remarks(&walked, uncounted);
    let rows = cut(
        "inventory_items",
        low.into_iter().map(|item| item.row).collect(),
        ITEMS_BYTES,
        &mut remarks,
    );
    let mut reply = Reply::from_shop()
        .with("inventory_items", rows)
        .with("items_read", walked.rows);
    let open_pages = needed.as_ref().and_then(|needed| needed.walked.as_ref());
    let open_complete = open_pages.is_none_or(|open| open.complete);
    reply = reply
        .with(
            "pages_read",
            walked.pages + open_pages.map_or(0, |open| open.pages),
        )
        .with("complete", walked.complete && open_complete);
    if let Some(needed) = needed {
        reply = tell_needed(
            reply,
            needed,
            all_items && walked.complete,
            context,
            &mut remarks,
        );
    }
    Ok(reply
        .with_some("remarks", (!remarks.is_empty()).then_some(remarks))
        .fetched_at(walked.fetched_at))
}

async fn demand(shop: &Shop, context: &Context, fresh: bool) -> Result<Needed, ToolError> {
    let (folders, settings) = folders(shop, &[], fresh).await?;
    let mut demand = Demand::new();
    let walked = if folders.open().is_empty() {
        None
    } else {
        let query = open_orders(&folders, context.clock.now());
        Some(
            shop.walk_orders(query, fresh, |order| demand.add(order, &folders))
                .await?,
        )
    };
    let open = folders.open().iter();
    Ok(Needed {
        demand,
        walked,
        taken: orders_take_stock(&settings),
        open_folders: open
            .map(|folder| clean::text(&folder.name).into_owned())
            .collect(),
    })
}

/// How many pieces are missing: what is needed beyond the stock, or, where orders lower the stock themselves, what the stock is below nothing.
fn shortage(stock: Option<Amount>, needs: Amount, taken: bool) -> Amount {
    let stock = stock.unwrap_or_default();
    let left = if taken { stock } else { stock - needs };
    (Amount::ZERO - left).max(Amount::ZERO)
}

fn row(
    item: &InventoryItem,
    stock: Option<Amount>,
    needs: Option<Amount>,
    short: Option<Amount>,
) -> Value {
    let mut row = json!({"id": item.object().get("id"), "code": item.code(), "name": item.name(), "stock": stock.map(Amount::to_json)});
    let location = item.fields().text("location");
    if !location.is_empty() {
        row["location"] = location.into();
    }
    if let (Some(needs), Some(short)) = (needs, short) {
        row["needed"] = needs.to_json();
        row["shortage"] = short.to_json();
    }
    clean::value(row)
}

fn remarks(walked: &Walked, uncounted: u64) -> Vec<String> {
    let mut remarks = Vec::new();
    if !walked.complete {
        let why = if walked.moved {
            "items moved while they were read"
        } else {
            "the inventory is larger than one call reads"
        };
        remarks.push(format!(
            "not all items were looked at: {why}; name SKUs with `code`"
        ));
    }
    if uncounted > 0 {
        remarks.push(format!(
            "{uncounted} items have no stock count and are not listed for it"
        ));
    }
    remarks
}

fn tell_needed(
    reply: Reply,
    needed: Needed,
    all_items: bool,
    context: &Context,
    remarks: &mut Vec<String>,
) -> Reply {
    if let Some(walked) = &needed.walked {
        let all = if walked.complete { "all" } else { "not all" };
        let since = open_since(context.clock.now());
        remarks.push(format!("needed: by {all} open orders placed since {since} ({} orders), pieces in no shipment yet", walked.rows));
    }
    if needed.taken {
        remarks.push("this store lowers stock when an order comes in, so `stock` is already without what open orders need".to_owned());
    }
    // Which SKUs no item has can only be said when all items were looked at.
    let unknown: Vec<Value> = if all_items {
        let rest = needed.demand.rest().into_iter();
        rest.map(|(code, pieces)| json!({"code": clean::text(&code), "needed": pieces.to_json()}))
            .collect()
    } else {
        Vec::new()
    };
    let unknown = cut("not_in_inventory", unknown, UNKNOWN_BYTES, remarks);
    reply
        .with_some("not_in_inventory", (!unknown.is_empty()).then_some(unknown))
        .with("open_folders", needed.open_folders)
}
