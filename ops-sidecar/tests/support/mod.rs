//! A small language for tests that drive the real binary: a home, a sidecar on it, and raw HTTP.

#![allow(dead_code, reason = "each test file uses its part of this language")]
#![allow(
    clippy::panic,
    reason = "this is how a test fails; clippy knows that only inside of #[test]"
)]

pub(crate) mod backup;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use shared::paths::Home;
use shared::state::{Checkpoint, State};

/// How long anything may take before a test gives up: many times what it takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Long enough for the checks that `ADMIN_TOKEN` has to pass.
pub(crate) const TOKEN: &str = "an-admin-token-for-tests";

/// Settings under which a disk that is nearly full is no finding: the one of the machine that runs the tests may be.
pub(crate) const ANY_DISK: [(&str, &str); 2] = [
    ("ORDERDESK_MCP_DISK_WARN_PERCENT", "100"),
    ("ORDERDESK_MCP_DISK_FAIL_PERCENT", "100"),
];

/// The binary, with nothing of this machine that could change what it does: not its environment, and not how full its disk is.
pub(crate) fn ops_sidecar(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ops-sidecar"));
    command
        .env_clear()
        .env("ORDERDESK_MCP_HOME", home)
        .envs(ANY_DISK)
        .stdin(Stdio::null());
    command
}

/// A running sidecar; killed when dropped.
pub(crate) struct Sidecar {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Sidecar {
    pub(crate) fn start(home: &Path) -> Sidecar {
        Sidecar::start_with(home, &[])
    }

    /// With settings by their environment names without the prefix.
    pub(crate) fn start_with(home: &Path, settings: &[(&str, &str)]) -> Sidecar {
        let mut command = ops_sidecar(home);
        command.envs(
            settings
                .iter()
                .map(|(key, value)| (format!("ORDERDESK_MCP_{key}"), value)),
        );
        Sidecar::spawn(command)
    }

    pub(crate) fn spawn(command: Command) -> Sidecar {
        Sidecar::spawn_on(command, "127.0.0.1:0")
    }

    pub(crate) fn spawn_on(mut command: Command, listen: &str) -> Sidecar {
        let mut child = command
            .args(["serve", "--listen", listen])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped"))
            .read_line(&mut line)
            .expect("a line");
        let address = line
            .trim()
            .rsplit("http://")
            .next()
            .and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in `{line}`"));
        let address = SocketAddr::new([127, 0, 0, 1].into(), SocketAddr::port(&address));
        Sidecar { child, address }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        ))
    }

    pub(crate) fn get_with_token(&self, path: &str) -> Answer {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Sends these bytes and reads to the end.
    pub(crate) fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        // A server that refuses early may close before it has read everything.
        let _ = stream.write_all(request.as_bytes());
        read_answer(&mut stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// Asks again until the answer is right.
    pub(crate) fn until(&self, path: &str, is_right: impl Fn(&Answer) -> bool) -> Answer {
        until(|| self.get(path), is_right)
    }

    /// As `until`, behind closed doors.
    pub(crate) fn until_with_token(
        &self,
        path: &str,
        is_right: impl Fn(&Answer) -> bool,
    ) -> Answer {
        until(|| self.get_with_token(path), is_right)
    }

    /// After the first look at the state file.
    pub(crate) fn ready(self) -> Sidecar {
        self.until("/health/ready", |answer| answer.status == 200);
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process is there");
    }

    /// Waits for the end and says how it was and how long it took.
    pub(crate) fn wait(mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return (status, since.elapsed());
            }
            assert!(since.elapsed() < PATIENCE, "still running");
            pause();
        }
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(ask: impl Fn() -> Answer, is_right: impl Fn(&Answer) -> bool) -> Answer {
    let since = Instant::now();
    loop {
        let answer = ask();
        if is_right(&answer) {
            return answer;
        }
        assert!(
            since.elapsed() < PATIENCE,
            "still {} {}",
            answer.status,
            answer.body
        );
        pause();
    }
}

/// A home that cannot be used: a file stands where a folder has to be.
pub(crate) fn broken_home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("run"), "in the way").expect("a file");
    home
}

/// What came back; status 0 if nothing did.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The stable word of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The ids in `/health/ready`'s reasons.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let body = self.json();
        let reasons = body["reasons"].as_array().cloned().unwrap_or_default();
        reasons
            .iter()
            .map(|reason| reason["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Reads until the server closes.
pub(crate) fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// How long the server kept a connection open that it should close.
pub(crate) fn time_until_closed(stream: &mut TcpStream) -> Duration {
    let since = Instant::now();
    let _ = read_answer(stream);
    since.elapsed()
}

/// The bytes of the state file with all that was committed in them. The last one to close the file moves the log into it, but a process
/// that ends does not wait for that, and on a busy machine it may not have happened.
pub(crate) fn whole_file(home: &Home) -> Vec<u8> {
    let state = State::open(home).expect("a sound file");
    let since = Instant::now();
    while state
        .checkpoint(Checkpoint::Truncate)
        .expect("a sound file")
        .busy
    {
        assert!(since.elapsed() < PATIENCE, "the file is never left alone");
        pause();
    }
    std::fs::read(home.state_db()).expect("the file")
}

/// Between two looks at something that is on its way.
#[allow(
    clippy::disallowed_methods,
    reason = "paces the loops that wait for a condition with a deadline"
)]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// A small file system of its own; `None`, said aloud, where this user may not mount one.
pub(crate) struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    pub(crate) fn mount(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = SmallDisk { folder };
        if mount(
            &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"],
            disk.path(),
        ) {
            return Some(disk);
        }
        eprintln!("SKIPPED: this user may not mount a tmpfs");
        None
    }

    pub(crate) fn remount(&self, options: &str) {
        assert!(
            mount(&["-o", &format!("remount,{options}")], self.path()),
            "remount {options}"
        );
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .args(["-l".as_ref(), self.path().as_os_str()])
            .stderr(Stdio::null())
            .status();
    }
}

fn mount(options: &[&str], place: PathBuf) -> bool {
    let status = Command::new("mount")
        .args(options)
        .arg(place)
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
