//! What every command but `serve` begins with: the home, the settings, and where keys and state are found.
//!
//! Here: reading it all once, before anything is opened or made. Not here: what a command does with it. Nothing is touched: the slot
//! is empty, no key was looked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args as ClapArgs;
use shared::audit::{self, Actor, Chain, Entry, checkpoint};
use shared::clock::{Clock, SystemClock};
use shared::env::{Owner, Settings, Vars};
use shared::paths::Home;
use shared::state::{Durability, Slot, State};
use shared::telemetry::log;
use tracing::level_filters::LevelFilter;

use crate::cli::ask;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{NAME, USAGE};
use crate::config::Config;
use crate::doctor::Typed;
use crate::permit::Permissions;
use crate::shell::shell_word;
use crate::vault::{KeyLock, Sources, Vault, VaultError};

/// How long a command waits for another one that changes the key. Stretching a passphrase takes a fraction of a second.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// How often it looks. The lock tells nobody when it is free.
const LOCK_PACE: Duration = Duration::from_millis(20);

/// The flags that every command takes.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct Global {
    /// Where the state file, the master key and config.toml are [default: ORDERDESK_MCP_HOME, else the platform's data folder]
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        help_heading = "Everywhere"
    )]
    pub(super) home: Option<PathBuf>,
    /// Read the master key from this file, whatever else is set
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub(super) master_key_file: Option<PathBuf>,
}

impl Global {
    /// Those that were given, as they have to be typed again from any folder.
    pub(super) fn typed(&self) -> String {
        let given = [
            ("--home", &self.home),
            ("--master-key-file", &self.master_key_file),
        ];
        let typed = given.into_iter().filter_map(|(flag, path)| {
            let path = std::path::absolute(path.as_ref()?).ok()?;
            Some(format!("{flag} {}", shell_word(&path.to_string_lossy())))
        });
        typed.collect::<Vec<_>>().join(" ")
    }
}

/// The surroundings of a command.
#[derive(Debug)]
pub(super) struct Setup {
    /// Where everything is.
    pub(super) home: Home,
    /// The environment, as it was at the start.
    pub(super) env: Vars,
    /// The effective settings.
    pub(super) settings: Settings,
    /// What is wrong with them, one line each. Every command but `doctor` and `config` ends with them.
    pub(super) mistakes: Vec<String>,
    /// The file named on the command line for the master key.
    pub(super) master_key_file: Option<PathBuf>,
    /// Where the master key is looked for.
    pub(super) keys: Sources,
    /// Who does what is done here, for the audit.
    pub(super) actor: Actor,
    /// Our own commands as this person can type them.
    pub(super) typed: Typed,
    /// The state file, not opened yet.
    pub(super) slot: Slot,
    /// The time.
    pub(super) clock: Arc<dyn Clock>,
}

impl Setup {
    /// Reads the environment and the settings, and starts the log on stderr as they say. `flags` are settings given on the command line.
    ///
    /// # Errors
    /// If no home can be determined.
    pub(super) fn new(global: Global, flags: &[(&'static str, String)]) -> Outcome<Setup> {
        if let Some(path) = &global.master_key_file {
            ask::refuse_secret_as_path(path)?;
        }
        let env = Vars::from_process();
        let home = Home::resolve(global.home.as_deref(), &env)
            .map_err(|error| Failure::text(error.to_string(), USAGE))?;
        let loaded = Settings::load(flags, &env, &home);
        start_log(&loaded.settings);
        let mistakes = loaded.mistakes_for(Owner::Stdio);
        let mut mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        mistakes.extend(Permissions::of(&loaded.settings).1);
        let called = std::env::args_os().next();
        let exe = std::env::current_exe().unwrap_or_else(|_| NAME.into());
        Ok(Setup {
            slot: Slot::new(home.clone()),
            keys: Sources::new(&loaded.settings, &home, global.master_key_file.clone()),
            actor: Actor::cli(),
            typed: Typed::new(
                called.as_deref().map(Path::new),
                &exe,
                &home,
                global.master_key_file.as_deref(),
            ),
            home,
            env,
            mistakes,
            settings: loaded.settings,
            master_key_file: global.master_key_file,
            clock: SystemClock::shared(),
        })
    }

    /// The same, if the settings are right.
    ///
    /// # Errors
    /// All mistakes in the settings.
    pub(super) fn checked(global: Global, flags: &[(&'static str, String)]) -> Outcome<Setup> {
        let setup = Setup::new(global, flags)?;
        refuse(&setup.mistakes)?;
        Ok(setup)
    }

    /// That somebody has set this home up: a mistyped `--home` is told, not made.
    ///
    /// # Errors
    /// If there is no state file.
    pub(super) fn in_use(&self) -> Outcome {
        if self.home.state_db().symlink_metadata().is_ok() {
            return Ok(());
        }
        Err(Failure::usage(
            format!("nothing is set up in `{}`", self.home.root().display()),
            "`mcp-stdio init` sets it up; if another home was meant, name it with `--home`",
        ))
    }

    /// The settings in the form that the rooms take.
    ///
    /// # Errors
    /// All mistakes in them.
    pub(super) fn config(&self) -> Outcome<Config> {
        let config = Config::new(
            self.home.clone(),
            &self.settings,
            self.master_key_file.clone(),
            self.mistakes.clone(),
        );
        refuse(&config.mistakes)?;
        Ok(config)
    }

    /// The open state file; made if it is missing.
    pub(super) fn state(&self) -> Outcome<State> {
        Ok(self.slot.open_now()?)
    }

    /// The vault of whoever holds the key.
    pub(super) fn vault(&self) -> Outcome<Vault> {
        self.state()?;
        Ok(self.vault_of(&self.keys))
    }

    /// The same with the key looked for elsewhere.
    pub(super) fn vault_of(&self, keys: &Sources) -> Vault {
        Vault::new(self.slot.clone(), keys.clone(), Arc::clone(&self.clock))
    }

    /// Holds off everybody else who would change the master key. Two set-ups at once are ordinary: the second one waits.
    pub(super) fn key_lock(&self, what: &str) -> Outcome<KeyLock> {
        let began = self.clock.instant();
        loop {
            match KeyLock::take(&self.home, what) {
                Err(VaultError::KeyLocked { .. })
                    if self.clock.instant().duration_since(began) < LOCK_PATIENCE =>
                {
                    std::thread::park_timeout(LOCK_PACE);
                }
                taken => return Ok(taken?),
            }
        }
    }

    /// Leaves a record in the tenant's chain, or in the system's where there is no tenant.
    pub(super) fn record(
        &self,
        action: &'static str,
        target: Option<&str>,
        outcome: audit::Outcome,
    ) -> Outcome {
        let vault = self.vault()?;
        match vault.tenant() {
            Ok(_) => Ok(vault.note(action, target, outcome, &self.actor)?),
            Err(VaultError::NoKey | VaultError::NoTenant { .. }) => {
                let entry = Entry::new(&self.actor, action, target, outcome);
                let now = self.clock.now_ms();
                let head = self.state()?.write("audit", Durability::Full, |writing| {
                    audit::append(writing, &Chain::System, &entry, now, None)
                })?;
                if let Err(error) = checkpoint::note(&self.home, &[(Chain::System, head)], now) {
                    tracing::warn!("the end of the audit chain was not noted: {error}");
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether serving would use the store of the environment, and nothing of what is kept here.
    pub(super) fn has_env_store(&self) -> bool {
        self.settings.is_given("store_id") && self.settings.is_given("api_key")
    }
}

fn refuse(mistakes: &[String]) -> Outcome {
    if mistakes.is_empty() {
        return Ok(());
    }
    Err(Failure::text(mistakes.join("\n"), USAGE))
}

/// Starts the log on stderr as the settings say.
pub(super) fn start_log(settings: &Settings) {
    let format = if settings.text("log_format") == Some("json") {
        log::Format::Json
    } else {
        log::Format::Text
    };
    let level = settings
        .text("log")
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::WARN);
    log::init(format, level);
}
