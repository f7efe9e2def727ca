//! Filters and dates as people write them, and what is asked of the API for them.

use super::*;

fn sent(query: &OrdersQuery) -> String {
    query
        .pairs()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn an_empty_query_asks_for_the_first_page_only() {
    assert_eq!(sent(&OrdersQuery::default()), "limit=50&offset=0");
}

#[test]
fn every_filter_reaches_the_query_string_by_the_name_of_the_api() {
    let query = OrdersQuery {
        folder_ids: vec!["50101".into(), "50102".into()],
        folder_name: some("New"),
        source_id: some("#10 42"),
        source_name: some("Shopify"),
        search_start_date: some("2026-03-01"),
        search_end_date: some("2026-03-31"),
        search_start_date_local: some("2026-03-01"),
        search_end_date_local: some("2026-03-31"),
        modified_start_date: some("2026-03-01T00:00:00+02:00"),
        modified_end_date: some("2026-03-31 10:00:00"),
        email: some("a@example.com"),
        customer_id: some("C-1"),
        customer_first_name: some("A"),
        customer_last_name: some("B"),
        customer_company: some("C"),
        customer_address1: some("D"),
        customer_phone: some("E"),
        shipping_first_name: some("F"),
        shipping_last_name: some("G"),
        shipping_company: some("H"),
        shipping_address1: some("I"),
        shipping_phone: some("J"),
        order_by: some("date_updated"),
        order: some("asc"),
        limit: Some(500),
        offset: 1000,
        with_history: true,
    };
    assert_eq!(
        sent(&query),
        "folder_id=50101,50102&folder_name=New&source_id=#10 42&source_name=Shopify&email=a@example.com&customer_id=C-1\
         &customer_first_name=A&customer_last_name=B&customer_company=C&customer_address1=D&customer_phone=E\
         &shipping_first_name=F&shipping_last_name=G&shipping_company=H&shipping_address1=I&shipping_phone=J\
         &search_start_date=2026-03-01 00:00:00&search_end_date=2026-03-31 23:59:59\
         &search_start_date_local=2026-03-01 00:00:00&search_end_date_local=2026-03-31 23:59:59\
         &modified_start_date=2026-02-28 22:00:00&modified_end_date=2026-03-31 10:00:00\
         &get_order_history=1&order_by=date_updated&order=ASC&limit=500&offset=1000"
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_a_hint_before_anything_is_sent() {
    let bad = [
        OrdersQuery {
            limit: Some(0),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            limit: Some(501),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            order_by: some("price"),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            order: some("down"),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            folder_ids: vec!["New".into()],
            ..OrdersQuery::default()
        },
        OrdersQuery {
            search_start_date: some("last week"),
            ..OrdersQuery::default()
        },
        OrdersQuery {
            search_start_date: some("2026-04-01"),
            search_end_date: some("2026-03-01"),
            ..OrdersQuery::default()
        },
    ];
    for query in bad {
        let error = query.pairs().unwrap_err();
        assert_eq!(error.code(), "bad_request", "{query:?}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn one_day_is_a_range_of_one_day() {
    let query = OrdersQuery {
        search_start_date: some("2026-03-31"),
        search_end_date: some("2026-03-31"),
        ..OrdersQuery::default()
    };
    assert!(
        sent(&query)
            .contains("search_start_date=2026-03-31 00:00:00&search_end_date=2026-03-31 23:59:59")
    );
}

#[test]
fn skus_travel_as_one_list_and_a_comma_inside_one_is_refused() {
    let query = InventoryQuery {
        codes: vec!["TOTE".into(), " MUG ".into(), String::new()],
        limit: Some(5),
        offset: 10,
    };
    assert_eq!(
        query.pairs().unwrap(),
        [
            ("code", "TOTE,MUG".to_owned()),
            ("limit", "5".to_owned()),
            ("offset", "10".to_owned())
        ]
    );
    assert!(
        InventoryQuery {
            codes: vec!["A,B".into()],
            ..InventoryQuery::default()
        }
        .pairs()
        .is_err()
    );
}
