//! Points in time for Order Desk's date filters.
//!
//! Here: what people write (a date, a date with a time, RFC 3339) turned into what the API takes without guessing: `YYYY-MM-DD HH:MM:SS`. The API's
//! zoneless times are UTC; its `*_local` filters are the store's own time. A bare end date would mean its first second there, so that
//! the whole day would be lost: here it means the last second. Not here: which filters exist (`query`).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";
const HINT: &str = "write `2026-03-31`, `2026-03-31 14:05:00` (UTC) or `2026-03-31T14:05:00Z`";
const HINT_LOCAL: &str =
    "write `2026-03-31` or `2026-03-31 14:05:00`, in the store's own time and without a zone";

/// Which edge of a range a date without a time stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// 00:00:00 of that day.
    Start,
    /// 23:59:59 of that day.
    End,
}

/// Reads `text` as UTC.
pub(super) fn utc(text: &str, edge: Edge) -> Result<DateTime, &'static str> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    }
    zoneless(text, edge).ok_or(HINT)
}

/// Reads `text` as the store's own time.
pub(super) fn local(text: &str, edge: Edge) -> Result<DateTime, &'static str> {
    zoneless(text.trim(), edge).ok_or(HINT_LOCAL)
}

/// The form in which the API takes it.
pub(super) fn sent(moment: DateTime) -> String {
    moment.strftime(FORMAT).to_string()
}

/// Reads a time as Order Desk writes it in its answers: `YYYY-MM-DD HH:MM:SS`, UTC. `None` for anything else.
pub(crate) fn written(text: &str) -> Option<DateTime> {
    zoneless(text.trim(), Edge::Start)
}

fn zoneless(text: &str, edge: Edge) -> Option<DateTime> {
    // jiff alone would take `2026-03-31+02:00[...]` and the like as a civil time and drop the zone.
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b' ' | b'T' | b't' | b'.'));
    if !plain {
        return None;
    }
    if text.len() == 10 {
        let time = match edge {
            Edge::Start => Time::midnight(),
            Edge::End => Time::constant(23, 59, 59, 0),
        };
        return text.parse::<Date>().ok().map(|date| date.to_datetime(time));
    }
    // Shorter forms that jiff knows (`20260331`) are more likely a slip than a date.
    if text.len() < 16 {
        None
    } else {
        text.parse::<DateTime>().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc_sent(text: &str, edge: Edge) -> String {
        sent(utc(text, edge).unwrap())
    }

    #[test]
    fn a_bare_end_date_keeps_its_whole_day() {
        assert_eq!(utc_sent("2026-03-31", Edge::Start), "2026-03-31 00:00:00");
        assert_eq!(utc_sent("2026-03-31", Edge::End), "2026-03-31 23:59:59");
    }

    #[test]
    fn times_are_taken_as_they_are_and_zones_are_turned_into_utc() {
        assert_eq!(
            utc_sent("2026-03-31 14:05:11", Edge::End),
            "2026-03-31 14:05:11"
        );
        assert_eq!(
            utc_sent("2026-03-31T14:05", Edge::End),
            "2026-03-31 14:05:00"
        );
        assert_eq!(
            utc_sent("2026-03-31T14:05:11Z", Edge::End),
            "2026-03-31 14:05:11"
        );
        assert_eq!(
            utc_sent("2026-03-31T23:30:00-05:00", Edge::Start),
            "2026-04-01 04:30:00"
        );
        assert_eq!(
            utc_sent(" 2026-03-31T14:05:11.75+02:00 ", Edge::Start),
            "2026-03-31 12:05:11"
        );
    }

    #[test]
    fn what_is_no_time_is_refused_with_the_forms_that_are() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "31.03.2026",
            "2026-03-31 25:00:00",
            "20260331",
            "2026-03-31+02:00",
            "1774965600",
        ] {
            assert_eq!(utc(text, Edge::Start), Err(HINT), "{text}");
        }
        assert_eq!(local("2026-03-31T14:05:11Z", Edge::Start), Err(HINT_LOCAL));
        assert_eq!(
            sent(local("2026-03-31", Edge::End).unwrap()),
            "2026-03-31 23:59:59"
        );
    }
}
