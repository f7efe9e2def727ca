//! One store: its folders, orders, stock and history, held in memory. Knows no HTTP; `api` asks it, `seed` fills it.
//!
//! An order is kept as JSON fields, not as a struct: the point of this house is to answer with every field, type and quirk
//! that Order Desk has, and to keep what it does not know.

pub(crate) mod address;
pub(crate) mod inventory;
pub(crate) mod items;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod query;
pub(crate) mod rules;
pub(crate) mod shipments;
pub(crate) mod values;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value, json};

use crate::bucket::Tokens;
use crate::events::Events;

pub(crate) use order::Order;
pub use rules::MoveRule;

/// Moves carried out at one look, so that two rules which feed each other cannot spin.
const SETTLED_AT_ONCE: usize = 1_000;

/// JSON fields in the order in which they are sent.
pub(crate) type Fields = Map<String, Value>;

/// One store and all it holds.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) api_key: String,
    /// The store's zone. A zone without daylight saving, so that an offset tells all.
    pub(crate) zone: Offset,
    /// In display order; the first receives new orders.
    pub(crate) folders: Vec<(i64, String)>,
    pub(crate) settings: Fields,
    pub(crate) orders: BTreeMap<u64, Order>,
    /// Which orders share an e-mail address (lower case), for `email_count`.
    pub(crate) by_email: HashMap<String, BTreeSet<u64>>,
    pub(crate) inventory: BTreeMap<u64, Fields>,
    pub(crate) next: NextIds,
    pub(crate) tokens: Tokens,
    pub(crate) events: Events,
    pub(crate) rules: rules::Rules,
    /// Whether a `PUT` blanks also what sources disagree on (see `assumptions::STRICT_BLANKS`).
    pub(crate) strict: bool,
}

/// The next free id of each kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextIds {
    pub(crate) order: u64,
    pub(crate) item: u64,
    pub(crate) shipment: u64,
    pub(crate) inventory: u64,
}

impl Shop {
    pub(crate) fn folder_name(&self, id: i64) -> Option<&str> {
        self.folders
            .iter()
            .find(|(folder, _)| *folder == id)
            .map(|(_, name)| name.as_str())
    }

    pub(crate) fn folder_named(&self, name: &str) -> Option<i64> {
        self.folders
            .iter()
            .find(|(_, folder)| folder == name)
            .map(|(id, _)| *id)
    }

    pub(crate) fn first_folder(&self) -> i64 {
        self.folders.first().map_or(0, |(id, _)| *id)
    }

    /// The JSON text of order `id` as `GET` shows it, from memory where nothing changed.
    pub(crate) fn order_text(&mut self, id: u64) -> Option<&str> {
        let order = self.orders.get_mut(&id)?;
        if order.text.is_none() {
            let same = self
                .by_email
                .get(&order.email_key())
                .map_or(1, BTreeSet::len);
            order.render(same);
        }
        order.text.as_deref()
    }

    /// Order `id` as `GET` shows it, with its history.
    pub(crate) fn order(&mut self, id: u64) -> Option<Value> {
        let mut order: Value = serde_json::from_str(self.order_text(id)?).ok()?;
        order["order_history"] = Value::Array(self.orders.get(&id)?.history.clone());
        Some(order)
    }

    /// All that the store holds.
    pub(crate) fn state(&mut self) -> Value {
        let ids: Vec<u64> = self.orders.keys().copied().collect();
        let orders: Vec<Value> = ids.iter().filter_map(|id| self.order(*id)).collect();
        let stock = self.inventory.values().cloned().map(Value::Object);
        let folders = self
            .folders
            .iter()
            .map(|(id, name)| json!({"id": id, "name": name}));
        json!({
            "orders": orders,
            "inventory_items": stock.collect::<Vec<_>>(),
            "folders": folders.collect::<Vec<_>>(),
        })
    }

    /// Carries out what the rule stub had planned for before `now`.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        for _ in 0..SETTLED_AT_ONCE {
            let Some(due) = self.rules.take_due(now) else {
                return;
            };
            self.move_order(due.order_id, due.to, "Auto", due.at);
        }
    }
}

/// Takes the next number.
pub(crate) fn take(next: &mut u64) -> u64 {
    let id = *next;
    *next += 1;
    id
}
