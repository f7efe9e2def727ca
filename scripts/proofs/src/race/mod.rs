//! Many servers that write to one order at once.
//!
//! Round after round somebody makes an order, and every server adds to it, all at the same time: its own staff note, history
//! note and item, and its own keys. Beside that each counts the same stock item up by one and creates an order under the same
//! number, of which there has to be one in the end. An order holds 2,000 characters of notes and 250 entries of history, which is why the next
//! round takes a new one. After each round the order itself is looked at (`wish`), and the shop's own request log
//! (`witness`): whatever was confirmed is there exactly once, nothing is there twice, and between our reading and our writing
//! of the order there was no other write of ours.
//!
//! Then the same beside a foreign writer (`foreign`), who edits another field of the same order faster than Order Desk's quota
//! would let it. The API has no conditional write, so an edit of its that arrives between our `GET` and our `PUT` is lost, and
//! so is one of ours that arrives between its `GET` and its `PUT`. The first is measured; the second is told apart from what
//! we would lose ourselves, which has to be nothing.

mod foreign;
mod wish;
mod witness;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::client::Server;
use crate::shop::Shop;
use crate::stage::Stage;
use crate::stats::Samples;

use foreign::Edits;
use wish::{Kind, Outcome, Wish};

/// A server whose client leaves ends its work and goes.
const ENDS_WITHIN: Duration = Duration::from_secs(20);
/// How the proof itself introduces itself to the shop when it makes and looks at orders.
const WITNESS: &str = "race-witness";

/// Runs both halves; an error says which promise broke.
pub(crate) fn prove(processes: u16, time: Duration) -> anyhow::Result<()> {
    println!("race: {processes} servers on one home write to the same order at once, for {time:?}");
    let stage = Stage::open_with(&[("TOOLSETS", "all")])?;
    let alone = run(&stage, processes, time, false)?;
    ensure!(
        alone.done == alone.asked,
        "{} of {} writes were not confirmed though nothing went wrong; the first: {}",
        alone.asked - alone.done,
        alone.asked,
        alone.complaints.first().map_or("", String::as_str)
    );
    alone.tell(time);
    println!(
        "  every confirmed note, item and key is there exactly once; stock adds up; one order per number"
    );

    println!("race beside a foreign writer of the same order, for {time:?}");
    let beside = run(&stage, processes, time, true)?;
    beside.tell(time);
    beside.tell_of_the_foreigner()
}

/// What both halves count.
#[derive(Debug, Default)]
struct Seen {
    orders: u64,
    asked: u64,
    done: u64,
    unknown: usize,
    /// What was said about writes that were not confirmed.
    complaints: Vec<String>,
    took: Samples,
    /// Our updates, and for each the time from the answer to our `GET` to the arrival of our `PUT`.
    updates: u64,
    windows: Samples,
    edits: u64,
    edits_lost: u64,
    /// Confirmed writes of ours that a `PUT` of the foreign writer took away.
    taken_away: u64,
}

fn run(stage: &Stage, processes: u16, time: Duration, beside: bool) -> anyhow::Result<Seen> {
    let mut servers: Vec<Server> = (0..processes)
        .map(|_| {
            let mut server = stage.server()?;
            server.pipes.initialize()?;
            Ok(server)
        })
        .collect::<anyhow::Result<_>>()?;
    let (shop, mut seen) = (stage.shop(), Seen::default());
    let began = Instant::now();
    while began.elapsed() < time {
        one_round(&shop, &mut servers, beside, &mut seen)
            .with_context(|| format!("order {}", seen.orders + 1))?;
    }
    for server in servers {
        server.close(ENDS_WITHIN)?;
    }
    the_record_is_whole(stage, seen.unknown)?;
    Ok(seen)
}

fn one_round(
    shop: &Shop,
    servers: &mut [Server],
    beside: bool,
    seen: &mut Seen,
) -> anyhow::Result<()> {
    let order = new_order(shop)?;
    shop.take_log()?;
    let stock = stock_of(shop)?;
    let (wishes, edits) = all_write(shop, servers, &order, beside)?;
    let path = format!("/orders/{order}?get_order_history=1");
    let after = shop.call("GET", &path, WITNESS, None)?["order"].take();
    let trace = witness::Trace::of(&order, shop.take_log()?);

    for window in trace.windows_of_updates()? {
        seen.windows.push(window);
        seen.updates += 1;
    }
    let (wishes, common): (Vec<Wish>, Vec<Wish>) = wishes
        .into_iter()
        .partition(|wish| wish.kind.is_in_the_order());
    what_all_did_adds_up(shop, &order, stock_of(shop)? - stock, &common)?;
    for wish in wishes {
        let there = wish.times_in(&after);
        ensure!(there < 2, "{wish} is there {there} times");
        if wish.outcome == Outcome::Done && there == 0 {
            ensure!(
                beside && trace.foreigner_took_away(&wish)?,
                "{wish} was confirmed and is not there"
            );
            seen.taken_away += 1;
        }
        seen.enter(wish);
    }
    for lost in edits.lost(&after) {
        trace.fell_into_our_window(&lost)?;
        seen.edits_lost += 1;
    }
    seen.edits += edits.made();
    seen.orders += 1;
    Ok(())
}

/// The stock has grown by what was confirmed, and there is one order under the number that everybody used.
fn what_all_did_adds_up(
    shop: &Shop,
    order: &str,
    grown_by: i64,
    common: &[Wish],
) -> anyhow::Result<()> {
    let counted = |kind, outcome| {
        let wishes = common.iter();
        let found = wishes.filter(|wish| wish.kind == kind && wish.outcome == outcome);
        found.count() as i64
    };
    let (done, unknown) = (
        counted(Kind::Stock, Outcome::Done),
        counted(Kind::Stock, Outcome::Unknown),
    );
    ensure!(
        (done..=done + unknown).contains(&grown_by) && done > 0,
        "the stock has grown by {grown_by}, and {done} adjustments by one were confirmed, {unknown} unknown"
    );
    let number = wish::number_of_the_same(order);
    let path = format!("/orders?source_id={number}&source_name=Race");
    let found = shop.call("GET", &path, WITNESS, None)?;
    let made = found["orders"].as_array().map_or(0, Vec::len);
    ensure!(
        made == 1 && counted(Kind::SameOrder, Outcome::Done) > 0,
        "{made} orders with the number {number}, which everybody used"
    );
    Ok(())
}

fn stock_of(shop: &Shop) -> anyhow::Result<i64> {
    let path = format!("/inventory-items/{}", wish::STOCK);
    let item = shop.call("GET", &path, WITNESS, None)?;
    item["inventory_item"]["stock"]
        .as_i64()
        .context("the stock item has no whole stock")
}

/// Every server grants its wishes while the foreign writer, if there is one, edits.
fn all_write(
    shop: &Shop,
    servers: &mut [Server],
    order: &str,
    beside: bool,
) -> anyhow::Result<(Vec<Wish>, Edits)> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let foreigner = beside.then(|| scope.spawn(|| foreign::edit(shop, order, &over)));
        let writers: Vec<_> = servers
            .iter_mut()
            .enumerate()
            .map(|(who, server)| {
                scope.spawn(move || wish::grant_all(&mut server.pipes, who, order))
            })
            .collect();
        let mut wishes = Vec::new();
        let mut failed = None;
        for writer in writers {
            match writer.join() {
                Ok(Ok(granted)) => wishes.extend(granted),
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(anyhow::anyhow!("a client panicked")),
            }
        }
        over.store(true, Ordering::Relaxed);
        let edits = match foreigner.map(std::thread::ScopedJoinHandle::join) {
            None => Edits::default(),
            Some(Ok(edits)) => edits.context("the foreign writer")?,
            Some(Err(_)) => anyhow::bail!("the foreign writer panicked"),
        };
        failed.map_or(Ok((wishes, edits)), Err)
    })
}

fn new_order(shop: &Shop) -> anyhow::Result<String> {
    let order = json!({
        "email": "race@example.com",
        "shipping": {"first_name": "Ada", "last_name": "Race", "city": "Phoenix", "country": "US"},
        "order_items": [{"name": "there from the beginning", "code": "RACE", "price": 1, "quantity": 1}],
    });
    let made = shop.call("POST", "/orders", WITNESS, Some(&order))?;
    let id = made["order"]["id"].as_str();
    id.map(str::to_owned)
        .context("the new order has no id in text")
}

/// The audit chain verifies, and no write is left open but those whose outcome was told as unknown.
fn the_record_is_whole(stage: &Stage, unknown: usize) -> anyhow::Result<()> {
    let (verified, said) = stage.command(&["audit", "verify"])?;
    ensure!(verified, "audit verify: {said}");
    let (listed, said) = stage.command(&["audit", "unsettled", "--json"])?;
    let open: serde_json::Value = serde_json::from_str(said.trim())
        .with_context(|| format!("audit unsettled --json printed {said}"))?;
    let list = open.as_array().or_else(|| open["unsettled"].as_array());
    let list = list.with_context(|| format!("audit unsettled --json printed {said}"))?;
    ensure!(
        listed && list.len() == unknown,
        "{} writes are left open, and {unknown} were told as unknown",
        list.len()
    );
    Ok(())
}

impl Seen {
    fn enter(&mut self, wish: Wish) {
        self.asked += 1;
        self.took.push(wish.took);
        match wish.outcome {
            Outcome::Done => self.done += 1,
            Outcome::NotDone => self.complaints.push(wish.said),
            Outcome::Unknown => {
                self.unknown += 1;
                self.complaints.push(wish.said);
            }
        }
    }

    fn tell(&self, time: Duration) {
        let mut took = self.took.clone();
        println!(
            "  {} orders; {} writes asked, {} confirmed, {:.0} a second; p50 {:.0?}, p99 {:.0?}, waiting for their turn included",
            self.orders,
            self.asked,
            self.done,
            self.done as f64 / time.as_secs_f64(),
            took.quantile(0.5),
            took.quantile(0.99)
        );
        let mut windows = self.windows.clone();
        println!(
            "  {} updates, each a GET and its PUT with nothing of ours between; window p50 {:.1?}, p99 {:.1?}",
            self.updates,
            windows.quantile(0.5),
            windows.quantile(0.99)
        );
        println!(
            "  audit chain verifies, {} writes are left open",
            self.unknown
        );
    }

    fn tell_of_the_foreigner(&self) -> anyhow::Result<()> {
        ensure!(self.edits > 0, "the foreign writer never got to write");
        println!(
            "  {} edits of the foreign writer, {} lost to our PUT, all of them inside its window: {:.1} %",
            self.edits,
            self.edits_lost,
            100.0 * self.edits_lost as f64 / self.edits as f64
        );
        println!(
            "  of our {} confirmed writes {} were taken away by a PUT of the foreign writer, none by us; {} were told as unknown, {} as not done",
            self.done,
            self.taken_away,
            self.unknown,
            self.asked - self.done - self.unknown as u64
        );
        Ok(())
    }
}
