//! A home, a simulated shop and a sidecar for one proof; all of it ends and vanishes with the value.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::client::Server;
use crate::http::{exchange, get};
use crate::scrape::Exposition;
use crate::shop::Shop;

/// How long a program of ours may take until it answers; generous, since a busy machine proves things, too.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// Opens the pages of the sidecar that are not for everybody.
const ADMIN_TOKEN: &str = "only-for-this-proof";

/// Everything a proof plays with.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The sidecar of the stage's own home.
    pub(crate) sidecar: Sidecar,
    bin: PathBuf,
    shop: SocketAddr,
    settings: Environment,
    _sandbox: Running,
    // Last, so that it is removed after the processes that use it have ended.
    folder: TempDir,
}

/// Environment variables, name and value.
pub(crate) type Environment = Vec<(String, String)>;

impl Stage {
    /// A shop and a sidecar that answer; the shop's quota is wide open, so that a proof does not wait for it.
    pub(crate) fn open() -> anyhow::Result<Self> {
        Self::open_with(&[])
    }

    /// The same with more settings, by their names without the prefix.
    pub(crate) fn open_with(more: &[(&str, &str)]) -> anyhow::Result<Self> {
        let bin = beside_ourselves()?;
        let folder = tempfile::Builder::new()
            .prefix("orderdesk-proof-")
            .tempdir()?;
        let (sandbox, shop) = start_sandbox(&bin, folder.path())?;
        let base_url = shop["base_url"]
            .as_str()
            .context("the sandbox names no base_url")?;
        let store = &shop["stores"][0];
        let text = |value: &serde_json::Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let mut settings = named(&[
            ("HOME", folder.path().join("home").display().to_string()),
            ("API_BASE_URL", base_url.to_owned()),
            ("STORE_ID", text(&store["store_id"])),
            ("API_KEY", text(&store["api_key"])),
            ("ADMIN_TOKEN", ADMIN_TOKEN.to_owned()),
            ("STORE_BURST", "1000000".to_owned()),
            ("STORE_RATE_PER_SECOND", "1000000".to_owned()),
            ("RATE_LIMIT_RPM", "100000".to_owned()),
            ("CACHE_TTL_ORDERS", "1h".to_owned()),
        ]);
        for (name, value) in more {
            settings.extend(named(&[(name, (*value).to_owned())]));
        }
        let sidecar = Sidecar::start(&bin, folder.path(), &settings)?;
        let shop = address_of(base_url)?;
        Ok(Self {
            sidecar,
            bin,
            shop,
            settings,
            _sandbox: sandbox,
            folder,
        })
    }

    /// A second sidecar, on another home.
    pub(crate) fn sidecar_on(&self, home: &str) -> anyhow::Result<Sidecar> {
        self.sidecar_with(&named(&[("HOME", home.to_owned())]))
    }

    /// A second sidecar in an environment of its own.
    pub(crate) fn sidecar_with(&self, environment: &Environment) -> anyhow::Result<Sidecar> {
        Sidecar::start(&self.bin, self.folder(), environment)
    }

    /// Spawns one more server on this home.
    pub(crate) fn server(&self) -> anyhow::Result<Server> {
        Server::spawn(
            &self.program("mcp-stdio"),
            &[],
            &self.settings,
            &self.stderr(),
        )
    }

    /// Spawns one more server, on another home.
    pub(crate) fn server_on(&self, home: &str) -> anyhow::Result<Server> {
        let mut settings = self.settings.clone();
        settings.extend(named(&[("HOME", home.to_owned())]));
        Server::spawn(&self.program("mcp-stdio"), &[], &settings, &self.stderr())
    }

    /// Spawns one more server on a home whose shop is sealed; its environment names none.
    pub(crate) fn server_on_sealed(&self, home: &str) -> anyhow::Result<Server> {
        let from_environment = ["ORDERDESK_MCP_STORE_ID", "ORDERDESK_MCP_API_KEY"];
        let mut settings = self.settings.clone();
        settings.retain(|(name, _)| !from_environment.contains(&name.as_str()));
        settings.extend(named(&[("HOME", home.to_owned())]));
        Server::spawn(&self.program("mcp-stdio"), &[], &settings, &self.stderr())
    }

    /// Makes a home with a key file and seals the stage's shop in it, by the commands that a person types.
    pub(crate) fn seal_shop_in(&self, home: &str) -> anyhow::Result<()> {
        let (id, key) = (self.setting("STORE_ID"), self.setting("API_KEY"));
        let address = self.setting("API_BASE_URL");
        let run = |arguments: &[&str], stdin: &str| -> anyhow::Result<()> {
            let mut child = Command::new(self.program("mcp-stdio"))
                .args(["--home", home])
                .args(arguments)
                .env("ORDERDESK_MCP_API_BASE_URL", &address)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()?;
            if let Some(mut pipe) = child.stdin.take() {
                pipe.write_all(stdin.as_bytes())?;
            }
            let status = child.wait()?;
            ensure!(
                status.success(),
                "`mcp-stdio {}` ended with {status}",
                arguments.join(" ")
            );
            Ok(())
        };
        run(&["init"], "")?;
        run(&["store", "add", "--name", "Sealed", "--id", &id], &key)
    }

    /// A release binary that stands beside this one.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// What all servers said on stderr, one after the other.
    pub(crate) fn stderr(&self) -> PathBuf {
        self.folder.path().join("stderr.log")
    }

    /// A place for a proof's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a proof; when it fails, its files are left for whoever wants to know why.
    pub(crate) fn or_leave_it<T>(
        mut self,
        proof: impl FnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let proved = proof(&self);
        if proved.is_err() {
            self.folder.disable_cleanup(true);
            println!("  its files are left in {}", self.folder.path().display());
        }
        proved
    }

    /// What the sidecar exposes now.
    pub(crate) fn scrape(&self) -> anyhow::Result<Exposition> {
        Exposition::read(self.sidecar.address)
    }

    /// How many sessions have ended without having been folded yet, as the sidecar sees it.
    pub(crate) fn ended(&self) -> anyhow::Result<u64> {
        let token = format!("Authorization: Bearer {ADMIN_TOKEN}\r\n");
        let (status, body) = exchange(self.sidecar.address, "GET", "/health/detailed", &token, "")?;
        ensure!(status == 200, "/health/detailed answered {status}: {body}");
        let health: serde_json::Value = serde_json::from_str(&body)?;
        let ended = &health["components"]["processes"]["ended"];
        ended
            .as_u64()
            .context("the sidecar does not tell how many have ended")
    }

    /// The shop, for somebody who goes there directly.
    pub(crate) fn shop(&self) -> Shop {
        Shop {
            address: self.shop,
            store_id: self.setting("STORE_ID"),
            api_key: self.setting("API_KEY"),
        }
    }

    /// Runs one of the product's commands on this home to its end: whether its exit code was 0, and what it said.
    pub(crate) fn command(&self, arguments: &[&str]) -> anyhow::Result<(bool, String)> {
        let ran = Command::new(self.program("mcp-stdio"))
            .args(arguments)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()?;
        let said = [ran.stdout, ran.stderr].concat();
        Ok((
            ran.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        ))
    }

    fn setting(&self, name: &str) -> String {
        let name = format!("ORDERDESK_MCP_{name}");
        let found = self.settings.iter().find(|(have, _)| *have == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    }

    /// How many requests the shop has answered.
    pub(crate) fn requests_of_the_shop(&self) -> anyhow::Result<u64> {
        let (_, body) = get(self.shop, "/__sandbox/requests")?;
        let log: serde_json::Value = serde_json::from_str(&body)?;
        let requests = log
            .as_array()
            .or_else(|| log["requests"].as_array())
            .context("the shop's log is no list")?;
        Ok(requests.len() as u64)
    }
}

/// A process that is killed when nobody needs it any more.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A sidecar that answers.
#[derive(Debug)]
pub(crate) struct Sidecar {
    pub(crate) process: Running,
    pub(crate) address: SocketAddr,
}

impl Sidecar {
    fn start(bin: &Path, folder: &Path, settings: &Environment) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = folder.join("sidecar.log");
        let child = Command::new(bin.join("ops-sidecar"))
            .arg("serve")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .env("ORDERDESK_MCP_LISTEN", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(
                std::fs::File::options()
                    .create(true)
                    .append(true)
                    .open(&log)?,
            )
            .spawn()
            .context("cannot start the sidecar; hint: cargo build --release")?;
        let mut sidecar = Self {
            process: Running(child),
            address,
        };
        sidecar.wait_until_it_answers(&log)?;
        Ok(sidecar)
    }

    fn wait_until_it_answers(&mut self, log: &Path) -> anyhow::Result<()> {
        let deadline = Instant::now() + STARTS_WITHIN;
        while get(self.address, "/health/live").map_or(true, |(status, _)| status != 200) {
            if let Some(status) = self.process.0.try_wait()? {
                bail!(
                    "the sidecar ended with {status}: {}",
                    std::fs::read_to_string(log)?
                );
            }
            if Instant::now() > deadline {
                bail!("the sidecar does not answer within {STARTS_WITHIN:?}");
            }
            pause(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Waits: a proof paces its load and polls for conditions, which is what sleeping is for.
#[allow(clippy::disallowed_methods)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn beside_ourselves() -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe()?;
    Ok(us
        .parent()
        .context("this program is in no folder")?
        .to_owned())
}

fn start_sandbox(bin: &Path, folder: &Path) -> anyhow::Result<(Running, serde_json::Value)> {
    let mut child = Command::new(bin.join("orderdesk-sandbox"))
        .args(["--port", "0", "--no-rate-limit"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(folder.join("sandbox.log"))?)
        .spawn()
        .context("cannot start the sandbox; hint: cargo build --release")?;
    let mut line = String::new();
    let stdout = child.stdout.take().context("the sandbox has no stdout")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let shop = serde_json::from_str(&line)
        .with_context(|| format!("the sandbox's first line is no JSON: `{line}`"))?;
    Ok((Running(child), shop))
}

/// Settings by their names without the prefix, as environment variables.
pub(crate) fn named(settings: &[(&str, String)]) -> Environment {
    settings
        .iter()
        .map(|(key, value)| (format!("ORDERDESK_MCP_{key}"), value.clone()))
        .collect()
}

fn address_of(base_url: &str) -> anyhow::Result<SocketAddr> {
    let rest = base_url
        .strip_prefix("http://")
        .context("the shop is not on plain http")?;
    let address = rest.split('/').next().unwrap_or(rest);
    address
        .parse()
        .with_context(|| format!("the shop's address `{address}` is none"))
}
