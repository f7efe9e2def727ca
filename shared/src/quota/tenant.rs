//! The buckets of tenants: how many requests one tenant may send, whichever of its stores they are for.
//!
//! Here: their names, their size and their levels. Not here: drawing from them; that is done together with the store's bucket by
//! [`super::Quota::reserve_all`], so that a refusal by either takes nothing from the other.

use std::time::Duration;

use super::bucket::Bucket;
use super::{Limits, bucket_of};
use crate::clock::Clock;
use crate::state::tables::quota as table;
use crate::state::{Reading, StateError};

/// What the keys of tenants' buckets begin with. A store's key is a hash in hexadecimal, so it never does.
const PREFIX: &str = "tenant/";

/// Reads and writes are counted apart: a report over a thousand orders must not keep an address from being corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Requests that change nothing.
    Reads,
    /// Requests that change something.
    Writes,
}

impl Way {
    /// Both, in the order in which they are shown.
    pub const ALL: [Way; 2] = [Way::Reads, Way::Writes];

    /// The word in keys and metric labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Way::Reads => "reads",
            Way::Writes => "writes",
        }
    }
}

/// The key of a tenant's bucket.
#[must_use]
pub fn tenant_key(tenant: &str, way: Way) -> String {
    format!("{PREFIX}{tenant}/{}", way.as_str())
}

/// The size of a tenant's buckets at `requests_per_minute`: that rate, and twice as many at once after a rest. `None` for 0, which
/// means no limit.
#[must_use]
pub fn tenant_limits(requests_per_minute: u64) -> Option<Limits> {
    let rate = u32::try_from(requests_per_minute).unwrap_or(u32::MAX);
    (rate > 0).then(|| Limits {
        burst: rate.saturating_mul(2),
        per_second: f64::from(rate) / 60.0,
    })
}

/// What is left in one tenant's bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantLevel {
    /// The tenant's opaque id.
    pub tenant: String,
    /// Which of its two buckets.
    pub way: Way,
    /// Requests that could be sent at once.
    pub available_tokens: f64,
    /// How long the next request would wait.
    pub wait: Duration,
}

/// The buckets of all tenants that ever sent a request, by key; for a process that watches.
///
/// # Errors
/// Why the file could not be read.
pub fn tenant_levels(
    reading: &Reading<'_>,
    limits: Limits,
    clock: &dyn Clock,
) -> Result<Vec<TenantLevel>, StateError> {
    let now_us = clock.now().as_microsecond();
    let rows = table::all(reading)?;
    let level = |row: &table::Row| {
        let (tenant, way) = parts(&row.store_key)?;
        let bucket = Bucket::from(row);
        Some(TenantLevel {
            tenant: tenant.to_owned(),
            way,
            available_tokens: bucket.available(now_us, limits),
            wait: bucket.wait(now_us, limits),
        })
    };
    Ok(rows.iter().filter_map(level).collect())
}

/// What is left in the two buckets of one tenant, full ones included; for the tenant itself, who sees no other.
///
/// # Errors
/// Why the file could not be read.
pub fn levels_of_tenant(
    reading: &Reading<'_>,
    tenant: &str,
    limits: Limits,
    clock: &dyn Clock,
) -> Result<[TenantLevel; 2], StateError> {
    let now_us = clock.now().as_microsecond();
    let level = |way: Way| -> Result<TenantLevel, StateError> {
        let bucket = bucket_of(reading, &tenant_key(tenant, way))?;
        Ok(TenantLevel {
            tenant: tenant.to_owned(),
            way,
            available_tokens: bucket.available(now_us, limits),
            wait: bucket.wait(now_us, limits),
        })
    };
    Ok([level(Way::Reads)?, level(Way::Writes)?])
}

/// Whether a stored key names a tenant's bucket, not a store's.
#[must_use]
pub fn is_tenant_key(key: &str) -> bool {
    key.starts_with(PREFIX)
}

fn parts(key: &str) -> Option<(&str, Way)> {
    let (tenant, word) = key.strip_prefix(PREFIX)?.rsplit_once('/')?;
    let way = Way::ALL.into_iter().find(|way| way.as_str() == word)?;
    Some((tenant, way))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_its_tenant_and_back() {
        for way in Way::ALL {
            let key = tenant_key("env", way);
            assert!(is_tenant_key(&key));
            assert_eq!(parts(&key), Some(("env", way)));
        }
        assert_eq!(parts("tenant/env"), None);
        assert_eq!(parts("tenant/env/dreams"), None);
        assert!(!is_tenant_key("3f2a"));
    }

    #[test]
    fn twice_the_rate_may_go_at_once_and_zero_is_no_limit() {
        let limits = tenant_limits(120).unwrap();
        assert_eq!(limits.burst, 240);
        assert!((limits.per_second - 2.0).abs() < f64::EPSILON);
        assert_eq!(tenant_limits(0), None);
        assert_eq!(tenant_limits(u64::MAX).unwrap().burst, u32::MAX);
    }
}
