//! When a line is over, where its points lie, and what is due.

use super::*;

const PACE: Pace = Pace {
    remote: Duration::from_secs(10),
    at_least: Duration::ZERO,
};

fn running(now: Instant) -> Running {
    let key = Key::random().unwrap();
    let table = Arc::new(Table::empty(4096, 1));
    let boundary = Boundary {
        at_ms: 1_000,
        table: Some(Arc::clone(&table)),
        cut_ms: 1_000,
        cut_at: now,
        ledger: None,
    };
    let levels = [Level::Second, Level::Minute, Level::Hour, Level::Day];
    Running {
        line: Line::start(0, None),
        key,
        restore_epoch: 3,
        page_size: 4096,
        file: "this".to_owned(),
        last: Point {
            at_ms: 1_000,
            root: table.root(&key),
        },
        floor_ms: 1_000,
        series: levels
            .map(|level| (level, boundary.clone()))
            .into_iter()
            .collect(),
    }
}

#[test]
fn a_line_is_over_when_what_it_says_would_no_longer_be_true() {
    let running = running(Instant::now());
    assert_eq!(running.is_over(3, 4096, "this", 1_000), None);
    assert_eq!(
        running.is_over(3, 4096, "this", 0),
        None,
        "a correction of the clock"
    );
    assert!(running.is_over(3, 4096, "this", -1).is_some());
    assert!(running.is_over(4, 4096, "this", 1_000).is_some());
    assert!(running.is_over(3, 8192, "this", 1_000).is_some());
    assert!(running.is_over(3, 4096, "another", 1_000).is_some());
    assert_eq!(
        running.is_over(0, 4096, "another", 1_000),
        Some("another file stands in place of the state file"),
        "nobody restored a file that has been restored less often"
    );
}

#[test]
fn points_of_a_line_only_go_forward_and_the_same_state_is_the_same_point() {
    let running = running(Instant::now());
    let other = blake3::hash(b"another state");
    assert_eq!(running.point(5_000, running.last.root), running.last);
    assert_eq!(running.point(5_000, other).at_ms, 5_000);
    assert_eq!(running.point(1_000, other).at_ms, 1_001);
    assert_eq!(running.point(400, other).at_ms, 1_001);
}

#[test]
fn what_is_due_is_the_coarsest_of_those_that_may_be_behind() {
    let now = Instant::now();
    let mut running = running(now);
    let due = |running: &Running, is_unseen, after: u64| {
        let now_ms = 1_000 + i64::try_from(after).unwrap() * 1_000;
        running.due(
            &PACE,
            None,
            is_unseen,
            (now_ms, now + Duration::from_secs(after)),
        )
    };
    assert_eq!(due(&running, false, 1_000_000), None, "nothing moved");
    assert_eq!(due(&running, true, 0), None);
    assert_eq!(due(&running, true, 1), Some(Level::Second));
    assert_eq!(due(&running, true, 60), Some(Level::Minute));
    assert_eq!(due(&running, true, 4_000), Some(Level::Hour));
    assert_eq!(due(&running, true, 90_000), Some(Level::Day));
    running.series.get_mut(&Level::Minute).unwrap().at_ms = 500;
    assert_eq!(
        due(&running, false, 61),
        Some(Level::Minute),
        "it stands at an older point"
    );
}

#[test]
fn neither_a_sleeping_machine_nor_a_clock_that_was_set_hides_that_something_is_due() {
    let now = Instant::now();
    let running = running(now);
    let slept = (1_000 + 90_000_000, now);
    assert_eq!(running.due(&PACE, None, true, slept), Some(Level::Day));
    let set_back = (500, now + Duration::from_secs(70));
    assert_eq!(
        running.due(&PACE, None, true, set_back),
        Some(Level::Minute)
    );
}

#[test]
fn series_that_are_wanted_anew_begin_at_the_minutes_and_unwanted_ones_end() {
    let mut running = running(Instant::now());
    running.series.get_mut(&Level::Minute).unwrap().at_ms = 700;
    running.want(&[Level::Remote, Level::Minute, Level::Hour, Level::Day]);
    assert!(!running.series.contains_key(&Level::Second));
    assert_eq!(running.series[&Level::Remote].at_ms, 700);
    assert!(running.stand(false).is_none());
    assert_eq!(running.stand(true).unwrap().fine_ms, 700);
}
