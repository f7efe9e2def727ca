//! What open orders still need from stock.
//!
//! Here: how many pieces of an order's items are not yet in a parcel, and those pieces by SKU. A parcel may name its items, by id or by SKU, with a
//! quantity each; a parcel that names none holds the whole order, as Order Desk itself writes it. Not here: the stock.

use std::collections::HashMap;

use super::amount::Amount;
use super::folders::Folders;
use super::totals::quantity;
use crate::desk::model::{Fields, Order, same_number};

/// Payments after which an order needs nothing, wherever it lies.
pub const NOT_NEEDED: [&str; 3] = ["Fully Refunded", "Voided", "Rejected"];

/// An open order that needs a SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Order Desk's id.
    pub id: String,
    /// The channel's number.
    pub source_id: String,
    /// When it was placed, UTC.
    pub date_added: String,
    /// The folder it lies in.
    pub folder_id: String,
    /// Its payment status.
    pub payment_status: String,
    /// Pieces ordered.
    pub ordered: Amount,
    /// Pieces not yet in a parcel.
    pub needed: Amount,
}

/// Which open orders need one SKU.
#[derive(Debug)]
pub struct NeedOf {
    code: String,
    orders: Vec<Need>,
}

impl NeedOf {
    /// Nothing yet. SKUs are compared without case.
    #[must_use]
    pub fn new(code: &str) -> NeedOf {
        NeedOf {
            code: plain(code),
            orders: Vec::new(),
        }
    }

    /// Looks at one order.
    pub fn add(&mut self, order: &Order, folders: &Folders) {
        if !counts(order, folders) {
            return;
        }
        let lines = open_lines(order);
        let mine = || lines.iter().filter(|line| line.code == self.code);
        let needed: Amount = mine().map(|line| line.open).sum();
        if needed > Amount::ZERO {
            let ordered = mine().map(|line| line.ordered).sum();
            self.orders.push(Need {
                id: order.id().into_owned(),
                source_id: order.source_id().into_owned(),
                date_added: order.date_added().into_owned(),
                folder_id: order.folder_id().into_owned(),
                payment_status: order.fields().text("payment_status").into_owned(),
                ordered,
                needed,
            });
        }
    }

    /// The orders as they came, oldest first, and the pieces that they need together.
    #[must_use]
    pub fn finish(self) -> (Vec<Need>, Amount) {
        let sum = self.orders.iter().map(|order| order.needed).sum();
        (self.orders, sum)
    }
}

/// How much open orders need of every SKU.
#[derive(Debug, Default)]
pub struct Demand {
    /// By SKU without case: how the first order wrote it, and the pieces.
    by_code: HashMap<String, (String, Amount)>,
}

impl Demand {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Demand {
        Demand::default()
    }

    /// Adds what one order needs. Items without a SKU have no stock to be counted against.
    pub fn add(&mut self, order: &Order, folders: &Folders) {
        if !counts(order, folders) {
            return;
        }
        for line in open_lines(order) {
            if !line.code.is_empty() && line.open > Amount::ZERO {
                let entry = self
                    .by_code
                    .entry(line.code)
                    .or_insert_with(|| (line.written, Amount::ZERO));
                entry.1 += line.open;
            }
        }
    }

    /// Takes out what is needed of `code`.
    pub fn take(&mut self, code: &str) -> Amount {
        self.by_code
            .remove(&plain(code))
            .map_or(Amount::ZERO, |(_, needed)| needed)
    }

    /// What was not taken out, the largest need first.
    #[must_use]
    pub fn rest(self) -> Vec<(String, Amount)> {
        let mut rest: Vec<(String, Amount)> = self.by_code.into_values().collect();
        rest.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        rest
    }
}

fn counts(order: &Order, folders: &Folders) -> bool {
    let payment = order.fields().text("payment_status");
    folders.is_open(&order.folder_id())
        && !NOT_NEEDED
            .iter()
            .any(|status| status.eq_ignore_ascii_case(payment.trim()))
}

/// One item of an order.
struct Line {
    id: String,
    code: String,
    written: String,
    ordered: Amount,
    open: Amount,
}

/// The items of an order with what is not yet in a parcel.
fn open_lines(order: &Order) -> Vec<Line> {
    let mut lines: Vec<Line> = order.items().into_iter().map(Line::of).collect();
    for parcel in order.shipments() {
        let held = parcel.rows("order_items");
        if held.is_empty() {
            lines.iter_mut().for_each(|line| line.open = Amount::ZERO);
            break;
        }
        for row in held {
            pack(&mut lines, row);
        }
    }
    lines
}

impl Line {
    fn of(item: Fields<'_>) -> Line {
        let ordered = quantity(item);
        Line {
            id: item.text("id").into_owned(),
            code: plain(&item.text("code")),
            written: item.text("code").trim().to_owned(),
            ordered,
            open: ordered,
        }
    }
}

/// Takes what a parcel holds off the line of that id, or off the lines of that SKU one after another. A parcel never takes more than a line has.
fn pack(lines: &mut [Line], row: Fields<'_>) {
    let mut left = quantity(row);
    let (id, code) = (row.text("id"), plain(&row.text("code")));
    let by_id = lines.iter().any(|line| same_number(&line.id, &id));
    for line in lines {
        let meant = if by_id {
            same_number(&line.id, &id)
        } else {
            !code.is_empty() && line.code == code
        };
        if meant {
            let packed = left.min(line.open).max(Amount::ZERO);
            line.open = line.open - packed;
            left = left - packed;
        }
    }
}

fn plain(code: &str) -> String {
    code.trim().to_lowercase()
}
