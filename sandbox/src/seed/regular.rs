//! The ordinary orders: who bought what where, and how far it has come for its age.

use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::people::Person;
use super::stock::{PRODUCTS, fields};
use super::{FIRST_ORDER, odd};
use crate::shop::{Shop, values};

const CHANNELS: [&str; 5] = ["Shopify", "Etsy", "WooCommerce", "Amazon", "Order Desk"];
const METHODS: [&str; 4] = [
    "USPS Priority",
    "UPS Ground",
    "Standard Shipping",
    "FedEx 2Day",
];
const PAYMENTS: [(&str, &str); 3] = [
    ("Visa", "Stripe: ch_demo_"),
    ("MasterCard", "Stripe: ch_demo_"),
    ("PayPal", "PayPal: PAY-DEMO-"),
];
const POSTAGE: [f64; 4] = [0.0, 5.0, 6.5, 12.9];
const SPREAD: Duration = Duration::from_secs(30 * 24 * 3600);

/// Adds order `index` of `count`, the oldest first.
pub(super) fn add(shop: &mut Shop, index: usize, count: usize, random: &mut Rng, now: Timestamp) {
    let age = SPREAD.mul_f64(1.0 - (index as f64 + 0.5) / count as f64);
    let placed = now.checked_sub(age).unwrap_or(now);
    // Fewer people than orders: about every third order is a repeat.
    let person = Person::new(random.usize(0..24.max(count * 2 / 3)));
    let mut input = order(index, &person, random);
    let nth = FIRST_ORDER + index as u64;
    odd::twist(nth, &mut input);
    let Ok(id) = shop.add_order(&fields(input), placed) else {
        debug_assert!(false, "the seed makes valid orders: {nth}");
        return;
    };
    if !odd::has_its_own_fate(nth) {
        progress(shop, id, random, placed, now);
    }
    odd::afterwards(shop, nth, id, placed, now);
}

fn order(index: usize, person: &Person, random: &mut Rng) -> Value {
    let channel = CHANNELS[random.usize(0..CHANNELS.len())];
    let (card, processor) = PAYMENTS[random.usize(0..PAYMENTS.len())];
    let items: Vec<Value> = (0..random.usize(1..=3)).map(|_| item(random)).collect();
    let gift = if random.u8(0..6) == 0 {
        json!({"Gift Message": "Happy birthday!"})
    } else {
        json!({})
    };
    json!({
        "email": person.email(), "shipping_method": METHODS[random.usize(0..METHODS.len())],
        "shipping_total": POSTAGE[random.usize(0..POSTAGE.len())], "handling_total": 0, "tax_total": f64::from(random.u16(0..900)) / 100.0,
        "cc_number": format!("{:04}", random.u16(0..10_000)), "cc_exp": format!("{:02}/{}", random.u8(1..=12), random.u16(2027..2031)),
        "processor_response": format!("{processor}{index:05}"), "payment_type": card, "payment_status": "Captured",
        "customer_id": format!("C-{}", 100 + person.number), "ip_address": format!("203.0.113.{}", random.u8(1..=254)),
        "source_name": channel, "source_id": source_id(channel, index), "tag_name": "",
        "shipping": person.address(), "checkout_data": gift, "order_metadata": {}, "discount_list": [], "order_notes": [], "order_items": items,
    })
}

/// Each channel numbers its orders in its own way.
fn source_id(channel: &str, index: usize) -> String {
    match channel {
        "Shopify" => format!("#{}", 1_001 + index),
        "Etsy" => format!("{}", 3_200_000_001_u64 + index as u64),
        "WooCommerce" => format!("WC-{}", 20_001 + index),
        "Amazon" => format!("113-{:07}-{:07}", 7_000_000 + index, 1_234_567 + 7 * index),
        _ => String::new(),
    }
}

fn item(random: &mut Rng) -> Value {
    let product = &PRODUCTS[random.usize(0..PRODUCTS.len())];
    let sized = product.category == "APPAREL";
    json!({
        "name": product.name, "price": product.price, "quantity": random.u8(1..=3), "weight": product.weight, "code": product.code,
        "category_code": product.category, "delivery_type": if product.category == "GIFTS" { "noship" } else { "ship" },
        "variation_list": if sized { json!({"Size": product.code.rsplit('-').next()}) } else { json!({}) }, "metadata": {},
    })
}

/// Old orders are shipped and closed, young ones wait, a few are stuck.
fn progress(shop: &mut Shop, id: u64, random: &mut Rng, placed: Timestamp, now: Timestamp) {
    let days = now.duration_since(placed).as_secs() / 86_400;
    let luck = random.u8(0..100);
    let number = format!("1ZDEMO{id:010}");
    let later = |hours: u64| {
        placed
            .checked_add(Duration::from_secs(hours * 3_600))
            .unwrap_or(now)
            .min(now)
    };
    let folder = |nth: usize| shop.folders.get(nth).map_or(0, |(id, _)| *id);
    let (prepared, closed, canceled, hold, attention) =
        (folder(1), folder(2), folder(3), folder(4), folder(5));
    match (days, luck) {
        (_, 0..4) => drop(shop.move_order(id, canceled, "Kim", later(5))),
        (_, 4..8) => drop(shop.move_order(id, hold, "Kim", later(3))),
        (_, 8..12) => drop(shop.move_order(id, attention, "Auto", later(1))),
        (0..3, _) => {}
        (3..8, _) => drop(shop.move_order(id, prepared, "Auto", later(20))),
        _ => {
            shop.move_order(id, prepared, "Auto", later(20));
            let shipment = fields(
                json!({"tracking_number": number, "carrier_code": "UPS", "shipment_method": "Ground", "cost": "7.85"}),
            );
            let shipped = shop.add_shipment(id, &shipment, later(44));
            debug_assert!(
                shipped.is_ok(),
                "a new order has no shipment yet: {shipped:?}"
            );
            shop.move_order(id, closed, "Auto", later(44));
            set_fulfilled(shop, id);
        }
    }
}

fn set_fulfilled(shop: &mut Shop, id: u64) {
    if let Some(order) = shop.orders.get_mut(&id) {
        order.set_text("fulfillment_name", "Demo Fulfillment");
        order.set_text("fulfillment_id", format!("DF-{id}"));
        debug_assert!(values::number_of(&order.fields, "order_total") >= 0.0);
    }
}
