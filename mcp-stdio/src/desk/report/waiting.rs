//! Orders that were paid and are not shipped.
//!
//! Here: what counts as paid, as shipped and as something to ship, and the list of orders for which all of it holds for too long. Not here:
//! which folders are open (`folders`), and why an order waits.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::folders::Folders;
use crate::desk::model::{Order, when_written};

/// Payment statuses that count as paid: money that was taken, promised by the card, or only partly given back.
pub const PAID: [&str; 4] = ["Approved", "Authorized", "Captured", "Partially Refunded"];

/// What is delivered without a parcel.
const WITHOUT_PARCEL: [&str; 2] = ["noship", "download"];

/// An order that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Order Desk's id.
    pub id: String,
    /// The channel's number.
    pub source_id: String,
    /// The sales channel.
    pub source_name: String,
    /// When it was placed, `YYYY-MM-DD HH:MM:SS`, UTC.
    pub date_added: String,
    /// Whole days since then.
    pub days: i64,
    /// The id of the folder in which it lies.
    pub folder_id: String,
    /// Its payment status.
    pub payment_status: String,
}

/// Orders in open folders, paid, without a parcel, with something to ship, and older than some days.
#[derive(Debug)]
pub struct Unshipped {
    after: SignedDuration,
    now: DateTime,
    found: Vec<Waiting>,
}

impl Unshipped {
    /// Nothing yet; `after_days` counts from the moment an order was placed.
    #[must_use]
    pub fn new(after_days: u64, now: Timestamp) -> Unshipped {
        let hours = i64::try_from(after_days)
            .unwrap_or(i64::MAX)
            .saturating_mul(24);
        Unshipped {
            after: SignedDuration::from_secs(hours.saturating_mul(3600)),
            now: now.to_zoned(TimeZone::UTC).datetime(),
            found: Vec::new(),
        }
    }

    /// Looks at one order.
    pub fn add(&mut self, order: &Order, folders: &Folders) {
        if !folders.is_open(&order.folder_id()) || !order.shipments().is_empty() {
            return;
        }
        let payment = order.fields().text("payment_status");
        if !PAID
            .iter()
            .any(|paid| paid.eq_ignore_ascii_case(payment.trim()))
            || !has_a_parcel(order)
        {
            return;
        }
        let Some(placed) = when_written(&order.date_added()) else {
            return;
        };
        let age = self.now.duration_since(placed);
        if age > self.after {
            self.found.push(Waiting {
                id: order.id().into_owned(),
                source_id: order.source_id().into_owned(),
                source_name: order.source_name().into_owned(),
                date_added: order.date_added().into_owned(),
                days: age.as_hours() / 24,
                folder_id: order.folder_id().into_owned(),
                payment_status: payment.into_owned(),
            });
        }
    }

    /// Those that wait longest first.
    #[must_use]
    pub fn finish(mut self) -> Vec<Waiting> {
        self.found
            .sort_by(|a, b| (&a.date_added, &a.id).cmp(&(&b.date_added, &b.id)));
        self.found
    }
}

/// Whether anything in the order travels. An order whose items are not told may hold something that does.
fn has_a_parcel(order: &Order) -> bool {
    let items = order.items();
    let travels = |kind: &str| {
        !WITHOUT_PARCEL
            .iter()
            .any(|none| none.eq_ignore_ascii_case(kind.trim()))
    };
    items.is_empty()
        || items
            .iter()
            .any(|item| travels(&item.text("delivery_type")))
}
