//! The sidecar beside a large fleet: how long a scrape of 2,000 series takes, what it holds.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::{Effort, Quantity, Row};
use crate::client::Server;
use crate::procfs::resident_bytes;
use crate::scrape::{Exposition, get};
use crate::stage::Stage;
use crate::stats::Samples;

const SERVERS: usize = 200;
const SERIES: usize = 2_000;
const ENDS_WITHIN: Duration = Duration::from_secs(20);

pub(super) fn measure(stage: &Stage, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let home = stage.folder().join("seeded").display().to_string();
    let seeded = Command::new(std::env::current_exe()?)
        .args(["seed", "--home", &home, "--series", &SERIES.to_string()])
        .status()
        .context("cannot start ourselves to seed a state file")?;
    ensure!(seeded.success(), "seeding a state file failed");
    let sidecar = stage.sidecar_on(&home)?;
    let mut servers: Vec<Server> = (0..SERVERS)
        .map(|_| stage.server_on(&home))
        .collect::<anyhow::Result<_>>()?;
    for server in &mut servers {
        server.pipes.initialize()?;
        server.pipes.call("server_status", "{}")?;
    }
    let exposed = Exposition::read(sidecar.address)?;
    let series = exposed.counters.len() + exposed.gauges.len();
    ensure!(series >= SERIES, "only {series} series are exposed");

    let mut samples = Samples::default();
    for _ in 0..effort.scrapes {
        let asked = Instant::now();
        get(sidecar.address, "/metrics")?;
        samples.push(asked.elapsed());
    }
    let resident = resident_bytes(sidecar.process.0.id())?;
    for server in servers {
        server.close(ENDS_WITHIN)?;
    }
    let what = "/metrics with 2,000 series and 200 servers";
    Ok(vec![
        Row {
            what,
            figure: "p50",
            measured: Quantity::Time(samples.quantile(0.5)),
            promised: None,
        },
        Row {
            what,
            figure: "p99",
            measured: Quantity::Time(samples.quantile(0.99)),
            promised: Some(Quantity::Time(Duration::from_millis(5))),
        },
        Row {
            what: "memory of the sidecar beside them",
            figure: "",
            measured: Quantity::Bytes(resident),
            promised: Some(Quantity::Bytes(30_000_000)),
        },
    ])
}
