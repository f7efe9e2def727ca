//! `inventory_low_stock`: what is running out, and what open orders need of it.
//!
//! Here: which items are low or short, and how they are shown. Not here: what an order needs (`desk::report`), and the pages (`desk`).

use futures_util::FutureExt as _;
use jiff::Timestamp;
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

async fn run(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let shop = context.shop(args.text("store")).await?;
    let fresh = args.flag("fresh");
    let threshold = args.count("threshold").unwrap_or(DEFAULT_THRESHOLD);
    let codes: Vec<String> = args.words("code").into_iter().map(str::to_owned).collect();
    let mut search = Search {
        threshold: Amount::whole(i64::try_from(threshold).unwrap_or(i64::MAX)),
        needed: match args.flag("needed") {
            true => Some(Needed::by_open_orders(&shop, context.clock.now(), fresh).await?),
            false => None,
        },
        of_all_items: codes.is_empty(),
        low: Vec::new(),
        uncounted: 0,
    };
    let walk = shop.walk_inventory(codes, fresh, |item| search.look_at(item));
    let walked = walk.await?;
    Ok(search.tell(&walked))
}

/// What open orders need, and how that was found out.
struct Needed {
    demand: Demand,
    /// `None` when no folder is open.
    walked: Option<Walked>,
    since: String,
    /// Whether the count is already without it.
    is_taken: bool,
    open_folders: Vec<String>,
}

impl Needed {
    async fn by_open_orders(shop: &Shop, now: Timestamp, fresh: bool) -> Result<Needed, ToolError> {
        let (folders, settings) = folders(shop, &[], fresh).await?;
        let mut demand = Demand::new();
        let walked = if folders.open().is_empty() {
            None
        } else {
            let query = open_orders(&folders, now);
            let walk = shop.walk_orders(query, fresh, |order| demand.add(order, &folders));
            Some(walk.await?)
        };
        let open = folders.open().iter();
        Ok(Needed {
            demand,
            walked,
            since: open_since(now),
            is_taken: orders_take_stock(&settings),
            open_folders: open
                .map(|folder| clean::text(&folder.name).into_owned())
                .collect(),
        })
    }

    /// What is needed of a SKU, and how many pieces are missing: what is needed beyond the stock, or, where orders lower the stock themselves, what the
    /// stock is below nothing.
    fn take(&mut self, code: &str, stock: Option<Amount>) -> (Amount, Amount) {
        let needs = self.demand.take(code);
        let stock = stock.unwrap_or_default();
        let left = if self.is_taken { stock } else { stock - needs };
        (needs, (Amount::ZERO - left).max(Amount::ZERO))
    }
}

/// An item that is to be shown.
struct Low {
    stock: Option<Amount>,
    row: Value,
}

/// Looks for low stock, item by item.
struct Search {
    threshold: Amount,
    needed: Option<Needed>,
    of_all_items: bool,
    low: Vec<Low>,
    /// Items without a count.
    uncounted: u64,
}

impl Search {
    fn look_at(&mut self, item: &InventoryItem) {
        let stock = Amount::field(item.fields(), "stock");
        self.uncounted += u64::from(stock.is_none());
        let needed = self
            .needed
            .as_mut()
            .map(|needed| needed.take(&item.code(), stock));
        let is_low = stock.is_some_and(|stock| stock <= self.threshold);
        let is_short = needed.is_some_and(|(_, shortage)| shortage > Amount::ZERO);
        if is_low || is_short {
            let row = row(item, stock, needed);
            self.low.push(Low { stock, row });
        }
    }

    fn tell(mut self, walked: &Walked) -> Reply {
        let mut remarks = remarks(walked, self.uncounted);
        self.low.sort_by_key(|item| item.stock);
        let rows = self.low.into_iter().map(|item| item.row).collect();
        let rows = cut("inventory_items", rows, ITEMS_BYTES, &mut remarks);
        let open = self
            .needed
            .as_ref()
            .and_then(|needed| needed.walked.as_ref());
        let reply = Reply::from_shop()
            .with("inventory_items", rows)
            .with("items_read", walked.rows)
            .with(
                "pages_read",
                walked.pages + open.map_or(0, |open| open.pages),
            )
            .with(
                "complete",
                walked.complete && open.is_none_or(|open| open.complete),
            );
        let reply = match self.needed {
            // Which SKUs no item has can only be said when all items were looked at.
            Some(needed) => tell_needed(
                reply,
                needed,
                self.of_all_items && walked.complete,
                &mut remarks,
            ),
            None => reply,
        };
        reply
            .with_some("remarks", (!remarks.is_empty()).then_some(remarks))
            .fetched_at(walked.fetched_at)
    }
}

fn row(item: &InventoryItem, stock: Option<Amount>, needed: Option<(Amount, Amount)>) -> Value {
    let mut row = json!({"id": item.object().get("id"), "code": item.code(), "name": item.name(), "stock": stock.map(Amount::to_json)});
    let location = item.fields().text("location");
    if !location.is_empty() {
        row["location"] = location.into();
    }
    if let Some((needs, shortage)) = needed {
        row["needed"] = needs.to_json();
        row["shortage"] = shortage.to_json();
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

fn tell_needed(reply: Reply, needed: Needed, all_items: bool, remarks: &mut Vec<String>) -> Reply {
    if let Some(walked) = &needed.walked {
        let all = if walked.complete { "all" } else { "not all" };
        let (since, orders) = (&needed.since, walked.rows);
        remarks.push(format!(
            "needed: by {all} open orders placed since {since} ({orders} orders), pieces in no shipment yet"
        ));
    }
    if needed.is_taken {
        remarks.push("this store lowers stock when an order comes in, so `stock` is already without what open orders need".to_owned());
    }
    let unknown = if all_items {
        needed.demand.rest()
    } else {
        Vec::new()
    };
    let unknown = unknown
        .into_iter()
        .map(|(code, pieces)| json!({"code": clean::text(&code), "needed": pieces.to_json()}));
    let unknown = cut(
        "not_in_inventory",
        unknown.collect(),
        UNKNOWN_BYTES,
        remarks,
    );
    reply
        .with_some("not_in_inventory", (!unknown.is_empty()).then_some(unknown))
        .with("open_folders", needed.open_folders)
}
