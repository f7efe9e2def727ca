//! Real `mcp-stdio` servers as writers: each changes an order of its own, over and over, until it is killed.
//!
//! Its shop is sealed in the vault, so that its records are signed; what it does leaves intents, outcomes, epochs, turns and
//! telemetry in the file, as in a shop's day.

use std::collections::BTreeMap;
use std::ops::Range;
use std::process::Child;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::model::Asked;
use super::now_us;
use crate::client::{Pipes, succeeded};
use crate::stage::{Stage, pause};

/// From one change to the next, in milliseconds: fifty servers change sixty orders a second, a read and a write each.
const CHANGE_EVERY_MS: Range<u64> = 400..1_200;
/// How the proof itself introduces itself to the shop.
const WITNESS: &str = "recovery-witness";

/// Servers at work. All of them are killed in the end.
#[derive(Debug)]
pub(super) struct Servers<'a> {
    stage: &'a Stage,
    home: String,
    at_work: Vec<At>,
    killed: Vec<At>,
}

#[derive(Debug)]
struct At {
    order: String,
    child: Child,
    client: JoinHandle<Vec<Asked>>,
}

impl<'a> Servers<'a> {
    pub(super) fn start(stage: &'a Stage, home: &str, servers: usize) -> anyhow::Result<Self> {
        let mut all = Self {
            stage,
            home: home.to_owned(),
            at_work: Vec::new(),
            killed: Vec::new(),
        };
        for _ in 0..servers {
            all.one_more()?;
        }
        Ok(all)
    }

    fn one_more(&mut self) -> anyhow::Result<()> {
        let order = json!({
            "email": "recovery@example.com",
            "shipping": {"first_name": "Ada", "city": "Phoenix", "country": "US"},
            "order_items": [{"name": "there from the beginning", "code": "R", "price": 1, "quantity": 1}],
        });
        let shop = self.stage.shop();
        let made = shop.call("POST", "/orders", WITNESS, Some(&order))?;
        let order = made["order"]["id"].as_str();
        let order = order.context("the new order has no id in text")?.to_owned();
        let server = self.stage.server_on_sealed(&self.home)?;
        let (mut pipes, its_order) = (server.pipes, order.clone());
        let client = spawn(move || {
            let mut asked = Vec::new();
            // A broken pipe is how a client learns of the kill.
            let _ = change(&mut pipes, &its_order, &mut asked);
            asked
        });
        self.at_work.push(At {
            order,
            child: server.child,
            client,
        });
        Ok(())
    }

    /// Kills one of them and starts another.
    pub(super) fn replace_one(&mut self) -> anyhow::Result<()> {
        let place = fastrand::usize(..self.at_work.len());
        let mut victim = self.at_work.swap_remove(place);
        kill(&mut victim)?;
        self.killed.push(victim);
        self.one_more()
    }

    /// Kills the rest: what all of them were ever asked, by order.
    pub(super) fn finish(mut self) -> anyhow::Result<BTreeMap<String, Vec<Asked>>> {
        // All first: a client notices when it next wants something.
        self.at_work.iter_mut().try_for_each(kill)?;
        let mut all = std::mem::take(&mut self.killed);
        all.append(&mut self.at_work);
        let asked = all.into_iter().map(|server| {
            let asked = server.client.join();
            let asked = asked.map_err(|_| anyhow::anyhow!("a client panicked"))?;
            Ok((server.order, asked))
        });
        asked.collect()
    }
}

fn kill(server: &mut At) -> anyhow::Result<()> {
    server.child.kill()?;
    server.child.wait()?;
    Ok(())
}

/// A proof that fails leaves nobody behind.
impl Drop for Servers<'_> {
    fn drop(&mut self) {
        for server in &mut self.at_work {
            let _ = kill(server);
        }
    }
}

fn change(pipes: &mut Pipes, order: &str, asked: &mut Vec<Asked>) -> anyhow::Result<()> {
    pipes.initialize()?;
    for number in 0.. {
        pause(Duration::from_millis(fastrand::u64(CHANGE_EVERY_MS)));
        asked.push(Asked {
            begun_us: now_us(),
            done_us: None,
        });
        let changes = json!({"order_id": order, "changes": {"order_metadata": {"change": number.to_string()}}});
        let answer = pipes.call("orders_update", &changes.to_string())?;
        if succeeded(answer)
            && let Some(last) = asked.last_mut()
        {
            last.done_us = Some(now_us());
        }
    }
    Ok(())
}
