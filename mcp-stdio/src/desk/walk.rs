//! Reading many orders, or the whole stock, page by page, within bounds.
//!
//! Here: the bounds (pages, time), the order of pages, what to do when rows move between two of them, and where a caller can go on. Order Desk
//! pages by offset: a row that vanishes before the next page is asked for makes another one slip past the seam, and a row that is added makes one come
//! twice. So pages overlap by a few rows, ids are compared, and a seam that does not fit is told. Not here: what is done with the
//! rows; they are handed on one by one and forgotten.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::error::DeskError;
use super::model::{InventoryItem, InventoryQuery, Order, OrdersQuery};
use super::shop::{Keep, Shop};

/// Rows on one page. Two hundred orders are about a megabyte of JSON.
const PAGE_ROWS: u64 = 200;

/// Rows that a page repeats from the one before: as many orders may vanish between two pages without any being missed.
const OVERLAP: u64 = 10;

/// Pages that one walk reads at most: half of a store's burst of requests.
pub const MOST_PAGES: u32 = 10;

/// No further page is asked for after this time: two walks and their last pages must end before the call's own deadline.
const MOST_TIME: Duration = Duration::from_secs(20);

/// How a walk went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// Pages that were read.
    pub pages: u32,
    /// Rows that were handed on, each once.
    pub rows: u64,
    /// Whether these were all rows.
    pub complete: bool,
    /// For an incomplete walk through orders: the `search_start_date` with which another walk goes on. Orders placed from that second on were
    /// not handed on, so the results of the two can be added.
    pub go_on_from: Option<String>,
    /// Whether rows moved between two pages by more than the overlap, so that some may be missing.
    pub moved: bool,
    /// When the first page was fetched.
    pub fetched_at: Timestamp,
}

/// What a walk remembers between pages.
struct Seam {
    seen: HashSet<String>,
    rows: u64,
    offset: u64,
    pages: u32,
    moved: bool,
    begun: Instant,
}

impl Seam {
    fn new() -> Seam {
        Seam {
            seen: HashSet::new(),
            rows: 0,
            offset: 0,
            pages: 0,
            moved: false,
            begun: Instant::now(),
        }
    }

    /// Counts a page in and compares its first row with the one before: a stranger there, or nobody, means that more rows vanished than pages
    /// overlap.
    fn meet(&mut self, first_id: Option<&str>) {
        self.pages += 1;
        let overlaps = self.offset > 0;
        self.moved |= overlaps && !first_id.is_some_and(|id| self.seen.contains(id));
    }

    /// Whether the row with this id is new; then it is counted. One without an id cannot be told from others, and counts.
    fn is_new(&mut self, id: &str) -> bool {
        let new = id.is_empty() || self.seen.insert(id.to_owned());
        self.rows += u64::from(new);
        new
    }

    fn is_at_its_bounds(&self) -> bool {
        self.pages >= MOST_PAGES || self.begun.elapsed() >= MOST_TIME
    }

    fn turn(&mut self, rows: usize) {
        self.offset += (rows as u64).saturating_sub(OVERLAP).max(1);
    }

    fn end(self, has_more: bool, go_on_from: Option<String>, fetched_at: Timestamp) -> Walked {
        Walked {
            pages: self.pages,
            rows: self.rows,
            complete: !has_more && !self.moved,
            go_on_from,
            moved: self.moved,
            fetched_at,
        }
    }
}

impl Shop {
    /// Hands every order that `query` asks for to `take`, oldest first, each once. Sorting and page of `query` are the walk's own.
    ///
    /// # Errors
    /// See [`DeskError`]; what was handed on until then is no whole report.
    pub async fn walk_orders(
        &self,
        query: OrdersQuery,
        fresh: bool,
        mut take: impl FnMut(&Order) + Send,
    ) -> Result<Walked, DeskError> {
        let mut query = OrdersQuery {
            order_by: Some("date_added".to_owned()),
            order: Some("ASC".to_owned()),
            limit: Some(PAGE_ROWS),
            ..query
        };
        let mut seam = Seam::new();
        let mut first_fetched = None;
        loop {
            query.offset = seam.offset;
            let page = self.orders_kept(&query, fresh, Keep::No).await?;
            let fetched_at = *first_fetched.get_or_insert(page.fetched_at);
            let (orders, has_more) = (&page.value.orders, page.value.has_more);
            seam.meet(orders.first().map(Order::id).as_deref());
            let at_its_bounds = seam.is_at_its_bounds();
            let last_second = (has_more && at_its_bounds)
                .then(|| unfinished_second(orders))
                .flatten();
            for order in orders {
                let left_over = last_second.as_deref() == Some(&*order.date_added());
                if !left_over && seam.is_new(&order.id()) {
                    take(order);
                }
            }
            if !has_more || at_its_bounds {
                return Ok(seam.end(has_more, last_second, fetched_at));
            }
            seam.turn(orders.len());
        }
    }

    /// Hands every inventory item, or those with these SKUs, to `take`, each once, in Order Desk's own order.
    ///
    /// # Errors
    /// See [`Shop::walk_orders`].
    pub async fn walk_inventory(
        &self,
        codes: Vec<String>,
        fresh: bool,
        mut take: impl FnMut(&InventoryItem) + Send,
    ) -> Result<Walked, DeskError> {
        let mut query = InventoryQuery {
            codes,
            limit: Some(PAGE_ROWS),
            offset: 0,
        };
        let mut seam = Seam::new();
        let mut first_fetched = None;
        loop {
            query.offset = seam.offset;
            let page = self.inventory_kept(&query, fresh, Keep::No).await?;
            let fetched_at = *first_fetched.get_or_insert(page.fetched_at);
            let (items, has_more) = (&page.value.items, page.value.has_more);
            seam.meet(items.first().map(InventoryItem::id).as_deref());
            for item in items {
                if seam.is_new(&item.id()) {
                    take(item);
                }
            }
            if !has_more || seam.is_at_its_bounds() {
                return Ok(seam.end(has_more, None, fetched_at));
            }
            seam.turn(items.len());
        }
    }
}

/// The second of the last order: on the last page that is read, more orders of it may follow. `None` when the whole page is of one second, which
/// leaves nothing to hand on, and when the page is not sorted as asked.
fn unfinished_second(orders: &[Order]) -> Option<String> {
    let (first, last) = (orders.first()?.date_added(), orders.last()?.date_added());
    (first < last).then(|| last.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_walk_goes_on_for_longer_than_a_call_may_take() {
        let seam = Seam::new();
        tokio::time::advance(MOST_TIME - Duration::from_millis(1)).await;
        assert!(!seam.is_at_its_bounds());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(seam.is_at_its_bounds());
        assert!(MOST_TIME * 2 < crate::desk::TOTAL_DEADLINE);
    }

    #[test]
    fn a_page_that_is_not_sorted_as_asked_names_no_second_to_go_on_from() {
        let order = |date: &str| {
            let object = serde_json::json!({ "date_added": date });
            Order::from_object(object.as_object().cloned().unwrap_or_default())
        };
        let page = |dates: [&str; 2]| unfinished_second(&dates.map(order));
        let (early, late) = ("2026-03-01 00:00:00", "2026-03-02 00:00:00");
        assert_eq!(page([early, late]).as_deref(), Some(late));
        assert_eq!(page([late, early]), None);
        assert_eq!(page([late, late]), None);
        assert_eq!(unfinished_second(&[]), None);
    }
}
