//! This process's own bookkeeping: whether its metrics reach the file, and how late.

use std::time::Duration;

use serde::Serialize;
use shared::telemetry::Handle;

use super::Draft;

/// Twenty times the usual delay: something holds the write lock, or the disk is slow.
const LATE: Duration = Duration::from_secs(5);

/// How it goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TelemetryFacts {
    /// Age of the oldest value that is not written yet.
    pub lag_seconds: f64,
    /// Why values are kept in memory only, if they are.
    pub degraded: Option<String>,
}

/// Looks.
#[must_use]
pub fn look(handle: &Handle) -> TelemetryFacts {
    TelemetryFacts {
        lag_seconds: handle.lag().as_secs_f64(),
        degraded: handle.degraded(),
    }
}

/// What it amounts to. Nothing is lost while the process lives: values wait in memory.
#[must_use]
pub fn judge(facts: &TelemetryFacts) -> Vec<Draft> {
    if facts.degraded.is_none() && facts.lag_seconds < LATE.as_secs_f64() {
        return Vec::new();
    }
    let summary = format!(
        "metrics have not been written to the state file for {:.0} s",
        facts.lag_seconds
    );
    vec![Draft::warn(
        "telemetry.late",
        summary,
        "see the findings about the state file; nothing is lost while processes live",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_or_degraded_telemetry_is_a_warning() {
        assert_eq!(
            judge(&TelemetryFacts {
                lag_seconds: 0.3,
                degraded: None
            }),
            []
        );
        assert_eq!(
            judge(&TelemetryFacts {
                lag_seconds: 6.0,
                degraded: None
            })[0]
                .id,
            "telemetry.late"
        );
        assert_eq!(
            judge(&TelemetryFacts {
                lag_seconds: 0.0,
                degraded: Some("no file".to_owned())
            })[0]
                .id,
            "telemetry.late"
        );
    }
}
