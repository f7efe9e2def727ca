//! The request quota that all processes of a store share.

use jiff::Timestamp;
use serde::Serialize;
use shared::clock::SystemClock;
use shared::quota::tenant::is_tenant_key;
use shared::quota::{self, Level, TenantLevel};
use shared::state::State;
use shared::state::tables::quota::{self as table, Row};

use super::Draft;

/// A queue this long means that calls give up before their turn comes.
const LONG_WAIT_SECONDS: f64 = 20.0;
/// A store counts as in use for this long after its last request.
const ACTIVE_FOR_US: i64 = 5 * 60 * 1_000_000;

/// How large the buckets are, which the settings say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Of a store.
    pub store: quota::Limits,
    /// Of a tenant, for reads and for writes; `None` if tenants are not limited.
    pub tenant: Option<quota::Limits>,
}

/// What is left in one bucket of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TenantTokens {
    /// The tenant's opaque id, or `env`.
    pub tenant: String,
    /// `reads` or `writes`.
    pub operation: &'static str,
    /// Requests that it could send at once.
    pub available: f64,
}

/// The buckets. Those of stores are summed up: which store is which is nobody's business here.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QuotaFacts {
    /// Stores that have a bucket.
    pub stores: usize,
    /// Stores that a request was sent for in the last five minutes.
    pub active_stores: usize,
    /// Requests that could be sent at once for the store with the emptiest bucket; `None` without stores.
    pub tokens_available_min: Option<f64>,
    /// How long the next request of the busiest store has to wait.
    pub longest_wait_seconds: f64,
    /// Buckets of tenants that ever sent a request; none if tenants are not limited.
    pub tenants: Vec<TenantTokens>,
}

/// Looks; `None` if the file cannot be read.
#[must_use]
pub fn look(state: &State, limits: Limits) -> Option<QuotaFacts> {
    let (stores, tenants, rows) = state
        .read("quota_list", |reading| {
            let tenants = match limits.tenant {
                Some(limits) => quota::tenant_levels(reading, limits, &SystemClock)?,
                None => Vec::new(),
            };
            let stores = quota::levels(reading, limits.store, &SystemClock)?;
            Ok((stores, tenants, table::all(reading)?))
        })
        .ok()?;
    Some(QuotaFacts {
        tenants: tenants.into_iter().map(tokens).collect(),
        ..sum_up(&stores, &rows, Timestamp::now().as_microsecond())
    })
}

fn tokens(level: TenantLevel) -> TenantTokens {
    TenantTokens {
        tenant: level.tenant,
        operation: level.way.as_str(),
        available: level.available_tokens,
    }
}

fn sum_up(levels: &[Level], rows: &[Row], now_us: i64) -> QuotaFacts {
    let is_active = |row: &&Row| {
        !is_tenant_key(&row.store_key) && now_us.saturating_sub(row.updated_us) < ACTIVE_FOR_US
    };
    QuotaFacts {
        stores: levels.len(),
        active_stores: rows.iter().filter(is_active).count(),
        tokens_available_min: levels
            .iter()
            .map(|level| level.available_tokens)
            .reduce(f64::min),
        longest_wait_seconds: levels
            .iter()
            .map(|level| level.wait.as_secs_f64())
            .fold(0.0, f64::max),
        tenants: Vec::new(),
    }
}

/// What the buckets amount to. An empty one is a busy minute; a long queue is calls that fail.
#[must_use]
pub fn judge(facts: &QuotaFacts) -> Vec<Draft> {
    if facts.longest_wait_seconds < LONG_WAIT_SECONDS {
        return Vec::new();
    }
    let summary = format!(
        "requests to a store wait {:.0} s for their turn",
        facts.longest_wait_seconds
    );
    vec![Draft::warn(
        "quota.queue_long",
        summary,
        "let fewer assistants work on that store at once, or ask them for less",
    )]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn level(available_tokens: f64, wait: Duration) -> Level {
        Level {
            store_key: "a".to_owned(),
            available_tokens,
            wait,
        }
    }

    #[test]
    fn the_emptiest_bucket_and_the_longest_wait_stand_for_all() {
        let levels = [
            level(19.0, Duration::ZERO),
            level(0.0, Duration::from_secs(3)),
        ];
        let row = |updated_us| Row {
            store_key: "a".to_owned(),
            tat_us: 0,
            updated_us,
        };
        let tenant = Row {
            store_key: quota::tenant_key("t", quota::Way::Reads),
            ..row(ACTIVE_FOR_US)
        };
        let rows = [row(0), row(ACTIVE_FOR_US), tenant];
        let facts = sum_up(&levels, &rows, ACTIVE_FOR_US);
        let expected = QuotaFacts {
            stores: 2,
            active_stores: 1,
            tokens_available_min: Some(0.0),
            longest_wait_seconds: 3.0,
            tenants: Vec::new(),
        };
        assert_eq!(facts, expected);
        assert_eq!(judge(&facts), []);
    }

    #[test]
    fn without_stores_there_is_no_emptiest_bucket() {
        assert_eq!(sum_up(&[], &[], 0), QuotaFacts::default());
    }

    #[test]
    fn a_long_queue_is_a_warning() {
        let facts = QuotaFacts {
            longest_wait_seconds: 21.0,
            ..QuotaFacts::default()
        };
        assert_eq!(judge(&facts)[0].id, "quota.queue_long");
    }
}
