//! Who keeps a home's backups: the sidecar, which is killed and started again, and the operator with the commands.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use shared::paths::Home;

use crate::stage::{Environment, Sidecar, Stage, named, pause};

/// A home, and how its backups are to be kept.
#[derive(Debug)]
pub(super) struct Keeper<'a> {
    stage: &'a Stage,
    pub(super) home: Home,
    environment: Environment,
    identity: Option<PathBuf>,
}

/// A pair of keys for backups, made by Debian's `age-keygen`.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) recipient: String,
    pub(super) identity: PathBuf,
}

impl Keys {
    pub(super) fn make(folder: &Path) -> anyhow::Result<Self> {
        let identity = folder.join("backup-identity.txt");
        let made = Command::new("age-keygen")
            .arg("-o")
            .arg(&identity)
            .output()
            .context("cannot start `age-keygen`; hint: apt-get install age")?;
        ensure!(
            made.status.success(),
            "age-keygen ended with {}",
            made.status
        );
        let text = std::fs::read_to_string(&identity)?;
        let recipient = text
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        let recipient = recipient
            .context("age-keygen names no public key")?
            .to_owned();
        Ok(Self {
            recipient,
            identity,
        })
    }
}

impl<'a> Keeper<'a> {
    /// With these settings, by their names without the prefix.
    pub(super) fn new(
        stage: &'a Stage,
        home: &Path,
        settings: &[(&str, String)],
        keys: Option<&Keys>,
    ) -> Self {
        let mut environment = named(&[("HOME", home.display().to_string())]);
        environment.extend(named(settings));
        if let Some(keys) = keys {
            environment.extend(named(&[("BACKUP_RECIPIENTS", keys.recipient.clone())]));
        }
        Self {
            stage,
            home: Home::at(home),
            environment,
            identity: keys.map(|keys| keys.identity.clone()),
        }
    }

    /// With more environment variables, by their whole names.
    pub(super) fn with(mut self, more: Environment) -> Self {
        self.environment.extend(more);
        self
    }

    /// Starts the sidecar and waits until it answers. `more` are environment variables by their whole names.
    pub(super) fn start(&self, more: &[(&str, String)]) -> anyhow::Result<Sidecar> {
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let environment: Environment = self.environment.iter().cloned().chain(more).collect();
        self.stage.sidecar_with(&environment)
    }

    /// One of the operator's commands, to be run.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.stage.program("ops-sidecar"));
        command
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs one to its end, which has to be a good one; gives the JSON that it ends with.
    pub(super) fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let ran = self.command(arguments).arg("--json").output()?;
        let said = String::from_utf8_lossy(&ran.stdout);
        ensure!(
            ran.status.success(),
            "`ops-sidecar {}` ended with {}: {said}{}",
            arguments.join(" "),
            ran.status,
            String::from_utf8_lossy(&ran.stderr)
        );
        serde_json::from_str(said.trim())
            .with_context(|| format!("`ops-sidecar {}` printed {said}", arguments.join(" ")))
    }

    /// Restores into `file`; `what` is `--id ID` or `--at TIME`.
    pub(super) fn restore(&self, what: &[&str], file: &Path) -> anyhow::Result<Value> {
        let file = file.to_str().context("the file's name is no text")?;
        let mut arguments = vec!["backup", "restore"];
        arguments.extend(what);
        arguments.extend(["--to", file]);
        let identity = self.identity.as_ref().and_then(|path| path.to_str());
        if let Some(identity) = identity {
            arguments.extend(["--identity", identity]);
        }
        self.ask(&arguments)
    }

    /// Whether this process makes a backup at this moment: it holds the lock, and has written its id into it.
    pub(super) fn makes_a_backup(&self, pid: u32) -> bool {
        let Ok(mut lock) = File::open(self.home.backup_lock()) else {
            return false;
        };
        let mut holder = String::new();
        lock.try_lock().is_err()
            && lock.read_to_string(&mut holder).is_ok()
            && holder.trim() == pid.to_string()
    }

    /// Waits until this process makes a backup, but no longer than that.
    pub(super) fn wait_for_a_backup(&self, pid: u32, patience: Duration) {
        let deadline = Instant::now() + patience;
        while !self.makes_a_backup(pid) && Instant::now() < deadline {
            pause(Duration::from_millis(2));
        }
    }
}
