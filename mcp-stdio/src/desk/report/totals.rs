//! Totals of orders, and the same totals by group.
//!
//! Here: a fold; each order is added and forgotten, so that a report over thousands of orders holds no more than its groups. The figures are Order
//! Desk's own (`order_total`, `tax_total` …), added exactly. Not here: which orders are read (`walk`), and how groups are shown.

use std::collections::HashMap;
use std::ops::AddAssign;

use jiff::civil::Date;

use super::amount::Amount;
use super::folders::Folders;
use crate::desk::model::{Fields, Order};

/// Groups that are kept apart while orders are added; a shop has more SKUs than that at times, and memory is not for them.
const MOST_KEPT: usize = 5_000;

/// Characters of a group's name that are kept.
const NAME_CHARS: usize = 80;

/// The group of orders whose field is empty.
pub const NONE: &str = "(none)";

/// Payments that mean that nothing was sold.
const FAILED_PAYMENTS: [&str; 2] = ["rejected", "voided"];

/// By what orders are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The day they were placed, UTC.
    Day,
    /// The sales channel.
    Channel,
    /// The folder they lie in now.
    Folder,
    /// The SKU of their items; without one, the item's name.
    Sku,
    /// The payment status.
    PaymentStatus,
}

impl GroupBy {
    /// The words for it, as an argument takes them.
    pub const WORDS: [&'static str; 5] = ["day", "channel", "folder", "sku", "payment_status"];

    /// From one of [`GroupBy::WORDS`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<GroupBy> {
        match word {
            "day" => Some(GroupBy::Day),
            "channel" => Some(GroupBy::Channel),
            "folder" => Some(GroupBy::Folder),
            "sku" => Some(GroupBy::Sku),
            "payment_status" => Some(GroupBy::PaymentStatus),
            _ => None,
        }
    }
}

/// What was counted and added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Orders.
    pub orders: u64,
    /// Pieces: the quantities of their items.
    pub items: Amount,
    /// `order_total`.
    pub revenue: Amount,
    /// `product_total`; in groups by SKU, price times quantity of their items.
    pub products: Amount,
    /// `tax_total`.
    pub tax: Amount,
    /// `shipping_total`.
    pub shipping: Amount,
    /// `handling_total`.
    pub handling: Amount,
    /// `discount_total`, a positive number.
    pub discounts: Amount,
    /// `refund_total`.
    pub refunds: Amount,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.orders += other.orders;
        self.items += other.items;
        self.revenue += other.revenue;
        self.products += other.products;
        self.tax += other.tax;
        self.shipping += other.shipping;
        self.handling += other.handling;
        self.discounts += other.discounts;
        self.refunds += other.refunds;
    }
}

impl Figures {
    fn of(order: &Order) -> Figures {
        let amount = |key: &str| Amount::field(order.fields(), key).unwrap_or_default();
        Figures {
            orders: 1,
            items: order.items().into_iter().map(quantity).sum(),
            revenue: amount("order_total"),
            products: amount("product_total"),
            tax: amount("tax_total"),
            shipping: amount("shipping_total"),
            handling: amount("handling_total"),
            discounts: amount("discount_total"),
            refunds: amount("refund_total"),
        }
    }
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The day, channel, folder, SKU or payment status.
    pub key: String,
    /// Its figures.
    pub figures: Figures,
}

/// What did not fit among the groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// How many groups; of those beyond the first 5,000, each mention.
    pub groups: u64,
    /// Their figures together.
    pub figures: Figures,
}

/// The totals of all orders that were added.
#[derive(Debug)]
pub struct Totals {
    by: Option<GroupBy>,
    all: Figures,
    not_sold: Figures,
    without_total: u64,
    groups: HashMap<String, Figures>,
    overflow: Others,
}

impl Totals {
    /// Nothing yet.
    #[must_use]
    pub fn new(by: Option<GroupBy>) -> Totals {
        Totals {
            by,
            all: Figures::default(),
            not_sold: Figures::default(),
            without_total: 0,
            groups: HashMap::new(),
            overflow: Others::default(),
        }
    }

    /// Adds one order.
    pub fn add(&mut self, order: &Order, folders: &Folders) {
        let figures = Figures::of(order);
        self.all += figures;
        if Amount::field(order.fields(), "order_total").is_none() {
            self.without_total += 1;
        }
        let payment = order.fields().text("payment_status").to_lowercase();
        if folders.is_not_sold(&order.folder_id()) || FAILED_PAYMENTS.contains(&payment.as_str()) {
            self.not_sold += figures;
        }
        let key = match self.by {
            None => return,
            Some(GroupBy::Sku) => return self.add_items(order),
            Some(GroupBy::Day) => day(&order.date_added()).to_owned(),
            Some(GroupBy::Channel) => named(&order.source_name()),
            Some(GroupBy::PaymentStatus) => named(&order.fields().text("payment_status")),
            Some(GroupBy::Folder) => {
                let id = order.folder_id();
                named(folders.name(&id).unwrap_or(&id))
            }
        };
        self.add_to(key, figures);
    }

    fn add_items(&mut self, order: &Order) {
        let mut seen: Vec<String> = Vec::new();
        for item in order.items() {
            let (key, quantity) = (sku(item), quantity(item));
            let first_line = !seen.contains(&key);
            let price = Amount::field(item, "price").unwrap_or_default();
            let figures = Figures {
                orders: u64::from(first_line),
                items: quantity,
                products: price.times(quantity),
                ..Figures::default()
            };
            if first_line {
                seen.push(key.clone());
            }
            self.add_to(key, figures);
        }
    }

    fn add_to(&mut self, key: String, figures: Figures) {
        if self.groups.len() >= MOST_KEPT && !self.groups.contains_key(&key) {
            self.overflow.groups += 1;
            self.overflow.figures += figures;
        } else {
            *self.groups.entry(key).or_default() += figures;
        }
    }

    /// By what the orders are grouped.
    #[must_use]
    pub fn grouped_by(&self) -> Option<GroupBy> {
        self.by
    }

    /// The figures of all orders.
    #[must_use]
    pub fn all(&self) -> Figures {
        self.all
    }

    /// The part of [`Totals::all`] that was not sold after all: in a folder for canceled orders, or with a payment that was rejected or voided.
    #[must_use]
    pub fn not_sold(&self) -> Figures {
        self.not_sold
    }

    /// How many orders came without an `order_total`.
    #[must_use]
    pub fn without_total(&self) -> u64 {
        self.without_total
    }

    /// At most `most` groups, and the rest in one: days in their order, of which the latest are kept; else those with most money first.
    #[must_use]
    pub fn groups(self, most: usize) -> (Vec<Group>, Option<Others>) {
        let mut groups: Vec<Group> = self
            .groups
            .into_iter()
            .map(|(key, figures)| Group { key, figures })
            .collect();
        let by_day = self.by == Some(GroupBy::Day);
        if by_day {
            groups.sort_by(|a, b| b.key.cmp(&a.key));
        } else {
            groups.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.key.cmp(&b.key)));
        }
        let mut others = self.overflow;
        for rest in groups.drain(most.min(groups.len())..) {
            others.groups += 1;
            others.figures += rest.figures;
        }
        if by_day {
            groups.reverse();
        }
        (groups, (others.groups > 0).then_some(others))
    }
}

fn weight(group: &Group) -> (Amount, Amount, u64) {
    let figures = &group.figures;
    (
        figures.revenue.max(figures.products),
        figures.items,
        figures.orders,
    )
}

/// The SKU of an item, or its name in place of one.
pub(super) fn sku(item: Fields<'_>) -> String {
    let code = item.text("code");
    if code.trim().is_empty() {
        named(&item.text("name"))
    } else {
        named(&code)
    }
}

/// How many pieces an item line is. Order Desk's default is one.
pub(super) fn quantity(item: Fields<'_>) -> Amount {
    Amount::field(item, "quantity").unwrap_or(Amount::whole(1))
}

/// The day of a `YYYY-MM-DD HH:MM:SS`.
fn day(date: &str) -> &str {
    match date.get(..10) {
        Some(day) if day.parse::<Date>().is_ok() => day,
        _ => NONE,
    }
}

fn named(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return NONE.to_owned();
    }
    text.chars().take(NAME_CHARS).collect()
}
