//! Laws of the bucket, checked over simulated days with jumping clocks.

use proptest::prelude::*;

use super::*;

const API: Limits = Limits {
    burst: 20,
    per_second: 3.0,
};
const LONG: Duration = MAX_AHEAD;
const SECOND_US: i64 = 1_000_000;

/// What happens to a bucket, in order. `rest_us` of real time pass before it.
#[derive(Debug, Clone)]
enum Event {
    Reserve { tokens: u32, patience_ms: u64 },
    Reconcile { remaining: u32 },
    Exhausted { retry_after_ms: u64 },
    ClockBack { by_us: i64 },
}

fn event() -> impl Strategy<Value = (i64, Event)> {
    let what = prop_oneof![
        10 => (1_u32..4, 0_u64..70_000).prop_map(|(tokens, patience_ms)| Event::Reserve { tokens, patience_ms }),
        1 => (0_u32..25).prop_map(|remaining| Event::Reconcile { remaining }),
        1 => (0_u64..100_000).prop_map(|retry_after_ms| Event::Exhausted { retry_after_ms }),
        1 => (0_i64..200 * SECOND_US).prop_map(|by_us| Event::ClockBack { by_us }),
    ];
    (prop_oneof![0_i64..50_000, 0_i64..3 * SECOND_US], what)
}

/// One granted request: when it is sent (real time, microseconds) and how many tokens it takes.
type Grant = (i64, i64);

/// Plays events against one bucket; all processes share it, so their number does not matter, only their order.
fn play(limits: Limits, events: &[(i64, Event)]) -> Vec<Grant> {
    let (mut real_us, mut offset_us) = (0_i64, 1_700_000_000 * SECOND_US);
    let (mut bucket, mut grants) = (Bucket::default(), Vec::new());
    for (rest_us, event) in events {
        real_us += rest_us;
        let now_us = real_us + offset_us;
        match *event {
            Event::Reserve {
                tokens,
                patience_ms,
            } => {
                let patience = Duration::from_millis(patience_ms);
                if let Ok((after, wait)) = bucket.reserve(now_us, limits, tokens, patience) {
                    assert!(wait <= patience);
                    bucket = after;
                    grants.push((
                        real_us + i64::try_from(wait.as_micros()).unwrap(),
                        i64::from(tokens),
                    ));
                }
            }
            Event::Reconcile { remaining } => {
                bucket = bucket
                    .reconcile(now_us, limits, remaining)
                    .unwrap_or(bucket);
            }
            Event::Exhausted { retry_after_ms } => {
                bucket = bucket.exhausted(now_us, limits, Duration::from_millis(retry_after_ms));
            }
            Event::ClockBack { by_us } => offset_us -= by_us,
        }
    }
    grants
}

/// The most that any window of time contains, over what the limits allow in it.
fn excess(limits: Limits, grants: &[Grant]) -> f64 {
    let mut worst = f64::MIN;
    for (first, (start_us, _)) in grants.iter().enumerate() {
        let mut tokens = 0;
        for (end_us, taken) in &grants[first..] {
            tokens += taken;
            let seconds = (end_us - start_us) as f64 / 1e6;
            worst =
                worst.max(tokens as f64 - (f64::from(limits.burst) + limits.per_second * seconds));
        }
    }
    worst
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_of_time_holds_more_than_burst_and_rate_allow(
        events in prop::collection::vec(event(), 1..120),
        burst in 3_u32..30,
        per_second in 0.5_f64..50.0,
    ) {
        let limits = Limits { burst, per_second };
        prop_assert!(excess(limits, &play(limits, &events)) <= 1e-6);
    }

    #[test]
    fn who_asks_first_sends_first(events in prop::collection::vec(event(), 1..120)) {
        let sent: Vec<_> = play(API, &events).into_iter().map(|(at_us, _)| at_us).collect();
        prop_assert!(sent.is_sorted(), "{sent:?}");
    }

    #[test]
    fn the_server_can_only_make_us_slower(
        events in prop::collection::vec(event(), 0..40), remaining in 0_u32..40, now_us in 0..i64::MAX / 4,
    ) {
        let drawn = u32::try_from(events.len()).unwrap();
        let (bucket, _) = Bucket::default().reserve(now_us, API, drawn, LONG).unwrap();
        if let Some(after) = bucket.reconcile(now_us, API, remaining) {
            prop_assert!(after.available(now_us, API) < bucket.available(now_us, API));
            prop_assert!((after.available(now_us, API) - f64::from(remaining)).abs() < 1e-6);
        } else {
            prop_assert!(bucket.available(now_us, API) <= f64::from(remaining) + 1e-6);
        }
    }

    #[test]
    fn whatever_is_stored_nobody_waits_longer_than_the_cap(tat_us: i64, updated_us: i64, now_us in 0..i64::MAX / 4) {
        let bucket = Bucket { tat_us, updated_us };
        let second = Duration::from_millis(334);
        prop_assert!(bucket.wait(now_us, API) <= MAX_AHEAD + second);
        prop_assert!(bucket.available(now_us, API) <= 20.0);
        let _ = bucket.reserve(now_us, API, u32::MAX, LONG);
        let _ = bucket.exhausted(now_us, API, Duration::MAX);
    }
}

#[test]
fn a_burst_is_free_and_the_next_ones_come_at_the_rate() {
    let mut bucket = Bucket::default();
    let mut waits = Vec::new();
    for _ in 0..23 {
        let (after, wait) = bucket.reserve(SECOND_US, API, 1, LONG).unwrap();
        (bucket, _) = (after, waits.push(wait.as_millis()));
    }
    assert_eq!(waits[..20], [0; 20]);
    assert_eq!(waits[20..], [333, 666, 1000]);
}

#[test]
fn who_will_not_wait_takes_no_place() {
    let (empty, _) = Bucket::default().reserve(0, API, 20, LONG).unwrap();
    let would_wait = empty
        .reserve(0, API, 1, Duration::from_millis(100))
        .unwrap_err();
    assert_eq!(would_wait.as_millis(), 333);
    let (_, wait) = empty.reserve(0, API, 1, LONG).unwrap();
    assert_eq!(wait, would_wait, "the impatient one is not in the way");
}

#[test]
fn fifty_waiting_processes_all_get_their_turn() {
    let limits = Limits {
        burst: 1,
        per_second: 2.9,
    };
    let mut bucket = Bucket::default();
    for _ in 0..50 {
        (bucket, _) = bucket
            .reserve(0, limits, 1, LONG)
            .expect("fifty at 2.9 per second are within a minute");
    }
}

#[test]
fn after_a_refusal_nobody_sends_before_the_server_said_and_then_one_at_a_time() {
    let bucket = Bucket::default().exhausted(0, API, Duration::from_secs(5));
    let (bucket, first) = bucket.reserve(0, API, 1, LONG).unwrap();
    let (_, second) = bucket.reserve(0, API, 1, LONG).unwrap();
    assert_eq!((first.as_millis(), second.as_millis()), (5000, 5333));
}

#[test]
fn an_absurd_retry_after_is_capped() {
    let bucket = Bucket::default().exhausted(0, API, Duration::from_secs(1_000_000));
    assert_eq!(bucket.wait(0, API), MAX_AHEAD);
}

#[test]
fn a_clock_set_forward_costs_one_burst_at_most() {
    let (empty, _) = Bucket::default().reserve(0, API, 20, LONG).unwrap();
    assert!(empty.available(24 * 3600 * SECOND_US, API) <= 20.0);
}

#[test]
fn a_clock_set_back_by_a_day_keeps_nobody_waiting_for_a_day() {
    let day_us = 24 * 3600 * SECOND_US;
    let (empty, _) = Bucket::default()
        .reserve(2 * day_us, API, 20, LONG)
        .unwrap();
    let (_, wait) = empty.reserve(day_us, API, 1, LONG).unwrap();
    assert_eq!(wait.as_millis(), 333);
}

#[test]
fn senseless_limits_are_slow_not_fast() {
    for per_second in [0.0, -1.0, f64::NAN] {
        let limits = Limits {
            burst: 0,
            per_second,
        };
        let (one, wait) = Bucket::default().reserve(0, limits, 1, LONG).unwrap();
        assert_eq!(wait, Duration::ZERO);
        assert!(one.reserve(0, limits, 1, LONG).is_err());
    }
}
