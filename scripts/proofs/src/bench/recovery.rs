//! What backups cost while servers write, and how soon a lost file is back.

use std::time::Duration;

use super::{Effort, Quantity, Row};
use crate::recovery::{self, Amount};
use crate::stage::Stage;

pub(super) fn measure(stage: &Stage, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let mut seen = recovery::measure(stage, effort.recovery)?;
    let ratio = seen.deed_during.quantile(0.99).as_secs_f64()
        / seen.deed_before.quantile(0.99).as_secs_f64();
    Ok(vec![
        time(
            "200 MB, 100 writers: one consistent copy",
            "p50",
            seen.copy.quantile(0.5),
            Some(500),
        ),
        time(
            "200 MB, 100 writers: a durable commit, no copy being made",
            "p99",
            seen.deed_before.quantile(0.99),
            None,
        ),
        time(
            "200 MB, 100 writers: a durable commit, during a copy",
            "p99",
            seen.deed_during.quantile(0.99),
            None,
        ),
        row(
            "the same, during to before",
            "p99",
            Quantity::Ratio(ratio),
            Some(Quantity::Ratio(2.0)),
        ),
        time(
            "200 MB: `backup run`, encrypted, to a folder",
            "",
            seen.backup,
            None,
        ),
        time(
            "200 MB: `backup restore --latest` on an empty machine",
            "",
            seen.restore,
            Some(10_000),
        ),
        time(
            "200 MB: `backup restore --at` on an empty machine",
            "",
            seen.restore_at,
            Some(10_000),
        ),
        time(
            "200 MB, 100 writers: first start until the base is shipped",
            "",
            seen.first_base,
            None,
        ),
        time(
            "200 MB, 100 writers: commit to increment on the disk",
            "p50",
            seen.lag.quantile(0.5),
            None,
        ),
        time(
            "200 MB, 100 writers: commit to increment on the disk",
            "p99",
            seen.lag.quantile(0.99),
            Some(1_000),
        ),
        row(
            "shipped per hour by 10 idle servers",
            "",
            Quantity::Bytes(seen.idle_bytes_per_hour),
            None,
        ),
        row(
            "memory of the sidecar in all this, at most",
            "",
            Quantity::Bytes(seen.resident),
            Some(Quantity::Bytes(30_000_000)),
        ),
    ])
}

fn time(what: &'static str, figure: &'static str, took: Duration, promised_ms: Option<u64>) -> Row {
    let promised = promised_ms.map(|ms| Quantity::Time(Duration::from_millis(ms)));
    row(what, figure, Quantity::Time(took), promised)
}

fn row(
    what: &'static str,
    figure: &'static str,
    measured: Quantity,
    promised: Option<Quantity>,
) -> Row {
    Row {
        what,
        figure,
        measured,
        promised,
    }
}

impl Effort {
    pub(super) const WHOLE_RECOVERY: Amount = Amount {
        copies: 10,
        lag: Duration::from_secs(30),
        idle: Duration::from_secs(180),
    };
    pub(super) const QUICK_RECOVERY: Amount = Amount {
        copies: 3,
        lag: Duration::from_secs(10),
        idle: Duration::from_secs(60),
    };
}
