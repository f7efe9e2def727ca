//! `tools`: what the model will see under these settings, with its token cost; or all there is.

use std::fmt::Write as _;

use clap::Args as ClapArgs;

use crate::cli::Form;
use crate::cli::failure::Outcome;
use crate::cli::print::{pretty, show};
use crate::cli::setup::{Global, Setup};
use crate::permit::Permissions;
use crate::tools::{self, Tool};

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  mcp-stdio tools
  mcp-stdio tools --all
  ORDERDESK_MCP_TOOLSETS=orders,shipments mcp-stdio tools --json")]
pub(super) struct Args {
    /// Show every tool, also those that the settings switch off
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
}

/// Prints the tools in the asked form. The reference page is about all of them.
pub(super) fn run(global: Global, args: &Args) -> Outcome {
    if args.form.markdown {
        return show(&tools::markdown());
    }
    let permissions = Setup::checked(global, &[])?.config()?.permissions;
    let shown: Vec<&'static Tool> = tools::ALL
        .into_iter()
        .filter(|tool| args.all || permissions.allows(tool))
        .collect();
    if args.form.json {
        let definitions: Vec<_> = shown.iter().map(|tool| tool.definition()).collect();
        return show(&pretty(&serde_json::json!({ "tools": definitions })));
    }
    show(&table(&shown, &permissions))
}

/// One line for each tool; those that are switched off carry a mark. Then what the model sees costs.
fn table(shown: &[&'static Tool], permissions: &Permissions) -> String {
    let mut text = String::new();
    for tool in shown {
        let mark = if permissions.allows(tool) { ' ' } else { '-' };
        let _ = writeln!(
            text,
            "{mark} {:<22} ~{:>3} tokens  {:<10} {}",
            tool.name,
            tool.tokens(),
            tool.toolset.name(),
            tool.title
        );
    }
    let seen: Vec<&Tool> = permissions.allowed().collect();
    let cost: usize = seen.iter().map(|tool| tool.tokens()).sum();
    let hidden = tools::ALL.len() - seen.len();
    let _ = write!(text, "The model sees {} tools: ~{cost} tokens.", seen.len());
    if hidden > 0 {
        let hint = if shown.len() > seen.len() {
            "marked with -"
        } else {
            "see --all"
        };
        let _ = write!(text, " {hidden} more are switched off ({hint}).");
    }
    text.push('\n');
    text
}
