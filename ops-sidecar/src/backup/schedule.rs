//! When the next backup is due.
//!
//! Here: reading a schedule and pure arithmetic over moments; nothing waits and nothing asks a clock. A cron expression means the time on
//! the wall (the machine's zone, summer time included). Not here: who asks, and what happens after a failure (`rounds`).

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use shared::env::{Kind, Value};

/// A span of any length: the settings know which lengths make sense.
const SPAN: Kind = Kind::Duration {
    min_ms: 1,
    max_ms: u64::MAX,
};

/// What is added to each moment so that many machines do not ask one target at once: up to this part of the interval,
const JITTER_PART: i64 = 10;
/// and no more than this.
const JITTER_MAX_MS: i64 = 5 * 60 * 1000;

/// When backups are made.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// Never by itself.
    Off,
    /// Every so often.
    Every(Duration),
    /// By a cron expression.
    Cron(Box<Cron>),
}

impl Schedule {
    /// Reads `off`, a span, or five fields of cron.
    ///
    /// # Errors
    /// Why it is none; the second half of a sentence.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        if text == "off" {
            return Ok(Schedule::Off);
        }
        if let Ok(Value::Duration(span)) = SPAN.parse(text) {
            return Ok(Schedule::Every(span));
        }
        let cron = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build()
            .parse(text)
            .map_err(|error| format!("is no cron expression: {error}"))?;
        let anywhen = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        // The 30th of February is well-formed, and never comes.
        cron.find_next_occurrence(&anywhen, false)
            .map_err(|_| "never comes true".to_owned())?;
        Ok(Schedule::Cron(Box::new(cron)))
    }

    /// When the next backup is due, in milliseconds since 1970; not after `now_ms` when it is due already. `last_ms` is when the last one
    /// began. What was missed is made up for by one: the moment depends on the last one alone. A last one in the future (the clock was
    /// wrong) further away than an interval counts as none.
    #[must_use]
    pub fn next_after(
        &self,
        last_ms: Option<i64>,
        now_ms: i64,
        seed: u64,
        zone: &TimeZone,
    ) -> Option<i64> {
        let interval_ms = self.interval_ms(now_ms, zone)?;
        let last_ms = match last_ms {
            Some(last_ms) if last_ms <= now_ms.saturating_add(interval_ms) => last_ms,
            _ => return Some(now_ms),
        };
        let planned_ms = match self {
            Schedule::Off => return None,
            Schedule::Every(_) => last_ms.saturating_add(interval_ms),
            Schedule::Cron(cron) => next_of(cron, last_ms, zone)?,
        };
        Some(planned_ms.saturating_add(jitter_ms(interval_ms, seed)))
    }

    /// The time between two backups around `now_ms`, in milliseconds; `None` when there are none.
    #[must_use]
    pub fn interval_ms(&self, now_ms: i64, zone: &TimeZone) -> Option<i64> {
        match self {
            Schedule::Off => None,
            Schedule::Every(span) => i64::try_from(span.as_millis()).ok(),
            Schedule::Cron(cron) => {
                let next_ms = next_of(cron, now_ms, zone)?;
                Some(next_of(cron, next_ms, zone)? - next_ms)
            }
        }
    }
}

fn next_of(cron: &Cron, after_ms: i64, zone: &TimeZone) -> Option<i64> {
    let after: Zoned = Timestamp::from_millisecond(after_ms)
        .ok()?
        .to_zoned(zone.clone());
    let next = cron.find_next_occurrence(&after, false).ok()?;
    Some(next.timestamp().as_millisecond())
}

/// The same for every run of a home.
fn jitter_ms(interval_ms: i64, seed: u64) -> i64 {
    let most = (interval_ms / JITTER_PART).clamp(0, JITTER_MAX_MS);
    let most = u64::try_from(most).expect("clamped above zero");
    i64::try_from(seed % (most + 1)).expect("at most five minutes")
}

#[cfg(test)]
mod tests;
