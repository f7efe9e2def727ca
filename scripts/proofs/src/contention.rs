//! Many servers that all count at once, on one state file.
//!
//! Each client calls four times a second, so that each of its server's flushes has something to write. Nobody may be told
//! that the database is locked, and since every server ends by itself, every single answer has to be counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::spawn;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::client::{Server, succeeded};
use crate::ledger::{Call, Ledger, Life};
use crate::scrape::Exposition;
use crate::stage::{Stage, pause};
use crate::stats::Samples;

/// Starting two hundred servers takes this long; commits are timed from then until the servers are told to leave.
const WARM_UP: Duration = Duration::from_secs(2);
/// One call per flush window.
const CALL_EVERY: Duration = Duration::from_millis(250);
/// Two hundred servers leave at once.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

const CALL: Call = Call {
    tool: "orders_get",
    status: "success",
};
const ARGUMENTS: &str = r#"{"order_id":"7001001"}"#;

/// What a run without a mistake showed.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Calls answered, each of them counted.
    pub(crate) answered: u64,
    /// 99th percentile of an answer, as the client sees it.
    pub(crate) answer_p99: Duration,
    /// Median of a commit, as the upper bound of its histogram bucket.
    pub(crate) commit_p50: Duration,
    /// 99th percentile of a commit, likewise.
    pub(crate) commit_p99: Duration,
}

/// Runs all servers for `time` and prints what was seen; an error says what was locked out or lost.
pub(crate) fn prove(processes: usize, time: Duration) -> anyhow::Result<()> {
    println!(
        "contention: {processes} servers, each with something to write every {CALL_EVERY:?}, for {time:?}"
    );
    let seen = measure(processes, time)?;
    println!(
        "  {} calls answered and counted; p99 of an answer {:.1?}",
        seen.answered, seen.answer_p99
    );
    println!(
        "  commit p50 ≤ {:.1?}, p99 ≤ {:.1?}",
        seen.commit_p50, seen.commit_p99
    );
    println!("  \"database is locked\": never; failed flushes: none");
    Ok(())
}

/// The same without words.
pub(crate) fn measure(processes: usize, time: Duration) -> anyhow::Result<Measured> {
    let stage = Stage::open()?;
    let (ledger, mut latencies, steady) = run(&stage, processes, time)?;
    let counted = stage.scrape()?;
    let mistakes = ledger.mistakes(&counted);
    let slowest = counted.quantile("orderdesk_mcp_flush_duration_seconds", &[], 1.0);
    ensure!(
        mistakes.is_empty(),
        "{}; the slowest flush took up to {slowest:?} s",
        mistakes.join("; ")
    );

    let said = std::fs::read_to_string(stage.stderr())?;
    let locked = said
        .lines()
        .filter(|line| line.to_lowercase().contains("locked"))
        .count();
    let failed = counted.sum("orderdesk_mcp_flush_errors_total", &[]);
    ensure!(
        locked == 0 && failed == 0,
        "{locked} lines about a locked database, {failed} failed flushes"
    );

    let commit = |quantile| steady.quantile("orderdesk_mcp_flush_duration_seconds", &[], quantile);
    Ok(Measured {
        answered: ledger.total().answered,
        answer_p99: latencies.quantile(0.99),
        commit_p50: Duration::from_secs_f64(commit(0.5).context("no flush was timed")?),
        commit_p99: Duration::from_secs_f64(commit(0.99).context("no flush was timed")?),
    })
}

/// Also what was counted once all servers were up and before any of them left.
fn run(
    stage: &Stage,
    processes: usize,
    time: Duration,
) -> anyhow::Result<(Ledger, Samples, Exposition)> {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..processes)
        .map(|_| {
            let (server, stop) = (stage.server()?, Arc::clone(&stop));
            Ok(spawn(move || live(server, &stop)))
        })
        .collect::<anyhow::Result<_>>()?;
    pause(WARM_UP);
    let started = stage.scrape()?;
    pause(time.saturating_sub(WARM_UP));
    let steady = stage.scrape()?.since(&started);
    stop.store(true, Ordering::Relaxed);

    let (mut ledger, mut latencies) = (Ledger::default(), Samples::default());
    for client in clients {
        let (life, took) = client
            .join()
            .map_err(|_| anyhow::anyhow!("a client panicked"))??;
        ledger.enter(&life);
        latencies.extend(took);
    }
    Ok((ledger, latencies, steady))
}

fn live(mut server: Server, stop: &AtomicBool) -> anyhow::Result<(Life, Vec<Duration>)> {
    let (mut life, mut latencies) = (Life::default(), Vec::new());
    server.pipes.initialize()?;
    life.initialized = Some(Instant::now());
    pause(CALL_EVERY.mul_f64(fastrand::f64()));
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let answer = server.pipes.call(CALL.tool, ARGUMENTS)?;
        ensure!(succeeded(answer), "{} answered {answer}", CALL.tool);
        latencies.push(asked.elapsed());
        life.answered.push((Instant::now(), CALL));
        pause(CALL_EVERY);
    }
    server.close(ENDS_WITHIN)?;
    Ok((life, latencies))
}
