//! What is counted. Labels come from closed sets: no id, no shop, no key ever becomes one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use orderdesk_sandbox::{Fault, Rule};

use crate::kit::{Kit, ORDER, order_id};

/// Keeps every series by its written form.
#[derive(Default)]
struct Book {
    cells: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
}

/// A histogram that counts its samples.
struct Samples(Arc<AtomicU64>);

impl HistogramFn for Samples {
    fn record(&self, _value: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Book {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let series = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.cells.lock().unwrap().entry(series).or_default())
    }

    fn value(&self, series: &str) -> u64 {
        self.cells
            .lock()
            .unwrap()
            .get(series)
            .map_or(0, |cell| cell.load(Ordering::SeqCst))
    }

    fn text(&self) -> String {
        self.cells
            .lock()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Recorder for Book {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Samples(self.cell(key))))
    }
}

#[tokio::test]
async fn requests_retries_and_cache_operations_are_counted() {
    let book = Book::default();
    let _recording = metrics::set_default_local_recorder(&book);
    let kit = Kit::new().await;
    let shop = kit.shop();
    kit.sandbox
        .faults()
        .add(Rule::new(Fault::server_error(502)).times(2));
    shop.order(&order_id(ORDER), false).await.unwrap();
    shop.order(&order_id(ORDER), false).await.unwrap();
    kit.bump_epoch();
    shop.order(&order_id(ORDER), false).await.unwrap();

    let expected = [
        (
            "orderdesk_api_calls_total{endpoint=/orders/{order_id},method=GET,status_code=502}",
            2,
        ),
        (
            "orderdesk_api_calls_total{endpoint=/orders/{order_id},method=GET,status_code=200}",
            2,
        ),
        (
            "orderdesk_api_duration_seconds{endpoint=/orders/{order_id},method=GET}",
            4,
        ),
        ("orderdesk_api_retries_total{reason=502}", 2),
        (
            "cache_operations_total{operation=hit,resource_type=orders}",
            1,
        ),
        (
            "cache_operations_total{operation=miss,resource_type=orders}",
            2,
        ),
        (
            "cache_operations_total{operation=invalidate,resource_type=orders}",
            1,
        ),
        (
            "cache_operations_total{operation=set,resource_type=orders}",
            2,
        ),
    ];
    for (series, count) in expected {
        assert_eq!(book.value(series), count, "{series}");
    }
    assert_eq!(f64::from_bits(book.value("cache_items{}")), 1.0);
    assert!(f64::from_bits(book.value("cache_size_bytes{}")) > 1000.0);
}

#[tokio::test]
async fn what_never_got_an_answer_is_counted_by_what_happened() {
    let book = Book::default();
    let _recording = metrics::set_default_local_recorder(&book);
    let mut kit = Kit::new().await;
    kit.config.max_retries = 1;
    kit.config.http_timeout = std::time::Duration::from_millis(100);
    kit.sandbox.faults().next(Fault::CutBefore);
    kit.sandbox.faults().next(Fault::HangBefore);
    assert_eq!(
        kit.shop().settings(false).await.unwrap_err().code(),
        "timeout"
    );
    for status in ["unreachable", "timeout"] {
        assert_eq!(
            book.value(&format!(
                "orderdesk_api_calls_total{{endpoint=/store,method=GET,status_code={status}}}"
            )),
            1,
            "{}",
            book.text()
        );
    }
    assert_eq!(
        book.value("orderdesk_api_retries_total{reason=unreachable}"),
        1
    );
}

#[tokio::test]
async fn no_label_names_a_shop_or_a_thing_in_it() {
    let book = Book::default();
    let _recording = metrics::set_default_local_recorder(&book);
    let kit = Kit::new().await;
    let shop = kit.shop();
    shop.settings(false).await.unwrap();
    shop.order(&order_id(ORDER), false).await.unwrap();
    shop.find("zoe.lukasik@example.com", false).await.unwrap();
    let text = book.text();
    for private in [
        ORDER,
        "4242",
        "zoe",
        "127.0.0.1",
        kit.sandbox.store(0).api_key.as_str(),
    ] {
        assert!(!text.contains(private), "{private} in\n{text}");
    }
}
