//! With what backups are opened: the identity file that was named, and the passphrase that may protect it.
//!
//! A passphrase comes from the terminal, without echo, or is the only line of a file. It is never an argument: arguments stand in the shell's
//! history and in every list of processes.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use clap::Args;
use shared::secret::Secret;
use tokio::signal::unix::{SignalKind, signal};

use super::remark;
use crate::backup::Room;
use crate::backup::seal::{Identities, IdentityFile, Protected};

/// The longest passphrase.
const MOST_BYTES: u64 = 4096;

/// What shells give a command that Ctrl-C has ended: 128 and the number of the signal.
const EXIT_INTERRUPTED: i32 = 130;

/// Which identity opens what is encrypted.
#[derive(Args, Debug)]
pub(in crate::cli) struct KeyArgs {
    /// An age identity that opens what is encrypted; without this, the one that BACKUP_IDENTITY_FILE names.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// The passphrase of an identity that has one is the only line of this file; without this, the terminal is asked.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// The secret keys that were named; else those of the settings, if they can be had.
pub(super) fn identities(room: &Room, args: &KeyArgs) -> anyhow::Result<Option<Identities>> {
    if let Some(path) = &args.identity {
        return match IdentityFile::read(path)? {
            IdentityFile::Plain(identities) => Ok(Some(identities)),
            IdentityFile::Protected(file) => open(&file, args).map(Some),
        };
    }
    let Some(path) = &room.settings.identity_file else {
        return Ok(None);
    };
    let of_no_use = |error: anyhow::Error| {
        remark(&format!("BACKUP_IDENTITY_FILE is of no use: {error:#}"));
        Ok(None)
    };
    match IdentityFile::read(path) {
        Ok(IdentityFile::Plain(identities)) => Ok(Some(identities)),
        Ok(IdentityFile::Protected(file)) if can_be_had(args) => open(&file, args).map(Some),
        Ok(IdentityFile::Protected(file)) => of_no_use(file.refusal().into()),
        Err(error) => of_no_use(error.into()),
    }
}

/// Whether there is a passphrase, or somebody to ask for one.
fn can_be_had(args: &KeyArgs) -> bool {
    args.passphrase_file.is_some() || io::stdin().is_terminal()
}

fn open(file: &Protected, args: &KeyArgs) -> anyhow::Result<Identities> {
    if !can_be_had(args) {
        return Err(file.refusal().into());
    }
    let words = match &args.passphrase_file {
        Some(path) => only_line(path)?,
        None => ask(file.path())?,
    };
    Ok(file.open(&words)?)
}

/// The line, without its end; blanks belong to it, as `age` sees it.
fn only_line(path: &Path) -> anyhow::Result<Secret> {
    let mut text = String::with_capacity(MOST_BYTES as usize);
    let cannot_read = || format!("cannot read the passphrase in `{}`", path.display());
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
        .with_context(cannot_read)?;
    let text = Secret::new(text);
    let line = text.expose().trim_end_matches(['\r', '\n']);
    if line.is_empty() || line.contains('\n') {
        bail!(
            "`{}` should hold the passphrase as its only line; hint: `age` asks for the same passphrase when it opens the identity",
            path.display()
        );
    }
    Ok(Secret::new(line.to_owned()))
}

/// Asks on the terminal, which echoes again whatever the answer is.
fn ask(identity: &Path) -> anyhow::Result<Secret> {
    let is_asking = Arc::new(AtomicBool::new(true));
    catch_interrupts(&is_asking)?;
    let prompt = format!("passphrase of the identity file `{}`: ", identity.display());
    let answer = rpassword::prompt_password(prompt);
    let was_stopped = answer.as_ref().is_err_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::Interrupted | ErrorKind::UnexpectedEof
        )
    });
    // Whoever was stopped leaves by itself, with its words.
    is_asking.store(was_stopped, Ordering::SeqCst);
    if was_stopped {
        bail!("no passphrase was given; nothing was changed");
    }
    answer.map(Secret::new).context(
        "the terminal cannot be asked without echo; hint: name a file that holds the passphrase with `--passphrase-file FILE`",
    )
}

/// Ctrl-C at the prompt raises the signal before the terminal is put right: caught, it ends the question, and the command ends by itself.
/// At any later time it ends the process, as it always does.
fn catch_interrupts(is_asking: &Arc<AtomicBool>) -> anyhow::Result<()> {
    let mut interrupts = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let is_asking = Arc::clone(is_asking);
    tokio::spawn(async move {
        while interrupts.recv().await.is_some() {
            if !is_asking.load(Ordering::SeqCst) {
                std::process::exit(EXIT_INTERRUPTED);
            }
        }
    });
    Ok(())
}
