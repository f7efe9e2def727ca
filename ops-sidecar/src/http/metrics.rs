//! `GET /metrics`: what all processes recorded, merged, and what only the sidecar can tell.
//!
//! With an unusable state file this still answers 200, with the sidecar's own facts and `orderdesk_mcp_state_up 0`: a scrape that failed
//! would look like a dead sidecar and hide the reason. Counters are absent then, not zero, so nothing seems to be reset.

mod backups;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::session::{self, SessionId};
use shared::state::Slot;
use shared::telemetry::names::{self, Metric};
use shared::telemetry::query::{self, Family, Labels, Sample, Value};

use super::{Rooms, text};
use crate::checks::Level;
use crate::checks::audit::{AuditFacts, ChainFacts};
use crate::checks::board::Report;
use crate::checks::quota::{QuotaFacts, TenantTokens};

/// The page.
pub(super) async fn scrape(State(rooms): State<Rooms>) -> Response {
    let page = rooms.read(|slot, board| text::render(&families(slot, &board.report())));
    match page.await {
        Ok(page) => ([(CONTENT_TYPE, text::CONTENT_TYPE)], page).into_response(),
        Err(status) => status.into_response(),
    }
}

/// Everything there is to show, by name.
pub(super) fn families(slot: &Slot, report: &Report) -> Vec<Family> {
    let recorded = recorded(slot);
    let mut families = own(report, recorded.is_some());
    families.extend(chains(report.facts.audit.as_ref()));
    families.extend(backups::families(&report.facts));
    families.extend(recorded.unwrap_or_default());
    families.sort_by_key(|family| family.metric.name);
    families
}

/// What processes recorded; `None` if the file cannot be read.
fn recorded(slot: &Slot) -> Option<Vec<Family>> {
    let state = slot.get().ok()?;
    let is_alive = |id: &SessionId| session::is_alive(slot.home(), id);
    state
        .read("telemetry_scrape", |reading| {
            query::scrape(reading, &is_alive)
        })
        .ok()
}

/// The read caches of all living servers together.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct CacheTotals {
    items: u64,
    size_bytes: u64,
}

/// `None` if the file cannot be read.
pub(super) fn cache(slot: &Slot) -> Option<CacheTotals> {
    let recorded = recorded(slot)?;
    Some(CacheTotals {
        items: level(&recorded, &names::CACHE_ITEMS),
        size_bytes: level(&recorded, &names::CACHE_SIZE_BYTES),
    })
}

/// The value of a whole-numbered gauge, all its series together; 0 if nobody has recorded it.
fn level(families: &[Family], metric: &Metric) -> u64 {
    let samples = families
        .iter()
        .filter(|family| family.metric == metric)
        .flat_map(|family| &family.samples);
    let values = samples.map(|sample| {
        if let Value::Gauge(value) = sample.value {
            value
        } else {
            0.0
        }
    });
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, which is what a size should do"
    )]
    values.map(|value| value as u64).sum()
}

/// What the checks found, as gauges.
fn own(report: &Report, is_up: bool) -> Vec<Family> {
    let facts = &report.facts;
    let state = &facts.state_file;
    let (disk, memory, quota) = (
        facts.disk.as_ref(),
        facts.memory.as_ref(),
        facts.quota.as_ref(),
    );
    vec![
        gauge(&names::STATE_UP, Some(f64::from(u8::from(is_up)))),
        split(
            &names::STATE_FILE_BYTES,
            "file",
            [("database", state.database_bytes), ("wal", state.wal_bytes)],
        ),
        gauge(&names::STATE_PROBE_SECONDS, state.write_probe_seconds),
        split(
            &names::FINDINGS,
            "level",
            [Level::Fail, Level::Warn].map(|level| (level.word(), Some(count(report, level)))),
        ),
        gauge(
            &names::DISK_FREE_BYTES,
            disk.map(|disk| number(disk.free_bytes)),
        ),
        gauge(
            &names::DISK_SIZE_BYTES,
            disk.map(|disk| number(disk.size_bytes)),
        ),
        gauge(
            &names::MEMORY_AVAILABLE_BYTES,
            memory.map(|memory| number(memory.available_bytes)),
        ),
        gauge(
            &names::MEMORY_SIZE_BYTES,
            memory.map(|memory| number(memory.size_bytes)),
        ),
        gauge(
            &names::QUOTA_STORES,
            quota.map(|quota| number(quota.stores as u64)),
        ),
        gauge(
            &names::ACTIVE_STORES,
            quota.map(|quota| number(quota.active_stores as u64)),
        ),
        gauge(
            &names::QUOTA_TOKENS_AVAILABLE_MIN,
            quota.and_then(|quota| quota.tokens_available_min),
        ),
        gauge(
            &names::ACTIVE_TENANTS,
            facts
                .processes
                .as_ref()
                .map(|processes| number(processes.tenants as u64)),
        ),
        tenant_tokens(quota),
        gauge(
            &names::WRITES_UNSETTLED,
            facts
                .writes
                .as_ref()
                .map(|writes| number(writes.unsettled as u64)),
        ),
    ]
}

/// Most chains, or buckets of tenants, that are shown: a page that grew with every tenant there ever was would in the end not be
/// scraped at all. Findings speak of all of them.
const MOST_TENANTS: usize = 500;

fn tenant_tokens(quota: Option<&QuotaFacts>) -> Family {
    let buckets = quota.into_iter().flat_map(|quota| &quota.tenants);
    let sample = |bucket: &TenantTokens| Sample {
        labels: Labels::of(&[
            ("tenant_id", &bucket.tenant),
            ("operation", bucket.operation),
        ]),
        value: Value::Gauge(bucket.available),
    };
    Family {
        metric: &names::TENANT_TOKENS_AVAILABLE,
        samples: buckets.map(sample).take(MOST_TENANTS).collect(),
    }
}

/// Number, end and soundness of every audit chain: a checkpoint that Prometheus keeps where no hand in the state file reaches it.
fn chains(audit: Option<&AuditFacts>) -> [Family; 3] {
    let family = |metric, value: fn(&ChainFacts) -> f64| {
        let chains = audit.into_iter().flat_map(|audit| &audit.chains);
        let sample = |chain: &ChainFacts| Sample {
            labels: Labels::of(&[("tenant_id", &chain.chain)]),
            value: Value::Gauge(value(chain)),
        };
        Family {
            metric,
            samples: chains.map(sample).take(MOST_TENANTS).collect(),
        }
    };
    [
        family(&names::AUDIT_ROWS, |chain| number(chain.rows)),
        family(&names::AUDIT_HEAD, |chain| number(chain.head_start())),
        family(&names::AUDIT_CHAIN_OK, |chain| {
            f64::from(u8::from(chain.problem.is_none()))
        }),
    ]
}

fn count(report: &Report, level: Level) -> u64 {
    report
        .findings
        .iter()
        .filter(|finding| finding.level == level)
        .count() as u64
}

/// A gauge of one value; without it, a family without series.
fn gauge(metric: &'static Metric, value: Option<f64>) -> Family {
    let samples = value.map(|value| Sample {
        labels: Labels::of(&[]),
        value: Value::Gauge(value),
    });
    Family {
        metric,
        samples: samples.into_iter().collect(),
    }
}

/// A gauge with one label; values that are not known are left out.
fn split<const N: usize>(
    metric: &'static Metric,
    label: &str,
    parts: [(&'static str, Option<u64>); N],
) -> Family {
    let sample = |(word, value): (&str, Option<u64>)| {
        Some(Sample {
            labels: Labels::of(&[(label, word)]),
            value: Value::Gauge(number(value?)),
        })
    };
    Family {
        metric,
        samples: parts.into_iter().filter_map(sample).collect(),
    }
}

/// Prometheus knows only this kind of number; whole bytes are exact up to 8 PiB.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(chains: usize) -> AuditFacts {
        let chain = |number: usize| ChainFacts {
            chain: format!("{number:032x}"),
            rows: number as u64,
            head: "ffffffffffff".repeat(5) + "ffff",
            problem: (number == 1).then(|| "record 1 is missing".to_owned()),
        };
        AuditFacts {
            checked_in_full_at: None,
            restored: None,
            chains: (0..chains).map(chain).collect(),
        }
    }

    #[test]
    fn a_chain_is_three_numbers_that_every_program_keeps_exactly() {
        let page = text::render(&chains(Some(&audit(2))));
        let tenant = format!("{:032x}", 1);
        for line in [
            format!("orderdesk_mcp_audit_rows{{tenant_id=\"{tenant}\"}} 1\n"),
            format!("orderdesk_mcp_audit_head{{tenant_id=\"{tenant}\"}} 281474976710655\n"),
            format!("orderdesk_mcp_audit_chain_ok{{tenant_id=\"{tenant}\"}} 0\n"),
        ] {
            assert!(page.contains(&line), "{line} in {page}");
        }
    }

    #[test]
    fn the_page_does_not_grow_with_every_tenant_there_ever_was() {
        for family in chains(Some(&audit(MOST_TENANTS + 100))) {
            assert_eq!(family.samples.len(), MOST_TENANTS);
        }
        assert!(chains(None).iter().all(|family| family.samples.is_empty()));
    }

    #[test]
    fn what_a_tenant_has_left_is_shown_by_operation() {
        let quota = QuotaFacts {
            tenants: vec![TenantTokens {
                tenant: "t1".to_owned(),
                operation: "writes",
                available: 1.5,
            }],
            ..QuotaFacts::default()
        };
        let page = text::render(&[tenant_tokens(Some(&quota))]);
        let line =
            "orderdesk_mcp_tenant_tokens_available{tenant_id=\"t1\",operation=\"writes\"} 1.5\n";
        assert!(page.contains(line), "{page}");
    }
}
