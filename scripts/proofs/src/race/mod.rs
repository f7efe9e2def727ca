//! Many servers that write to one order at once.
//!
//! Round after round somebody makes an order, and every server adds to it, all at the same time: its own staff note, history
//! note and item, its own keys, and a parcel in a batch with another order's. Beside that each counts the same stock item up by
//! one and creates an order under the same number, of which there has to be one in the end. An order holds 2,000 characters of
//! notes and 250 entries of history, which is why the next round takes a new one. After each round the order itself is looked
//! at (`wish`), and the shop's own request log (`witness`): whatever was confirmed is there exactly once, nothing is there
//! twice, and between our reading and our writing of the order there was no other write of ours.
//!
//! Then the same beside a foreign writer (`foreign`), who edits another field of the same order faster than Order Desk's quota
//! would let it. The API has no conditional write, so an edit of its that arrives between our `GET` and our `PUT` is lost, and
//! so is one of ours that arrives between its `GET` and its `PUT`. The first is measured; the second is told apart from what
//! we would lose ourselves, which has to be nothing.
//!
//! Then the same while some of the servers are killed in the middle of it, and others start in their place.
//!
//! Here: the three parts and what is told of them. Not here: one round (`round`).

mod foreign;
mod round;
mod wish;
mod witness;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::client::Server;
use crate::stage::Stage;
use crate::stats::Samples;

use wish::{Outcome, Wish};

/// A server whose client leaves ends its work and goes.
const ENDS_WITHIN: Duration = Duration::from_secs(20);
/// How the proof itself introduces itself to the shop when it makes and looks at orders.
const WITNESS: &str = "race-witness";

/// Who is there beside the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nobody,
    Foreigner,
    Killer,
}

/// Runs all parts; an error says which promise broke.
pub(crate) fn prove(processes: u16, time: Duration) -> anyhow::Result<()> {
    println!("race: {processes} servers on one home write to the same order at once, for {time:?}");
    let alone = run(processes, time, Beside::Nobody)?;
    alone.tell(time);
    println!(
        "  every confirmed note, item, key and parcel is there exactly once; stock adds up; one order per number"
    );

    println!("race beside a foreign writer of the same order, for {time:?}");
    let beside = run(processes, time, Beside::Foreigner)?;
    beside.tell(time);
    beside.tell_of_the_foreigner()?;

    println!("race in which a quarter of the servers is killed on each order, for {time:?}");
    let killed = run(processes, time, Beside::Killer)?;
    killed.tell(time);
    killed.tell_of_the_killer()
}

/// What each part counts.
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
    /// Servers that were killed, and writes that they left unanswered.
    killed: u64,
    unanswered: usize,
    /// Confirmed writes of ours that a `PUT` of the foreign writer took away.
    taken_away: u64,
}

fn run(processes: u16, time: Duration, beside: Beside) -> anyhow::Result<Seen> {
    let stage = Stage::open_with(&[("TOOLSETS", "all"), ("CONFIRM", "never")])?;
    let mut servers: Vec<Server> = (0..processes)
        .map(|_| started(&stage))
        .collect::<anyhow::Result<_>>()?;
    let mut seen = Seen::default();
    let began = Instant::now();
    while began.elapsed() < time {
        let killed = round::play(&stage.shop(), &mut servers, beside, &mut seen)
            .with_context(|| format!("order {}", seen.orders + 1))?;
        for place in killed {
            seen.killed += 1;
            servers[place].child.wait()?;
            servers[place] = started(&stage)?;
        }
    }
    for server in servers {
        server.close(ENDS_WITHIN)?;
    }
    if beside != Beside::Foreigner {
        seen.all_that_was_answered_was_done()?;
    }
    the_record_is_whole(&stage, &seen)?;
    Ok(seen)
}

fn started(stage: &Stage) -> anyhow::Result<Server> {
    let mut server = stage.server()?;
    server.pipes.initialize()?;
    Ok(server)
}

/// The audit chain verifies, and no write is left open but those whose outcome was told as unknown, or not told at all.
fn the_record_is_whole(stage: &Stage, seen: &Seen) -> anyhow::Result<()> {
    let (verified, said) = stage.command(&["audit", "verify"])?;
    ensure!(verified, "audit verify: {said}");
    let (_, said) = stage.command(&["audit", "unsettled", "--json"])?;
    let listed: serde_json::Value = serde_json::from_str(said.trim())
        .with_context(|| format!("audit unsettled --json printed {said}"))?;
    let open = listed["unsettled"]
        .as_array()
        .with_context(|| format!("audit unsettled --json printed {said}"))?
        .len();
    ensure!(
        (seen.unknown..=seen.unknown + seen.unanswered).contains(&open),
        "{open} writes are left open; {} were told as unknown, {} not answered",
        seen.unknown,
        seen.unanswered
    );
    println!("  audit chain verifies, {open} writes are listed as unknown");
    Ok(())
}

impl Seen {
    fn enter(&mut self, wish: Wish) {
        self.asked += 1;
        if wish.outcome != Outcome::Unanswered {
            self.took.push(wish.took);
        }
        match wish.outcome {
            Outcome::Done => self.done += 1,
            Outcome::NotDone => self.complaints.push(wish.said),
            Outcome::Unknown => {
                self.unknown += 1;
                self.complaints.push(wish.said);
            }
            Outcome::Unanswered => self.unanswered += 1,
        }
    }

    fn all_that_was_answered_was_done(&self) -> anyhow::Result<()> {
        let not_confirmed = self.asked - self.done - self.unanswered as u64;
        ensure!(
            not_confirmed == 0,
            "{not_confirmed} of {} writes were not confirmed though nothing went wrong; the first: {}",
            self.asked,
            self.complaints.first().map_or("", String::as_str)
        );
        Ok(())
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
            "  {} updates, each a GET and its PUT with nothing of ours between; window p50 {:.1?}, p99 {:.1?}, open {:.0} % of the time",
            self.updates,
            windows.quantile(0.5),
            windows.quantile(0.99),
            100.0 * windows.sum().as_secs_f64() / time.as_secs_f64()
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

    fn tell_of_the_killer(&self) -> anyhow::Result<()> {
        ensure!(self.killed > 0, "nobody was killed");
        println!(
            "  {} servers killed, {} writes of theirs never answered: each there once or not at all; every other one confirmed",
            self.killed, self.unanswered
        );
        Ok(())
    }
}
