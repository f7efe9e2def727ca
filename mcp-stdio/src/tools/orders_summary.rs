//! `orders_summary`: reports over a bounded window of orders.
//!
//! Here: which window is read for which question, and what was asked for. Totals, groups and duplicates are about every order of the window. What waits
//! and what is needed is about open orders only, however old they are: unless a start was given, those are read by folder and over a longer
//! time. Not here: the sums (`desk::report`), the pages (`desk`), and how findings are shown (`findings`).

mod findings;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use super::reports::{days_before, folders, open_orders, open_since, orders_take_stock};
use super::{Answer, Effect, FETCHED_AT, FRESH, STORE, Shape, Tool, Toolset, UNTRUSTED};
use crate::args::{Args, Argument, Kind};
use crate::clean;
use crate::context::Context;
use crate::desk::model::{InventoryItem, InventoryQuery, Order, OrdersQuery};
use crate::desk::report::{Amount, Duplicates, Folders, GroupBy, NeedOf, Totals, Unshipped};
use crate::desk::{Shop, Walked};
use crate::error::ToolError;
use crate::reply::Reply;
use findings::{Findings, Stock};

/// Days that are read when no start is given: whole ones, and today.
const DEFAULT_DAYS: i64 = 7;

pub(super) static ORDERS_SUMMARY: Tool = Tool {
    name: "orders_summary",
    title: "Summarize orders",
    description: "Totals of the orders placed in a window (exact sums, no currency), by group on request. Also: paid but unshipped orders, possible duplicates, \
        open orders that need a SKU. complete=false: the window is larger than one call reads; `next` says how to go on.",
    arguments: &[
        Argument::optional(
            "search_start_date",
            Kind::Text,
            "UTC; default 7 days ago (open orders: 90)",
        ),
        Argument::optional("search_end_date", Kind::Text, ""),
        Argument::optional("search_start_date_local", Kind::Text, "Same, in store time"),
        Argument::optional("search_end_date_local", Kind::Text, ""),
        Argument::optional("group_by", Kind::Word(&GroupBy::WORDS), "Days are UTC"),
        Argument::optional(
            "unshipped_after_days",
            Kind::Count(0, 365),
            "List open, paid orders without shipment, older than this",
        ),
        Argument::optional(
            "code",
            Kind::Text,
            "SKU: which open orders need it, is stock enough",
        ),
        Argument::optional("duplicates", Kind::Flag, "Look for possible duplicates"),
        Argument::optional(
            "open_folders",
            Kind::Words,
            "Names or ids; default all but Closed, Canceled, Shipped …",
        ),
        FRESH,
        STORE,
    ],
    answer: &[
        UNTRUSTED,
        Answer::sometimes("search_start_date", Shape::Text),
        Answer::sometimes("search_end_date", Shape::Text),
        Answer::sometimes("search_start_date_local", Shape::Text),
        Answer::sometimes("search_end_date_local", Shape::Text),
        Answer::always("orders", Shape::Count),
        Answer::always("pages_read", Shape::Count),
        Answer::always("complete", Shape::Flag),
        Answer::sometimes("next", Shape::Text),
        Answer::always("totals", Shape::Object),
        Answer::sometimes("not_sold", Shape::Object),
        Answer::sometimes("groups", Shape::Objects),
        Answer::sometimes("others", Shape::Object),
        Answer::sometimes("unshipped", Shape::Objects),
        Answer::sometimes("duplicates", Shape::Objects),
        Answer::sometimes("demand", Shape::Object),
        Answer::sometimes("open_folders", Shape::Texts),
        Answer::sometimes("remarks", Shape::Texts),
        FETCHED_AT,
    ],
    toolset: Toolset::Reports,
    effect: Effect::Reads,
    endpoints: &["GET /orders", "GET /store", "GET /inventory-items"],
    most_tokens: 14_000,
    run: |context, args, _| run(context, args).boxed(),
};

/// What is looked for, order by order.
struct Asked {
    totals: Totals,
    duplicates: Option<Duplicates>,
    unshipped: Option<Unshipped>,
    need: Option<NeedOf>,
}

impl Asked {
    fn from_args(args: &Args, now: Timestamp) -> Asked {
        Asked {
            totals: Totals::new(args.text("group_by").and_then(GroupBy::from_word)),
            duplicates: args.flag("duplicates").then(Duplicates::new),
            unshipped: args
                .count("unshipped_after_days")
                .map(|days| Unshipped::new(days, now)),
            need: args.text("code").map(NeedOf::new),
        }
    }

    fn is_about_open_orders(&self) -> bool {
        self.unshipped.is_some() || self.need.is_some()
    }

    /// For what is asked of every order of the window.
    fn add(&mut self, order: &Order, folders: &Folders) {
        self.totals.add(order, folders);
        if let Some(duplicates) = &mut self.duplicates {
            duplicates.add(order);
        }
    }

    /// For what is asked of open orders.
    fn add_open(&mut self, order: &Order, folders: &Folders) {
        if let Some(unshipped) = &mut self.unshipped {
            unshipped.add(order, folders);
        }
        if let Some(need) = &mut self.need {
            need.add(order, folders);
        }
    }
}

async fn run(context: &Context, args: &Args) -> Result<Reply, ToolError> {
    let shop = context.shop(args.text("store")).await?;
    let (fresh, now) = (args.flag("fresh"), context.clock.now());
    let window = Window::from_args(args, now)?;
    let (folders, settings) = folders(&shop, &args.words("open_folders"), fresh).await?;
    let stock = match args.text("code") {
        Some(code) => Some(Stock {
            code,
            count: stock_of(&shop, code, fresh).await?,
            is_taken: orders_take_stock(&settings),
        }),
        None => None,
    };
    let mut asked = Asked::from_args(args, now);
    let walk = shop.walk_orders(window.query(), fresh, |order| {
        asked.add(order, &folders);
        if window.given {
            asked.add_open(order, &folders);
        }
    });
    let walked = walk.await?;
    let apart = asked.is_about_open_orders() && !window.given && !folders.open().is_empty();
    let open_walked = if apart {
        let query = open_orders(&folders, now);
        let walk = shop.walk_orders(query, fresh, |order| asked.add_open(order, &folders));
        Some(walk.await?)
    } else {
        None
    };

    let mut findings = Findings::new(&folders);
    findings.remark_on(&walked, open_walked.as_ref(), &open_since(now));
    if asked.is_about_open_orders() && window.given {
        findings.remark("of open orders, only those placed within the window were looked at; without a start it is all of the last 90 days");
    }
    let mut reply = window.describe(Reply::from_shop(), &walked, open_walked.as_ref());
    reply = findings.totals(reply, asked.totals);
    if let Some(unshipped) = asked.unshipped {
        reply = findings.unshipped(reply, unshipped);
    }
    if let Some(duplicates) = asked.duplicates {
        reply = findings.duplicates(reply, duplicates);
    }
    if let (Some(need), Some(stock)) = (asked.need, stock) {
        reply = findings.demand(reply, need, &stock);
    }
    Ok(findings.finish(reply).fetched_at(walked.fetched_at))
}

/// The window as it was asked for.
struct Window {
    /// By the API's own names.
    bounds: Vec<(&'static str, String)>,
    /// Whether a start was given.
    given: bool,
}

/// In UTC and in the store's own time.
const STARTS: [&str; 2] = ["search_start_date", "search_start_date_local"];
const ENDS: [&str; 2] = ["search_end_date", "search_end_date_local"];

impl Window {
    fn from_args(args: &Args, now: Timestamp) -> Result<Window, ToolError> {
        let given = |names: [&'static str; 2]| {
            let named = |name| args.text(name).map(|text| (name, text.to_owned()));
            names.into_iter().filter_map(named).collect::<Vec<_>>()
        };
        let (mut bounds, ends) = (given(STARTS), given(ENDS));
        let has_start = !bounds.is_empty();
        if !has_start && let Some((end, _)) = ends.first() {
            let mistake = format!("`{end}` is given without `search_start_date`");
            return Err(ToolError::Arguments(vec![mistake]));
        }
        if !has_start {
            bounds.push((STARTS[0], days_before(now, DEFAULT_DAYS)));
        }
        bounds.extend(ends);
        Ok(Window {
            bounds,
            given: has_start,
        })
    }

    fn bound(&self, name: &str) -> Option<String> {
        let found = self.bounds.iter().find(|(bound, _)| *bound == name);
        found.map(|(_, text)| text.clone())
    }

    fn query(&self) -> OrdersQuery {
        OrdersQuery {
            search_start_date: self.bound(STARTS[0]),
            search_start_date_local: self.bound(STARTS[1]),
            search_end_date: self.bound(ENDS[0]),
            search_end_date_local: self.bound(ENDS[1]),
            ..OrdersQuery::default()
        }
    }

    fn describe(&self, reply: Reply, walked: &Walked, open: Option<&Walked>) -> Reply {
        let next = walked.go_on_from.as_ref().map(|from| {
            format!("only orders before {from} are in these figures; call again with search_start_date={from} (and the same end) and add the figures up, or ask for fewer days")
        });
        let all_open = open.is_none_or(|open| open.complete);
        let unnamed = if !walked.complete {
            Some("ask for fewer days, or again when fewer orders change")
        } else if !all_open {
            Some(
                "not all open orders were read: ask for a part of them with search_start_date and search_end_date",
            )
        } else {
            None
        };
        let reply = self.bounds.iter().fold(reply, |reply, (name, text)| {
            reply.with(name, clean::text(text).into_owned())
        });
        reply
            .with("orders", walked.rows)
            .with(
                "pages_read",
                walked.pages + open.map_or(0, |open| open.pages),
            )
            .with("complete", walked.complete && all_open)
            .with_some("next", next.or(unnamed.map(str::to_owned)))
    }
}

/// How many the inventory has of a SKU; `None` without such an item, or without a count.
async fn stock_of(shop: &Shop, code: &str, fresh: bool) -> Result<Option<Amount>, ToolError> {
    let query = InventoryQuery {
        codes: vec![code.to_owned()],
        ..InventoryQuery::default()
    };
    let page = shop.inventory(&query, fresh).await?;
    let is_it = |item: &&InventoryItem| item.code().trim().eq_ignore_ascii_case(code.trim());
    let item = page.value.items.iter().find(is_it);
    Ok(item.and_then(|item| Amount::field(item.fields(), "stock")))
}
