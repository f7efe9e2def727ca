//! From when to when, as a person writes it.

use clap::Args as ClapArgs;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use shared::audit::Filter;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::setup::Setup;

#[derive(Debug, ClapArgs)]
pub(super) struct Span {
    /// Not before this time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

impl Span {
    pub(super) fn filter(&self, setup: &Setup) -> Outcome<Filter> {
        let now = setup.clock.now();
        let ms = |text: &Option<String>| {
            text.as_deref()
                .map(|text| moment(text, now).map(Timestamp::as_millisecond))
                .transpose()
        };
        Ok(Filter {
            since_ms: ms(&self.since)?,
            until_ms: ms(&self.until)?,
            ..Filter::default()
        })
    }
}

/// A date, a moment, or how long before `now`.
fn moment(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    let text = text.trim();
    let date = || {
        let date: Date = text.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let ago = || {
        let split = text.len().checked_sub(1)?;
        let number: i64 = text
            .get(..split)?
            .parse()
            .ok()
            .filter(|number| *number >= 0)?;
        let seconds = match text.get(split..)? {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let span = jiff::SignedDuration::from_secs(number.checked_mul(seconds)?);
        now.checked_sub(span).ok()
    };
    text.parse().ok().or_else(date).or_else(ago).ok_or_else(|| {
        Failure::usage(
            format!("{} is no time", crate::error::quoted(text)),
            "write a date (2026-11-21), a moment (2026-11-21T15:00:00Z) or how long ago (90m, 12h, 7d)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_a_moment_or_how_long_ago() {
        let now: Timestamp = "2026-11-21T15:00:00Z".parse().unwrap();
        for (text, meant) in [
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T01:02:03Z", "2026-11-20T01:02:03Z"),
            ("2026-11-20T01:02:03+01:00", "2026-11-20T00:02:03Z"),
            ("90m", "2026-11-21T13:30:00Z"),
            ("7d", "2026-11-14T15:00:00Z"),
        ] {
            assert_eq!(moment(text, now).unwrap().to_string(), meant, "{text}");
        }
        for wrong in ["", "d", "-1d", "yesterday", "1w", "99999999999999999d", "ü"] {
            let told = moment(wrong, now).unwrap_err().to_string();
            assert!(told.contains("is no time\nhint: "), "{told}");
        }
    }
}
