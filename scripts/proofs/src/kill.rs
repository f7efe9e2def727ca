//! Servers under load, killed at random moments.
//!
//! Each round starts N servers on one home, lets their clients call without pause for thought, kills three in four with
//! SIGKILL at random moments and lets the others end when their client leaves. After each round what the sidecar shows is
//! held against what the clients saw (`ledger`), and once more after the rows of the dead were folded. A scraper reads
//! `/metrics` all the while: no counter may ever fall.

use std::ops::Range;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use parking_lot::Mutex;

use crate::client::{Pipes, succeeded, wait_for_exit};
use crate::ledger::{Bounds, Call, Ledger, Life};
use crate::scrape::Exposition;
use crate::stage::{Stage, pause};

/// When within a round a server may be killed, counted from the round's start, in milliseconds.
const KILLED_BETWEEN_MS: Range<u64> = 150..1200;
/// Pause between two calls of one client, in milliseconds: some 3,000 calls a second from 50 clients.
const CALL_EVERY_MS: Range<u64> = 5..25;
/// A server whose client leaves answers what it has accepted, writes its last numbers, and goes.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// The sidecar folds the rows of the dead in its housekeeping, every few seconds.
const FOLDED_WITHIN: Duration = Duration::from_secs(60);
/// Longer than the sidecar waits between two looks at its surroundings.
const LOOKS_EVERY: Duration = Duration::from_millis(2500);
/// How often the scraper reads.
const SCRAPE_EVERY: Duration = Duration::from_millis(100);

/// What clients call: something cached, something local, and something that is refused.
const CALLS: [(&str, &str, &str); 3] = [
    ("orders_get", r#"{"order_id":"7001001"}"#, "success"),
    ("server_status", "{}", "success"),
    ("orders_get", r#"{"order_id":"no number"}"#, "error"),
];

/// Plays all rounds; an error says what was forgotten, counted twice, or fell.
pub(crate) fn prove(processes: usize, rounds: usize) -> anyhow::Result<()> {
    println!(
        "kill: {processes} servers under load, three in four killed with SIGKILL, {rounds} rounds"
    );
    let stage = Stage::open()?;
    let scraper = Scraper::start(&stage);
    let mut ledger = Ledger::default();
    for round in 1..=rounds {
        for life in one_round(&stage, processes)? {
            ledger.enter(&life);
        }
        check(&ledger, &stage.scrape()?)
            .with_context(|| format!("round {round}, right after the last exit"))?;
    }
    wait_until_folded(&stage)?;
    let counted = stage.scrape()?;
    check(&ledger, &counted).context("after the dead were folded")?;
    let scrapes = scraper.finish()?;

    let total = ledger.total();
    check_requests(&counted, stage.requests_of_the_shop()?, total)?;
    let sum = counted.sum("mcp_tool_calls_total", &[]);
    println!(
        "  {} answered, {} killed, {sum} counted, {scrapes} scrapes",
        total.answered, ledger.killed
    );
    println!(
        "  lost: {} (of {} answered within 250 ms before their server was killed)",
        total.answered.saturating_sub(sum),
        total.in_window
    );
    println!("  counted twice: none; fallen counters: none");
    Ok(())
}

fn check(ledger: &Ledger, counted: &Exposition) -> anyhow::Result<()> {
    let mistakes = ledger.mistakes(counted);
    ensure!(mistakes.is_empty(), "{}", mistakes.join("; "));
    Ok(())
}

/// The shop's own log is a second witness: what it has seen was counted, but for what killed servers took along.
fn check_requests(counted: &Exposition, seen: u64, total: Bounds) -> anyhow::Result<()> {
    let calls = counted.sum("orderdesk_api_calls_total", &[]);
    let least = seen.saturating_sub(total.in_window + total.under_way);
    ensure!(
        (least..=seen).contains(&calls),
        "orderdesk_api_calls_total: {calls} counted, {seen} seen by the shop, at least {least} expected"
    );
    Ok(())
}

/// One server with its client thread, and the handle by which it is killed.
struct Client {
    server: Arc<Mutex<Child>>,
    killed: Arc<Mutex<Option<Instant>>>,
    thread: JoinHandle<Life>,
}

fn one_round(stage: &Stage, processes: usize) -> anyhow::Result<Vec<Life>> {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<Client> = (0..processes)
        .map(|_| start_client(stage, Arc::clone(&stop)))
        .collect::<anyhow::Result<_>>()?;
    kill_most(&clients)?;
    stop.store(true, Ordering::Relaxed);
    clients.into_iter().map(finish_client).collect()
}

fn start_client(stage: &Stage, stop: Arc<AtomicBool>) -> anyhow::Result<Client> {
    let server = stage.server()?;
    let mut pipes = server.pipes;
    let thread = spawn(move || {
        let mut life = Life::default();
        // A broken pipe is how a client learns of the kill; whether there was one is looked at afterwards.
        let _ = live(&mut pipes, &mut life, &stop);
        life
    });
    Ok(Client {
        server: Arc::new(Mutex::new(server.child)),
        killed: Arc::default(),
        thread,
    })
}

fn live(pipes: &mut Pipes, life: &mut Life, stop: &AtomicBool) -> anyhow::Result<()> {
    pipes.initialize()?;
    life.initialized = Some(Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let (tool, arguments, status) = CALLS[fastrand::usize(..CALLS.len())];
        let call = Call { tool, status };
        life.unanswered = Some(call);
        let answer = pipes.call(tool, arguments)?;
        let seen = if succeeded(answer) {
            "success"
        } else {
            "error"
        };
        life.unanswered = None;
        life.answered
            .push((Instant::now(), Call { tool, status: seen }));
        ensure!(seen == status, "{tool} answered {answer}");
        pause(Duration::from_millis(fastrand::u64(CALL_EVERY_MS)));
    }
    Ok(())
}

/// Kills three in four, each at its own random moment, and returns when the last moment has passed.
fn kill_most(clients: &[Client]) -> anyhow::Result<()> {
    let start = Instant::now();
    let moment = || start + Duration::from_millis(fastrand::u64(KILLED_BETWEEN_MS));
    let mut victims: Vec<(Instant, &Client)> = clients
        .iter()
        .filter(|_| fastrand::u8(..4) != 0)
        .map(|client| (moment(), client))
        .collect();
    victims.sort_by_key(|(at, _)| *at);
    for (at, victim) in victims {
        pause(at.saturating_duration_since(Instant::now()));
        *victim.killed.lock() = Some(Instant::now());
        victim.server.lock().kill()?;
    }
    Ok(())
}

fn finish_client(client: Client) -> anyhow::Result<Life> {
    let mut life = client
        .thread
        .join()
        .map_err(|_| anyhow::anyhow!("a client panicked"))?;
    life.killed = *client.killed.lock();
    let mut server = client.server.lock();
    if life.killed.is_some() {
        server.wait()?;
    } else {
        ensure!(
            life.unanswered.is_none(),
            "a server that nobody killed left {:?} unanswered",
            life.unanswered
        );
        wait_for_exit(&mut server, ENDS_WITHIN)?;
    }
    Ok(life)
}

/// Waits until the sidecar has folded every dead server, so that no session is left but its own.
fn wait_until_folded(stage: &Stage) -> anyhow::Result<()> {
    // What the sidecar tells is as old as its last look; two in a row cannot both be from before the last exit.
    let mut none_left = 0;
    let deadline = Instant::now() + FOLDED_WITHIN;
    while none_left < 2 {
        let left = stage.ended()?;
        none_left = if left == 0 { none_left + 1 } else { 0 };
        if Instant::now() > deadline {
            bail!("{left} dead servers were not folded within {FOLDED_WITHIN:?}");
        }
        pause(LOOKS_EVERY);
    }
    Ok(())
}

/// Reads `/metrics` over and over, and remembers what fell.
struct Scraper {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<(u64, Vec<String>)>>,
}

impl Scraper {
    fn start(stage: &Stage) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (address, stopped) = (stage.sidecar.address, Arc::clone(&stop));
        let thread = spawn(move || {
            let (mut scrapes, mut fallen, mut before) = (0, Vec::new(), Exposition::read(address)?);
            while !stopped.load(Ordering::Relaxed) {
                let now = Exposition::read(address)?;
                fallen.extend(now.fallen_since(&before));
                before = now;
                scrapes += 1;
                pause(SCRAPE_EVERY);
            }
            Ok((scrapes, fallen))
        });
        Self { stop, thread }
    }

    fn finish(self) -> anyhow::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let (scrapes, fallen) = self
            .thread
            .join()
            .map_err(|_| anyhow::anyhow!("the scraper panicked"))??;
        ensure!(
            fallen.is_empty(),
            "{} counters fell: {}",
            fallen.len(),
            fallen[..fallen.len().min(5)].join("; ")
        );
        Ok(scrapes)
    }
}
