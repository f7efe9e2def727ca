//! `store add`: taking a key in.
//!
//! What can be refused without the key is refused before anybody types it. Then Order Desk is asked, and only what it accepts is kept.
//! The key is never an argument: arguments stand in the shell's history and in every list of processes.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;
use shared::audit::{self, action};
use shared::env::PREFIX;
use shared::secret::Secret;

use super::probe::{self, Shop};
use super::show::Shown;
use crate::cli::ask;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{remark, show, show_json, warn};
use crate::cli::setup::{Global, Setup};
use crate::desk::{Access, DeskError, StoreId};
use crate::pasted::looks_like_a_key;
use crate::vault::{NewStore, StoreInfo, Vault, VaultError, check_name};

/// How many folders are named; the rest is counted.
const FOLDERS_SHOWN: usize = 12;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio store add --name \"My Shop\" --id 12345
  mcp-stdio store add --name \"My Shop\" --id 12345 --key-file - < key.txt
  pass show orderdesk/my-shop | mcp-stdio store add --name \"My Shop\" --id 12345

Id and key stand in Order Desk under Settings, Store Settings, API. Without --key-file the key is asked for without echo, or, when stdin is
no terminal, read from stdin (one line). It is never an argument: those stay in the shell's history.")]
pub(super) struct Args {
    /// What you call the shop; unique, 60 characters at most
    #[arg(long)]
    name: String,
    /// Its store id in Order Desk
    #[arg(long, value_name = "STORE_ID")]
    id: String,
    /// Read the API key from this file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Replace the shop of that name
    #[arg(long)]
    replace: bool,
    /// Save without asking Order Desk whether the key is right
    #[arg(long)]
    no_verify: bool,
    /// The address of the API, if it is not the usual one
    #[arg(long, value_name = "URL")]
    api_base_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Refused: see `has_key_argument`
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", aliases = ["api-key", "apikey", "secret", "password", "token"], allow_hyphen_values = true)]
    key: Option<String>,
    /// Refused: see `has_key_argument`
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = false)]
    stray: Vec<String>,
}

impl Args {
    /// A key as an argument is caught here, because a complaint about an unknown argument, or about an id that is none, would repeat
    /// it. Order Desk shows id and key side by side: the one is easily taken for the other.
    fn has_key_argument(&self) -> bool {
        let looks_like_one = [&self.id, &self.name]
            .into_iter()
            .any(|word| looks_like_a_key(word));
        self.key.is_some() || !self.stray.is_empty() || looks_like_one
    }
}

/// Adds the store.
pub(super) fn run(global: Global, args: &Args) -> Outcome {
    if args.has_key_argument() {
        return Err(Failure::usage(
            "the API key is never an argument: arguments stay in the shell's history and show in every list of processes; nothing was saved",
            "leave it away, the key is asked for; a key that you have typed into a command line is better replaced by a new one in Order Desk",
        ));
    }
    let address = args.api_base_url.clone().map(|url| ("api_base_url", url));
    let setup = Setup::checked(global, address.as_slice())?;
    setup.in_use()?;
    let store_id = StoreId::parse(&args.id)
        .map_err(|bad| Failure::text(bad.to_string(), crate::cli::print::USAGE))?;
    let vault = setup.vault()?;
    let old = old(&setup, &vault, args, &store_id)?;
    let access = Access {
        tenant: vault.tenant()?.id,
        base_url: setup.settings.url("api_base_url"),
        store_id,
        api_key: key(args)?,
    };
    let shop = if args.no_verify {
        None
    } else {
        Some(verified(&setup, &access).inspect_err(|_| note_failure(&setup, &vault, args))?)
    };
    let store = vault.add(
        NewStore {
            name: args.name.clone(),
            store_id: access.store_id.clone(),
            base_url: access.base_url.clone(),
            api_key: access.api_key,
            replace: args.replace,
        },
        &setup.actor,
    )?;
    tell(&setup, args, &store, shop.as_ref(), old.is_some())
}

/// The store that would be replaced: the one of that name, or the same shop under another name. Said before a key is asked for.
fn old(
    setup: &Setup,
    vault: &Vault,
    args: &Args,
    store_id: &StoreId,
) -> Outcome<Option<StoreInfo>> {
    let name = check_name(&args.name)?.to_lowercase();
    let base_url = setup.settings.url("api_base_url");
    // A row that cannot be read is what `--replace` mends.
    let (stores, _broken) = vault.readable()?;
    let old = stores.into_iter().find(|store| {
        let is_same_shop = store.store_id == *store_id && store.base_url == base_url;
        store.name.to_lowercase() == name || is_same_shop
    });
    match old {
        Some(old) if !args.replace => Err(Failure::from(VaultError::StoreExists {
            name: old.name,
            store_id: old.store_id.to_string(),
        })
        .so("nothing was saved")),
        old => Ok(old),
    }
}

fn key(args: &Args) -> Outcome<Secret> {
    match &args.key_file {
        Some(path) => ask::secret_in("API key", path),
        None => ask::secret("API key"),
    }
}

/// Nothing is saved that Order Desk does not accept.
fn verified(setup: &Setup, access: &Access) -> Outcome<Shop> {
    remark("asking Order Desk …");
    probe::ask(setup, access)?.answer.map_err(|error| {
        let failure = Failure::from(error.clone()).so("nothing was saved");
        match error {
            DeskError::Unreachable { .. } | DeskError::Timeout | DeskError::Upstream { .. } => {
                failure.or("add `--no-verify` to save the key unchecked")
            }
            _ => failure,
        }
    })
}

/// That somebody tried is worth a record, too.
fn note_failure(setup: &Setup, vault: &Vault, args: &Args) {
    let (action, name) = (action::STORE_ADDED, args.name.trim());
    if let Err(error) = vault.note(action, Some(name), audit::Outcome::Failed, &setup.actor) {
        warn(&format!("this could not be noted in the audit: {error}"));
    }
}

fn tell(
    setup: &Setup,
    args: &Args,
    store: &StoreInfo,
    shop: Option<&Shop>,
    replaced: bool,
) -> Outcome {
    if setup.has_env_store() {
        warn(&format!(
            "{PREFIX}STORE_ID and {PREFIX}API_KEY are set: while they are, the server uses that store and not this one"
        ));
    }
    if args.json {
        return show_json(&json!({
            "store": Shown::of(store),
            "replaced": replaced,
            "verified": shop.is_some(),
            "shop": shop,
        }));
    }
    let done = if replaced { "replaced" } else { "added" };
    let mut text = format!("{} is {done}: store {}", store.name, store.store_id);
    match shop {
        Some(shop) => text.push_str(&format!(
            ", which calls itself \"{}\"\n{}",
            shop.name,
            folders(shop)
        )),
        None => text.push_str(", not checked; `mcp-stdio store test` checks it\n"),
    }
    show(&text)?;
    remark(&format!(
        "next: {}  (`--list` shows the other clients)",
        setup.typed.command("install --client claude-code")
    ));
    Ok(())
}

fn folders(shop: &Shop) -> String {
    let names: Vec<&str> = shop
        .folders
        .iter()
        .take(FOLDERS_SHOWN)
        .map(|folder| folder.name.as_str())
        .collect();
    match shop.folders.len() {
        0 => "it has no folders\n".to_owned(),
        count if count > FOLDERS_SHOWN => format!(
            "folders: {} and {} more\n",
            names.join(", "),
            count - FOLDERS_SHOWN
        ),
        _ => format!("folders: {}\n", names.join(", ")),
    }
}
