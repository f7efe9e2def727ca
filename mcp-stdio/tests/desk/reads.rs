//! Good days: what each read sends and gives.

use mcp_stdio::desk::model::{InventoryItemId, InventoryQuery, OrdersQuery};
use orderdesk_sandbox::{Fault, Options, Rule, seed};
use serde_json::Value;

use crate::kit::{Kit, ORDER, order_id, wide_open};

#[tokio::test]
async fn a_request_carries_the_credentials_our_name_and_nothing_else() {
    let kit = Kit::new().await;
    kit.shop().order(&order_id(ORDER), false).await.unwrap();
    let request = kit.requests().remove(0);
    assert_eq!(
        (
            request.method.as_str(),
            request.path.as_str(),
            request.query.as_str()
        ),
        ("GET", "/orders/7001001", "")
    );
    assert_eq!(
        (request.store_id.as_str(), request.key_sent),
        ("4242", true)
    );
    assert_eq!(
        request.header("user-agent"),
        Some(concat!("orderdesk-mcp/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(
        (
            request.header("content-type"),
            request.header("content-length"),
            request.body.as_str()
        ),
        (None, None, "")
    );
}

#[tokio::test]
async fn filters_arrive_as_they_were_meant() {
    let kit = Kit::new().await;
    let some = |text: &str| Some(text.to_owned());
    let query = OrdersQuery {
        source_id: some("#10 42&limit=9/ž"),
        search_start_date: some("2026-03-01"),
        search_end_date: some("2026-03-31"),
        ..OrdersQuery::default()
    };
    assert!(
        kit.shop()
            .orders(&query, false)
            .await
            .unwrap()
            .value
            .orders
            .is_empty()
    );
    let request = kit.requests().remove(0);
    assert_eq!(
        request.parameter("source_id").as_deref(),
        Some("#10 42&limit=9/ž")
    );
    assert_eq!(
        request.parameter("search_start_date").as_deref(),
        Some("2026-03-01 00:00:00")
    );
    assert_eq!(
        request.parameter("search_end_date").as_deref(),
        Some("2026-03-31 23:59:59")
    );
    assert_eq!(request.parameter("limit").as_deref(), Some("50"));
    assert!(
        !request.query.contains('+') && request.query.contains("%20"),
        "{}",
        request.query
    );
}

#[tokio::test]
async fn a_bad_filter_is_refused_and_nothing_is_sent() {
    let kit = Kit::new().await;
    let query = OrdersQuery {
        search_start_date: Some("soon".to_owned()),
        ..OrdersQuery::default()
    };
    assert_eq!(
        kit.shop().orders(&query, false).await.unwrap_err().code(),
        "bad_request"
    );
    assert_eq!(kit.sent(), 0);
}

#[tokio::test]
async fn store_settings_come_without_their_secrets() {
    let kit = Kit::new().await;
    let settings = kit.shop().settings(false).await.unwrap().value;
    let shown = format!("{settings:?}{}", Value::Object(settings.object().clone()));
    for secret in [
        seed::SMTP_PASSWORD,
        seed::SMTP_USERNAME,
        &kit.sandbox.store(0).api_key,
        "smtp_host",
    ] {
        assert!(!shown.contains(secret), "{secret}");
    }
    assert_eq!(
        (settings.id().as_ref(), settings.name().as_ref()),
        ("4242", "Demo Store")
    );
    let names: Vec<String> = settings
        .folders()
        .into_iter()
        .map(|folder| folder.name)
        .collect();
    assert_eq!(
        names,
        [
            "New",
            "Prepared",
            "Closed",
            "Canceled",
            "Hold",
            "Needs Attention"
        ]
    );
    assert!(!settings.settings().text("timezone").is_empty());
}

#[tokio::test]
async fn an_order_keeps_the_fields_that_nobody_documented() {
    let kit = Kit::new().await;
    let order = kit
        .shop()
        .order(&order_id(&seed::UNDOCUMENTED.to_string()), false)
        .await
        .unwrap()
        .value;
    assert_eq!(order.object()["carbon_neutral"]["grams"], 412);
    assert_eq!(order.items()[0].text("customs_code"), "6109.10");
}

#[tokio::test]
async fn letters_and_slashes_arrive_whole() {
    let kit = Kit::new().await;
    let order = kit
        .shop()
        .order(&order_id(&seed::UNICODE.to_string()), false)
        .await
        .unwrap()
        .value;
    assert_eq!(order.shipping().text("last_name"), "Łukasik-Čapek");
    assert_eq!(
        order.items()[0].nested("metadata").text("print_url"),
        "https://files.example.com/2026/03/poster.pdf"
    );
}

#[tokio::test]
async fn history_comes_only_when_asked_for() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    assert!(
        shop.order(&order_id(ORDER), false)
            .await
            .unwrap()
            .value
            .history()
            .is_none()
    );
    let order = shop
        .order_history(&order_id(ORDER), false)
        .await
        .unwrap()
        .value;
    assert!(order.history().is_some_and(|entries| !entries.is_empty()));
    assert_eq!(kit.requests()[1].query, "get_order_history=1");
}

#[tokio::test]
async fn pages_are_walked_to_the_end_whatever_the_total_says() {
    for wrong_total in [
        Value::from(0),
        Value::from("0"),
        Value::from(9999),
        Value::from("many"),
    ] {
        let kit = Kit::with(Options {
            orders: 45,
            ..wide_open()
        })
        .await;
        kit.sandbox
            .faults()
            .add(Rule::new(Fault::total_records(wrong_total)).always());
        let shop = kit.shop();
        let (mut ids, mut query) = (
            Vec::new(),
            OrdersQuery {
                limit: Some(15),
                ..OrdersQuery::default()
            },
        );
        loop {
            let page = shop.orders(&query, false).await.unwrap().value;
            ids.extend(page.orders.iter().map(|order| order.id().into_owned()));
            query.offset += 15;
            if !page.has_more {
                break;
            }
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 45);
        assert_eq!(
            kit.sent(),
            4,
            "three full pages and the empty one that ends the walk"
        );
    }
}

#[tokio::test]
async fn mixed_types_read_as_the_same_facts() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let plain = shop.order(&order_id(ORDER), true).await.unwrap().value;
    kit.sandbox.faults().next(Fault::MixedTypes);
    let mixed = shop.order(&order_id(ORDER), true).await.unwrap().value;
    assert_ne!(
        plain.object(),
        mixed.object(),
        "the fault must change something"
    );
    assert_eq!(
        (plain.id(), plain.folder_id(), plain.items().len()),
        (mixed.id(), mixed.folder_id(), mixed.items().len())
    );
    let total = |order: &mcp_stdio::desk::model::Order| {
        order.order_total().and_then(|number| number.as_f64())
    };
    assert_eq!(total(&plain), total(&mixed));
}

#[tokio::test]
async fn the_older_envelope_with_the_timing_in_the_message_is_no_error() {
    let kit = Kit::new().await;
    kit.sandbox.faults().next(Fault::TimingInMessage);
    assert!(kit.shop().order(&order_id(ORDER), false).await.is_ok());
}

#[tokio::test]
async fn stock_is_read_by_page_by_sku_and_by_id() {
    let kit = Kit::new().await;
    let shop = kit.shop();
    let page = shop
        .inventory(
            &InventoryQuery {
                limit: Some(5),
                ..InventoryQuery::default()
            },
            false,
        )
        .await
        .unwrap()
        .value;
    assert_eq!((page.items.len(), page.has_more), (5, true));
    let codes = vec!["TEE-M".to_owned(), "MUG-1".to_owned()];
    let found = shop
        .inventory(
            &InventoryQuery {
                codes,
                ..InventoryQuery::default()
            },
            false,
        )
        .await
        .unwrap()
        .value;
    assert_eq!((found.items.len(), found.has_more), (2, false));
    let oversold = found
        .items
        .iter()
        .find(|item| item.code() == "TEE-M")
        .unwrap();
    assert_eq!(oversold.stock().and_then(|stock| stock.as_i64()), Some(-4));
    let id = InventoryItemId::parse(&oversold.id()).unwrap();
    assert_eq!(
        shop.inventory_item(&id, false).await.unwrap().value.name(),
        oversold.name()
    );
    let missing = InventoryItemId::parse("1").unwrap();
    assert_eq!(
        shop.inventory_item(&missing, false)
            .await
            .unwrap_err()
            .code(),
        "not_found"
    );
}
