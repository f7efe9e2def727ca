//! Hundreds of processes on one file: all at once on a fresh one, and killed at any moment.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; a child process speaks on stdout"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use shared::paths::Home;
use shared::session::{self, Kind, Session, SessionId};
use shared::state::tables::epochs;
use shared::state::{Durability, State};

/// What one process of the many does, if this is one: it says `ready`, waits for a line, then says each thing it did.
const ROLE: &str = "STATE_TEST_ROLE";
const HOME: &str = "STATE_TEST_HOME";

#[allow(
    clippy::disallowed_methods,
    reason = "how a test hands a folder to the processes it starts"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn say(what: impl std::fmt::Display) {
    println!("said {what}");
}

fn bump(state: &State) -> u64 {
    let bumped = state.write("test", Durability::Normal, |writing| {
        epochs::bump(writing, "shop")
    });
    bumped.unwrap()
}

fn epoch(home: &Home) -> u64 {
    let state = State::open(home).unwrap();
    let epoch = state.read("test", |reading| epochs::read(reading, "shop"));
    epoch.unwrap()
}

#[test]
fn child_process() {
    let (Some(role), Some(home)) = (variable(ROLE), variable(HOME)) else {
        return;
    };
    let home = Home::at(home);
    say("ready");
    std::io::stdin()
        .lock()
        .read_line(&mut String::new())
        .unwrap();
    match role.as_str() {
        "open and write thrice" => {
            let state = State::open(&home).unwrap();
            (0..3).for_each(|_| say(bump(&state)));
        }
        "write for ever" => {
            let state = State::open(&home).unwrap();
            loop {
                say(bump(&state));
            }
        }
        "live" => {
            home.create().unwrap();
            let session = Session::begin(&home, Kind::McpStdio, "1").unwrap();
            say(session.id());
            std::io::stdin()
                .lock()
                .read_line(&mut String::new())
                .unwrap();
        }
        other => panic!("no role {other}"),
    }
}

struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    /// Started and waiting for [`Process::go`].
    fn new(role: &str, home: &Home) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_process", "--nocapture"])
            .env(ROLE, role)
            .env(HOME, home.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut process = Process { child, output };
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

    /// The next thing it did; `None` once it is gone.
    fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line).unwrap() > 0 {
            // The test runner inside begins its line on ours.
            if let Some((_, said)) = line.trim_end().split_once("said ") {
                return Some(said.to_owned());
            }
            line.clear();
        }
        None
    }

    /// Everything it still does.
    fn rest(&mut self) -> usize {
        std::iter::from_fn(|| self.hear()).count()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn home() -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    (folder, home)
}

#[test]
fn two_hundred_processes_at_once_make_one_file() {
    let (_folder, home) = home();
    let mut processes: Vec<_> = (0..200)
        .map(|_| Process::new("open and write thrice", &home))
        .collect();
    processes.iter_mut().for_each(Process::go);
    for process in &mut processes {
        let written = process.rest();
        let status = process.child.wait().unwrap();
        let mut stderr = String::new();
        std::io::Read::read_to_string(process.child.stderr.as_mut().unwrap(), &mut stderr).unwrap();
        assert!(status.success() && written == 3, "{written} {stderr}");
    }
    assert_eq!(epoch(&home), 600);
}

#[test]
fn two_hundred_threads_at_once_make_one_file() {
    let (_folder, home) = home();
    let together = std::sync::Barrier::new(200);
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                together.wait();
                bump(&State::open(&home).unwrap());
            });
        }
    });
    assert_eq!(epoch(&home), 200);
}

#[test]
fn processes_killed_while_they_make_the_file_leave_one_that_opens() {
    for round in 0..10 {
        let (_folder, home) = home();
        let mut processes: Vec<_> = (0..4)
            .map(|_| Process::new("write for ever", &home))
            .collect();
        for process in &mut processes {
            process.go();
            (0..fastrand::u32(..3000)).for_each(|_| std::thread::yield_now());
            process.child.kill().unwrap();
        }
        let heard: usize = processes.iter_mut().map(Process::rest).sum();
        assert!(epoch(&home) >= heard as u64, "round {round}");
    }
}

#[test]
fn what_was_committed_survives_any_kill_once() {
    let (_folder, home) = home();
    let mut heard = 0;
    for _ in 0..10 {
        let mut processes: Vec<_> = (0..6)
            .map(|_| Process::new("write for ever", &home))
            .collect();
        processes.iter_mut().for_each(Process::go);
        for process in &mut processes {
            for _ in 0..fastrand::u32(1..40) {
                heard += u64::from(process.hear().is_some());
            }
            process.child.kill().unwrap();
        }
        heard += processes
            .iter_mut()
            .map(|process| process.rest() as u64)
            .sum::<u64>();
    }
    // Each of the sixty may have died between a commit and saying so.
    let epoch = epoch(&home);
    assert!((heard..=heard + 60).contains(&epoch), "{epoch} of {heard}");
}

#[test]
fn a_killed_process_is_dead_for_all_at_once() {
    let (_folder, home) = home();
    let mut process = Process::new("live", &home);
    process.go();
    let id = SessionId::from_stored(&process.hear().unwrap()).unwrap();
    assert!(session::is_alive(&home, &id));
    process.child.kill().unwrap();
    process.child.wait().unwrap();
    assert!(!session::is_alive(&home, &id));
    session::remove_run_file(&home, &id);
}
