//! The catalogue: what the orders sell and the inventory counts.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::shop::{Fields, Shop};

pub(super) struct Product {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) price: f64,
    pub(super) weight: f64,
    pub(super) category: &'static str,
    stock: i64,
}

const fn product(
    code: &'static str,
    name: &'static str,
    price: f64,
    weight: f64,
    category: &'static str,
    stock: i64,
) -> Product {
    Product {
        code,
        name,
        price,
        weight,
        category,
        stock,
    }
}

/// Two low, one at nothing, one oversold.
pub(super) const PRODUCTS: [Product; 14] = [
    product("TOTE-NAT", "Canvas Tote, Natural", 16.0, 0.58, "BAGS", 34),
    product("TOTE-BLK", "Canvas Tote, Black", 16.5, 0.58, "BAGS", 3),
    product("MUG-1", "Stoneware Mug", 9.5, 0.8, "KITCHEN", 120),
    product(
        "MUG-SET4",
        "Stoneware Mugs, Set of 4",
        34.0,
        3.2,
        "KITCHEN",
        18,
    ),
    product("POST-A3", "Art Poster A3", 22.0, 0.2, "PRINTS", 250),
    product("POST-1824", "Art Poster 18x24", 29.0, 0.35, "PRINTS", 0),
    product("TEE-S", "Organic Tee S", 24.0, 0.3, "APPAREL", 41),
    product("TEE-M", "Organic Tee M", 24.0, 0.32, "APPAREL", -4),
    product("TEE-L", "Organic Tee L", 24.0, 0.34, "APPAREL", 27),
    product("CANDLE-FIG", "Candle, Fig & Cedar", 19.9, 0.6, "HOME", 62),
    product("NOTE-A5", "Notebook A5, Dotted", 12.0, 0.4, "PAPER", 2),
    product("STICK-10", "Sticker Pack (10)", 4.5, 0.05, "PAPER", 900),
    product("CAP-NVY", "Cap, Navy", 21.0, 0.25, "APPAREL", 15),
    product("GIFT-25", "Gift Card 25", 25.0, 0.0, "GIFTS", 1_000),
];

pub(super) fn fill(shop: &mut Shop, now: Timestamp) {
    for (at, product) in PRODUCTS.iter().enumerate() {
        // PHP cannot tell an empty map from an empty list; most items show the former as `[]`.
        let variations = if product.category == "BAGS" {
            json!({"Colour": product.name.rsplit(' ').next()})
        } else {
            json!({})
        };
        let item = json!({
            "name": product.name, "code": product.code, "price": product.price, "cost": (product.price * 0.35 * 100.0).round() / 100.0,
            "weight": product.weight, "stock": product.stock, "update_source": if at % 3 == 0 { "Shopify" } else { "Manual" },
            "location": if at % 2 == 0 { "Main / Shelf A" } else { "" },
            "manufacturer_sku": if at % 4 == 0 { json!(format!("MF-{at:03}")) } else { Value::Null },
            "metadata": if product.category == "PRINTS" { json!({"print_sku": product.code, "print_url": "https://files.example.com/p/1.pdf"}) } else { json!({}) },
            "variation_list": variations,
        });
        let added = shop.add_stock(&fields(item), now);
        debug_assert!(added.is_ok(), "the catalogue has unique codes: {added:?}");
    }
}

/// The fields of a JSON object literal.
pub(super) fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}
