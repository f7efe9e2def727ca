//! `audit list` and `audit export`: the records as they are, unchecked.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;
use shared::audit::{self, Filter};
use shared::state::State;

use super::seen::{Row, Seen};
use super::span::Span;
use crate::cli::failure::Outcome;
use crate::cli::output;
use crate::cli::print::{pretty, remark, show, show_json, table, time};
use crate::cli::setup::Setup;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio audit list
  mcp-stdio audit list --since 2026-11-01 --until 2026-11-08 --limit 500")]
pub(super) struct ListArgs {
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
#[command(after_help = "Examples:
  mcp-stdio audit export --format json > audit.json
  mcp-stdio audit export --format csv --since 90d --to audit.csv")]
pub(super) struct ExportArgs {
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

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One object with every field of every record
    Json,
    /// One line per record, for spreadsheets
    Csv,
}

pub(super) fn list(setup: &Setup, state: &State, seen: &Seen, args: &ListArgs) -> Outcome {
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
        time(record.at.as_millisecond()),
        chain,
        record.action.clone(),
        record.outcome.clone(),
        text(&record.client),
        text(&record.target),
    ]
}

pub(super) fn export(setup: &Setup, state: &State, seen: &Seen, args: &ExportArgs) -> Outcome {
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
