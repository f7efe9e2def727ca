//! A small language for tests that drive the real binary: a [`Home`] with settings, a [`Server`] in it, and lines in and out.
//!
//! Every line that comes out of a server is checked to be a protocol frame, in every test.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]
#![allow(
    clippy::needless_pass_by_value,
    reason = "json!(..) is written in place"
)]

pub mod sweep;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use orderdesk_sandbox::{Options, Sandbox};
use serde_json::{Value, json};

/// Long enough for a busy machine, short enough to fail in.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A home folder, and the environment of the servers in it.
pub struct Home {
    folder: Arc<tempfile::TempDir>,
    env: Vec<(String, String)>,
}

impl Home {
    /// An empty home without a store.
    pub fn new() -> Home {
        Home {
            folder: Arc::new(tempfile::tempdir().unwrap()),
            env: Vec::new(),
        }
    }

    /// A home whose store is the first one of `sandbox`.
    pub fn with_store(sandbox: &Sandbox) -> Home {
        let store = sandbox.store(0);
        Home::new()
            .set("API_BASE_URL", &sandbox.base_url())
            .set("STORE_ID", &store.store_id)
            .set("API_KEY", &store.api_key)
    }

    /// A home with a key file, in which every shop of `sandbox` is sealed under its own name.
    pub fn with_sealed_stores(sandbox: &Sandbox) -> Home {
        let home = Home::new().set("API_BASE_URL", &sandbox.base_url());
        home.run(&["init"]).fine();
        for store in sandbox.stores() {
            let add = [
                "store",
                "add",
                "--name",
                &store.name,
                "--id",
                &store.store_id,
            ];
            home.run_with(&add, &store.api_key).fine();
        }
        home
    }

    /// Sets `ORDERDESK_MCP_<name>`.
    pub fn set(mut self, name: &str, value: &str) -> Home {
        self.env
            .push((format!("ORDERDESK_MCP_{name}"), value.to_owned()));
        self
    }

    /// Where the server keeps its files; not there before the first start.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn state_db(&self) -> PathBuf {
        self.path().join("state.db")
    }

    /// The binary with this home's environment and nothing else of ours.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-stdio"));
        for (name, _) in std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("ORDERDESK_MCP_"))
        {
            command.env_remove(name);
        }
        command
            .env("ORDERDESK_MCP_HOME", self.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a server.
    pub fn server(&self) -> Server {
        let mut server = Server::spawn(&mut self.command());
        server.home = Some(Arc::clone(&self.folder));
        server
    }

    /// Starts a server and shakes hands.
    pub fn session(&self) -> Server {
        let mut server = self.server();
        server.initialize();
        server
    }

    /// Runs a command to its end, without anything on its stdin.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// Runs a command to its end, with this on its stdin.
    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that asks for nothing may have ended before it is told.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What a command left behind.
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Itself, if the exit code is 0.
    pub fn fine(self) -> Output {
        assert_eq!(self.code, Some(0), "{}{}", self.stderr, self.stdout);
        self
    }

    /// Everything that it printed.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// A sandbox with the defaults.
pub fn sandbox() -> Sandbox {
    Sandbox::start_blocking(Options::default()).unwrap()
}

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    frames: Receiver<Value>,
    stderr: Receiver<String>,
    next_id: i64,
    /// Keeps the folder for as long as the server lives.
    home: Option<Arc<tempfile::TempDir>>,
}

impl Server {
    pub fn spawn(command: &mut Command) -> Server {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (frame, frames) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let line = line.unwrap();
                let value: Value = serde_json::from_str(&line)
                    .unwrap_or_else(|_| panic!("not a frame on stdout: {line}"));
                assert_eq!(value["jsonrpc"], "2.0", "not a frame on stdout: {line}");
                if frame.send(value).is_err() {
                    return;
                }
            }
        });
        let (text, stderr) = channel();
        let mut errors = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut all = String::new();
            let _ = errors.read_to_string(&mut all);
            let _ = text.send(all);
        });
        Server {
            stdin: child.stdin.take(),
            child,
            frames,
            stderr,
            next_id: 0,
            home: None,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends bytes and a line feed.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin
            .write_all(bytes)
            .and_then(|()| stdin.write_all(b"\n"))
            .and_then(|()| stdin.flush())
            .unwrap();
    }

    pub fn send(&mut self, message: &Value) {
        self.send_bytes(message.to_string().as_bytes());
    }

    /// Sends bytes without a line feed.
    pub fn send_without_line_end(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// The next frame.
    pub fn frame(&mut self) -> Value {
        self.frames
            .recv_timeout(PATIENCE)
            .expect("a frame within the patience")
    }

    /// The frame that answers `id`; others that come before are lost.
    pub fn answer(&mut self, id: i64) -> Value {
        loop {
            let frame = self.frame();
            if frame["id"] == id {
                return frame;
            }
        }
    }

    /// That nothing else comes until the server has ended.
    pub fn no_more_frames(&mut self) {
        match self.frames.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Disconnected) => {}
            other => panic!("expected the end of stdout, got {other:?}"),
        }
    }

    /// Sends a request; gives its id.
    pub fn ask(&mut self, method: &str, params: &Value) -> i64 {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        id
    }

    /// Sends a request and waits for its answer.
    pub fn request(&mut self, method: &str, params: &Value) -> Value {
        let id = self.ask(method, params);
        self.answer(id)
    }

    /// The legacy handshake.
    pub fn initialize(&mut self) -> Value {
        self.initialize_as("2025-11-25")
    }

    pub fn initialize_as(&mut self, version: &str) -> Value {
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let answer = self.request("initialize", &params);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    /// Calls a tool in the legacy era.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Reply {
        let answer = self.request("tools/call", &json!({"name": tool, "arguments": arguments}));
        Reply::from(&answer)
    }

    /// A request of the modern era: no handshake, everything in `_meta`.
    pub fn modern(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        });
        self.request(method, &params)
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// The exit code, and how long the end took from now.
    pub fn exit(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let status = wait_for("the server to end", || self.child.try_wait().unwrap());
        (status.code(), began.elapsed())
    }

    /// Everything the server wrote to stderr, once it has ended.
    pub fn stderr(&mut self) -> String {
        self.stderr.recv_timeout(PATIENCE).unwrap()
    }

    /// Resident memory in bytes (Linux).
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A tool's answer.
#[derive(Debug)]
pub struct Reply {
    pub structured: Value,
    pub text: String,
    pub is_error: bool,
}

impl Reply {
    /// Also checks what holds for every answer: structured and text say the same, errors are text.
    pub fn from(answer: &Value) -> Reply {
        let result = &answer["result"];
        assert!(result.is_object(), "no result: {answer}");
        let text = result["content"][0]["text"].as_str().unwrap().to_owned();
        let is_error = result["isError"] == true;
        let structured = result["structuredContent"].clone();
        if is_error {
            assert!(
                structured.is_null() && text.contains("\nhint: "),
                "{answer}"
            );
        } else {
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), structured);
        }
        Reply {
            structured,
            text,
            is_error,
        }
    }

    /// The structured answer of a call that worked.
    pub fn ok(self) -> Value {
        assert!(!self.is_error, "{}", self.text);
        self.structured
    }

    /// The text of a call that failed.
    pub fn error(self) -> String {
        assert!(self.is_error, "{}", self.text);
        self.text
    }
}

/// Asks until there is an answer.
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "gave up waiting for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Compares with `tests/golden/<name>`. `UPDATE_GOLDEN=1` writes it instead.
pub fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        actual, expected,
        "{name} differs; UPDATE_GOLDEN=1 writes it anew"
    );
}
