//! How long something took, and how long ago it was, as people say it.

use std::time::Duration;

use jiff::Timestamp;

/// In one unit, rounded down, in the largest of which there are two: `48 seconds`, `12 minutes`, `36 hours`, `9 days`.
#[must_use]
pub fn span(long: Duration) -> String {
    let seconds = long.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// How long before `now` that was: `just now`, `12 minutes ago`; or `in the future`, as another clock named it.
#[must_use]
pub fn ago(moment: Timestamp, now: Timestamp) -> String {
    match Duration::try_from(now.duration_since(moment)) {
        Err(_) => "in the future".to_owned(),
        Ok(age) if age.as_secs() < 5 => "just now".to_owned(),
        Ok(age) => format!("{} ago", span(age)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_in_the_largest_unit_of_which_there_are_two() {
        for (seconds, said) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
            (31_622_400, "366 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn an_age_is_said_in_one_unit() {
        let at = |text: &str| -> Timestamp { text.parse().expect("a moment") };
        let now = at("2026-11-21T15:00:00Z");
        for (moment, said) in [
            ("2026-11-21T15:00:00Z", "just now"),
            ("2026-11-21T14:59:00Z", "60 seconds ago"),
            ("2026-11-21T14:48:00Z", "12 minutes ago"),
            ("2026-11-20T03:00:00Z", "36 hours ago"),
            ("2026-11-12T14:00:00Z", "9 days ago"),
            ("2026-11-21T15:00:00.001Z", "in the future"),
            ("2026-11-21T15:01:00Z", "in the future"),
        ] {
            assert_eq!(ago(at(moment), now), said);
        }
    }
}
