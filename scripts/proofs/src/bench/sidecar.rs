//! The sidecar: how long a scrape of 2,000 series takes, alone and beside a large fleet, and what it holds then.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::{Effort, Quantity, Row};
use crate::client::Server;
use crate::http::get;
use crate::procfs::resident_bytes;
use crate::scrape::Exposition;
use crate::stage::{Stage, pause};
use crate::stats::Samples;

const SERVERS: usize = 200;
const SERIES: usize = 2_000;
/// First flushes and the first look of the sidecar's checks are over by then.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
const ENDS_WITHIN: Duration = Duration::from_secs(20);

pub(super) fn measure(stage: &Stage, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let home = stage.folder().join("seeded").display().to_string();
    let seeded = Command::new(std::env::current_exe()?)
        .args(["seed", "--home", &home, "--series", &SERIES.to_string()])
        .status()
        .context("cannot start ourselves to seed a state file")?;
    ensure!(seeded.success(), "seeding a state file failed");
    let sidecar = stage.sidecar_on(&home)?;
    let alone = scrapes(sidecar.address, effort)?;
    let servers = start_servers(stage, &home)?;
    let crowded = scrapes(sidecar.address, effort)?;
    let resident = resident_bytes(sidecar.process.0.id())?;
    for server in servers {
        server.close(ENDS_WITHIN)?;
    }
    let promised = Some(Quantity::Time(Duration::from_millis(5)));
    let mut rows = rows("/metrics with 2,000 series", alone, promised);
    rows.extend(self::rows(
        "/metrics with 2,000 series of 200 living servers",
        crowded,
        None,
    ));
    rows.push(Row {
        what: "memory of the sidecar beside them",
        figure: "",
        measured: Quantity::Bytes(resident),
        promised: Some(Quantity::Bytes(30_000_000)),
    });
    Ok(rows)
}

fn start_servers(stage: &Stage, home: &str) -> anyhow::Result<Vec<Server>> {
    let mut servers: Vec<Server> = (0..SERVERS)
        .map(|_| stage.server_on(home))
        .collect::<anyhow::Result<_>>()?;
    for server in &mut servers {
        server.pipes.initialize()?;
        server.pipes.call("server_status", "{}")?;
    }
    Ok(servers)
}

/// Scrapes one after the other, once what has just started has settled.
fn scrapes(address: SocketAddr, effort: Effort) -> anyhow::Result<Samples> {
    pause(SETTLED_AFTER);
    let exposed = Exposition::read(address)?;
    let series = exposed.counters.len() + exposed.gauges.len();
    ensure!(series >= SERIES, "only {series} series are exposed");
    let mut samples = Samples::default();
    for _ in 0..effort.scrapes {
        let asked = Instant::now();
        get(address, "/metrics")?;
        samples.push(asked.elapsed());
    }
    Ok(samples)
}

fn rows(what: &'static str, mut samples: Samples, promised: Option<Quantity>) -> Vec<Row> {
    [("p50", 0.5, None), ("p99", 0.99, promised)]
        .map(|(figure, quantile, promised)| Row {
            what,
            figure,
            measured: Quantity::Time(samples.quantile(quantile)),
            promised,
        })
        .into()
}
