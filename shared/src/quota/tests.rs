//! The bucket in the state file: one for all who share the file.

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
