//! `key export`: the key, encrypted to a passphrase.
//!
//! The file can be opened with the ordinary `age` command, too: a copy in a safe place must not need this program.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use shared::audit::{self, action};

use super::counting;
use crate::cli::failure::Outcome;
use crate::cli::print::remark;
use crate::cli::setup::Setup;
use crate::cli::{ask, output};
use crate::vault::export;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio key export --to my-key.age
  mcp-stdio key export --passphrase-file words.txt > my-key.age

`mcp-stdio key import my-key.age` takes it in on the other machine; `age --decrypt my-key.age` shows it without this program. The stores are in
state.db: copy a backup of it along, or add them again.")]
pub(super) struct Args {
    /// Write into this file instead of stdout
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Read the passphrase from this file instead of asking; `-` is stdin
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "to")]
    force: bool,
}

/// Writes the export.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    let (_, key) = counting(setup)?;
    if let Some(path) = &args.to {
        ask::refuse_secret_as_path(path)?;
    }
    output::refuse_taken(args.to.as_deref(), args.force)?;
    let words = match &args.passphrase_file {
        Some(path) => ask::secret_in("passphrase", path)?,
        None => ask::new_passphrase("passphrase for the export")?,
    };
    let sealed = export::seal(&key, &words)?;
    // Before the key leaves: an export that nobody can see is worse than a record of one that then failed.
    setup.record(action::KEY_EXPORTED, None, audit::Outcome::Done)?;
    let written = output::deliver(args.to.as_deref(), &sealed, args.force);
    if written.is_err() {
        setup.record(action::KEY_EXPORTED, None, audit::Outcome::Failed)?;
    }
    written?;
    if let Some(path) = &args.to {
        remark(&format!(
            "the key is in `{}`; it opens only with the passphrase, which is written nowhere",
            path.display()
        ));
    }
    Ok(())
}
