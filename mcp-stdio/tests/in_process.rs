//! `run` with handed-in streams: the program is a function.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _, pipe};
use std::thread::JoinHandle;

use mcp_stdio::config::Config;
use mcp_stdio::run::run;
use mcp_stdio::stop::{Cause, Stop};
use mcp_stdio::transport::Io;
use serde_json::{Value, json};
use shared::env::Settings;
use shared::paths::Home;

struct Running {
    input: PipeWriter,
    output: BufReader<PipeReader>,
    program: JoinHandle<anyhow::Result<Cause>>,
}

fn start(stop: &Stop) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("home"));
    let config = Config::new(home.clone(), &Settings::defaults(&home), None, Vec::new());
    let (from_client, input) = pipe().unwrap();
    let (output, to_client) = pipe().unwrap();
    let stop = stop.clone();
    let program = std::thread::spawn(move || {
        let _folder = folder;
        run(
            config,
            Io {
                input: Box::new(from_client),
                output: Box::new(to_client),
            },
            &stop,
        )
    });
    Running {
        input,
        output: BufReader::new(output),
        program,
    }
}

impl Running {
    fn ping(&mut self) -> Value {
        let line = format!("{}\n", json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
        self.input.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

#[test]
fn it_serves_until_the_input_ends() {
    let mut running = start(&Stop::default());
    assert_eq!(
        running.ping(),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}})
    );
    drop(running.input);
    assert_eq!(running.program.join().unwrap().unwrap(), Cause::InputEnded);
}

#[test]
fn it_ends_when_told_although_the_input_stays_open() {
    let stop = Stop::default();
    let mut running = start(&stop);
    running.ping();
    stop.now(Cause::Signal);
    assert_eq!(running.program.join().unwrap().unwrap(), Cause::Signal);
    drop(running.input);
}

#[test]
fn it_ends_when_nobody_reads() {
    let mut running = start(&Stop::default());
    running.ping();
    drop(running.output);
    running
        .input
        .write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n")
        .unwrap();
    assert_eq!(
        running.program.join().unwrap().unwrap(),
        Cause::OutputClosed
    );
}
