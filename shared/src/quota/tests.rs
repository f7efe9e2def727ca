//! The bucket in the state file: one for all who share the file.

use proptest::prelude::*;

use super::*;
use crate::clock::ManualClock;
use crate::paths::Home;

const LIMITS: Limits = Limits {
    burst: 5,
    per_second: 2.0,
};
const PATIENCE: Duration = Duration::from_secs(30);

struct Desk {
    home: Home,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        Desk {
            home: Home::at(folder.path()),
            clock: Arc::new(ManualClock::default()),
            _folder: folder,
        }
    }

    /// A process of its own, as far as the state file is concerned.
    fn process(&self) -> Quota {
        let slot = Slot::new(self.home.clone());
        slot.open_now().unwrap();
        Quota::new(slot, LIMITS, Arc::clone(&self.clock) as Arc<dyn Clock>)
    }
}

#[test]
fn processes_draw_from_one_bucket_and_shops_from_their_own() {
    let desk = Desk::new();
    let (one, two) = (desk.process(), desk.process());
    for process in [&one, &two, &one, &two, &one] {
        assert_eq!(
            process.reserve("shop", 1, PATIENCE).unwrap(),
            Duration::ZERO
        );
    }
    assert_eq!(
        two.reserve("shop", 1, PATIENCE).unwrap(),
        Duration::from_millis(500)
    );
    assert_eq!(
        one.reserve("other shop", 1, PATIENCE).unwrap(),
        Duration::ZERO
    );
}

#[test]
fn ten_processes_at_once_get_ten_different_places() {
    let desk = Desk::new();
    let processes: Vec<_> = (0..10).map(|_| desk.process()).collect();
    let mut waits: Vec<_> = std::thread::scope(|scope| {
        let asking: Vec<_> = processes
            .iter()
            .map(|process| scope.spawn(|| process.reserve("shop", 1, PATIENCE).unwrap()))
            .collect();
        asking
            .into_iter()
            .map(|place| place.join().unwrap().as_millis())
            .collect()
    });
    waits.sort_unstable();
    assert_eq!(waits, [0, 0, 0, 0, 0, 500, 1000, 1500, 2000, 2500]);
}

#[test]
fn rest_fills_the_bucket() {
    let desk = Desk::new();
    let quota = desk.process();
    quota.reserve("shop", 5, PATIENCE).unwrap();
    desk.clock.advance(Duration::from_secs(1));
    assert_eq!(quota.snapshot().unwrap()[0].available_tokens, 2.0);
    desk.clock.advance(Duration::from_secs(100));
    let level = quota.snapshot().unwrap().remove(0);
    assert_eq!(
        level,
        Level {
            store_key: "shop".into(),
            available_tokens: 5.0,
            wait: Duration::ZERO
        }
    );
}

#[test]
fn what_the_server_says_is_known_to_all() {
    let desk = Desk::new();
    let (one, two) = (desk.process(), desk.process());
    one.reconcile("shop", 1).unwrap();
    assert_eq!(two.reserve("shop", 1, PATIENCE).unwrap(), Duration::ZERO);
    assert_eq!(
        two.reserve("shop", 1, PATIENCE).unwrap(),
        Duration::from_millis(500)
    );
    one.reconcile("shop", 5).unwrap();
    assert_eq!(
        two.reserve("shop", 1, PATIENCE).unwrap(),
        Duration::from_millis(1000),
        "good news is not believed"
    );
    one.exhausted("shop", Duration::from_secs(10)).unwrap();
    assert_eq!(
        two.reserve("shop", 1, PATIENCE).unwrap(),
        Duration::from_secs(10)
    );
}

#[test]
fn the_impatient_are_told_how_long_it_would_be() {
    let desk = Desk::new();
    let quota = desk.process();
    quota.reserve("shop", 5, PATIENCE).unwrap();
    let error = quota.reserve("shop", 1, Duration::ZERO).unwrap_err();
    assert_eq!(
        error.to_string(),
        "too many requests to this shop are waiting: the next free place is in 500.0ms; hint: try again then"
    );
}

#[test]
fn without_a_state_file_the_caller_decides() {
    let desk = Desk::new();
    let quota = Quota::new(
        Slot::new(desk.home.clone()),
        LIMITS,
        Arc::clone(&desk.clock) as Arc<dyn Clock>,
    );
    assert!(matches!(
        quota.reserve("shop", 1, PATIENCE),
        Err(QuotaError::Unavailable(_))
    ));
    assert!(matches!(
        quota.reconcile("shop", 1),
        Err(QuotaError::Unavailable(_))
    ));
    assert!(matches!(quota.snapshot(), Err(QuotaError::Unavailable(_))));
}

/// What one of a tenant's requests needs.
fn both<'a>(tenant: &'a str, store: &'a str, patience: Duration) -> [Want<'a>; 2] {
    const TENANT: Limits = Limits {
        burst: 2,
        per_second: 1.0,
    };
    [(tenant, TENANT), (store, LIMITS)].map(|(key, limits)| Want {
        key,
        limits,
        tokens: 1,
        patience,
    })
}

/// Tokens in the bucket of that key, as if it had [`LIMITS`].
fn left(quota: &Quota, store: &str) -> f64 {
    let levels = quota.snapshot().unwrap();
    levels
        .iter()
        .find(|level| level.store_key == store)
        .map_or(5.0, |level| level.available_tokens)
}

#[test]
fn a_tenant_at_its_limit_takes_nothing_from_the_store() {
    let desk = Desk::new();
    let quota = desk.process();
    let tenant = tenant_key("t1", Way::Reads);
    for _ in 0..2 {
        let wait = quota.reserve_all(&both(&tenant, "shop", Duration::ZERO));
        assert_eq!(wait.unwrap().wait, Duration::ZERO);
    }
    let refused = quota.reserve_all(&both(&tenant, "shop", Duration::ZERO));
    let Err(QuotaError::TooBusy { wait, want: 0 }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(wait, Duration::from_secs(1));
    assert_eq!(left(&quota, "shop"), 3.0);
    let other = tenant_key("t1", Way::Writes);
    quota
        .reserve_all(&both(&other, "shop", Duration::ZERO))
        .expect("reads and writes are counted apart");
}

#[test]
fn a_store_without_places_takes_nothing_from_the_tenant() {
    let desk = Desk::new();
    let quota = desk.process();
    quota.reserve("shop", 5, PATIENCE).unwrap();
    let tenant = tenant_key("t1", Way::Reads);
    let refused = quota.reserve_all(&both(&tenant, "shop", Duration::ZERO));
    assert!(
        matches!(refused, Err(QuotaError::TooBusy { want: 1, .. })),
        "{refused:?}"
    );
    let state = quota.slot.get().unwrap();
    assert_eq!(
        state
            .read("test", |reading| table::get(reading, &tenant))
            .unwrap(),
        None
    );
}

#[test]
fn the_longest_wait_counts_for_the_request() {
    let desk = Desk::new();
    let quota = desk.process();
    let tenant = tenant_key("t1", Way::Reads);
    let wait = |store| {
        let granted = quota.reserve_all(&both(&tenant, store, PATIENCE)).unwrap();
        (granted.wait.as_millis(), granted.want)
    };
    quota.reserve("busy", 9, PATIENCE).unwrap();
    assert_eq!(
        [wait("busy"), wait("idle"), wait("idle")],
        [(2500, 1), (0, 0), (1000, 0)],
        "and whose it is, is told"
    );
}

#[test]
fn a_bucket_wanted_twice_gives_two_tokens() {
    let desk = Desk::new();
    let quota = desk.process();
    let [want, _] = both("tenant/t1/reads", "", Duration::ZERO);
    quota.reserve_all(&[want, want]).unwrap();
    assert!(matches!(
        quota.reserve_all(&[want]),
        Err(QuotaError::TooBusy { .. })
    ));
}

#[test]
fn stores_and_tenants_are_listed_apart_and_a_tenant_sees_itself_alone() {
    let desk = Desk::new();
    let quota = desk.process();
    for tenant in ["t1", "t2", "t1"] {
        let key = tenant_key(tenant, Way::Reads);
        quota.reserve_all(&both(&key, "shop", PATIENCE)).unwrap();
    }
    let stores: Vec<_> = quota
        .snapshot()
        .unwrap()
        .into_iter()
        .map(|level| level.store_key)
        .collect();
    assert_eq!(stores, ["shop"]);
    let state = quota.slot.get().unwrap();
    let [limits, _] = both("", "", PATIENCE).map(|want| want.limits);
    let all = state.read("test", |reading| {
        tenant_levels(reading, limits, desk.clock.as_ref())
    });
    let all: Vec<_> = all
        .unwrap()
        .into_iter()
        .map(|level| (level.tenant, level.available_tokens))
        .collect();
    assert_eq!(all, [("t1".to_owned(), 0.0), ("t2".to_owned(), 1.0)]);
    let own = state.read("test", |reading| {
        levels_of_tenant(reading, "t2", limits, desk.clock.as_ref())
    });
    let own = own
        .unwrap()
        .map(|level| (level.way, level.available_tokens));
    assert_eq!(own, [(Way::Reads, 1.0), (Way::Writes, 2.0)]);
}

/// The buckets of the property below, each with its own size.
const BUCKETS: [(&str, Limits); 3] = [
    ("a", LIMITS),
    (
        "b",
        Limits {
            burst: 1,
            per_second: 10.0,
        },
    ),
    (
        "tenant/t/reads",
        Limits {
            burst: 3,
            per_second: 0.5,
        },
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Each step is a rest, the buckets that are wanted, and how long the caller would wait for each.
    #[test]
    fn all_or_nothing(steps in prop::collection::vec((0_u64..2_000, prop::collection::vec((0_usize..3, 0_u64..3_000), 1..4)), 1..12)) {
        let desk = Desk::new();
        let quota = desk.process();
        let mut model = [Bucket::default(); 3];
        for (rest_ms, wanted) in steps {
            desk.clock.advance(Duration::from_millis(rest_ms));
            let now_us = desk.clock.now().as_microsecond();
            let wants: Vec<Want<'_>> = wanted.iter().map(|(bucket, patience_ms)| {
                let (key, limits) = BUCKETS[*bucket];
                Want { key, limits, tokens: 1, patience: Duration::from_millis(*patience_ms) }
            }).collect();
            let mut after = model;
            let mut expected = Ok(Duration::ZERO);
            for (want, (bucket, _)) in wants.iter().zip(&wanted) {
                match (after[*bucket].reserve(now_us, want.limits, 1, want.patience), &mut expected) {
                    (Ok((changed, wait)), Ok(longest)) => {
                        after[*bucket] = changed;
                        *longest = wait.max(*longest);
                    }
                    (Err(wait), Ok(_)) => expected = Err(wait),
                    (_, Err(_)) => {}
                }
            }
            let got = quota.reserve_all(&wants).map(|granted| granted.wait).map_err(|error| match error {
                QuotaError::TooBusy { wait, .. } => wait,
                QuotaError::Unavailable(_) => Duration::MAX,
            });
            prop_assert_eq!(got, expected);
            if expected.is_ok() {
                model = after;
            }
            let state = quota.slot.get().unwrap();
            for ((key, _), bucket) in BUCKETS.iter().zip(model) {
                let stored = state.read("test", |reading| bucket_of(reading, key)).unwrap();
                prop_assert_eq!(stored, bucket, "{}", key);
            }
        }
    }
}
