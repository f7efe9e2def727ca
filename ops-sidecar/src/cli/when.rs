//! A moment as a person writes it.
//!
//! Here: RFC 3339, the clock on the wall of this machine, and how long ago. Not here: what lies at that moment. A time that could mean two
//! moments, none, or one that has not come yet is an error: a restore is no place for guesses.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

/// What can be written, for errors.
const FORMS: &str = "write a moment (2026-11-21T15:00:00Z), a time of this machine's clock (\"2026-11-21 15:00\", 15:00) or how long ago (10m, \"2h 30m ago\")";

/// The text is no moment that a restore could aim at.
#[derive(Debug, thiserror::Error)]
pub(super) enum WhenError {
    #[error("`{text}` is no time; hint: {FORMS}")]
    NoTime { text: String },
    #[error(
        "`{text}` came twice, when the clocks were set back: as {first} and as {second}; hint: write one of these"
    )]
    Twice {
        text: String,
        first: Timestamp,
        second: Timestamp,
    },
    #[error(
        "`{text}` never came: the clocks were set forward over it; hint: write the moment with its offset, like 2026-11-21T15:00:00Z"
    )]
    Never { text: String },
    #[error("`{text}` is {moment}, which has not come yet; hint: it is {now} now")]
    Ahead {
        text: String,
        moment: Timestamp,
        now: Timestamp,
    },
}

/// The moment that `text` means on a machine whose clock shows `now` in `zone`.
///
/// # Errors
/// It is no time, it is ambiguous, or it has not come yet.
pub(super) fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, WhenError> {
    let moment = any_moment(text, now, zone)?;
    if moment > now {
        let text = text.to_owned();
        return Err(WhenError::Ahead { text, moment, now });
    }
    Ok(moment)
}

/// The same for one that may lie ahead.
///
/// # Errors
/// It is no time, or it is ambiguous.
pub(super) fn any_moment(
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, WhenError> {
    let text = text.trim();
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    if let Some(local) = local(text, now, zone) {
        return on_the_wall(text, local, zone);
    }
    ago(text, now).ok_or_else(|| WhenError::NoTime {
        text: text.chars().take(40).collect(),
    })
}

/// A time without a zone: of a day, or of today.
fn local(text: &str, now: Timestamp, zone: &TimeZone) -> Option<DateTime> {
    // Jiff would read `2026-11-21T15:00+05:00` as 15:00, and drop what says otherwise; with an offset a time is a `Timestamp` or wrong.
    let clock = text.split(['T', 't', ' ']).next_back()?;
    if clock.contains(['+', '[', 'Z', 'z']) {
        return None;
    }
    // It would also take the time out of a date with one.
    let is_clock = text.contains(':') && !text.contains('-');
    if let (true, Ok(time)) = (is_clock, text.parse::<Time>()) {
        return Some(now.to_zoned(zone.clone()).date().to_datetime(time));
    }
    if let Ok(date) = text.parse::<Date>()
        && !text.contains(':')
    {
        return Some(date.to_datetime(Time::midnight()));
    }
    text.parse().ok()
}

fn on_the_wall(text: &str, local: DateTime, zone: &TimeZone) -> Result<Timestamp, WhenError> {
    let possible = zone.to_ambiguous_timestamp(local);
    if let Ok(moment) = possible.unambiguous() {
        return Ok(moment);
    }
    let text = text.to_owned();
    let is_gap = matches!(possible.offset(), AmbiguousOffset::Gap { .. });
    match (possible.earlier(), possible.later()) {
        (Ok(first), Ok(second)) if !is_gap => Err(WhenError::Twice {
            text,
            first,
            second,
        }),
        _ => Err(WhenError::Never { text }),
    }
}

/// `10m`, `-10m`, `10 minutes ago`, `2d 3h ago`: the sign is for those who like one, a restore looks back in any case.
fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span: Span = text.trim_start_matches('-').parse().ok()?;
    let far: SignedDuration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .ok()?
        .abs();
    now.checked_sub(far).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone")
    }

    #[test]
    fn a_time_is_a_moment_a_wall_clock_or_how_long_ago() {
        let now = at("2026-11-21T15:00:00Z");
        for (text, meant) in [
            ("2026-11-20T01:02:03Z", "2026-11-20T01:02:03Z"),
            ("2026-11-20T01:02:03.456Z", "2026-11-20T01:02:03.456Z"),
            ("2026-11-20T01:02:03+05:00", "2026-11-19T20:02:03Z"),
            ("2026-11-20 01:02:03Z", "2026-11-20T01:02:03Z"),
            ("2026-11-20 14:30", "2026-11-20T13:30:00Z"),
            ("2026-11-20T14:30:15", "2026-11-20T13:30:15Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("14:30", "2026-11-21T13:30:00Z"),
            ("10m", "2026-11-21T14:50:00Z"),
            ("-10m", "2026-11-21T14:50:00Z"),
            ("10m ago", "2026-11-21T14:50:00Z"),
            ("10 minutes ago", "2026-11-21T14:50:00Z"),
            ("2d 3h ago", "2026-11-19T12:00:00Z"),
            ("1h30m", "2026-11-21T13:30:00Z"),
            ("0s", "2026-11-21T15:00:00Z"),
        ] {
            let got = moment(text, now, &berlin());
            assert_eq!(got.expect(text), at(meant), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_the_forms() {
        let now = at("2026-11-21T15:00:00Z");
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "25:00",
            "10",
            "12x",
            "../etc",
            "2026-11-20T14:30+99:00",
            "99999999999y",
        ] {
            let told = moment(text, now, &berlin()).expect_err(text).to_string();
            assert!(told.contains("is no time; hint: write"), "{told}");
        }
    }

    #[test]
    fn an_hour_that_came_twice_and_one_that_never_came_are_asked_about() {
        let now = at("2026-11-21T15:00:00Z");
        let told = moment("2026-10-25 02:30", now, &berlin()).expect_err("twice");
        let told = told.to_string();
        assert!(
            told.contains("2026-10-25T00:30:00Z") && told.contains("2026-10-25T01:30:00Z"),
            "{told}"
        );
        let told = moment("2026-03-29 02:30", now, &berlin()).expect_err("never");
        assert!(told.to_string().contains("never came"), "{told}");
    }

    #[test]
    fn what_has_not_come_yet_cannot_be_restored() {
        let now = at("2026-11-21T15:00:00Z");
        for text in ["2026-11-21T15:00:01Z", "16:01", "2027-01-01"] {
            let told = moment(text, now, &berlin()).expect_err(text).to_string();
            assert!(told.contains("has not come yet"), "{told}");
        }
    }
}
