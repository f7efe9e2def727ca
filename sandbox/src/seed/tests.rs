//! That the demo data is what the table in `seed` says.

use super::*;
use crate::shop::values;

fn demo(orders: usize) -> Shop {
    let recipe = Recipe {
        orders,
        seed: 1,
        bucket: Bucket::default(),
        strict: false,
        rules: Vec::new(),
    };
    shop(0, &recipe, "2026-03-31T12:00:00Z".parse().unwrap())
}

fn order(shop: &Shop, id: u64) -> &Fields {
    &shop
        .orders
        .get(&id)
        .unwrap_or_else(|| panic!("order {id}"))
        .fields
}

#[test]
fn the_same_seed_and_time_give_the_same_shop() {
    let (mut one, mut two) = (demo(60), demo(60));
    for id in FIRST_ORDER..FIRST_ORDER + 60 {
        assert_eq!(one.order_text(id), two.order_text(id));
    }
}

#[test]
fn sixty_orders_lie_in_the_last_thirty_days_in_every_folder() {
    let shop = demo(60);
    assert_eq!(shop.orders.len(), 60);
    for order in shop.orders.values() {
        let added = values::str_of(&order.fields, "date_added");
        assert!(
            ("2026-03-01 12:00:00".."2026-03-31 12:00:00").contains(&added),
            "{added}"
        );
        assert!(values::str_of(&order.fields, "date_updated") >= added);
    }
    for (folder, name) in &shop.folders {
        assert!(
            shop.orders.values().any(|order| order.folder() == *folder),
            "nothing in {name}"
        );
    }
}

#[test]
fn the_odd_orders_are_odd() {
    let mut shop = demo(60);
    assert_eq!(order(&shop, TWIN_A)["source_id"], TWIN_SOURCE_ID);
    assert_eq!(order(&shop, TWIN_B)["source_id"], TWIN_SOURCE_ID);
    assert_ne!(
        order(&shop, TWIN_A)["source_name"],
        order(&shop, TWIN_B)["source_name"]
    );
    assert!(
        (1_700..2_000).contains(
            &order(&shop, LONG_NOTES)["order_notes"]
                .to_string()
                .chars()
                .count()
        )
    );
    assert!(
        order(&shop, THREE_PARCELS)["order_shipments"]
            .as_array()
            .unwrap()
            .len()
            >= 3
    );
    assert_eq!(order(&shop, REFUNDED)["payment_status"], "Fully Refunded");
    assert_eq!(
        order(&shop, REFUNDED)["refund_total"],
        order(&shop, REFUNDED)["order_total"]
    );
    assert!(
        order(&shop, HOSTILE)["shipping"]["first_name"]
            .as_str()
            .unwrap()
            .contains('\u{202e}')
    );
    assert_eq!(order(&shop, UNDOCUMENTED)["carbon_neutral"]["grams"], 412);
    assert_eq!(order(&shop, ON_HOLD)["folder_id"], FOLDER_HOLD);
    assert_eq!(order(&shop, COMPANY_ONLY)["order_items"][0]["price"], "24");
    let text = shop.order_text(UNICODE).unwrap();
    assert!(text.contains(r"18\u00d724 \/ matt"), "{text}");
}

#[test]
fn some_customers_come_back_and_some_stock_is_low() {
    let mut shop = demo(60);
    let ids: Vec<u64> = shop.orders.keys().copied().collect();
    assert!(ids.iter().any(|id| {
        !shop
            .order_text(*id)
            .unwrap()
            .contains(r#""email_count":"1""#)
    }));
    assert!(
        shop.inventory
            .values()
            .any(|item| values::number_of(item, "stock") < 0.0)
    );
    assert!(shop.inventory.values().any(|item| item["stock"] == 0));
}

#[test]
fn keys_are_fifty_letters_and_digits_and_differ_by_store() {
    assert_eq!(key(4242).len(), 50);
    assert!(
        key(4242)
            .chars()
            .all(|character| character.is_ascii_alphanumeric())
    );
    assert_ne!(key(4242), key(4243));
}
