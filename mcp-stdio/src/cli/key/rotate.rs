//! `key rotate`: a new key for the same stores.
//!
//! Where the key is ours to keep (`master.key`, the keyring) this is silent and survives a crash at any point. A key that somebody else
//! keeps (an environment, a secret store) is shown first and counts only once they say that they have it: a key that nobody wrote down
//! would lock everything for ever.

use clap::Args as ClapArgs;
use serde_json::json;
use shared::audit::{self, action};

use crate::cli::ask;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::init::kind;
use crate::cli::print::{hand_out, pretty, remark, show, show_json, warn};
use crate::cli::setup::Setup;
use crate::vault::rotate::{self, NewKey, Prepared};
use crate::vault::{Tenant, Vault, VaultError};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio key rotate
  mcp-stdio key rotate --passphrase
  mcp-stdio key rotate --yes --json

Servers that read the key from `master.key` or the keyring go on by themselves. Where the key comes from the environment or a secret store, the
new one is printed before it counts; every process that is given the old one then needs the new one. Exports and backups from before open with
the old key only.")]
pub(super) struct Args {
    /// Do not ask whether the printed key is stored
    #[arg(long)]
    yes: bool,
    /// Change to a passphrase, which is asked for and then kept where the key is now
    #[arg(long)]
    passphrase: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Rotates. Until the last moment the old key works, from then on the new one.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    let vault = setup.vault()?;
    let old = vault.tenant()?;
    let new = new_key(args)?;
    let prepared = rotate::prepare(&vault, new, "key rotate")?;
    let must_be_shown = prepared.must_be_shown();
    if must_be_shown {
        hand_over(args, &prepared, &old)?;
    }
    let committed = rotate::commit(prepared, &setup.actor).map_err(|error| {
        note_failure(setup, &vault);
        // A disk that fails in the very moment of the commit leaves it open which of the two it was.
        let consequence = match error {
            VaultError::State(_) => "the old key goes on working unless `mcp-stdio key show-id` says otherwise: keep both until then",
            _ => "the old key goes on working",
        };
        Failure::from(error).so(consequence)
    })?;
    let tenant = rotate::finish(committed)
        .map_err(|error| Failure::from(error).so("the new key counts already"))?;
    tell(args, &tenant, must_be_shown)
}

/// That somebody tried is worth a record, too.
fn note_failure(setup: &Setup, vault: &Vault) {
    let (action, failed) = (action::KEY_ROTATED, audit::Outcome::Failed);
    if let Err(error) = vault.note(action, None, failed, &setup.actor) {
        warn(&format!("this could not be noted in the audit: {error}"));
    }
}

fn new_key(args: &Args) -> Outcome<NewKey> {
    if !args.passphrase {
        return Ok(NewKey::Random);
    }
    ask::new_passphrase("new passphrase").map(NewKey::Passphrase)
}

/// Shows the new key and waits until it is safe.
fn hand_over(args: &Args, prepared: &Prepared, old: &Tenant) -> Outcome {
    if !args.yes {
        // Said before the key is printed: a script without `--yes` must not end up with a key that never counted.
        ask::refuse_without_terminal("Is the new key stored?")?;
    }
    let text = prepared.new_key_text();
    if args.json {
        hand_out(&pretty(&json!({
            "key_id": prepared.new_key_id().as_str(),
            "key_version": old.key_version + 1,
            "key_source": kind(prepared.source()),
            "new_key": if args.passphrase { None } else { Some(text.expose()) },
        })))?;
    } else if !args.passphrase {
        hand_out(&format!("{}\n", text.expose()))?;
    }
    warn(&format!(
        "the new key has to be put into {}; the old one works until you say so, and never again after that",
        prepared.source()
    ));
    ask::confirm("Is the new key stored where it cannot get lost?", args.yes)
}

fn tell(args: &Args, tenant: &Tenant, was_shown: bool) -> Outcome {
    if was_shown {
        warn(&format!(
            "rotated: restart every process that gets its key from {}; until they have the new one they say that the key was rotated",
            tenant.source
        ));
        return Ok(());
    }
    if args.json {
        show_json(&json!({
            "key_id": tenant.key_id.as_str(),
            "key_version": tenant.key_version,
            "key_source": kind(&tenant.source),
            "new_key": null,
        }))?;
    } else {
        show(&format!(
            "rotated: key number {}, id {}, in {}\n",
            tenant.key_version,
            tenant.key_id.as_str(),
            tenant.source
        ))?;
    }
    remark("exports and backups from before open with the old key only: make new ones");
    Ok(())
}
