//! What the cache keeps, for how long, and what it lets go.

use serde_json::json;

use super::*;

const TTL: Duration = Duration::from_secs(15);

struct Bench {
    cache: Cache,
    now: Instant,
}

impl Bench {
    fn new(max_entries: usize, max_bytes: usize) -> Bench {
        Bench {
            cache: Cache::new(max_entries, max_bytes),
            now: Instant::now(),
        }
    }

    fn put(&self, key: &str, value: u32, epoch: u64) {
        self.put_asked(key, value, epoch, self.now);
    }

    fn put_asked(&self, key: &str, value: u32, epoch: u64, asked_at: Instant) {
        let entry = Entry {
            value: Arc::new(value),
            fetched_at: Timestamp::UNIX_EPOCH,
            resource: "orders",
            weight: 1000,
            epoch,
            asked_at,
            expires_at: self.now + TTL,
        };
        self.cache.put(key.to_owned(), entry, self.now);
    }

    fn get(&self, key: &str, epoch: u64) -> Option<u32> {
        self.cache
            .get(key, epoch, self.now, "orders")
            .map(|hit| *hit.value.downcast::<u32>().unwrap())
    }
}

#[test]
fn an_entry_is_served_until_its_time_is_over_and_then_its_memory_is_given_back() {
    let mut bench = Bench::new(10, 1 << 20);
    bench.put("a", 1, 5);
    assert_eq!(bench.get("a", 5), Some(1));
    bench.now += TTL - Duration::from_millis(1);
    assert_eq!(bench.get("a", 5), Some(1));
    bench.now += Duration::from_millis(1);
    assert_eq!(bench.get("a", 5), None);
    assert_eq!(bench.cache.status(), CacheStatus::default());
}

#[test]
fn an_entry_of_another_epoch_is_never_served_and_dropped() {
    let bench = Bench::new(10, 1 << 20);
    bench.put("a", 1, 5);
    assert_eq!(bench.get("a", 6), None);
    assert_eq!(bench.get("a", 5), None, "it is gone, not hidden");
    bench.put("a", 2, 6);
    assert_eq!(bench.get("a", 6), Some(2));
}

#[test]
fn the_number_of_entries_is_bounded_and_the_least_used_goes_first() {
    let bench = Bench::new(2, 1 << 20);
    bench.put("a", 1, 0);
    bench.put("b", 2, 0);
    assert_eq!(bench.get("a", 0), Some(1));
    bench.put("c", 3, 0);
    assert_eq!(
        (bench.get("a", 0), bench.get("b", 0), bench.get("c", 0)),
        (Some(1), None, Some(3))
    );
}

#[test]
fn the_bytes_are_bounded_and_add_up_to_zero_again() {
    let mut bench = Bench::new(1000, 5000);
    for number in 0..50 {
        bench.put(&format!("key-{number}"), number, 0);
        assert!(bench.cache.status().bytes <= 5000);
    }
    assert_eq!(bench.cache.status().items, 3);
    bench.put("key-49", 7, 0);
    assert_eq!(bench.cache.status().items, 3, "replacing adds nothing");
    bench.now += TTL;
    for number in 0..50 {
        assert_eq!(bench.get(&format!("key-{number}"), 0), None);
    }
    assert_eq!(bench.cache.status(), CacheStatus::default());
}

#[test]
fn entries_that_nobody_asks_for_again_are_removed_all_the_same() {
    let mut bench = Bench::new(1000, 1 << 20);
    for number in 0..100 {
        bench.put(&format!("key-{number}"), number, 0);
    }
    bench.now += TTL;
    bench.put("new", 1, 0);
    assert_eq!(bench.cache.status().items, 1);
}

#[test]
fn what_is_larger_than_the_whole_cache_is_not_kept_and_pushes_nothing_out() {
    let bench = Bench::new(10, 1100);
    bench.put("a", 1, 0);
    assert_eq!(bench.cache.status().items, 0);
    let bench = Bench::new(10, 2000);
    bench.put("a", 1, 0);
    assert_eq!(bench.cache.status().items, 1);
}

#[test]
fn a_slow_answer_does_not_replace_one_that_was_asked_for_later() {
    let mut bench = Bench::new(10, 1 << 20);
    let early = bench.now;
    bench.now += Duration::from_secs(1);
    bench.put("a", 2, 0);
    bench.put_asked("a", 1, 0, early);
    assert_eq!(bench.get("a", 0), Some(2));
}

#[test]
fn a_cache_of_no_entries_or_no_bytes_is_off() {
    for (entries, bytes) in [(0, 1 << 20), (10, 0)] {
        let bench = Bench::new(entries, bytes);
        assert!(!bench.cache.is_on());
        bench.put("a", 1, 0);
        assert_eq!(bench.cache.status(), CacheStatus::default());
    }
}

#[test]
fn a_decoded_object_weighs_more_than_its_text() {
    let value =
        json!({"id": "7001001", "items": [{"name": "Tote", "price": 16}], "map": {"a": "b"}});
    let weight = weigh_object(value.as_object().unwrap());
    let text = value.to_string().len();
    assert!(
        weight > 2 * text && weight < 20 * text,
        "{weight} for {text}"
    );
}
