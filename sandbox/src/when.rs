//! Order Desk's dates: `YYYY-MM-DD HH:MM:SS` without a zone, in UTC; and what PHP's `strtotime` takes on the way in.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::{Offset, TimeZone};

/// `time` as the API writes it.
pub(crate) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The date part alone.
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// What a client wrote, read in `zone` unless it names its own: the documented shapes, RFC 3339 and RFC 1123.
/// A bare date is its first second, so a bare end date loses that day (see `assumptions`).
pub(crate) fn parse(text: &str, zone: Offset) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return local
            .to_zoned(TimeZone::fixed(zone))
            .ok()
            .map(|zoned| zoned.timestamp());
    }
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse(text, Offset::UTC).map(stamp)
    }

    #[test]
    fn every_shape_seen_in_the_wild_is_read() {
        assert_eq!(
            read("2026-03-02 14:05:11").as_deref(),
            Some("2026-03-02 14:05:11")
        );
        assert_eq!(read("2026-03-02").as_deref(), Some("2026-03-02 00:00:00"));
        assert_eq!(
            read("2026-03-02T14:05:11Z").as_deref(),
            Some("2026-03-02 14:05:11")
        );
        assert_eq!(
            read("Mon, 02 Mar 2026 14:05:11 GMT").as_deref(),
            Some("2026-03-02 14:05:11")
        );
        assert_eq!(read("next tuesday"), None);
    }

    #[test]
    fn a_local_time_is_shifted_by_the_stores_offset() {
        let local = parse("2026-03-02 08:00:00", jiff::tz::offset(-7)).map(stamp);
        assert_eq!(local.as_deref(), Some("2026-03-02 15:00:00"));
    }
}
