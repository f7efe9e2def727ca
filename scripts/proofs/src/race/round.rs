//! One round: a new order, everybody writes to it at once, and then it is looked at.

use std::ops::Range;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::foreign::{self, Edits};
use super::wish::{self, Kind, Outcome, Wish};
use super::{Beside, Seen, WITNESS, witness};
use crate::client::Server;
use crate::shop::Shop;
use crate::stage::pause;

/// From one kill to the next, in milliseconds: a round of sixteen takes about a second.
const KILLED_AFTER_MS: Range<u64> = 20..250;

/// Plays one round and enters it in `seen`. Returns the places of the servers that were killed.
pub(super) fn play(
    shop: &Shop,
    servers: &mut [Server],
    beside: Beside,
    seen: &mut Seen,
) -> anyhow::Result<Vec<usize>> {
    let order = new_order(shop)?;
    shop.take_log()?;
    let stock = stock_of(shop)?;
    let Written {
        wishes,
        edits,
        killed,
    } = all_write(shop, servers, &order, beside)?;
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
    for wish in common {
        seen.enter(wish);
    }
    for wish in wishes {
        let there = wish.times_in(&after);
        ensure!(there < 2, "{wish} is there {there} times");
        if wish.outcome == Outcome::Done && there == 0 {
            ensure!(
                beside == Beside::Foreigner && trace.foreigner_took_away(&wish)?,
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
    Ok(killed)
}

fn unanswered(wishes: &[Wish]) -> usize {
    let unanswered = |wish: &&Wish| wish.outcome == Outcome::Unanswered;
    wishes.iter().filter(unanswered).count()
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
    let done = counted(Kind::Stock, Outcome::Done);
    let unknown =
        counted(Kind::Stock, Outcome::Unknown) + counted(Kind::Stock, Outcome::Unanswered);
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

/// What came of one round.
struct Written {
    wishes: Vec<Wish>,
    edits: Edits,
    killed: Vec<usize>,
}

/// Every server grants its wishes, while somebody edits the order or kills servers.
fn all_write(
    shop: &Shop,
    servers: &mut [Server],
    order: &str,
    beside: Beside,
) -> anyhow::Result<Written> {
    let over = AtomicBool::new(false);
    let (mut children, mut pipes) = (Vec::new(), Vec::new());
    for server in servers {
        children.push(&mut server.child);
        pipes.push(&mut server.pipes);
    }
    std::thread::scope(|scope| {
        let foreigner = (beside == Beside::Foreigner)
            .then(|| scope.spawn(|| foreign::edit(shop, order, &over)));
        let killer = (beside == Beside::Killer).then(|| scope.spawn(|| kill_some(children)));
        let writers: Vec<_> = pipes
            .into_iter()
            .enumerate()
            .map(|(who, pipes)| scope.spawn(move || wish::grant_all(pipes, who, order)))
            .collect();
        let mut wishes = Vec::new();
        for writer in writers {
            wishes.extend(joined(writer)??);
        }
        over.store(true, Ordering::Relaxed);
        let killed = killer.map_or(Ok(Ok(Vec::new())), joined)??;
        let edits = foreigner.map_or(Ok(Ok(Edits::default())), joined)?;
        ensure!(
            beside == Beside::Killer || unanswered(&wishes) == 0,
            "a server that nobody killed did not answer"
        );
        Ok(Written {
            wishes,
            edits: edits.context("the foreign writer")?,
            killed,
        })
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> anyhow::Result<T> {
    thread
        .join()
        .map_err(|_| anyhow::anyhow!("a client panicked"))
}

/// Kills a quarter of the servers, each at its own random moment; which.
fn kill_some(mut children: Vec<&mut Child>) -> anyhow::Result<Vec<usize>> {
    let mut places: Vec<usize> = (0..children.len()).collect();
    fastrand::shuffle(&mut places);
    places.truncate(children.len() / 4);
    for place in &places {
        pause(Duration::from_millis(fastrand::u64(KILLED_AFTER_MS)));
        children[*place].kill()?;
    }
    Ok(places)
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
