//! One `mcp-stdio` process and the client's end of its pipes. Plain blocking I/O: what it measures is the server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

/// The first line of a session, and the notification that completes it.
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"proofs","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// A server process that a client has spawned.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) pipes: Pipes,
}

/// The client's end of a server's stdin and stdout.
#[derive(Debug)]
pub(crate) struct Pipes {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    last_id: u64,
    line: String,
}

impl Server {
    /// Spawns `program` with these settings and its stderr in a file. Says nothing to it yet.
    pub(crate) fn spawn(
        program: &Path,
        arguments: &[&Path],
        settings: &[(String, String)],
        stderr: &Path,
    ) -> anyhow::Result<Self> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(stderr)?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start `{}`; hint: cargo build --release",
                    program.display()
                )
            })?;
        let stdin = child.stdin.take().context("the child has no stdin")?;
        let stdout = BufReader::new(child.stdout.take().context("the child has no stdout")?);
        Ok(Self {
            child,
            pipes: Pipes {
                stdin,
                stdout,
                last_id: 0,
                line: String::new(),
            },
        })
    }

    /// Closes stdin and waits for the end, which has to come in time and with exit code 0.
    pub(crate) fn close(self, within: Duration) -> anyhow::Result<()> {
        let Self { mut child, pipes } = self;
        drop(pipes);
        wait_for_exit(&mut child, within)
    }
}

/// Waits until `child` has ended by itself with exit code 0; kills it when it does not end in time.
pub(crate) fn wait_for_exit(child: &mut Child, within: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(
                status.success(),
                "a server whose client left ended with {status}"
            );
            return Ok(());
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!("a server whose client left did not end within {within:?}");
        }
        crate::stage::pause(Duration::from_millis(2));
    }
}

impl Pipes {
    /// The handshake. Returns when the server has answered `initialize`.
    pub(crate) fn initialize(&mut self) -> anyhow::Result<()> {
        self.send(INITIALIZE)?;
        self.answer_to(0)?;
        self.send(INITIALIZED)
    }

    /// Calls a tool and waits for its answer; `arguments` is a JSON object. Returns the answer's line.
    pub(crate) fn call(&mut self, tool: &str, arguments: &str) -> anyhow::Result<&str> {
        self.last_id += 1;
        let id = self.last_id;
        let request = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
        );
        self.send(&request)?;
        self.answer_to(id)
    }

    /// The smallest request there is: what the way there and back costs.
    pub(crate) fn ping(&mut self) -> anyhow::Result<&str> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#))?;
        self.answer_to(id)
    }

    fn send(&mut self, line: &str) -> anyhow::Result<()> {
        self.stdin.write_all(format!("{line}\n").as_bytes())?;
        Ok(self.stdin.flush()?)
    }

    /// Reads lines until the one that answers `id`; what a server says unasked is passed over.
    fn answer_to(&mut self, id: u64) -> anyhow::Result<&str> {
        let wanted = format!(r#""id":{id},"#);
        loop {
            self.line.clear();
            ensure!(
                self.stdout.read_line(&mut self.line)? > 0,
                "the server closed its stdout"
            );
            ensure!(
                self.line.starts_with('{'),
                "stdout carried something that is no frame: {}",
                self.line
            );
            if self.line[..self.line.len().min(64)].contains(&wanted) {
                return Ok(&self.line);
            }
        }
    }
}

/// Whether an answer's line is a result that is no error.
pub(crate) fn succeeded(answer: &str) -> bool {
    answer.contains(r#""result":"#) && !answer.contains(r#""isError":true"#)
}
