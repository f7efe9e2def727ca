//! The commands and what they print.
//!
//! Here: the arguments and which file carries out which command. Not here: what a command does (one file per command), serving
//! (`run`). Exit codes: 0 fine, 2 bad usage or configuration, 1 the rest.
//!
//! | file | keeps |
//! |---|---|
//! | `serve` | what clients start |
//! | `tools` `config` | what the model will see; the effective settings |
//! | `print` | every use of stdout that is not a protocol frame, and the exit codes |

mod config;
mod print;
mod serve;
mod tools;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// An MCP server on stdio that lets an assistant read an Order Desk shop.
#[derive(Debug, Parser)]
#[command(name = "mcp-stdio", version, about)]
struct Cli {
    /// Where the state file and config.toml are [default: ORDERDESK_MCP_HOME, else the platform's data folder]
    #[arg(long, global = true, value_name = "FOLDER")]
    home: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve on stdin and stdout; what clients start, and the default
    Serve,
    /// Show the tools as the model sees them
    Tools(Form),
    /// Show the effective settings with their sources; secrets are masked
    Config(Form),
}

#[derive(Debug, ClapArgs)]
#[group(multiple = false)]
struct Form {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print the reference page
    #[arg(long)]
    markdown: bool,
}

/// Runs the command line of this process; gives its exit code.
#[must_use]
pub fn main() -> i32 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return error.exit_code();
        }
    };
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(cli.home.as_deref()),
        Command::Tools(form) => tools::run(&form),
        Command::Config(form) => config::run(cli.home.as_deref(), &form),
    }
}
