//! The demo data: made from a seed number and the clock, so that the same start gives the same shops.
//!
//! Every store has the folders New, Prepared, Closed, Canceled, Hold and Needs Attention, fourteen inventory items (some low, one
//! at nothing, one below), and orders spread evenly over the last 30 days: several channels, repeat customers, folders and
//! shipments that fit their age. The first store's ids start at [`FIRST_ORDER`] (oldest order), [`FOLDER_NEW`],
//! [`FIRST_INVENTORY_ITEM`]; further stores shift them by [`ORDER_STRIDE`] and so on. Names and addresses are invented, e-mail
//! addresses and phone numbers lie in ranges reserved for fiction.
//!
//! The odd ones, in each store, if it has that many orders (ids for the first store):
//!
//! | order | what is odd |
//! |---|---|
//! | [`UNICODE`] | letters beyond ASCII, `/` and quotes in names, items and URLs |
//! | [`TWIN_A`], [`TWIN_B`] | one `source_id` ([`TWIN_SOURCE_ID`]) under two channels |
//! | [`LONG_NOTES`] | more than 1,700 characters of notes |
//! | [`THREE_PARCELS`] | three shipments, two of them partial; the numbers are [`PARCEL_NUMBERS`] |
//! | [`REFUNDED`] | fully refunded and canceled |
//! | [`HOSTILE`] | bidi and zero-width characters in the name, a note that gives orders to an assistant |
//! | [`UNDOCUMENTED`] | fields that no documentation names, on the order and on an item |
//! | [`ON_HOLD`] | payment pending, in Hold, with a structured note |
//! | [`COMPANY_ONLY`] | no first or last name; prices as text; a discount; personalised items |

mod odd;
mod people;
mod regular;
mod stock;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz;
use serde_json::{Value, json};

use crate::bucket::{Bucket, Tokens};
use crate::events::Events;
use crate::shop::{Fields, MoveRule, NextIds, Shop, rules};

/// The first store's id; further stores count up.
pub const FIRST_STORE: u64 = 4242;
/// The first store's oldest order.
pub const FIRST_ORDER: u64 = 7_001_001;
/// Between the first orders of two stores.
pub const ORDER_STRIDE: u64 = 10_000_000;
/// The first store's first inventory item.
pub const FIRST_INVENTORY_ITEM: u64 = 61_001;
/// The first store's folder New; Prepared, Closed, Canceled, Hold and Needs Attention follow one by one.
pub const FOLDER_NEW: i64 = 50_101;
/// See [`FOLDER_NEW`].
pub const FOLDER_PREPARED: i64 = 50_102;
/// See [`FOLDER_NEW`].
pub const FOLDER_CLOSED: i64 = 50_103;
/// See [`FOLDER_NEW`].
pub const FOLDER_CANCELED: i64 = 50_104;
/// See [`FOLDER_NEW`].
pub const FOLDER_HOLD: i64 = 50_105;
/// See [`FOLDER_NEW`].
pub const FOLDER_NEEDS_ATTENTION: i64 = 50_106;
/// Between the folders of two stores.
pub const FOLDER_STRIDE: i64 = 100;

/// See the table above.
pub const UNICODE: u64 = FIRST_ORDER + 3;
/// See the table above.
pub const TWIN_A: u64 = FIRST_ORDER + 7;
/// See the table above.
pub const TWIN_B: u64 = FIRST_ORDER + 8;
/// The channel number that two orders share.
pub const TWIN_SOURCE_ID: &str = "TWIN-1099";
/// See the table above.
pub const LONG_NOTES: u64 = FIRST_ORDER + 11;
/// See the table above.
pub const THREE_PARCELS: u64 = FIRST_ORDER + 14;
/// The tracking numbers of [`THREE_PARCELS`].
pub const PARCEL_NUMBERS: [&str; 3] = [
    "1Z999DEMO000000001",
    "1Z999DEMO000000002",
    "9400111DEMO00000000003",
];
/// See the table above.
pub const REFUNDED: u64 = FIRST_ORDER + 17;
/// See the table above.
pub const HOSTILE: u64 = FIRST_ORDER + 20;
/// See the table above.
pub const UNDOCUMENTED: u64 = FIRST_ORDER + 23;
/// See the table above.
pub const ON_HOLD: u64 = FIRST_ORDER + 26;
/// See the table above.
pub const COMPANY_ONLY: u64 = FIRST_ORDER + 29;

/// The mail password that `GET /store` gives away, as the real one does. It must never get past a client.
pub const SMTP_PASSWORD: &str = "sandbox-mail-password-must-not-leak";
/// The mail user that `GET /store` gives away.
pub const SMTP_USERNAME: &str = "sandbox-mail-user-must-not-leak";

const FOLDERS: [&str; 6] = [
    "New",
    "Prepared",
    "Closed",
    "Canceled",
    "Hold",
    "Needs Attention",
];
const NAMES: [&str; 4] = [
    "Demo Store",
    "Demo Outlet",
    "Demo Print Shop",
    "Demo Wholesale",
];

/// Zones without daylight saving: an offset in hours says all.
const ZONES: [(&str, i8); 3] = [
    ("America/Phoenix", -7),
    ("Asia/Tokyo", 9),
    ("Africa/Lagos", 1),
];

/// What a store is made from.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) orders: usize,
    pub(crate) seed: u64,
    pub(crate) bucket: Bucket,
    pub(crate) strict: bool,
    pub(crate) rules: Vec<MoveRule>,
}

/// Makes store `number` (from 0).
pub(crate) fn shop(number: usize, recipe: &Recipe, now: Timestamp) -> Shop {
    let mut shop = empty_shop(number, recipe, now);
    stock::fill(&mut shop, now);
    let mut random = fastrand::Rng::with_seed(recipe.seed.wrapping_add(number as u64));
    for index in 0..recipe.orders {
        regular::add(&mut shop, index, recipe.orders, &mut random, now);
    }
    // Seeding is history, not news: neither events nor planned moves come from it.
    shop.events = Events::default();
    shop.rules = rules::Rules::with(recipe.rules.clone());
    shop
}

fn empty_shop(number: usize, recipe: &Recipe, now: Timestamp) -> Shop {
    let id = FIRST_STORE + number as u64;
    let first_folder = FOLDER_NEW + FOLDER_STRIDE * number as i64;
    let (zone_name, hours) = ZONES[number % ZONES.len()];
    let api_key = key(id);
    Shop {
        id,
        name: NAMES.get(number).map_or_else(
            || format!("Demo Store {}", number + 1),
            |name| (*name).to_owned(),
        ),
        settings: settings(&api_key, zone_name),
        api_key,
        zone: tz::offset(hours),
        folders: (first_folder..).zip(FOLDERS.map(str::to_owned)).collect(),
        orders: BTreeMap::new(),
        by_email: HashMap::new(),
        inventory: BTreeMap::new(),
        next: first_ids(number as u64),
        tokens: Tokens::full(recipe.bucket, now),
        events: Events::default(),
        rules: rules::Rules::default(),
        strict: recipe.strict,
    }
}

fn first_ids(number: u64) -> NextIds {
    NextIds {
        order: FIRST_ORDER + ORDER_STRIDE * number,
        item: 9_100_001 + 2 * ORDER_STRIDE * number,
        shipment: 3_001 + ORDER_STRIDE * number,
        inventory: FIRST_INVENTORY_ITEM + 1_000 * number,
    }
}

/// Fifty letters and digits, like the real ones, always the same for one store id. Opens nothing but a sandbox.
fn key(store: u64) -> String {
    let mut random = fastrand::Rng::with_seed(store);
    let rest: String = std::iter::repeat_with(|| random.alphanumeric())
        .take(43)
        .collect();
    format!("sandbox{rest}")
}

fn settings(api_key: &str, zone: &str) -> Fields {
    let settings = json!({
        "app_version": "2.0", "locale_code": "en_US", "timezone": zone, "store_country": "US", "store_email": "shop@example.com",
        "admin_email": "owner@example.com", "normalize_capitalization": "0", "normalize_phone_numbers": "0", "date_format": "Y-m-d H:i:s",
        "short_date_format": "m/d", "orders_per_page": 50, "report_frequency": "", "dashboard_report_type": "",
        "store_url": "https://shop.example.com/", "custom_css": "", "security_po_box_warn": "1", "security_different_address_warn": "",
        "security_different_country_warn": "1", "security_quantity_warn": 10, "limit_address_field_char_length": "", "country_name_format": "code",
        "all_orders_name": "All Orders", "api_key": api_key, "all_orders_column_view": "", "shipping_methods": [],
        "default_checkout_data_fields": [], "smtp_port": "587", "smtp_host": "mail.example.com", "smtp_username": SMTP_USERNAME,
        "smtp_password": SMTP_PASSWORD, "smtp_encryption": "tls", "smtp_headers": "", "auto_update_stock_count": "",
        "auto_create_inventory_items": "", "normalizeCapitalization": 0,
    });
    match settings {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

#[cfg(test)]
mod tests;
