//! `store list`, `test`, `use` and `remove`.

use clap::Args as ClapArgs;
use serde::Serialize;
use serde_json::json;

use super::probe::{self, Shop};
use crate::cli::ask;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{remark, show, show_json, table};
use crate::cli::setup::Setup;
use crate::desk::Access;
use crate::vault::{StoreInfo, Vault, VaultError};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio store list
  mcp-stdio store list --json")]
pub(super) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio store test
  mcp-stdio store test \"My Shop\" --json

Exit code 1 if a shop's key is not accepted or Order Desk cannot be reached.")]
pub(super) struct TestArgs {
    /// Which shop, by name or id [default: all]
    name: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio store use \"My Shop\"
  mcp-stdio store use 12345")]
pub(super) struct UseArgs {
    /// Which shop, by name or id
    name: String,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio store remove \"My Shop\"
  mcp-stdio store remove 12345 --yes")]
pub(super) struct RemoveArgs {
    /// Which shop, by name or id
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// A store as it is shown. Never its key.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    name: &'a str,
    store_id: &'a str,
    api_base_url: &'a str,
    default: bool,
    added_at: String,
}

impl<'a> Shown<'a> {
    pub(super) fn of(store: &'a StoreInfo) -> Shown<'a> {
        Shown {
            name: &store.name,
            store_id: store.store_id.as_str(),
            api_base_url: store.base_url.as_str(),
            default: store.is_default,
            added_at: crate::cli::print::time(store.created_ms),
        }
    }
}

pub(super) fn list(setup: &Setup, args: &ListArgs) -> Outcome {
    let stores = setup.vault()?.stores()?;
    if args.json {
        let shown: Vec<Shown<'_>> = stores.iter().map(Shown::of).collect();
        return show_json(&json!({ "stores": shown }));
    }
    if stores.is_empty() {
        let add = setup.typed.command("store add --name NAME --id STORE_ID");
        remark(&format!("no shop yet; `{add}` adds one"));
    }
    show(&table(stores.iter().map(|store| {
        let mark = if store.is_default { "default" } else { "" };
        [
            store.name.clone(),
            store.store_id.to_string(),
            mark.to_owned(),
        ]
    })))
}

/// How one shop's test ended.
#[derive(Debug, Serialize)]
struct Tested {
    name: String,
    store_id: String,
    ok: bool,
    milliseconds: u128,
    shop: Option<Shop>,
    why: Option<String>,
    hint: Option<String>,
}

pub(super) fn test(setup: &Setup, args: &TestArgs) -> Outcome {
    let vault = setup.vault()?;
    let stores = match &args.name {
        Some(name) => vec![vault.resolve(name)?],
        None => vault.stores()?,
    };
    if stores.is_empty() {
        return Err(Failure::usage(
            "there is no shop to test",
            "`mcp-stdio store add --name NAME --id STORE_ID` adds one",
        ));
    }
    let mut all = Vec::new();
    for store in &stores {
        all.push(test_one(setup, &vault, store)?);
    }
    let ok = all.iter().all(|tested| tested.ok);
    if args.json {
        show_json(&json!({ "ok": ok, "stores": all }))?;
    } else {
        show(&all.iter().map(line).collect::<String>())?;
    }
    if ok { Ok(()) } else { Err(Failure::said()) }
}

fn test_one(setup: &Setup, vault: &Vault, store: &StoreInfo) -> Outcome<Tested> {
    let mut tested = Tested {
        name: store.name.clone(),
        store_id: store.store_id.to_string(),
        ok: false,
        milliseconds: 0,
        shop: None,
        why: None,
        hint: None,
    };
    let api_key = match vault.open(store) {
        Ok(api_key) => api_key,
        // One bad row says nothing about the others.
        Err(error @ VaultError::SealBroken { .. }) => {
            tested.why = Some(error.to_string());
            tested.hint = Some(error.hint());
            return Ok(tested);
        }
        Err(error) => return Err(error.into()),
    };
    let access = Access {
        tenant: vault.tenant()?.id,
        base_url: store.base_url.clone(),
        store_id: store.store_id.clone(),
        api_key,
    };
    let probe = probe::ask(setup, &access)?;
    tested.milliseconds = probe.took.as_millis();
    match probe.answer {
        Ok(shop) => {
            tested.ok = true;
            tested.shop = Some(shop);
        }
        Err(error) => {
            tested.why = Some(error.to_string());
            tested.hint = Some(error.hint().to_owned());
        }
    }
    Ok(tested)
}

fn line(tested: &Tested) -> String {
    let name = &tested.name;
    match (&tested.shop, &tested.why, &tested.hint) {
        (Some(shop), _, _) => format!(
            "{name}: ok, {} ms; the shop calls itself \"{}\"\n",
            tested.milliseconds, shop.name
        ),
        (None, why, hint) => format!(
            "{name}: {}\n  hint: {}\n",
            why.as_deref().unwrap_or_default(),
            hint.as_deref().unwrap_or_default()
        ),
    }
}

pub(super) fn choose(setup: &Setup, args: &UseArgs) -> Outcome {
    let vault = setup.vault()?;
    let store = vault.resolve(&args.name)?;
    if !store.is_default {
        vault.set_default(Some(&store.id), &setup.actor)?;
    }
    show(&format!("{} is used when no shop is named\n", store.name))
}

pub(super) fn remove(setup: &Setup, args: &RemoveArgs) -> Outcome {
    let vault = setup.vault()?;
    let store = vault.resolve(&args.name)?;
    let question = format!(
        "Forget \"{}\" (store {}) and its API key?",
        store.name, store.store_id
    );
    ask::confirm(&question, args.yes)?;
    vault.remove(&store.id, &setup.actor)?;
    show(&format!(
        "{} is forgotten here; its key still works in Order Desk until you change it there\n",
        store.name
    ))
}
