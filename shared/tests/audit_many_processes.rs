//! Many processes add to one chain at once, are killed at any moment, and the chain stays dense and sound.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; a child process speaks on stdout"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use shared::audit::{Actor, Chain, Entry, Head, Signer, action, append, head, verify};
use shared::paths::Home;
use shared::state::{Durability, State};

/// The home that a process of the many writes to, if this is one: it says `ready`, waits for a line, then adds one record
/// after the other and says each number.
const HOME: &str = "AUDIT_TEST_HOME";

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

fn add(state: &State, actor: &Actor) -> Head {
    let entry = Entry::done(actor, action::STORE_ADDED, Some("tea"));
    let added = state.write("test", Durability::Normal, |writing| {
        append(writing, &chain(), &entry, 1, Some(&Key))
    });
    added.unwrap()
}

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the processes it starts"
)]
fn child_process() {
    let Ok(home) = std::env::var(HOME) else {
        return;
    };
    let home = Home::at(home);
    println!("said ready");
    std::io::stdin()
        .lock()
        .read_line(&mut String::new())
        .unwrap();
    let (state, actor) = (State::open(&home).unwrap(), Actor::cli());
    loop {
        println!("said {}", add(&state, &actor).seq);
    }
}

struct Process {
    child: Child,
    said: std::io::Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(home: &Home) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_process", "--nocapture"])
            .env(HOME, home.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Process { child, said };
        assert_eq!(process.hear().as_deref(), Some("ready"));
        process
    }

    fn go(&mut self) {
        self.child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(b"go\n")
            .unwrap();
    }

    /// The next thing it says, past what the test harness prints.
    fn hear(&mut self) -> Option<String> {
        self.said.find_map(|line| {
            let line = line.ok()?;
            line.split_once("said ").map(|(_, what)| what.to_owned())
        })
    }

    /// Kills it; gives every number that it had said by then.
    fn kill(mut self) -> Vec<u64> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let said = self.said.by_ref().map_while(Result::ok);
        said.filter_map(|line| line.split_once("said ")?.1.parse().ok())
            .collect()
    }
}

#[test]
fn records_of_many_processes_form_one_dense_chain_also_when_they_are_killed() {
    const PROCESSES: usize = 8;
    const EACH: usize = 25;
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    let state = State::open(&home).unwrap();
    let mut processes: Vec<Process> = (0..PROCESSES).map(|_| Process::start(&home)).collect();
    processes.iter_mut().for_each(Process::go);
    let mut said: Vec<u64> = Vec::new();
    for process in &mut processes {
        said.extend((0..EACH).map(|_| process.hear().unwrap().parse::<u64>().unwrap()));
    }
    // All of them are in the middle of something now.
    said.extend(processes.into_iter().flat_map(Process::kill));

    let verdict = verify(&state, &chain(), Some(&Key), &[]).unwrap();
    assert!(verdict.ok, "{verdict:?}");
    let end = state
        .read("test", |reading| head(reading, &chain()))
        .unwrap();
    assert_eq!((verdict.rows, verdict.head), (end.seq, Some(end)));
    said.sort_unstable();
    assert!(
        said.windows(2).all(|pair| pair[0] < pair[1]),
        "no number was given twice"
    );
    let told = said.len() as u64;
    assert!(
        told <= end.seq && end.seq <= told + PROCESSES as u64,
        "{told} were said, {} are there: each process may have died before it said its last",
        end.seq
    );
}

#[test]
fn records_of_many_threads_form_one_dense_chain() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let (state, actor) = (State::open(&home).unwrap(), Actor::cli());
                (0..40).for_each(|_| {
                    add(&state, &actor);
                });
            });
        }
    });
    let state = State::open(&home).unwrap();
    let verdict = verify(&state, &chain(), Some(&Key), &[]).unwrap();
    assert_eq!((verdict.ok, verdict.rows), (true, 240));
}
