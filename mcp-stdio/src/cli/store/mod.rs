//! `store`: the shops of this tenant.
//!
//! | file | keeps |
//! |---|---|
//! | `add` | taking a key in, checked before it is kept |
//! | `probe` | asking Order Desk whether id and key are right |
//! | `show` | what is told about a store: `list`, `test`, `use`, `remove` |

mod add;
mod probe;
mod show;

use clap::{Args as ClapArgs, Subcommand};

use crate::cli::failure::Outcome;
use crate::cli::print::warn;
use crate::cli::setup::{Global, Setup};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio store add --name \"My Shop\" --id 12345
  mcp-stdio store list
  mcp-stdio store test \"My Shop\"
  mcp-stdio store use \"My Shop\"")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a shop: asks for its API key without echo and checks it before saving
    Add(add::Args),
    /// List the shops
    List(show::ListArgs),
    /// Ask Order Desk whether the keys are accepted
    Test(show::TestArgs),
    /// Choose the shop that is used when none is named
    Use(show::UseArgs),
    /// Forget a shop and its key
    Remove(show::RemoveArgs),
}

/// Carries out the command.
pub(super) fn run(global: Global, args: &Args) -> Outcome {
    if let Command::Add(args) = &args.command {
        return add::run(global, args);
    }
    let setup = Setup::checked(global, &[])?;
    setup.in_use()?;
    if setup.has_env_store() {
        warn(
            "ORDERDESK_MCP_STORE_ID and ORDERDESK_MCP_API_KEY are set: while they are, the server uses that store and none of these",
        );
    }
    match &args.command {
        Command::Add(_) => Ok(()),
        Command::List(args) => show::list(&setup, args),
        Command::Test(args) => show::test(&setup, args),
        Command::Use(args) => show::choose(&setup, args),
        Command::Remove(args) => show::remove(&setup, args),
    }
}
