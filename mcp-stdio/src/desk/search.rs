//! From one text to the orders it means.
//!
//! Here: carrying a search out, cheapest question first: filters for numbers, addresses and names, then those for companies and phones, then, because the API has no
//! filter for tracking numbers, a bounded walk through recent orders. A later stage is only asked when the earlier ones found nothing. Every
//! hit is verified here, whatever the API matched it by. Not here: what a text can be (`plan`), and when an order matches (`plan` too).

mod plan;

use std::collections::HashSet;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::error::DeskError;
use super::model::{Order, OrderId, OrdersPage, OrdersQuery};
use super::shop::{Fetched, Keep, Shop};
pub use plan::MatchedBy;
use plan::Plan;

/// How far back the walk for tracking and phone numbers goes.
const WINDOW: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How many orders one step of the walk reads, and how many steps it takes at most: a thousand orders, five of a store's requests.
const WINDOW_PAGE: u64 = 200;
const WINDOW_PAGES: u32 = 5;

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The orders that match exactly, newest first, each once.
    pub matches: Vec<Match>,
    /// Whether more orders may match than are listed here: a filter had more hits than fit on a page.
    pub more: bool,
    /// The walk through recent orders, if one was needed.
    pub window: Option<Window>,
}

/// One order that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The order.
    pub order: Order,
    /// By what it matches.
    pub matched_by: Vec<MatchedBy>,
}

/// Which recent orders were looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Pages that were read.
    pub pages: u32,
    /// Orders on them.
    pub orders: u64,
    /// The oldest day that was asked for.
    pub since: Timestamp,
    /// Whether these were all orders since then.
    pub complete: bool,
}

/// How many orders match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No order.
    None,
    /// Exactly one, as far as was looked.
    One,
    /// Several: a caller that wants to act has to choose.
    Many,
}

impl Verdict {
    /// `none`, `one` or `many`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::None => "none",
            Verdict::One => "one",
            Verdict::Many => "many",
        }
    }
}

impl Found {
    /// None, one or many.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.matches.len() {
            0 => Verdict::None,
            1 if !self.more => Verdict::One,
            _ => Verdict::Many,
        }
    }
}

impl Shop {
    /// The orders that `text` means: a channel's order number, an internal id, an e-mail address, a person's or a
    /// company's name, a phone or a tracking number.
    ///
    /// # Errors
    /// [`DeskError::BadRequest`] for a text that is empty or too long; else see [`DeskError`].
    pub async fn find(&self, text: &str, fresh: bool) -> Result<Fetched<Found>, DeskError> {
        let plan = Plan::for_text(text)?;
        let within = self.total_deadline();
        tokio::time::timeout(within, Box::pin(self.carry_out(&plan, fresh)))
            .await
            .map_err(|_elapsed| DeskError::Timeout)?
    }

    async fn carry_out(&self, plan: &Plan, fresh: bool) -> Result<Fetched<Found>, DeskError> {
        let mut hits = Hits::new(plan);
        if let Some(id) = &plan.id {
            self.ask_by_id(id, fresh, &mut hits).await?;
        }
        for stage in plan.stages() {
            if !hits.matches.is_empty() {
                break;
            }
            self.ask_by_filters(&stage, fresh, &mut hits).await?;
        }
        if hits.matches.is_empty() && plan.needs_window() {
            self.walk(fresh, &mut hits).await?;
        }
        Ok(hits.finish(self.now()))
    }

    async fn ask_by_id(
        &self,
        id: &OrderId,
        fresh: bool,
        hits: &mut Hits<'_>,
    ) -> Result<(), DeskError> {
        match self.order(id, fresh).await {
            Ok(fetched) => hits.take(&fetched, std::slice::from_ref(&fetched.value)),
            // It need not be an id at all.
            Err(DeskError::NotFound { what: "order", .. }) => hits.asked_now(self.now()),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn ask_by_filters(
        &self,
        queries: &[OrdersQuery],
        fresh: bool,
        hits: &mut Hits<'_>,
    ) -> Result<(), DeskError> {
        for page in try_join_all(queries.iter().map(|query| self.orders(query, fresh))).await? {
            hits.more |= page.value.has_more;
            hits.take(&page, &page.value.orders);
        }
        Ok(())
    }

    async fn walk(&self, fresh: bool, hits: &mut Hits<'_>) -> Result<(), DeskError> {
        let since = self
            .now()
            .saturating_sub(WINDOW)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let mut window = Window {
            pages: 0,
            orders: 0,
            since,
            complete: false,
        };
        while window.pages < WINDOW_PAGES && !window.complete {
            let page: Fetched<OrdersPage> = self
                .orders_kept(&window_query(&window), fresh, Keep::No)
                .await?;
            window.pages += 1;
            window.orders += page.value.orders.len() as u64;
            window.complete = !page.value.has_more;
            hits.take(&page, &page.value.orders);
        }
        hits.window = Some(window);
        Ok(())
    }
}

fn window_query(read: &Window) -> OrdersQuery {
    OrdersQuery {
        search_start_date: Some(read.since.to_string()),
        order_by: Some("date_added".to_owned()),
        order: Some("DESC".to_owned()),
        limit: Some(WINDOW_PAGE),
        offset: read.orders,
        ..OrdersQuery::default()
    }
}

/// What has been found so far, and how fresh it is.
struct Hits<'a> {
    plan: &'a Plan,
    matches: Vec<Match>,
    seen: HashSet<String>,
    more: bool,
    window: Option<Window>,
    /// Of everything that was looked at, the oldest.
    fetched_at: Option<Timestamp>,
    cached: bool,
}

impl<'a> Hits<'a> {
    fn new(plan: &'a Plan) -> Hits<'a> {
        Hits {
            plan,
            matches: Vec::new(),
            seen: HashSet::new(),
            more: false,
            window: None,
            fetched_at: None,
            cached: true,
        }
    }

    fn take<T, O: AsRef<Order>>(&mut self, fetched: &Fetched<T>, orders: &[O]) {
        self.looked(fetched.fetched_at);
        self.cached &= fetched.cached;
        for order in orders.iter().map(AsRef::as_ref) {
            let matched_by = self.plan.matched_by(order);
            if !matched_by.is_empty() && self.seen.insert(order.id().into_owned()) {
                self.matches.push(Match {
                    order: order.clone(),
                    matched_by,
                });
            }
        }
    }

    fn asked_now(&mut self, now: Timestamp) {
        self.looked(now);
        self.cached = false;
    }

    fn looked(&mut self, at: Timestamp) {
        self.fetched_at = Some(self.fetched_at.map_or(at, |oldest| oldest.min(at)));
    }

    fn finish(mut self, now: Timestamp) -> Fetched<Found> {
        self.matches.sort_by(|a, b| {
            b.order
                .date_added()
                .cmp(&a.order.date_added())
                .then_with(|| b.order.id().cmp(&a.order.id()))
        });
        let found = Found {
            matches: self.matches,
            more: self.more,
            window: self.window,
        };
        Fetched {
            value: std::sync::Arc::new(found),
            fetched_at: self.fetched_at.unwrap_or(now),
            cached: self.cached,
        }
    }
}
