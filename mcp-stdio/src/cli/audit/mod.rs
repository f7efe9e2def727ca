//! `audit`: who did what, and whether the record of it is sound.
//!
//! | file | keeps |
//! |---|---|
//! | `seen` | which chains the one who asks may see |
//! | `span` | from when to when |
//! | `records` | `list` and `export` |
//! | `verify` | whether the chains are sound |
//! | `unsettled` | changes to shops that nobody knows the end of |
//!
//! Not here: what a sound chain is (`shared::audit`).

mod records;
mod seen;
mod span;
mod unsettled;
mod verify;

use clap::{Args as ClapArgs, Subcommand};

use crate::cli::failure::Outcome;
use crate::cli::setup::Setup;
use records::{ExportArgs, ListArgs};
use seen::Seen;
use unsettled::{SettleArgs, UnsettledArgs};
use verify::VerifyArgs;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio audit list --since 7d
  mcp-stdio audit export --format csv --to audit.csv
  mcp-stdio audit verify --json
  mcp-stdio audit unsettled

A time is a date (2026-11-21), a moment (2026-11-21T15:00:00Z) or how long ago (90m, 12h, 7d).
Shown are your tenant's records and the system's. Without a key: the system's and those of the store from the environment; signatures are
checked only with the key.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the newest records
    List(ListArgs),
    /// Write all records in a form for other programs
    Export(ExportArgs),
    /// Check that nothing was changed, removed or cut off; exit code 1 if something was
    Verify(VerifyArgs),
    /// Show the changes to shops that may have been made or not
    Unsettled(UnsettledArgs),
    /// Record what you found when you looked at such a change
    Settle(SettleArgs),
}

/// Carries out the command.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    setup.in_use()?;
    let state = setup.state()?;
    let seen = Seen::by(setup)?;
    match &args.command {
        Command::List(args) => records::list(setup, &state, &seen, args),
        Command::Export(args) => records::export(setup, &state, &seen, args),
        Command::Verify(args) => verify::run(setup, &state, &seen, args),
        Command::Unsettled(args) => unsettled::list(&state, &seen, args),
        Command::Settle(args) => unsettled::settle(setup, &state, &seen, args),
    }
}
