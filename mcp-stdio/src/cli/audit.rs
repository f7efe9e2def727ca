//! `audit`: who did what, and whether the record of it is sound.
//!
//! Here: which chains the one who asks may see, and how they are shown. With a key these are its tenant's chain and the system's; without
//! one the system's and that of the store from the environment. Not here: what a sound chain is (`shared::audit`).

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;
use shared::audit::{self, Chain, Filter, Record, action, checkpoint};
use shared::state::State;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::output;
use crate::cli::print::{pretty, remark, show, show_json, table};
use crate::cli::setup::Setup;
use crate::vault::{Vault, VaultError};

/// How many records are read in one snapshot.
const PAGE: usize = 1_000;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio audit list --since 7d
  mcp-stdio audit export --format csv --to audit.csv
  mcp-stdio audit verify --json

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
}

#[derive(Debug, ClapArgs)]
struct Span {
    /// Not before this time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Debug, ClapArgs)]
struct ListArgs {
    #[command(flatten)]
    span: Span,
    /// At most so many, the newest ones
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, ClapArgs)]
struct ExportArgs {
    /// In which form
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    span: Span,
    /// Write into this file instead of stdout
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "to")]
    force: bool,
}

#[derive(Debug, ClapArgs)]
struct VerifyArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One object with every field of every record
    Json,
    /// One line per record, for spreadsheets
    Csv,
}

/// Carries out the command.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    let state = setup.state()?;
    let seen = Seen::by(setup)?;
    match &args.command {
        Command::List(args) => list(setup, &state, &seen, args),
        Command::Export(args) => export(setup, &state, &seen, args),
        Command::Verify(args) => verify(setup, &state, &seen, args),
    }
}

/// What the one who asks may see.
struct Seen {
    chains: Vec<Chain>,
    /// Holds the key that made the signatures.
    vault: Option<Vault>,
}

impl Seen {
    fn by(setup: &Setup) -> Outcome<Seen> {
        let vault = setup.vault()?;
        match vault.tenant() {
            Ok(tenant) => {
                let mut chains = vec![Chain::Tenant(tenant.id.to_string()), Chain::System];
                if setup.has_env_store() {
                    chains.push(Chain::Env);
                }
                Ok(Seen {
                    chains,
                    vault: Some(vault),
                })
            }
            Err(VaultError::NoKey | VaultError::NoTenant { .. }) => Ok(Seen {
                chains: vec![Chain::System, Chain::Env],
                vault: None,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Records of the system's chain that tell of another tenant's pruning name that tenant: they are not for everybody.
    fn may_see(&self, record: &Record) -> bool {
        let seen = |name: &str| self.chains.iter().any(|chain| chain.as_str() == name);
        record.action != action::AUDIT_PRUNED || record.target.as_deref().is_none_or(seen)
    }

    fn page(&self, state: &State, chain: &Chain, filter: &Filter) -> Outcome<Vec<Record>> {
        Ok(state.read("audit_list", |reading| audit::list(reading, chain, filter))?)
    }

    /// All records of a chain that match, a page at a time.
    fn all(
        &self,
        state: &State,
        chain: &Chain,
        mut filter: Filter,
        rows: &mut Vec<Row>,
    ) -> Outcome {
        filter.limit = PAGE;
        loop {
            let page = self.page(state, chain, &filter)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            filter.after_seq = last.seq;
            rows.extend(self.rows(chain, page));
        }
    }

    fn rows(&self, chain: &Chain, page: Vec<Record>) -> impl Iterator<Item = Row> {
        let seen = page.into_iter().filter(|record| self.may_see(record));
        seen.map(|record| Row {
            chain: chain.as_str().to_owned(),
            record,
        })
    }
}

/// A record and whose it is.
#[derive(Debug, Serialize)]
struct Row {
    chain: String,
    #[serde(flatten)]
    record: Record,
}

fn list(setup: &Setup, state: &State, seen: &Seen, args: &ListArgs) -> Outcome {
    let filter = Filter {
        limit: args.limit,
        newest: true,
        ..args.span.filter(setup)?
    };
    let mut rows = Vec::new();
    for chain in &seen.chains {
        rows.extend(seen.rows(chain, seen.page(state, chain, &filter)?));
    }
    rows.sort_by_key(|row| row.record.at);
    let rows = &rows[rows.len().saturating_sub(args.limit)..];
    if args.json {
        return show_json(&json!({ "records": rows }));
    }
    if rows.is_empty() {
        remark("no records");
    }
    show(&table(rows.iter().map(columns)))
}

fn columns(row: &Row) -> [String; 6] {
    let text = |text: &Option<String>| text.as_deref().map_or_else(String::new, output::line);
    let record = &row.record;
    let chain = match row.chain.as_str() {
        "system" | "env" => row.chain.clone(),
        _ => "tenant".to_owned(),
    };
    [
        crate::cli::print::time(record.at.as_millisecond()),
        chain,
        record.action.clone(),
        record.outcome.clone(),
        text(&record.client),
        text(&record.target),
    ]
}

fn export(setup: &Setup, state: &State, seen: &Seen, args: &ExportArgs) -> Outcome {
    let filter = args.span.filter(setup)?;
    let mut rows = Vec::new();
    for chain in &seen.chains {
        seen.all(state, chain, filter, &mut rows)?;
    }
    let text = match args.format {
        Format::Json => pretty(&json!({ "records": rows })),
        Format::Csv => csv(&rows),
    };
    output::deliver(args.to.as_deref(), text.as_bytes(), args.force)
}

fn csv(rows: &[Row]) -> String {
    let mut text = format!("chain,{}\r\n", audit::export::CSV_HEADER);
    for row in rows {
        // The chain's name is a word of ours or random hex: never a formula, nothing to quote.
        let line = audit::export::csv_line(&row.record);
        text.push_str(&format!("{},{line}\r\n", row.chain));
    }
    text
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

fn verify(setup: &Setup, state: &State, seen: &Seen, args: &VerifyArgs) -> Outcome {
    let checkpoints = checkpoint::read(&setup.home)
        .map_err(|error| Failure::file("reading", &setup.home.audit_checkpoints(), &error))?;
    let signer = seen.vault.as_ref().map(Vault::signer).transpose()?;
    let mut chains = Vec::new();
    for chain in &seen.chains {
        let signer = signer.as_ref().filter(|_| chain.is_signed());
        let signer = signer.map(|signer| signer as &dyn audit::Signer);
        let verdict = audit::verify(state, chain, signer, &checkpoints)?;
        chains.push(Verified {
            chain: chain.as_str().to_owned(),
            ok: verdict.ok,
            rows: verdict.rows,
            first_seq: verdict.first_seq,
            first_bad: verdict.first_bad,
            signed: verdict.signed,
            signatures_checked: verdict.signatures_checked,
            checkpoints: verdict.checkpoints,
            head_seq: verdict.head.map_or(0, |head| head.seq),
            head_hash: verdict.head.map(|head| head.hash_hex()),
        });
    }
    let ok = chains.iter().all(|chain| chain.ok);
    if args.json {
        show_json(&summary(&chains))?;
    } else {
        show(&chains.iter().map(sentence).collect::<String>())?;
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
        "keep a copy of the home folder as evidence, then compare with a backup: `ops-sidecar backup list`",
    ))
}

fn summary(chains: &[Verified]) -> serde_json::Value {
    let bad = chains.iter().find_map(|chain| {
        let bad = chain.first_bad?;
        Some(json!({"chain": chain.chain, "seq": bad.seq, "what": bad.what}))
    });
    json!({
        "ok": chains.iter().all(|chain| chain.ok),
        "rows": chains.iter().map(|chain| chain.rows).sum::<u64>(),
        "first_bad": bad,
        "chains": chains,
    })
}

fn sentence(chain: &Verified) -> String {
    let whose = match chain.chain.as_str() {
        "system" => "system",
        "env" => "store from the environment",
        _ => "tenant",
    };
    match &chain.first_bad {
        Some(bad) => format!("{whose}: NOT sound: {bad}\n"),
        None if chain.signed > 0 => format!(
            "{whose}: sound, {} records, {} of {} signatures checked\n",
            chain.rows, chain.signatures_checked, chain.signed
        ),
        None => format!("{whose}: sound, {} records\n", chain.rows),
    }
}

impl Span {
    fn filter(&self, setup: &Setup) -> Outcome<Filter> {
        let now = setup.clock.now();
        let ms = |text: &Option<String>| {
            text.as_deref()
                .map(|text| moment(text, now).map(Timestamp::as_millisecond))
                .transpose()
        };
        Ok(Filter {
            since_ms: ms(&self.since)?,
            until_ms: ms(&self.until)?,
            ..Filter::default()
        })
    }
}

/// A date, a moment, or how long before `now`.
fn moment(text: &str, now: Timestamp) -> Outcome<Timestamp> {
    let text = text.trim();
    let date = || {
        let date: Date = text.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let ago = || {
        let split = text.len().checked_sub(1)?;
        let number: i64 = text
            .get(..split)?
            .parse()
            .ok()
            .filter(|number| *number >= 0)?;
        let seconds = match text.get(split..)? {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let span = jiff::SignedDuration::from_secs(number.checked_mul(seconds)?);
        now.checked_sub(span).ok()
    };
    text.parse().ok().or_else(date).or_else(ago).ok_or_else(|| {
        Failure::usage(
            format!("{} is no time", crate::error::quoted(text)),
            "write a date (2026-11-21), a moment (2026-11-21T15:00:00Z) or how long ago (90m, 12h, 7d)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_a_moment_or_how_long_ago() {
        let now: Timestamp = "2026-11-21T15:00:00Z".parse().unwrap();
        for (text, meant) in [
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T01:02:03Z", "2026-11-20T01:02:03Z"),
            ("2026-11-20T01:02:03+01:00", "2026-11-20T00:02:03Z"),
            ("90m", "2026-11-21T13:30:00Z"),
            ("7d", "2026-11-14T15:00:00Z"),
        ] {
            assert_eq!(moment(text, now).unwrap().to_string(), meant, "{text}");
        }
        for wrong in ["", "d", "-1d", "yesterday", "1w", "99999999999999999d", "ü"] {
            let told = moment(wrong, now).unwrap_err().to_string();
            assert!(told.contains("is no time\nhint: "), "{told}");
        }
    }
}
