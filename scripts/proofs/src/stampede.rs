//! Many servers that start at once where no state file is: one of them makes it, none of them fails.

use std::thread::spawn;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::client::{Server, succeeded};
use crate::ledger::{Call, Ledger, Life};
use crate::scrape::Exposition;
use crate::stage::Stage;
use crate::stats::Samples;

const ENDS_WITHIN: Duration = Duration::from_secs(20);
const CALL: Call = Call {
    tool: "server_status",
    status: "success",
};

/// Starts all servers on an empty home; an error says which promise broke.
pub(crate) fn prove(processes: usize) -> anyhow::Result<()> {
    println!("stampede: {processes} servers start at once where no state file is");
    let stage = Stage::open()?;
    let home = stage.folder().join("untouched").display().to_string();
    let began = Instant::now();
    let servers: Vec<Server> = (0..processes)
        .map(|_| stage.server_on(&home))
        .collect::<anyhow::Result<_>>()?;
    let clients: Vec<_> = servers
        .into_iter()
        .map(|server| spawn(move || greet(server, began)))
        .collect();

    let (mut ledger, mut ready) = (Ledger::default(), Samples::default());
    for (number, client) in clients.into_iter().enumerate() {
        let seen = client
            .join()
            .map_err(|_| anyhow::anyhow!("a client panicked"))?;
        let (life, initialized) = seen.with_context(|| format!("server {number}"))?;
        ledger.enter(&life);
        ready.push(initialized);
    }
    println!(
        "  initialized: p50 {:.0?}, last {:.0?}",
        ready.quantile(0.5),
        ready.quantile(1.0)
    );

    let said = std::fs::read_to_string(stage.stderr())?;
    ensure!(
        said.is_empty(),
        "somebody complained: {}",
        said.lines().take(3).collect::<Vec<_>>().join("; ")
    );
    let sidecar = stage.sidecar_on(&home)?;
    let counted = Exposition::read(sidecar.address)?;
    let mistakes = ledger.mistakes(&counted);
    ensure!(mistakes.is_empty(), "{}", mistakes.join("; "));
    println!(
        "  {} answered and counted; complaints: none",
        ledger.total().answered
    );
    Ok(())
}

/// Initializes, makes one call, and leaves.
fn greet(mut server: Server, began: Instant) -> anyhow::Result<(Life, Duration)> {
    let mut life = Life::default();
    server.pipes.initialize()?;
    let initialized = began.elapsed();
    life.initialized = Some(Instant::now());
    let answer = server.pipes.call(CALL.tool, "{}")?;
    ensure!(succeeded(answer), "{} answered {answer}", CALL.tool);
    life.answered.push((Instant::now(), CALL));
    server.close(ENDS_WITHIN)?;
    Ok((life, initialized))
}
