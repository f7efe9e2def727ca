//! Where increments go, and how that goes away for a while: a folder, or a bucket that is reached through a gate of ours.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::file_url;
use super::gate::Gate;
use crate::http::exchange;
use crate::stage::{Environment, Running, pause};

/// A server written in Python starts within this time on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// One target.
#[derive(Debug)]
pub(super) enum Target {
    Folder(PathBuf),
    Bucket(Bucket),
}

/// A bucket of moto's, and the gate before it.
#[derive(Debug)]
pub(super) struct Bucket {
    gate: Gate,
    _server: Running,
}

impl Target {
    pub(super) fn folder(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self::Folder(path.to_owned()))
    }

    /// Starts `moto_server` and makes a bucket in it.
    pub(super) fn bucket(moto_server: &Path, folder: &Path) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::File::create(folder.join("moto.log"))?;
        let server = Command::new(moto_server)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start `{}`", moto_server.display()))?;
        let server = Running(server);
        make_bucket(address)?;
        Ok(Self::Bucket(Bucket {
            gate: Gate::before(address)?,
            _server: server,
        }))
    }

    /// As it stands in the settings.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Folder(path) => file_url(path),
            Self::Bucket(_) => "s3://backups/shop".to_owned(),
        }
    }

    /// What a bucket needs to be reached.
    pub(super) fn environment(&self) -> Environment {
        let Self::Bucket(bucket) = self else {
            return Environment::new();
        };
        let endpoint = format!("http://{}", bucket.gate.address);
        [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "somebody"),
            ("AWS_SECRET_ACCESS_KEY", "something"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// What may be missing of the time before a moment.
    pub(super) fn promised(&self) -> Duration {
        match self {
            Self::Folder(_) => Duration::from_secs(1),
            Self::Bucket(_) => Duration::from_secs(10),
        }
    }

    /// Where nobody finds it, and nobody can make it anew.
    pub(super) fn go_away(&self) -> anyhow::Result<()> {
        match self {
            Self::Folder(path) => {
                std::fs::rename(path, path.with_extension("away"))?;
                std::fs::write(path, "")?;
            }
            Self::Bucket(bucket) => bucket.gate.shut(),
        }
        Ok(())
    }

    pub(super) fn come_back(&self) -> anyhow::Result<()> {
        match self {
            Self::Folder(path) => {
                std::fs::remove_file(path)?;
                std::fs::rename(path.with_extension("away"), path)?;
            }
            Self::Bucket(bucket) => bucket.gate.open(),
        }
        Ok(())
    }
}

fn make_bucket(address: SocketAddr) -> anyhow::Result<()> {
    let deadline = Instant::now() + STARTS_WITHIN;
    loop {
        match exchange(address, "PUT", "/backups", "Content-Length: 0\r\n", "") {
            Ok((200, _)) => return Ok(()),
            answered => ensure!(
                Instant::now() < deadline,
                "moto does not make a bucket within {STARTS_WITHIN:?}: {answered:?}"
            ),
        }
        pause(Duration::from_millis(50));
    }
}
