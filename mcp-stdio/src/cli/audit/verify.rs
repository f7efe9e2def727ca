//! `audit verify`: nothing was changed, removed or cut off.

use clap::Args as ClapArgs;
use serde::Serialize;
use serde_json::json;
use shared::audit::{self, checkpoint};
use shared::state::State;

use super::seen::Seen;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::print::{remark, show, show_json};
use crate::cli::setup::Setup;
use crate::vault::Vault;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio audit verify
  mcp-stdio audit verify --json")]
pub(super) struct VerifyArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One chain's verdict.
#[derive(Debug, Serialize)]
struct Verified {
    chain: String,
    ok: bool,
    rows: u64,
    first_seq: u64,
    first_bad: Option<audit::Bad>,
    signed: u64,
    signatures_checked: u64,
    checkpoints: u64,
    head_seq: u64,
    head_hash: Option<String>,
}

pub(super) fn run(setup: &Setup, state: &State, seen: &Seen, args: &VerifyArgs) -> Outcome {
    let checkpoints = checkpoint::read(&setup.home)
        .map_err(|error| Failure::file("reading", &setup.home.audit_checkpoints(), &error))?;
    let signer = seen.vault.as_ref().map(Vault::signer).transpose()?;
    let mut chains = Vec::new();
    for chain in &seen.chains {
        let signer = signer.as_ref().filter(|_| chain.is_signed());
        let signer = signer.map(|signer| signer as &dyn audit::Signer);
        let verdict = audit::verify(state, chain, signer, &checkpoints)?;
        let first_bad = match (verdict.first_bad, &seen.vault) {
            (None, Some(vault)) if chain.is_signed() => vault.differs_from_records()?,
            (first_bad, _) => first_bad,
        };
        chains.push(Verified {
            chain: chain.as_str().to_owned(),
            ok: first_bad.is_none(),
            rows: verdict.rows,
            first_seq: verdict.first_seq,
            first_bad,
            signed: verdict.signed,
            signatures_checked: verdict.signatures_checked,
            checkpoints: verdict.checkpoints,
            head_seq: verdict.head.map_or(0, |head| head.seq),
            head_hash: verdict.head.map(|head| head.hash_hex()),
        });
    }
    let ok = chains.iter().all(|chain| chain.ok);
    let restored = audit::last_restore(state)?;
    if args.json {
        show_json(&summary(&chains, restored.as_ref()))?;
    } else {
        show(&chains.iter().map(sentence).collect::<String>())?;
        if let Some(restored) = &restored {
            show(&format!(
                "the state file was {restored}: what was recorded in between is not in it\n"
            ))?;
        }
    }
    if seen.vault.is_none() {
        remark(
            "without the master key only hashes are checked, of the chains that belong to no key",
        );
    }
    if ok {
        return Ok(());
    }
    Err(Failure::failed(
        "the audit record was tampered with, or the disk has damaged it",
        "keep a copy of the home folder as evidence, then compare it with a backup from before",
    ))
}

fn summary(chains: &[Verified], restored: Option<&audit::LastRestore>) -> serde_json::Value {
    let bad = chains.iter().find_map(|chain| {
        let bad = chain.first_bad?;
        Some(json!({"chain": chain.chain, "seq": bad.seq, "what": bad.what}))
    });
    let mut summary = json!({
        "ok": chains.iter().all(|chain| chain.ok),
        "rows": chains.iter().map(|chain| chain.rows).sum::<u64>(),
        "first_bad": bad,
        "chains": chains,
    });
    if let Some(restored) = restored {
        summary["restored"] = json!(restored);
    }
    summary
}

fn sentence(chain: &Verified) -> String {
    let whose = match chain.chain.as_str() {
        "system" => "system",
        "env" => "store from the environment",
        _ => "tenant",
    };
    let older = match chain.first_seq {
        1 => String::new(),
        first => format!(" (from number {first} on; what was before has been pruned)"),
    };
    match &chain.first_bad {
        Some(bad) => format!("{whose}: NOT sound: {bad}\n"),
        None if chain.signed > 0 => format!(
            "{whose}: sound, {} records{older}, {} of {} signatures checked\n",
            chain.rows, chain.signatures_checked, chain.signed
        ),
        None => format!("{whose}: sound, {} records{older}\n", chain.rows),
    }
}
