//! How the findings of a report are shown.
//!
//! Here: rows for the model, lists cut to a share of an answer each, and the remarks without which a number would be misread. Not here: what is found.

use serde_json::{Map, Value, json};

use super::super::reports::cut;
use crate::clean;
use crate::desk::Walked;
use crate::desk::report::{
    Amount, Duplicates, Figures, Folders, GroupBy, NOT_NEEDED, Need, NeedOf, PAID, Pair, Reason,
    Totals, Twin, Unshipped, WITHIN_DAYS, Waiting,
};
use crate::reply::Reply;

/// Groups that are shown; two months of days.
const MOST_GROUPS: usize = 62;

/// Bytes of an answer that each list may take; together with the totals well below the cap of an answer.
const GROUPS_BYTES: usize = 9_000;
const UNSHIPPED_BYTES: usize = 8_000;
const DUPLICATES_BYTES: usize = 6_000;
const DEMAND_BYTES: usize = 7_000;

/// What the inventory says of the SKU that was asked for.
pub(super) struct Stock<'a> {
    pub(super) code: &'a str,
    pub(super) count: Option<Amount>,
    /// Whether what open orders need is gone from the count already.
    pub(super) is_taken: bool,
}

/// Collects what has to be said beside the numbers.
pub(super) struct Findings<'a> {
    folders: &'a Folders,
    remarks: Vec<String>,
    names_open: bool,
}

impl<'a> Findings<'a> {
    pub(super) fn new(folders: &'a Folders) -> Findings<'a> {
        Findings {
            folders,
            remarks: Vec::new(),
            names_open: false,
        }
    }

    pub(super) fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }

    pub(super) fn remark_on(&mut self, walked: &Walked, open: Option<&Walked>, since: &str) {
        if walked.moved || open.is_some_and(|open| open.moved) {
            self.remark("orders vanished from the window while it was read: a few may be missing");
        }
        let Some(open) = open else { return };
        let all = if open.complete { "all" } else { "not all" };
        self.remark(format!(
            "for open orders, {all} that were placed since {since} were read ({} orders); give search_start_date for another time",
            open.rows
        ));
    }

    pub(super) fn totals(&mut self, reply: Reply, totals: Totals) -> Reply {
        if totals.without_total() > 0 {
            self.remark(format!(
                "{} orders have no order_total",
                totals.without_total()
            ));
        }
        let not_sold = totals.not_sold();
        let grouped = totals.grouped_by();
        let reply = reply
            .with("totals", all_figures(&totals.all()))
            .with_some("not_sold", (not_sold.orders > 0).then(|| json!({
                "orders": not_sold.orders, "revenue": not_sold.revenue.to_json(),
                "note": "part of the totals: in a folder for canceled orders, or with a rejected or voided payment",
            })));
        let Some(by) = grouped else { return reply };
        let by_item = by == GroupBy::Sku;
        let (groups, others) = totals.groups(MOST_GROUPS);
        let rows = groups
            .into_iter()
            .map(|group| row_of(Some(&group.key), &group.figures, by_item));
        let rows = cut("groups", rows.collect(), GROUPS_BYTES, &mut self.remarks);
        let others = others.map(|others| {
            let mut row = row_of(None, &others.figures, by_item);
            row["groups"] = others.groups.into();
            row
        });
        reply.with("groups", rows).with_some("others", others)
    }

    pub(super) fn unshipped(&mut self, reply: Reply, unshipped: Unshipped) -> Reply {
        self.names_open = true;
        self.remark(format!(
            "paid means {}; without a shipment, and with something to ship",
            PAID.join(", ")
        ));
        let rows = unshipped
            .finish()
            .iter()
            .map(|row| self.waiting(row))
            .collect();
        let rows = cut("unshipped", rows, UNSHIPPED_BYTES, &mut self.remarks);
        reply.with("unshipped", rows)
    }

    fn waiting(&self, row: &Waiting) -> Value {
        shop_text(json!({
            "id": row.id, "source_id": row.source_id, "source_name": row.source_name, "date_added": row.date_added, "days": row.days,
            "folder": self.folder(&row.folder_id), "payment_status": row.payment_status,
        }))
    }

    pub(super) fn duplicates(&mut self, reply: Reply, duplicates: Duplicates) -> Reply {
        let rows: Vec<Value> = duplicates
            .finish()
            .iter()
            .map(|pair| self.pair(pair))
            .collect();
        if !rows.is_empty() {
            self.remark(format!(
                "duplicates are guesses: the same items for the same person within {WITHIN_DAYS} days, or one channel number twice; look at both orders before acting"
            ));
        }
        let rows = cut("duplicates", rows, DUPLICATES_BYTES, &mut self.remarks);
        reply.with("duplicates", rows)
    }

    fn pair(&self, pair: &Pair) -> Value {
        let reasons: Vec<&str> = pair.reasons.iter().copied().map(Reason::as_str).collect();
        let both = |show: &dyn Fn(&Twin) -> String| json!([show(&pair.earlier), show(&pair.later)]);
        shop_text(json!({
            "orders": both(&|twin| twin.id.clone()), "source_ids": both(&|twin| twin.source_id.clone()),
            "dates": both(&|twin| twin.date_added.clone()), "folders": both(&|twin| self.folder(&twin.folder_id)),
            "reason": reasons.join("; "),
        }))
    }

    pub(super) fn demand(&mut self, reply: Reply, need: NeedOf, stock: &Stock<'_>) -> Reply {
        self.names_open = true;
        let (orders, needed) = need.finish();
        self.remark(format!(
            "needed are the pieces that are in no shipment yet; a shipment that names no items counts as the whole order; {} orders are left out",
            NOT_NEEDED.join(", ")
        ));
        let enough = match stock.count {
            None => {
                self.remark("the inventory has no count for this SKU");
                None
            }
            Some(count) if stock.is_taken => {
                self.remark("this store lowers stock when an order comes in, so `stock` is what is left beside the open orders");
                Some(count >= Amount::ZERO)
            }
            Some(count) => Some(count >= needed),
        };
        let rows = orders.iter().map(|row| self.need(row)).collect();
        let rows = cut("demand.orders", rows, DEMAND_BYTES, &mut self.remarks);
        let demand = json!({
            "code": clean::text(stock.code), "needed": needed.to_json(), "stock": stock.count.map(Amount::to_json), "enough": enough, "orders": rows,
        });
        reply.with("demand", demand)
    }

    fn need(&self, row: &Need) -> Value {
        shop_text(json!({
            "id": row.id, "source_id": row.source_id, "date_added": row.date_added, "folder": self.folder(&row.folder_id),
            "payment_status": row.payment_status, "ordered": row.ordered.to_json(), "quantity": row.needed.to_json(),
        }))
    }

    fn folder(&self, id: &str) -> String {
        self.folders.name(id).unwrap_or(id).to_owned()
    }

    pub(super) fn finish(self, reply: Reply) -> Reply {
        const MOST: usize = 60;
        let open = self.names_open.then(|| {
            let names = self.folders.open().iter().take(MOST);
            names
                .map(|folder| clean::text(&folder.name).into_owned())
                .collect::<Vec<_>>()
        });
        let remarks = (!self.remarks.is_empty()).then_some(self.remarks);
        reply
            .with_some("open_folders", open)
            .with_some("remarks", remarks)
    }
}

fn all_figures(figures: &Figures) -> Value {
    json!({
        "orders": figures.orders, "quantity": figures.items.to_json(), "revenue": figures.revenue.to_json(), "products": figures.products.to_json(),
        "tax": figures.tax.to_json(), "shipping": figures.shipping.to_json(), "handling": figures.handling.to_json(),
        "discounts": figures.discounts.to_json(), "refunds": figures.refunds.to_json(),
    })
}

/// A group. Money that is nothing is left out; a SKU has no share of an order's tax or postage.
fn row_of(key: Option<&str>, figures: &Figures, by_item: bool) -> Value {
    let mut row = Map::new();
    if let Some(key) = key {
        row.insert("key".to_owned(), clean::text(key).into());
    }
    row.insert("orders".to_owned(), figures.orders.into());
    row.insert("quantity".to_owned(), figures.items.to_json());
    if by_item {
        row.insert("products".to_owned(), figures.products.to_json());
        return Value::Object(row);
    }
    row.insert("revenue".to_owned(), figures.revenue.to_json());
    let rest = [
        ("tax", figures.tax),
        ("shipping", figures.shipping),
        ("handling", figures.handling),
        ("discounts", figures.discounts),
        ("refunds", figures.refunds),
    ];
    for (name, amount) in rest.into_iter().filter(|(_, amount)| !amount.is_zero()) {
        row.insert(name.to_owned(), amount.to_json());
    }
    Value::Object(row)
}

/// Cleaned, and without what is empty.
fn shop_text(row: Value) -> Value {
    match clean::value(row) {
        Value::Object(fields) => {
            let full = |value: &Value| !matches!(value, Value::String(text) if text.is_empty());
            Value::Object(
                fields
                    .into_iter()
                    .filter(|(_, value)| full(value))
                    .collect(),
            )
        }
        other => other,
    }
}
