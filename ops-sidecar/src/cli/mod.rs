//! The command line: its words, what each prints, and the exit code.
//!
//! 0 fine, 2 bad usage or settings, 1 the rest. What a program might read goes to stdout, what a person should know to stderr.

#![allow(
    clippy::print_stdout,
    reason = "this is where the program talks to its terminal; stdout is no protocol channel here"
)]

mod backup;
mod migrate;
mod progress;
mod when;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use serde_json::json;
use shared::completions;
use shared::env::{Owner, Settings, Vars};
use shared::telemetry::log::{self, Format};
use shared::telemetry::names;
use tracing::level_filters::LevelFilter;

use crate::config::{Config, ConfigError, Flags};
use crate::{probe, run};

/// Health, metrics and findings of the Order Desk MCP servers on this machine, over HTTP.
#[derive(Debug, Parser)]
#[command(name = "ops-sidecar", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    flags: SettingFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until stopped (SIGTERM, Ctrl-C).
    Serve,
    /// Ask the running sidecar how it is: exit 0 when fine, 1 when not. For container health checks.
    Health {
        /// Ask whether this machine should get traffic instead of whether the sidecar answers.
        #[arg(long)]
        ready: bool,
        /// Print the answer as it came.
        #[arg(long)]
        json: bool,
    },
    /// Copies of the state file that are known to restore: make, list, verify, restore, prune.
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// The schema of the state file: look at it, bring it up, take it back.
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// Print the effective settings, each with its source, secrets masked; exit 2 if one is wrong.
    CheckConfig {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// What this sidecar's /metrics can show.
    Metrics {
        /// Print the reference page.
        #[arg(long, required = true)]
        markdown: bool,
    },
    /// Print what a shell needs to complete these commands with the tab key.
    #[command(
        after_help = "For example: ops-sidecar completions bash > ~/.local/share/bash-completion/completions/ops-sidecar"
    )]
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

/// Settings have many names and one meaning: these flags beat the environment, which beats the settings file.
#[derive(Args, Debug)]
struct SettingFlags {
    /// The home folder with the state file.
    #[arg(long, global = true, value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// The settings file; without this, config.toml in the home folder.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<String>,
    /// Where to listen, for example 127.0.0.1:9464.
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// How much to log: off, error, warn, info, debug or trace.
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<String>,
    /// text or json.
    #[arg(long, global = true, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl SettingFlags {
    fn into_flags(self) -> Flags {
        let given = [
            ("config", self.config),
            ("listen", self.listen),
            ("log", self.log),
            ("log_format", self.log_format),
        ];
        let settings = given
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        Flags {
            home: self.home,
            settings,
        }
    }
}

/// Bad usage or settings.
const EXIT_USAGE: u8 = 2;

/// What was typed cannot be meant, although it can be parsed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// The whole program: parses, runs, reports. Clap itself answers `--help` (0) and bad usage (2).
#[must_use]
pub fn main() -> ExitCode {
    let Cli { command, flags } = Cli::parse();
    match execute(&command, &flags.into_flags(), &Vars::from_process()) {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("{error:#}"));
            let is_usage = error.is::<ConfigError>() || error.is::<Usage>();
            ExitCode::from(if is_usage { EXIT_USAGE } else { 1 })
        }
    }
}

fn execute(command: &Command, flags: &Flags, vars: &Vars) -> anyhow::Result<ExitCode> {
    match *command {
        Command::Serve => serve(Config::load(flags, vars)?),
        Command::Health { ready, json } => health(&Config::load(flags, vars)?, ready, json),
        Command::Backup(ref command) => backup::execute(command, flags, vars),
        Command::Migrate(ref command) => migrate::execute(command, flags, vars),
        Command::CheckConfig { json } => check_config(flags, vars, json),
        Command::Metrics { markdown: _ } => {
            say(&names::markdown())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ops-sidecar", &mut script);
            let script = String::from_utf8_lossy(&script);
            say(&completions::mend(&script, "ops-sidecar"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn serve(config: Config) -> anyhow::Result<ExitCode> {
    start_log(&config.settings);
    run::until_signal(config, |address| {
        let line = format!(
            "ops-sidecar {} listens on http://{address}\n",
            crate::VERSION
        );
        // Nobody has to read it: whoever closed stdout still wants the sidecar.
        if let Err(error) = say(&line) {
            tracing::debug!("the address could not be told: {error:#}");
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The settings have been checked: what is not one of their words cannot be here.
fn start_log(settings: &Settings) {
    let format = if settings.text("log_format") == Some("json") {
        Format::Json
    } else {
        Format::Text
    };
    let level = settings
        .text("log")
        .and_then(|word| word.parse().ok())
        .unwrap_or(LevelFilter::WARN);
    log::init(format, level);
}

fn health(config: &Config, ready: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let address = probe::reachable(config.listen);
    let path = if ready { "/health/ready" } else { "/health" };
    let answer = probe::get(address, path).with_context(|| {
        format!("no sidecar answers on `{address}`; hint: start it with `ops-sidecar serve`, or say where it is with `--listen`")
    })?;
    if as_json {
        say(&format!("{}\n", answer.body))?;
    } else {
        say(&format!("{}\n", probe::summary(&answer)))?;
    }
    Ok(if answer.status == 200 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn check_config(flags: &Flags, vars: &Vars, as_json: bool) -> anyhow::Result<ExitCode> {
    let (config, mistakes) = Config::load_anyway(flags, vars).map_err(ConfigError::from)?;
    if as_json {
        let settings = config.settings.effective();
        let ours: Vec<_> = settings
            .iter()
            .filter(|line| line.owner.concerns(Owner::Sidecar))
            .collect();
        let mistakes: Vec<_> = mistakes
            .iter()
            .map(|mistake| json!({"what": mistake.what, "why": mistake.why, "hint": mistake.hint}))
            .collect();
        say(&format!(
            "{:#}\n",
            json!({"ok": mistakes.is_empty(), "settings": ours, "mistakes": mistakes})
        ))?;
    } else {
        say(&config.settings.to_text(Owner::Sidecar))?;
        for mistake in &mistakes {
            complain(&mistake.to_string());
        }
    }
    Ok(if mistakes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_USAGE)
    })
}

/// To stdout; a reader that has gone away (`| head`) is an error, not a panic.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to stdout")
}

/// To stderr; if that is closed there is nobody left to tell.
fn complain(text: &str) {
    let mut err = io::stderr().lock();
    for line in text.lines() {
        let _ = writeln!(err, "error: {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_settings_wherever_they_stand() {
        let before = Cli::parse_from(["ops-sidecar", "--listen", "127.0.0.1:1", "serve"]);
        let after = Cli::parse_from(["ops-sidecar", "serve", "--listen", "127.0.0.1:1"]);
        for cli in [before, after] {
            assert_eq!(
                cli.flags.into_flags().settings,
                [("listen", "127.0.0.1:1".to_owned())]
            );
        }
    }
}
