//! One server and its client: how soon it answers, what a call costs, what it holds.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::{Effort, Quantity, Row};
use crate::client::{Server, succeeded};
use crate::procfs::resident_bytes;
use crate::stage::Stage;
use crate::stats::Samples;

pub(super) const ENDS_WITHIN: Duration = Duration::from_secs(5);
pub(super) const CACHED: &str = r#"{"order_id":"7001001"}"#;
const UNCACHED: &str = r#"{"order_id":"7001001","fresh":true}"#;
/// Calls to one server before the other has its turn, so that both meet the same machine.
pub(super) const TURN: usize = 250;

pub(super) fn measure(stage: &Stage, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let mut rows = starts(stage, effort)?;
    rows.extend(cached_calls(stage, effort)?);
    rows.push(uncached_reads(stage, effort)?);
    Ok(rows)
}

fn starts(stage: &Stage, effort: Effort) -> anyhow::Result<Vec<Row>> {
    // The first one makes the state file; no start after it has to.
    let mut first = stage.server()?;
    first.pipes.initialize()?;
    ensure!(
        succeeded(first.pipes.call("orders_get", CACHED)?),
        "the shop does not answer"
    );
    first.close(ENDS_WITHIN)?;

    let mut samples = Samples::default();
    for _ in 0..effort.starts {
        let began = Instant::now();
        let mut server = stage.server()?;
        server.pipes.initialize()?;
        samples.push(began.elapsed());
        server.close(ENDS_WITHIN)?;
    }
    let what = "spawn to initialize answered, state file present";
    Ok(vec![
        time(what, "p50", &mut samples, 0.5, 5_000),
        time(what, "p99", &mut samples, 0.99, 15_000),
    ])
}

/// Our cached `orders_get` beside a bare rmcp server that answers with the very same result, and beside a ping to ours: what
/// is left above the one is our corridor, above the other the work of the call.
fn cached_calls(stage: &Stage, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let mut ours = stage.server()?;
    ours.pipes.initialize()?;
    let mut bare = bare_server(stage, ours.pipes.call("orders_get", CACHED)?)?;
    bare.pipes.initialize()?;
    let mut our_samples = Samples::default();
    let mut bare_samples = Samples::default();
    let mut ping_samples = Samples::default();
    for turn in 0..effort.calls / TURN {
        // The first turn of each warms up and is not counted.
        let calls = call_many(&mut ours, "orders_get", CACHED, TURN)?;
        let echoes = call_many(&mut bare, "echo", CACHED, TURN)?;
        let pings = timed(TURN, || ours.pipes.ping().map(drop))?;
        if turn > 0 {
            our_samples.extend(calls);
            bare_samples.extend(echoes);
            ping_samples.extend(pings);
        }
    }
    let resident = resident_bytes(ours.child.id())?;
    ours.close(ENDS_WITHIN)?;
    bare.close(ENDS_WITHIN)?;

    let ratio = our_samples.quantile(0.5).as_secs_f64() / bare_samples.quantile(0.5).as_secs_f64();
    let what = "cached orders_get over a pipe";
    let bare = "a bare rmcp server with the same bytes";
    Ok(vec![
        time(what, "p50", &mut our_samples, 0.5, 100),
        time(what, "p99", &mut our_samples, 0.99, 300),
        Row {
            what: bare,
            figure: "p50",
            measured: Quantity::Time(bare_samples.quantile(0.5)),
            promised: None,
        },
        Row {
            what: bare,
            figure: "p99",
            measured: Quantity::Time(bare_samples.quantile(0.99)),
            promised: None,
        },
        Row {
            what: "a ping to our server: the way there and back",
            figure: "p50",
            measured: Quantity::Time(ping_samples.quantile(0.5)),
            promised: None,
        },
        Row {
            what: "cached orders_get to bare rmcp",
            figure: "p50",
            measured: Quantity::Ratio(ratio),
            promised: Some(Quantity::Ratio(3.0)),
        },
        Row {
            what: "memory of a server after 1,000 calls and more",
            figure: "",
            measured: Quantity::Bytes(resident),
            promised: Some(Quantity::Bytes(15_000_000)),
        },
    ])
}

fn bare_server(stage: &Stage, answer: &str) -> anyhow::Result<Server> {
    let answer: serde_json::Value = serde_json::from_str(answer)?;
    let file = stage.folder().join("answer.json");
    std::fs::write(
        &file,
        serde_json::to_vec(answer.get("result").context("the answer has no result")?)?,
    )?;
    Server::spawn(
        &stage.program("examples/echo"),
        &[&file],
        &[],
        &stage.stderr(),
    )
}

fn uncached_reads(stage: &Stage, effort: Effort) -> anyhow::Result<Row> {
    let mut server = stage.server()?;
    server.pipes.initialize()?;
    call_many(&mut server, "orders_get", UNCACHED, TURN)?;
    let mut samples = Samples::default();
    samples.extend(call_many(
        &mut server,
        "orders_get",
        UNCACHED,
        effort.calls / 4,
    )?);
    server.close(ENDS_WITHIN)?;
    Ok(time(
        "uncached read, shop on loopback, quota wide open",
        "p50",
        &mut samples,
        0.5,
        600,
    ))
}

pub(super) fn call_many(
    server: &mut Server,
    tool: &str,
    arguments: &str,
    calls: usize,
) -> anyhow::Result<Vec<Duration>> {
    timed(calls, || {
        let answer = server.pipes.call(tool, arguments)?;
        ensure!(succeeded(answer), "{tool} answered {answer}");
        Ok(())
    })
}

fn timed(
    calls: usize,
    mut one: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Duration>> {
    let timed = |_| {
        let asked = Instant::now();
        one()?;
        Ok(asked.elapsed())
    };
    (0..calls).map(timed).collect()
}

fn time(
    what: &'static str,
    figure: &'static str,
    samples: &mut Samples,
    quantile: f64,
    promised_us: u64,
) -> Row {
    Row {
        what,
        figure,
        measured: Quantity::Time(samples.quantile(quantile)),
        promised: Some(Quantity::Time(Duration::from_micros(promised_us))),
    }
}
