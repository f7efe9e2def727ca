//! `key`: the master key.
//!
//! | file | keeps |
//! |---|---|
//! | `show` | which key this is, without showing it |
//! | `rotate` | a new key for the same stores |
//! | `export` `import` | moving it to another machine |

mod export;
mod import;
mod rotate;
mod show;

use clap::{Args as ClapArgs, Subcommand};

use crate::cli::failure::Outcome;
use crate::cli::setup::Setup;
use crate::vault::{Found, KeyText, VaultError};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio key show-id
  mcp-stdio key rotate
  mcp-stdio key export --to my-key.age
  mcp-stdio key import my-key.age")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say which key this is: an id that is the same on every machine and gives nothing away
    ShowId(show::Args),
    /// Make a new key and seal everything with it; the old one stops working
    Rotate(rotate::Args),
    /// Write the key, encrypted to a passphrase, for another machine or a safe place
    Export(export::Args),
    /// Take in a key from another machine
    Import(import::Args),
}

/// Carries out the command.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    if matches!(args.command, Command::Rotate(_) | Command::Export(_)) {
        setup.in_use()?;
    }
    match &args.command {
        Command::ShowId(args) => show::run(setup, args),
        Command::Rotate(args) => rotate::run(setup, args),
        Command::Export(args) => export::run(setup, args),
        Command::Import(args) => import::run(setup, args),
    }
}

/// The key that counts: where a rotation was interrupted there are two, and the tenant knows which one is its own. Asked first, the
/// tenant also ends that rotation.
fn counting(setup: &Setup) -> Outcome<(Found, KeyText)> {
    let tenant = match setup.vault()?.tenant() {
        Ok(tenant) => Some(tenant),
        Err(VaultError::NoTenant { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut found = setup.keys.find()?;
    let own = found
        .candidates
        .iter()
        .position(|key| match (key, &tenant) {
            (KeyText::Random(key), Some(tenant)) => key.id() == tenant.key_id,
            _ => false,
        });
    let index = own.unwrap_or(0);
    if index >= found.candidates.len() {
        return Err(VaultError::NoKey.into());
    }
    let key = found.candidates.swap_remove(index);
    Ok((found, key))
}
