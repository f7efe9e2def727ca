//! The laws of keeping, and the rules by example.

use proptest::prelude::*;

use super::*;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A Saturday, some minutes past an hour.
const NOW_MS: i64 = 1_795_297_211_000;

fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW_MS).unwrap()
}

fn keep(hourly: u64, daily: u64, weekly: u64, monthly: u64) -> Keep {
    Keep {
        last: 0,
        hourly,
        daily,
        weekly,
        monthly,
    }
}

fn at(at_ms: i64, good: bool) -> Candidate {
    Candidate {
        id: BackupId::new(at_ms),
        at_ms,
        good,
    }
}

/// Good backups, so long before now.
fn ago(spans_ms: &[i64]) -> Vec<Candidate> {
    spans_ms
        .iter()
        .map(|span_ms| at(NOW_MS - span_ms, true))
        .collect()
}

fn after(backups: &[Candidate], doomed: &[BackupId]) -> Vec<Candidate> {
    backups
        .iter()
        .filter(|backup| !doomed.contains(&backup.id))
        .cloned()
        .collect()
}

#[test]
fn of_each_hour_the_newest_stays() {
    let backups = ago(&[0, 60_000, HOUR_MS, HOUR_MS + 60_000, 2 * HOUR_MS]);
    let doomed = doomed(&backups, &keep(2, 0, 0, 0), now());
    assert_eq!(
        doomed,
        [
            backups[4].id.clone(),
            backups[3].id.clone(),
            backups[1].id.clone()
        ]
    );
}

#[test]
fn hours_without_a_backup_do_not_count() {
    let backups = ago(&[40 * DAY_MS, 41 * DAY_MS, 42 * DAY_MS]);
    assert_eq!(doomed(&backups, &keep(3, 0, 0, 0), now()), []);
}

#[test]
fn a_backup_that_two_rules_want_counts_for_both() {
    let backups = ago(&[0, DAY_MS, 2 * DAY_MS]);
    // The newest is the hour's, the day's and the week's.
    let doomed = doomed(&backups, &keep(1, 1, 1, 0), now());
    assert_eq!(doomed, [backups[2].id.clone(), backups[1].id.clone()]);
}

#[test]
fn weeks_begin_on_monday_and_may_span_a_new_year() {
    let ms = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
    let moments = [
        "2027-01-04T00:00:00Z", // Monday
        "2027-01-03T23:59:59Z", // Sunday of the week before
        "2026-12-28T00:00:00Z", // Monday of the same week
        "2026-12-27T23:59:59Z",
    ];
    let backups: Vec<_> = moments.iter().map(|text| at(ms(text), true)).collect();
    let now = Timestamp::from_millisecond(ms("2027-01-05T00:00:00Z")).unwrap();
    let doomed = doomed(&backups, &keep(0, 0, 3, 0), now);
    assert_eq!(doomed, [backups[2].id.clone()]);
}

#[test]
fn the_newest_few_stay_whatever_their_hour() {
    let backups = ago(&[0, 1_000, 2_000, 3_000]);
    let doomed = doomed(
        &backups,
        &Keep {
            last: 3,
            ..keep(1, 1, 0, 0)
        },
        now(),
    );
    assert_eq!(doomed, [backups[3].id.clone()]);
}

#[test]
fn of_two_in_one_second_the_later_is_the_newer_one() {
    for _ in 0..20 {
        let mut backups = ago(&[0, 0]);
        backups[0].at_ms += 1;
        let doomed = doomed(&backups, &keep(1, 0, 0, 0), now());
        assert_eq!(doomed, [backups[1].id.clone()]);
    }
}

#[test]
fn without_any_rule_nothing_goes() {
    let backups = ago(&[0, DAY_MS, 400 * DAY_MS]);
    assert_eq!(doomed(&backups, &Keep::EVERYTHING, now()), []);
}

#[test]
fn what_cannot_be_counted_on_never_displaces_what_can_and_goes_when_a_good_one_is_newer() {
    let mut backups = ago(&[0, 60_000, DAY_MS]);
    backups[0].good = false;
    let rules = keep(1, 0, 0, 0);
    assert_eq!(
        doomed(&backups, &rules, now()),
        [backups[2].id.clone()],
        "the newest good one is a minute old; the bad one is newer and stays for who looks into it"
    );
    backups.push(at(NOW_MS, true));
    assert!(doomed(&backups, &rules, now()).contains(&backups[1].id));
}

#[test]
fn when_nothing_is_good_nothing_goes() {
    let mut backups = ago(&[0, DAY_MS, 400 * DAY_MS]);
    for backup in &mut backups {
        backup.good = false;
    }
    assert_eq!(doomed(&backups, &keep(1, 1, 1, 1), now()), []);
}

#[test]
fn a_clock_that_was_wrong_costs_no_good_backup() {
    // Made while the clock was a year ahead: it takes nobody's place.
    let backups = ago(&[-365 * DAY_MS, 0, HOUR_MS, DAY_MS]);
    let rules = keep(2, 2, 0, 0);
    assert_eq!(doomed(&backups, &rules, now()), []);
    // The clock goes back by a year: everything is in the future, and stays.
    let then = Timestamp::from_millisecond(NOW_MS - 365 * DAY_MS).unwrap();
    assert_eq!(
        doomed(&ago(&[0, HOUR_MS, DAY_MS]), &keep(1, 0, 0, 0), then),
        []
    );
}

#[test]
fn what_is_made_while_the_clock_is_ahead_takes_nobodys_place() {
    let rules = Keep {
        last: 1,
        ..keep(3, 3, 3, 3)
    };
    let mut backups =
        ago(&[0, 1, 2, 24, 48, 7 * 24, 14 * 24, 31 * 24, 62 * 24].map(|hours| hours * HOUR_MS));
    assert_eq!(doomed(&backups, &rules, now()), []);
    // The clock is set forward by years, again and again; each time a backup is made, and pruned by hand as well.
    for years in [5, 9, 30] {
        let then_ms = NOW_MS + years * 365 * DAY_MS;
        backups.push(at(then_ms, true));
        let then = Timestamp::from_millisecond(then_ms).unwrap();
        assert_eq!(doomed(&backups, &rules, then), [], "{years}");
    }
    // There is an end to it.
    let then_ms = NOW_MS + 60 * 365 * DAY_MS;
    backups.push(at(then_ms, true));
    let then = Timestamp::from_millisecond(then_ms).unwrap();
    assert!(!doomed(&backups, &rules, then).is_empty());
}

/// Up to sixty backups within two years before and a little after now, most of them good.
fn some_backups() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (-30 * DAY_MS..730 * DAY_MS, prop::bool::weighted(0.8));
    prop::collection::vec(one, 0..60).prop_map(|facts| {
        facts
            .into_iter()
            .map(|(ago_ms, good)| at(NOW_MS - ago_ms, good))
            .collect()
    })
}

fn some_keep() -> impl Strategy<Value = Keep> {
    (0..6_u64, 0..6_u64, 0..6_u64, 0..6_u64, 0..6_u64).prop_map(|(last, h, d, w, m)| Keep {
        last,
        ..keep(h, d, w, m)
    })
}

proptest! {
    #[test]
    fn the_newest_good_ones_never_go(backups in some_backups(), keep in some_keep()) {
        let doomed = doomed(&backups, &keep, now());
        let good = || backups.iter().filter(|backup| backup.good).map(|backup| &backup.id);
        if let Some(newest) = good().max() {
            prop_assert!(!doomed.contains(newest));
        }
        if let Some(newest) = good().filter(|id| id.at() <= now()).max() {
            prop_assert!(!doomed.contains(newest), "the newest that is not from the future");
        }
    }

    #[test]
    fn twice_is_once(backups in some_backups(), keep in some_keep()) {
        let first = doomed(&backups, &keep, now());
        prop_assert_eq!(doomed(&after(&backups, &first), &keep, now()), []);
    }

    #[test]
    fn more_generous_rules_doom_no_more(backups in some_backups(), mean in some_keep(), more in 0..4_u64) {
        prop_assume!(mean != Keep::EVERYTHING);
        let generous = Keep {
            last: mean.last + more,
            ..keep(mean.hourly + more, mean.daily + more, mean.weekly + more, mean.monthly + more)
        };
        let by_mean = doomed(&backups, &mean, now());
        for id in doomed(&backups, &generous, now()) {
            prop_assert!(by_mean.contains(&id));
        }
    }

    #[test]
    fn no_more_stays_than_the_rules_say(backups in some_backups(), keep in some_keep()) {
        prop_assume!(keep != Keep::EVERYTHING);
        let past: Vec<_> = backups.into_iter().filter(|backup| backup.good && backup.id.at() <= now()).collect();
        let stays = after(&past, &doomed(&past, &keep, now())).len() as u64;
        let counted = keep.hourly + keep.daily + keep.weekly + keep.monthly;
        prop_assert!(stays <= keep.last + 2 * counted + 1, "{}", stays);
    }

    #[test]
    fn without_a_leap_no_more_stays_than_the_rules_say(hours in prop::collection::vec(1..1_000_i64, 1..90), keep in some_keep()) {
        prop_assume!(keep != Keep::EVERYTHING);
        let mut ago_ms = 0;
        let backups: Vec<_> = hours.iter().map(|hours| { ago_ms += hours * HOUR_MS; at(NOW_MS - ago_ms, true) }).collect();
        let stays = after(&backups, &doomed(&backups, &keep, now())).len() as u64;
        prop_assert!(stays <= keep.last + keep.hourly + keep.daily + keep.weekly + keep.monthly + 1, "{}", stays);
    }

    #[test]
    fn a_clock_that_leaps_ahead_costs_nothing_that_a_period_keeps(
        hours in prop::collection::vec(1..1_400_i64, 0..60),
        rules in (1..6_u64, 1..6_u64, 1..6_u64, 1..6_u64).prop_map(|(h, d, w, m)| keep(h, d, w, m)),
        days in 93..90_000_i64,
        made in 1..4_i64,
    ) {
        let mut ago_ms = 0;
        let known: Vec<_> = hours.iter().map(|hours| { ago_ms += hours * HOUR_MS; at(NOW_MS - ago_ms, true) }).collect();
        let before = after(&known, &doomed(&known, &rules, now()));
        let mut left = before.clone();
        let then_ms = NOW_MS + days * DAY_MS;
        for minute in 0..made {
            left.push(at(then_ms + minute * 60_000, true));
            let then = Timestamp::from_millisecond(then_ms + minute * 60_000).unwrap();
            left = after(&left, &doomed(&left, &rules, then));
        }
        for backup in &before {
            prop_assert!(left.contains(backup), "{}", backup.id);
        }
    }

    #[test]
    fn what_is_bad_changes_nothing_for_what_is_good(backups in some_backups(), keep in some_keep()) {
        let good: Vec<_> = backups.iter().filter(|backup| backup.good).cloned().collect();
        let alone = doomed(&good, &keep, now());
        let among: Vec<_> = doomed(&backups, &keep, now())
            .into_iter()
            .filter(|id| good.iter().any(|known| known.id == *id))
            .collect();
        prop_assert_eq!(among, alone);
    }

    #[test]
    fn a_promise_holds_while_time_passes(hours in prop::collection::vec(1..30_i64, 1..80)) {
        // Backups at irregular hours, pruned after each: at the end the newest five days that have any still have one.
        let rules = keep(2, 5, 0, 0);
        let (mut backups, mut at_ms) = (Vec::new(), NOW_MS);
        let mut days = BTreeSet::new();
        for hour in hours {
            at_ms += hour * HOUR_MS;
            backups.push(at(at_ms, true));
            days.insert(at_ms / DAY_MS);
            let now = Timestamp::from_millisecond(at_ms).unwrap();
            backups = after(&backups, &doomed(&backups, &rules, now));
        }
        for day in days.iter().rev().take(5) {
            let has_one = backups.iter().any(|backup| backup.id.at().as_millisecond() / DAY_MS == *day);
            prop_assert!(has_one, "day {}", day);
        }
    }
}
