//! When a backup is due: plans by example, and what a clock may do to them.

use proptest::prelude::*;

use super::*;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn schedule(text: &str) -> Schedule {
    Schedule::parse(text).unwrap()
}

/// Without jitter.
fn next(text: &str, last: &str, now: &str) -> String {
    let next = schedule(text).next_after(Some(ms(last)), ms(now), 0, &TimeZone::UTC);
    Timestamp::from_millisecond(next.unwrap())
        .unwrap()
        .to_string()
}

#[test]
fn a_span_counts_from_the_beginning_of_the_last_backup() {
    assert_eq!(
        next("6h", "2026-11-21T03:00:00Z", "2026-11-21T04:00:00Z"),
        "2026-11-21T09:00:00Z"
    );
}

#[test]
fn a_cron_expression_means_the_time_on_the_wall() {
    assert_eq!(
        next("0 3 * * *", "2026-11-21T03:00:00Z", "2026-11-21T04:00:00Z"),
        "2026-11-22T03:00:00Z"
    );
    // Five hours west of Greenwich: three at night there is eight here.
    let west = TimeZone::fixed(jiff::tz::offset(-5));
    let next = schedule("0 3 * * *").next_after(
        Some(ms("2026-11-21T08:00:00Z")),
        ms("2026-11-21T09:00:00Z"),
        0,
        &west,
    );
    assert_eq!(next, Some(ms("2026-11-22T08:00:00Z")));
}

#[test]
fn a_change_to_summer_time_skips_no_backup_and_doubles_none() {
    let Ok(zone) = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3") else {
        unreachable!("a zone as POSIX writes them")
    };
    let daily = schedule("30 2 * * *");
    let mut at_ms = ms("2026-03-27T12:00:00Z");
    let mut days = Vec::new();
    for _ in 0..4 {
        at_ms = daily.next_after(Some(at_ms), at_ms, 0, &zone).unwrap();
        let local = Timestamp::from_millisecond(at_ms)
            .unwrap()
            .to_zoned(zone.clone());
        days.push((local.day(), local.hour()));
    }
    // On the 29th there is no half past two.
    assert_eq!(days, [(28, 2), (29, 3), (30, 2), (31, 2)]);
}

#[test]
fn without_a_backup_one_is_due_at_once_and_off_is_never() {
    for text in ["6h", "0 3 * * *"] {
        assert_eq!(
            schedule(text).next_after(None, 5000, 0, &TimeZone::UTC),
            Some(5000)
        );
    }
    assert_eq!(
        schedule("off").next_after(None, 5000, 0, &TimeZone::UTC),
        None
    );
    assert_eq!(
        schedule("off").next_after(Some(1), 5000, 0, &TimeZone::UTC),
        None
    );
}

#[test]
fn what_was_missed_is_made_up_for_once() {
    for text in ["1h", "0 * * * *"] {
        let schedule = schedule(text);
        let (last_ms, woke_ms) = (ms("2026-11-21T03:00:00Z"), ms("2026-11-28T12:34:00Z"));
        let due = schedule.next_after(Some(last_ms), woke_ms, 0, &TimeZone::UTC);
        assert!(due.unwrap() <= woke_ms, "due after a week of sleep");
        let then = schedule.next_after(Some(woke_ms), woke_ms + 1000, 0, &TimeZone::UTC);
        assert!(then.unwrap() > woke_ms + MINUTE_MS, "and not again at once");
    }
}

#[test]
fn a_clock_that_was_far_ahead_holds_up_no_backup() {
    for text in ["6h", "0 3 * * *"] {
        let schedule = schedule(text);
        let now_ms = ms("2026-11-21T12:00:00Z");
        let next = schedule.next_after(Some(now_ms + 365 * DAY_MS), now_ms, 0, &TimeZone::UTC);
        assert_eq!(next, Some(now_ms));
        // A small step back is no reason to make another one at once.
        let next = schedule.next_after(Some(now_ms + 1000), now_ms, 0, &TimeZone::UTC);
        assert!(next.unwrap() > now_ms + HOUR_MS);
    }
}

#[test]
fn what_is_no_schedule_is_refused() {
    for wrong in [
        "60 3 * * *",
        "0 3 * * mon-xyz",
        "* * * *",
        "hourly",
        "0 0 0 3 * *",
        "0 0 30 2 *",
    ] {
        Schedule::parse(wrong).unwrap_err();
    }
}

#[test]
fn the_interval_is_known_for_who_asks_what_is_late() {
    let utc = TimeZone::UTC;
    assert_eq!(schedule("6h").interval_ms(0, &utc), Some(6 * HOUR_MS));
    assert_eq!(schedule("0 3 * * *").interval_ms(0, &utc), Some(DAY_MS));
    assert_eq!(schedule("off").interval_ms(0, &utc), None);
}

proptest! {
    #[test]
    fn jitter_is_a_tenth_at_most_and_five_minutes_at_most(seed: u64, minutes in 1..2000_i64) {
        let every = Schedule::Every(Duration::from_secs(60 * minutes.unsigned_abs()));
        let planned_ms = minutes * MINUTE_MS;
        let next_ms = every.next_after(Some(0), 1, seed, &TimeZone::UTC).unwrap();
        let jitter_ms = next_ms - planned_ms;
        prop_assert!((0..=(planned_ms / 10).min(5 * MINUTE_MS)).contains(&jitter_ms), "{}", jitter_ms);
        prop_assert_eq!(every.next_after(Some(0), 1, seed, &TimeZone::UTC), Some(next_ms));
    }

    /// Whatever the clock does, a loop that asks every second and obeys makes at most one backup per jump and per interval.
    #[test]
    fn a_jumping_clock_is_no_storm(jumps in prop::collection::vec(-3 * DAY_MS..3 * DAY_MS, 1..8), seed: u64) {
        let hourly = Schedule::Every(Duration::from_secs(3600));
        let (mut clock_ms, mut last_ms, mut made) = (NOW_MS, Some(NOW_MS), 0_usize);
        let hours_between = 3;
        for jump in &jumps {
            clock_ms += jump;
            for _ in 0..hours_between * 60 {
                clock_ms += MINUTE_MS;
                if hourly.next_after(last_ms, clock_ms, seed, &TimeZone::UTC).unwrap() <= clock_ms {
                    last_ms = Some(clock_ms);
                    made += 1;
                }
            }
        }
        prop_assert!(made <= jumps.len() * (hours_between + 1), "{} backups", made);
        prop_assert!(made + 2 * jumps.len() >= jumps.len() * hours_between, "{} backups", made);
    }
}

const NOW_MS: i64 = 1_795_297_211_000;
