//! What sealed shops cost: the same server with its shop in the vault, beside one with the shop in its environment.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::session::{CACHED, ENDS_WITHIN, TURN, call_many};
use super::{Effort, Quantity, Row};
use crate::client::{Server, succeeded};
use crate::stage::Stage;
use crate::stats::Samples;

pub(super) fn measure(stage: &Stage, effort: Effort) -> anyhow::Result<Vec<Row>> {
    let homes = stage.folder().join("benched");
    let home = |name: &str| -> anyhow::Result<String> {
        let home = homes.join(name);
        Ok(home
            .to_str()
            .context("the folder's name is no text")?
            .to_owned())
    };
    let (sealed, plain) = (home("sealed")?, home("plain")?);
    stage.seal_shop_in(&sealed)?;
    // Both homes have a state file and know the order before anything is timed.
    for server in [stage.server_on_sealed(&sealed)?, stage.server_on(&plain)?] {
        warm(server)?.close(ENDS_WITHIN)?;
    }
    let mut rows = starts(stage, effort, &sealed, &plain)?;
    rows.extend(cached_calls(stage, effort, &sealed, &plain)?);
    Ok(rows)
}

fn warm(mut server: Server) -> anyhow::Result<Server> {
    server.pipes.initialize()?;
    let answer = server.pipes.call("orders_get", CACHED)?;
    ensure!(succeeded(answer), "the shop does not answer: {answer}");
    Ok(server)
}

/// By turns, so that both meet the same machine.
fn starts(stage: &Stage, effort: Effort, sealed: &str, plain: &str) -> anyhow::Result<Vec<Row>> {
    let mut with_vault = Samples::default();
    let mut without = Samples::default();
    for _ in 0..effort.starts {
        with_vault.push(start(|| stage.server_on_sealed(sealed))?);
        without.push(start(|| stage.server_on(plain))?);
    }
    Ok(rows(
        "spawn to initialize answered, shop sealed",
        "spawn to initialize: sealed to environment",
        &mut with_vault,
        &mut without,
    ))
}

fn start(spawn: impl Fn() -> anyhow::Result<Server>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut server = spawn()?;
    server.pipes.initialize()?;
    let took = began.elapsed();
    server.close(ENDS_WITHIN)?;
    Ok(took)
}

fn cached_calls(
    stage: &Stage,
    effort: Effort,
    sealed: &str,
    plain: &str,
) -> anyhow::Result<Vec<Row>> {
    let mut sealed_server = warm(stage.server_on_sealed(sealed)?)?;
    let mut plain_server = warm(stage.server_on(plain)?)?;
    let mut with_vault = Samples::default();
    let mut without = Samples::default();
    for turn in 0..effort.calls / TURN {
        let ours = call_many(&mut sealed_server, "orders_get", CACHED, TURN)?;
        let others = call_many(&mut plain_server, "orders_get", CACHED, TURN)?;
        // The first turn of each warms up and is not counted.
        if turn > 0 {
            with_vault.extend(ours);
            without.extend(others);
        }
    }
    sealed_server.close(ENDS_WITHIN)?;
    plain_server.close(ENDS_WITHIN)?;
    Ok(rows(
        "cached orders_get, shop sealed",
        "cached orders_get: sealed to environment",
        &mut with_vault,
        &mut without,
    ))
}

/// The median with a vault, and its ratio to the median without. Nothing is promised beyond what the other rows promise.
fn rows(
    what: &'static str,
    compared: &'static str,
    with_vault: &mut Samples,
    without: &mut Samples,
) -> Vec<Row> {
    let median = with_vault.quantile(0.5);
    let ratio = median.as_secs_f64() / without.quantile(0.5).as_secs_f64();
    vec![
        Row {
            what,
            figure: "p50",
            measured: Quantity::Time(median),
            promised: None,
        },
        Row {
            what: compared,
            figure: "p50",
            measured: Quantity::Ratio(ratio),
            promised: None,
        },
    ]
}
