//! `key show-id`: which key this is.

use clap::Args as ClapArgs;
use serde_json::json;

use crate::cli::failure::Outcome;
use crate::cli::init::kind;
use crate::cli::print::{show, show_json};
use crate::cli::setup::Setup;
use crate::vault::VaultError;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio key show-id
  mcp-stdio key show-id --json")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the id. A key that nobody was set up with has one, too.
pub(super) fn run(setup: &Setup, args: &Args) -> Outcome {
    let (key_id, source, tenant) = match setup.vault()?.tenant() {
        Ok(tenant) => (tenant.key_id.clone(), tenant.source.clone(), Some(tenant)),
        Err(VaultError::NoTenant {
            source,
            key_id: Some(key_id),
        }) => (key_id, source, None),
        Err(error) => return Err(error.into()),
    };
    if args.json {
        let tenant = tenant.map(|tenant| {
            json!({
                "id": &*tenant.id,
                "name": tenant.name,
                "key_version": tenant.key_version,
            })
        });
        return show_json(&json!({
            "key_id": key_id.as_str(),
            "key_source": kind(&source),
            "tenant": tenant,
        }));
    }
    let whose = match tenant {
        Some(tenant) => format!("tenant {}, key number {}", tenant.name, tenant.key_version),
        None => "no tenant here".to_owned(),
    };
    show(&format!("{}  {whose}, from {source}\n", key_id.as_str()))
}
