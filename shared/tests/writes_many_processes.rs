//! Many processes write to one order at once, are killed between any two steps of a write, and nothing is lost, nothing is done out of
//! turn, and what nobody knows the end of is told.
//!
//! The shop is a file with a number that is read, and written again one higher: whoever writes out of turn loses somebody's change.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a test that cannot go on fails; a child process speaks on stdout"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use shared::audit::{Actor, Chain, Filter, Outcome, Signer, action, list, verify};
use shared::paths::Home;
use shared::session::{Kind, Session};
use shared::state::State;
use shared::writes::{Begun, Deed, Standing, Turn, Why, begin, end, settle, turn, unsettled};

/// The home of a child process, and what it does there: a number of writes, or one write step by step.
const HOME: &str = "WRITES_TEST_HOME";
const WRITES: &str = "WRITES_TEST_WRITES";

/// Far longer than anything takes; whoever waits longer starves.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stands for the tenant's key: a signature that depends on the message and is made in no time.
struct Key;

impl Signer for Key {
    fn key_version(&self) -> u32 {
        1
    }

    fn mac(&self, key_version: u32, message: &[u8]) -> Option<[u8; 32]> {
        let mut mac: [u8; 32] = message.try_into().ok()?;
        mac.reverse();
        (key_version == 1).then_some(mac)
    }
}

fn chain() -> Chain {
    Chain::Tenant("t1".to_owned())
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A process of the home that writes.
struct Writer {
    home: Home,
    state: State,
    session: Session,
}

impl Writer {
    fn new(home: &Home) -> Writer {
        Writer {
            home: home.clone(),
            state: State::open(home).unwrap(),
            session: Session::begin(home, Kind::McpStdio, "1.0").unwrap(),
        }
    }

    fn actor(&self) -> Actor {
        Actor {
            session: self.session.id().clone(),
            client: None,
        }
    }

    fn enqueue(&self) -> Turn {
        let things = ["order/1".to_owned()];
        turn::enqueue(&self.state, self.session.id(), "shop", &things, now_ms()).unwrap()
    }

    fn wait(&self, turn: &Turn) {
        let until = Instant::now() + PATIENCE;
        loop {
            match turn::standing(&self.state, turn, now_ms()).unwrap() {
                Standing::Ours => return,
                Standing::Waiting { .. } if Instant::now() < until => {
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn begin(&self, turn: &Turn) -> Begun {
        let (chain, actor) = (chain(), self.actor());
        let deed = Deed {
            chain: &chain,
            actor: &actor,
            store_key: "shop",
            action: action::ORDER_NOTED,
            target: "order 1",
            args_shape: "note: 5 chars",
            check: "look at order 1",
        };
        begin(&self.state, &deed, turn, now_ms(), Some(&Key)).unwrap()
    }

    fn send(&self) {
        let shop = shop(&self.home);
        write_shop(&self.home, shop + 1);
    }

    fn end(&self, begun: &Begun, turn: &Turn) {
        let (actor, done) = (self.actor(), Outcome::Done);
        end(
            &self.state,
            begun,
            &actor,
            done,
            Some(turn),
            now_ms(),
            Some(&Key),
        )
        .unwrap();
    }
}

fn shop(home: &Home) -> u64 {
    let text = fs::read_to_string(home.root().join("shop")).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

fn write_shop(home: &Home, number: u64) {
    fs::write(home.root().join("shop"), number.to_string()).unwrap();
}

#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the processes it starts"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Says what it has just done, and goes on when it is told to.
fn said(what: &str) {
    println!("said {what}");
    std::io::stdin()
        .lock()
        .read_line(&mut String::new())
        .unwrap();
}

#[test]
fn child_process() {
    let Some(home) = variable(HOME) else { return };
    let writer = Writer::new(&Home::at(home));
    said("alive");
    match variable(WRITES).and_then(|writes| writes.parse().ok()) {
        Some(writes) => race(&writer, writes),
        None => step_by_step(&writer),
    }
}

fn race(writer: &Writer, writes: u32) {
    for _ in 0..writes {
        let turn = writer.enqueue();
        writer.wait(&turn);
        let begun = writer.begin(&turn);
        writer.send();
        writer.end(&begun, &turn);
        println!("said done");
    }
}

fn step_by_step(writer: &Writer) {
    let turn = writer.enqueue();
    said("waiting");
    writer.wait(&turn);
    said("ours");
    let begun = writer.begin(&turn);
    said("begun");
    writer.send();
    said("sent");
    writer.end(&begun, &turn);
    said("ended");
}

struct Process {
    child: Child,
    said: std::io::Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(home: &Home, writes: Option<u32>) -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child_process", "--nocapture"])
            .env(HOME, home.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(writes) = writes {
            command.env(WRITES, writes.to_string());
        }
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Process { child, said };
        assert_eq!(process.hear().as_deref(), Some("alive"));
        process
    }

    fn go(&mut self) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(b"go\n").unwrap();
    }

    /// The next thing it says, past what the test harness prints.
    fn hear(&mut self) -> Option<String> {
        self.said.find_map(|line| {
            let line = line.ok()?;
            line.split_once("said ").map(|(_, what)| what.to_owned())
        })
    }

    fn goes_on_until(&mut self, point: &str) {
        loop {
            self.go();
            match self.hear() {
                Some(said) if said == point => return,
                Some(_) => {}
                None => panic!("it ended before `{point}`"),
            }
        }
    }

    /// How many writes it said were done until it ended, or was killed.
    fn rest(mut self) -> u64 {
        let mut done = 0;
        while self.hear().is_some() {
            done += 1;
        }
        self.child.wait().unwrap();
        done
    }

    fn kill(mut self) -> u64 {
        self.child.kill().unwrap();
        self.rest()
    }
}

fn home() -> (tempfile::TempDir, Home, State) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let state = State::open(&home).unwrap();
    (folder, home, state)
}

fn is_sound(state: &State) -> bool {
    verify(state, &chain(), Some(&Key), &[]).unwrap().ok
}

fn outcomes(state: &State) -> Vec<String> {
    let records = state.read("test", |reading| {
        list(reading, &chain(), &Filter::default())
    });
    let outcome = |record: shared::audit::Record| record.outcome;
    records.unwrap().into_iter().map(outcome).collect()
}

#[test]
fn writers_of_one_order_never_lose_a_change_and_none_of_them_starves() {
    const PROCESSES: u64 = 6;
    const EACH: u32 = 12;
    let (_folder, home, state) = home();
    let mut processes: Vec<Process> = (0..PROCESSES)
        .map(|_| Process::start(&home, Some(EACH)))
        .collect();
    processes.iter_mut().for_each(Process::go);
    let done: u64 = processes.into_iter().map(Process::rest).sum();
    assert_eq!(done, PROCESSES * u64::from(EACH));
    assert_eq!(shop(&home), done);
    // One after the other, not one into the other.
    let outcomes = outcomes(&state);
    assert_eq!(outcomes.len() as u64, 2 * done);
    assert!(outcomes.chunks(2).all(|pair| pair == ["intent", "done"]));
    assert!(is_sound(&state));
    assert_eq!(unsettled(&state, None).unwrap(), []);
}

#[test]
fn writers_that_are_killed_hold_up_nobody_and_leave_at_most_one_write_to_look_at_each() {
    const EACH: u32 = 10;
    let (_folder, home, state) = home();
    let mut processes: Vec<Process> = (0..5).map(|_| Process::start(&home, Some(EACH))).collect();
    let mut doomed: Vec<Process> = (0..3)
        .map(|_| Process::start(&home, Some(u32::MAX)))
        .collect();
    processes.iter_mut().for_each(Process::go);
    doomed.iter_mut().for_each(Process::go);
    for process in &mut doomed {
        assert_eq!(process.hear().as_deref(), Some("done"));
    }
    let told: u64 = doomed.into_iter().map(|process| 1 + process.kill()).sum();
    let done: u64 = processes.into_iter().map(Process::rest).sum();
    assert_eq!(done, 5 * u64::from(EACH));

    let left = unsettled(&state, Some(&chain())).unwrap();
    assert!(left.len() <= 3 && left.iter().all(|one| one.why == Why::Died));
    let recorded = outcomes(&state).iter().filter(|one| *one == "done").count() as u64;
    assert!((told + done..=told + done + 3).contains(&recorded));
    let changes = shop(&home);
    assert!(
        (recorded..=recorded + left.len() as u64).contains(&changes),
        "{changes} changes, {recorded} recorded, {} unsettled",
        left.len()
    );
    assert!(is_sound(&state));
}

#[test]
fn killed_between_any_two_steps_a_write_is_either_not_sent_or_told_of() {
    let (_folder, home, state) = home();
    let mut changes = 0;
    for (point, is_told, is_sent) in [
        ("waiting", false, false),
        ("ours", false, false),
        ("begun", true, false),
        ("sent", true, true),
        ("ended", false, true),
    ] {
        let mut process = Process::start(&home, None);
        process.goes_on_until(point);
        let next = Process::start(&home, Some(1));
        process.kill();
        changes += u64::from(is_sent);

        let left = unsettled(&state, None).unwrap();
        assert_eq!(left.len(), usize::from(is_told), "killed after `{point}`");
        // The next one gets its turn, whatever the dead one held.
        let mut next = next;
        next.go();
        assert_eq!(next.rest(), 1, "killed after `{point}`");
        changes += 1;
        assert_eq!(shop(&home), changes, "killed after `{point}`");
        for one in left {
            assert_eq!((one.why, one.target.as_str()), (Why::Died, "order 1"));
            let (actor, now_ms) = (Actor::cli(), now_ms());
            let settled = settle(
                &state,
                &chain(),
                one.seq,
                is_sent,
                &actor,
                now_ms,
                Some(&Key),
            );
            assert!(settled.unwrap());
        }
        assert_eq!(unsettled(&state, None).unwrap(), []);
        assert!(is_sound(&state), "killed after `{point}`");
    }
}

#[test]
fn a_write_that_another_process_has_under_way_is_not_told_of() {
    let (_folder, home, state) = home();
    let mut process = Process::start(&home, None);
    process.goes_on_until("sent");
    assert_eq!(unsettled(&state, None).unwrap(), []);
    let waiting = Writer::new(&home);
    let turn = waiting.enqueue();
    assert_eq!(
        turn::standing(&state, &turn, now_ms()).unwrap(),
        Standing::Waiting { ahead: 1 }
    );
    process.goes_on_until("ended");
    waiting.wait(&turn);
    assert_eq!(unsettled(&state, None).unwrap(), []);
}
