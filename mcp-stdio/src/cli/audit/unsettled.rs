//! `audit unsettled` and `audit settle`: changes to shops that nobody knows the end of, and what a person who looked has found.

use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;
use serde_json::json;
use shared::audit::{self, Chain, Signer, checkpoint};
use shared::state::State;
use shared::writes::{self, Unsettled, Why};

use super::seen::Seen;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output;
use crate::cli::print::{remark, show, show_json, time};
use crate::cli::setup::Setup;
use crate::desk;
use crate::vault::Vault;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio audit unsettled
  mcp-stdio audit unsettled --json

Each is a change that may have been made or not. Look at what it names in Order Desk, then say what you found with `mcp-stdio audit settle`.")]
pub(super) struct UnsettledArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio audit settle --seq 12 --as done
  mcp-stdio audit settle --seq 12 --as not-done

Nothing is sent to Order Desk: this only records what you found there.")]
pub(super) struct SettleArgs {
    /// The number that `mcp-stdio audit unsettled` gives it
    #[arg(long, value_name = "N")]
    seq: u64,
    /// What you found in Order Desk
    #[arg(long = "as", value_enum)]
    found: Found,
    /// Whose record it is in, if that number is in both
    #[arg(long, value_enum)]
    chain: Option<Whose>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Found {
    /// The change was made
    Done,
    /// It was not
    NotDone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Whose {
    /// The holder of the master key
    Tenant,
    /// The store from the environment
    Env,
}

/// A change as it is shown.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    chain: &'a str,
    seq: u64,
    at: String,
    session: &'a str,
    client: Option<String>,
    /// What its owner calls the shop; `null` for one that is not kept here.
    store: Option<String>,
    action: &'a str,
    target: String,
    check: String,
    why: &'static str,
}

/// Prints what a person has to look at.
pub(super) fn list(state: &State, seen: &Seen, args: &UnsettledArgs) -> Outcome {
    let unsettled = of(state, seen)?;
    let stores = Names::of(seen);
    let shown: Vec<Shown<'_>> = unsettled.iter().map(|one| stores.shown(one)).collect();
    if args.json {
        return show_json(&json!({ "unsettled": shown }));
    }
    let Some(first) = shown.first() else {
        remark("nothing to look at: every change is known to have been made or not");
        return Ok(());
    };
    show(&shown.iter().map(sentence).collect::<String>())?;
    remark(&format!(
        "look at them in Order Desk, then say for each what you found: mcp-stdio audit settle --seq {} --as done (or not-done)",
        first.seq
    ));
    Ok(())
}

/// Those that the one who asks may see. The store from the environment belongs to no key.
fn of(state: &State, seen: &Seen) -> Outcome<Vec<Unsettled>> {
    let mut unsettled = writes::unsettled(state, None)?;
    unsettled.retain(|one| one.chain == Chain::Env || seen.chains.contains(&one.chain));
    Ok(unsettled)
}

fn sentence(one: &Shown<'_>) -> String {
    let shop = match (&one.store, one.chain) {
        (Some(name), _) => format!("  {name}"),
        (None, "env") => "  store from the environment".to_owned(),
        (None, _) => String::new(),
    };
    let client = one
        .client
        .as_ref()
        .map_or_else(String::new, |client| format!("  {client}"));
    let why = if one.why == Why::Died.as_str() {
        "its process ended before it recorded the outcome"
    } else {
        "it was tried, and nobody could tell whether it was done"
    };
    format!(
        "{}  {}  {}  {}{shop}{client}\n    {why}; {}\n",
        one.seq, one.at, one.action, one.target, one.check
    )
}

/// What the shops are called.
struct Names(Vec<(String, String)>);

impl Names {
    /// A name is a help, not what was asked for: a row that cannot be read leaves its shop without one.
    fn of(seen: &Seen) -> Names {
        let readable = seen.vault.as_ref().and_then(|vault| vault.readable().ok());
        let stores = readable.map_or_else(Vec::new, |(stores, _)| stores);
        let key = |store: crate::vault::StoreInfo| {
            (
                desk::store_key(&store.base_url, &store.store_id),
                store.name,
            )
        };
        Names(stores.into_iter().map(key).collect())
    }

    fn shown<'a>(&self, one: &'a Unsettled) -> Shown<'a> {
        let name = self.0.iter().find(|(key, _)| *key == one.store_key);
        Shown {
            chain: one.chain.as_str(),
            seq: one.seq,
            at: time(one.at.as_millisecond()),
            session: &one.session,
            client: one.client.as_deref().map(output::line),
            store: name.map(|(_, name)| output::line(name)),
            action: &one.action,
            target: output::line(&one.target),
            check: output::line(&one.check),
            why: one.why.as_str(),
        }
    }
}

/// Records what a person found.
pub(super) fn settle(setup: &Setup, state: &State, seen: &Seen, args: &SettleArgs) -> Outcome {
    let one = pick(of(state, seen)?, args)?;
    let signer = seen.vault.as_ref().map(Vault::signer).transpose()?;
    let signer = signer.as_ref().filter(|_| one.chain.is_signed());
    let signer = signer.map(|signer| signer as &dyn Signer);
    let (as_done, now) = (args.found == Found::Done, setup.clock.now_ms());
    if !writes::settle(
        state,
        &one.chain,
        one.seq,
        as_done,
        &setup.actor,
        now,
        signer,
    )? {
        return Err(unknown(args.seq));
    }
    let head = state.read("audit", |reading| audit::head(reading, &one.chain))?;
    if let Err(error) = checkpoint::note(&setup.home, &[(one.chain.clone(), head)], now) {
        tracing::warn!("the end of the audit chain was not noted: {error}");
    }
    let found = if as_done { "done" } else { "not done" };
    show(&format!(
        "recorded: {} of {} ({}) was {found}\n",
        one.action,
        output::line(&one.target),
        one.seq
    ))
}

fn pick(mut unsettled: Vec<Unsettled>, args: &SettleArgs) -> Outcome<Unsettled> {
    let is_meant = |one: &Unsettled| {
        let whose = match one.chain {
            Chain::Env => Whose::Env,
            _ => Whose::Tenant,
        };
        one.seq == args.seq && args.chain.is_none_or(|chain| chain == whose)
    };
    unsettled.retain(is_meant);
    if unsettled.len() > 1 {
        return Err(Failure::usage(
            format!("{} is the number of two unsettled changes", args.seq),
            "add `--chain tenant` or `--chain env`; `mcp-stdio audit unsettled` shows both",
        ));
    }
    unsettled.pop().ok_or_else(|| unknown(args.seq))
}

fn unknown(seq: u64) -> Failure {
    Failure::usage(
        format!("no unsettled change has the number {seq}, or it is still under way"),
        "`mcp-stdio audit unsettled` lists them",
    )
}
