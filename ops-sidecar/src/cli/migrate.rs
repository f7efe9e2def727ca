//! `ops-sidecar migrate …`: the schema of the state file, looked at and moved on purpose.
//!
//! Going up needs nobody: whichever program opens an older file brings it up. This is for those who want to do it at a moment of their own,
//! and for going back after an upgrade that was a mistake. Here: the words, and what is printed. Not here: how a file is moved
//! (`shared::state`).

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use serde_json::json;
use shared::clock::{Clock, SystemClock};
use shared::env::Vars;
use shared::paths::Home;
use shared::state::{Migrated, MigrationStatus, StateError, migrate_to, migration_status};

use super::{Usage, say, start_log};
use crate::config::{Config, Flags};

/// What `ops-sidecar migrate` can do.
#[derive(Debug, Subcommand)]
pub(super) enum MigrateCommand {
    /// Which schema the state file has and which this program knows; exit 1 if this program must not use the file.
    Status {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Bring the state file to the newest schema that this program knows. A copy is kept.
    Up {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Take the state file back to an older schema, for an older program. Nobody may have it open. A copy is kept.
    #[command(after_help = DOWN_HELP)]
    Down {
        /// The schema to go back to; 1 is the lowest.
        #[arg(long, value_name = "SCHEMA", value_parser = clap::value_parser!(u32).range(1..))]
        to: u32,
        /// How long to wait for those who have the state file open, for example 30s.
        #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = super::backup::duration)]
        wait: Duration,
        /// For programs.
        #[arg(long)]
        json: bool,
    },
}

const DOWN_HELP: &str = "Run it with the newer program, then start the older one: the newer one would bring the file up again as soon as it opens it.
What only the newer schema has a place for is kept inside the file and is back after the next way up. For example:
  systemctl --user stop ops-sidecar
  ops-sidecar migrate down --to 2";

/// A command, from settings read to the exit code.
pub(super) fn execute(
    command: &MigrateCommand,
    flags: &Flags,
    vars: &Vars,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(flags, vars)?;
    start_log(&config.settings);
    let home = &config.home;
    match *command {
        MigrateCommand::Status { json } => status(home, json),
        MigrateCommand::Up { json } => {
            let migrated = migrate_to(home, None, SystemClock.now_ms(), Duration::ZERO)?;
            tell(&migrated, json)
        }
        MigrateCommand::Down { to, wait, json } => {
            let migrated = migrate_to(home, Some(to), SystemClock.now_ms(), wait);
            tell(&migrated.map_err(in_terms_of_usage)?, json)
        }
    }
}

/// A schema that cannot be had is a mistake of whoever typed it.
fn in_terms_of_usage(error: StateError) -> anyhow::Error {
    match error {
        StateError::NoSuchSchema { .. } => Usage(error.to_string()).into(),
        error => error.into(),
    }
}

fn status(home: &Home, as_json: bool) -> anyhow::Result<ExitCode> {
    let status = migration_status(home)?;
    let refused = refused(&status);
    if as_json {
        let line = json!({
            "file": status.file,
            "newest": status.newest,
            "compatible_from": status.compatible_from,
            "pending": status.pending,
            "usable": refused.is_none(),
        });
        say(&format!("{line:#}\n"))?;
    } else {
        say(&sentences(&status))?;
    }
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Why this program must keep away from the file.
fn refused(status: &MigrationStatus) -> Option<StateError> {
    let file = status.file.filter(|file| *file > status.newest)?;
    let admits_us = status
        .compatible_from
        .is_some_and(|oldest| oldest <= status.newest);
    (!admits_us).then_some(StateError::Newer {
        file,
        ours: status.newest,
    })
}

fn sentences(status: &MigrationStatus) -> String {
    let newest = status.newest;
    let Some(file) = status.file else {
        return format!(
            "there is no state file yet; the first program that starts makes it, with schema {newest}\n"
        );
    };
    let users = status.compatible_from.map_or(String::new(), |oldest| {
        format!("; programs that know schema {oldest} can use it")
    });
    let next = match status.pending {
        0 if file > newest => "it was written by a newer program than this one".to_owned(),
        0 => "nothing to do".to_owned(),
        pending => format!(
            "{pending} to go: `ops-sidecar migrate up`, or whichever program of this version opens the file next"
        ),
    };
    format!("the state file has schema {file}, this program knows schema {newest}{users}\n{next}\n")
}

fn tell(migrated: &Migrated, as_json: bool) -> anyhow::Result<ExitCode> {
    let Migrated {
        from,
        to,
        kept_copy,
    } = migrated;
    if as_json {
        let line = json!({"from": from, "to": to, "copy": kept_copy});
        say(&format!("{line:#}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let copy = kept_copy.as_deref().map_or(String::new(), |copy| {
        format!("a copy from before is {}\n", Path::display(copy))
    });
    let moved = match (from, to) {
        (0, to) => format!("the state file was made with schema {to}"),
        (from, to) if from == to => format!("the state file has schema {to}: nothing to do"),
        (from, to) if from < to => format!("the state file went from schema {from} to {to}"),
        (from, to) => format!(
            "the state file went back from schema {from} to {to}; now start the older program, this one would bring it up again"
        ),
    };
    say(&format!("{moved}\n{copy}"))?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(file: Option<u32>, compatible_from: u32) -> MigrationStatus {
        MigrationStatus {
            file,
            newest: 3,
            compatible_from: file.map(|_| compatible_from),
            pending: 3_u32.saturating_sub(file.unwrap_or(0)),
        }
    }

    #[test]
    fn what_is_to_be_done_is_said_in_one_sentence() {
        let said = |file, oldest| sentences(&status(file, oldest));
        assert!(said(None, 1).contains("no state file yet"));
        assert!(said(Some(1), 1).contains("2 to go: `ops-sidecar migrate up`"));
        assert!(said(Some(3), 1).ends_with("nothing to do\n"));
        assert!(said(Some(4), 1).contains("by a newer program"));
    }

    #[test]
    fn only_a_file_that_shuts_this_program_out_is_refused() {
        assert!(refused(&status(Some(4), 3)).is_none());
        assert!(refused(&status(Some(1), 1)).is_none());
        assert!(refused(&status(None, 1)).is_none());
        let error = refused(&status(Some(4), 4)).map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("migrate down --to 3")));
    }
}
